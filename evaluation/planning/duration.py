"""How long an experiment lasts, from the traffic of the past."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from evaluation.estimate import Estimate
from features.errors import ExperimentError

_TEN_YEARS = 3653


@dataclass(frozen=True)
class Duration:
    """How long it takes until enough units have come.

    Args:
        days: From the first unit to the last one's outcome: the median of simulated courses and
            the ends that hold 95 % of them.
        weeks: Whole weeks up to the upper end, so that every weekday counts alike; None where
            traffic may dry up and the end is infinite.
        per_day: Mean arrivals a day.
    """

    days: Estimate
    weeks: int | None
    per_day: float


def estimate_duration(
    units: int, arrivals: ArrayLike, *, outcome_days: int = 0, draws: int = 1000, seed: int = 7
) -> Duration:
    """Days from the traffic of the past, drawn anew by whole weeks.

    Weeks are drawn from a resample of the weeks seen, so that the interval holds both the ups and
    downs of traffic and what so short a history leaves unknown. Growth and season it does not hold.

    Args:
        units: Randomised units needed, all arms together.
        arrivals: New units a day, consecutive days [days], two weeks or more.
        outcome_days: Days from assignment until a unit's outcome is complete.
        draws: Simulated courses.
        seed: Of the draws.

    Raises:
        ExperimentError: Fewer than 14 days, arrivals that are not counts, none at all, or so few
            that it would take more than ten years.

    Examples:
        >>> needed = estimate_duration(700, [10] * 28)
        >>> needed.days.value
        70.0
    """
    traffic = np.asarray(arrivals, np.float64)
    if traffic.ndim != 1 or len(traffic) < 14 or not ((traffic >= 0) & (traffic < np.inf)).all() or units < 1:
        raise ExperimentError(
            f"{units} units from arrivals of shape {traffic.shape}; it takes one unit or more and a count of 0 or more "
            "for each of 14 days or more"
        )
    weeks = traffic[len(traffic) % 7 :].reshape(-1, 7)
    per_day = float(weeks.mean())
    expected = units / per_day if per_day else np.inf
    if expected > _TEN_YEARS:
        raise ExperimentError(
            f"{units} units at {per_day:.3g} a day take more than ten years; plan for a larger effect, or "
            "adjust for the time before"
        )
    generator = np.random.default_rng(seed)
    most = 4 * ceil(expected / 7) + 4
    days = np.full(draws, np.inf)
    for i in range(draws):
        known = generator.integers(0, len(weeks), len(weeks))
        course = weeks[known[generator.integers(0, len(weeks), most)]].ravel().cumsum()
        if course[-1] >= units:
            days[i] = np.searchsorted(course, units) + 1 + outcome_days
    # Without interpolation: an infinite course next to a finite one has no middle.
    low, middle, high = np.quantile(days, [0.025, 0.5, 0.975], method="higher")
    return Duration(
        Estimate(float(middle), float(low), float(high)),
        ceil(high / 7) if np.isfinite(high) else None,
        per_day,
    )
