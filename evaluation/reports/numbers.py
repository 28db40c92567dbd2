"""How numbers, money and dates read in English and in Japanese, by the Unicode locale data that Babel carries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from babel.dates import format_date, format_skeleton
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_currency_name,
    get_currency_precision,
    get_currency_symbol,
)

from evaluation.estimate import Estimate
from features.language import Language

NOTHING = "–"
"""Stands where there is no number."""

_DAYS: dict[Language, str] = {"en": "en_GB", "ja": "ja"}
"""Locales of dates: 13 June 2025 is read one way only, June 13 or 6/13 is not."""
_GAPS: dict[Language, str] = {"en": "\u00a0", "ja": ""}
"""Between a number and its percent sign."""
_SIZES: dict[Language, tuple[tuple[float, str], ...]] = {
    "en": ((1e9, "B"), (1e6, "M"), (1e3, "k")),
    "ja": ((1e8, "億"), (1e4, "万")),
}
_MOST_MAN = 1e9
"""Below this a column counts in 万, as in 2億9,044万円: whole ones say more than parts of 億."""
_MAN_IN_OKU = 10_000


@dataclass(frozen=True)
class Formats:
    """How a page's numbers read.

    Args:
        language: ``en`` or ``ja``.
        currency: ISO 4217 code of its money.
        whole: Whether money is shown without decimals whatever the currency.
    """

    language: Language
    currency: str = "JPY"
    whole: bool = False

    def number(self, value: float | None, digits: int = 3) -> str:
        """A number with so many decimals and separated thousands; a dash where there is none."""
        if value is None or not np.isfinite(value):
            return NOTHING
        return _minus(format_decimal(_rounded(value, digits), _pattern(digits), locale=self.language))

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A share as a percentage."""
        if value is None or not np.isfinite(value):
            return NOTHING
        pattern = f"{_pattern(digits)}{_GAPS[self.language]}%"
        return _minus(format_percent(_rounded(100 * value, digits) / 100, pattern, locale=self.language))

    def money(self, value: float | None, digits: int | None = None) -> str:
        """Money in the page's currency; with its usual decimals if their number is not given."""
        if value is None or not np.isfinite(value):
            return NOTHING
        if digits is None:
            digits = 0 if self.whole else get_currency_precision(self.currency)
        return self._coined(_rounded(value, digits), _pattern(digits))

    def sums(self, column: Sequence[float]) -> list[str]:
        """A column of sums of money, all in one size and with as many decimals, so that they compare."""
        largest = max((abs(value) for value in column if np.isfinite(value)), default=0.0)
        sizes = _SIZES[self.language]
        if self.language == "ja" and largest < _MOST_MAN:
            sizes = sizes[1:]
        size, letter = _size(largest, sizes)
        if not letter:
            return [self.money(value) for value in column]
        digits = int(np.clip(2 - np.floor(np.log10(largest / size)), 0 if letter == "万" else 1, 2))
        return [self._sized(value, size, letter, digits) for value in column]

    def _sized(self, value: float, size: float, letter: str, digits: int) -> str:
        if not np.isfinite(value):
            return NOTHING
        if value == 0:
            return self.money(0, 0)
        amount = _rounded(value / size, digits)
        if letter != "万" or abs(amount) < _MAN_IN_OKU:
            return self._coined(amount, f"{_pattern(digits)}'{letter}'")
        oku, man = divmod(abs(amount), _MAN_IN_OKU)
        rest = f"{man:,.{digits}f}万" if man else ""
        return self._coined(oku if amount > 0 else -oku, f"#,##0'億{rest}'")

    def _coined(self, amount: Decimal, pattern: str) -> str:
        """An amount with its currency: its name behind it in Japanese, its symbol before it otherwise."""
        name = self.coin
        if self.language == "ja" and name != self.currency:
            return _minus(format_decimal(amount, pattern, locale="ja", decimal_quantization=False)) + name
        code = get_currency_symbol(self.currency, "en")
        # As the locale data want it: letters never touch digits.
        gap = "\u00a0" if code[-1].isalpha() else ""
        told = format_currency(
            amount, self.currency, f"¤{gap}{pattern}", "en", currency_digits=False, decimal_quantization=False
        )
        return _minus(told)

    @property
    def coin(self) -> str:
        """The currency beside an axis."""
        if self.language != "ja":
            return self.currency
        name = get_currency_name(self.currency, 2, "ja").replace(" ", "・")
        return "ドル" if name == "米ドル" else name

    def span(self, low: str, high: str) -> str:
        """From one to another, both formatted; one dash where neither is known."""
        if low == high == NOTHING:
            return NOTHING
        return f"{low}〜{high}" if self.language == "ja" else f"{low} to {high}"

    def interval(self, estimate: Estimate, digits: int = 3) -> str:
        """An estimate's interval."""
        return self.span(self.number(estimate.low, digits), self.number(estimate.high, digits))

    def date(self, day: datetime) -> str:
        """A day."""
        return format_date(day, "long", locale=_DAYS[self.language])

    def short_date(self, day: datetime) -> str:
        """A day of a year that is known."""
        return format_skeleton("Md" if self.language == "ja" else "MMMd", day, locale=_DAYS[self.language])

    def month(self, day: datetime) -> str:
        """The month of a day."""
        return format_skeleton("yMMM", day, locale=_DAYS[self.language])

    def day_before(self, midnight: datetime) -> str:
        """The last day of a stretch that ends before a moment."""
        return self.date(midnight - timedelta(microseconds=1))

    def moment(self, moment: datetime) -> str:
        """A day and the time of day with its zone."""
        day, time, zone = self.date(moment), f"{moment:%H:%M}", moment.tzname() or ""
        return f"{day} {time}（{zone}）" if self.language == "ja" else f"{day}, {time} ({zone})"

    def amount_tick(self, value: float) -> str:
        """A label of an axis of money: four digits, large amounts by their size."""
        size, letter = _size(abs(value), _SIZES[self.language])
        return self._four(value / size) + letter

    def share_tick(self, value: float) -> str:
        """A label of an axis of shares."""
        return f"{plain_tick(100 * value)}{_GAPS[self.language]}%"

    def _four(self, value: float) -> str:
        return _minus(format_decimal(Decimal(f"{value:.4g}"), "#,##0.##########", locale=self.language))


Tick = Callable[[float], str]
"""Makes the label of a value on an axis."""


def plain_tick(value: float) -> str:
    """A label of an axis of numbers."""
    return _minus(f"{value:.10g}")


def signed(text: str, value: float) -> str:
    """A formatted number with its sign, also where it is above 0; what is rounded to 0 has none."""
    return f"+{text}" if value > 0 and any(digit in text for digit in "123456789") else text


def digits_for(low: float, high: float, least: int = 3, most: int = 6) -> int:
    """Decimals with which an interval shows two digits of its width, and no end beside 0 as 0."""
    sizes = [size for size in (abs(high - low) / 10, abs(low), abs(high)) if size]
    if not sizes or not np.isfinite(sizes).all():
        return least
    return int(np.clip(-np.floor(np.log10(min(sizes))), least, most))


def _rounded(value: float, digits: int) -> Decimal:
    # Rounded as a float first, so that nothing reads −0 and halves fall as they always did.
    return Decimal(repr(round(float(value), digits) + 0.0))


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _size(largest: float, sizes: Sequence[tuple[float, str]]) -> tuple[float, str]:
    return next((pair for pair in sizes if largest >= pair[0] * 0.9999), (1.0, ""))
