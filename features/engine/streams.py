"""Streams: how a row with several dates stays honest.

A row that changes later must not leak. So a canonical table declares streams, each dated by its
own time and carrying only columns that are known at that time: when a ticket opens its severity is
known, its satisfaction only when it closes. State is the difference of two streams: open tickets
are tickets opened less tickets closed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.engine.windows import ALWAYS
from features.errors import DefinitionError
from features.schema import TABLES, Kind
from features.types import DAY, Floats, Times


@dataclass(frozen=True, slots=True)
class Elapsed:
    """A number column made from two times: days from one to the other, negative if reversed.

    Args:
        name: What it is called.
        start: Canonical time column.
        end: Canonical time column.
    """

    name: str
    start: str
    end: str


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
        time: Canonical time column; rows where it is empty are not part of the stream.
        numbers: Number columns known at that time.
        texts: Text columns known at that time.
        where: Condition on the rows.
        undated_always: Rows without a date take part from the beginning of time on, instead of never.

    Raises:
        DefinitionError: A column is not in the table or of another kind.
    """

    name: str
    time: str
    numbers: tuple[str | Elapsed, ...] = ()
    texts: tuple[str, ...] = ()
    where: Condition | None = None
    undated_always: bool = False

    def __post_init__(self) -> None:
        if self.table not in TABLES:
            raise DefinitionError(f"stream {self.name!r} must be named table.event, of a canonical table")
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
        kind = TABLES[self.table].column(column).kind
        if kind not in kinds:
            raise DefinitionError(f"{self.name}: {column} is a {kind.value} column, not a {kinds[0].value}")

    @property
    def table(self) -> str:
        """The canonical table."""
        return self.name.partition(".")[0]

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


CUSTOMERS_KNOWN = Stream(
    "customers.known",
    time="created_at",
    numbers=("employees", "acquisition_cost"),
    texts=("industry", "country", "region", "owner"),
    undated_always=True,
)
_ORDER_NUMBERS = ("quantity", "amount", "margin")
ORDERS_BOOKED = Stream("orders.booked", time="occurred_at", numbers=_ORDER_NUMBERS)
ORDERS_PLACED = Stream(
    "orders.placed",
    time="occurred_at",
    numbers=_ORDER_NUMBERS,
    texts=("order_id", "product_id"),
    where=Condition("amount", ">=", 0),
)
ORDERS_RETURNED = Stream(
    "orders.returned",
    time="occurred_at",
    numbers=_ORDER_NUMBERS,
    texts=("order_id", "product_id"),
    where=Condition("amount", "<", 0),
)
_TERM = ("monthly_amount", "seats")
CONTRACTS_STARTED = Stream(
    "contracts.started",
    time="starts_at",
    numbers=(*_TERM, Elapsed("term_days", "starts_at", "ends_at")),
    texts=("contract_id", "product_id"),
)
CONTRACTS_CANCELLED = Stream("contracts.cancelled", time="cancelled_at", numbers=_TERM, texts=("product_id",))
CONTRACTS_ENDED = Stream(
    "contracts.ended", time="ends_at", numbers=_TERM, texts=("contract_id", "product_id")
)
USAGE_LOGGED = Stream(
    "usage.logged",
    time="occurred_at",
    numbers=("events", "active_users", "quota_share"),
    texts=("feature",),
)
TICKETS_OPENED = Stream(
    "tickets.opened", time="opened_at", numbers=("severity", "complaint"), texts=("category",)
)
TICKETS_CLOSED = Stream(
    "tickets.closed",
    time="closed_at",
    numbers=("severity", "satisfaction", Elapsed("days_to_close", "opened_at", "closed_at")),
    texts=("category",),
)
INVOICES_ISSUED = Stream("invoices.issued", time="issued_at", numbers=("amount",))
INVOICES_DUE = Stream("invoices.due", time="due_at", numbers=("amount",))
INVOICES_PAID = Stream(
    "invoices.paid", time="paid_at", numbers=("amount", Elapsed("days_late", "due_at", "paid_at"))
)
ENGAGEMENT_TOUCHED = Stream("engagement.touched", time="occurred_at", texts=("kind", "campaign_id"))
SURVEYS_ANSWERED = Stream("surveys.answered", time="occurred_at", numbers=("score",))
DEALS_OPENED = Stream("deals.opened", time="opened_at", numbers=("amount",), texts=("kind",))
DEALS_CLOSED = Stream(
    "deals.closed",
    time="closed_at",
    numbers=("amount", "won", Elapsed("days_to_close", "opened_at", "closed_at")),
    texts=("kind",),
)
ASSIGNMENTS_MADE = Stream("assignments.made", time="assigned_at", texts=("experiment_id", "arm"))
COSTS_BOOKED = Stream("costs.booked", time="occurred_at", numbers=("amount",))

STREAMS: dict[str, Stream] = {
    stream.name: stream
    for stream in (
        CUSTOMERS_KNOWN, ORDERS_BOOKED, ORDERS_PLACED, ORDERS_RETURNED,
        CONTRACTS_STARTED, CONTRACTS_CANCELLED, CONTRACTS_ENDED,
        USAGE_LOGGED, TICKETS_OPENED, TICKETS_CLOSED,
        INVOICES_ISSUED, INVOICES_DUE, INVOICES_PAID,
        ENGAGEMENT_TOUCHED, SURVEYS_ANSWERED, DEALS_OPENED, DEALS_CLOSED,
        ASSIGNMENTS_MADE, COSTS_BOOKED,
    )
}  # fmt: skip
"""All streams by name, table by table."""
