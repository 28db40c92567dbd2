"""Reports as HTML pages: what their templates show, and the one environment that fills them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evaluation.reports.style import FONTS
from evaluation.reports.words import Words

PageCell = str | tuple[str, str]
"""A text, or one over a smaller one."""

_NARROW = 3
"""So many columns fit side by side on a telephone."""


@dataclass(frozen=True)
class PageTable:
    """A table.

    Args:
        caption: What it shows.
        heads: Of its columns.
        rows: A cell a column; the first names the row.
        short: Whether its first cells must not wrap; then it fits on a telephone, too.
        stack: Whether a telephone shows a row as a list; by the number of columns if not given.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[PageCell]]
    short: bool = False
    stack: bool | None = None

    @property
    def stacked(self) -> bool:
        """Whether a telephone shows a row as a list."""
        return self.stack if self.stack is not None else len(self.heads) > _NARROW and not self.short


@dataclass(frozen=True)
class Picture:
    """A picture and what stands beside it.

    Args:
        svg: Drawn; None where there is nothing to draw.
        title: Above it.
        about: Below it.
        table: That says the same.
    """

    svg: Markup | None
    title: str = ""
    about: str = ""
    table: PageTable | None = None


def rendered(name: str, words: Words, **fields: Any) -> str:
    """A report.

    Args:
        name: Of its template.
        words: Its words.
        fields: What else the template shows; texts are escaped.
    """
    fonts = Markup(FONTS)  # noqa: S704  # ours, and escaped quotes would spoil the style sheet
    return _environment().get_template(name).render(w=words, language=words.language, fonts=fonts, **fields)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("evaluation.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
