"""Summaries: what a table holds once it is written, to be held against the books."""

import math
from collections.abc import Sequence

import duckdb

from features.binding.report import TableReport
from features.schema import Table


def summarise(
    connection: duckdb.DuckDBPyConnection, table: Table, names: Sequence[str], *, source: str, rows: int
) -> TableReport:
    """Count a written table: rows, customers, dates, empty values, and its money in all and by year.

    Args:
        connection: Holds it.
        table: The canonical table.
        names: Its bound columns.
        source: Where it came from, without secrets.
        rows: How many rows were read.
    """
    time = table.time if table.time in names else "CAST(NULL AS TIMESTAMP)"
    counts = ", ".join(f"count(*) - count({name})" for name in names)
    kept, customers, first, last, *nulls = connection.execute(
        f"SELECT count(*), count(DISTINCT customer_id), min({time}), max({time}), {counts} FROM {table.name}"
    ).fetchall()[0]
    money = [name for name in names if table.column(name).money]
    # The naive sum of a million amounts is off by cents; Kahan's is not.
    sums = "".join(f", coalesce(fsum({name}), 0)" for name in money)
    years = connection.execute(
        f"SELECT year({time}) AS y, count(*){sums} FROM {table.name} GROUP BY y ORDER BY y NULLS LAST"
    ).fetchall()
    dated = [row for row in years if row[0] is not None]
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
        totals={name: math.fsum(row[place] for row in years) for place, name in enumerate(money, 2)},
        by_year={name: {row[0]: row[place] for row in dated} for place, name in enumerate(money, 2)},
        rows_by_year={row[0]: row[1] for row in dated},
    )
