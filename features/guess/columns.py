"""Looks: what the columns of a user's file hold, seen from a sample of its rows."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb
from babel import Locale

from features.binding.casts import number_of_text
from features.binding.conventions import SAMPLE_ROWS, date_format
from features.binding.databases import duckdb_tables
from features.binding.functions import TIDY, add_functions
from features.binding.kinds import (
    DUCKDB_SUFFIXES,
    PARQUET_SUFFIXES,
    SHEET_SUFFIXES,
    TEXT_SUFFIXES,
    file_kind,
)
from features.binding.sheets import sheet_names
from features.binding.sources import explain, open_source
from features.binding.textfiles import quote
from features.errors import SourceError
from features.guess.layout import layout_of_sheet, layout_of_text
from features.language import LANGUAGES
from features.schema import Kind
from features.settings import TableSettings
from features.values.conventions import both_readings, orders_in
from features.values.flags import are_answers, are_digits
from features.values.numbers import Decimal, read_number
from features.values.text import ABSENT
from features.values.times import orders_of, read_time

_ALL = TEXT_SUFFIXES | SHEET_SUFFIXES | PARQUET_SUFFIXES | DUCKDB_SUFFIXES
_NEARLY_ALL = 0.9
_ENOUGH = 500
"""Different values of a column that show what it holds."""
_COMPACT = re.compile(r"[0-9]{8}([.]0)?")
_WORDS = re.compile(r"[^\W\d]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileLook:
    """A file, sheet or table, and what its columns seem to hold.

    Args:
        label: The file's name, with the table in it, for messages.
        settings: How to open it.
        relation: SQL of all its rows.
        kinds: By column: ``time``, ``number``, ``flag`` or ``text``.
        types: DuckDB type by column.
        formats: strptime format of dates that need one, by column.
        doubts: What the dates of a column could be instead, with an example, by column.
        keywords: Names DuckDB reserves.
        sample: The table of its first rows.
        rows: How many those are.
        filled: Rows with a value, by column.
        different: Different values, by column.
        examples: A value, by column, where there is one.
        countries: Columns whose values are names of countries.
        digits: Columns of nothing but 1 and 0, which may be numbers or answers.
        decimal: The character before the fraction of numbers that are text.
    """

    label: str
    settings: TableSettings
    relation: str
    kinds: dict[str, str]
    types: dict[str, str]
    formats: dict[str, str]
    doubts: dict[str, str]
    keywords: frozenset[str]
    sample: str
    rows: int
    filled: dict[str, int]
    different: dict[str, int]
    examples: dict[str, str]
    countries: frozenset[str]
    digits: frozenset[str] = frozenset()
    decimal: Decimal = "."

    def identifies(self, name: str) -> bool:
        """Whether every row has a value of its own in a column."""
        return self.rows > 1 and self.filled[name] == self.rows == self.different[name]

    @property
    def dates(self) -> tuple[str, ...]:
        """The columns of times."""
        return tuple(name for name, kind in self.kinds.items() if kind == "time")

    def share(self, name: str) -> float:
        """The share of rows in which a column has a value."""
        return self.filled[name] / max(self.rows, 1)

    def is_nearly_one(self, name: str) -> bool:
        """Whether a column has so few different values for its rows that it hardly tells accounts apart."""
        return self.rows >= 50 and self.different[name] < 5

    def may_be(self, name: str, kind: Kind) -> bool:
        """Whether a column's values fit a canonical kind."""
        seen = self.kinds[name]
        if seen == "empty":
            return True
        if kind in {Kind.ID, Kind.TEXT}:
            return seen not in {"flag", "time"} or (self.types[name] == "VARCHAR" and seen != "flag")
        if kind is Kind.FLAG:
            return seen == "flag" or name in self.digits
        return seen == kind.value

    def is_typed(self, name: str) -> bool:
        """Whether a column's dates are dates already, so that no format applies to them."""
        return self.types.get(name, "").startswith(("DATE", "TIMESTAMP"))

    def number(self, name: str) -> str:
        """SQL of a column's values in the sample as numbers, NULL for what is none."""
        return number_of_text(f"nullif(trim(CAST({identifier_of(name)} AS VARCHAR)), '')", self.decimal)

    def sql(self, name: str) -> str:
        """A column's name as an expression may write it."""
        plain = _WORDS.fullmatch(name) is not None and name.lower() not in self.keywords
        return name if plain else identifier_of(name)


def identifier_of(name: str) -> str:
    """A column's name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def look_at(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], home: Path, scratch: Path
) -> tuple[list[FileLook], list[tuple[str, str]]]:
    """Look at every table in some files or folders.

    Args:
        connection: Where they are opened.
        files: Files, or folders whose data files are looked at in the order of their names.
        home: Folder that sources are written relative to.
        scratch: Folder for readable copies.

    Returns:
        What was seen, and which files or sheets could not be read, with the reason.

    Raises:
        SourceError: There is no file, or none can be read.
    """
    paths: list[Path] = []
    for path in files:
        if path.is_dir():
            paths += sorted(child for child in path.iterdir() if child.suffix.lower() in _ALL)
        else:
            paths.append(path)
    if not paths:
        raise SourceError(
            "there is no data file to look at; give .csv .tsv .txt .xlsx .parquet or .duckdb files"
        )
    add_functions(connection)
    rows = connection.execute(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    ).fetchall()
    keywords = frozenset(str(row[0]) for row in rows)
    looks: list[FileLook] = []
    unread: list[tuple[str, str]] = []
    problems: list[SourceError] = []
    for path in paths:
        label = path.name
        try:
            for settings in _settings(connection, path.resolve(), home):
                label = path.name if settings.table is None else f"{path.name} ({settings.table})"
                try:
                    look = _look(connection, path, settings, home, scratch, keywords, f"look_{len(looks)}")
                    looks.append(look)
                except SourceError as error:
                    problems.append(error)
                    unread.append((label, str(error)))
        except SourceError as error:
            problems.append(error)
            unread.append((label, str(error)))
    if not looks:
        raise problems[0]
    return looks, unread


def _settings(connection: duckdb.DuckDBPyConnection, path: Path, home: Path) -> list[TableSettings]:
    address = path.relative_to(home).as_posix() if path.is_relative_to(home) else path.as_posix()
    kind = file_kind(path)
    if kind == "sheet":
        names = sheet_names(path)
        return [layout_of_sheet(path, name if len(names) > 1 else None).settings(address) for name in names]
    if kind == "duckdb":
        try:
            connection.execute(f"ATTACH {quote(str(path))} AS seen (READ_ONLY)")
            names = duckdb_tables(connection, "seen")
            connection.execute("DETACH seen")
        except duckdb.Error as error:
            raise SourceError(f"{path}: {str(error).splitlines()[0]}") from error
        return [TableSettings(source=address, table=name) for name in names]
    if kind == "text":
        return [layout_of_text(path).settings(address)]
    return [TableSettings(source=address)]


def _look(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    settings: TableSettings,
    home: Path,
    scratch: Path,
    keywords: frozenset[str],
    name: str,
) -> FileLook:
    source = open_source(connection, settings, folder=home, scratch=scratch, staging=f"{name}_staged")
    try:
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {source.relation} LIMIT {SAMPLE_ROWS}")
    except duckdb.Error as error:
        raise SourceError(explain(error, source.name)) from error
    kinds: dict[str, str] = {}
    formats: dict[str, str] = {}
    doubts: dict[str, str] = {}
    filled: dict[str, int] = {}
    different: dict[str, int] = {}
    examples: dict[str, str] = {}
    countries: set[str] = set()
    digits: set[str] = set()
    commas = 0
    for column, type_ in source.columns.items():
        kinds[column] = _kind(type_)
        values = _values_of(connection, name, column)
        filled[column], different[column] = sum(count for _, count, _ in values), len(values)
        if values:
            examples[column] = values[0][0]
        if type_ == "VARCHAR" or kinds[column] == "number":
            if type_ == "VARCHAR":
                kinds[column] = _kind_of_texts([text for text, _, _ in values])
            elif _nearly_all(_COMPACT.fullmatch(text) and read_time(text[:8]) for text, _, _ in values):
                kinds[column] = "time"
            if kinds[column] == "text" and _nearly_all(
                text.lower() in _countries() for text, _, _ in values[:_ENOUGH]
            ):
                countries.add(column)
            if kinds[column] == "time" and type_ == "VARCHAR":
                _date_order(column, values, formats, doubts)
            if kinds[column] == "number" and type_ == "VARCHAR":
                commas += _commas([text for text, _, _ in values[:_ENOUGH]])
            if kinds[column] == "number" and are_digits(frozenset(text for text, _, _ in values[:3])):
                digits.add(column)
    label = path.name if settings.table is None else f"{path.name} ({settings.table})"
    rows = int(connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0])
    return FileLook(
        label, settings, source.relation, kinds, source.columns, formats, doubts, keywords,
        name, rows, filled, different, examples, frozenset(countries), frozenset(digits), "," if commas > 0 else ".",
    )  # fmt: skip


@cache
def _countries() -> frozenset[str]:
    """Names of countries, English and Japanese, in lower case."""
    territories = (Locale(language).territories for language in LANGUAGES)
    return frozenset(
        name.lower()
        for names in territories
        for code, name in names.items()
        if code.isalpha() and len(code) == 2
    )


def _values_of(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[tuple[str, int, int]]:
    """The different values of a column as tidy text, with how often and in which row first."""
    text = f"nullif({TIDY}(CAST({identifier_of(column)} AS VARCHAR)), '')"
    return connection.execute(
        f"SELECT value, count(*), min(place) FROM (SELECT {text} AS value, row_number() OVER () AS place FROM {table}) "
        f"WHERE value IS NOT NULL GROUP BY value ORDER BY 3"
    ).fetchall()


def _kind_of_texts(values: Sequence[str]) -> str:
    filled = [text for text in values if text.lower() not in ABSENT][:_ENOUGH]
    if not filled:
        return "empty"
    answers = frozenset(text.lower() for text in filled)
    if are_answers(answers) and not are_digits(answers):
        return "flag"
    if _nearly_all(orders_of(text) and not _is_number(text) for text in filled):
        return "time"
    # Codes with leading zeros are no numbers to calculate with.
    if any(re.match(r"0[0-9]", text) for text in filled):
        return "text"
    return "number" if _nearly_all(_is_number(text) for text in filled) else "text"


def _is_number(text: str) -> bool:
    """Whether a text is a number, and not one that is rather a day or a moment."""
    if _COMPACT.fullmatch(text) and read_time(text[:8]) is not None and "1970" <= text[:4] <= "2100":
        return False
    return read_number(text, ".") is not None or read_number(text, ",") is not None


def _commas(texts: Sequence[str]) -> int:
    """Texts that are numbers with a comma before the fraction only, less those that are with a point only."""
    return sum((read_number(text, ",") is not None) - (read_number(text, ".") is not None) for text in texts)


def _nearly_all(truths: Iterable[object]) -> bool:
    """A few values of another kind are for ``tokui check`` to report, no reason to miss the column."""
    counted = [bool(truth) for truth in truths]
    return bool(counted) and sum(counted) >= _NEARLY_ALL * len(counted)


def _date_order(
    column: str, values: list[tuple[str, int, int]], formats: dict[str, str], doubts: dict[str, str]
) -> None:
    """Note the format of dates that no value decides, and what the other reading would be."""
    evidence = orders_in(values, f"{datetime.now(UTC):%Y-%m-%d} 24")
    example = evidence.open_example()
    if len(evidence.fitting) < 2 or example is None:
        return
    order = "dmy" if "dmy" in evidence.fitting else evidence.fitting[0]
    first, second = both_readings(example, evidence.fitting)
    formats[column] = date_format(example, order)
    doubts[column] = f"{example} could be {first} or {second}"


def _kind(type_: str) -> str:
    if type_.startswith(("DATE", "TIMESTAMP")):
        return "time"
    if type_ == "BOOLEAN":
        return "flag"
    numeric = ("TINY", "SMALL", "INT", "BIG", "HUGE", "U", "FLOAT", "DOUBLE", "DECIMAL")
    return "number" if type_.startswith(numeric) and type_ != "UUID" else "text"
