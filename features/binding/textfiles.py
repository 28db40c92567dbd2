"""Text files: made readable for DuckDB, whatever their encoding, separator and layout."""

import csv
import io
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from features.binding.encodings import CHUNK_BYTES, TextSurvey, survey_text
from features.binding.layouts import (
    HEAD_ROWS,
    check_header,
    choose_separator,
    footer_rows,
    separator_hint,
    split_records,
    unique_names,
)
from features.errors import SourceError
from features.settings import Opening

_TAIL = 1 << 16
_MOST_BREAKS = 10
"""Line breaks a header may hold before it rather lacks a quote."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file DuckDB can read: UTF-8, one kind of line end, one separator.

    Args:
        path: The file itself, or its readable copy.
        separator: The character between two values of the user's file.
        columns: Names in the header, made unique, in order.
        above: Lines before the header.
        delimiter: The character between two values of ``path``.
    """

    path: Path
    separator: str | None
    columns: tuple[str, ...]
    above: int
    delimiter: str

    def sql(self) -> str:
        """The DuckDB table function that reads it, every value as the text it was written as."""
        # DuckDB 2.0: a wrong new_line silently yields no rows, and detection skips lines that do not
        # fit; so nothing is detected but the line end, and a row that does not fit is an error.
        names = ", ".join(f"{quote(name)}: 'VARCHAR'" for name in self.columns)
        skip = f", skip={self.above}" if self.above else ""
        return (
            f"read_csv({quote(str(self.path))}, auto_detect=false, header=true{skip}, delim={quote(self.delimiter)}, "
            f"quote='\"', escape='\"', columns={{{names}}}, max_line_size=16777216)"
        )


@dataclass(frozen=True, slots=True)
class _Head:
    """The first lines: the header is the first of ``lines``, and ``above`` says what stands before it."""

    lines: list[str]
    above: list[str]
    hint: str | None
    whole: bool


def quote(text: str) -> str:
    """Write a text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def open_text(path: Path, settings: Opening, scratch: Path) -> TextFile:
    """Make a text file readable.

    The file is read once as it is. Only where DuckDB could not read it (another encoding, mixed line
    ends, backslashes before quotes, a footer, values set apart by runs of blanks) is a copy written to
    ``scratch``, line by line, in which every line keeps its number.

    Args:
        path: The file.
        settings: Its encoding, what stands above and below its rows, and how quotes are escaped.
        scratch: Folder for the copy.

    Raises:
        SourceError: It is empty, has no header, is not in that encoding, or its layout is another.
    """
    survey = survey_text(path, settings.encoding)
    head = _read_head(path, survey, settings.skip_rows)
    above = len(head.above)
    separator = head.hint if head.hint and head.hint in head.lines[0] else None
    if separator is None:
        separator = choose_separator([line for line in head.lines if line.strip()], settings.escape)
    folder = scratch / str(len(list(scratch.iterdir())))
    copy = folder / path.name
    if separator is None:
        folder.mkdir()
        _copy_blanks(path, survey, above, settings.skip_footer, copy)
        return TextFile(copy, None, unique_names(head.lines[0].split()), 0, ",")
    rows = split_records(head.lines, separator, settings.escape)
    if not head.whole and len(rows) > 1:
        rows.pop()  # it may go on
    if sum(name.count("\n") for name in rows[0]) > _MOST_BREAKS or (len(rows) == 1 and not head.whole):
        raise SourceError(f"{path}: a quote that opens in the header, line {above + 1}, is not closed")
    check_header(rows, above, str(path))
    readable = path
    if settings.escape == "\\" or not survey.plain or any('"' in line for line in head.above):
        folder.mkdir()
        _copy_text(path, survey, above, separator if settings.escape == "\\" else None, copy)
        readable = copy
    readable = _cut_footer(readable, copy, separator, settings.skip_footer)
    _check_footer(readable, path, separator, len(rows[0]), settings.skip_footer)
    return TextFile(readable, separator, unique_names(rows[0]), above, separator)


def tail_lines(path: Path, encoding: str) -> list[str]:
    """The last lines of a text file, blank ones too."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        # Wide characters begin at every second or fourth byte.
        file.seek(max(0, size - _TAIL) // 4 * 4)
        block = file.read()
    lines = io.StringIO(block.decode(encoding, errors="replace"), newline=None).readlines()
    return lines if size <= _TAIL else lines[1:]


def _read_head(path: Path, survey: TextSurvey, skip: int) -> _Head:
    above: list[str] = []
    lines: list[str] = []
    hint = None
    with path.open(encoding=survey.reader) as file:
        for number, line in enumerate(file):
            if (
                (number == 0 and (hint := separator_hint(line)) is not None)
                or number < skip
                or (not lines and not line.strip(" \t\r\n\ufeff\u3000,;|"))
            ):
                above.append(line)
            else:
                lines.append(line)
            if len(lines) == HEAD_ROWS:
                return _Head(lines, above, hint, whole=next(file, None) is None)
    if not lines:
        most = f" below skip_rows = {skip}" if skip else ""
        raise SourceError(f"{path} holds nothing but blank lines{most}; it needs a header and rows")
    return _Head(lines, above, hint, whole=True)


def _copy_text(path: Path, survey: TextSurvey, above: int, separator: str | None, copy: Path) -> None:
    """Write a file in UTF-8 with one kind of line end, blank above the header; with doubled quotes, given a separator."""
    with path.open(encoding=survey.reader) as lines, copy.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines("\n" for _ in itertools.islice(lines, above))
        if separator is not None:
            out.writelines(_double_quotes(lines, separator, above, path))
            return
        first = lines.read(CHUNK_BYTES).lstrip("\ufeff")
        out.writelines(itertools.chain([first], iter(lambda: lines.read(CHUNK_BYTES), "")))


def _double_quotes(lines: Iterator[str], separator: str, above: int, path: Path) -> Iterator[str]:
    r"""Write ``\"`` inside quotes as ``""`` and ``\\`` as ``\``; what is outside quotes stays."""
    opening = re.compile(rf'(?:(?<=^)|(?<={re.escape(separator)}))"', re.MULTILINE)
    inside = re.compile(r'\\(["\\])|("")|"')
    opened = 0
    for number, line in enumerate(lines, start=above + 1):
        if not opened and "\\" not in line and '"' not in line:
            yield line
            continue
        parts, place = [], 0
        while place < len(line):
            if not opened:
                start = opening.search(line, place)
                place, before = (start.end(), place) if start else (len(line), place)
                parts.append(line[before:place])
                opened = number if start else 0
                continue
            mark = inside.search(line, place)
            if mark is None:
                parts.append(line[place:])
                break
            escaped = mark.group(1)
            parts.append(
                line[place : mark.start()] + (mark.group() if escaped is None else escaped.replace('"', '""'))
            )
            place = mark.end()
            if mark.group() == '"':
                started, opened = opened, 0
                if line[place : place + 1] not in {separator, "\n", ""}:
                    raise SourceError(
                        f"{path}: a quote that opens in line {started} closes in line {number}, but text follows; mend it"
                    )
        yield "".join(parts)
    if opened:
        raise SourceError(f"{path}: a quote that opens in line {opened} is not closed")


def _cut_footer(readable: Path, copy: Path, separator: str, footer: int) -> Path:
    """Leave out the last so many lines and what is blank among them; in a copy, where there is any."""
    size = readable.stat().st_size
    end = _end_of_rows(readable, separator, footer)
    with readable.open("rb") as file:
        file.seek(end)
        if not file.read().strip(b"\r\n"):
            return readable
        if readable == copy:
            os.truncate(copy, end)
            return copy
        copy.parent.mkdir()
        file.seek(0)
        with copy.open("wb") as out:
            shutil.copyfileobj(file, out, CHUNK_BYTES)
            out.truncate(end)
    return copy if end < size else readable


def _end_of_rows(path: Path, separator: str, footer: int) -> int:
    """Where the last row ends, in bytes; lines of blanks, separators and DOS's end of file are no rows."""
    blank = b" \t\r\n\x1a" + separator.encode()
    size = path.stat().st_size
    length = _TAIL
    while True:
        with path.open("rb") as file:
            file.seek(max(0, size - length))
            lines = file.read().splitlines(keepends=True)
        end, left = size, footer
        for line in reversed(lines if length >= size else lines[1:]):
            if line.strip(blank):
                if not left:
                    return end
                left -= 1
            end -= len(line)
        if length >= size:
            return end
        length *= 8


def _check_footer(readable: Path, path: Path, separator: str, width: int, footer: int) -> None:
    """Refuse a footer that no row can be, before DuckDB stumbles over it."""
    lines = tail_lines(readable, "utf-8")[-20:]
    rows = split_records(lines, separator, '"')
    if len(rows) < len(lines) or any("\n" in cell for row in rows for cell in row):
        return  # values with line breaks: a part of one could be taken for a footer
    count = footer_rows(rows, width)
    last = [row for row in rows if any(cell.strip() for cell in row)][-count:] if count else []
    if any(len(row) < width for row in last):
        what = "last line is" if count == 1 else f"last {count} lines are"
        raise SourceError(
            f"{path}: the {what} no row of {width} values but a footer; write skip_footer = {footer + count}"
        )


def _copy_blanks(path: Path, survey: TextSurvey, above: int, footer: int, copy: Path) -> None:
    def rows() -> Iterator[list[str]]:
        with path.open(encoding=survey.reader) as lines:
            for line in itertools.islice(lines, above, None):
                if words := line.strip("\x1a").split():
                    yield words

    with copy.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        held: list[list[str]] = []
        for words in rows():
            held.append(words)
            if len(held) > footer:
                writer.writerow(held.pop(0))
