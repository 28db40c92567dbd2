"""Contract: every row is kept, emptied, dropped or refused for a reason, and all that was left out is counted."""

import csv
import io
from collections import Counter
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from features.binding.tables import bind
from features.settings import TableSettings
from tests.features.binding.binds import (
    NOW,
    failed,
    findings,
    lines,
    make,
    many,
    rows_of,
    write,
)


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
            ("occurred_at", "a placeholder and no date", 1, "2999-01-01", 5),
            ("occurred_at", "empty", 1, None, 3),
            ("amount", "not a number", 1, "inf", 7),
            ("amount", "empty", 2, None, 6),
        ]


def test_non_finite_amounts_of_parquet(tmp_path):
    amounts = [1.0] * 20 + [np.inf, -np.inf, np.nan]
    frame = pd.DataFrame({"customer_id": "a", "occurred_at": pd.Timestamp("2024-01-05"), "amount": amounts})
    frame.to_parquet(tmp_path / "o.parquet")
    with bind(make(tmp_path, orders=TableSettings(source="o.parquet")), now=NOW) as tables:
        counts = findings(tables)
        assert counts["amount", "not finite"] == 2
        assert counts["amount", "empty"] == 1


@pytest.mark.parametrize(("bad", "fatal"), [(20, False), (21, True)])
def test_more_than_a_fifth_lost_for_one_reason_is_fatal(tmp_path, bad, fatal):
    write(tmp_path, lines(*["a,2024-01-05,much"] * bad, *["a,2024-01-05,1"] * (100 - bad)))
    if fatal:
        message = failed(make(tmp_path))
        assert message.startswith(
            "orders.amount: 21 of 100 values are not a number, for example 'much' in row 1"
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
        counts = findings(tables, "tickets")
        assert counts["closed_at", "a placeholder and no date, taken as empty"] == 1
        assert counts["closed_at", "before 1970, taken as empty"] == 1
        assert counts["closed_at", "not a date, taken as empty"] == 1
        assert counts["severity", "not a number, taken as empty"] == 1
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


def test_ids_without_an_account_are_counted(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", "x,2024-01-05,5", "x,2024-01-06,5"))
    write(tmp_path, "customer_id\na\nb\n", "customers.csv")
    with bind(make(tmp_path, customers=TableSettings(source="customers.csv")), now=NOW) as tables:
        assert findings(tables)["customer_id", "ids are not in customers"] == 1


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
        rows = rows_of(tables, "assignments", "customer_id, arm, day(assigned_at)")
        assert sorted(rows) == [("a", "email", 1), ("b", "control", 3), ("b", "email", 1)]
        assert findings(tables, "assignments")["experiment_id, customer_id, arm", "a repeated key"] == 2


cells = st.sampled_from(
    ["", " ", "nan", "a", "00a", "1.0", "N/A", "inf", "-3", "2,000", "1900-01-01", "2999-01-01"]
)
good_dates = st.sampled_from(["2024-01-05", "2024/1/6 10:00", "20240107"])


def oracle(customer: str, date: str, amount: str) -> tuple[str, str] | None:
    """The reason a row goes, written from the rules and without SQL."""
    customer, date, amount = customer.strip(), date.strip(), amount.strip()
    for column, value in (("customer_id", customer), ("occurred_at", date), ("amount", amount)):
        if value in {"", "nan", "N/A"}:
            return column, "empty"
        if column == "occurred_at" and value not in {"2024-01-05", "2024/1/6 10:00", "20240107"}:
            return column, {"1900-01-01": "before 1970", "2999-01-01": "a placeholder and no date"}.get(
                value, "not a date"
            )
    if amount in {"1.0", "-3", "2,000"}:
        return None
    return "amount", "not a number"


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
    assert {(finding.column, finding.reason): finding.count for finding in report.dropped} == expected
    assert (
        report.rows_kept + sum(finding.count for finding in report.dropped)
        == report.rows_read
        == len(odd) + 60
    )
