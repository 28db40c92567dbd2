"""How many customers an experiment takes and what it can show, by formula, for means and ratios.

For money, whose tails the formula does not know, see `evaluation.planning.power`.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit
from scipy.stats import nct

from features.errors import ExperimentError

_MOST = 1e12


@dataclass(frozen=True)
class Design:
    """How an experiment will be run and read.

    Args:
        level: Nominal coverage of its intervals, all comparisons with control taken together.
        power: Chance of finding an effect that is there.
        treatments: Arms besides control. Each is compared with control at (1 − level) / treatments:
            Bonferroni, which errs on the side of more units than Dunnett's test would take.
        control_share: Share of units in control; as many as in any other arm if not given.
        cluster_size: Mean rows of what is randomised as a whole, such as an account's users.
        cluster_cv: Standard deviation of cluster sizes over their mean.
        icc: Correlation of rows within a cluster.
        correlation: Of the metric with the same one before the experiment, where the readout
            adjusts for that (CUPED): it leaves 1 − correlation² of the variance.

    Raises:
        ExperimentError: A value is outside its range.
    """

    level: float = 0.95
    power: float = 0.8
    treatments: int = 1
    control_share: float | None = None
    cluster_size: float = 1.0
    cluster_cv: float = 0.0
    icc: float = 0.0
    correlation: float = 0.0

    def __post_init__(self) -> None:
        ranges = {
            "level": 0 < self.level < 1,
            "power": 1 - self.level < self.power < 1,
            "treatments": self.treatments >= 1,
            "control_share": self.control_share is None or 0 < self.control_share < 1,
            "cluster_size": 1 <= self.cluster_size < np.inf,
            "cluster_cv": 0 <= self.cluster_cv < np.inf,
            "icc": 0 <= self.icc <= 1,
            "correlation": -1 < self.correlation < 1,
        }
        for name, inside in ranges.items():
            if not inside:
                raise ExperimentError(
                    f"{name} = {getattr(self, name)}: levels, power and shares lie within (0, 1), power above "
                    "1 − level, a cluster has one row or more, icc is within [0, 1], a correlation within (−1, 1)"
                )

    @property
    def alpha(self) -> float:
        """False-positive rate of one comparison."""
        return (1 - self.level) / self.treatments

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of units by arm, control first."""
        control = 1 / (1 + self.treatments) if self.control_share is None else self.control_share
        return (control, *((1 - control) / self.treatments for _ in range(self.treatments)))

    def variance(self, sd: float) -> float:
        """Variance of one randomised unit's mean, from the standard deviation of rows.

        The design effect is that of clusters of unequal sizes (Eldridge, Ashby and Kerry 2006).
        """
        design_effect = 1 + ((self.cluster_cv**2 + 1) * self.cluster_size - 1) * self.icc
        return sd**2 * (1 - self.correlation**2) * design_effect / self.cluster_size


STANDARD = Design()
"""Two equal arms, level 95 %, power 80 %."""


@dataclass(frozen=True)
class Plan:
    """The size of an experiment.

    Args:
        units: Randomised units (clusters where there are clusters) by arm, control first.
        rows: Customers by arm: units times the mean cluster size.
        effect: The difference in means it is planned for.
        relative: The same as a share of the mean.
        power: Chance of finding it at this size.
    """

    units: tuple[int, ...]
    rows: tuple[int, ...]
    effect: float
    relative: float
    power: float


def ratio_sd(
    mean_numerator: float,
    mean_denominator: float,
    variance_numerator: float,
    variance_denominator: float,
    covariance: float,
) -> float:
    """Standard deviation of a ratio of means, a unit's share in it, by the delta method.

    Deng, Knoblich and Lu (2018). With it a ratio is planned like a mean:
    ``plan_mean(ratio_sd(…), mean_numerator / mean_denominator, …)``.

    Raises:
        ExperimentError: The denominator's mean is 0 or the moments contradict each other.
    """
    ratio = mean_numerator / mean_denominator if mean_denominator else np.nan
    variance = variance_numerator - 2 * ratio * covariance + ratio**2 * variance_denominator
    if not (np.isfinite(variance) and variance > 0):
        raise ExperimentError(
            f"a ratio of means {mean_numerator:g} / {mean_denominator:g} with variances {variance_numerator:g} and "
            f"{variance_denominator:g} and covariance {covariance:g}: the denominator must not be 0 and the ratio must vary"
        )
    return sqrt(variance) / abs(mean_denominator)


def plan_mean(
    sd: float,
    mean: float,
    *,
    effect: float | None = None,
    relative: float | None = None,
    design: Design = STANDARD,
) -> Plan:
    """Units needed to find a difference in means with Welch's t test, two-sided.

    Args:
        sd: Standard deviation of rows; the same in each arm. For a ratio see :func:`ratio_sd`.
        mean: In control.
        effect: The difference to be found; or else
        relative: the same as a share of the mean.
        design: How the experiment is run.

    Raises:
        ExperimentError: The standard deviation is not positive, not exactly one of the effects is
            given or it is 0, or it would take more than 10¹² units.

    Examples:
        >>> plan_mean(sd=1.0, mean=10.0, effect=0.5).units
        (64, 64)
    """
    effect = _effect(sd, mean, effect, relative)
    control, treated = design.shares[:2]

    def lacking(total: float) -> float:
        return design.power - _power(design, sd, total * control, total * treated, effect)

    least = 2 / min(control, treated)
    most = least
    while lacking(most) > 0:
        most *= 4
        if most > _MOST:
            raise ExperimentError(
                f"an effect of {effect:g} takes more than {_MOST:.0e} units; plan for a larger one"
            )
    total = least if most == least else float(brentq(lacking, most / 4, most))
    units = tuple(ceil(total * share - 1e-9) for share in design.shares)
    return Plan(
        units,
        tuple(ceil(count * design.cluster_size) for count in units),
        effect,
        effect / mean if mean else float("nan"),
        _power(design, sd, units[0], units[1], effect),
    )


def power(
    sd: float,
    mean: float,
    units: float,
    *,
    effect: float | None = None,
    relative: float | None = None,
    design: Design = STANDARD,
) -> float:
    """Chance that an experiment of this size finds an effect of this size.

    Args:
        sd: Standard deviation of rows.
        mean: In control.
        units: Randomised units, all arms together.
        effect: The difference in means; or else
        relative: the same as a share of the mean.
        design: How the experiment is run; its power is not used.

    Raises:
        ExperimentError: As in :func:`plan_mean`, or there are not two units in each arm.
    """
    control, treated = units_of_arms(units, design)
    return _power(design, sd, control, treated, _effect(sd, mean, effect, relative))


def minimum_detectable_effect(sd: float, units: float, *, design: Design = STANDARD) -> float:
    """The smallest difference in means that an experiment of this size finds with the design's power.

    Args:
        sd: Standard deviation of rows.
        units: Randomised units, all arms together.
        design: How the experiment is run.

    Raises:
        ExperimentError: The standard deviation is not positive or there are not two units in each arm.

    Examples:
        >>> round(minimum_detectable_effect(sd=1.0, units=128), 3)
        0.499
    """
    control, treated = units_of_arms(units, design)
    _effect(sd, 1.0, 1.0, None)
    scale = sqrt(design.variance(sd) * (1 / control + 1 / treated))
    most = scale
    while _power(design, sd, control, treated, most) < design.power:
        most *= 2
    return float(brentq(lambda x: design.power - _power(design, sd, control, treated, x), 0.0, most))


def _effect(sd: float, mean: float, effect: float | None, relative: float | None) -> float:
    if not 0 < sd < np.inf:
        raise ExperimentError(
            f"a standard deviation of {sd:g}; it must be positive, so give a metric that varies"
        )
    if (effect is None) == (relative is None):
        raise ExperimentError(f"effect {effect} and relative {relative}: give exactly one of them")
    absolute = effect if effect is not None else (relative or 0.0) * mean
    if not absolute or not np.isfinite(absolute):
        raise ExperimentError(
            f"an effect of {absolute:g}; no experiment can find it, so give one other than 0"
        )
    return absolute


def units_of_arms(units: float, design: Design) -> tuple[float, float]:
    """Units in control and in one treatment, not rounded.

    Args:
        units: Of all arms together.
        design: Its shares.

    Raises:
        ExperimentError: One of them is below two.
    """
    control, treated = (units * share for share in design.shares[:2])
    if not min(control, treated) >= 2:
        raise ExperimentError(
            f"{units:g} units give arms of {control:.3g} and {treated:.3g}; each needs two or more, so plan for more"
        )
    return control, treated


def _power(design: Design, sd: float, control: float, treated: float, effect: float) -> float:
    """Of Welch's t test, both tails, by the noncentral t distribution."""
    a, b = (design.variance(sd) / n for n in (control, treated))
    df = (a + b) ** 2 / (a**2 / (control - 1) + b**2 / (treated - 1))
    far = abs(effect) / sqrt(a + b)
    critical = -stdtrit(df, design.alpha / 2)
    # Beyond this power is 1 to the last digit, and the noncentral distribution is out of its depth.
    if far > critical + 20:
        return 1.0
    # The other tail is mirrored because scipy's nct.cdf gives NaN there for a third of arguments.
    return float(nct.sf(critical, df, far) + nct.sf(critical, df, -far))
