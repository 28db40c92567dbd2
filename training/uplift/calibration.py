"""Calibrating uplift: for customers with such a score, what was the effect, in currency, how surely?

Isotonic regression of doubly robust scores on what a learner said of customers it had not seen. A
monotone fit of noise still rises, so it is shrunk towards the arm's mean effect by as much as
held-out customers say it exaggerates.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from evaluation.estimate import Estimate
from features.types import Floats
from training.models.outcomes import whole

_Units = npt.NDArray[np.intp]

_GROUPS = 20
_GROUP_ROWS = 100
"""Fewest customers in a group of similar scores."""
_GROUP_UNITS = 20
"""Fewest clusters, for each group."""
_SPLITS = 5

LEVEL = 0.95
"""Nominal coverage of the bands that are served."""


@dataclass(frozen=True, eq=False)
class UpliftCalibration:
    """A piecewise linear map from a learner's score to an effect; flat beyond its ends.

    Args:
        score: Knots, ascending, [m].
        value: Effect there, in the outcome's unit.
        low: Lower end of the interval of the mean effect on customers with such a score.
        high: Upper end.
        kept: How much of the isotonic fit's deviation from the mean effect held-out customers
            confirm, from 0, which is the mean effect for everyone, to 1.
    """

    score: Floats
    value: Floats
    low: Floats
    high: Floats
    kept: float

    def __call__(self, score: Floats) -> Floats:
        """Effects for scores [n]."""
        return np.interp(score, self.score, self.value)

    def to_dict(self) -> dict[str, Any]:
        """As a model keeps it."""
        return {
            "score": self.score.tolist(), "value": self.value.tolist(),
            "low": self.low.tolist(), "high": self.high.tolist(), "kept": self.kept,
        }  # fmt: skip


def calibrate(
    score: Floats,
    gamma: Floats,
    *,
    rounds: int = 1,
    clusters: _Units | None = None,
    level: float = LEVEL,
    seed: int = 7,
    proven: bool = True,
    effect: Estimate | None = None,
) -> UpliftCalibration:
    """Learn what scores mean.

    Args:
        score: What a learner said of customers it had not seen [n], or [rounds * n] where each
            was left out in several rounds, one round after the other.
        gamma: Doubly robust scores of the same customers.
        rounds: How many rounds.
        clusters: Codes 0, 1 … of what was put in an arm as a whole [n]; each customer by itself if not
            given.
        level: Nominal coverage of the interval.
        seed: Of the splits that tell how much to shrink.
        proven: Where False everyone gets the arm's mean effect.
        effect: That mean effect with its interval, where it is known better than from the scores.
    """
    mean = float(gamma.mean())
    units = np.arange(len(score) // rounds) if clusters is None else clusters
    # What was said of one unit in several rounds, or of its several customers, is one observation.
    unit = np.tile(units, rounds)
    spread = float(np.sqrt(_variance(gamma - mean, np.zeros(len(gamma), np.intp), unit)[0]))
    reach = float(ndtri((1 + level) / 2))
    kept, doubt = _confirmed(score, gamma, unit, rounds, seed) if proven else (0.0, 0.0)
    if kept == 0:
        flat = effect or Estimate(mean, mean - reach * spread, mean + reach * spread)
        value, low, high = (np.array([end]) for end in (flat.value, flat.low, flat.high))
        return UpliftCalibration(np.zeros(1), value, low, high, 0.0)
    knots, fitted, own = _isotonic(score, gamma, unit, rounds)
    value = mean + kept * (fitted - mean)
    # A group's own mean is as sure as its size; what is borrowed from all customers is surer: the
    # posterior variance of a normal mean, of which a share `kept` is its own. And how much to keep is
    # an estimate, too, which matters the more the farther a group lies from the mean.
    error = np.sqrt(kept * own + (1 - kept) * spread**2 + (doubt * (fitted - mean)) ** 2)
    return UpliftCalibration(knots, value, value - reach * error, value + reach * error, kept)


def _variance(residual: Floats, part: _Units, unit: _Units) -> Floats:
    """Variance of the mean of each part from rows' residuals [n], the rows of a unit being one observation."""
    count = int(unit.max()) + 1
    pair, place = np.unique(part * count + unit, return_inverse=True)
    units, rows = np.bincount(pair // count), np.bincount(part)
    squares = np.bincount(pair // count, np.bincount(place, residual) ** 2)
    return np.asarray(units / np.maximum(units - 1, 1) * squares / rows**2)


def _isotonic(score: Floats, gamma: Floats, unit: _Units, rounds: int) -> tuple[Floats, Floats, Floats]:
    """Knots, isotonic means and their variances of groups of similar scores."""
    from sklearn.isotonic import IsotonicRegression

    independent = len(np.unique(unit)) // _GROUP_UNITS
    groups = max(1, min(_GROUPS, len(score) // (rounds * _GROUP_ROWS), independent))
    # Equal scores share a group, so a learner that says the same of everyone gets one.
    code = np.unique(score, return_inverse=True)[1]
    mass = np.bincount(code)
    middle = (np.cumsum(mass) - mass / 2) / len(score)
    part = np.unique(np.minimum((middle * groups).astype(np.intp), groups - 1)[code], return_inverse=True)[1]
    size: Floats = np.bincount(part).astype(np.float64)
    knots = np.bincount(part, score) / size
    means = np.bincount(part, gamma) / size
    fitted: Floats = IsotonicRegression().fit_transform(knots, means, sample_weight=size)
    # Neighbours that were pooled share their evidence.
    level = np.unique(fitted, return_inverse=True)[1]
    return knots, fitted, _variance(gamma - means[part], level[part], unit)[level]


def _confirmed(score: Floats, gamma: Floats, unit: _Units, rounds: int, seed: int) -> tuple[float, float]:
    """Slope of held-out scores on the isotonic fit's deviations, between 0 and 1, and its standard error."""
    fold = whole(unit, _SPLITS, seed)
    deviation, rest = np.empty(len(score)), np.empty(len(score))
    for k in range(_SPLITS):
        here = fold == k
        knots, fitted, _ = _isotonic(score[~here], gamma[~here], unit[~here], rounds)
        mean = gamma[~here].mean()
        deviation[here], rest[here] = np.interp(score[here], knots, fitted) - mean, gamma[here] - mean
    bottom = float((deviation**2).sum())
    if bottom == 0:
        return 0.0, 0.0
    slope = float((deviation * rest).sum()) / bottom
    pulls = np.bincount(unit, deviation * (rest - slope * deviation))
    return float(np.clip(slope, 0.0, 1.0)), float(np.sqrt((pulls**2).sum())) / bottom
