"""Sources: any file or database a user names, opened as one DuckDB relation."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.binding.databases import attach_duckdb, copy_postgres, expand, is_postgres, redact
from features.binding.sheets import load_sheet
from features.binding.textfiles import open_text, quote
from features.errors import SourceError
from features.settings import TableSettings

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".tab", ".dat"})
SHEET_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls"})
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
DUCKDB_SUFFIXES = frozenset({".duckdb", ".db", ".ddb"})


@dataclass(frozen=True, slots=True)
class Source:
    """A user's table, ready to be selected from.

    Args:
        name: As messages and reports show it: never with a password.
        relation: What to write after FROM.
        columns: DuckDB type by column name, in the source's order.
        text: Columns that hold values as text, exactly as they were written.
        separator: The character between two values of a text file.
    """

    name: str
    relation: str
    columns: dict[str, str]
    text: frozenset[str] = frozenset()
    separator: str | None = None


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
        _check(path)
        suffix = path.suffix.lower()
        if settings.query is not None and suffix not in DUCKDB_SUFFIXES:
            raise SourceError(
                f"{shown}: query works on DuckDB files and PostgreSQL only; use where and expressions"
            )
        if suffix in TEXT_SUFFIXES:
            file = open_text(path, settings.encoding, scratch)
            relation, separator = file.sql(), file.separator
            text = None
        elif suffix in PARQUET_SUFFIXES:
            relation = f"read_parquet({quote(str(path))})"
        elif suffix in SHEET_SUFFIXES:
            load_sheet(connection, path, settings.table, staging)
            relation, text = staging, None
        elif suffix in DUCKDB_SUFFIXES:
            relation = attach_duckdb(connection, path, settings, staging)
        else:
            raise SourceError(
                f"{shown} is of a kind tokui does not read; it reads .csv .tsv .txt .xlsx .parquet .duckdb "
                "and postgresql:// addresses"
            )
    columns = column_types(connection, relation, shown)
    if text is None:
        text = {name for name, kind in columns.items() if kind == "VARCHAR"}
    return Source(shown, relation, columns, frozenset(text), separator)


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
        reason = next((line for line in lines[1:] if not line.startswith("Original Line")), "it does not fit")
        hint = (
            "the file seems to be cut off or a quote is not closed" if "quote" in reason else "mend that line"
        )
        return f"{shown}, {message.removeprefix('CSV Error on ').lower()}: {reason.strip(' .')}; {hint}"
    return f"{shown} cannot be read: {message}"


def _check(path: Path) -> None:
    if not path.is_file():
        kind = "is a folder, not a file" if path.is_dir() else "is not there"
        raise SourceError(f"{path} {kind}; a source is relative to the folder of tokui.toml")
    try:
        with path.open("rb") as file:
            start = file.read(1)
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from error
    if not start:
        raise SourceError(f"{path} is empty: it has no header and no rows")
