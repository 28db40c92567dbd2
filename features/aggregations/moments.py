"""Aggregations over a window: the common ones, and the base of all.

An aggregation is a small frozen class: what it needs, what its columns are called, and one sweep.
The engine knows no aggregation by name, so a new one never changes it.

Missing values never count: a sum skips them, a mean divides by the values there are. Over no value
at all a sum and a count are 0, everything else is missing (NaN).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from features.engine.aggregation import Aggregation, before, between, scatter
from features.engine.batch import Batch
from features.engine.windows import Window
from features.kernel import kernel
from features.types import Floats, Index


@kernel
def _count(running: Index, lo: Index, hi: Index, start: Index, out: Floats) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            out[w, k] = before(running, hi[k], start[k]) - before(running, lo[w, k], start[k])


@kernel
def _sum(total: Floats, error: Floats, lo: Index, hi: Index, start: Index, out: Floats) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            s, e = between(total, error, lo[w, k], hi[k], start[k])
            out[w, k] = s + e


@kernel
def _mean(
    total: Floats, error: Floats, running: Index, lo: Index, hi: Index, start: Index, out: Floats
) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            n = before(running, hi[k], start[k]) - before(running, lo[w, k], start[k])
            s, e = between(total, error, lo[w, k], hi[k], start[k])
            out[w, k] = (s + e) / n if n > 0 else np.nan


@kernel
def _std(
    values: Floats,
    total: Floats,
    error: Floats,
    squares: Floats,
    squares_error: Floats,
    running: Index,
    lo: Index,
    hi: Index,
    start: Index,
    out: Floats,
) -> None:
    for w in range(lo.shape[0]):
        for k in range(lo.shape[1]):
            a = lo[w, k]
            b = hi[k]
            n = before(running, b, start[k]) - before(running, a, start[k])
            if n < 2:
                out[w, k] = np.nan
                continue
            s, e = between(total, error, a, b, start[k])
            q, eq = between(squares, squares_error, a, b, start[k])
            spread = scatter(float(n), s, e, s, e, q, eq)
            if spread > 1e-18 * n * squares[b - 1]:
                out[w, k] = np.sqrt(spread / n / (n - 1))
            else:
                # Nearly constant beside what the running sums hold: their digits are used up, so
                # the window is read twice.
                mean = (s + e) / n
                spread = 0.0
                drift = 0.0
                for i in range(a, b):
                    if not np.isnan(values[i]):
                        d = values[i] - mean
                        spread += d * d
                        drift += d
                out[w, k] = np.sqrt(max(spread - drift * drift / n, 0.0) / (n - 1))


@dataclass(frozen=True, slots=True)
class Count(Aggregation):
    """Number of rows.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER, days
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100)
        >>> Count().over(batch, days(30, 90, EVER)).ravel().tolist()
        [1.0, 2.0, 3.0]
    """

    word: ClassVar[str] = "count"

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        _count(batch.running_count(None), batch.lo(windows), batch.hi, batch.start, out)


@dataclass(frozen=True, slots=True)
class Sum(Aggregation):
    """Sum of a column.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER, days
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100, amount=[500, 200, -30])
        >>> Sum("amount").over(batch, days(30, 90, EVER)).ravel().tolist()
        [-30.0, 170.0, 670.0]
    """

    word: ClassVar[str] = "sum"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        _sum(*batch.running_sum(self.column), batch.lo(windows), batch.hi, batch.start, out)


@dataclass(frozen=True, slots=True)
class Mean(Aggregation):
    """Mean of a column.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER, days
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100, amount=[500, 200, 100])
        >>> Mean("amount").over(batch, days(30, 90, EVER)).ravel().tolist()
        [100.0, 150.0, 266.6666666666667]
    """

    word: ClassVar[str] = "mean"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        running = batch.running_count(self.column)
        _mean(*batch.running_sum(self.column), running, batch.lo(windows), batch.hi, batch.start, out)


@dataclass(frozen=True, slots=True)
class Std(Aggregation):
    """Sample standard deviation of a column (n − 1); missing below two values.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import days
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100, amount=[500, 200, 100])
        >>> Std("amount").over(batch, days(30, 90)).ravel().round(2).tolist()
        [nan, 70.71]
    """

    word: ClassVar[str] = "std"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        values = batch.number(self.column)
        squares = batch.running_product_sum(values, values, f"{self.column}²")
        running = batch.running_count(self.column)
        _std(
            values, *batch.running_sum(self.column), *squares, running,
            batch.lo(windows), batch.hi, batch.start, out,
        )  # fmt: skip
