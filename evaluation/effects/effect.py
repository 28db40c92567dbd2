"""The effect of a treatment on one metric, absolute and relative, with intervals that hold on money."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from evaluation.effects.analysis import PLAIN, Analysis
from evaluation.effects.contrast import Contrast, contrast, quotient
from evaluation.effects.units import numbers, units
from evaluation.estimate import Estimate


@dataclass(frozen=True)
class Effect:
    """Treatment against control.

    Args:
        treated: Mean (or ratio) of the treated, adjusted where the effect is.
        control: The same of control.
        absolute: treated − control, in the metric's unit.
        relative: absolute / control, .05 is +5 %. All NaN where the control's mean is 0 or less, or
            not distinguishable from 0 at the level, so that no finite interval contains the ratio.
        p: Two-sided p value of no effect; below 1 − level if and only if the interval is without 0.
        standard_error: Of absolute.
        n_treated: Units, clusters where there are.
        n_control: The same of control.
        method: How the interval was made, in words.
    """

    treated: float
    control: float
    absolute: Estimate
    relative: Estimate
    p: float
    standard_error: float
    n_treated: int
    n_control: int
    method: str


def mean_effect(
    value: ArrayLike,
    treated: ArrayLike,
    analysis: Analysis = PLAIN,
) -> Effect:
    """Difference in means.

    The interval is Welch's where both arms together show little skewness for the size of the smaller
    one, of a studentised permutation elsewhere, and of a studentised bootstrap where the arms are of
    different kinds (:mod:`evaluation.effects.reference`). With clusters the
    mean is still of rows, its error is that of whole clusters, degrees of freedom count clusters.

    Args:
        value: Outcomes [n] of any unit, finite.
        treated: bool [n].
        analysis: How they are compared.

    Raises:
        ExperimentError: Fewer than 30 units in an arm, shapes that differ, outcomes that are missing
            or infinite, a cluster in both arms, or nothing that varies.

    Example:
        >>> value = [0.0, 1.0, 2.0] * 20 + [1.0, 2.0, 3.0] * 20
        >>> found = mean_effect(value, [False] * 60 + [True] * 60)
        >>> found.absolute.value, round(found.absolute.low, 2), found.relative.value
        (1.0, 0.7, 1.0)
    """
    y = numbers(value, None, "value")
    of = units(len(y), treated, analysis)
    return effect(contrast(of, of.sums(y), analysis), analysis.level)


def ratio_effect(
    value: ArrayLike,
    per: ArrayLike,
    treated: ArrayLike,
    analysis: Analysis = PLAIN,
) -> Effect:
    """Difference in ratios of sums, such as revenue per order, by the delta method.

    Columns of ``before`` are taken out of the linearised ratio (Deng, Knoblich and Lu 2018). A ratio
    of the pre-period is best given as two columns, its numerator and its denominator.

    Args:
        value: Numerators [n].
        per: Denominators [n], a positive sum in each arm.
        treated: bool [n].
        analysis: As in :func:`mean_effect`.

    Raises:
        ExperimentError: As in :func:`mean_effect`, or denominators of an arm that sum to 0 or less.

    Examples:
        >>> revenue, orders = [10.0, 20.0, 30.0] * 40, [1.0, 2.0, 2.0] * 40
        >>> ratio = ratio_effect(revenue, orders, [False] * 60 + [True] * 60)
        >>> ratio.treated, ratio.absolute.value
        (12.0, 0.0)
    """
    y = numbers(value, None, "value")
    of = units(len(y), treated, analysis, size=numbers(per, len(y), "per"))
    return effect(contrast(of, of.sums(y), analysis), analysis.level)


def effect(compared: Contrast, level: float) -> Effect:
    """Intervals and p value of a difference."""
    control, treated = (float(mean) for mean in compared.means)
    value, error = compared.difference, compared.standard_error
    counts = compared.of.counts
    share = counts / counts.sum()

    def in_proportion(relative: float) -> float:
        if relative <= -1:
            return 0.5
        base = float(share[0] * control + share[1] * treated / (1 + relative))
        return compared.scale(relative * base, base)

    return Effect(
        treated,
        control,
        compared.interval(lambda at: (value - at) / error, compared.scale, value, error, level),
        quotient(compared, control, compared.covariance, in_proportion, level, ratio=True),
        compared.reference.p(value / error),
        error,
        int(counts[1]),
        int(counts[0]),
        compared.method,
    )
