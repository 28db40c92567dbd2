"""Reports as HTML pages: the templates, filled in."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evaluation.reports.style import FONTS
from evaluation.reports.words import Words

Table = dict[str, Any]
"""caption, heads, rows, and whether its first cells must not wrap; a cell is a text, or one over a smaller one."""


def rendered(name: str, w: Words, **fields: Any) -> str:
    """A report.

    Args:
        name: Of its template.
        w: Its words.
        fields: What else the template shows; texts are escaped.
    """
    fonts = Markup(FONTS)  # noqa: S704  # ours, and escaped quotes would spoil the style sheet
    return _environment().get_template(name).render(w=w, language=w.language, fonts=fonts, **fields)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("evaluation.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
