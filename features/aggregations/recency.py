"""When things happened: first and last rows, days since, active days and the gaps between them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from features.engine.aggregation import Aggregation
from features.engine.batch import Batch
from features.engine.windows import ALWAYS, Window
from features.kernel import kernel
from features.types import DAY, Floats, Index, Times


@kernel
def _valid_neighbours(offsets: Index, values: Floats, latest: Index, next_one: Index) -> None:
    for customer in range(len(offsets) - 1):
        nearest = -1
        for i in range(offsets[customer], offsets[customer + 1]):
            if not np.isnan(values[i]):
                nearest = i
            latest[i] = nearest
        nearest = 2147483647
        for i in range(offsets[customer + 1] - 1, offsets[customer] - 1, -1):
            if not np.isnan(values[i]):
                nearest = i
            next_one[i] = nearest


@kernel
def _last(values: Floats, latest: Index, lo: Index, hi: Index, out: Floats) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            a = lo[w, k]
            b = hi[k]
            out[w, k] = values[latest[b - 1]] if b > a and latest[b - 1] >= a else np.nan


@kernel
def _first(values: Floats, next_one: Index, lo: Index, hi: Index, out: Floats) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            a = lo[w, k]
            b = hi[k]
            out[w, k] = values[next_one[a]] if b > a and next_one[a] < b else np.nan


@kernel
def _days_since(times: Times, cutoffs: Times, last: bool, lo: Index, hi: Index, out: Floats) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            out[w, k] = np.nan
            if hi[k] > lo[w, k]:
                time = times[hi[k] - 1] if last else times[lo[w, k]]
                if time != ALWAYS:
                    out[w, k] = (cutoffs[k] - time) / DAY


@kernel
def _active_days(rank: Index, lo: Index, hi: Index, out: Floats) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            a = lo[w, k]
            out[w, k] = rank[hi[k] - 1] - rank[a] + 1 if hi[k] > a else 0


@kernel
def _gaps(
    rank: Index, day: Index, squares: Floats, deviation: bool, lo: Index, hi: Index, out: Floats
) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            out[w, k] = np.nan
            if hi[k] <= lo[w, k]:
                continue
            first = rank[lo[w, k]]
            last = rank[hi[k] - 1]
            n = float(last - first)
            # Sums of whole days and their squares are exact, so nothing cancels below.
            total = float(day[last]) - float(day[first])
            if not deviation:
                if n >= 1:
                    out[w, k] = total / n
            elif n >= 2:
                out[w, k] = np.sqrt((n * (squares[last] - squares[first]) - total * total) / n / (n - 1))


def _values(batch: Batch, column: str) -> Floats:
    if column in batch.events.numbers:
        return batch.number(column)
    codes = batch.events.codes[column].astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


@dataclass(frozen=True, slots=True)
class Last(Aggregation):
    """The last value of a number or text column; rows that lack it are passed over.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100, amount=[500, 200, 100])
        >>> Last("amount").over(batch, (EVER,)).ravel().tolist()
        [100.0]
    """

    word: ClassVar[str] = "last"
    keeps_values: ClassVar[bool] = True
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        values = _values(batch, self.column)
        latest, next_one = np.empty((2, len(values)), np.int32)
        _valid_neighbours(batch.offsets, values, latest, next_one)
        _last(values, latest, batch.lo(windows), batch.hi, out)


@dataclass(frozen=True, slots=True)
class First(Aggregation):
    """The first value of a number or text column; rows that lack it are passed over.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100, amount=[500, 200, 100])
        >>> First("amount").over(batch, (EVER,)).ravel().tolist()
        [500.0]
    """

    word: ClassVar[str] = "first"
    keeps_values: ClassVar[bool] = True
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        values = _values(batch, self.column)
        latest, next_one = np.empty((2, len(values)), np.int32)
        _valid_neighbours(batch.offsets, values, latest, next_one)
        _first(values, next_one, batch.lo(windows), batch.hi, out)


@dataclass(frozen=True, slots=True)
class DaysSinceLast(Aggregation):
    """Days from the last row in the window to the cutoff.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100)
        >>> DaysSinceLast().over(batch, (EVER,)).ravel().tolist()
        [5.0]
    """

    word: ClassVar[str] = "days_since_last"

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        _days_since(batch.times, batch.cutoffs, True, batch.lo(windows), batch.hi, out)


@dataclass(frozen=True, slots=True)
class DaysSinceFirst(Aggregation):
    """Days from the first row in the window to the cutoff.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100)
        >>> DaysSinceFirst().over(batch, (EVER,)).ravel().tolist()
        [100.0]
    """

    word: ClassVar[str] = "days_since_first"

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        _days_since(batch.times, batch.cutoffs, False, batch.lo(windows), batch.hi, out)


@dataclass(frozen=True, slots=True)
class ActiveDays(Aggregation):
    """Number of calendar days with a row.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import days
        >>> batch = Batch.of_days([40, 95, 95], cutoff=100)
        >>> ActiveDays().over(batch, days(30, 90)).ravel().tolist()
        [1.0, 2.0]
    """

    word: ClassVar[str] = "active_days"

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        rank, _, _ = batch.days()
        _active_days(rank, batch.lo(windows), batch.hi, out)


@dataclass(frozen=True, slots=True)
class MeanGap(Aggregation):
    """Mean days between one active day and the next; missing below two active days.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER
        >>> batch = Batch.of_days([0, 40, 90], cutoff=100)
        >>> MeanGap().over(batch, (EVER,)).ravel().tolist()
        [45.0]
    """

    word: ClassVar[str] = "gap_mean"

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        _gaps(*batch.days(), False, batch.lo(windows), batch.hi, out)


@dataclass(frozen=True, slots=True)
class StdGap(Aggregation):
    """Sample standard deviation of the days between active days; missing below three active days.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER
        >>> batch = Batch.of_days([0, 40, 90], cutoff=100)
        >>> StdGap().over(batch, (EVER,)).ravel().round(2).tolist()
        [7.07]
    """

    word: ClassVar[str] = "gap_std"

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        _gaps(*batch.days(), True, batch.lo(windows), batch.hi, out)
