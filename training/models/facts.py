"""What a bundle says of itself besides the model: a record a task, written and read by its own class.

On disk facts are JSON under the records' own names: estimates as [value, low, high], times in ISO 8601.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, Self

from evaluation.estimate import Estimate
from features.errors import ChecksumError


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What bundles of every task say.

    Args:
        currency: ISO 4217 code of all money.
        timezone: Zone of all times.
        outputs: What the columns of a prediction are called, K of them.
        data_until: What it was trained on ends before this.
        judged_at: The judged cutoff; of uplift, the last assignment.
        span_days: Days of outcome that were judged.
        ledger: Tables that orders were derived from, if they were.
    """

    currency: str
    timezone: str
    outputs: tuple[str, ...]
    data_until: datetime
    judged_at: datetime
    span_days: int
    ledger: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As a bundle keeps them, JSON-able."""
        return {fact.name: _plain(getattr(self, fact.name)) for fact in fields(self)}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Read what a bundle keeps.

        Raises:
            ChecksumError: A fact is missing.
        """
        try:
            # What older bundles do not say has a default that is true of them.
            told = [fact for fact in fields(cls) if fact.name in kept or fact.default is MISSING]
            return cls(**{fact.name: cls._typed(fact.name, kept[fact.name]) for fact in told})
        except KeyError as error:
            raise ChecksumError(f"the model does not say {error}; train again") from error

    @classmethod
    def _typed(cls, name: str, value: Any) -> Any:
        if name in ("data_until", "judged_at"):
            return datetime.fromisoformat(value)
        return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, kw_only=True)
class LtvFacts(Facts):
    """What a bundle of lifetime value says.

    Args:
        horizon_days: Days of money.
        discount_rate: A year.
        interval: Nominal coverage of prediction intervals.
        tiers: Least value by tier.
    """

    horizon_days: int
    discount_rate: float
    interval: float
    tiers: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class ChurnFacts(Facts):
    """What a bundle of churn says.

    Args:
        horizons_days: By when accounts have left, K of them.
        silence_days: Days of silence after the last horizon.
    """

    horizons_days: tuple[int, ...]
    silence_days: int


@dataclass(frozen=True, kw_only=True)
class UpliftFacts(Facts):
    """What a bundle of uplift says.

    Args:
        experiment: What it learnt from.
        control: The arm that was left alone.
        question: What was asked of the experiment; see `evaluation.experiments.enrolment.question`.
        customers: By arm.
        observational: Whether nobody drew the arms.
        smallest_propensity: Before anything was clipped.
        learner: The best one.
        proven: Whether its ranking was shown to be better than treating everyone the same.
        p_better: Of that.
        level: Nominal coverage of the bands that are served.
        winsorised: Bounds the outcome was brought into.
        effects: Mean effect by arm.
        costs: Of one treatment by arm.
        ranking: The learner's metrics by arm and name.
    """

    experiment: str
    control: str
    question: str
    customers: Mapping[str, int]
    observational: bool
    smallest_propensity: float
    learner: str
    proven: bool
    p_better: float
    level: float
    winsorised: tuple[float | None, float | None]
    effects: Mapping[str, Estimate]
    costs: Mapping[str, float]
    ranking: Mapping[str, Mapping[str, Estimate]]

    @classmethod
    def _typed(cls, name: str, value: Any) -> Any:
        if name == "effects":
            return {arm: Estimate(*ends) for arm, ends in value.items()}
        if name == "ranking":
            return {arm: cls._typed("effects", metrics) for arm, metrics in value.items()}
        return super()._typed(name, value)


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return [value.value, value.low, value.high]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(element) for key, element in value.items()}
    return [_plain(element) for element in value] if isinstance(value, tuple) else value
