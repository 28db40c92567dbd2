"""Layouts: where header and rows of a table are among all that people write above, below and inside them."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from features.errors import SourceError

HEAD_ROWS = 50
"""Rows from which separator and header are told."""

_SEPARATORS = "\t;|,"
"""In the order in which they win where several fit equally: commas are in texts and numbers as well."""
_RARE = "^~:"
_HINT = re.compile(r'\ufeff*"?sep=(.)"?[,;\t| ]*', re.IGNORECASE)
_NUMBER = re.compile(r"[-+−△▲(¥￥$€£\\]*\s*\d[\d,.\s]*%?\)?\s*(円|元|[A-Z]{3})?-?")
_DATE = re.compile(r"\d{1,4}\s?[-/.年]\s?\d{1,2}(\s?[-/.月]\s?\d{1,4}日?)?\b.*")
_TOTAL = re.compile(
    r"(grand)?(sub)?totals?|sum|summe|gesamt|合計|総合計|総計|小計|計|月計|年計|累計|総額", re.IGNORECASE
)
_NOTE = re.compile(
    r"(generated|exported|printed|created|downloaded|copyright|©|end of (report|file)|\(?\d+ rows?\)?|"
    r"(total )?(rows|records|count)\s*[:：=]|※|出力|作成|印刷|以上|件数|データ件数|レコード数)",
    re.IGNORECASE,
)
_Rows = Sequence[Sequence[str]]


def separator_hint(line: str) -> str | None:
    """The separator that a first line such as ``sep=;`` gives, as Excel understands it."""
    hint = _HINT.fullmatch(line.rstrip("\r\n"))
    return None if hint is None else hint.group(1)


def split_records(lines: Iterable[str], separator: str, escape: str) -> list[list[str]]:
    """Values of each record.

    Args:
        lines: Lines with their ends.
        separator: Between two values.
        escape: What stands before a quote inside quotes: a quote or a backslash.

    Raises:
        SourceError: A value is longer than any value is: a quote is not closed.
    """
    escaped = escape == "\\"
    reader = csv.reader(
        lines, delimiter=separator, doublequote=not escaped, escapechar="\\" if escaped else None
    )
    try:
        return list(reader)
    except csv.Error as error:
        raise SourceError(
            f"the record that ends in line {reader.line_num} cannot be read ({error}); is a quote not closed?"
        ) from error


def choose_separator(lines: Sequence[str], escape: str) -> str | None:
    """Find what separates the values of some lines.

    The header decides: of the characters in it, the one that cuts most lines into as many values as the
    header. Where the first line has none of them, as a title has, most lines decide.

    Args:
        lines: First lines of a file, none blank.
        escape: As in `split_records`.

    Returns:
        The separator; None for runs of blanks; a comma where nothing separates.
    """
    by_header: dict[str, float] = {}
    by_lines: dict[str, float] = {}
    for separator in _SEPARATORS:
        rows = split_records(lines, separator, escape)
        width = len(rows[0])
        body = rows[1:]
        fitting = sum(len(_cut(row, width)) == width for row in body) / len(body) if body else 1.0
        if width > 1:
            by_header[separator] = fitting * width
        common, count = Counter(map(len, rows)).most_common(1)[0]
        if common > 1 and count > 1:
            by_lines[separator] = common * count / len(rows)
    for scores in (by_header, by_lines):
        if any(scores.values()):
            return max(scores, key=lambda separator: scores[separator])
    if by_header:
        return max(by_header, key=lines[0].count)
    for separator in _RARE:
        rows = split_records(lines, separator, escape)
        if len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])} != {1} and _may_head(rows[0]):
            return separator
    words = {len(line.split()) for line in lines}
    return None if len(words) == 1 and words != {1} else ","


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Headings as names of columns: on one line, none empty, none twice however it is capitalised."""
    taken: set[str] = set()
    unique: list[str] = []
    for position, name in enumerate(names, start=1):
        tidy = re.sub(r"\s*[\r\n]+\s*", " ", name.strip().strip("\ufeff").strip())
        base = tidy or f"column_{position}"
        free = next(
            candidate
            for again in itertools.count(1)
            if (candidate := base if again == 1 else f"{base}_{again}").lower() not in taken
        )
        taken.add(free.lower())
        unique.append(free)
    return tuple(unique)


def check_header(rows: _Rows, above: int, shown: str) -> None:
    """Refuse a first row that is no header: a title, or the upper part of a header of two rows.

    Args:
        rows: The first rows from the header on, blank ones as rows without a value.
        above: Lines of the file before them.
        shown: The file, as messages call it.

    Raises:
        SourceError: It is one.
    """
    titles = above + lines_of(rows[: rows_above(rows)])
    if titles > above:
        raise SourceError(
            f"{shown}: line {above + 1} looks like a title and line {titles + 1} like the header; "
            f"write skip_rows = {titles}"
        )
    if _has_second_row(rows):
        second = above + lines_of(rows[:1])
        raise SourceError(
            f"{shown}: the header takes two rows, lines {above + 1} and {second + 1}, as merged cells do; make it one "
            f"row in the file, or write skip_rows = {second} to take the second as the header"
        )


def rows_above(rows: _Rows) -> int:
    """How many rows stand above the header; 0 where the first may be the header.

    Args:
        rows: The first rows of a file, blank ones as rows without a value.
    """
    filled = [len(_filled(row)) for row in rows]
    width = max(filled, default=0)
    first = next((place for place, count in enumerate(filled) if count), 0)
    if width < 2 or filled[first] >= 0.75 * width:
        return 0
    for place in range(first + 1, len(rows)):
        if filled[place] < max(2, 0.75 * width) or not _may_head(rows[place]):
            continue
        ragged = len(_cut(rows[first], 1)) < len(rows[place]) and len(rows[first]) != len(rows[place])
        bare = filled[first] <= width // 2 or any(map(is_value, rows[first]))
        apart = any(not filled[other] for other in range(first, place))
        if ragged or (bare and (apart or _values_below(rows, place, range(len(rows[place]))))):
            return place
        return 0
    return 0


def lines_of(rows: _Rows) -> int:
    """Lines that some rows take, with the line breaks inside their values."""
    return sum(1 + sum(cell.count("\n") for cell in row) for row in rows)


def footer_rows(rows: _Rows, width: int) -> int:
    """How many rows at the end of a file are no data: totals, notes, who made it.

    Args:
        rows: The last rows of a file, blank ones as rows without a value.
        width: Columns of the header.

    Returns:
        Rows with a value from the first such row on.
    """
    count = 0
    for place in range(len(rows) - 1, -1, -1):
        values = _filled(rows[place])
        if not values:
            continue
        word = re.sub(r"[\s:：【】\[\]()（）<>]", "", values[0])
        total = _TOTAL.fullmatch(word) is not None and len(values) < max(width, 2)
        note = len(values) <= max(1, width // 2) and _NOTE.match(values[0]) is not None
        apart = len(rows[place]) == 1 or (place > 0 and not _filled(rows[place - 1]))
        alone = len(values) == 1 and width > 2 and apart
        if not (total or note or alone):
            break
        count += 1
    return count


def is_value(text: str) -> bool:
    """Whether a cell holds a number or a date, which no header does."""
    plain = text.strip()
    return _NUMBER.fullmatch(plain) is not None or _DATE.fullmatch(plain) is not None


def _filled(row: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in row if cell.strip()]


def _cut(row: Sequence[str], width: int) -> Sequence[str]:
    """A row without the empty values that follow the given number of them."""
    end = len(row)
    while end > width and not row[end - 1].strip():
        end -= 1
    return row[:end]


def _may_head(row: Sequence[str]) -> bool:
    names = [name.lower() for name in _filled(row)]
    return bool(names) and len(set(names)) == len(names) and not any(map(is_value, names))


def _values_below(rows: _Rows, place: int, columns: Iterable[int]) -> bool:
    """Whether numbers or dates fill most of one of these columns below a row."""
    below = rows[place + 1 :]
    for column in columns:
        cells = [row[column] for row in below if column < len(row) and row[column].strip()]
        if cells and sum(map(is_value, cells)) > len(cells) / 2:
            return True
    return False


def _has_second_row(rows: _Rows) -> bool:
    """Whether the second row names what the first leaves empty, as under merged cells."""
    rows = [row for row in rows if _filled(row)]
    if len(rows) < 3 or not _may_head(rows[1]) or len(rows[0]) < len(_cut(rows[1], 1)):
        return False
    header, second = rows[0], rows[1]
    named = [place for place, cell in enumerate(second) if cell.strip()]
    under = [place for place in named if not header[place].strip()]
    return bool(under) and len(named) > 1 and _values_below(rows, 1, named)
