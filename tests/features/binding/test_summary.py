"""Contract: sums are right to the cent however many amounts, by year and in all."""

from decimal import Decimal

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from features.binding.summary import summarise
from features.catalogue.tables import TABLES

CENTS = st.integers(-(10**11), 10**11)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(2019, 2024), st.one_of(st.none(), CENTS)), min_size=1, max_size=60))
def test_totals_are_those_of_decimals(rows):
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE orders (customer_id VARCHAR, occurred_at TIMESTAMP, amount DOUBLE)")
        connection.executemany(
            "INSERT INTO orders VALUES ('a', make_timestamp($1, 5, 5, 0, 0, 0), $2)",
            [(year, None if cents is None else cents / 100) for year, cents in rows],
        )
        names = ("customer_id", "occurred_at", "amount")
        report = summarise(connection, TABLES["orders"], names, source="o", rows=len(rows))
    exact = {year: Decimal(0) for year, _ in rows}
    for year, cents in rows:
        exact[year] += Decimal(cents or 0) / 100
    assert {year: round(Decimal(total), 2) for year, total in report.by_year["amount"].items()} == exact
    assert round(Decimal(report.totals["amount"]), 2) == sum(exact.values())
    assert report.rows_by_year == {year: sum(year == other for other, _ in rows) for year in sorted(exact)}


def test_a_million_cents_add_up():
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE costs AS SELECT 'a' AS customer_id, TIMESTAMP '2024-05-05' AS occurred_at, 0.1 + 1e7 * (i = 0)::INT "
            "AS amount FROM range(1000000) t(i)"
        )
        columns = ("customer_id", "occurred_at", "amount")
        report = summarise(connection, TABLES["costs"], columns, source="c", rows=1_000_000)
    assert round(report.totals["amount"], 3) == 10_100_000


def test_rows_without_a_date_count_in_all_and_in_no_year():
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE customers AS FROM (VALUES ('a', NULL::TIMESTAMP, 5.0::DOUBLE), ('b', TIMESTAMP '2020-02-02', 7)) "
            "AS t(customer_id, created_at, acquisition_cost)"
        )
        columns = ("customer_id", "created_at", "acquisition_cost")
        report = summarise(connection, TABLES["customers"], columns, source="c", rows=2)
    assert (report.totals, report.by_year) == ({"acquisition_cost": 12.0}, {"acquisition_cost": {2020: 7.0}})
    assert report.rows_by_year == {2020: 1}
