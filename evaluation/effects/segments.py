"""Effects by segment, drawn together as far as chance made them look different.

The segment with the largest effect is partly the luckiest one. So each effect is shown raw and
shrunk towards the overall effect, the p values are corrected for having looked at all segments,
and one test says whether the segments differ at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import fdtrc, ndtr, stdtr, stdtrit

from evaluation.effects.multiplicity import holm
from evaluation.effects.welch import checked_level
from evaluation.estimate import Estimate
from features.errors import ExperimentError
from features.types import Floats

DIFFER = 0.05
"""Segments count as different below this p value."""

# Shrinkage factors at which the spread between segments is weighed up.
_GRID = (np.arange(200) + 0.5) / 200


@dataclass(frozen=True)
class SegmentEffect:
    """The effect in one segment.

    Args:
        name: The segment.
        n: Its independent units.
        raw: Its effect by itself; a t interval with n − 2 degrees of freedom.
        shrunk: Its effect in the light of the other segments.
        p_adjusted: Of no effect in it, by Holm over all segments.
    """

    name: str
    n: int
    raw: Estimate
    shrunk: Estimate
    p_adjusted: float


@dataclass(frozen=True)
class Segments:
    """All segments of one experiment.

    Args:
        rows: Segments in the order given.
        overall: The mean effect of segments.
        heterogeneity_p: Of the hypothesis that all segments have one effect.
        between_sd: Standard deviation of true effects between segments.
        i_squared: Share of the differences seen that is more than chance, 0 to 1.
    """

    rows: tuple[SegmentEffect, ...]
    overall: Estimate
    heterogeneity_p: float
    between_sd: float
    i_squared: float

    @property
    def differ(self) -> bool:
        """Whether segments differ; where False, the overall effect is the one to act on for each."""
        return self.heterogeneity_p < DIFFER


def segment_effects(
    names: Sequence[str], effect: ArrayLike, se: ArrayLike, n: ArrayLike, *, level: float = 0.95
) -> Segments:
    """Shrink, correct and compare effects that were estimated segment by segment.

    Shrinkage is the hierarchical normal model with a flat prior on the overall effect and on the
    between-segment standard deviation (Gelman 2006), integrated numerically, so that intervals
    carry the uncertainty of the latter. Simulated with 3 to 20 segments they cover 94–97 % where
    true effects differ by half a standard error or more and up to 99.6 % where they do not differ.
    Two segments tell too little of the spread; their shrunk effects are the raw ones.

    Heterogeneity is Cochran's Q (1954) with the correction of Welch (1951) for standard errors
    that are estimates; the between-segment standard deviation is that of Paule and Mandel (1982).

    Args:
        names: Segments [S], disjoint.
        effect: Estimated effects [S].
        se: Their standard errors [S].
        n: Independent units in each, both arms together [S].
        level: Nominal coverage of intervals.

    Raises:
        ExperimentError: Fewer than two segments, arrays that do not fit, a standard error that is
            not positive, or a segment with fewer than four units.
    """
    value, error, units = (np.asarray(column, np.float64) for column in (effect, se, n))
    _check(names, value, error, units)
    df = units - 2
    tail = stdtrit(df, (1 + checked_level(level)) / 2) * error
    adjusted = holm(2 * stdtr(df, -np.abs(value / error)))
    q = _cochran(value, error, 0.0)
    overall, middle, low, high = _shrink(value, error, level)
    if len(names) == 2:
        middle, low, high = value, value - tail, value + tail
    rows = tuple(
        SegmentEffect(
            name,
            int(units[s]),
            Estimate(float(value[s]), float(value[s] - tail[s]), float(value[s] + tail[s])),
            Estimate(float(middle[s]), float(low[s]), float(high[s])),
            float(adjusted[s]),
        )
        for s, name in enumerate(names)
    )
    i_squared = max(0.0, 1 - (len(names) - 1) / q) if q else 0.0
    return Segments(rows, overall, _heterogeneity(q, error, df), _between_sd(value, error), i_squared)


def _check(names: Sequence[str], effect: Floats, se: Floats, n: Floats) -> None:
    count = len(names)
    if count < 2 or not effect.shape == se.shape == n.shape == (count,):
        raise ExperimentError(
            f"{count} segments with effects {effect.shape}, standard errors {se.shape} and units {n.shape}; "
            "give one of each for every segment, two segments or more"
        )
    for s, name in enumerate(names):
        if not (np.isfinite(effect[s]) and 0 < se[s] < np.inf and 4 <= n[s] < np.inf):
            raise ExperimentError(
                f"segment {name}: effect {effect[s]:g} ± {se[s]:g} of {n[s]:g} units; it takes a number, a positive "
                "standard error and four units or more, so merge it with another or leave it out"
            )


def _cochran(effect: Floats, se: Floats, between: float) -> float:
    w = 1 / (se**2 + between**2)
    return float((w * (effect - (w * effect).sum() / w.sum()) ** 2).sum())


def _heterogeneity(q: float, se: Floats, df: Floats) -> float:
    """Welch's (1951) F test in place of chi-squared, to which it tends as df grows."""
    count = len(se)
    w = 1 / se**2
    unsure = float(((1 - w / w.sum()) ** 2 / df).sum())
    f = q / (count - 1) / (1 + 2 * (count - 2) / (count**2 - 1) * unsure)
    return float(fdtrc(count - 1, (count**2 - 1) / (3 * unsure), f))


def _between_sd(effect: Floats, se: Floats) -> float:
    """The spread at which Cochran's Q is what it is expected to be."""
    excess = len(effect) - 1
    if _cochran(effect, se, 0.0) <= excess:
        return 0.0
    most = float(np.ptp(effect)) * len(effect)
    return float(brentq(lambda between: _cochran(effect, se, between) - excess, 0.0, most))


def _shrink(effect: Floats, se: Floats, level: float) -> tuple[Estimate, Floats, Floats, Floats]:
    """Posterior of the overall effect, and means and ends of the intervals of segments [S]."""
    variance = se**2
    typical = len(se) / (1 / variance).sum()
    spread = np.sqrt(typical) * (1 - _GRID) / _GRID
    w = 1 / (variance + spread[:, None] ** 2)
    total = w.sum(axis=1)
    centre = (w * effect).sum(axis=1) / total
    # Flat in the spread means 1 / grid² on the grid; the rest is the restricted likelihood.
    log = (np.log(w).sum(axis=1) - np.log(total) - (w * (effect - centre[:, None]) ** 2).sum(axis=1)) / 2
    log -= 2 * np.log(_GRID)
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    pull = variance * w
    means = (1 - pull) * effect + pull * centre[:, None]
    errors = np.sqrt((1 - pull) * variance + pull**2 / total[:, None])
    tails = (1 - level) / 2, (1 + level) / 2
    middle, sd = centre[:, None], np.sqrt(1 / total)[:, None]
    low, high = (_quantile(tail, chance, middle, sd)[0] for tail in tails)
    overall = Estimate(float(chance @ centre), float(low), float(high))
    low_s, high_s = (_quantile(tail, chance, means, errors) for tail in tails)
    return overall, chance @ means, low_s, high_s


def _quantile(tail: float, chance: Floats, means: Floats, errors: Floats) -> Floats:
    """Quantiles [S] of mixtures of normals [grid, S], by bisection."""
    low: Floats = (means - 10 * errors).min(axis=0)
    high: Floats = (means + 10 * errors).max(axis=0)
    for _ in range(45):
        middle = (low + high) / 2
        below = chance @ ndtr((middle - means) / errors) < tail
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low
