"""The words of the reports and how numbers read, in English and in Japanese."""

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from evaluation.estimate import Estimate
from features.language import Language

NOTHING = "–"
"""Stands where there is no number."""

_SYMBOLS = {"JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}
_DECIMALS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "ISK": 0,
    "KWD": 3,
    "BHD": 3,
    "OMR": 3,
    "TND": 3,
    "JOD": 3,
}


@cache
def texts(language: Language, page: str = "card") -> dict[str, str]:
    """All texts of a page by ``section.key``."""
    text = (
        files("evaluation.reports")
        .joinpath("templates", f"{page}.{language}.toml")
        .read_text(encoding="utf-8")
    )
    sections: dict[str, dict[str, str]] = tomllib.loads(text)
    return {f"{section}.{key}": value for section, keys in sections.items() for key, value in keys.items()}


@dataclass(frozen=True)
class Words:
    """Texts and numbers of one page.

    Args:
        language: ``en`` or ``ja``.
        currency: ISO 4217 code of its money.
        whole: Whether money is shown without decimals whatever the currency.
        page: Whose texts; how numbers read is the model card's for all pages.
    """

    language: Language
    currency: str = "JPY"
    whole: bool = False
    page: str = "card"

    def __call__(self, key: str, **values: Any) -> str:
        """A text with its fields filled in.

        Raises:
            KeyError: There is no such text, or a field is missing.
        """
        text = self.either(key, "") or texts(self.language)[key]
        return text.format(**values)

    def either(self, key: str, otherwise: str) -> str:
        """A text without fields, or something else where there is none."""
        own = texts(self.language, self.page)
        return own[key] if key in own else texts(self.language).get(key, otherwise)

    def number(self, value: float | None, digits: int = 3) -> str:
        """A number with so many decimals and separated thousands; a dash where there is none."""
        if value is None or not np.isfinite(value):
            return NOTHING
        # Rounded first, so that nothing reads −0.
        return f"{round(float(value), digits) + 0.0:,.{digits}f}".replace("-", "−")

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A share as a percentage."""
        if value is None or not np.isfinite(value):
            return NOTHING
        return self("format.percent", value=self.number(100 * value, digits))

    def money(self, value: float | None, digits: int | None = None) -> str:
        """Money in the page's currency; with its usual decimals if their number is not given."""
        if value is None or not np.isfinite(value):
            return NOTHING
        if digits is None:
            digits = 0 if self.whole else _DECIMALS.get(self.currency, 2)
        amount = self.number(abs(value), digits)
        sign = "−" if value < 0 and amount.strip("0.,") else ""
        if self.currency == "JPY" and self.language == "ja":
            return f"{sign}{amount}円"
        symbol = _SYMBOLS.get(self.currency)
        return f"{sign}{symbol}{amount}" if symbol else f"{sign}{self.currency} {amount}"

    def span(self, low: str, high: str) -> str:
        """From one to another, both formatted; one dash where neither is known."""
        return NOTHING if low == high == NOTHING else self("format.span", low=low, high=high)

    def interval(self, found: Estimate, digits: int = 3) -> str:
        """An estimate's interval."""
        return self.span(self.number(found.low, digits), self.number(found.high, digits))

    def date(self, day: datetime) -> str:
        """A day."""
        return self(
            "format.date", year=day.year, month=self("format.months").split()[day.month - 1], day=day.day
        )

    def day_before(self, midnight: datetime) -> str:
        """The last day of a stretch that ends before a moment."""
        return self.date(midnight - timedelta(microseconds=1))

    def moment(self, moment: datetime) -> str:
        """A day and the time of day with its zone."""
        zone = moment.tzname() or ""
        return self("format.moment", date=self.date(moment), time=f"{moment:%H:%M}", zone=zone)

    def joined(self, parts: list[str]) -> str:
        """Parts of an enumeration."""
        return self("format.list").join(parts)

    def kind(self, kind: str) -> str:
        """What a kind of model is called."""
        return self.either(f"kinds.{kind}", kind)

    def horizon(self, output: str) -> str:
        """The horizon of an output such as ``churn_30d``."""
        return self("horizon.days", days=horizon_days(output))

    def metric(self, name: str) -> str:
        """What a metric is called, also one of a single horizon such as ``auc_churn_30d``."""
        base, output = metric_parts(name)
        title = self.either(f"metrics.{base}", base)
        if not output:
            return title
        return self("metrics.at_horizon", metric=title, horizon=self.horizon(output))


def horizon_days(output: str) -> int:
    """Days in an output's name, such as 30 of ``churn_30d``."""
    return int(output.rsplit("_", 1)[-1].removesuffix("d"))


def metric_parts(name: str) -> tuple[str, str]:
    """Name of the metric and of the output it is of: ``auc_churn_30d`` is ``auc`` of ``churn_30d``."""
    match = re.fullmatch(r"(\w+?)_(churn_\d+d)", name)
    return (match[1], match[2]) if match else (name, "")


def digits_for(low: float, high: float) -> int:
    """Decimals with which an interval shows two digits of its width, and no end beside 0 as 0."""
    sizes = [size for size in (abs(high - low) / 10, abs(low), abs(high)) if size]
    if not sizes or not np.isfinite(sizes).all():
        return 3
    return int(np.clip(-np.floor(np.log10(min(sizes))), 3, 6))
