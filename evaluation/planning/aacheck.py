"""Does a test cry wolf as rarely as it says, on the user's own history where nothing was done?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, kstest

from evaluation.effects.welch import Test, checked_level, checked_values
from evaluation.estimate import Estimate
from features.errors import ExperimentError

DOUBT = 0.01
"""A sound test fails a check by chance with this probability at most."""


@dataclass(frozen=True)
class AACheck:
    """How a test behaved where there was nothing to find.

    Args:
        false_positives: Share of repetitions in which it found something, with the exact interval
            of Clopper and Pearson (1934).
        expected: The share it promises, 1 − level.
        rate_p: Of the hypothesis that it keeps the promise.
        uniform_p: Of the hypothesis that its p values are uniform (Kolmogorov–Smirnov).
        repetitions: How often it was tried.
    """

    false_positives: Estimate
    expected: float
    rate_p: float
    uniform_p: float
    repetitions: int

    @property
    def passed(self) -> bool:
        """Whether the false positives are as many as promised, within what chance allows."""
        return self.rate_p >= DOUBT

    @property
    def uniform(self) -> bool:
        """Whether p values are uniform as far as can be seen.

        A few customers who make most of the money suffice to make them uneven, which by itself
        does no harm where ``passed`` holds.
        """
        return self.uniform_p >= DOUBT


def aa_check(
    value: ArrayLike,
    test: Test,
    *,
    clusters: ArrayLike | None = None,
    share: float = 0.5,
    level: float = 0.95,
    repetitions: int = 1000,
    seed: int = 7,
) -> AACheck:
    """Split the history at random many times, as the experiment will, and test each split.

    Args:
        value: The metric over a stretch without an experiment [n].
        test: The test that the readout will use, such as `evaluation.effects.welch.welch`.
        clusters: What is randomised as a whole, a label for each row [n]; rows if not given.
        share: Of units that are treated among those compared; of several arms, compare each with
            control by itself.
        level: 1 − the false-positive rate that is promised.
        repetitions: Random splits.
        seed: Of the splits.

    Raises:
        ExperimentError: Values are not numbers, there are fewer than four units, the share leaves
            an arm with fewer than two, or the test gives no p value.
    """
    expected = 1 - checked_level(level)
    values, code = checked_values(value, clusters)
    units = len(values) if code is None else int(code.max()) + 1
    treated_units = round(share * units)
    if not 2 <= treated_units <= units - 2:
        raise ExperimentError(
            f"{units} units with a treated share of {share:g}; both arms need two units or more, so take a longer "
            "history or another share"
        )
    generator = np.random.default_rng(seed)
    p = np.empty(repetitions)
    for i in range(repetitions):
        unit = generator.permutation(units) < treated_units
        p[i] = test(values, unit if code is None else unit[code], code)
    if not ((p >= 0) & (p <= 1)).all():
        raise ExperimentError(
            f"the test gave no p value in {int((~((p >= 0) & (p <= 1))).sum())} of {repetitions} random splits; "
            "the history has too few units or hardly any values other than one"
        )
    binomial = binomtest(int((p < expected).sum()), repetitions, expected)
    interval = binomial.proportion_ci(0.95, method="exact")
    rate = Estimate(float(binomial.statistic), float(interval.low), float(interval.high))
    return AACheck(rate, expected, float(binomial.pvalue), float(kstest(p, "uniform").pvalue), repetitions)
