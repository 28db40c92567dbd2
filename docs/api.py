"""The API page: the public faces of the rooms, from their docstrings, as Markdown.

python docs/api.py > docs/api.md
"""

import importlib
import inspect
import re

FACES = ("features.aggregations", "evaluation.effects", "evaluation.planning", "evaluation.uplift")
"""Folders whose ``__all__`` is meant for others' programs."""

_HEAD = """# API

Printed by `python docs/api.py` from the docstrings; do not edit it by hand. What is not here may change without notice.
"""
_SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Examples?):$")


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for face in FACES:
        module = importlib.import_module(face)
        parts.append(f"\n## {face}\n\n{inspect.getdoc(module)}\n")
        parts += [_entry(getattr(module, name), name) for name in module.__all__]
    return "".join(parts)


def _entry(thing: object, name: str) -> str:
    return f"\n### {name}{_signature(thing)}\n\n{_body(inspect.getdoc(thing) or '')}\n"


def _signature(thing: object) -> str:
    if not callable(thing):
        return ""
    try:
        return f"({', '.join(inspect.signature(thing).parameters)})".replace("_", r"\_").replace("*", r"\*")
    except ValueError:
        return ""


def _body(text: str) -> str:
    """A docstring in Google's style as Markdown: arguments and errors as lists, examples as blocks."""
    lines: list[str] = []
    section = ""
    for line in text.split("\n"):
        heading = _SECTION.match(line)
        if heading:
            section = heading[1]
            lines += [f"**{section}**", "", *(["```text"] if section.startswith("Example") else [])]
        elif not line.strip():
            if section.startswith("Example"):
                lines.append("```")
            section = ""
            lines.append("")
        elif section.startswith("Example"):
            lines.append(line.removeprefix("    "))
        elif section:
            item = re.match(r"^    (\*{0,2}[\w.]+): (.*)$", line)
            lines.append(f"- `{item[1]}`: {item[2]}" if item else f"  {line.strip()}")
        else:
            lines.append(line)
    if section.startswith("Example"):
        lines.append("```")
    return re.sub(r":\w+:`~?([^`]*)`", r"`\1`", "\n".join(lines)).replace("``", "`")


if __name__ == "__main__":
    print(page(), end="")
