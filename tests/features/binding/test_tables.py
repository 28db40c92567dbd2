"""Contract: bound tables hold what the sources say, typed and in order, and all that was left out is counted."""

import csv
import datetime as dt
import io
import os
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from features.binding.tables import Tables, bind
from features.catalogue.tables import TABLES
from features.errors import SettingsError, SourceError, TableError, TokuiError
from features.settings import Settings, TableSettings
from tests.places import SHARED

NOW = datetime(2026, 1, 1)  # noqa: DTZ001  wall-clock times are naive throughout
DERIVED = TableSettings(derive="orders")

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="real data of ../shared is not here")


def make(folder: Path, *, orders: TableSettings | None = None, **given: object) -> Settings:
    tables = {
        "customers": given.pop("customers", DERIVED),
        "orders": orders or TableSettings(source="orders.csv"),
        **given.pop("tables", {}),
    }
    return Settings(currency="JPY", tables=tables, path=folder / "tokui.toml", **given)


def write(folder: Path, text: str, name: str = "orders.csv", encoding: str = "utf-8") -> None:
    (folder / name).write_bytes(text.encode(encoding))


def lines(*rows: str, header: str = "customer_id,occurred_at,amount") -> str:
    return "\n".join([header, *rows]) + "\n"


def many(*rows: str, header: str = "customer_id,occurred_at,amount") -> str:
    """The rows among enough good ones for none to be fatal."""
    good = [f"g{i},2024-01-{1 + i % 28:02d},{i}" for i in range(1, 101)]
    return lines(*rows, *good, header=header)


def rows_of(tables: Tables, name: str = "orders", columns: str = "*") -> list[tuple]:
    return tables.connection.execute(f"SELECT {columns} FROM {name}").fetchall()


def findings(tables: Tables, name: str = "orders") -> dict[tuple[str, str], int]:
    report = tables.report(name)
    return {(found.column, found.reason): found.count for found in (*report.dropped, *report.warnings)}


def failed(settings: Settings, kind: type[TokuiError] = TableError, **given: object) -> str:
    with pytest.raises(kind) as caught:
        bind(settings, now=NOW, **given).close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- shape -------------------------------------------------------------------------------------------------


def test_tables_hold_bound_columns_in_schema_order_with_canonical_types(tmp_path):
    write(tmp_path, lines("x,5,2024-01-05,a", header="note,AMOUNT,occurred_at,Customer_ID"))
    with bind(make(tmp_path), now=NOW) as tables:
        described = tables.connection.execute("DESCRIBE orders").fetchall()
        assert [row[:2] for row in described] == [
            ("customer_id", "VARCHAR"), ("occurred_at", "TIMESTAMP"), ("amount", "DOUBLE"),
        ]  # fmt: skip
        assert rows_of(tables) == [("a", datetime(2024, 1, 5), 5.0)]  # noqa: DTZ001
        assert tables.connection.execute("SHOW TABLES").fetchall() == [("customers",), ("orders",)]
        assert tables.names == ("customers", "orders")
        assert tables.report("orders").unused_columns == ("note",)


def test_rows_keep_the_order_of_the_source(tmp_path):
    write(tmp_path, lines(*[f"c,2024-01-01,{i * 37 % 1009}" for i in range(5000)]))
    with bind(make(tmp_path), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables, columns="amount")] == [i * 37 % 1009 for i in range(5000)]


def test_closing_removes_every_file_and_may_be_repeated(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    tables = bind(make(tmp_path), now=NOW)
    scratch = Path(tables.scratch.name)
    assert scratch.exists()
    tables.close()
    tables.close()
    assert not scratch.exists()


def test_a_failed_bind_leaves_nothing_behind(tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    write(tmp_path, lines("a,never,5"))
    failed(make(tmp_path))
    assert os.listdir(tmp_path / "scratch") == []  # noqa: PTH208


def test_only_binds_what_is_asked_for_and_what_that_is_derived_from(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    write(tmp_path, "customer_id,occurred_at,score\na,2024-01-06,9\n", "surveys.csv")
    settings = make(tmp_path, tables={"surveys": TableSettings(source="surveys.csv")})
    with bind(settings, now=NOW, only=["surveys"]) as tables:
        assert tables.names == ("surveys",)
    with bind(settings, now=NOW, only=["customers"]) as tables:
        assert tables.names == ("customers", "orders")
    assert "usage" in failed(settings, SettingsError, only=["usage"])


def test_report_as_json_values(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", ",2024-01-06,6"))
    with bind(make(tmp_path), now=NOW) as tables:
        report = tables.report("orders").to_dict()
    assert (report["rows_read"], report["rows_kept"], report["customers"]) == (2, 1, 1)
    assert (report["first"], report["last"]) == ("2024-01-05T00:00:00", "2024-01-05T00:00:00")
    assert report["nulls"] == {"customer_id": 0, "occurred_at": 0, "amount": 0}
    assert report["dropped"][0] == {
        "reason": "empty", "column": "customer_id", "count": 1, "example": None, "row": 2,
    }  # fmt: skip


# --- ids ---------------------------------------------------------------------------------------------------


def test_leading_zeros_survive_alike_in_every_text_table(tmp_path):
    write(tmp_path, lines("00001,2024-01-05,5", "00002,2024-01-05,5"))
    write(tmp_path, " customer_id  occurred_at score\n 00001   2024-02-01  9\n", "surveys.txt")
    write(tmp_path, "customer_id\n00001\n00002\n", "customers.csv")
    settings = make(
        tmp_path,
        customers=TableSettings(source="customers.csv"),
        tables={"surveys": TableSettings(source="surveys.txt")},
    )
    with bind(settings, now=NOW) as tables:
        assert rows_of(tables, "customers") == [("00001",), ("00002",)]
        assert rows_of(tables, columns="customer_id") == [("00001",), ("00002",)]
        assert rows_of(tables, "surveys", "customer_id") == [("00001",)]


def test_ids_are_one_text_whatever_type_they_come_in(tmp_path):
    write(tmp_path, lines(" 12346 ,2024-01-05,5", "12346.0,2024-01-05,6", "　A-1\t,2024-01-05,7"))
    frame = pd.DataFrame(
        {"customer_id": [12346.0, np.nan], "occurred_at": pd.Timestamp("2024-02-01"), "score": 9}
    )
    frame.to_parquet(tmp_path / "surveys.parquet")
    pd.DataFrame({"customer_id": [12346], "occurred_at": pd.Timestamp("2024-02-01"), "amount": 9}).to_parquet(
        tmp_path / "costs.parquet"
    )
    settings = make(
        tmp_path,
        tables={
            "surveys": TableSettings(source="surveys.parquet"),
            "costs": TableSettings(source="costs.parquet"),
        },
    )
    with bind(settings, now=NOW) as tables:
        assert [row[0] for row in rows_of(tables)] == ["12346", "12346", "A-1"]
        assert rows_of(tables, "surveys", "customer_id") == [("12346",)]
        assert rows_of(tables, "costs", "customer_id") == [("12346",)]
        assert findings(tables, "surveys") == {("customer_id", "empty"): 1}


def test_digits_beyond_a_float_and_exponents_stay_as_written(tmp_path):
    write(tmp_path, lines("12345678901234567890,2024-01-05,5", "1E5,2024-01-05,5"))
    with bind(make(tmp_path), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables)] == ["12345678901234567890", "1E5"]


def test_ids_that_are_written_differently_in_two_tables_are_fatal(tmp_path):
    write(tmp_path, lines("00001,2024-01-05,5"))
    write(tmp_path, "customer_id\n1\n", "customers.csv")
    said = failed(make(tmp_path, customers=TableSettings(source="customers.csv")))
    assert "none of 1 ids is in customers" in said
    assert "'00001'" in said


# --- expressions -------------------------------------------------------------------------------------------


def test_expressions_calculate_with_csv_columns(tmp_path):
    write(
        tmp_path,
        lines(
            'a,2024-01-05,3,"1,200.5"', "b,2024-01-06,-1,2", header="customer_id,occurred_at,Qty,Unit Price"
        ),
    )
    orders = TableSettings(
        source="orders.csv", columns={"amount": 'qty * "Unit Price"', "quantity": "Qty"}, where="Qty > 0"
    )
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert rows_of(tables, columns="quantity, amount") == [(3.0, 3601.5)]
        assert tables.report("orders").rows_read == 1


def test_a_few_bad_values_do_not_stop_a_calculation(tmp_path):
    rows = [f"c,2024-01-05,2,{i}" for i in range(1, 10)]
    write(tmp_path, lines(*rows, "c,2024-01-05,2,N/A", header="customer_id,occurred_at,Qty,Price"))
    orders = TableSettings(source="orders.csv", columns={"amount": "Qty * Price"})
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables, columns="amount")] == [2.0 * i for i in range(1, 10)]
        mixed = next(found for found in tables.report("orders").warnings if found.column == "Price")
        assert (mixed.count, mixed.example, mixed.row) == (1, "N/A", 10)
        assert findings(tables)["amount", "empty"] == 1


def test_codes_among_numbers_stay_text_in_conditions(tmp_path):
    rows = [f"c,2024-01-05,{i},{10000 + i}" for i in range(20)]
    write(tmp_path, lines(*rows, "c,2024-01-05,1,POST", header="customer_id,occurred_at,amount,StockCode"))
    orders = TableSettings(source="orders.csv", where="StockCode NOT IN ('POST')")
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 20


def test_leading_zeros_stay_text_in_expressions(tmp_path):
    write(tmp_path, lines("007,2024-01-05,1"))
    orders = TableSettings(source="orders.csv", columns={"customer_id": "'K' || customer_id"})
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert rows_of(tables)[0][0] == "K007"


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("amuont * 2", "did you mean amount"),
        ('"x y z"', "has no column"),
        ("amount +", "not a SQL expression"),
        ("amount, 1", "cannot|not a"),
        ("sum(amount)", "does not fit"),
        ("(SELECT 1)", "one row only"),
        ("max(amount) OVER ()", "one row only"),
        ("lower(amount, 3)", "does not fit"),
        ("CAST(note AS DOUBLE)", "cannot be computed.*note.*N/A"),
    ],
)
def test_an_expression_that_cannot_be_is_named(tmp_path, expression, said):
    write(tmp_path, lines("a,2024-01-05,5,N/A", header="customer_id,occurred_at,amount,note"))
    message = failed(
        make(tmp_path, orders=TableSettings(source="orders.csv", columns={"amount": expression}))
    )
    assert "orders.amount" in message
    assert "_raw" not in message
    assert "_natural" not in message
    assert re.search(said, message), message


def test_a_condition_that_cannot_be_is_named(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    message = failed(make(tmp_path, orders=TableSettings(source="orders.csv", where='customer_id = "a"')))
    assert message.startswith("orders.where")
    assert "single quotes" in message


# --- times -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-01-05", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("2024/1/5 9:05", datetime(2024, 1, 5, 9, 5)),  # noqa: DTZ001
        ("2024-01-05T10:00:30", datetime(2024, 1, 5, 10, 0, 30)),  # noqa: DTZ001
        ("2024-01-05T10:00:00Z", datetime(2024, 1, 5, 19)),  # noqa: DTZ001
        ("2024-01-05 10:00:00 +0530", datetime(2024, 1, 5, 13, 30)),  # noqa: DTZ001
        ("20240105", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("2024年1月5日", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("2024年1月5日 10:30", datetime(2024, 1, 5, 10, 30)),  # noqa: DTZ001
        ("45296", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("45296.5", datetime(2024, 1, 5, 12)),  # noqa: DTZ001
    ],
)
def test_dates_are_read_without_a_format_where_they_are_unmistakable(tmp_path, written, read):
    write(tmp_path, lines(f"a,{written},5"))
    with bind(make(tmp_path, timezone="Asia/Tokyo"), now=NOW) as tables:
        assert rows_of(tables)[0][1] == read


@pytest.mark.parametrize("written", ["05/01/2024", "17850", "5", "soon", "2024-13-01"])
def test_what_is_not_unmistakably_a_date_is_refused(tmp_path, written):
    write(tmp_path, lines(*[f"a,{written},5"] * 3))
    message = failed(make(tmp_path))
    assert f"orders.occurred_at: 3 of 3 values are not a date, for example '{written}' in row 1" in message
    assert "dates =" in message


@pytest.mark.parametrize(
    ("written", "form", "read"),
    [
        ("05/01/2024", "%d/%m/%Y", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("01/05/2024 10:30", "%m/%d/%Y %H:%M", datetime(2024, 1, 5, 10, 30)),  # noqa: DTZ001
        ("240105", "%y%m%d", datetime(2024, 1, 5)),  # noqa: DTZ001
    ],
)
def test_a_given_format_decides(tmp_path, written, form, read):
    write(tmp_path, lines(f"a,{written},5"))
    with bind(make(tmp_path, orders=TableSettings(source="orders.csv", dates=form)), now=NOW) as tables:
        assert rows_of(tables)[0][1] == read


def test_naive_times_are_moved_from_the_tables_zone_to_the_projects(tmp_path):
    write(tmp_path, lines("a,2024-01-05 20:00,5", "b,2024-01-05,5"))
    orders = TableSettings(source="orders.csv", timezone="UTC")
    with bind(make(tmp_path, orders=orders, timezone="Asia/Tokyo"), now=NOW) as tables:
        expected = [datetime(2024, 1, 6, 5), datetime(2024, 1, 5)]  # noqa: DTZ001  a day stays that day
        assert [row[1] for row in rows_of(tables)] == expected
        assert [row[1] for row in rows_of(tables, "customers")] == expected


def test_times_with_a_zone_become_the_projects_wall_clock(tmp_path):
    moment = pd.Timestamp("2024-07-05 20:00", tz="America/New_York")
    pd.DataFrame({"customer_id": ["a"], "occurred_at": [moment], "amount": [1.0]}).to_parquet(
        tmp_path / "o.parquet"
    )
    with bind(
        make(tmp_path, orders=TableSettings(source="o.parquet"), timezone="Europe/London"), now=NOW
    ) as tables:
        assert rows_of(tables)[0][1] == datetime(2024, 7, 6, 1)  # noqa: DTZ001


def test_impossible_zone(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    orders = TableSettings(source="orders.csv", timezone="Tokyo/Asia")
    assert "tables.orders.timezone" in failed(make(tmp_path, orders=orders), SettingsError)


def test_now_with_a_zone_is_taken_on_the_projects_wall_clock(tmp_path):
    write(tmp_path, many("late,2024-06-01 08:00,1", "soon,2024-06-01 10:00,1"))
    moment = datetime(2024, 6, 1, 0, 0, tzinfo=dt.UTC)
    with bind(make(tmp_path, timezone="Asia/Tokyo"), now=moment) as tables:
        assert findings(tables)["occurred_at", "in the future"] == 1
        assert ("late",) in rows_of(tables, columns="customer_id")


# --- what is dropped, emptied or kept ------------------------------------------------------------------------


def test_bad_rows_are_dropped_counted_and_shown_by_example(tmp_path):
    write(
        tmp_path,
        many(
            ",2024-01-05,5", "a,never,5", "a,,5", "a,1900-01-01,5", "a,2999-01-01,5", "a,2024-01-05,N/A",
            "a,2024-01-05,inf", "a,2024-01-05,", "NaN,2024-01-05,1",
        ),
    )  # fmt: skip
    with bind(make(tmp_path), now=NOW) as tables:
        report = tables.report("orders")
        assert report.rows_read == 109
        assert report.rows_kept == 100
        assert [(f.column, f.reason, f.count, f.example, f.row) for f in report.dropped] == [
            ("customer_id", "empty", 2, None, 1),
            ("occurred_at", "not a date", 1, "never", 2),
            ("occurred_at", "before 1970", 1, "1900-01-01", 4),
            ("occurred_at", "in the future", 1, "2999-01-01", 5),
            ("occurred_at", "empty", 1, None, 3),
            ("amount", "not a number", 1, "N/A", 6),
            ("amount", "not finite", 1, "inf", 7),
            ("amount", "empty", 1, None, 8),
        ]


def test_non_finite_amounts_of_parquet(tmp_path):
    amounts = [1.0] * 20 + [np.inf, -np.inf, np.nan]
    frame = pd.DataFrame({"customer_id": "a", "occurred_at": pd.Timestamp("2024-01-05"), "amount": amounts})
    frame.to_parquet(tmp_path / "o.parquet")
    with bind(make(tmp_path, orders=TableSettings(source="o.parquet")), now=NOW) as tables:
        found = findings(tables)
        assert found["amount", "not finite"] == 2
        assert found["amount", "empty"] == 1


@pytest.mark.parametrize(("bad", "fatal"), [(20, False), (21, True)])
def test_more_than_a_fifth_lost_for_one_reason_is_fatal(tmp_path, bad, fatal):
    write(tmp_path, lines(*["a,2024-01-05,N/A"] * bad, *["a,2024-01-05,1"] * (100 - bad)))
    if fatal:
        message = failed(make(tmp_path))
        assert message.startswith(
            "orders.amount: 21 of 100 values are not a number, for example 'N/A' in row 1"
        )
        return
    with bind(make(tmp_path), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 80


def test_any_number_of_empty_ids_is_borne_but_not_all(tmp_path):
    write(tmp_path, lines(*[",2024-01-05,1"] * 9, "a,2024-01-05,1"))
    with bind(make(tmp_path), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 1
    write(tmp_path, lines(*[",2024-01-05,1"] * 9))
    assert "no row" in failed(make(tmp_path))


def test_odd_values_of_optional_columns_become_empty(tmp_path):
    good = [f"g{i},2024-01-01,2024-01-02,3" for i in range(20)]
    header = "customer_id,opened_at,closed_at,severity"
    odd = ["a,2024-01-01,9999-12-31,1", "b,2024-01-01,1900-01-01,1", "c,2024-01-01,open,high"]
    write(tmp_path, lines(*good, *odd, header=header), "tickets.csv")
    write(tmp_path, lines("a,2024-01-05,5"))
    settings = make(tmp_path, tables={"tickets": TableSettings(source="tickets.csv")})
    with bind(settings, now=NOW) as tables:
        assert rows_of(tables, "tickets", "closed_at, severity")[-3:] == [
            (None, 1.0),
            (None, 1.0),
            (None, None),
        ]
        found = findings(tables, "tickets")
        assert found["closed_at", "in the future, taken as empty"] == 1
        assert found["closed_at", "before 1970, taken as empty"] == 1
        assert found["closed_at", "not a date, taken as empty"] == 1
        assert found["severity", "not a number, taken as empty"] == 1
        assert tables.report("tickets").nulls["closed_at"] == 3


def test_optional_column_of_the_wrong_kind_is_fatal(tmp_path):
    write(tmp_path, "customer_id,employees\na,many\nb,few\n", "customers.csv")
    write(tmp_path, lines("a,2024-01-05,5"))
    message = failed(make(tmp_path, customers=TableSettings(source="customers.csv")))
    assert message.startswith("customers.employees: 2 of 2 values are not a number, for example 'many'")


def test_planned_times_may_lie_in_the_future(tmp_path):
    write(tmp_path, "customer_id,issued_at,due_at,amount\na,2025-12-31,2026-01-31,5\n", "invoices.csv")
    write(tmp_path, lines("a,2024-01-05,5"))
    with bind(make(tmp_path, tables={"invoices": TableSettings(source="invoices.csv")}), now=NOW) as tables:
        assert rows_of(tables, "invoices", "due_at") == [(datetime(2026, 1, 31),)]  # noqa: DTZ001


def test_unreadable_known_at_costs_the_row_since_it_could_leak(tmp_path):
    good = [f"g{i},2024-01-01,1,2024-01-02" for i in range(20)]
    header = "customer_id,occurred_at,amount,known_at"
    write(tmp_path, lines(*good, "a,2024-01-01,1,later", "b,2024-01-01,1,", header=header))
    with bind(make(tmp_path), now=NOW) as tables:
        assert findings(tables)["known_at", "not a date"] == 1
        assert rows_of(tables, columns="customer_id, known_at")[-1] == ("b", None)


def test_flags_in_words_and_digits(tmp_path):
    header = "customer_id,opened_at,complaint"
    said = {"true": True, "No": False, "1": True, "0": False, "はい": True, "×": False, "": None}
    write(tmp_path, lines(*[f"a,2024-01-01,{word}" for word in said], header=header), "tickets.csv")
    write(tmp_path, lines("a,2024-01-05,5"))
    with bind(make(tmp_path, tables={"tickets": TableSettings(source="tickets.csv")}), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables, "tickets", "complaint")] == list(said.values())


def test_returns_repeats_and_absent_margin_are_kept_and_told(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", "a,2024-01-05,5", "a,2024-01-06,-5"))
    with bind(make(tmp_path), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 3
        assert findings(tables) == {
            ("all bound columns", "equal to another row, kept"): 1,
            ("amount", "cancellations or returns, kept"): 1,
            ("margin", "not bound, computed as amount times ltv.margin_rate"): 0,
        }


def test_ids_without_an_account_are_counted(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", "x,2024-01-05,5", "x,2024-01-06,5"))
    write(tmp_path, "customer_id\na\nb\n", "customers.csv")
    with bind(make(tmp_path, customers=TableSettings(source="customers.csv")), now=NOW) as tables:
        assert findings(tables)["customer_id", "ids are not in customers"] == 1


# --- keys ---------------------------------------------------------------------------------------------------


def test_two_rows_of_one_account_are_an_error_unless_they_are_history(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    write(tmp_path, "customer_id,industry\na,x\nb,y\na,z\n", "customers.csv")
    message = failed(make(tmp_path, customers=TableSettings(source="customers.csv")))
    assert "customers.customer_id: 1 rows repeat an id, for example 'a' in row 3" in message
    write(tmp_path, "customer_id,industry,known_at\na,x,2024-01-01\na,z,2024-02-01\n", "customers.csv")
    with bind(make(tmp_path, customers=TableSettings(source="customers.csv")), now=NOW) as tables:
        assert tables.report("customers").rows_kept == 2


def test_repeated_keys_elsewhere_keep_the_earliest(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    rows = [
        "a,e,2024-02-02,email",
        "a,e,2024-02-01,email",
        "b,e,2024-02-01,email",
        "b,e,2024-02-01,email",
        "b,e,2024-02-03,control",
    ]
    write(tmp_path, lines(*rows, header="customer_id,experiment_id,assigned_at,arm"), "assignments.csv")
    settings = make(tmp_path, tables={"assignments": TableSettings(source="assignments.csv")})
    with bind(settings, now=NOW) as tables:
        # A second arm is no repeat: the readout has to say that a customer was in two.
        found = rows_of(tables, "assignments", "customer_id, arm, day(assigned_at)")
        assert sorted(found) == [("a", "email", 1), ("b", "control", 3), ("b", "email", 1)]
        assert findings(tables, "assignments")["experiment_id, customer_id, arm", "a repeated key"] == 2


# --- derived customers --------------------------------------------------------------------------------------


def test_accounts_derived_from_orders_know_the_first_order_only(tmp_path):
    rows = [
        "b,2024-03-01,1,JP",
        "a,2024-02-01,1,later",
        "a,2024-01-05,1,first",
        "a,2024-01-05,1,tie",
        ",2024-01-01,1,none",
    ]
    write(tmp_path, lines(*rows, header="customer_id,occurred_at,amount,Land"))
    customers = TableSettings(derive="orders", columns={"country": "Land", "region": "upper(Land)"})
    with bind(make(tmp_path, customers=customers), now=NOW) as tables:
        assert rows_of(tables, "customers") == [
            ("b", datetime(2024, 3, 1), "JP", "JP"),  # noqa: DTZ001
            ("a", datetime(2024, 1, 5), "first", "FIRST"),  # noqa: DTZ001
        ]
        assert "Land" not in tables.report("orders").unused_columns
        assert [row[0] for row in tables.connection.execute("DESCRIBE orders").fetchall()] == [
            "customer_id", "occurred_at", "amount",
        ]  # fmt: skip


def test_derived_expressions_are_checked_as_customers(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    assert failed(
        make(tmp_path, customers=TableSettings(derive="orders", columns={"country": "Lnad"}))
    ).startswith("customers.country")
    message = failed(
        make(tmp_path, customers=TableSettings(derive="orders", columns={"employees": "customer_id"}))
    )
    assert message.startswith("customers.employees: 1 of 1 values are not a number")
    assert "leave it out" in failed(
        make(tmp_path, customers=TableSettings(derive="orders", columns={"customer_id": "customer_id"}))
    )


# --- refusals -----------------------------------------------------------------------------------------------


def test_every_problem_of_every_table_is_found_in_one_run(tmp_path):
    write(tmp_path, lines("a,never,N/A"))
    write(tmp_path, "customer_id\n", "customers.csv")
    settings = make(
        tmp_path,
        customers=TableSettings(source="customers.csv"),
        tables={"surveys": TableSettings(source="none.csv"), "costs": TableSettings(source="orders.csv")},
    )
    message = failed(settings)
    # orders: dates; customers: no rows; surveys: no file; costs: dates.
    assert message.startswith("orders.occurred_at")
    assert message.endswith("(and 3 more problems)")


def test_missing_required_columns_are_named_with_what_there_is(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", header="who,when,amount"))
    message = failed(make(tmp_path))
    assert message.startswith("orders.customer_id is required and not bound: orders.csv has")
    assert "who, when, amount" in message
    assert message.endswith("(and 1 more problem)")


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"", SourceError, "is empty"),
        (b"customer_id,occurred_at,amount\n", TableError, "has no rows"),
        (
            b'customer_id,occurred_at,amount\na,2024-01-05,5\nb,"2024',
            SourceError,
            "line: 3: .*unterminated quote",
        ),
        (b"customer_id,occurred_at,amount\na,2024-01-05,5\nb,2024", SourceError, "line: 3: .*3 Found: 2"),
        (
            "customer_id,occurred_at,amount\n山田,2024-01-05,5\n".encode("cp932"),
            SourceError,
            'encoding = "cp932"',
        ),
    ],
)
def test_broken_text_files(tmp_path, content, kind, said):
    (tmp_path / "orders.csv").write_bytes(content)
    with pytest.raises(kind, match=said):
        bind(make(tmp_path), now=NOW)


def test_a_broken_line_is_not_repeated_in_the_message(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", "Taro Yamada,secret"))
    assert "Yamada" not in failed(make(tmp_path), SourceError)


def test_a_truncated_parquet_file(tmp_path):
    frame = pd.DataFrame(
        {"customer_id": ["a"] * 1000, "occurred_at": pd.Timestamp("2024-01-05"), "amount": 1.0}
    )
    frame.to_parquet(tmp_path / "o.parquet")
    whole = (tmp_path / "o.parquet").read_bytes()
    (tmp_path / "o.parquet").write_bytes(whole[: len(whole) // 2])
    assert "not a whole Parquet file" in failed(
        make(tmp_path, orders=TableSettings(source="o.parquet")), SourceError
    )


# --- other sources ------------------------------------------------------------------------------------------


def test_japanese_csv_in_cp932(tmp_path):
    text = lines(
        '0001,2024/01/05,"1,200",東京',
        "0002,2024/01/06,￥340,大阪",
        "0003,2024/01/07,\\340,大阪",
        header="顧客ID,受注日,金額,都道府県",
    )
    write(tmp_path, text, encoding="cp932")
    orders = TableSettings(
        source="orders.csv",
        encoding="cp932",
        columns={"customer_id": "顧客ID", "occurred_at": "受注日", "amount": "金額"},
    )
    customers = TableSettings(derive="orders", columns={"region": "都道府県"})
    with bind(make(tmp_path, orders=orders, customers=customers), now=NOW) as tables:
        assert rows_of(tables) == [
            ("0001", datetime(2024, 1, 5), 1200.0), ("0002", datetime(2024, 1, 6), 340.0),  # noqa: DTZ001
            ("0003", datetime(2024, 1, 7), 340.0),  # noqa: DTZ001  cp932 has the yen sign where ASCII has a backslash
        ]  # fmt: skip
        assert rows_of(tables, "customers", "region") == [("東京",), ("大阪",), ("大阪",)]


def test_the_same_rows_bind_alike_from_every_kind_of_file(tmp_path):
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b", "a"],
            "occurred_at": pd.to_datetime(["2024-01-05 10:00", "2024-01-06 11:30", "2024-01-07 00:00"]),
            "amount": [1.5, -2.0, 1e6],
        }
    )
    frame.to_csv(tmp_path / "o.csv", index=False)
    frame.to_csv(tmp_path / "o.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "o.parquet")
    frame.to_excel(tmp_path / "o.xlsx", index=False)
    with duckdb.connect(str(tmp_path / "o.duckdb")) as file:
        file.execute(f"CREATE TABLE o AS SELECT * FROM '{tmp_path / 'o.parquet'}'")
    prints = set()
    for name in ("o.csv", "o.tsv", "o.parquet", "o.xlsx", "o.duckdb"):
        with bind(make(tmp_path, orders=TableSettings(source=name)), now=NOW) as tables:
            assert rows_of(tables) == [tuple(row) for row in frame.itertuples(index=False)]
            prints.add(tables.fingerprint)
    assert len(prints) == 1
    with duckdb.connect(str(tmp_path / "o.duckdb")) as file:  # the file was let go of
        file.execute("DROP TABLE o")


def test_fingerprint_follows_the_content_and_not_the_order(tmp_path):
    def fingerprint(*rows: str) -> str:
        write(tmp_path, lines(*rows))
        with bind(make(tmp_path), now=NOW, only=["orders"]) as tables:
            return tables.fingerprint

    a, b, c = "a,2024-01-05,5", "b,2024-01-05,5", "b,2024-01-05,6"
    assert fingerprint(a, b) == fingerprint(b, a)
    assert (
        len({fingerprint(a, b), fingerprint(a, c), fingerprint(a), fingerprint(a, a), fingerprint(a, b, b)})
        == 5
    )


def test_more_than_memory_spills_and_binds(tmp_path):
    # 3 M lines are some 150 MB of values, twice what DuckDB is given.
    with duckdb.connect() as maker:
        maker.execute(
            "COPY (SELECT 'customer ' || (i % 200000) AS customer_id, 'order number ' || i AS order_id, "
            "TIMESTAMP '2020-01-01' + to_minutes(i // 10) AS occurred_at, i * 0.25 AS amount FROM range(3000000) t(i)) "
            f"TO '{tmp_path / 'o.parquet'}'"
        )
    settings = make(tmp_path, orders=TableSettings(source="o.parquet"), memory_gib=0.08)
    with bind(settings, now=NOW) as tables:
        assert tables.report("orders").rows_kept == 3_000_000
        assert tables.report("customers").rows_kept == 200_000


# --- property -----------------------------------------------------------------------------------------------

cells = st.sampled_from(
    ["", " ", "nan", "a", "00a", "1.0", "N/A", "inf", "-3", "2,000", "1900-01-01", "2999-01-01"]
)
good_dates = st.sampled_from(["2024-01-05", "2024/1/6 10:00", "20240107"])


def oracle(customer: str, date: str, amount: str) -> tuple[str, str] | None:
    """The reason a row goes, written from the rules and without SQL."""
    customer, date, amount = customer.strip(), date.strip(), amount.strip()
    for column, value in (("customer_id", customer), ("occurred_at", date), ("amount", amount)):
        if value in {"", "nan"}:
            return column, "empty"
        if column == "occurred_at" and value not in {"2024-01-05", "2024/1/6 10:00", "20240107"}:
            return column, {"1900-01-01": "before 1970", "2999-01-01": "in the future"}.get(
                value, "not a date"
            )
    if amount in {"1.0", "-3", "2,000"}:
        return None
    return "amount", "not finite" if amount == "inf" else "not a number"


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(odd=st.lists(st.tuples(cells, st.one_of(cells, good_dates), cells), min_size=1, max_size=12))
def test_every_row_is_kept_or_counted_under_its_first_reason(tmp_path, odd):
    good = [("g", "2024-01-05", "1")] * 60
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("customer_id", "occurred_at", "amount"), *odd, *good])
    write(tmp_path, text.getvalue())
    with bind(make(tmp_path), now=NOW) as tables:
        report = tables.report("orders")
    expected = Counter(reason for row in odd if (reason := oracle(*row)) is not None)
    assert {(found.column, found.reason): found.count for found in report.dropped} == expected
    assert (
        report.rows_kept + sum(found.count for found in report.dropped) == report.rows_read == len(odd) + 60
    )


# --- real data ----------------------------------------------------------------------------------------------


@needs_shared
def test_online_retail(tmp_path):
    source = SHARED / "online_retail.parquet"
    columns = {
        "customer_id": "CustomerID", "occurred_at": "InvoiceDate", "order_id": "InvoiceNo",
        "product_id": "StockCode", "quantity": "Quantity", "amount": "Quantity * UnitPrice",
    }  # fmt: skip
    settings = make(
        tmp_path,
        customers=TableSettings(derive="orders", columns={"country": "Country"}),
        orders=TableSettings(source=str(source), columns=columns),
    )
    raw = pd.read_parquet(source)
    bought = raw[raw["CustomerID"].notna()]
    with bind(settings, now=NOW) as tables:
        report = tables.report("orders")
        assert (report.rows_read, report.rows_kept) == (541_909, len(bought))
        assert [(f.column, f.count) for f in report.dropped] == [("customer_id", 135_080)]
        assert report.customers == bought["CustomerID"].nunique()
        assert report.unused_columns == ("Description",)
        amounts = tables.connection.execute("SELECT amount FROM orders").fetchnumpy()["amount"]
        np.testing.assert_array_equal(amounts, (bought["Quantity"] * bought["UnitPrice"]).to_numpy())
        assert findings(tables)["amount", "cancellations or returns, kept"] == (bought["Quantity"] < 0).sum()
        first = bought.sort_values("InvoiceDate", kind="stable").drop_duplicates("CustomerID")
        countries = dict(rows_of(tables, "customers", "customer_id, country"))
        assert countries == dict(
            zip(first["CustomerID"].astype(int).astype(str), first["Country"], strict=True)
        )


@needs_shared
def test_cdnow(tmp_path):
    columns = {
        "customer_id": "customer_id", "occurred_at": "date", "quantity": "number_of_cds", "amount": "dollar_value",
    }  # fmt: skip
    orders = TableSettings(source=str(SHARED / "cdnow_master.txt"), columns=columns, dates="%Y%m%d")
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        report = tables.report("orders")
        assert (report.rows_kept, report.customers) == (69_659, 23_570)
        assert (report.first, report.last) == (datetime(1997, 1, 1), datetime(1998, 6, 30))  # noqa: DTZ001
        assert rows_of(tables)[0] == ("00001", datetime(1997, 1, 1), 1.0, 11.77)  # noqa: DTZ001


def test_every_canonical_table_binds_by_its_own_names(tmp_path):
    values = {"id": "x1", "text": "word", "time": "2024-01-05", "number": "2", "flag": "true"}
    bound = {}
    for table in TABLES.values():
        header = ",".join(column.name for column in table.columns)
        row = ",".join(values[column.kind.value] for column in table.columns)
        write(tmp_path, lines(row, header=header), f"{table.name}.csv")
        bound[table.name] = TableSettings(source=f"{table.name}.csv")
    settings = Settings(currency="JPY", tables=bound, path=tmp_path / "tokui.toml")
    with bind(settings, now=NOW) as tables:
        assert tables.names == tuple(TABLES)
        for table in TABLES.values():
            described = tables.connection.execute(f"DESCRIBE {table.name}").fetchall()
            assert [row[:2] for row in described] == [
                (column.name, column.kind.sql) for column in table.columns
            ]
