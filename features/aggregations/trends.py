"""Which way things go: halves against each other, slopes, and short windows against long ones."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from features.engine.aggregation import Aggregation, before, between, scatter
from features.engine.batch import Batch
from features.engine.windows import Window
from features.errors import DefinitionError
from features.kernel import kernel
from features.types import DAY, Floats, Index, Times


@kernel
def _trend(
    total: Floats, error: Floats, lo: Index, middle: Index, hi: Index, start: Index, out: Floats
) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            s, e = between(total, error, lo[w, k], middle[w, k], start[k])
            earlier = s + e
            s, e = between(total, error, middle[w, k], hi[k], start[k])
            recent = s + e
            scale = abs(recent) + abs(earlier)
            out[w, k] = (recent - earlier) / scale if scale > 0 else np.nan


@kernel
def _since_first(offsets: Index, times: Times, values: Floats, out: Floats) -> None:
    # Microseconds since the customer's first row: whole numbers, exact as floats for 285 years, and
    # nothing in them depends on the future.
    for customer in range(len(offsets) - 1):
        for i in range(offsets[customer], offsets[customer + 1]):
            out[i] = times[i] - times[offsets[customer]] if not np.isnan(values[i]) else np.nan


@kernel
def _slope(
    values: Floats,
    t: Floats,
    running: Index,
    t_sum: tuple[Floats, Floats],
    x_sum: tuple[Floats, Floats],
    tt_sum: tuple[Floats, Floats],
    tx_sum: tuple[Floats, Floats],
    lo: Index,
    hi: Index,
    start: Index,
    out: Floats,
) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            a = lo[w, k]
            b = hi[k]
            n = float(before(running, b, start[k]) - before(running, a, start[k]))
            out[w, k] = np.nan
            if n < 2:
                continue
            st, et = between(t_sum[0], t_sum[1], a, b, start[k])
            sx, ex = between(x_sum[0], x_sum[1], a, b, start[k])
            stt, ett = between(tt_sum[0], tt_sum[1], a, b, start[k])
            stx, etx = between(tx_sum[0], tx_sum[1], a, b, start[k])
            across = scatter(n, st, et, st, et, stt, ett)
            along = scatter(n, st, et, sx, ex, stx, etx)
            if across <= 1e-12 * n * tt_sum[0][b - 1]:
                # Close in time beside the customer's age: read the window again, around its means.
                t_mean = (st + et) / n
                x_mean = (sx + ex) / n
                across = 0.0
                along = 0.0
                drift = 0.0
                earliest = np.inf
                latest = -np.inf
                for i in range(a, b):
                    if not np.isnan(values[i]):
                        d = t[i] - t_mean
                        across += d * d
                        along += d * (values[i] - x_mean)
                        drift += d
                        earliest = min(earliest, t[i])
                        latest = max(latest, t[i])
                if earliest == latest:
                    continue
                across -= drift * drift / n
            out[w, k] = along / across * DAY


@dataclass(frozen=True, slots=True)
class Trend(Aggregation):
    """Recent half of the window against the earlier half: (r − e) / (|r| + |e|), −1 to 1.

    Sums of the column are compared; missing where both are zero.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import days
        >>> batch = Batch.of_days([20, 40, 90], cutoff=100, amount=[100, 100, 500])
        >>> Trend("amount").over(batch, days(100)).ravel().tolist()
        [0.42857142857142855]
    """

    word: ClassVar[str] = "trend"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        if any(window.days is None for window in windows):
            raise DefinitionError(f"trend of {self.column}: EVER has no halves; give windows in days")
        lo, middle = batch.lo(windows), batch.lo(windows, share=0.5)
        _trend(*batch.running_sum(self.column), lo, middle, batch.hi, batch.start, out)


@dataclass(frozen=True, slots=True)
class Slope(Aggregation):
    """Least-squares slope of a column over time, units a day; missing where all rows share one time.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import days
        >>> batch = Batch.of_days([10, 20, 30], cutoff=40, amount=[100, 150, 200])
        >>> Slope("amount").over(batch, days(90)).ravel().tolist()
        [5.0]
    """

    word: ClassVar[str] = "slope"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        values = batch.number(self.column)
        t = np.empty(len(values))
        _since_first(batch.offsets, batch.times, values, t)
        ones = np.ones(len(values))
        _slope(
            values, t, batch.running_count(self.column),
            batch.running_product_sum(t, ones, f"t of {self.column}"),
            batch.running_sum(self.column),
            batch.running_product_sum(t, t, f"t² of {self.column}"),
            batch.running_product_sum(t, values, f"t·{self.column}"),
            batch.lo(windows), batch.hi, batch.start, out,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ratio(Aggregation):
    """An aggregation over a short window divided by the same over a longer one.

    The view's own windows play no part.

    Args:
        of: ``Count()`` or ``Sum(column)``.
        short: The window above the line.
        long: The window below it; the ratio is missing where that gives zero.

    Raises:
        DefinitionError: The short window is not shorter than the long one.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import days
        >>> from features.aggregations.moments import Sum
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100, amount=[500, 200, 100])
        >>> Ratio(Sum("amount"), *days(30, 90)).over(batch, days(90)).ravel().round(3).tolist()
        [0.333]
    """

    word: ClassVar[str] = "ratio"
    of: Aggregation
    short: Window
    long: Window

    def __post_init__(self) -> None:
        if self.short.days is None or (self.long.days is not None and self.short.days >= self.long.days):
            raise DefinitionError(
                f"ratio of {self.short.label} to {self.long.label}: the first must be shorter"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the stream it reads."""
        return self.of.columns

    def names(self, windows: tuple[Window, ...]) -> tuple[str, ...]:
        """One name, whatever the view's windows."""
        del windows
        middle = "_".join((*self.columns, self.of.word, self.word))
        return (f"{middle}_{self.short.label}_{self.long.label}",)

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        del windows
        both = np.empty((2, out.shape[1]))
        self.of.compute(batch, (self.short, self.long), both)
        zero = both[1] == 0
        out[0] = np.where(zero, np.nan, both[0] / np.where(zero, 1.0, both[1]))
