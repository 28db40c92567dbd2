"""The languages tokui speaks, and words said in each of them."""

from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["en", "ja"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
"""All of them, English first."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The same words in every language.

    Args:
        en: English.
        ja: Plain business Japanese.

    Examples:
        >>> Wording("order", "注文")["ja"]
        '注文'
    """

    en: str
    ja: str

    def __getitem__(self, language: Language) -> str:
        """The words in one language."""
        return self.ja if language == "ja" else self.en
