"""Prediction intervals for money: split conformal in bins of the prediction, a lookup to serve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from features.errors import ChecksumError, TrainingDataError
from features.types import Floats

LEVELS = (0.5, 0.8, 0.9, 0.95)
_MAX_BINS = 20
_ROWS_A_BIN = 100


@dataclass(frozen=True)
class ConformalIntervals:
    """Mondrian split-conformal intervals (Vovk and others 2005, chapter 4.5).

    The residual is scaled, r = (y - p) / (|p| + margin), and each bin of the prediction p has
    quantiles of r of its own. On exchangeable customers an interval of level L covers at least a
    share L, in every bin; levels never cross, and p is always inside. Customers of another season are
    not exchangeable with these: what is then left of L is told by `training.value.backtest.check_intervals`.

    Args:
        levels: Nominal coverages, increasing.
        edges: Inner edges of the bins of p, increasing, b - 1 of them.
        margin: Money added to |p| so that small predictions keep a width.
        lower: Lower quantile of r, one row a level, one entry a bin; never above 0.
        upper: Upper quantile of r, likewise; never below 0.
        floor: The least money seen in each bin: no interval reaches below it (nor above p). That
            costs a bin of n rows at most 1 / (n + 1) of its coverage, and keeps a shop that never
            brought a loss from being promised one.
    """

    levels: tuple[float, ...]
    edges: tuple[float, ...]
    margin: float
    lower: tuple[tuple[float, ...], ...]
    upper: tuple[tuple[float, ...], ...]
    floor: tuple[float, ...]

    @classmethod
    def fit(
        cls,
        y: ArrayLike,
        prediction: ArrayLike,
        levels: Sequence[float] = LEVELS,
        *,
        bins: int = 10,
    ) -> Self:
        """Calibrate on rows the model has not learnt from, one row a customer.

        Args:
            y: Money [n].
            prediction: Predictions of it [n].
            levels: Nominal coverages.
            bins: Bins of the prediction, at most; fewer where a bin would not have 100 rows or
                not enough for the highest level.

        Raises:
            TrainingDataError: Too few rows for the highest level, or values that are not finite.
        """
        y, p = np.asarray(y, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
        if y.ndim != 1 or y.shape != p.shape or not (np.isfinite(y).all() and np.isfinite(p).all()):
            raise TrainingDataError(
                f"intervals need finite money and predictions of one length; got {y.shape}, {p.shape}"
            )
        levels = tuple(sorted(float(level) for level in levels))
        if not levels or levels[0] <= 0 or levels[-1] >= 1:
            raise TrainingDataError(f"levels are {levels}; give coverages between 0 and 1, such as 0.9")
        # The smallest n whose outermost order statistics exist: floor((n + 1) (1 - L) / 2) >= 1.
        needed = int(np.ceil(2 / (1 - levels[-1]) - 1 - 1e-9))
        if len(y) < needed:
            raise TrainingDataError(
                f"an interval of level {levels[-1]:g} needs {needed} calibration rows and there are {len(y)}; "
                "use more customers or a lower level"
            )
        count = max(1, min(bins, _MAX_BINS, len(y) // max(needed, _ROWS_A_BIN)))
        edges = np.unique(np.quantile(p, np.arange(1, count) / count)) if count > 1 else np.empty(0)
        # Tied predictions can leave a bin too small for its quantiles: it joins its neighbour.
        part = np.searchsorted(edges, p, side="right")
        while len(edges) and (size := np.bincount(part, minlength=len(edges) + 1)).min() < needed:
            edges = np.delete(edges, min(int(size.argmin()), len(edges) - 1))
            part = np.searchsorted(edges, p, side="right")
        margin = float(np.median(np.abs(p))) or float(np.abs(y).mean()) or 1.0
        scaled = (y - p) / (np.abs(p) + margin)
        floor = tuple(float(y[part == b].min()) for b in range(len(edges) + 1))
        lower = np.zeros((len(levels), len(edges) + 1))
        upper = np.zeros_like(lower)
        for b in range(len(edges) + 1):
            r = np.sort(scaled[part == b])
            for i, level in enumerate(levels):
                # Equal tails, each by its own order statistic; the sliver guards 0.05 * 20 = 1.0000001.
                k = int(np.floor((len(r) + 1) * (1 - level) / 2 + 1e-9))
                lower[i, b], upper[i, b] = min(r[k - 1], 0.0), max(r[len(r) - k], 0.0)
        return cls(levels, tuple(edges.tolist()), margin, _tuples(lower), _tuples(upper), floor)

    def interval(self, prediction: ArrayLike, level: float) -> tuple[Floats, Floats]:
        """Lower and upper ends, each [n].

        Args:
            prediction: Predictions [n].
            level: One of `levels`.

        Raises:
            TrainingDataError: The level was not calibrated.
        """
        if level not in self.levels:
            have = ", ".join(f"{known:g}" for known in self.levels)
            raise TrainingDataError(f"level {level:g} was not calibrated; the model has {have}")
        i = self.levels.index(level)
        p = np.asarray(prediction, dtype=np.float64)
        part = np.searchsorted(np.asarray(self.edges), p, side="right")
        scale = np.abs(p) + self.margin
        low = p + np.asarray(self.lower[i])[part] * scale
        floor = np.minimum(np.asarray(self.floor)[part], p)
        return np.maximum(low, floor), p + np.asarray(self.upper[i])[part] * scale

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "levels": list(self.levels),
            "edges": list(self.edges),
            "margin": self.margin,
            "lower": [list(row) for row in self.lower],
            "upper": [list(row) for row in self.upper],
            "floor": list(self.floor),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read the JSON-able form.

        Raises:
            ChecksumError: It is not complete.
        """
        try:
            return cls(
                tuple(document["levels"]),
                tuple(document["edges"]),
                document["margin"],
                tuple(tuple(row) for row in document["lower"]),
                tuple(tuple(row) for row in document["upper"]),
                tuple(document["floor"]),
            )
        except KeyError as error:
            raise ChecksumError(f"the intervals' document has no {error}; write the model again") from error


def _tuples(table: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in table.tolist())
