"""Looking every day: intervals that hold at all looks at once, however often and until whenever.

An ordinary 95 % interval is wrong at some look in far more than 5 % of experiments that are
looked at daily. A confidence sequence contains the true effect at all looks together with its
level, so one may stop at any of them. The price is width: about 1.5 times at the planned size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from evaluation.effects.units import Bools
from evaluation.effects.welch import checked_level, checked_values, difference
from evaluation.estimate import Estimate
from features.errors import ExperimentError
from features.types import DAY, Floats

BURN_IN = 50
"""Units in each arm before which a look says nothing."""


@dataclass(frozen=True)
class Look:
    """What is known at the end of one day.

    Args:
        day: Days since 1970-01-01.
        n_treated: Units treated so far.
        n_control: Units in control so far.
        effect: Difference in means, treated − control, with its anytime-valid interval, which is
            infinite until burn-in is over.
        p_anytime: The smallest p value so far; it may be read at any time.
    """

    day: int
    n_treated: int
    n_control: int
    effect: Estimate
    p_anytime: float


def confidence_sequence(
    value: ArrayLike,
    treated: ArrayLike,
    time: ArrayLike,
    *,
    planned: int,
    level: float = 0.95,
    clusters: ArrayLike | None = None,
    burn_in: int = BURN_IN,
) -> tuple[Look, ...]:
    """One look at the end of each day on which anything came in.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024,
    theorem 2.2), tightest at the planned number of units, with two precautions for the early looks:
    Student's tails of Welch's degrees of freedom in place of the normal's; and of Welch's standard
    error and the pooled one the larger. In a small arm without any of the rare great values both
    mean and variance are too small; Welch's alone cries wolf in up to 16 % of experiments there.

    A unit counts from the day of its value on, and the value must not change any more: what a
    customer spends in 30 days from assignment is dated at their end. Rows that come in on later
    days never change a look.

    Being asymptotic it needs a burn-in. 50 units in each arm kept any-time false positives at 30
    daily looks below 5 % for money that is 0 for nine of ten and lognormal with σ = 1.5 for the
    rest, in arms of 1 to 1, 1 to 4 and 1 to 9.

    Args:
        value: [n].
        treated: Whether treated [n].
        time: When each value was complete [n], int64 microseconds of the project's wall clock.
        planned: Units (clusters where there are clusters) of both arms together at which the
            interval should be tightest. Fix it before the first look.
        level: Nominal coverage of all looks together.
        clusters: What was randomised as a whole, a label for each row [n]; at each look it counts
            once, by the mean of its rows so far.
        burn_in: Units in each arm before a look says anything.

    Raises:
        ExperimentError: Arrays do not fit, values are not numbers, a cluster is in both arms, or
            the planned size or the burn-in is too small.
    """
    checked_level(level)
    values, code = checked_values(value, clusters)
    arm, when = np.asarray(treated, np.bool_), np.asarray(time, np.int64)
    if not arm.shape == when.shape == values.shape:
        raise ExperimentError(
            f"{len(values)} values with arms {arm.shape} and times {when.shape}; give one of each a value"
        )
    if planned < 4 or burn_in < 2:
        raise ExperimentError(
            f"planned for {planned} units with a burn-in of {burn_in}; it takes 4 units or more and a burn-in of 2 "
            "or more, because the spread of one unit is unknown"
        )
    unit = np.arange(len(values)) if code is None else code
    rows, treated_rows = np.bincount(unit), np.bincount(unit, arm)
    if ((treated_rows > 0) & (treated_rows < rows)).any():
        raise ExperimentError(
            f"{int(((treated_rows > 0) & (treated_rows < rows)).sum())} of {len(rows)} clusters have rows in both "
            "arms; what is randomised as a whole is in one arm, so mend the assignments or leave clusters out"
        )
    day = when // DAY
    order = np.argsort(day, kind="stable")
    days, begins = np.unique(day[order], return_index=True)
    sums, counts = np.zeros(len(rows)), np.zeros(len(rows))
    least, looks = 1.0, []
    for today, new in zip(days.tolist(), np.split(order, begins[1:]), strict=True):
        np.add.at(sums, unit[new], values[new])
        np.add.at(counts, unit[new], 1)
        seen = counts > 0
        is_treated = treated_rows[seen] > 0
        n_treated = int(is_treated.sum())
        n_control = len(is_treated) - n_treated
        effect, p = _look(sums[seen] / counts[seen], is_treated, planned, level, burn_in)
        least = min(least, p)
        looks.append(Look(today, n_treated, n_control, effect, least))
    return tuple(looks)


def _look(value: Floats, treated: Bools, planned: int, level: float, burn_in: int) -> tuple[Estimate, float]:
    gap, se, df = difference(value, treated)
    n_treated, n = int(treated.sum()), len(value)
    n_control = n - n_treated
    if min(n_treated, n_control) < burn_in or not se > 0:
        return Estimate(gap, -np.inf, np.inf), 1.0
    within = value[treated].var() * n_treated + value[~treated].var() * n_control
    pooled = np.sqrt(within / (n - 2) * (1 / n_treated + 1 / n_control))
    se = max(se, float(pooled))
    alpha = 1 - level
    # n ρ², where ρ is the one that makes the interval tightest at the planned n (their appendix).
    r = n / planned * (np.log(np.log(alpha**-2) + 1) - 2 * np.log(alpha))
    bound = np.sqrt((r + 1) / r * np.log((r + 1) / alpha**2))
    # Student's quantile as far out as the normal's bound; infinite where a double has no such tail.
    wide = -stdtrit(df, ndtr(-bound)) * se if ndtr(-bound) > 0 else np.inf
    z = ndtri(stdtr(df, -abs(gap) / se))
    p = np.sqrt(r + 1) * np.exp(-(z**2) * r / (2 * (r + 1)))
    return Estimate(gap, float(gap - wide), float(gap + wide)), float(min(p, 1.0))
