"""Least and greatest values in a window, by a monotonic stack."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from features.engine.aggregation import Aggregation
from features.engine.batch import Batch
from features.engine.windows import Window
from features.kernel import kernel
from features.types import Floats, Index


@kernel
def _greatest(
    values: Floats, sign: float, obs_offsets: Index, lo: Index, hi: Index, start: Index, out: Floats
) -> None:
    # The stack holds positions whose values strictly descend; the greatest value from lo on is the
    # first of them at or after lo. One stack serves every window, each event enters it once, and in
    # random order it is only as deep as the logarithm of the history.
    stack = np.empty(len(values), np.int32)
    for customer in range(len(obs_offsets) - 1):
        top = 0
        i = -1
        for k in range(obs_offsets[customer], obs_offsets[customer + 1]):
            i = max(i, start[k])
            while i < hi[k]:
                x = sign * values[i]
                if not np.isnan(x):
                    while top > 0 and sign * values[stack[top - 1]] <= x:
                        top -= 1
                    stack[top] = i
                    top += 1
                i += 1
            for w in range(lo.shape[0]):
                a = 0
                b = top
                while a < b:
                    middle = (a + b) // 2
                    if stack[middle] < lo[w, k]:
                        a = middle + 1
                    else:
                        b = middle
                out[w, k] = values[stack[a]] if a < top else np.nan


@dataclass(frozen=True, slots=True)
class Max(Aggregation):
    """Greatest value of a column.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER, days
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100, amount=[500, 200, 100])
        >>> Max("amount").over(batch, days(30, 90, EVER)).ravel().tolist()
        [100.0, 200.0, 500.0]
    """

    word: ClassVar[str] = "max"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        values = batch.number(self.column)
        _greatest(values, 1.0, batch.obs_offsets, batch.lo(windows), batch.hi, batch.start, out)


@dataclass(frozen=True, slots=True)
class Min(Aggregation):
    """Least value of a column.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import EVER, days
        >>> batch = Batch.of_days([0, 40, 95], cutoff=100, amount=[500, 200, 100])
        >>> Min("amount").over(batch, days(30, 90, EVER)).ravel().tolist()
        [100.0, 100.0, 100.0]
    """

    word: ClassVar[str] = "min"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        values = batch.number(self.column)
        _greatest(values, -1.0, batch.obs_offsets, batch.lo(windows), batch.hi, batch.start, out)
