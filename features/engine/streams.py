"""Streams: how a row with several dates stays honest.

A row that changes later must not leak. So a canonical table declares streams, each dated by its
own time and carrying only columns that are known at that time: when a ticket opens its severity is
known, its satisfaction only when it closes. State is the difference of two streams: open tickets
are tickets opened less tickets closed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.engine.windows import ALWAYS
from features.errors import DefinitionError
from features.language import Wording
from features.schema import Column, Kind, RowWords, Table
from features.types import DAY, Floats, Times


@dataclass(frozen=True, slots=True)
class Elapsed:
    """A number column made from two times: days from one to the other, negative if reversed.

    Args:
        name: What it is called.
        start: Canonical time column.
        end: Canonical time column.
        called: The noun it is in the words of a feature.
    """

    name: str
    start: str
    end: str
    # Not part of what is computed, and so of no fingerprint.
    called: Wording = field(repr=False)

    @property
    def column(self) -> Column:
        """It as a column like those of the table."""
        return Column(self.name, Kind.NUMBER, f"days from {self.start} to {self.end}", self.called)


@dataclass(frozen=True, slots=True)
class Condition:
    """Which rows of a table belong to a stream.

    Args:
        column: A canonical number column.
        comparison: How it compares with ``value``; a missing number never holds.
        value: The number compared with.
    """

    column: str
    comparison: Literal["<", ">="]
    value: float


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows of a canonical table, dated by one of its times.

    Args:
        name: ``table.event``, for example ``tickets.closed``.
        schema: The canonical table.
        rows: What its rows are called.
        time: Canonical time column; rows where it is empty are not part of the stream.
        numbers: Number columns known at that time.
        texts: Text columns known at that time.
        where: Condition on the rows.
        undated_always: Rows without a date take part from the beginning of time on, instead of never.

    Raises:
        DefinitionError: A column is not in the table or of another kind.
    """

    name: str
    # What the table and the rows are called is not part of what is computed, and so of no fingerprint.
    schema: Table = field(repr=False)
    rows: RowWords = field(repr=False)
    time: str
    numbers: tuple[str | Elapsed, ...] = ()
    texts: tuple[str, ...] = ()
    where: Condition | None = None
    undated_always: bool = False

    def __post_init__(self) -> None:
        table, dot, event = self.name.partition(".")
        if table != self.schema.name or not dot or not event:
            raise DefinitionError(
                f"stream {self.name!r} must be named table.event, of its canonical table {self.schema.name}"
            )
        self._expect(self.time, Kind.TIME)
        for number in self.numbers:
            if isinstance(number, Elapsed):
                self._expect(number.start, Kind.TIME)
                self._expect(number.end, Kind.TIME)
            else:
                self._expect(number, Kind.NUMBER, Kind.FLAG)
        for text in self.texts:
            self._expect(text, Kind.TEXT, Kind.ID)

    def _expect(self, column: str, *kinds: Kind) -> None:
        kind = self.schema.column(column).kind
        if kind not in kinds:
            raise DefinitionError(f"{self.name}: {column} is a {kind.value} column, not a {kinds[0].value}")

    @property
    def table(self) -> str:
        """The canonical table's name."""
        return self.schema.name

    def column(self, name: str) -> Column:
        """One of the columns it carries.

        Raises:
            DefinitionError: The stream carries no such column.
        """
        for number in self.numbers:
            if isinstance(number, Elapsed) and number.name == name:
                return number.column
        self.needs(name)
        return self.schema.column(name)

    def needs(self, column: str) -> tuple[str, ...]:
        """Canonical columns that one of this stream's columns is made of.

        Raises:
            DefinitionError: The stream carries no such column.
        """
        for number in self.numbers:
            if isinstance(number, Elapsed):
                if number.name == column:
                    return (number.start, number.end)
            elif number == column:
                return (column,)
        if column in self.texts:
            return (column,)
        raise DefinitionError(f"stream {self.name} carries no column {column!r}")

    def is_text(self, column: str) -> bool:
        """Whether a column holds text rather than numbers."""
        return column in self.texts

    def is_in(self, bound: Collection[str]) -> bool:
        """Whether a table with these columns has what dates and selects the stream's rows."""
        dated = self.time in bound or self.undated_always
        return dated and (self.where is None or self.where.column in bound)

    def times(self, rows: pa.Table, *, known: bool) -> Times:
        """What dates each row, int64 microseconds [rows]; ALWAYS where nothing does.

        Args:
            rows: The canonical table.
            known: Whether a row that was known late counts from then on.
        """
        if self.time in rows.column_names:
            times = _microseconds(rows[self.time])
        else:
            times = np.full(len(rows), ALWAYS)
        if known and "known_at" in rows.column_names:
            late = _microseconds(rows["known_at"])
            times = np.where((times == ALWAYS) & (not self.undated_always), times, np.maximum(times, late))
        return times

    def keeps(self, rows: pa.Table) -> npt.NDArray[np.bool_] | None:
        """Which rows the condition keeps, bool [rows]; None for all."""
        if self.where is None:
            return None
        values = _floats(rows[self.where.column])
        return values < self.where.value if self.where.comparison == "<" else values >= self.where.value

    def number(self, rows: pa.Table, column: str) -> Floats:
        """A number column, float64 [rows]; NaN where missing."""
        for number in self.numbers:
            if isinstance(number, Elapsed) and number.name == column:
                start, end = _microseconds(rows[number.start]), _microseconds(rows[number.end])
                missing = (start == ALWAYS) | (end == ALWAYS)
                return np.where(missing, np.nan, (end - np.where(missing, end, start)) / DAY)
        return _floats(rows[column])


def _microseconds(values: pa.ChunkedArray) -> Times:
    whole = values.cast(pa.timestamp("us")).cast(pa.int64())
    if whole.null_count:
        whole = pc.fill_null(whole, ALWAYS)
    return whole.to_numpy()  # type: ignore[no-any-return]


def _floats(values: pa.ChunkedArray) -> Floats:
    return values.cast(pa.float64()).to_numpy()  # type: ignore[no-any-return]
