"""Looks: what the columns of a user's file hold, seen from a sample of its rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.binding.databases import duckdb_tables
from features.binding.expressions import profile
from features.binding.sheets import sheet_names
from features.binding.sources import (
    DUCKDB_SUFFIXES,
    PARQUET_SUFFIXES,
    SHEET_SUFFIXES,
    TEXT_SUFFIXES,
    Source,
    explain,
    open_source,
)
from features.binding.textfiles import guess_encoding, quote
from features.errors import SourceError
from features.schema import Kind
from features.settings import TableSettings

SAMPLE_ROWS = 20_000
_ALL = TEXT_SUFFIXES | SHEET_SUFFIXES | PARQUET_SUFFIXES | DUCKDB_SUFFIXES
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y年%m月%d日", "%d %b %Y",
         "%d-%b-%Y", "%b %d, %Y", "%Y.%m.%d", "%d/%m/%y", "%m/%d/%y")  # fmt: skip
_FORMATS = tuple(day + time for time in ("", " %H:%M", " %H:%M:%S") for day in _DAYS)
_SWAPPED = (("%d/%m", "%m/%d"), ("%d-%m", "%m-%d"))
_NEARLY_ALL = 0.9
_SELF_EVIDENT = ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日")
"""Year first: binding reads these without being told a format."""
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
        ambiguous: Whether days and months might be the other way round in one of those.
        keywords: Names DuckDB reserves.
    """

    label: str
    settings: TableSettings
    relation: str
    kinds: dict[str, str]
    types: dict[str, str]
    formats: dict[str, str]
    ambiguous: bool
    keywords: frozenset[str]

    def may_be(self, name: str, kind: Kind) -> bool:
        """Whether a column's values fit a canonical kind."""
        seen = self.kinds[name]
        if seen == "empty" or kind in {Kind.ID, Kind.TEXT}:
            return True
        if kind is Kind.FLAG:
            return seen == "flag"
        return seen == kind.value or (kind is Kind.NUMBER and seen == "time" and name in self.formats)

    def is_typed(self, name: str) -> bool:
        """Whether a column's dates are dates already, so that no format applies to them."""
        return self.types.get(name, "").startswith(("DATE", "TIMESTAMP"))

    def sql(self, name: str) -> str:
        """A column's name as an expression may write it."""
        plain = _WORDS.fullmatch(name) is not None and name.lower() not in self.keywords
        return name if plain else identifier_of(name)


def identifier_of(name: str) -> str:
    """A column's name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def look_at(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], home: Path, scratch: Path
) -> list[FileLook]:
    """Look at every table in some files or folders.

    Args:
        connection: Where they are opened.
        files: Files, or folders whose data files are looked at in the order of their names.
        home: Folder that sources are written relative to.
        scratch: Folder for readable copies.

    Raises:
        SourceError: A file cannot be read.
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
    rows = connection.execute(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    ).fetchall()
    keywords = frozenset(str(row[0]) for row in rows)
    looks: list[FileLook] = []
    for path in paths:
        for settings in _settings(connection, path.resolve(), home):
            looks.append(_look(connection, path, settings, home, scratch, keywords, f"look_{len(looks)}"))
    return looks


def _settings(connection: duckdb.DuckDBPyConnection, path: Path, home: Path) -> list[TableSettings]:
    address = path.relative_to(home).as_posix() if path.is_relative_to(home) else path.as_posix()
    suffix = path.suffix.lower()
    if suffix in SHEET_SUFFIXES and path.is_file():
        names = sheet_names(path)
        return [TableSettings(source=address, table=name if len(names) > 1 else None) for name in names]
    if suffix in DUCKDB_SUFFIXES and path.is_file():
        try:
            connection.execute(f"ATTACH {quote(str(path))} AS seen (READ_ONLY)")
            names = duckdb_tables(connection, "seen")
            connection.execute("DETACH seen")
        except duckdb.Error as error:
            raise SourceError(f"{path}: {str(error).splitlines()[0]}") from error
        return [TableSettings(source=address, table=name) for name in names]
    if suffix in TEXT_SUFFIXES and path.is_file():
        return [TableSettings(source=address, encoding=guess_encoding(path))]
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
    texts = [column for column, kind in source.columns.items() if kind == "VARCHAR"]
    sample = Source(source.name, name, source.columns, source.text)
    profiles = profile(connection, sample, texts)
    kinds: dict[str, str] = {}
    formats: dict[str, str] = {}
    ambiguous = False
    for column, type_ in source.columns.items():
        content = profiles.get(column)
        natural = content.natural if content is not None else type_
        kinds[column] = _kind(natural)
        if content is not None and content.filled == 0:
            kinds[column] = "empty"
        elif content is not None and content.nearly_numbers:
            kinds[column] = "number"
        if kinds[column] == "text" or natural in {"BIGINT", "INTEGER"}:
            fitting = _fitting(connection, name, column)
            if fitting:
                kinds[column] = "time"
                if not fitting[0].startswith(_SELF_EVIDENT):
                    formats[column] = fitting[0]
                ambiguous |= any(a in fitting[0] and fitting[0].replace(a, b) in fitting for a, b in _SWAPPED)
    label = path.name if settings.table is None else f"{path.name} ({settings.table})"
    return FileLook(label, settings, source.relation, kinds, source.columns, formats, ambiguous, keywords)


def _kind(type_: str) -> str:
    if type_.startswith(("DATE", "TIMESTAMP")):
        return "time"
    if type_ == "BOOLEAN":
        return "flag"
    numeric = ("TINY", "SMALL", "INT", "BIG", "HUGE", "U", "FLOAT", "DOUBLE", "DECIMAL")
    return "number" if type_.startswith(numeric) and type_ != "UUID" else "text"


def _fitting(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[str]:
    """Date formats that fit nearly all values of a column, the best first, with plausible years.

    A few values that are no dates are for ``tokui check`` to report, not a reason to miss the column.
    """
    value = f"nullif(trim(CAST({identifier_of(column)} AS VARCHAR)), '')"
    fitting = list(_FORMATS)
    for rows in (100, SAMPLE_ROWS):  # most columns are no dates, which a few rows show
        checks = ", ".join(
            f"avg(coalesce(year(try_strptime(value, {quote(form)})) BETWEEN 1970 AND 2100, false)::INTEGER)"
            for form in fitting
        )
        answer = connection.execute(
            f"SELECT {checks} FROM (SELECT {value} AS value FROM {table} WHERE {value} IS NOT NULL LIMIT {rows})"
        ).fetchall()[0]
        shares = {
            form: share for form, share in zip(fitting, answer, strict=True) if share and share >= _NEARLY_ALL
        }
        fitting = sorted(shares, key=lambda form: -shares[form])
        if not fitting:
            break
    return fitting
