"""Currencies: money of one table is of one currency, is converted by `fx`, or is refused."""

import duckdb

from features.binding.mapping import Binding
from features.binding.report import Finding
from features.binding.sources import columns_of
from features.catalogue.fx import FX
from features.errors import TableError
from features.values.numbers import is_currency

NO_RATE = 126


def check_currencies(
    connection: duckdb.DuckDBPyConnection, binding: Binding, currency: str
) -> tuple[list[Finding], list[Finding], list[TableError]]:
    """Hold the currencies of a written table's money against the project's; convert what `fx` has rates for.

    Rows that no rate is for are marked for dropping.

    Args:
        connection: Holds the written table, and ``fx`` if it is bound.
        binding: Its binding.
        currency: ISO 4217 code of the project.

    Returns:
        What was converted, what has no rate, and what is wrong.
    """
    table = binding.table.name
    money = [
        (place, bound.name)
        for place, bound in enumerate(binding.columns)
        if bound.column and bound.column.money
    ]
    marks = {
        mark for bound in binding.columns if bound.column and bound.column.money for mark in bound.currencies
    }
    other = sorted(mark for mark in marks if not is_currency(mark, currency))
    if other:
        return [], [], [_of_expression(table, other, currency)]
    have = columns_of(connection, table)
    marked = [f"_mark{place}" for place, _ in money if f"_mark{place}" in have]
    told = ["currency"] if any(bound.name == "currency" for bound in binding.columns) else []
    if not money or not (marked or told):
        return [], [], []
    says = f"coalesce({', '.join([*told, *marked])})"
    counts = connection.execute(
        f"SELECT {says} AS mark, count(*), min(_row) FROM {table} WHERE _drop IS NULL AND {says} IS NOT NULL GROUP BY mark ORDER BY 2 DESC, 1"
    ).fetchall()
    foreign = [(mark, count, row) for mark, count, row in counts if not is_currency(mark, currency)]
    if not foreign:
        return [], [], []
    if not columns_of(connection, FX.name):
        return [], [], [_foreign(table, counts, foreign, currency)]
    return _convert(connection, binding, says, [mark for mark, _, _ in foreign], currency)


def _convert(
    connection: duckdb.DuckDBPyConnection, binding: Binding, says: str, foreign: list[str], currency: str
) -> tuple[list[Finding], list[Finding], list[TableError]]:
    table, time = binding.table.name, binding.table.time
    listed = ", ".join("'" + mark.replace("'", "''") + "'" for mark in foreign)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE converted AS SELECT t._row, fx.rate FROM (SELECT _row, {says} AS mark, {time} AS moment "
        f"FROM {table} WHERE _drop IS NULL AND {says} IN ({listed})) AS t ASOF LEFT JOIN fx "
        "ON upper(t.mark) = upper(fx.currency) AND t.moment >= fx.date"
    )
    names = [bound.name for bound in binding.columns if bound.column and bound.column.money]
    changes = ", ".join(f"{name} = {name} * converted.rate" for name in names)
    connection.execute(
        f"UPDATE {table} SET {changes} FROM converted WHERE {table}._row = converted._row AND converted.rate IS NOT NULL"
    )
    connection.execute(
        f"UPDATE {table} SET _drop = {NO_RATE} WHERE _row IN (SELECT _row FROM converted WHERE rate IS NULL)"
    )
    done, done_row, lost, lost_row = connection.execute(
        "SELECT count(rate), min(_row) FILTER (rate IS NOT NULL), count(*) - count(rate), min(_row) FILTER (rate IS NULL) "
        "FROM converted"
    ).fetchall()[0]
    connection.execute("DROP TABLE converted")
    kinds = ", ".join(foreign)
    notes = (
        [Finding(f"converted from {kinds} to {currency} by fx", ", ".join(names), done, None, done_row)]
        if done
        else []
    )
    dropped = (
        [Finding(f"of {kinds} without a rate in fx on or before its day", "currency", lost, None, lost_row)]
        if lost
        else []
    )
    return notes, dropped, []


def _foreign(
    table: str, counts: list[tuple[str, int, int]], foreign: list[tuple[str, int, int]], currency: str
) -> TableError:
    shares = ", ".join(f"{mark} {count:,}" for mark, count, _ in counts[:6])
    mark, _, row = foreign[0]
    return TableError(
        f"{table}: money of other currencies than {currency} would be added up as if it were {currency}: rows by currency are "
        f"{shares}, for example {mark} in row {row:,}; bind exchange rates as [tables.fx] (columns currency, date, rate: "
        f"{currency} for one unit), leave the others out with where, or set currency in tokui.toml"
    )


def _of_expression(table: str, marks: list[str], currency: str) -> TableError:
    return TableError(
        f"{table}: the columns that its money is calculated from carry {', '.join(marks)}, and the project's currency is "
        f"{currency}; leave those rows out with where, bind a column of one currency, or set currency in tokui.toml"
    )
