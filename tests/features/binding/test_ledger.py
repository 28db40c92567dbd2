"""Contract: orders are what invoices, contracts and won deals say, each line once, dated and known as there."""

from datetime import date, datetime

import numpy as np
import pytest

from features.binding.ledger import data_end
from features.binding.tables import bind
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import PEOPLE
from features.engine.compute import compute
from features.engine.observations import Observations, moment
from features.engine.store import bound_columns, load_store
from features.errors import SettingsError
from features.history import read_history
from features.settings import Settings, TableSettings, load_settings
from tests.features.binding.binds import NOW, failed, findings, make, rows_of, write

INVOICES = """customer_id,invoice_id,issued_at,amount,known_at
b,I2,2024-02-01,20,
a,I1,2024-01-05,10.5,2024-01-09
a,I3,2024-03-01,-4,
"""
DEALS = """customer_id,deal_id,opened_at,closed_at,stage,amount
a,D1,2024-01-01,2024-02-01,Closed Won,100
a,D2,2024-01-01,2024-02-02,Closed Lost,900
b,D3,2024-01-01,,Closed Won,50
b,D4,2024-01-01,2024-03-03,Closed Won,
c,D5,2024-01-01,,Prospecting,70
"""
CONTRACTS = """customer_id,contract_id,product_id,starts_at,cancelled_at,monthly_amount
a,K1,basic,2024-01-10,,30
d,K2,pro,2024-01-10,2024-02-20,40
"""


def bound(folder, derive, *, source=None, customers=None, now=NOW, **tables):
    files = {"invoices": INVOICES, "deals": DEALS, "contracts": CONTRACTS}
    for name, text in tables.items():
        write(folder, files.get(name, text), f"{name}.csv")
    made = {name: TableSettings(source=f"{name}.csv") for name in tables}
    if "deals" in made:
        made["deals"] = TableSettings(source="deals.csv", columns={"won": "stage = 'Closed Won'"})
    if source is not None:
        write(folder, source)
    orders = TableSettings(source=None if source is None else "orders.csv", derive=derive)
    settings = make(folder, orders=orders, customers=customers or TableSettings(derive="orders"), tables=made)
    return bind(settings, now=now)


def day(text):
    return datetime.fromisoformat(text)


def test_an_invoice_is_an_order_line(tmp_path):
    with bound(tmp_path, "invoices", invoices=True) as tables:
        assert tables.names == ("customers", "orders", "invoices")
        assert rows_of(tables) == [
            ("a", day("2024-01-05"), "I1", 10.5, day("2024-01-09")),
            ("b", day("2024-02-01"), "I2", 20.0, None),
            ("a", day("2024-03-01"), "I3", -4.0, None),
        ]
        report = tables.report("orders")
        assert (report.rows_read, report.rows_kept, report.origins) == (3, 3, {"invoices": 3})
        assert report.totals == {"amount": 26.5}
        assert report.columns == ("customer_id", "occurred_at", "order_id", "amount", "known_at")
        assert findings(tables)["amount", "cancellations or returns, kept"] == 1
        assert rows_of(tables, "customers", "customer_id, created_at") == [
            ("a", day("2024-01-05")), ("b", day("2024-02-01")),
        ]  # fmt: skip
        assert tables.told_until is None


def test_won_deals_are_order_lines_and_those_without_date_or_amount_are_counted(tmp_path):
    with bound(tmp_path, "deals", deals=True) as tables:
        assert rows_of(tables) == [("a", day("2024-02-01"), "D1", 100.0)]
        report = tables.report("orders")
        assert (report.rows_read, report.rows_kept) == (3, 1)
        assert findings(tables) == {
            ("closed_at", "won deals without a closing date, no order lines"): 1,
            ("amount", "won deals without an amount, no order lines"): 1,
            ("margin", "not bound, computed as amount times ltv.margin_rate"): 0,
        }


def test_deals_must_say_which_were_won(tmp_path):
    write(tmp_path, DEALS, "deals.csv")
    tables = {"deals": TableSettings(source="deals.csv")}
    said = failed(make(tmp_path, orders=TableSettings(derive="deals"), tables=tables))
    assert "deals, which bind no won" in said
    assert "won = \"stage = 'Closed Won'\" in [tables.deals.columns]" in said


def test_contracts_are_billed_until_the_data_end_and_history_reaches_as_far(tmp_path):
    usage = "customer_id,occurred_at,events\na,2024-03-25,5\n"
    with bound(tmp_path, "contracts", contracts=True, usage=usage) as tables:
        assert rows_of(tables) == [
            ("a", day("2024-01-10"), "K1", "basic", 30.0), ("d", day("2024-01-10"), "K2", "pro", 40.0),
            ("a", day("2024-02-10"), "K1", "basic", 30.0), ("d", day("2024-02-10"), "K2", "pro", 40.0),
            ("a", day("2024-03-10"), "K1", "basic", 30.0),
        ]  # fmt: skip
        assert tables.told_until == date(2024, 3, 25)
        assert read_history(tables).end == moment(day("2024-03-26"))


def test_lines_follow_those_of_a_source_and_customers_know_both(tmp_path):
    source = "customer_id,occurred_at,amount,quantity,Land\nc,2024-01-20,7,2,JP\na,2024-01-20,5,1,US\n"
    customers = TableSettings(derive="orders", columns={"country": "Land"})
    with bound(tmp_path, ["invoices"], source=source, customers=customers, invoices=True) as tables:
        columns = "customer_id, occurred_at, order_id, quantity, amount"
        assert rows_of(tables, columns=columns) == [
            ("c", day("2024-01-20"), None, 2.0, 7.0),
            ("a", day("2024-01-20"), None, 1.0, 5.0),
            ("a", day("2024-01-05"), "I1", None, 10.5),
            ("b", day("2024-02-01"), "I2", None, 20.0),
            ("a", day("2024-03-01"), "I3", None, -4.0),
        ]
        report = tables.report("orders")
        assert report.origins == {"source": 2, "invoices": 3}
        assert report.source == "orders.csv, derived from invoices"
        assert (report.rows_read, report.rows_kept, report.totals["amount"]) == (5, 5, 38.5)
        # An account that the first line, an invoice, made says nothing of its country.
        assert dict(rows_of(tables, "customers", "customer_id, country")) == {
            "a": None, "b": None, "c": "JP",
        }  # fmt: skip
        assert [row[0] for row in tables.connection.execute("DESCRIBE orders").fetchall()] == [
            "customer_id", "occurred_at", "order_id", "quantity", "amount", "known_at",
        ]  # fmt: skip


def test_several_tables_give_lines(tmp_path):
    with bound(tmp_path, ["contracts", "invoices"], contracts=True, invoices=True) as tables:
        assert tables.report("orders").origins == {"contracts": 4, "invoices": 3}
        assert [row[1] for row in rows_of(tables)] == sorted(row[1] for row in rows_of(tables))


def test_only_what_is_asked_for_is_bound_with_all_that_tells_the_data_end(tmp_path):
    write(tmp_path, CONTRACTS, "contracts.csv")
    write(tmp_path, "customer_id,occurred_at,score\na,2024-05-06,9\n", "surveys.csv")
    tables = {name: TableSettings(source=f"{name}.csv") for name in ("contracts", "surveys")}
    settings = make(tmp_path, orders=TableSettings(derive="contracts"), tables=tables)
    with bind(settings, now=NOW, only=["orders"]) as some, bind(settings, now=NOW) as every:
        assert rows_of(some) == rows_of(every)


def test_accounts_may_be_derived_from_any_table(tmp_path):
    usage = (
        "customer_id,occurred_at,events,Land\nz,2024-03-25,5,JP\na,2024-01-02,5,later\na,2024-01-01,5,US\n"
    )
    customers = TableSettings(derive="usage", columns={"country": "Land"})
    with bound(tmp_path, "invoices", customers=customers, invoices=True, usage=usage) as tables:
        assert rows_of(tables, "customers") == [
            ("z", day("2024-03-25"), "JP"), ("a", day("2024-01-01"), "US"),
        ]  # fmt: skip
        assert findings(tables)["customer_id", "ids are not in customers"] == 1


def test_accounts_of_derived_orders_have_no_further_columns(tmp_path):
    customers = TableSettings(derive="orders", columns={"country": "Land"})
    write(tmp_path, INVOICES, "invoices.csv")
    tables = {"invoices": TableSettings(source="invoices.csv")}
    orders = TableSettings(derive="invoices")
    said = failed(make(tmp_path, orders=orders, customers=customers, tables=tables))
    assert 'no source to take country from; write derive = "invoices" in [tables.customers]' in said


def test_a_ledger_without_a_line_is_refused(tmp_path):
    write(tmp_path, DEALS.replace("Closed Won", "Closed Lost"), "deals.csv")
    tables = {"deals": TableSettings(source="deals.csv", columns={"won": "stage = 'Closed Won'"})}
    assert "give no order line" in failed(make(tmp_path, orders=TableSettings(derive="deals"), tables=tables))


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('[tables.invoices]\nsource = "i"', '[tables.orders] derive = "invoices"'),
        ('[tables.usage]\nsource = "i"', '[tables.orders] source = "your file"'),
        ('[tables.orders]\nderive = "usage"\n[tables.usage]\nsource = "u"', "only from invoices, contracts, deals"),
        ('[tables.orders]\nderive = "deals"', "which is not bound; add [tables.deals]"),
        ("[tables.orders]\nderive = []", "names no table"),
        ('[tables.orders]\nderive = ["deals", "deals"]\n[tables.deals]\nsource = "d"', "names a table twice"),
        ('[tables.orders]\nderive = "deals"\nwhere = "a"\n[tables.deals]\nsource = "d"', "write it in [tables.deals]"),
        ('[tables.orders]\nsource = "o"\nsame_money = "keep"', "is for orders that are derived"),
        ('[tables.usage]\nderive = "orders"\n[tables.orders]\nsource = "o"', "only customers and orders can be derived"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_say_what_to_write(tmp_path, toml, says):
    customers = "" if "customers" in toml else '[tables.customers]\nderive = "orders"\n'
    (tmp_path / "tokui.toml").write_text(f'currency = "JPY"\n{customers}{toml}\n')
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "tokui.toml")
    assert says in str(caught.value)


def test_the_data_end_where_something_happened_and_not_where_it_is_planned(tmp_path):
    usage = "customer_id,occurred_at,events\na,2024-03-25,5\n"
    with bound(tmp_path, "contracts", contracts=True, usage=usage) as tables:
        connection = tables.connection
        connection.execute(
            "INSERT INTO contracts BY NAME SELECT 'a' AS customer_id, TIMESTAMP '2025-07-01' AS starts_at"
        )
        assert data_end(connection, ["contracts", "usage"], NOW) == date(2024, 3, 25)
        # Contracts alone tell the end by their own beginnings, as far as they have come.
        assert data_end(connection, ["customers", "contracts"], NOW) == date(2025, 7, 1)
        assert data_end(connection, ["customers", "contracts"], day("2025-01-01")) == date(2024, 2, 20)


def features_at(tables, cutoff):
    bound = PURCHASES.bound_to(bound_columns(tables.connection))
    store = load_store(tables.connection, bound.streams, PEOPLE)
    observations = Observations.grid(store.first_seen, [moment(cutoff)])
    names = [store.ids[k].as_py() for k in observations.customers.tolist()]
    return names, compute(bound, store.streams, observations)


@pytest.mark.parametrize(
    "future",
    [
        {"contracts": CONTRACTS.replace("2024-01-10,,30", "2024-01-10,2024-06-15,30")},
        {"contracts": CONTRACTS + "z,K9,basic,2024-05-20,,99\n"},
        {"usage": "customer_id,occurred_at,events\na,2024-03-25,5\na,2025-11-01,7\n"},
        {"invoices": INVOICES + "a,I9,2024-06-01,1000,\nq,I8,2024-07-01,5,\n"},
        {"deals": DEALS + "c,D9,2024-02-01,2024-08-01,Closed Won,900\n"},
    ],
)
def test_what_lies_after_a_cutoff_changes_no_feature_of_a_derived_ledger(tmp_path, future):
    cutoff = day("2024-05-01")
    files = {
        "contracts": CONTRACTS, "invoices": INVOICES, "deals": DEALS,
        "usage": "customer_id,occurred_at,events\na,2024-03-25,5\na,2024-09-01,1\n",
    }  # fmt: skip
    answers = []
    for name, texts in (("before", files), ("after", files | future)):
        folder = tmp_path / name
        folder.mkdir()
        for table, text in texts.items():
            write(folder, text, f"{table}.csv")
        tables = {table: TableSettings(source=f"{table}.csv") for table in files}
        tables["deals"] = TableSettings(source="deals.csv", columns={"won": "stage = 'Closed Won'"})
        settings = Settings(
            currency="JPY", path=folder / "tokui.toml",
            tables=tables
            | {
                "customers": TableSettings(derive="orders"),
                "orders": TableSettings(derive=("contracts", "invoices", "deals")),
            },
        )  # fmt: skip
        with bind(settings, now=NOW) as made:
            answers.append(features_at(made, cutoff))
    (names, before), (others, after) = answers
    assert names == others == ["a", "b", "d"]
    np.testing.assert_array_equal(before.values, after.values)
