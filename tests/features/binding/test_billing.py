"""Contract: periods are billed ahead by calendar months, a term's add up to its months, and notice changes nothing before it."""

import calendar
from datetime import date, timedelta
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.binding.billing import billing_findings, periods_sql
from features.binding.ledger import table_columns

UNTIL = date(2024, 12, 20)
HEADER = "customer_id, contract_id, starts_at, ends_at, cancelled_at, monthly_amount, billing_months"


def later(day, months):
    """The same day some months later, or that month's last: in plain Python."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))


def months_between(start, end):
    """Whole months and then days by the month they break into."""
    whole = 0
    while later(start, whole + 1) <= end:
        whole += 1
    begun, full = later(start, whole), later(start, whole + 1)
    return whole + Fraction((end - begun).days, (full - begun).days)


def expected(start, end, cancelled, monthly, every, until):
    """What a term is billed, by the rule as it is told."""
    stop = end or cancelled or date.max
    lines, month = [], 0
    while later(start, month) < stop and later(start, month) <= until:
        months = Fraction(every)
        if end is not None and later(start, month + every) > end:
            months = months_between(start, end) - month
        lines.append((later(start, month), float(monthly * months)))
        month += every
    return lines


def billed(rows, until=UNTIL, header=HEADER):
    with duckdb.connect() as connection:
        values = ", ".join(f"({row})" for row in rows)
        connection.execute(f"CREATE TABLE contracts AS FROM (VALUES {values}) AS t({header})")
        have = table_columns(connection, "contracts")
        lines = connection.execute(
            f"SELECT contract_id, billed_at::DATE, amount FROM ({periods_sql(have, until)}) ORDER BY 1, 2"
        ).fetchall()
        return lines, billing_findings(connection, have, until)


def term(start, end=None, cancelled=None, monthly=100, every=1, contract="k"):
    def when(day):
        return "NULL::TIMESTAMP" if day is None else f"TIMESTAMP '{day}'"

    return f"'a', '{contract}', {when(start)}, {when(end)}, {when(cancelled)}, {monthly}::DOUBLE, {every}::DOUBLE"


@pytest.mark.parametrize(
    ("terms", "lines"),
    [
        # Month ends: the first day counts, not the day of the month before.
        (
            term(date(2023, 1, 31), date(2023, 5, 1)),
            [("2023-01-31", 100), ("2023-02-28", 100), ("2023-03-31", 100), ("2023-04-30", 100 / 31)],
        ),
        # Fourteen months and a half, billed by the year: 2 + 15/31 months are left for the second bill.
        (term(date(2022, 1, 1), date(2023, 3, 16), every=12), [("2022-01-01", 1200), ("2023-01-01", 100 * (2 + 15 / 31))]),
        # A year from a leap day.
        (term(date(2024, 2, 29), date(2025, 2, 28), every=12), [("2024-02-29", 1200)]),
        # Without an end until notice, which takes nothing back.
        (term(date(2024, 1, 10), cancelled=date(2024, 3, 9), every=2), [("2024-01-10", 200)]),
        (term(date(2024, 1, 10), cancelled=date(2024, 3, 10), every=2), [("2024-01-10", 200)]),
        (term(date(2024, 1, 10), cancelled=date(2024, 3, 11), every=2), [("2024-01-10", 200), ("2024-03-10", 200)]),
        # Without either until the data end, that day among it.
        (term(date(2024, 10, 20)), [("2024-10-20", 100), ("2024-11-20", 100), ("2024-12-20", 100)]),
        # An end beyond the data is known, and its bills are not there yet.
        (term(date(2024, 11, 1), date(2025, 11, 1)), [("2024-11-01", 100), ("2024-12-01", 100)]),
        # Notice does not shorten a term that has an end.
        (
            term(date(2024, 9, 1), date(2024, 11, 1), cancelled=date(2024, 9, 15)),
            [("2024-09-01", 100), ("2024-10-01", 100)],
        ),
    ],
)  # fmt: skip
def test_terms_are_billed(terms, lines):
    made, _ = billed([terms])
    assert [(str(day), pytest.approx(amount)) for _, day, amount in made] == lines


DAYS = st.dates(date(2019, 1, 1), date(2024, 12, 31))


@settings(max_examples=50, deadline=None)
@given(
    start=DAYS,
    days=st.one_of(st.none(), st.integers(1, 1500)),
    notice=st.one_of(st.none(), st.integers(1, 1500)),
    every=st.sampled_from([1, 2, 3, 6, 12]),
)
def test_periods_are_those_of_the_rule_and_a_whole_term_adds_up(start, days, notice, every):
    end = None if days is None else start + timedelta(days)
    cancelled = None if notice is None else start + timedelta(notice)
    made, _ = billed([term(start, end, cancelled, 240, every)])
    rule = expected(start, end, cancelled, 240, every, UNTIL)
    assert [(day, pytest.approx(amount, rel=1e-12)) for _, day, amount in made] == rule
    if end is not None:
        whole, _ = billed([term(start, end, cancelled, 240, every)], until=date(2099, 1, 1))
        total = sum(amount for _, _, amount in whole)
        assert total == pytest.approx(float(240 * months_between(start, end)), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(start=DAYS, cut=DAYS, after=st.integers(1, 400), every=st.sampled_from([1, 3, 12]))
def test_notice_that_is_given_later_changes_nothing_before_it(start, cut, after, every):
    running, _ = billed([term(start, every=every)])
    left, _ = billed([term(start, cancelled=cut + timedelta(after), every=every)])
    assert [line for line in running if line[1] <= cut] == [line for line in left if line[1] <= cut]


def test_each_version_of_a_term_is_billed_while_it_was_what_was_known():
    header = HEADER + ", known_at"
    made, _ = billed(
        [
            term(date(2024, 1, 1)) + ", NULL::TIMESTAMP",
            term(date(2024, 1, 1), monthly=150) + ", TIMESTAMP '2024-02-15'",
            term(date(2024, 1, 1), date(2024, 5, 1), monthly=150) + ", TIMESTAMP '2024-04-10'",
        ],
        header=header,
    )
    assert [(str(day), amount) for _, day, amount in made] == [
        ("2024-01-01", 100), ("2024-02-01", 100), ("2024-03-01", 150), ("2024-04-01", 150),
    ]  # fmt: skip


def test_what_bills_nothing_or_looks_odd_is_counted():
    made, findings = billed(
        [
            term(date(2024, 1, 1), date(2024, 3, 1), monthly=0, contract="free"),
            term(date(2025, 1, 1), date(2025, 3, 1), contract="later"),
            term(date(2024, 1, 1), date(2024, 1, 1), contract="never"),
            term(date(2024, 1, 1), date(2024, 3, 1), every=0, contract="odd"),
            term(date(2024, 1, 1), date(2024, 3, 1), every=2.5, contract="odder"),
        ]
    )
    assert [contract for contract, *_ in made] == ["odd", "odd", "odder", "odder"]
    assert {(finding.column, finding.reason): finding.count for finding in findings} == {
        ("monthly_amount", "terms of 0 a month, not billed"): 1,
        ("starts_at", "terms that begin after the data end, not billed yet"): 1,
        ("billing_months", "not a whole number of months from 1 on, taken as 1"): 2,
        ("ends_at", "terms that end on the day they begin or before, not billed"): 1,
    }


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ([term(date(2023, 1, 1), date(2023, 12, 31)), term(date(2024, 1, 15), date(2025, 1, 14))], "INTERVAL 1 DAY"),
        ([term(date(2023, 1, 1), date(2023, 7, 20)), term(date(2023, 1, 1))], "bind that column as cancelled_at"),
        ([term(date(2023, 1, 1), date(2024, 1, 1)), term(date(2024, 1, 1), date(2025, 1, 1)), term(date(2023, 1, 1))], None),
    ],
)  # fmt: skip
def test_ends_that_mean_another_thing_are_told(terms, says):
    _, findings = billed(terms)
    said = [str(finding) for finding in findings]
    assert said == [] if says is None else any(says in line for line in said)
