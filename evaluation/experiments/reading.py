"""Reading an experiment: arrays in, findings out. What happened must be known to the last number here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.stats import chi2_contingency

from evaluation.effects.analysis import Analysis
from evaluation.effects.multiplicity import benjamini_hochberg, holm
from evaluation.effects.returns import Surrogate
from evaluation.effects.sampleratio import SampleRatio, check_trial
from evaluation.effects.trial import CONTROL, Trial
from evaluation.effects.units import MIN_UNITS, Bools
from evaluation.experiments.pair import Pair
from evaluation.experiments.records import (
    Measure,
    MeasureEffect,
    Return,
    Warned,
)
from features.errors import ExperimentError
from features.types import Floats

_ATTRITION = 0.001


@dataclass(frozen=True, eq=False)
class Reading:
    """An experiment being read.

    Args:
        trial: Who was in which arm.
        designed: Whether its propensities are those of the design.
        level: Nominal coverage of all intervals.
        seed: Of everything random.
    """

    trial: Trial
    designed: bool = True
    level: float = 0.95
    seed: int = 7

    @property
    def weight(self) -> Floats | None:
        """Inverse propensities [n], where they are not the same for all customers of an arm."""
        trial = self.trial
        own = trial.propensity[np.arange(len(trial)), trial.arm]
        spread = [np.ptp(own[trial.arm == k]) for k in range(len(trial.arms)) if (trial.arm == k).any()]
        return None if max(spread) < 1e-9 else 1 / own

    def ratio(self) -> SampleRatio | None:
        """The sample-ratio check; None where the planned shares are not known, or arms were not drawn."""
        if not (self.designed and self.trial.randomised):
            return None
        return check_trial(self.trial, seed=self.seed)

    def readable(self) -> tuple[list[int], list[Warned]]:
        """Arms with enough customers to be read, without control, and a warning for each other.

        Raises:
            ExperimentError: Control is too small.
        """
        trial = self.trial
        sizes = [self.units(trial.arm == k) for k in range(len(trial.arms))]
        if sizes[CONTROL] < MIN_UNITS:
            raise ExperimentError(
                f"experiment {trial.name}: control {trial.arms[CONTROL]!r} has {sizes[CONTROL]} {self._what} and "
                f"{MIN_UNITS} are needed to compare with; wait for more, or keep more of them out of treatment"
            )
        small = [k for k in range(1, len(trial.arms)) if sizes[k] < MIN_UNITS]
        warnings = [
            Warned(
                "small_arm" if trial.clusters is None else "few_clusters", sizes[k], trial.arms[k],
                f"arm {trial.arms[k]!r} has {sizes[k]} {self._what} and {MIN_UNITS} are needed, so it is not read",
            )
            for k in small
        ]  # fmt: skip
        large = [k for k in range(1, len(trial.arms)) if k not in small]
        if not large:
            raise ExperimentError(
                f"experiment {trial.name}: no arm has the {MIN_UNITS} {self._what} needed "
                f"({', '.join(f'{arm} {n}' for arm, n in zip(trial.arms, sizes, strict=True))}); wait for more"
            )
        return large, warnings

    @property
    def _what(self) -> str:
        return "customers" if self.trial.clusters is None else "clusters"

    def units(self, rows: Bools) -> int:
        """Of what was randomised, how much is in some rows [n]."""
        clusters = self.trial.clusters
        return int(rows.sum()) if clusters is None else len(np.unique(clusters[rows]))

    @property
    def analysis(self) -> Analysis:
        """How arms are compared, without what is adjusted for."""
        return Analysis(None, self.trial.clusters, self.weight, self.level, self.seed)

    def pair(self, arm: int) -> Pair:
        """One arm, by its index, against control."""
        return Pair(self.trial, arm, self.analysis)

    def attrition(self, measure: Measure) -> Warned | None:
        """A warning where the outcome is missing more often in one arm than in another."""
        missing = ~np.isfinite(measure.value)
        counts = np.array([
            [(missing & (self.trial.arm == k)).sum(), (~missing & (self.trial.arm == k)).sum()]
            for k in range(len(self.trial.arms))
        ])  # fmt: skip
        if not missing.any() or missing.all() or chi2_contingency(counts).pvalue >= _ATTRITION:
            return None
        shares = counts[:, 0] / counts.sum(axis=1)
        told = ", ".join(f"{arm} {share:.1%}" for arm, share in zip(self.trial.arms, shares, strict=True))
        return Warned(
            "missing", int(missing.sum()), measure.name,
            f"{measure.name} is missing more often in one arm than in another ({told}); who is left may differ, so "
            "take its effect with caution",
        )  # fmt: skip

    def effects(
        self,
        measures: Sequence[Measure],
        arms: Sequence[int],
        primary: str,
        *,
        after: Surrogate | None = None,
    ) -> list[MeasureEffect]:
        """All arms on all measures, p values adjusted for how many there are.

        Args:
            measures: What arms are compared by, the primary one among them.
            arms: Indices.
            primary: The measure that decides.
            after: LTV predicted at the horizon's end for what comes after it; with it, ``ltv`` is among
                the effects.
        """
        effects = [self.pair(arm).on_measure(measure) for measure, arm in product(measures, arms)]
        if after is not None:
            margin = next(measure for measure in measures if measure.name == primary)
            effects += [self.pair(arm).in_the_long_term(margin, after) for arm in arms]
        is_primary = np.array([effect.measure == primary for effect in effects], np.bool_)
        p = np.array([effect.p for effect in effects], np.float64)
        p[is_primary] = holm(p[is_primary])
        p[~is_primary] = benjamini_hochberg(p[~is_primary])
        return [replace(effect, p=float(value)) for effect, value in zip(effects, p, strict=True)]

    def returns(
        self,
        margin: Measure,
        arms: Iterable[int],
        costs: Mapping[str, float],
        after: Surrogate | None = None,
    ) -> list[Return]:
        """What each arm earned for what it cost; arms whose margin cannot be compared are left out.

        Args:
            margin: Margin in the horizon.
            arms: Indices.
            costs: Of one treatment, by arm; 0 where it is not named.
            after: LTV predicted at the horizon's end for what comes after it.
        """
        pairs = [self.pair(arm) for arm in arms]
        earned = [pair.earned(margin, float(costs.get(pair.name, 0.0)), after) for pair in pairs]
        return [of_arm for of_arm in earned if of_arm is not None]
