"""Layout: how a user's file is laid out, found by looking at its first and its last rows."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from features.binding.encodings import CHUNK_BYTES, guess_encoding
from features.binding.layouts import (
    HEAD_ROWS,
    choose_separator,
    footer_rows,
    is_value,
    lines_of,
    rows_above,
    separator_hint,
    split_records,
    unique_names,
)
from features.binding.sheets import cell_texts, sheet_rows
from features.binding.textfiles import tail_lines
from features.errors import SourceError
from features.settings import Opening, TableSettings

_SAMPLE = 2_000
_TAIL = 50
_ESCAPED = 100
_CHECK = "check this"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the rows of a file are.

    Args:
        table: The sheet, where there are several.
        encoding: Of a text file.
        skip_rows: Lines above the header that are more than blank.
        skip_footer: Lines at the end that are no data.
        fill_down: Columns written on the first row of a group only.
        escape: What stands before a quote inside quotes.
    """

    table: str | None = None
    encoding: str = "utf-8"
    skip_rows: int = 0
    skip_footer: int = 0
    fill_down: tuple[str, ...] = ()
    escape: str = '"'

    def settings(self, source: str) -> TableSettings:
        """The settings that open it."""
        return TableSettings.model_validate(
            {"source": source, **{name: getattr(self, name) for name in self.__slots__}}
        )


def layout_of_text(path: Path) -> Layout:
    """Find the layout of a text file.

    Args:
        path: The file.
    """
    encoding = guess_encoding(path)
    escape = _escape(path, encoding)
    reader = "utf-8-sig" if encoding == "utf-8" else encoding
    with path.open(encoding=reader) as file:
        lines = list(itertools.islice(file, _SAMPLE))
        whole = next(file, None) is None
    hint = separator_hint(lines[0]) if lines else None
    start = 0 if hint is None else 1
    while start < len(lines) and not lines[start].strip():
        start += 1
    filled = [line for line in lines[start:] if line.strip()][:HEAD_ROWS]
    if not filled:
        return Layout(encoding=encoding, escape=escape)
    try:
        separator = hint or choose_separator(filled, escape)
        if separator is None:
            return Layout(encoding=encoding, escape=escape)
        rows = split_records(lines[start:], separator, escape)
        tail = split_records(tail_lines(path, reader)[-_TAIL:], separator, escape)
    except SourceError:
        return Layout(encoding=encoding, escape=escape)  # what is wrong is said where it is opened
    above = rows_above(rows[:HEAD_ROWS])
    skip = start + lines_of(rows[:above]) if above else 0
    body = rows[above:] if whole else rows[above:-1]
    if whole:  # the header and what is above it are no footer
        tail = tail[max(0, len(tail) - (len(body) - 1)) :]
    footer = footer_rows(tail, len(body[0]))
    return Layout(
        encoding=encoding, skip_rows=skip, skip_footer=footer, escape=escape,
        fill_down=_grouped(body, footer if whole else 0),
    )  # fmt: skip


def layout_of_sheet(path: Path, table: str | None) -> Layout:
    """Find the layout of a sheet.

    Args:
        path: The workbook.
        table: The sheet; may be left out where there is only one.

    Raises:
        SourceError: The workbook cannot be read.
    """
    cells = sheet_rows(path, table)
    rows = [cell_texts(row) for row in cells[:_SAMPLE]]
    above = rows_above(rows[:HEAD_ROWS])
    start = next((place for place, row in enumerate(rows) if place >= above and any(row)), len(rows))
    if start == len(rows):
        return Layout(table=table)
    width = sum(map(bool, rows[start]))
    tail = [cell_texts(row) for row in cells[max(start + 1, len(cells) - _TAIL) :]]
    footer = footer_rows(tail, width)
    grouped = _grouped(rows[start:], footer if len(cells) <= _SAMPLE else 0)
    return Layout(table=table, skip_rows=above, skip_footer=footer, fill_down=grouped)


def layout_lines(settings: Opening) -> list[str]:
    """Lines of tokui.toml that say how a file is laid out, as far as that is not the usual way."""
    lines = []
    if settings.skip_rows:
        lines.append(f"skip_rows = {settings.skip_rows}  # {_CHECK}: lines above the header")
    if settings.skip_footer:
        lines.append(f"skip_footer = {settings.skip_footer}  # {_CHECK}: lines at the end that are no rows")
    if settings.fill_down:
        names = json.dumps(settings.fill_down, ensure_ascii=False).replace("\x7f", "\\u007f")
        lines.append(f"fill_down = {names}  # {_CHECK}: written on the first row of a group only")
    if settings.escape != '"':
        lines.append(f"escape = '{settings.escape}'  # quotes inside quotes are written \\\"")
    return lines


def _escape(path: Path, encoding: str) -> str:
    """A backslash where lines with quotes after backslashes can be read that way only."""
    wide = encoding.startswith(("utf-16", "utf-32"))
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if wide or b'\\"' in last + chunk:
                break
            last = chunk[-1:]
        else:
            return '"'
    with path.open(encoding=encoding, errors="replace") as text:
        lines = list(itertools.islice((line for line in text if '\\"' in line), _ESCAPED))
    doubled = sum(_reads(line, '"') for line in lines)
    return "\\" if sum(_reads(line, "\\") for line in lines) > doubled else '"'


def _reads(line: str, escape: str) -> bool:
    """Whether no quote in a line closes before its value ends, whatever the separator."""
    inside = False
    place, end = 0, len(line.rstrip("\r\n"))
    while place < end:
        if inside and escape == "\\" and line[place] == "\\":
            place += 2
            continue
        if line[place] == '"':
            if not inside:
                inside = place == 0 or line[place - 1] in ",;\t|"
            elif escape == '"' and line[place + 1 : place + 2] == '"':
                place += 1
            else:
                inside = False
                if place + 1 < end and line[place + 1] not in ",;\t|":
                    return False
        place += 1
    return not inside


def _grouped(rows: Sequence[Sequence[str]], footer: int) -> tuple[str, ...]:
    """Leading columns that are empty on all but the first row of each group.

    A column that is merely often empty is not one: it must be the first, filled in the first row,
    empty in whole runs while the columns of the lines themselves are full, hold no amounts, and the
    columns after it may be empty only where it is.
    """
    header, *body = [row for row in rows if any(cell.strip() for cell in row)]
    body = [row for row in body[: len(body) - footer] if len(row) >= len(header)]
    if len(body) < 4 or len(header) < 3:
        return ()
    shares = [sum(bool(row[column].strip()) for row in body) / len(body) for column in range(len(header))]
    grouped: list[int] = []
    for column in range(len(header) - 1):
        values = [row[column].strip() for row in body]
        outer_filled = grouped and any(row[grouped[-1]].strip() and not row[column].strip() for row in body)
        amounts = any("." in value and is_value(value) and value.count(".") == 1 for value in values if value)
        if shares[column] > 0.8 or not values[0] or outer_filled or amounts:
            break
        if not grouped and _repeats(values):
            break
        grouped.append(column)
    full = [column for column in range(len(header)) if column not in grouped and shares[column] >= 0.95]
    if not grouped or len(full) < max(2, (len(header) - len(grouped)) / 2):
        return ()
    names = unique_names(header)
    return tuple(names[column] for column in grouped)


def _repeats(values: Sequence[str]) -> bool:
    """Whether a value follows on itself, which the first rows of two groups hardly do."""
    written = [value for value in values if value]
    pairs = list(itertools.pairwise(written))
    return bool(pairs) and sum(a == b for a, b in pairs) > 0.2 * len(pairs)
