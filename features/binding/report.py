"""What binding found out about a table: records for the terminal, JSON and error messages."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was odd, counted.

    Args:
        reason: What is odd, as in "not a number".
        column: Canonical column, several joined by a comma for a key, or the source's own column.
        count: Rows it concerns; for ids without an account, ids.
        example: One of the values, where there is one to show.
        row: Row of the example in the source, counted from 1 without the header.
    """

    reason: str
    column: str
    count: int
    example: str | None = None
    row: int | None = None

    def __str__(self) -> str:
        example = "" if self.example is None else f", for example {self.example!r}"
        row = "" if self.row is None else f" in row {self.row:,}"
        return f"{self.column}: {self.count:,} {self.reason}{example}{row}"


@dataclass(frozen=True, slots=True)
class TableReport:
    """One bound table.

    Args:
        table: Canonical name.
        source: Where it came from, without secrets.
        rows_read: Rows that met ``where``.
        rows_kept: Rows bound; the difference is what ``dropped`` counts.
        customers: Distinct customers.
        first: Earliest time of a row, on the project's wall clock.
        last: Latest time of a row.
        nulls: Empty values by bound column.
        dropped: Why rows were left out; a row counts under its first reason only.
        warnings: What is odd and was kept, or emptied.
        unused_columns: Columns of the source that nothing uses.
        totals: Sum of each money column.
        by_year: The same by calendar year of the table's own date.
        rows_by_year: Rows by that year.
        origins: Rows by where they come from, ``source`` or a table, where some are derived.
    """

    table: str
    source: str
    rows_read: int
    rows_kept: int
    customers: int
    first: datetime | None
    last: datetime | None
    nulls: dict[str, int]
    dropped: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    unused_columns: tuple[str, ...]
    totals: dict[str, float] = field(default_factory=dict)
    by_year: dict[str, dict[int, float]] = field(default_factory=dict)
    rows_by_year: dict[int, int] = field(default_factory=dict)
    origins: dict[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The bound columns, in schema order."""
        return tuple(self.nulls)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times in ISO 8601."""
        values = asdict(self)
        for name in ("first", "last"):
            moment = values[name]
            values[name] = None if moment is None else moment.isoformat()
        return values
