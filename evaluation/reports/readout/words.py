"""How an experiment's findings read: changes with their sign, p values, measures and segments in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.estimate import Estimate
from evaluation.experiments.records import Code, MeasureEffect, Readout, Unit
from evaluation.reports.charts import Axis, Sign
from evaluation.reports.numbers import NOTHING, Tick, plain_tick, signed
from evaluation.reports.words import Words

_FINE = 1000
"""From such an amount on, cents are noise."""


@dataclass(frozen=True)
class ReadoutWords(Words):
    """Texts and numbers of an experiment's page.

    Args:
        language: As in `Words`.
        currency: As in `Words`.
        whole: As in `Words`.
        page: As in `Words`.
        level: Of all intervals.
        observational: Whether everything that concludes is marked as not causal.
    """

    page: str = "experiment"
    level: float = 0.95
    observational: bool = False

    def heading(self, key: str) -> str:
        """The heading of a section that concludes something."""
        return self(key) + (self("mark.observational") if self.observational else "")

    def seen(self, key: str) -> str:
        """The key of a text, its observational twin where arms were not drawn."""
        return f"{key}_seen" if self.observational else key

    @property
    def sure(self) -> str:
        """The level, as in ``95 %``."""
        return self.percent(self.level, 0 if round(100 * self.level, 6) % 1 == 0 else 1)

    def enumerated(self, parts: list[str]) -> str:
        """An enumeration in a sentence."""
        if len(parts) < 2:
            return "".join(parts)
        return self("mark.last", rest=self.joined(parts[:-1]), last=parts[-1])

    def amount(self, unit: Unit, value: float) -> str:
        """A value of a measure."""
        if unit == "share":
            return self.percent(value)
        return self.number(value, 2) if unit == "count" else self.money(value)

    def end(self, unit: Unit, value: float) -> str:
        """An end of an interval of a change: of a share it is in percentage points."""
        if unit != "share":
            return self.amount(unit, value)
        return NOTHING if not np.isfinite(value) else self("mark.points", value=self.number(100 * value, 1))

    def change(self, unit: Unit, value: float) -> str:
        """A change, with its sign."""
        return signed(self.end(unit, value), value)

    def ends(self, unit: Unit, estimate: Estimate) -> str:
        """The interval of a change."""
        if unit == "share":
            low, high = (self.number(100 * end, 1) for end in (estimate.low, estimate.high))
            span = self.span(low, high)
            return span if span == NOTHING else self("mark.points", value=span)
        return self.span(self.end(unit, estimate.low), self.end(unit, estimate.high))

    def cell(self, unit: Unit, estimate: Estimate) -> tuple[str, str]:
        """A change over its interval, for a table."""
        return self.change(unit, estimate.value), self.ends(unit, estimate)

    def counted(self, noun: str, count: int) -> str:
        """So many of something, one in the singular."""
        return self(f"units.{noun}_{'one' if count == 1 else 'many'}", count=f"{count:,}")

    def totals(self, column: Sequence[Estimate]) -> list[tuple[str, str]]:
        """A column of sums over their intervals, for a table."""
        told = iter(self.sums([end for total in column for end in (total.value, total.low, total.high)]))
        return [
            (signed(value, total.value), self.span(low, high))
            for total, value, low, high in zip(column, told, told, told, strict=True)
        ]

    def relative(self, estimate: Estimate) -> tuple[str, str]:
        """A relative change over its interval, for a table."""
        span = self.span(self.percent(estimate.low), self.percent(estimate.high))
        return signed(self.percent(estimate.value), estimate.value), span

    def p(self, value: float) -> str:
        """A p value."""
        if not np.isfinite(value):
            return NOTHING
        return "< 0.001" if value < 0.001 else self.number(value)

    def p_is(self, value: float) -> str:
        """A p value as part of a sentence."""
        return f"p = {self.p(value)}".replace("= <", "<").replace(" ", "\u00a0")

    def measure(self, name: str) -> str:
        """What a measure is called; its own name where it is not one of ours."""
        return self.either(f"measures.{name}", name)

    def inside(self, name: str) -> str:
        """The same within a sentence."""
        return self.either(f"measures.{name}_inside", name)

    def dimension(self, name: str) -> str:
        """What customers are divided by."""
        return self.either(f"dimensions.{name}", name)

    def segment(self, dimension: str, name: str) -> str:
        """One segment; names are the user's own, except thirds of value and what had to be pooled."""
        key = f"{dimension}_{name}" if dimension == "value" else name
        return self.either(f"groups.{key}", name)

    def finding(self, sign: Sign) -> str:
        """What is proven, in a few words."""
        return self(self.seen(f"finding.{sign}"))

    def tick(self, unit: Unit) -> Tick:
        """Labels of an axis; those of a share are in percentage points."""
        if unit == "share":
            return lambda value: plain_tick(100 * value)
        return plain_tick if unit == "count" else self.amount_tick

    def axis_of(self, unit: Unit) -> Axis:
        """An axis of differences in such a unit."""
        return Axis(self(f"units.{unit}_change", currency=self.coin), self.tick(unit))


def coarse(amounts: Iterable[float]) -> bool:
    """Whether some amount is so large that money is told without decimals."""
    return max(map(abs, amounts), default=0.0) >= _FINE


def sign_of(effect: MeasureEffect, level: float) -> Sign:
    """Up or down only where that is proven after allowing for how many were looked at."""
    if effect.best is None or not effect.p < 1 - level:
        return "open"
    return "up" if effect.best.absolute.value > 0 else "down"


@dataclass(frozen=True)
class ReadoutPage:
    """A readout and the words it is told in.

    Args:
        readout: One experiment.
        words: Of its page.
    """

    readout: Readout
    words: ReadoutWords

    @property
    def unit(self) -> Unit:
        """Of the measure that decides."""
        return next(facts.unit for facts in self.readout.measures if facts.name == self.readout.primary)

    @property
    def blocked(self) -> bool:
        """Whether there is no verdict, and so no finding may be shown."""
        return self.readout.verdict.code == Code.BLOCKED
