"""One arm against control: effects, what comes after the horizon, and what it earned; or why there is none."""

from dataclasses import dataclass, replace

import numpy as np

from evaluation.effects.analysis import Analysis
from evaluation.effects.effect import Effect, mean_effect, ratio_effect
from evaluation.effects.returns import Surrogate, long_term_effect, net_return, roi
from evaluation.effects.trial import CONTROL, Trial
from evaluation.effects.units import Bools
from evaluation.estimate import Estimate
from evaluation.experiments.records import Measure, MeasureEffect, Return
from features.errors import ExperimentError
from features.types import Floats

_SILENCE = 1e-6
"""Chance of nothing in a whole arm below which it is taken for missing data."""


@dataclass(frozen=True, eq=False)
class Pair:
    """An arm and control.

    Args:
        trial: Who was in which arm.
        arm: Index of the arm.
        analysis: How arms are compared, of all n customers of the trial; what is adjusted for comes with
            the measures.
    """

    trial: Trial
    arm: int
    analysis: Analysis

    @property
    def name(self) -> str:
        """Of the arm."""
        return self.trial.arms[self.arm]

    def known(self, *columns: Floats) -> Bools:
        """Customers of both arms for whom all columns [n] are known, bool [n]."""
        members = np.isin(self.trial.arm, (CONTROL, self.arm))
        for column in columns:
            members &= np.isfinite(column)
        return members

    def treated(self, rows: Bools) -> Bools:
        """Who of some customers was in the arm, [rows]."""
        return np.asarray(self.trial.arm[rows] == self.arm, dtype=np.bool_)

    def of_rows(self, rows: Bools, before: Floats | None) -> Analysis:
        """How some customers are compared, with what is adjusted for [n, p]."""
        return replace(self.analysis, before=before).of_rows(rows)

    def effect(self, measure: Measure, *, adjusted: bool, rows: Bools | None = None) -> Effect:
        """The arm against control.

        Args:
            measure: Of all customers.
            adjusted: Whether to adjust by what was known before.
            rows: Customers to look at [n], all if not given.

        Raises:
            ExperimentError: The outcome is missing for one arm, or too few are left.
        """
        trial, finite = self.trial, np.isfinite(measure.value)
        members = self.known() if rows is None else self.known() & rows
        for k in (CONTROL, self.arm):
            here = members & (trial.arm == k)
            if here.any() and not finite[here].any():
                raise ExperimentError(
                    f"{measure.name} is missing for all {int(here.sum())} customers of arm {trial.arms[k]!r} and "
                    "known for others; an outcome must be recorded in every arm alike"
                )
        members &= finite
        self.refuse_silence(measure, members)
        analysis = self.of_rows(members, measure.before if adjusted else None)
        value, treated = measure.value[members], self.treated(members)
        if measure.per is not None:
            return ratio_effect(value, measure.per[members], treated, analysis)
        return mean_effect(value, treated, analysis)

    def refuse_silence(self, measure: Measure, rows: Bools) -> None:
        """Refuse an arm in which nothing at all happened, where much would have: it was not recorded.

        Raises:
            ExperimentError: There is such an arm.
        """
        some = [measure.value[rows & (self.trial.arm == k)] != 0 for k in (CONTROL, self.arm)]
        for k, here, there in ((CONTROL, *some), (self.arm, *reversed(some))):
            chance = (1 - float(there.mean())) ** len(here) if len(here) and len(there) else 1.0
            if not here.any() and chance < _SILENCE:
                raise ExperimentError(
                    f"{measure.name} is 0 for all {len(here)} customers of arm {self.trial.arms[k]!r} and not for "
                    f"{there.mean():.0%} of the others; an outcome must be recorded in every arm alike, and one that "
                    "an arm cannot have (clicks on an e-mail it did not get) compares nothing"
                )

    def on_measure(self, measure: Measure) -> MeasureEffect:
        """The effect without and with adjustment, or why it was refused."""
        try:
            plain = self.effect(measure, adjusted=False)
            adjusted = None if measure.before is None else self.effect(measure, adjusted=True)
        except ExperimentError as error:
            return MeasureEffect(self.name, measure.name, None, None, float("nan"), str(error))
        return MeasureEffect(self.name, measure.name, plain, adjusted, (adjusted or plain).p)

    def in_the_long_term(self, margin: Measure, after: Surrogate) -> MeasureEffect:
        """Margin in the horizon and LTV after it [n], whose own error is in the interval."""
        rows = self.known(margin.value, after.predicted)
        both = [None] if margin.before is None else [None, margin.before]
        try:
            self.refuse_silence(margin, rows)
            effects = [
                long_term_effect(
                    margin.value[rows], self.treated(rows), after.of_rows(rows), self.of_rows(rows, before)
                )
                for before in both
            ]
        except ExperimentError as error:
            return MeasureEffect(self.name, "ltv", None, None, float("nan"), str(error))
        adjusted = effects[1] if len(effects) > 1 else None
        return MeasureEffect(self.name, "ltv", effects[0], adjusted, effects[-1].p)

    def earned(self, margin: Measure, cost: float, after: Surrogate | None) -> Return | None:
        """What the arm earned for what one treatment cost; None where margin cannot be compared."""
        rows = self.known(margin.value, *(() if after is None else (after.predicted,)))
        value, treated, analysis = margin.value[rows], self.treated(rows), self.of_rows(rows, margin.before)
        later = None if after is None else after.of_rows(rows)
        try:
            self.refuse_silence(margin, rows)
            if later is not None:
                gain = long_term_effect(value, treated, later, analysis).absolute
            else:
                gain = mean_effect(value, treated, analysis).absolute
        except ExperimentError:
            # The effect on margin says why; the other arms are no worse for it.
            return None
        customers = int((self.trial.arm == self.arm).sum())
        total = Estimate(*(customers * end for end in (gain.value, gain.low, gain.high)))
        paid = roi(value, treated, cost, analysis, after=later) if cost > 0 else None
        net = net_return(value, treated, cost, analysis, after=later) if cost > 0 else gain
        return Return(self.name, customers, cost, gain, net, total, paid, later is not None)
