"""The words of the reports, in English and in Japanese; how their numbers read is `numbers`."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from evaluation.reports.numbers import Formats
from features.language import Language


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
class Words(Formats):
    """Texts and numbers of one page.

    Args:
        language: As in `Formats`.
        currency: As in `Formats`.
        whole: As in `Formats`.
        page: Whose texts; what it does not say itself is the model card's.
    """

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

    def reason(self, message: str) -> tuple[str, bool]:
        """Why something was refused, and whether that is told in the page's language.

        What is raised is English; of the usual reasons each page knows a part that tells them.
        """
        if self.language == "en":
            return message, True
        told = {key: text for key, text in texts("en", self.page).items() if key.startswith("reasons.")}
        known = next((key for key, text in told.items() if text in message), None)
        return (message, False) if known is None else (self(known), True)

    def joined(self, parts: list[str]) -> str:
        """Parts of an enumeration."""
        return self("format.list").join(parts)

    def kind(self, kind: str) -> str:
        """What a kind of model is called."""
        return self.either(f"kinds.{kind}", kind)

    def horizon(self, output: str) -> str:
        """The horizon of an output such as ``churn_30d``."""
        return self("horizon.days", days=output_days(output))

    def metric(self, name: str) -> str:
        """What a metric is called, also one of a single horizon such as ``auc_churn_30d``."""
        base, output = metric_parts(name)
        title = self.either(f"metrics.{base}", base)
        if not output:
            return title
        return self("metrics.at_horizon", metric=title, horizon=self.horizon(output))


def output_days(output: str) -> int:
    """Days in an output's name, such as 30 of ``churn_30d``."""
    return int(output.rsplit("_", 1)[-1].removesuffix("d"))


def metric_parts(name: str) -> tuple[str, str]:
    """Name of the metric and of the output it is of: ``auc_churn_30d`` is ``auc`` of ``churn_30d``."""
    match = re.fullmatch(r"(\w+?)_(churn_\d+d)", name)
    return (match[1], match[2]) if match else (name, "")
