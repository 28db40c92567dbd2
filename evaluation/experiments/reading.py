"""Reading an experiment: arrays in, findings out. What happened must be known to the last number here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import chi2_contingency

from evaluation.effects.effect import Effect, mean_effect, ratio_effect
from evaluation.effects.multiplicity import benjamini_hochberg, holm
from evaluation.effects.returns import Calibration, long_term_effect, net_return, roi
from evaluation.effects.sampleratio import SampleRatio, check_trial
from evaluation.effects.segments import segment_effects
from evaluation.effects.sequential import Look, confidence_sequence
from evaluation.effects.trial import CONTROL, Trial
from evaluation.effects.units import MIN_UNITS
from evaluation.estimate import Estimate
from evaluation.experiments.records import (
    CoursePoint,
    Measure,
    MeasureEffect,
    Return,
    Role,
    SegmentReading,
    Warned,
)
from features.errors import ExperimentError
from features.types import DAY, Floats

_ATTRITION = 0.001
_SILENCE = 1e-6
"""Chance of nothing in a whole arm below which it is taken for missing data."""
_OTHER = "other"
_MOST_SEGMENTS = 8
_LOOK_DAYS = 10
"""Days of assignments from which a daily confidence sequence makes sense."""


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
        sizes = [self._units(trial.arm == k) for k in range(len(trial.arms))]
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
        found = [k for k in range(1, len(trial.arms)) if k not in small]
        if not found:
            raise ExperimentError(
                f"experiment {trial.name}: no arm has the {MIN_UNITS} {self._what} needed "
                f"({', '.join(f'{arm} {n}' for arm, n in zip(trial.arms, sizes, strict=True))}); wait for more"
            )
        return found, warnings

    @property
    def _what(self) -> str:
        return "customers" if self.trial.clusters is None else "clusters"

    def _units(self, rows: npt.NDArray[np.bool_]) -> int:
        clusters = self.trial.clusters
        return int(rows.sum()) if clusters is None else len(np.unique(clusters[rows]))

    def effect(
        self, measure: Measure, arm: int, *, adjusted: bool, rows: npt.NDArray[np.bool_] | None = None
    ) -> Effect:
        """One arm against control.

        Args:
            measure: Of all customers.
            arm: Index of the arm.
            adjusted: Whether to adjust by what was known before.
            rows: Customers to look at [n], all if not given.

        Raises:
            ExperimentError: The outcome is missing for one arm, or too few are left.
        """
        trial = self.trial
        mine = (trial.arm == CONTROL) | (trial.arm == arm)
        if rows is not None:
            mine &= rows
        known = np.isfinite(measure.value)
        for k in (CONTROL, arm):
            here = mine & (trial.arm == k)
            if here.any() and not known[here].any():
                raise ExperimentError(
                    f"{measure.name} is missing for all {int(here.sum())} customers of arm {trial.arms[k]!r} and "
                    "known for others; an outcome must be recorded in every arm alike"
                )
        mine &= known
        self._refuse_silence(measure, arm, mine)
        options: dict[str, Any] = {
            "clusters": None if trial.clusters is None else trial.clusters[mine],
            "weight": None if self.weight is None else self.weight[mine],
            "before": measure.before[mine] if adjusted and measure.before is not None else None,
        }
        treated = trial.arm[mine] == arm
        if measure.per is not None:
            return ratio_effect(
                measure.value[mine], measure.per[mine], treated, **options, level=self.level, seed=self.seed
            )
        return mean_effect(measure.value[mine], treated, **options, level=self.level, seed=self.seed)

    def _refuse_silence(self, measure: Measure, arm: int, mine: npt.NDArray[np.bool_]) -> None:
        """An arm in which nothing at all happened, where much would have: what happened was not recorded."""
        some = [measure.value[mine & (self.trial.arm == k)] != 0 for k in (CONTROL, arm)]
        for k, here, there in ((CONTROL, *some), (arm, *reversed(some))):
            chance = (1 - float(there.mean())) ** len(here) if len(here) and len(there) else 1.0
            if not here.any() and chance < _SILENCE:
                raise ExperimentError(
                    f"{measure.name} is 0 for all {len(here)} customers of arm {self.trial.arms[k]!r} and not for "
                    f"{there.mean():.0%} of the others; an outcome must be recorded in every arm alike, and one that "
                    "an arm cannot have (clicks on an e-mail it did not get) compares nothing"
                )

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
        after: Floats | None = None,
        calibrated: Calibration | None = None,
    ) -> list[MeasureEffect]:
        """All arms on all measures, p values adjusted for how many there are.

        Args:
            measures: What arms are compared by, the primary one among them.
            arms: Indices.
            primary: The measure that decides.
            after: LTV predicted at the horizon's end for what comes after it [n].
            calibrated: How such predictions did before; with both, ``ltv`` is among the effects.
        """
        found = [self._either(measure, arm) for measure, arm in product(measures, arms)]
        if after is not None and calibrated is not None:
            margin = next(each for each in measures if each.name == primary)
            found += [self._long(margin, arm, after, calibrated) for arm in arms]
        is_primary = np.array([each.measure == primary for each in found], np.bool_)
        p = np.array([each.p for each in found], np.float64)
        p[is_primary] = holm(p[is_primary])
        p[~is_primary] = benjamini_hochberg(p[~is_primary])
        return [replace(each, p=float(value)) for each, value in zip(found, p, strict=True)]

    def _either(self, measure: Measure, arm: int) -> MeasureEffect:
        name = self.trial.arms[arm]
        try:
            plain = self.effect(measure, arm, adjusted=False)
            adjusted = None if measure.before is None else self.effect(measure, arm, adjusted=True)
        except ExperimentError as error:
            return MeasureEffect(name, measure.name, None, None, float("nan"), str(error))
        return MeasureEffect(name, measure.name, plain, adjusted, (adjusted or plain).p)

    def _long(self, margin: Measure, arm: int, after: Floats, calibrated: Calibration) -> MeasureEffect:
        """Margin in the horizon and LTV after it, whose own error is in the interval."""
        trial, name = self.trial, self.trial.arms[arm]
        mine = np.isin(trial.arm, (CONTROL, arm)) & np.isfinite(margin.value) & np.isfinite(after)
        both = [None] if margin.before is None else [None, margin.before[mine]]
        try:
            self._refuse_silence(margin, arm, mine)
            effects = [
                long_term_effect(
                    margin.value[mine], after[mine], trial.arm[mine] == arm, calibrated, before=before,
                    clusters=None if trial.clusters is None else trial.clusters[mine],
                    weight=None if self.weight is None else self.weight[mine],
                    level=self.level, seed=self.seed,
                )
                for before in both
            ]  # fmt: skip
        except ExperimentError as error:
            return MeasureEffect(name, "ltv", None, None, float("nan"), str(error))
        adjusted = effects[1] if len(effects) > 1 else None
        return MeasureEffect(name, "ltv", effects[0], adjusted, effects[-1].p)

    def segments(
        self, measure: Measure, arms: Sequence[int], dimensions: Mapping[str, npt.NDArray[np.str_]]
    ) -> list[SegmentReading]:
        """Effects by segment; segments too small to be read alone are read together."""
        found, reach = [], float(ndtri((1 + self.level) / 2))
        for arm, (dimension, labels) in product(arms, dimensions.items()):
            grouped = self._grouped(labels, arm)
            names, effects = [], []
            for name in sorted(set(grouped.tolist())):
                try:
                    effects.append(self.effect(measure, arm, adjusted=True, rows=grouped == name))
                except ExperimentError:
                    # Too few, or all alike: there is nothing to say of this one.
                    continue
                names.append(name)
            if len(names) < 2:
                continue
            segments = segment_effects(
                names,
                [each.absolute.value for each in effects],
                # From the interval that holds on uneven money, not from the standard error that does not.
                [(each.absolute.high - each.absolute.low) / (2 * reach) for each in effects],
                [each.n_treated + each.n_control for each in effects],
                level=self.level,
            )
            p = segments.heterogeneity_p
            own = holm([each.p for each in effects])
            rows = (
                replace(row, raw=each.absolute, p_adjusted=float(p_own))
                for row, each, p_own in zip(segments.rows, effects, own, strict=True)
            )
            segments = replace(segments, rows=tuple(rows))
            found.append(SegmentReading(self.trial.arms[arm], dimension, segments, p))
        adjusted = holm([each.p for each in found])
        return [replace(each, p=float(p)) for each, p in zip(found, adjusted, strict=True)]

    def _grouped(self, labels: npt.NDArray[np.str_], arm: int) -> npt.NDArray[np.str_]:
        names, code = np.unique(labels, return_inverse=True)
        fewest = np.array([
            min(self._units((code == k) & (self.trial.arm == each)) for each in (CONTROL, arm))
            for k in range(len(names))
        ])  # fmt: skip
        largest = np.argsort(-np.bincount(code, minlength=len(names)), kind="stable")[:_MOST_SEGMENTS]
        keep = np.zeros(len(names), bool)
        keep[largest] = fewest[largest] >= MIN_UNITS
        grouped: npt.NDArray[np.str_] = np.where(keep[code], labels, _OTHER)
        return grouped

    def course(
        self, grown: Mapping[int, Floats], arms: Sequence[int], before: Floats | None
    ) -> list[CoursePoint]:
        """The effect as it grew.

        Args:
            grown: The primary measure until so many days after the assignment [n], by days.
            arms: Indices.
            before: Columns to adjust by.
        """
        found = []
        for arm, (day, value) in product(arms, sorted(grown.items())):
            measure = Measure("course", "money", Role.HORIZON, day, value, before=before)
            try:
                effect = self.effect(measure, arm, adjusted=before is not None)
                # Bonferroni over the days: each look holds although all of them are looked at.
                level = 1 - (1 - self.level) / len(grown)
                wide = replace(self, level=level).effect(measure, arm, adjusted=before is not None)
            except ExperimentError:
                continue
            found.append(CoursePoint(self.trial.arms[arm], day, effect.absolute, wide.absolute))
        return found

    def looks(self, measure: Measure, arms: Sequence[int]) -> dict[str, tuple[Look, ...]]:
        """Anytime-valid sequences over the days of assignment, where there are many of them."""
        trial = self.trial
        # The sequence knows no weights: where arms were not equally likely for all it would be biased.
        if self.weight is not None or len(np.unique(trial.assigned_at // DAY)) < _LOOK_DAYS:
            return {}
        found = {}
        for arm in arms:
            mine = np.isin(trial.arm, (CONTROL, arm)) & np.isfinite(measure.value)
            try:
                self._refuse_silence(measure, arm, mine)
                found[trial.arms[arm]] = confidence_sequence(
                    measure.value[mine], trial.arm[mine] == arm, trial.assigned_at[mine] + measure.days * DAY, planned=self._units(mine),
                    level=self.level, clusters=None if trial.clusters is None else trial.clusters[mine],
                )  # fmt: skip
            except ExperimentError:
                continue
        return found

    def returns(
        self,
        margin: Measure,
        arms: Iterable[int],
        costs: Mapping[str, float],
        after: Floats | None = None,
        calibrated: Calibration | None = None,
    ) -> list[Return]:
        """What each arm earned for what it cost; arms whose margin cannot be compared are left out.

        Args:
            margin: Margin in the horizon.
            arms: Indices.
            costs: Of one treatment, by arm; 0 where it is not named.
            after: LTV predicted at the horizon's end for what comes after it [n].
            calibrated: How such predictions did before; without it they are not used.
        """
        trial, found = self.trial, []
        beyond = after is not None and calibrated is not None
        for arm in arms:
            name = trial.arms[arm]
            mine = np.isin(trial.arm, (CONTROL, arm)) & np.isfinite(margin.value)
            if after is not None:
                mine &= np.isfinite(after)
            treated, cost = trial.arm[mine] == arm, float(costs.get(name, 0.0))
            options: dict[str, Any] = {
                "before": None if margin.before is None else margin.before[mine],
                "clusters": None if trial.clusters is None else trial.clusters[mine],
                "weight": None if self.weight is None else self.weight[mine],
                "level": self.level,
                "seed": self.seed,
            }
            value = margin.value[mine]
            try:
                self._refuse_silence(margin, arm, mine)
                if after is not None and calibrated is not None:
                    gain = long_term_effect(value, after[mine], treated, calibrated, **options).absolute
                    options |= {"predicted_after": after[mine], "calibrated": calibrated}
                else:
                    gain = mean_effect(value, treated, **options).absolute
            except ExperimentError:
                # The effect on margin says why; the other arms are no worse for it.
                continue
            customers = int((trial.arm == arm).sum())
            total = Estimate(*(customers * each for each in (gain.value, gain.low, gain.high)))
            paid = roi(value, treated, cost, **options) if cost > 0 else None
            net = net_return(value, treated, cost, **options) if cost > 0 else gain
            found.append(Return(name, customers, cost, gain, net, total, paid, beyond))
        return found
