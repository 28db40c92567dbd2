"""Contract: further columns hold what their expressions say, of the kind their values have, and are checked like others."""

from datetime import datetime

import numpy as np
import pytest

from features.binding.tables import bind
from features.catalogue.more import features_with
from features.catalogue.tables import PEOPLE
from features.engine.compute import compute
from features.engine.observations import Observations, moment
from features.engine.store import bound_columns, load_store
from features.errors import SettingsError
from features.schema import Kind
from features.settings import TableSettings, load_settings
from tests.features.binding.binds import NOW, failed, findings, lines, make, rows_of, write

HEADER = "customer_id,occurred_at,amount,Rabatt,eilig,Kanal,code,ref"
ROWS = (
    "a,2024-01-05,5,1.5,yes,web,007,x1",
    "a,2024-02-05,6,,no,Messe,012,x2",
    "b,2024-01-07,7,0.5,,web,003,x3",
)


def more(**columns):
    return TableSettings(source="orders.csv", more=columns)


def kinds(tables, table="orders"):
    return {column.name: column.kind for column in tables.more[table]}


def test_kinds_are_told_from_the_values(tmp_path):
    write(tmp_path, lines(*ROWS, header=HEADER))
    orders = more(
        rabatt="Rabatt", eilig="eilig", kanal="Kanal", code="code", dear="amount > 5", half="amount / 2", label="upper(Kanal)"
    )  # fmt: skip
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert kinds(tables) == {
            "more_rabatt": Kind.NUMBER, "more_eilig": Kind.FLAG, "more_kanal": Kind.TEXT, "more_code": Kind.TEXT,
            "more_dear": Kind.FLAG, "more_half": Kind.NUMBER, "more_label": Kind.TEXT,
        }  # fmt: skip
        columns = "more_rabatt, more_eilig, more_kanal, more_code, more_dear, more_half, more_label"
        assert rows_of(tables, columns=columns) == [
            (1.5, True, "web", "007", False, 2.5, "WEB"),
            (None, False, "Messe", "012", True, 3.0, "MESSE"),
            (0.5, None, "web", "003", True, 3.5, "WEB"),
        ]
        report = tables.report("orders")
        assert report.unused_columns == ("ref",)
        assert report.nulls["more_rabatt"] == 1
        assert findings(tables)["more_code", "further column, by its values a text"] == 1


def test_a_kind_that_is_given_is_kept_and_held_against_the_values(tmp_path):
    good = [f"g{i},2024-01-{1 + i % 28:02d},{i},{i}" for i in range(1, 101)]
    write(tmp_path, lines("b,2024-01-05,5,much", *good, header="customer_id,occurred_at,amount,n"))
    stated = {"expression": "n", "kind": "number", "label": "件数"}
    with bind(make(tmp_path, orders=more(n=stated)), now=NOW) as tables:
        [column] = tables.more["orders"]
        assert (column.kind, column.called["ja"], column.meaning) == (Kind.NUMBER, "件数", "件数")
        assert not [reason for name, reason in findings(tables) if "by its values" in reason]
    write(
        tmp_path,
        lines("a,2024-01-05,5,few", "b,2024-01-05,5,much", header="customer_id,occurred_at,amount,n"),
    )
    assert "orders.more_n: 2 of 2 values are not a number, for example 'few'" in failed(
        make(tmp_path, orders=more(n=stated))
    )


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("nowhere", "orders.more_own: "),
        ("occurred_at::DATE", "is a time, and further columns are numbers, texts or flags"),
        ("occurred_at", "is a time, and further columns are numbers, texts or flags"),
        ("sum(amount)", "orders.more_own: "),
    ],
)
def test_what_cannot_be_says_so(tmp_path, expression, says):
    write(tmp_path, lines(*ROWS, header=HEADER))
    assert says in failed(make(tmp_path, orders=more(own=expression)))


def test_words_of_sql_and_any_name_may_be_used(tmp_path):
    write(tmp_path, lines(*ROWS, header=HEADER))
    orders = more(order="Kanal", group="Rabatt", select="eilig")
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert bound_columns(tables.connection)["orders"][3:] == ("more_order", "more_group", "more_select")
        load_store(
            tables.connection,
            features_with(tables.more).bound_to(bound_columns(tables.connection)).streams,
            PEOPLE,
        )


def test_derived_customers_carry_those_of_their_first_row(tmp_path):
    write(tmp_path, lines(*ROWS, header=HEADER))
    customers = TableSettings(
        derive="orders",
        columns={"region": "Kanal"},
        more={"code": "code", "rabatt": "Rabatt", "fast": "eilig"},
    )
    with bind(make(tmp_path, customers=customers), now=NOW) as tables:
        assert rows_of(tables, "customers", "customer_id, region, more_code, more_rabatt, more_fast") == [
            ("a", "web", "007", 1.5, True), ("b", "web", "003", 0.5, None),
        ]  # fmt: skip
        assert kinds(tables, "customers")["more_code"] is Kind.TEXT
        assert "orders" not in tables.more


def test_lines_derived_from_other_tables_have_none(tmp_path):
    write(tmp_path, lines(*ROWS, header=HEADER))
    write(
        tmp_path, "customer_id,issued_at,due_at,amount,note\nz,2024-03-01,2024-04-01,9,late\n", "invoices.csv"
    )
    tables = {"invoices": TableSettings(source="invoices.csv", more={"note": "note"})}
    orders = more(kanal="Kanal").model_copy(update={"derive": "invoices"})
    with bind(make(tmp_path, orders=orders, tables=tables), now=NOW) as made:
        assert [row[0] for row in rows_of(made, columns="more_kanal")] == ["web", "Messe", "web", None]
        assert made.report("orders").nulls["more_kanal"] == 1
        assert rows_of(made, "invoices", "more_note") == [("late",)]
        assert set(made.more) == {"orders", "invoices"}


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('[tables.orders.more]\namount = "x"', "orders.amount is a canonical column; write it in [tables.orders.columns]"),
        ('[tables.orders.more]\n"Plan Tier" = "x"', "String should match pattern"),
        ('[tables.orders.more]\nplan = {expression = "x", kind = "money"}', "'text', 'number' or 'flag'"),
        ('[tables.assignments]\nsource = "a"\nmore = {x = "y"}', "assignments takes no further columns"),
        ('[uplift]\ncluster = "plan"', "uplift.cluster: Input should be 'industry', 'country', 'region' or 'owner'"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_say_what_to_write(tmp_path, toml, says):
    head = 'currency = "JPY"\n[tables.customers]\nderive = "orders"\n[tables.orders]\nsource = "o"\n'
    (tmp_path / "tokui.toml").write_text(f"{head}{toml}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "tokui.toml")
    assert says in str(caught.value)
    (tmp_path / "tokui.toml").write_text(
        f'{head}[tables.customers.more]\nplan = "x"\n[uplift]\ncluster = "plan"\n'
    )
    assert load_settings(tmp_path / "tokui.toml").uplift.cluster == "plan"


def test_orders_that_are_only_derived_have_none(tmp_path):
    text = (
        'currency = "JPY"\n[tables.customers]\nderive = "orders"\n[tables.invoices]\nsource = "i"\n'
        '[tables.orders]\nderive = "invoices"\nmore = {x = "y"}\n'
    )
    (tmp_path / "tokui.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"write them in \[tables.invoices.more\]"):
        load_settings(tmp_path / "tokui.toml")


def features_at(folder, rows, cutoff):
    write(folder, lines(*rows, header=HEADER))
    orders = more(rabatt="Rabatt", eilig="eilig", kanal="Kanal")
    with bind(make(folder, orders=orders), now=NOW) as tables:
        features = features_with(tables.more).bound_to(bound_columns(tables.connection))
        store = load_store(tables.connection, features.streams, PEOPLE)
        observations = Observations.grid(store.first_seen, [moment(datetime.fromisoformat(cutoff))])
        return compute(features, store.streams, observations)


def test_features_see_what_lies_before_the_cutoff_only(tmp_path):
    later = (
        "a,2024-03-01,1,99,yes,later,1,x",
        "b,2024-04-01,1,99,no,later,1,x",
        "c,2024-05-01,1,9,no,later,1,x",
    )
    before = features_at(tmp_path, ROWS, "2024-03-01")
    after = features_at(tmp_path, (*ROWS, *later), "2024-03-01")
    assert before.names == after.names
    np.testing.assert_array_equal(before.values, after.recode(before.categories).values)
    assert before.column("orders_more_rabatt_sum_90d").tolist() == [1.5, 0.5]
    assert before.column("orders_more_rabatt_mean_90d").tolist() == [1.5, 0.5]
    assert before.column("orders_more_eilig_mean_90d")[0] == 0.5
    assert np.isnan(before.column("orders_more_eilig_mean_90d")[1])
    words = before.categories["orders_more_kanal_last_ever"]
    assert [words[int(code)] for code in before.column("orders_more_kanal_last_ever")] == ["Messe", "web"]
