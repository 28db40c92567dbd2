"""Sources: any file or database a user names, opened as one DuckDB relation."""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.binding.databases import attach_duckdb, copy_postgres, expand, is_postgres, redact
from features.binding.groups import fill_groups
from features.binding.kinds import file_kind
from features.binding.report import Finding
from features.binding.sheets import load_sheet
from features.binding.textfiles import open_text, quote
from features.errors import SourceError
from features.settings import TableSettings


@dataclass(frozen=True, slots=True)
class Source:
    """A user's table, ready to be selected from.

    Args:
        name: As messages and reports show it: never with a password.
        relation: What to write after FROM.
        columns: DuckDB type by column name, in the source's order.
        text: Columns that hold values as text, exactly as they were written.
        separator: The character between two values of a text file.
        notes: What was changed in it on the way, counted.
    """

    name: str
    relation: str
    columns: dict[str, str]
    text: frozenset[str] = frozenset()
    separator: str | None = None
    notes: tuple[Finding, ...] = ()


def open_source(
    connection: duckdb.DuckDBPyConnection,
    settings: TableSettings,
    *,
    folder: Path,
    scratch: Path,
    staging: str,
) -> Source:
    """Open what ``settings.source`` names.

    Text files and Parquet are scanned where they lie and DuckDB files attached; sheets, PostgreSQL and
    the answers of queries are copied into the table ``staging`` first.

    Args:
        connection: A connection over an on-disk database, so that copies may outgrow memory.
        settings: The binding; its columns are not looked at.
        folder: What a relative path is relative to.
        scratch: Folder for readable copies of text files.
        staging: The table to create where a copy is needed, as SQL.

    Raises:
        SourceError: It cannot be opened or read.
    """
    address = expand(settings.source or "")
    shown = redact(settings.source or "")
    text: set[str] | None = set()
    separator = None
    if is_postgres(address):
        text = copy_postgres(connection, address, shown, settings, staging)
        relation = staging
    else:
        path = folder / address
        kind = file_kind(path)
        if settings.query is not None and kind != "duckdb":
            raise SourceError(
                f"{shown}: query with a source works on DuckDB files and PostgreSQL only; name the file in [files] and "
                "leave source out to query it"
            )
        if kind == "text":
            file = open_text(path, settings, scratch)
            relation, separator = file.sql(), file.separator
            text = None
        elif kind == "sheet":
            load_sheet(connection, path, settings, staging)
            relation, text = staging, None
        elif kind == "parquet":
            relation = f"read_parquet({quote(str(path))})"
        else:
            relation = attach_duckdb(connection, path, settings, staging)
    if text is not None and (settings.skip_rows or settings.skip_footer):
        raise SourceError(
            f"{shown}: skip_rows and skip_footer are for text files and Excel sheets; leave them out"
        )
    columns = column_types(connection, relation, shown)
    notes: list[Finding] = []
    if settings.fill_down:
        try:
            notes = fill_groups(connection, relation, columns, settings.fill_down, staging, shown)
        except duckdb.Error as error:
            raise SourceError(explain(error, shown)) from error
        relation = staging
    if text is None:
        text = {name for name, kind in columns.items() if kind == "VARCHAR"}
    return Source(shown, relation, columns, frozenset(text), separator, tuple(notes))


def column_types(connection: duckdb.DuckDBPyConnection, relation: str, shown: str) -> dict[str, str]:
    """DuckDB type of each column of a relation.

    Raises:
        SourceError: The relation cannot be read.
    """
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        raise SourceError(explain(error, shown)) from error
    return {str(row[0]): str(row[1]) for row in rows}


def explain(error: duckdb.Error, shown: str) -> str:
    """One sentence on why DuckDB could not read a source, without the rows it quotes."""
    lines = str(error).splitlines()
    message = lines[0].split("Error: ", 1)[-1]
    if "magic bytes" in str(error) or "Parquet" in str(error):
        return f"{shown} is not a whole Parquet file (was the copy cut off?): {message.split(' at end')[0]}"
    if message.startswith("CSV Error"):
        # Of several files in a query, this one; a readable copy has its file's own name.
        file = re.search(r"^\s*file = (.+)$", str(error), re.MULTILINE)
        of = f" of {Path(file.group(1)).name}" if file is not None and shown.startswith("query over ") else ""
        return f"{shown}, {_unfit_line(message, str(error), of)}"
    return f"{shown} cannot be read: {message}"


def _unfit_line(message: str, said: str, of: str) -> str:
    """Which line of a text file does not fit, why and what to do, without what is in it."""
    line = message.removeprefix("CSV Error on ").lower().replace("line: ", "line ") + of
    counts = re.search(r"^Expected Number of Columns: (\d+) Found: (\d+)", said, re.MULTILINE)
    if counts is not None:
        expected, there = (int(count) for count in counts.groups())
        values = f"{line}: {there} value{'' if there == 1 else 's'} where the header has {expected}; "
        if there > expected:
            return values + "put the value that holds a separator in quotes, or mend that line"
        return values + (
            "mend that line; if it belongs to a footer, write skip_footer = its number of lines; if it is the last, the "
            "file may be cut off"
        )
    if "quote" in said:
        return (
            f"{line}: a quote that is not closed, or closes before its value ends; mend that line, or write "
            "escape = '\\' if quotes inside quotes are written \\\""
        )
    reason = next((other for other in said.splitlines()[1:] if not other.startswith("Original Line")), "")
    return f"{line}: {reason.strip(' .') or 'it does not fit'}; mend that line"
