"""Strays: lone rows dated far from all others, which must not move the beginning or the end of the data.

One order typed 2026 instead of 2025 would make every other customer look silent for a year.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

FEW = 0.001
"""Strays are at most this share of a table's rows, or a single one."""

LEAST_GAP_DAYS = 60
GAP_RATIO = 4.0
"""The gap before a stray is at least so many days, and longer by so much than every other gap."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days that hold together.

    Args:
        first: First day that is no stray.
        last: Last day that is no stray.
    """

    first: date
    last: date


def span_of(days: Sequence[date], counts: Sequence[int]) -> Span:
    """Find where the data begin and end, leaving out lone rows far before or after all others.

    Args:
        days: The different days with rows, ascending, at least one.
        counts: Rows of each.

    Examples:
        >>> daily = [date(2025, 1, day) for day in range(1, 31)]
        >>> span_of([*daily, date(2026, 1, 30)], [100] * 30 + [1]).last
        datetime.date(2025, 1, 30)
    """
    few = max(1.0, FEW * sum(counts))
    begin, end = 0, len(days) - 1
    for late in (False, True):
        cut = _cut(days[begin : end + 1], counts[begin : end + 1], few, late=late)
        if late:
            end -= cut
        else:
            begin += cut
    return Span(days[begin], days[end])


def _cut(days: Sequence[date], counts: Sequence[int], few: float, *, late: bool) -> int:
    """How many of the first, or last, days are strays."""
    gaps = [(after - before).days for before, after in itertools.pairwise(days)]
    rows = list(counts)
    if late:
        gaps.reverse()
        rows.reverse()
    aside = 0
    cut = 0
    for place, gap in enumerate(gaps):
        aside += rows[place]
        if aside > few:
            break
        others = max(gaps[place + 1 :], default=0)
        # Two rows of which one is far away tell nothing about which of them is wrong.
        if len(gaps) - place > 2 and gap >= LEAST_GAP_DAYS and gap > GAP_RATIO * others:
            cut = place + 1
    return cut


def table_span(connection: duckdb.DuckDBPyConnection, table: str, time: str) -> Span | None:
    """The span of a written table's rows that are kept; None where it has none."""
    rows = connection.execute(
        f"SELECT CAST({time} AS DATE) AS day, count(*) FROM {table} "
        f"WHERE _drop IS NULL AND {time} IS NOT NULL GROUP BY day ORDER BY day"
    ).fetchall()
    return span_of([day for day, _ in rows], [count for _, count in rows]) if rows else None
