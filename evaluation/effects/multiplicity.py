"""P values adjusted for having asked several questions."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import ExperimentError
from features.types import Floats


def holm(p: ArrayLike) -> Floats:
    """Adjusted p values that keep the chance of even one false finding at the level (Holm 1979).

    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]

    Args:
        p: p values [m]; NaN is a question that was not asked and stays NaN.

    Returns:
        Adjusted p values [m].

    Raises:
        ExperimentError: A p value is outside [0, 1].
    """
    adjusted, order = _ascending(p)
    count = len(order)
    adjusted[order] = np.maximum.accumulate(adjusted[order] * (count - np.arange(count))).clip(max=1)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Adjusted p values that keep the expected share of false findings at the level.

    Benjamini and Hochberg (1995); for p values that are independent or positively dependent.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.04, 0.04]

    Args:
        p: p values [m]; NaN is a question that was not asked and stays NaN.

    Returns:
        Adjusted p values [m].

    Raises:
        ExperimentError: A p value is outside [0, 1].
    """
    adjusted, order = _ascending(p)
    count = len(order)
    descending = order[::-1]
    steps = adjusted[descending] * (count / np.arange(count, 0, -1))
    adjusted[descending] = np.minimum.accumulate(steps).clip(max=1)
    return adjusted


def _ascending(p: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    """A copy of the p values, and the positions of those that are numbers, the smallest first."""
    values = np.array(p, np.float64, ndmin=1)
    outside = (values < 0) | (values > 1)
    if values.ndim != 1 or outside.any():
        example = f", for example {values[outside][0]:g}" if outside.any() else ""
        raise ExperimentError(
            f"p values [{', '.join(map(str, values.shape))}]{example}: they must be one row of numbers in [0, 1], "
            "NaN where there is none"
        )
    order = np.argsort(values, kind="stable")
    return values, order[: int(np.isfinite(values).sum())]
