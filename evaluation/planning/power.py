"""Power of an experiment on money, by running it again and again on the user's own history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from evaluation.effects.welch import Test, checked_values, welch
from evaluation.estimate import Estimate
from evaluation.planning.sizes import STANDARD, Design, units_of_arms
from features.types import Floats

Change = Callable[[Floats, np.random.Generator], Floats]
"""What a treatment does to values [n]."""


@dataclass(frozen=True)
class PowerAt:
    """Power found by resampling.

    Args:
        units: Randomised units of all arms together.
        power: Share of resamples in which the effect was found, with the exact 95 % interval
            (Clopper and Pearson 1934) that says how far the number of draws makes it uncertain.
    """

    units: int
    power: Estimate


def multiplicative(relative: float) -> Change:
    """Everybody spends more by the same share, and who spends nothing still spends nothing."""
    return lambda value, _: value * (1 + relative)


def plan_by_resampling(
    history: ArrayLike,
    sizes: Sequence[int],
    *,
    change: Change,
    design: Design = STANDARD,
    clusters: ArrayLike | None = None,
    test: Test = welch,
    draws: int = 500,
    seed: int = 7,
) -> tuple[PowerAt, ...]:
    """Power at several sizes, by running the experiment on resamples of the user's own history.

    Each draw takes units from the history with replacement, puts them in control and one
    treatment, changes the values of the treated and tests at the design's level. What the history
    cannot show, such as a customer larger than any seen, the plan does not know either.

    Args:
        history: The metric of each row over a stretch as long as the experiment's [n].
        sizes: Randomised units, all arms together, to be tried.
        change: What a treatment does, such as ``multiplicative(0.1)``.
        design: Level, treatments and shares; the rest follows from the history.
        clusters: What is randomised as a whole, a label for each row [n].
        test: The test that the readout will use; where it gives NaN, nothing is found.
        draws: Resamples a size.
        seed: Of all draws.

    Raises:
        ExperimentError: The history is not numbers, or a size leaves an arm with fewer than two units.
    """
    values, code = checked_values(history, clusters)
    order = np.arange(len(values)) if code is None else np.argsort(code, kind="stable")
    lengths = np.ones(len(values), np.intp) if code is None else np.bincount(code)
    begins = np.cumsum(lengths) - lengths
    generator = np.random.default_rng(seed)
    curve = []
    for size in sizes:
        control, treated = (round(arm) for arm in units_of_arms(size, design))
        significant = 0
        for _ in range(draws):
            drawn = generator.integers(0, len(lengths), control + treated)
            rows = lengths[drawn]
            unit = np.repeat(np.arange(len(drawn)), rows)
            row = np.arange(len(unit)) + np.repeat(begins[drawn] - (np.cumsum(rows) - rows), rows)
            sample, arm = values[order[row]], unit >= control
            sample[arm] = change(sample[arm], generator)
            significant += test(sample, arm, None if code is None else unit) < design.alpha
        interval = binomtest(significant, draws).proportion_ci(0.95, method="exact")
        curve.append(PowerAt(size, Estimate(significant / draws, float(interval.low), float(interval.high))))
    return tuple(curve)
