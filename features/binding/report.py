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
class Loss:
    """A part of a table that does not take part.

    Args:
        of: What is lost: ``rows``, ``positive amount``, ``negative amount`` or ``values of margin``.
        lost: How many rows, or how much money.
        total: Of how many, or how much, in all.
    """

    of: str
    lost: float
    total: float

    @property
    def share(self) -> float:
        """The part that is lost, from 0 to 1."""
        return self.lost / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.lost:,.0f} of {self.total:,.0f} {self.of} ({self.share:.1%})"


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
        by_year: The same by calendar year, the table's own date deciding.
        losses: What does not take part, as shares of the whole.
        refusal: Why no model may be made of this before the user has accepted it; None where nothing is in the way.
        accepted: The reason for which the user accepts the loss.
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
    losses: tuple[Loss, ...] = ()
    refusal: str | None = None
    accepted: str | None = None

    @property
    def lost(self) -> str | None:
        """One line on the rows that were left out, and why; None where there are none."""
        if self.rows_read == self.rows_kept:
            return None
        gone = self.rows_read - self.rows_kept
        why = "; ".join(str(finding) for finding in self.dropped)
        accepted = "" if self.accepted is None else f" (accepted: {self.accepted})"
        return f"{self.table}: {gone:,} of {self.rows_read:,} rows left out ({gone / self.rows_read:.2%}){accepted}: {why}"

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
