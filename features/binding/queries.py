"""Queries: a table of the user's own making, by SQL over named files of the project."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from features.binding.expressions import plain
from features.binding.report import Finding
from features.binding.sources import Source, column_types, explain, open_source
from features.errors import SourceError
from features.settings import FileSettings, TableSettings


def open_query(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    files: Mapping[str, FileSettings],
    *,
    folder: Path,
    scratch: Path,
    staging: str,
) -> Source:
    """Run a query over named files and keep its answer as a source.

    Args:
        connection: A connection over an on-disk database.
        query: One SELECT of DuckDB's SQL. Columns of text files are text, as they were written.
        files: The files it may name.
        folder: What relative paths are relative to.
        scratch: Folder for readable copies.
        staging: The table to create for the answer, as SQL.

    Raises:
        SourceError: It is not one query over those files, or a file cannot be read.
    """
    named = _tables_in(connection, query)
    unknown = sorted(named - {name.lower() for name in files})
    if unknown:
        raise SourceError(_unknown(query, unknown[0], files))
    shown = f"query over {', '.join(files[name].source for name in files if name.lower() in named)}"
    texts: set[str] = set()
    separators: set[str | None] = set()
    notes: list[Finding] = []
    views = []
    try:
        for name, file in files.items():
            if name.lower() not in named:
                continue
            settings = TableSettings(**file.model_dump())
            source = open_source(
                connection, settings, folder=folder, scratch=scratch, staging=f"{staging}_{name}"
            )
            connection.execute(f'CREATE TEMP VIEW "{name}" AS SELECT * FROM {source.relation}')
            views.append(name)
            texts |= source.text
            separators.add(source.separator)
            notes += source.notes
        connection.execute(f"CREATE TABLE {staging} AS {query}")
    except duckdb.Error as error:
        if "CSV Error" in str(error) or isinstance(error, duckdb.IOException):
            raise SourceError(explain(error, shown)) from error
        raise SourceError(f"{shown}: {plain(error, {})}") from error
    finally:
        for name in views:
            connection.execute(f'DROP VIEW "{name}"')
            connection.execute(f"DROP TABLE IF EXISTS {staging}_{name}")
    columns = column_types(connection, staging, shown)
    text = frozenset(name for name, kind in columns.items() if kind == "VARCHAR" and name in texts)
    separator = separators.pop() if len(separators) == 1 else None
    return Source(shown, staging, columns, text, separator, tuple(notes))


def _tables_in(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    """The tables a query reads, in lower case; its own WITH clauses are none."""
    answer = connection.execute("SELECT json_serialize_sql($1)", [query]).fetchall()[0][0]
    parsed = json.loads(answer)
    if parsed["error"]:
        raise SourceError(f"query {query!r} is not one SELECT of SQL: {parsed['error_message']}")
    if len(parsed["statements"]) != 1:
        raise SourceError(f"query {query!r} is more than one statement")
    tables: set[str] = set()
    own: set[str] = set()
    _walk(parsed["statements"][0], tables, own)
    return tables - own


def _walk(node: Any, tables: set[str], own: set[str]) -> None:
    if isinstance(node, list):
        for item in node:
            _walk(item, tables, own)
    elif isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            if node.get("schema_name") or node.get("catalog_name"):
                raise SourceError(
                    f"a query names files by the names they have in [files], without a schema before {node['table_name']!r}"
                )
            tables.add(str(node["table_name"]).lower())
        if node.get("type") == "TABLE_FUNCTION":
            raise SourceError(
                "a query may read the files named in [files] only, and no file by a function such as read_csv"
            )
        if "cte_map" in node:
            own.update(str(entry["key"]).lower() for entry in node["cte_map"]["map"])
        for item in node.values():
            _walk(item, tables, own)


def _unknown(query: str, name: str, files: Mapping[str, FileSettings]) -> str:
    near = difflib.get_close_matches(name, [known.lower() for known in files], n=1)
    mend = f"did you mean {near[0]}?" if near else f'name it as [files.{name}] source = "…"'
    have = ", ".join(files) or "nothing"
    return f"query {query!r} reads {name!r}, which is not among the files ({have}); {mend}"
