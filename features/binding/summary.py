"""Summaries: what a table holds once it is written, to be held against what its owner knows of it."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from features.binding.report import Finding, TableReport
from features.binding.sources import columns_of
from features.schema import Table


def summarise(
    connection: duckdb.DuckDBPyConnection, table: Table, names: Sequence[str], *, source: str, rows: int
) -> TableReport:
    """Count a written table: rows, customers, dates, empty values, and money in all and by year.

    Args:
        connection: Holds it.
        table: The canonical table.
        names: Its bound columns.
        source: Where it came from, without secrets.
        rows: How many rows were read.
    """
    time = table.time if table.time in names else "CAST(NULL AS TIMESTAMP)"
    people = "count(DISTINCT customer_id)" if "customer_id" in names else "0"
    counts = ", ".join(f"count(*) - count({name})" for name in names)
    kept, customers, first, last, *nulls = connection.execute(
        f"SELECT count(*), {people}, min({time}), max({time}), {counts} FROM {table.name}"
    ).fetchall()[0]
    totals, by_year = _money(connection, table, names)
    return TableReport(
        table=table.name,
        source=source,
        rows_read=rows,
        rows_kept=kept,
        customers=customers,
        first=first,
        last=last,
        nulls=dict(zip(names, nulls, strict=True)),
        dropped=(),
        warnings=(),
        unused_columns=(),
        totals=totals,
        by_year=by_year,
    )


def derived_report(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    origin: str,
    own: TableReport | None,
    left: tuple[Finding, ...],
) -> TableReport:
    """The report of orders of which some or all lines come from other tables.

    Args:
        connection: Holds them.
        table: Orders, with further columns if they have some.
        origin: Where they come from.
        own: The report of the lines from a source of their own, if there are any.
        left: What was left out or taken for granted in deriving.
    """
    have = columns_of(connection, "orders")
    names = [column.name for column in table.columns if column.name in have]
    rows = int(connection.execute("SELECT count(*) FROM orders").fetchall()[0][0])
    report = summarise(connection, table, names, source=f"derived from {origin}", rows=rows)
    if own is None:
        return replace(report, warnings=left)
    lost = own.rows_read - own.rows_kept
    return replace(
        report, rows_read=rows + lost, dropped=own.dropped, warnings=(*own.warnings, *left), losses=own.losses,
        refusal=own.refusal, accepted=own.accepted, unused_columns=own.unused_columns,
    )  # fmt: skip


def _money(
    connection: duckdb.DuckDBPyConnection, table: Table, names: Sequence[str]
) -> tuple[dict[str, float], dict[str, dict[int, float]]]:
    money = [name for name in names if table.column(name).money]
    if not money:
        return {}, {}
    year = f"year({table.time})" if table.time in names else "NULL"
    sums = ", ".join(f"fsum({name})" for name in money)
    rows = connection.execute(
        f"SELECT {year} AS y, {sums} FROM {table.name} GROUP BY y ORDER BY y"
    ).fetchall()
    totals, by_year = {}, {}
    for place, name in enumerate(money, start=1):
        totals[name] = math.fsum(float(row[place] or 0.0) for row in rows)
        by_year[name] = {int(row[0]): float(row[place] or 0.0) for row in rows if row[0] is not None}
    return totals, by_year


def fingerprint_of(connection: duckdb.DuckDBPyConnection, reports: Sequence[TableReport]) -> str:
    """SHA-256 of the content of bound tables, whatever the order of their rows."""
    digest = hashlib.sha256()
    for report in reports:
        columns = ", ".join(report.columns)
        total = connection.execute(f"SELECT sum(hash({columns})) FROM {report.table}").fetchall()[0][0]
        digest.update(f"{report.table}({columns}):{report.rows_kept}:{total}\n".encode())
    return digest.hexdigest()
