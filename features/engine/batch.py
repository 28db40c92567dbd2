"""What an aggregation works on: a run of customers, their events and their observations.

Everything several aggregations need (window bounds, running sums, days) is computed once and
kept; indices are local to the batch, so they fit 32 bits and the arrays fit the cache.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from features.engine.events import Events
from features.engine.windows import Window, first_at_or_after
from features.kernel import kernel
from features.types import DAY, Floats, Index, Times


@kernel
def _starts(offsets: Index, obs_offsets: Index, out: Index) -> None:
    for customer in range(len(offsets) - 1):
        for obs in range(obs_offsets[customer], obs_offsets[customer + 1]):
            out[obs] = offsets[customer]


@kernel
def _running_count(offsets: Index, values: Floats, out: Index) -> None:
    for customer in range(len(offsets) - 1):
        count = 0
        for i in range(offsets[customer], offsets[customer + 1]):
            if not np.isnan(values[i]):
                count += 1
            out[i] = count


@kernel
def _running_sum(offsets: Index, values: Floats, total: Floats, error: Floats) -> None:
    # Knuth's TwoSum: total + error is the sum to twice the precision, so that the difference of two
    # running sums stays exact to 1e-9 even for a small window behind a large history.
    for customer in range(len(offsets) - 1):
        s = 0.0
        e = 0.0
        for i in range(offsets[customer], offsets[customer + 1]):
            x = values[i]
            if not np.isnan(x):
                t = s + x
                b = t - s
                e += (s - (t - b)) + (x - b)
                s = t
            total[i] = s
            error[i] = e


@kernel
def product(x: float, y: float) -> tuple[float, float]:
    """x·y to twice the precision, as value and error (Dekker 1971)."""
    split = 134217729.0  # 2**27 + 1 halves a double's digits
    p = x * y
    cx = split * x
    xh = cx - (cx - x)
    cy = split * y
    yh = cy - (cy - y)
    xl = x - xh
    yl = y - yh
    return p, ((xh * yh - p) + xh * yl + xl * yh) + xl * yl


@kernel
def _running_product_sum(offsets: Index, left: Floats, right: Floats, total: Floats, error: Floats) -> None:
    for customer in range(len(offsets) - 1):
        s = 0.0
        e = 0.0
        for i in range(offsets[customer], offsets[customer + 1]):
            x = left[i]
            y = right[i]
            if not (np.isnan(x) or np.isnan(y)):
                p, ep = product(x, y)
                t = s + p
                b = t - s
                e += ep + ((s - (t - b)) + (p - b))
                s = t
            total[i] = s
            error[i] = e


@kernel
def _days(offsets: Index, times: Times, rank: Index, day: Index, squares: Floats) -> None:
    # Gaps are whole days, so the running sum of their squares is exact below 2**53.
    count = 0
    for customer in range(len(offsets) - 1):
        first = count
        for i in range(offsets[customer], offsets[customer + 1]):
            today = times[i] // DAY
            if count == first or today != day[count - 1]:
                day[count] = today
                squares[count] = 0.0
                if count > first:
                    gap = float(today - day[count - 1])
                    squares[count] = squares[count - 1] + gap * gap
                count += 1
            rank[i] = count - 1


@dataclass(slots=True)
class Batch:
    """Events of one stream and observations of the same customers.

    Args:
        events: Events of the batch's customers, offsets starting at 0.
        obs_offsets: int32 [customers + 1], where each customer's observations begin.
        cutoffs: int64 [observations], ascending within a customer.
    """

    events: Events
    obs_offsets: Index
    cutoffs: Times
    hi: Index = field(init=False)
    """int32 [observations]: one past the last event before the cutoff."""
    start: Index = field(init=False)
    """int32 [observations]: the customer's first event."""
    _bounds: dict[int, Index] = field(init=False, default_factory=dict)
    _begins: dict[tuple[tuple[Window, ...], float], Index] = field(init=False, default_factory=dict)
    _kept: dict[tuple[str, ...], tuple[np.ndarray, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.start = np.empty(len(self.cutoffs), np.int32)
        _starts(self.offsets, self.obs_offsets, self.start)
        self.hi = self.bound(0)

    @classmethod
    def of_days(cls, days: ArrayLike, cutoff: int, **columns: ArrayLike) -> "Batch":
        """One customer's batch, to try an aggregation out.

        Args:
            days: Day of each event, ascending; 0 is 1970-01-01.
            cutoff: Day of the one observation.
            columns: Values by column, one an event; texts or numbers.
        """
        numbers, codes, texts = {}, {}, {}
        for name, values in columns.items():
            if np.asarray(values).dtype.kind == "U":
                words, code = np.unique(np.asarray(values), return_inverse=True)
                codes[name], texts[name] = code.astype(np.int32), pa.array(words.tolist())
            else:
                numbers[name] = np.asarray(values, np.float64)
        times = np.asarray(days, np.int64) * DAY
        events = Events(np.array([0, len(times)], np.int32), times, numbers, codes, texts)
        return cls(events, np.array([0, 1], np.int32), np.array([cutoff * DAY]))

    @property
    def offsets(self) -> Index:
        """int32 [customers + 1]: where each customer's events begin."""
        return self.events.offsets  # type: ignore[return-value]  # slices of events count in 32 bits

    @property
    def times(self) -> Times:
        """int64 [events]."""
        return self.events.times

    def bound(self, shift: int) -> Index:
        """The first event at or after cutoff + shift microseconds, int32 [observations]."""
        first = self._bounds.get(shift)
        if first is None:
            first = np.empty(len(self.cutoffs), np.int32)
            first_at_or_after(self.offsets, self.times, self.obs_offsets, self.cutoffs, shift, first)
            self._bounds[shift] = first
        return first

    def lo(self, windows: tuple[Window, ...], share: float = 1.0) -> Index:
        """Where windows begin, int32 [windows, observations].

        Args:
            windows: The windows.
            share: The last so much of each window only; EVER is not divided.
        """
        key = (windows, share)
        if key not in self._begins:
            begins = np.empty((len(windows), len(self.cutoffs)), np.int32)
            for row, window in zip(begins, windows, strict=True):
                row[:] = self.start if window.days is None else self.bound(-int(window.days * DAY * share))
            self._begins[key] = begins
        return self._begins[key]

    def number(self, column: str) -> Floats:
        """Values of a number column, float64 [events]."""
        return self.events.numbers[column]

    def running_count(self, column: str | None) -> Index:
        """Values so far within the customer, the event's own included, int32 [events]."""
        values = np.zeros(len(self.times)) if column is None else self.number(column)
        key = ("count", column or "") if column is None or np.isnan(values).any() else ("count", "")
        if key not in self._kept:
            out = np.empty(len(values), np.int32)
            _running_count(self.offsets, values, out)
            self._kept[key] = (out,)
        return self._kept[key][0]

    def running_sum(self, column: str) -> tuple[Floats, Floats]:
        """Sum so far within the customer and its rounding error, both float64 [events]."""
        key = ("sum", column)
        if key not in self._kept:
            values = self.number(column)
            out = np.empty(len(values)), np.empty(len(values))
            _running_sum(self.offsets, values, *out)
            self._kept[key] = out
        total, error = self._kept[key]
        return total, error

    def running_product_sum(self, left: Floats, right: Floats, name: str) -> tuple[Floats, Floats]:
        """Sum of products so far within the customer and its error; ``name`` keeps it."""
        key = ("product", name)
        if key not in self._kept:
            out = np.empty(len(left)), np.empty(len(left))
            _running_product_sum(self.offsets, left, right, *out)
            self._kept[key] = out
        total, error = self._kept[key]
        return total, error

    def compact_codes(self, column: str) -> tuple[Index, int]:
        """Codes of a text column, int32 [events], and one more than the greatest of them."""
        codes = self.events.codes[column]
        distinct = len(self.events.texts[column])
        if distinct <= 64 * len(codes) + 4096:
            return codes, distinct
        # A handful of rows out of a great vocabulary: tables as long as it would cost more than a sort.
        key = ("codes", column)
        if key not in self._kept:
            present, compact = np.unique(codes, return_inverse=True)
            if len(present) and present[0] < 0:
                compact = compact - 1
            self._kept[key] = (compact.astype(np.int32),)
        compact_codes: Index = self._kept[key][0]
        return compact_codes, len(codes)

    def days(self) -> tuple[Index, Index, Floats]:
        """Days with events.

        Returns:
            The rank of each event's day among all days of the batch, int32 [events]; the day of
            each rank, days since 1970; the running sum, within the customer, of squared gaps in
            days by rank.
        """
        key = ("days",)
        if key not in self._kept:
            rank, day = np.empty((2, len(self.times)), np.int32)
            squares = np.empty(len(self.times))
            _days(self.offsets, self.times, rank, day, squares)
            self._kept[key] = (rank, day, squares)
        rank, day, squares = self._kept[key]
        return rank, day, squares
