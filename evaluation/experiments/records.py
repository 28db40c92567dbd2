"""What an experiment's readout says: plain records, the same for the report, for JSON and for the terminal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from evaluation.effects.effect import Effect
from evaluation.effects.sampleratio import SampleRatio
from evaluation.effects.segments import DIFFER, Segments
from evaluation.effects.sequential import Look
from evaluation.estimate import Estimate
from evaluation.experiments.targeting import UpliftReading
from evaluation.jsonable import jsonable
from features.types import Floats

Unit = Literal["money", "count", "share", "ratio"]


class Role(StrEnum):
    """Where a measure stands between a click and what an account is worth."""

    SHORT = "short"
    HORIZON = "horizon"
    LONG = "long"


@dataclass(frozen=True, eq=False)
class Measure:
    """One thing that arms are compared by.

    Args:
        name: Such as ``margin``; reports have words for it.
        unit: Of the value; ``ratio`` is money per unit of ``per``.
        role: Short term, in the horizon, or beyond it.
        days: Days after the assignment that it covers.
        value: [n]; NaN where it is missing.
        per: Denominators [n] of a ratio.
        before: Pre-period columns [n, p] to adjust by; none if not given.
    """

    name: str
    unit: Unit
    role: Role
    days: int
    value: Floats
    per: Floats | None = None
    before: Floats | None = None


@dataclass(frozen=True)
class Warned:
    """Something odd about an experiment that the readout goes on in spite of.

    Args:
        code: What, in a word, such as ``two_arms``, ``unfinished``, ``small_arm``, ``missing``.
        count: Customers it concerns.
        example: One customer id, arm or value, if there is one to show.
        message: The sentence.
    """

    code: str
    count: int
    example: str | None
    message: str


@dataclass(frozen=True)
class MeasureEffect:
    """One arm against control on one measure.

    Args:
        arm: Which.
        measure: Which.
        plain: Without any adjustment; None where it was refused.
        adjusted: Adjusted by what was known before; the one that counts where it is there.
        p: Of the one that counts, adjusted for how many were looked at: Holm over the arms for the
            primary measure, Benjamini–Hochberg over arms and measures for the others; NaN where refused.
        refused: Why there is no effect.
    """

    arm: str
    measure: str
    plain: Effect | None
    adjusted: Effect | None
    p: float
    refused: str | None = None

    @property
    def best(self) -> Effect | None:
        """The one that counts."""
        return self.adjusted or self.plain


@dataclass(frozen=True)
class MeasureFacts:
    """A measure without its values.

    Args:
        name: As in `Measure`.
        unit: As in `Measure`.
        role: As in `Measure`.
        days: As in `Measure`.
        missing: Share of customers without a value.
        low: Lower bound it was winsorised at; None where it was not.
        high: Upper bound.
        beyond: Customers beyond the bounds.
    """

    name: str
    unit: Unit
    role: Role
    days: int
    missing: float
    low: float | None
    high: float | None
    beyond: int


@dataclass(frozen=True)
class SegmentReading:
    """Effects of one arm on the primary measure by segment.

    Args:
        arm: Which.
        dimension: Such as ``industry``.
        segments: The effects, each with an interval.
        p: That all segments have the same effect, adjusted by Holm for all the arms and dimensions
            looked at.
    """

    arm: str
    dimension: str
    segments: Segments
    p: float

    @property
    def differ(self) -> bool:
        """Whether it is proven that the effect depends on the segment; if not, it is one effect for all."""
        return self.p < DIFFER


@dataclass(frozen=True)
class CoursePoint:
    """The primary measure as it grew with the days since the assignment.

    Args:
        arm: Which.
        day: Days since the assignment.
        effect: Effect until then, with the usual interval.
        together: The same with an interval that holds at all days shown at once.
    """

    arm: str
    day: int
    effect: Estimate
    together: Estimate


@dataclass(frozen=True)
class Return:
    """What an arm earned for what it cost.

    Args:
        arm: Which.
        customers: Treated.
        cost: Of one treatment.
        per_customer: Incremental margin in the horizon, or that and LTV predicted for what comes after.
        net: The same less the cost.
        total: Incremental LTV of all treated.
        roi: Incremental LTV / cost; None without a cost.
        beyond: Whether LTV predicted for after the horizon is in it.
    """

    arm: str
    customers: int
    cost: float
    per_customer: Estimate
    net: Estimate
    total: Estimate
    roi: Estimate | None
    beyond: bool


class Code(StrEnum):
    """The verdict in a word."""

    BLOCKED = "blocked"
    GAIN = "gain"
    LOSS = "loss"
    MIXED = "mixed"
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class Verdict:
    """What stands at the top.

    Args:
        code: In a word: the sample ratio is broken; some arm gains; some arm loses; both; nothing proven.
        gains: Arms that raise the primary measure, the greatest effect first.
        losses: Arms that lower it.
    """

    code: Code
    gains: tuple[str, ...]
    losses: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Readout:
    """Everything a report shows of one experiment.

    Args:
        project: Name of the project.
        experiment: Its id.
        currency: ISO 4217 code of all money.
        timezone: Zone of all times.
        arms: Names, control first.
        sizes: Customers by arm.
        first: First assignment.
        last: Last assignment.
        data_until: Outcomes are known before this.
        horizon_days: Days of margin that arms are judged by.
        level: Of all intervals.
        randomised: False marks everything as observational.
        ratio: Sample-ratio check; None where the planned shares are not known.
        primary: The measure that decides.
        measures: What was measured.
        effects: Arm by measure.
        before: Each arm against control on the primary measure before the assignment, where there
            is nothing to find: an A/A check of the very customers.
        segments: By arm and dimension.
        course: By arm and day.
        looks: Anytime-valid sequence by arm, where customers were assigned over many days.
        returns: By arm, margin in the horizon only; this, effects, segments, course and looks are empty
            where the verdict is blocked.
        lasting: By arm, LTV predicted for after the horizon as well: what an arm earned if customers
            stay as they are then. Empty without a champion of LTV.
        verdict: The finding.
        warnings: What was odd.
        uplift: Whom to treat, if a model was trained on this experiment.
        made: When the readout was made.
    """

    project: str
    experiment: str
    currency: str
    timezone: str
    arms: tuple[str, ...]
    sizes: Mapping[str, int]
    first: datetime
    last: datetime
    data_until: datetime
    horizon_days: int
    level: float
    randomised: bool
    ratio: SampleRatio | None
    primary: str
    measures: tuple[MeasureFacts, ...]
    effects: tuple[MeasureEffect, ...]
    before: tuple[MeasureEffect, ...]
    segments: tuple[SegmentReading, ...]
    course: tuple[CoursePoint, ...]
    looks: Mapping[str, tuple[Look, ...]]
    returns: tuple[Return, ...]
    lasting: tuple[Return, ...]
    verdict: Verdict
    warnings: tuple[Warned, ...]
    made: datetime
    uplift: UpliftReading | None = field(default=None)

    def effect(self, arm: str, measure: str) -> MeasureEffect:
        """One arm on one measure.

        Raises:
            KeyError: It was not measured.
        """
        for measured in self.effects:
            if measured.arm == arm and measured.measure == measure:
                return measured
        raise KeyError(f"{measure} of {arm}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, every number as in the report; what is not known is null."""
        document: dict[str, Any] = jsonable(self)
        return document


def verdict(
    effects: Iterable[MeasureEffect], primary: str, ratio: SampleRatio | None, level: float
) -> Verdict:
    """The finding: nothing where the sample ratio is broken, else what is proven of the primary measure."""
    if ratio is not None and ratio.broken:
        return Verdict(Code.BLOCKED, (), ())
    proven = [
        effect
        for effect in effects
        if effect.measure == primary and effect.best is not None and effect.p < 1 - level
    ]
    by_effect = sorted(proven, key=lambda effect: -effect.best.absolute.value if effect.best else 0.0)
    gains = tuple(effect.arm for effect in by_effect if effect.best and effect.best.absolute.value > 0)
    losses = tuple(
        effect.arm for effect in reversed(by_effect) if effect.best and effect.best.absolute.value < 0
    )
    code = Code.MIXED if gains and losses else Code.GAIN if gains else Code.LOSS if losses else Code.UNPROVEN
    return Verdict(code, gains, losses)
