"""Further columns of a source: of which kind each is, where tokui.toml does not say."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import duckdb

from features.binding.casts import UNAMBIGUOUS, Clock, clean, read
from features.binding.expressions import parse, profile
from features.binding.mapping import resolve
from features.binding.report import Finding
from features.binding.sources import Source
from features.catalogue.more import MORE, more_column, with_more
from features.errors import TableError, TokuiError
from features.schema import Column, Kind, Table
from features.settings import MoreColumn, TableSettings

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip


def extend(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    settings: TableSettings,
    more: Mapping[str, MoreColumn],
    source: Source,
    now: datetime,
) -> tuple[Table, TableSettings, tuple[Finding, ...], list[TokuiError]]:
    """A table and its binding with the further columns that tokui.toml gives it.

    Args:
        connection: Where the source is.
        table: The canonical table.
        settings: Its binding.
        more: Its further columns by their names in tokui.toml.
        source: The opened source.
        now: Naive wall clock of the project.

    Returns:
        Both, kinds that were told from the values, and what is wrong.
    """
    if not more:
        return table, settings, (), []
    expressions = {MORE + name: column.expression for name, column in more.items()}
    bound = settings.model_copy(update={"columns": settings.columns | expressions})
    texts = [more_column(name, Kind.TEXT) for name in more]
    # Tried as texts first: what is wrong with an expression is said before its kind is asked for.
    probe = replace(table, columns=tuple(texts), key=())
    binding, problems = resolve(connection, probe, bound.model_copy(update={"where": None}), source, {}, now)
    if binding is None:
        return table, settings, (), problems
    types = {column.name: column.type for column in binding.columns}
    columns: list[Column] = []
    notes = []
    for name, column in more.items():
        if column.kind is not None:
            columns.append(more_column(name, Kind(column.kind), column.label))
            continue
        try:
            kind = _kind(connection, table, name, column.expression, types[MORE + name], source)
        except TableError as error:
            problems.append(error)
            continue
        columns.append(more_column(name, kind, column.label))
        notes.append(Finding(f"further column, by its values a {kind.value}", MORE + name, 1))
    return with_more(table, columns), bound, tuple(notes), problems


def _kind(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    name: str,
    expression: str,
    type_: str,
    source: Source,
) -> Kind:
    parsed = parse(connection, expression, source)
    if parsed.bare and type_ == "VARCHAR":
        (column,) = parsed.columns
        if column in source.text:
            type_ = profile(connection, source, {column: "."})[column].natural
        if type_ == "VARCHAR" and _are_flags(connection, source, column):
            return Kind.FLAG
    if type_.startswith(("DATE", "TIME", "INTERVAL")):
        raise TableError(
            f"{table.name}.more.{name}: {expression!r} is a time, and further columns are numbers, texts or flags; write an "
            "expression that makes a number of it, such as date_diff('day', …, …)"
        )
    if type_ == "BOOLEAN":
        return Kind.FLAG
    return Kind.NUMBER if type_.startswith(_NUMBERS) else Kind.TEXT


def _are_flags(connection: duckdb.DuckDBPyConnection, source: Source, column: str) -> bool:
    quoted = '"' + column.replace('"', '""') + '"'
    tidy, type_ = clean("v", "VARCHAR")
    reading = read(Kind.FLAG, "t", type_, Clock("UTC", "UTC"), UNAMBIGUOUS)
    filled, flags = connection.execute(
        f"SELECT count(*) FILTER ({reading.present}), count({reading.value}) FROM (SELECT {tidy} AS t "
        f"FROM (SELECT DISTINCT CAST({quoted} AS VARCHAR) AS v FROM {source.relation}))"
    ).fetchall()[0]
    return bool(filled) and filled == flags
