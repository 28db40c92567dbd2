"""Two arms as means of units: rows, or whatever was randomised as a whole.

Every mean here is a ratio of two sums over the units of an arm: of weighted values by weighted sizes.
An ordinary mean has size 1 everywhere; a ratio metric has its denominator; a cluster has the sums of
its rows; a weighted mean has the weights. The delta method then is one formula for all of them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from evaluation.effects.analysis import PLAIN, Analysis
from features.errors import ExperimentError
from features.types import Floats

MIN_UNITS = 30
"""Units in each arm below which no interval is promised."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Units:
    """What was randomised.

    Args:
        treated: bool [g].
        size: float64 [g], denominators.
        code: int [n], the unit of each row; None where every row is one.
        weight: float64 [n], inverse propensities; None where all are alike.
    """

    treated: Bools
    size: Floats
    code: npt.NDArray[np.intp] | None = None
    weight: Floats | None = None

    @property
    def counts(self) -> npt.NDArray[np.intp]:
        """Units in control and in treatment, [2]."""
        return np.bincount(self.treated, minlength=2)

    def sums(self, rows: Floats) -> Floats:
        """Weighted sums of rows [n] by unit, [g]."""
        rows = rows if self.weight is None else rows * self.weight
        if self.code is None:
            return rows
        return np.asarray(np.bincount(self.code, rows, len(self.treated)), dtype=np.float64)

    def means(self, top: Floats) -> Floats:
        """Ratio of the sums of top [g] and of size, in control and in treatment, [2]."""
        arm = self.treated.astype(np.intp)
        return np.asarray(np.bincount(arm, top, 2) / np.bincount(arm, self.size, 2), dtype=np.float64)

    def influence(self, top: Floats) -> Floats:
        """Each unit's part in the error of its arm's mean of top, [g].

        The first-order term of the ratio (delta method), with the factor n / (n − 1) of a sample
        variance, so that squares sum to the squared standard error.
        """
        arm = self.treated.astype(np.intp)
        counts = self.counts
        scale = np.sqrt(counts / (counts - 1)) / np.bincount(arm, self.size, 2)
        return np.asarray((top - self.means(top)[arm] * self.size) * scale[arm], dtype=np.float64)

    def covariances(self, a: Floats, b: Floats) -> Floats:
        """Covariance of two means from their influences [g], in control and in treatment, [2]."""
        return np.asarray(np.bincount(self.treated, a * b, minlength=2), dtype=np.float64)


def units(
    n: int,
    treated: ArrayLike,
    analysis: Analysis = PLAIN,
    *,
    size: Floats | None = None,
) -> Units:
    """Units of n rows.

    Args:
        n: Rows.
        treated: bool [n].
        analysis: Its clusters and weights.
        size: float64 [n], denominators; 1 where not given.

    Raises:
        ExperimentError: Shapes differ, a cluster is in both arms, a weight is not positive, a mean
            denominator is not positive, or an arm has fewer than 30 units.
    """
    arm = _flags(treated, n)
    w = None if analysis.weight is None else numbers(analysis.weight, n, "weight")
    if w is not None and not (w > 0).all():
        raise ExperimentError(
            f"the smallest weight is {w.min():g}; a weight is an inverse propensity and must be above 0: "
            "leave out who could not be put in the arm"
        )
    code = None
    if analysis.clusters is not None:
        labels = np.asarray(analysis.clusters)
        if labels.shape != (n,):
            raise ExperimentError(f"clusters have shape {labels.shape}; they must be [{n}], one a row")
        code = np.unique(labels, return_inverse=True)[1]
        rows, hit = np.bincount(code), np.bincount(code, arm)
        split = np.flatnonzero((hit > 0) & (hit < rows))
        if len(split):
            raise ExperimentError(
                f"{len(split)} of {len(rows)} clusters have rows in both arms, for example "
                f"{labels[code == split[0]][0]}; clusters are what was randomised as a whole: leave out those "
                "that are in both, or the clusters where rows were randomised by themselves"
            )
        arm = hit > 0
    counts = np.bincount(arm, minlength=2)
    if counts.min() < MIN_UNITS:
        what = "units" if code is None else "clusters"
        raise ExperimentError(
            f"{counts[1]} {what} are treated and {counts[0]} are control; each arm needs {MIN_UNITS} or more: "
            "wait for more, or put small arms together"
        )
    randomised = Units(arm, np.empty(0), code, w)
    randomised = Units(arm, randomised.sums(np.ones(n) if size is None else size), code, w)
    if not (np.bincount(arm, randomised.size, 2) > 0).all():
        raise ExperimentError(
            "the denominators of an arm sum to 0 or less; a ratio needs a positive sum in each"
        )
    return randomised


def numbers(values: ArrayLike, n: int | None, name: str) -> Floats:
    """Values as finite float64 [n].

    Raises:
        ExperimentError: Another shape, or values that are not finite.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or (n is not None and len(column) != n):
        raise ExperimentError(
            f"{name} has shape {column.shape}; it must be [{'n' if n is None else n}], one a row"
        )
    wrong = np.flatnonzero(~np.isfinite(column))
    if len(wrong):
        raise ExperimentError(
            f"{name} has {len(wrong)} of {len(column)} rows that are not finite, for example {column[wrong[0]]} in "
            f"row {wrong[0]}; leave out who has no outcome, in both arms alike, or fill in 0 where that is meant"
        )
    return column


def _flags(treated: ArrayLike, n: int) -> Bools:
    flags = np.asarray(treated)
    if flags.shape != (n,) or not (flags.dtype == np.bool_ or np.isin(flags, (0, 1)).all()):
        raise ExperimentError(
            f"treated must be true or false, one for each of the {n} rows; its shape is {flags.shape}"
        )
    return np.asarray(flags, dtype=np.bool_)
