"""Welch's t test of two means, and what tests of two arms are given."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from evaluation.effects.units import Bools
from features.errors import ExperimentError
from features.types import Floats

Codes = NDArray[np.intp]

Test = Callable[[Floats, Bools, Codes | None], float]
"""Two-sided p value of values [n], treated or not [n], and cluster codes [n] or None."""


def welch(value: Floats, treated: Bools, clusters: Codes | None = None) -> float:
    """Two-sided p value of no difference in means, variances unequal (Welch 1947).

    Args:
        value: [n].
        treated: [n].
        clusters: Codes [n] from 0 without gaps; a cluster then counts once, by its rows' mean.

    Returns:
        The p value; NaN where an arm has fewer than two units or nothing varies.
    """
    if clusters is not None:
        rows = np.bincount(clusters)
        value = np.bincount(clusters, value) / rows
        treated = np.bincount(clusters, treated) / rows > 0.5
    gap, se, df = difference(value, treated)
    return float(2 * stdtr(df, -abs(gap) / se)) if se > 0 else float("nan")


def difference(value: Floats, treated: Bools) -> tuple[float, float, float]:
    """Difference in means of independent units, its standard error, and Welch's degrees of freedom.

    Args:
        value: [n].
        treated: [n].

    Returns:
        The three; a standard error of NaN where an arm has fewer than two units, 0 where nothing varies.
    """
    arms = value[treated], value[~treated]
    if min(map(len, arms)) < 2:
        return float("nan"), float("nan"), float("nan")
    a, b = (float(arm.var(ddof=1)) / len(arm) for arm in arms)
    gap = float(arms[0].mean() - arms[1].mean())
    if not a + b:
        return gap, 0.0, float("nan")
    df = (a + b) ** 2 / (a**2 / (len(arms[0]) - 1) + b**2 / (len(arms[1]) - 1))
    return gap, float(np.sqrt(a + b)), df


def checked_values(value: ArrayLike, clusters: ArrayLike | None = None) -> tuple[Floats, Codes | None]:
    """Values as finite numbers [n], and codes of their clusters from 0 without gaps.

    Args:
        value: [n].
        clusters: Labels [n], anything numpy can sort.

    Raises:
        ExperimentError: Values are not a row of finite numbers, or clusters are not one a row.
    """
    values = np.asarray(value, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        missing = int((~np.isfinite(values)).sum())
        raise ExperimentError(
            f"values of shape {values.shape}, {missing} of them not numbers; give one row of numbers, with 0 for "
            "whoever bought nothing"
        )
    if clusters is None:
        return values, None
    labels = np.asarray(clusters)
    if labels.shape != values.shape:
        raise ExperimentError(
            f"clusters have shape {labels.shape}; they must be [{len(values)}], one a value"
        )
    return values, np.unique(labels, return_inverse=True)[1]


def checked_level(level: float) -> float:
    """A level of confidence, itself.

    Raises:
        ExperimentError: It is not within (0, 1).
    """
    if not 0 < level < 1:
        raise ExperimentError(f"level = {level}; a level of confidence lies within (0, 1), for example 0.95")
    return level
