"""How an experiment's findings read: changes with their sign, p values, measures and segments in words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.estimate import Estimate
from evaluation.experiments.records import MeasureEffect, Unit
from evaluation.reports.charts import Sign
from evaluation.reports.words import NOTHING, Words

_GREEK = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
_KANJI = ((1e8, "億"), (1e4, "万"))
_FINE = 1000
"""From such an amount on, cents are noise."""
_MOST_MAN = 1e9
"""Below this a table counts in 万, whose whole numbers say more than parts of 億."""


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
        return _signed(self.end(unit, value), value)

    def ends(self, unit: Unit, found: Estimate) -> str:
        """The interval of a change."""
        if unit == "share":
            low, high = (self.number(100 * each, 1) for each in (found.low, found.high))
            span = self.span(low, high)
            return span if span == NOTHING else self("mark.points", value=span)
        return self.span(self.end(unit, found.low), self.end(unit, found.high))

    def cell(self, unit: Unit, found: Estimate) -> tuple[str, str]:
        """A change over its interval, for a table."""
        return self.change(unit, found.value), self.ends(unit, found)

    def counted(self, noun: str, count: int) -> str:
        """So many of something, one in the singular."""
        return self(f"units.{noun}_{'one' if count == 1 else 'many'}", count=f"{count:,}")

    def sums(self, column: Sequence[float]) -> list[str]:
        """A column of sums of money, all in one size and with as many decimals, so that they compare."""
        largest = max((abs(each) for each in column if np.isfinite(each)), default=0.0)
        size, letter = self._size_of(largest)
        if not letter:
            return [self.money(each) for each in column]
        digits = int(np.clip(2 - np.floor(np.log10(largest / size)), 0 if letter == "万" else 1, 2))
        return [self._sized(each, size, letter, digits) for each in column]

    def _size_of(self, largest: float) -> tuple[float, str]:
        sizes: Sequence[tuple[float, str]] = _KANJI if self.language == "ja" else _GREEK
        if self.language == "ja" and largest < _MOST_MAN:
            sizes = sizes[1:]
        return next((each for each in sizes if largest >= each[0] * 0.9999), (1.0, ""))

    def _sized(self, value: float, size: float, letter: str, digits: int) -> str:
        if not np.isfinite(value):
            return NOTHING
        if value == 0:
            return self.money(0, 0)
        rounded = round(value / size, digits)
        # Where the sign, the number and the currency stand is what money of 1 says.
        told = self.money(-1 if rounded < 0 else 1, 0)
        return told.replace("1", self.number(abs(rounded), digits) + letter)

    def totals(self, column: Sequence[Estimate]) -> list[tuple[str, str]]:
        """A column of sums over their intervals, for a table."""
        told = iter(self.sums([end for each in column for end in (each.value, each.low, each.high)]))
        return [
            (_signed(value, each.value), self.span(low, high))
            for each, value, low, high in zip(column, told, told, told, strict=True)
        ]

    def relative(self, found: Estimate) -> tuple[str, str]:
        """A relative change over its interval, for a table."""
        span = self.span(self.percent(found.low), self.percent(found.high))
        return _signed(self.percent(found.value), found.value), span

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

    def tick(self, unit: Unit) -> Callable[[float], str]:
        """Labels of an axis."""
        if unit == "share":
            return lambda value: f"{100 * value:.10g}".replace("-", "−")
        return self._short if unit != "count" else lambda value: f"{value:.10g}".replace("-", "−")

    def percent_tick(self, value: float) -> str:
        """Labels of an axis of shares."""
        return self("mark.percent_tick", value=f"{100 * value:.10g}").replace("-", "−")

    def _short(self, value: float) -> str:
        for size, letter in _KANJI if self.language == "ja" else _GREEK:
            if abs(value) >= size * 0.9999:
                return _four(value / size) + letter
        return _four(value)

    @property
    def coin(self) -> str:
        """The currency beside an axis."""
        return self.either(f"units.{self.currency}", self.currency)

    def axis_title(self, unit: Unit) -> str:
        """What an axis of differences in such a unit shows."""
        return self(f"units.{unit}_change", currency=self.coin)


def coarse(amounts: Iterable[float]) -> bool:
    """Whether some amount is so large that money is told without decimals."""
    return max(map(abs, amounts), default=0.0) >= _FINE


def sign_of(found: MeasureEffect, level: float) -> Sign:
    """Up or down only where that is proven after allowing for how many were looked at."""
    if found.best is None or not found.p < 1 - level:
        return "open"
    return "up" if found.best.absolute.value > 0 else "down"


def _four(value: float) -> str:
    """Four digits and separated thousands, without zeros at the end."""
    text = f"{float(f'{value:.4g}'):,.10f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def _signed(text: str, value: float) -> str:
    # What is rounded to 0 has no sign.
    return f"+{text}" if value > 0 and any(digit in text for digit in "123456789") else text
