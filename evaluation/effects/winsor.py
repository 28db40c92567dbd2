"""Cutting the few largest amounts to a bound, which is reported."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evaluation.effects.units import numbers
from features.errors import ExperimentError
from features.types import Floats


@dataclass(frozen=True, eq=False)
class Winsorised:
    """Amounts with both tails cut.

    Args:
        value: float64 [n], amounts between the bounds.
        low: Lower bound, 0 or less, in the amounts' unit.
        high: Upper bound, 0 or more.
        n_low: Amounts raised to the lower bound.
        n_high: Amounts lowered to the upper bound.
    """

    value: Floats
    low: float
    high: float
    n_low: int
    n_high: int


def winsorise(value: ArrayLike, share: float = 0.001) -> Winsorised:
    """Cut the largest gains and the largest losses.

    The bounds are those of all units together, never of one arm: bounds of each arm cut away what
    the treatment did to its large accounts. They are order statistics of each sign's amounts,
    so that zeros, however many, are no tail and never move, and rare returns are not cut to nothing:
    of k positive amounts, the floor(share × k) largest come down to the next one; of the negative
    ones likewise. Fewer than 1 / share amounts of a sign stay as they are. An effect on winsorised
    amounts is just that, and is nearer to 0 where the treatment works on the largest accounts.

    Args:
        value: Amounts [n], all units of the experiment, finite.
        share: Of each sign's amounts that are cut, from 0 to below .5.

    Raises:
        ExperimentError: Amounts that are not finite, or a share out of range.

    Example:
        >>> winsorise([-40.0, 0, 0, 1, 2, 3, 900], 0.25).value.tolist()
        [-40.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0]
    """
    y = numbers(value, None, "value")
    if not 0 <= share < 0.5:
        raise ExperimentError(
            f"share is {share}; it is the share of amounts cut at each tail and lies from 0 to below .5, such as .001"
        )
    low, high = -_bound(-y, share), _bound(y, share)
    return Winsorised(np.clip(y, low, high), low, high, int((y < low).sum()), int((y > high).sum()))


def _bound(y: Floats, share: float) -> float:
    positive = np.sort(y[y > 0])
    return float(positive[-1 - int(share * len(positive))]) if len(positive) else 0.0
