"""Aggregation: the base of every sweep over windows, and the running sums they share."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from features.engine.batch import Batch, product
from features.engine.windows import Window
from features.kernel import kernel
from features.types import Floats, Index


class Aggregation(ABC):
    """What a feature view computes over each of its windows."""

    word: ClassVar[str]
    """How column names call it."""

    keeps_values: ClassVar[bool] = False
    """Whether its result is one of the column's own values, so that it may be text."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the stream it reads."""
        column = getattr(self, "column", None)
        return () if column is None else (column,)

    def names(self, windows: tuple[Window, ...]) -> tuple[str, ...]:
        """Names of its columns, without the view's prefix, one a window."""
        middle = "_".join((*self.columns, self.word))
        return tuple(f"{middle}_{window.label}" for window in windows)

    @abstractmethod
    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:
        """Write one row per name into ``out``, float64 [names, observations]."""

    def over(self, batch: Batch, windows: tuple[Window, ...]) -> Floats:
        """One row per name, float64 [names, observations]."""
        out = np.empty((len(self.names(windows)), len(batch.cutoffs)))
        self.compute(batch, windows, out)
        return out


@kernel
def before(running: Index, i: int, start: int) -> int:
    """A running count just before position i of a customer that starts at ``start``."""
    return running[i - 1] if i > start else 0


@kernel
def between(total: Floats, error: Floats, lo: int, hi: int, start: int) -> tuple[float, float]:
    """A running sum's increase over [lo, hi), to twice the precision, as value and error."""
    if hi <= lo:
        return 0.0, 0.0
    a = total[hi - 1]
    e = error[hi - 1]
    if lo <= start:
        return a, e
    b = -total[lo - 1]
    d = a + b
    z = d - a
    return d, (a - (d - z)) + (b - z) + (e - error[lo - 1])


@kernel
def scatter(n: float, x: float, ex: float, y: float, ey: float, xy: float, exy: float) -> float:
    """n·Σxy − Σx·Σy where all three sums come as value and error."""
    a, ea = product(n, xy)
    b, eb = product(x, y)
    return (a - b) + ((ea + n * exy) - (eb + x * ey + y * ex))
