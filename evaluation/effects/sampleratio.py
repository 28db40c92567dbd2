"""Did randomisation put as many in each arm as was planned? If not, nothing else can be believed."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc
from scipy.stats import binom

from evaluation.effects.trial import Trial
from features.errors import ExperimentError
from features.types import Floats

Method = Literal["exact", "simulated", "chi-squared"]

BROKEN = 0.001
"""Below this p value an experiment gets no verdict (Fabijan et al. 2019 use the same bound)."""

_SMALL = 1000
_DRAWS = 20_000


@dataclass(frozen=True)
class SampleRatio:
    """Units counted in each arm against those planned.

    Args:
        counts: Randomised units by arm, control first.
        expected: How many were planned.
        p: Of the hypothesis that the arms were filled as planned.
        method: How p was computed.
    """

    counts: tuple[int, ...]
    expected: tuple[float, ...]
    p: float
    method: Method

    @property
    def broken(self) -> bool:
        """Whether the counts cannot be chance."""
        return self.p < BROKEN

    @property
    def sentence(self) -> str:
        """What was found, in plain English."""
        seen, planned = (
            f"{', '.join(f'{count:,.0f}' for count in counts[:-1])} and {counts[-1]:,.0f}"
            for counts in (self.counts, self.expected)
        )
        if self.broken:
            return (
                f"The sample ratio is broken: {seen} units where {planned} were planned (p = {self.p:.1g}, below "
                f"{BROKEN}). There is no verdict until it is known who is missing or counted twice, and why."
            )
        return (
            f"The sample ratio is as planned: {seen} units where {planned} were expected (p = {self.p:.2g})."
        )


def check_ratio(counts: ArrayLike, expected: ArrayLike, *, seed: int = 7) -> SampleRatio:
    """Compare counts with the shares, or the probabilities row by row, with which arms were chosen.

    Two arms of fewer than 1,000 units in all: the exact two-sided test, binomial or, where
    probabilities differ, Poisson-binomial. More arms of so few: 20,000 draws. Otherwise the
    chi-squared test, with the variance of the Poisson-multinomial where probabilities differ and
    with Yates's correction (1934) where there are two arms.

    Args:
        counts: Randomised units (not rows of a clustered design) by arm [K + 1], control first.
        expected: Planned shares [K + 1], on any scale: (1, 1) is half and half; or the probability
            of each unit for each arm [n, K + 1].
        seed: Of the draws.

    Raises:
        ExperimentError: Counts are not whole numbers of 0 or more, there are not two arms or more,
            or what was expected does not go with them.

    Examples:
        >>> ratio = check_ratio([520, 480], [1, 1])
        >>> ratio.broken, round(ratio.p, 3)
        (False, 0.217)
    """
    seen, propensity = _checked(counts, expected)
    n, arms = int(seen.sum()), len(seen)
    one_share = propensity.ndim == 1
    if one_share:
        mean = n * propensity
        variance = n * (np.diag(propensity) - np.outer(propensity, propensity))
    else:
        mean = propensity.sum(axis=0)
        variance = np.diag(mean) - propensity.T @ propensity
    method: Method
    if n >= _SMALL:
        method, gap = "chi-squared", seen - mean
        if arms == 2:
            gap = np.maximum(np.abs(gap) - 0.5, 0) * (1, -1)
        p = float(chdtrc(arms - 1, _distance(gap, variance)))
    else:
        groups, sizes = (
            (propensity[None, :], np.array([n]))
            if one_share
            else np.unique(propensity, axis=0, return_counts=True)
        )
        if arms == 2:
            method, p = "exact", _exact(int(seen[1]), groups[:, 1], sizes)
        else:
            method, p = "simulated", _simulated(seen - mean, variance, groups, sizes, seed)
    return SampleRatio(tuple(seen.tolist()), tuple(mean.tolist()), min(p, 1.0), method)


def check_trial(trial: Trial, *, seed: int = 7) -> SampleRatio:
    """The check of an experiment: each randomised unit counts once, whatever its rows.

    Args:
        trial: Its propensities say what was planned; a cluster counts as one unit.
        seed: Of the draws where there are few units in more than two arms.

    Raises:
        ExperimentError: The rows of a cluster are in different arms or have different propensities.
    """
    arm, propensity = trial.arm, trial.propensity
    if trial.clusters is not None:
        _, first, code = np.unique(trial.clusters, return_index=True, return_inverse=True)
        torn = (arm != arm[first][code]) | (propensity != propensity[first][code]).any(axis=1)
        if torn.any():
            row = int(np.flatnonzero(torn)[0])
            raise ExperimentError(
                f"experiment {trial.name}: {len(np.unique(code[torn]))} of {len(first)} clusters have rows in two "
                f"arms or of two propensities, for example cluster {trial.clusters[row]}; what is randomised as "
                "a whole is in one arm, so mend the assignments or leave clusters out"
            )
        arm, propensity = arm[first], propensity[first]
    return check_ratio(np.bincount(arm, minlength=len(trial.arms)), propensity, seed=seed)


def _checked(counts: ArrayLike, expected: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
    given, plan = np.asarray(counts, np.float64), np.asarray(expected, np.float64)
    whole = given.ndim == 1 and np.isfinite(given).all() and bool(((given >= 0) & (given % 1 == 0)).all())
    if not whole or len(given) < 2 or not given.sum():
        raise ExperimentError(
            f"counts by arm {given.tolist()}: they must be whole numbers, of two arms or more, not all 0"
        )
    n, arms = int(given.sum()), len(given)
    if plan.shape not in ((arms,), (n, arms)) or not np.isfinite(plan).all() or not (plan > 0).all():
        raise ExperimentError(
            f"expected shares of shape {plan.shape} for {n} units in {arms} arms; give a positive share for each "
            f"arm [{arms}], or each unit's probabilities [{n}, {arms}]"
        )
    total = plan.sum(axis=-1, keepdims=True)
    if plan.ndim == 2 and (np.abs(total - 1) > 1e-6).any():
        row = int(np.argmax(np.abs(total - 1)))
        raise ExperimentError(
            f"the probabilities of unit {row} sum to {float(total[row, 0]):g}; over all arms they must sum to 1"
        )
    return given.astype(np.int64), plan / total


def _distance(gap: Floats, variance: Floats) -> Floats:
    """Squared Mahalanobis distance [...] of gaps [..., K + 1]; Pearson's statistic where shares are one."""
    # The last arm follows from the others, and so its row and column would make this singular.
    free = gap[..., :-1]
    return np.asarray(((free @ np.linalg.inv(variance[:-1, :-1])) * free).sum(axis=-1))


def _exact(treated: int, probability: Floats, sizes: NDArray[np.int64]) -> float:
    """Chance of a count no likelier than the one seen, where `sizes` units had each probability."""
    chance = np.ones(1)
    for p, size in zip(probability, sizes, strict=True):
        chance = np.convolve(chance, binom.pmf(np.arange(size + 1), size, p))
    # The tolerance lets the mirror image of what was seen count in spite of rounding.
    return float(chance[chance <= chance[treated] * (1 + 1e-7)].sum())


def _simulated(gap: Floats, variance: Floats, groups: Floats, sizes: NDArray[np.int64], seed: int) -> float:
    generator = np.random.default_rng(seed)
    drawn = np.zeros((_DRAWS, len(gap)))
    for shares, size in zip(groups, sizes, strict=True):
        drawn += generator.multinomial(size, shares, _DRAWS)
    far = _distance(drawn - sizes @ groups, variance) >= _distance(gap, variance) * (1 - 1e-9)
    return float((1 + far.sum()) / (1 + _DRAWS))
