"""Whom to treat: what an uplift model of the same experiment says, as a record."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.estimate import Estimate
from evaluation.uplift.curves import Curve
from evaluation.uplift.policy import Threshold
from evaluation.uplift.policy_value import GainCurve


@dataclass(frozen=True)
class Ahead:
    """Choosing by model against one arm for everyone, without a budget.

    Args:
        arm: The best for everyone, by what is expected.
        gain: What choosing brings more, net, per customer; on the same customers.
    """

    arm: str
    gain: Estimate


@dataclass(frozen=True, eq=False)
class UpliftReading:
    """Whom to treat: an uplift model of the same experiment on customers it had not seen.

    Args:
        learner: The best one.
        proven: Whether its ranking is better than treating everyone the same.
        p: Of that, adjusted for the number of learners.
        qini: Of the learner by arm.
        autoc: Of the learner by arm.
        learners: Mean Qini over the arms by learner.
        toc: TOC curve by arm.
        curves: Qini curve by arm.
        gain: Net gain of the policy, of the best constant arm and at random, by budget; per customer.
        rules: Whom the policy without a budget treats, by segment and arm.
        costs: Of one treatment by arm.
        ahead: Against the best arm for everyone; None where nothing is proven or no arm pays for all.
        version: Of the registered model.
    """

    learner: str
    proven: bool
    p: float
    qini: Mapping[str, Estimate]
    autoc: Mapping[str, Estimate]
    learners: Mapping[str, Estimate]
    toc: Mapping[str, Curve]
    curves: Mapping[str, Curve]
    gain: GainCurve
    rules: tuple[Threshold, ...]
    costs: Mapping[str, float]
    ahead: Ahead | None = None
    version: int | None = None
