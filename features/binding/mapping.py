"""Bindings: canonical columns tied to expressions over a source, each with its SQL and type."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import duckdb

from features.binding.casts import UNAMBIGUOUS, Conventions
from features.binding.conventions import SourceConventions, source_conventions
from features.binding.expressions import Expression, Profile, parse, plain, profile, render, typed
from features.binding.report import Finding
from features.binding.sources import Source, explain
from features.errors import SourceError, TableError, TokuiError
from features.schema import Column, Kind, Table
from features.settings import TableSettings
from features.values.text import normalise
from features.values.times import zone_of


@dataclass(frozen=True, slots=True)
class Bound:
    """One column bound to an expression.

    Args:
        name: Canonical name, or a name of our own for what derived customers take from orders.
        column: The canonical column; None for what is only carried along.
        sql: The expression over the aliases of ``Binding.inputs``.
        type: DuckDB type of its value.
        conventions: How its ambiguous texts are meant.
        zone: The zone that the heading of a source column of times says, as in ``Created (UTC)``.
        currencies: Marks of currencies seen in the source columns that it is calculated from.
    """

    name: str
    column: Column | None
    sql: str
    type: str
    conventions: Conventions = UNAMBIGUOUS
    zone: str | None = None
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binding:
    """A canonical table bound to a source.

    Args:
        table: The canonical table.
        source: The user's table.
        columns: Bound columns in schema order, then those carried along.
        where: Condition over the aliases, if any.
        inputs: SQL over the source's columns by alias.
        notes: Source columns that hold some texts among numbers they are calculated with, or whose numbers
            could be meant otherwise.
        unused: Source columns that nothing uses.
    """

    table: Table
    source: Source
    columns: tuple[Bound, ...]
    where: str | None
    inputs: dict[str, str]
    notes: tuple[Finding, ...]
    unused: tuple[str, ...]

    def rows(self) -> str:
        """SQL of the values of every row that takes part, numbered by its place in the source."""
        inputs = "".join(f", {sql} AS {alias}" for alias, sql in self.inputs.items())
        values = "".join(f", {bound.sql} AS _v{place}" for place, bound in enumerate(self.columns))
        where = "" if self.where is None else f" WHERE {self.where}"
        return (
            f"SELECT _row{values} FROM (SELECT row_number() OVER () AS _row{inputs} "
            f"FROM {self.source.relation}){where}"
        )


@dataclass
class _Binder:
    """Collects what the expressions of one table need of its source."""

    connection: duckdb.DuckDBPyConnection
    source: Source
    profiles: dict[str, Profile]
    inputs: dict[str, str] = field(default_factory=dict)
    mixed: dict[str, Finding] = field(default_factory=dict)

    def sql(self, expression: Expression, kind: Kind | None) -> tuple[str, str]:
        """SQL over aliases and type of an expression; text columns get types where they need them."""
        if expression.bare and kind is not None:
            return self._attempt(expression, "raw")
        try:
            return self._attempt(expression, "natural")
        except duckdb.Error as error:
            if not any(self._loosened(name) for name in expression.columns):
                raise TableError(
                    f"{expression.text!r} does not fit the columns: {self._said(error)}"
                ) from error
            try:
                answer = self._attempt(expression, "loose")
            except duckdb.Error:
                raise TableError(
                    f"{expression.text!r} does not fit the columns: {self._said(error)}"
                ) from error
        for name in filter(self._loosened, expression.columns):
            content = self.profiles[name]
            count = content.filled - content.numbers
            self.mixed[name] = Finding(
                "not a number in a column of numbers", name, count, content.example, content.row
            )
        return answer

    def _loosened(self, name: str) -> bool:
        return name in self.profiles and self.profiles[name].nearly_numbers

    def _said(self, error: duckdb.Error) -> str:
        return plain(error, {alias: name for name in self.source.columns for alias in self._aliases(name)})

    def _aliases(self, name: str) -> tuple[str, str, str]:
        place = list(self.source.columns).index(name)
        return f"_raw{place}", f"_natural{place}", f"_loose{place}"

    def _attempt(self, expression: Expression, manner: str) -> tuple[str, str]:
        chosen: dict[str, str] = {}
        needed: dict[str, str] = {}
        for name in expression.columns:
            raw, natural, loose = self._aliases(name)
            column = '"' + name.replace('"', '""') + '"'
            content = self.profiles.get(name)
            if manner == "loose" and self._loosened(name):
                alias, sql = loose, typed(column, content, loose=True)
            elif manner == "raw" or content is None or content.natural == "VARCHAR":
                alias, sql = raw, column
            else:
                alias, sql = natural, typed(column, content, loose=False)
            chosen[name], needed[alias] = alias, sql
        sql = render(self.connection, expression, chosen)
        inputs = "".join(f", {column} AS {alias}" for alias, column in needed.items())
        # A plain column beside it makes DuckDB refuse an aggregate.
        described = self.connection.execute(
            f"DESCRIBE SELECT _row, {sql} FROM (SELECT 0 AS _row{inputs} FROM {self.source.relation})"
        ).fetchall()
        self.inputs.update(needed)
        return sql, str(described[1][1])


def resolve(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    settings: TableSettings,
    source: Source,
    carried: Mapping[str, str],
    now: datetime,
) -> tuple[Binding | None, list[TokuiError]]:
    """Tie a canonical table's columns to a source.

    A column that is not mapped is bound to the source's column of the same name, if there is one.

    Args:
        connection: Where the source is.
        table: The canonical table.
        settings: Its binding.
        source: The opened source.
        carried: Further expressions over the source by a name of the caller's.
        now: Naive wall clock of the project: nothing that is not planned lies after it.

    Returns:
        The binding, or None and everything that is wrong with it.
    """
    parsed, unparsed = _parse(connection, table, settings, source, carried)
    problems: list[TokuiError] = [*unparsed]
    try:
        conventions = _conventions(connection, table, settings, source, parsed, now)
        binder = _Binder(connection, source, _profiles(connection, source, parsed, conventions))
    except duckdb.Error as error:
        if "CSV Error" in str(error) or isinstance(error, duckdb.IOException):
            return None, [SourceError(explain(error, source.name))]
        return None, [TableError(f"{table.name}: {plain(error, {})}")]
    problems += conventions.problems
    columns: list[Bound] = []
    where = None
    for name, (column, expression) in parsed.items():
        try:
            if name == _WHERE:
                where, _ = binder.sql(expression, None)
            else:
                columns.append(_bound(binder, name, column, expression, conventions))
        except TableError as error:
            problems.append(TableError(f"{_place(table, name)}: {error}"))
    if problems:
        return None, problems
    used = {name for _, expression in parsed.values() for name in expression.columns}
    unused = tuple(name for name in source.columns if name not in used)
    notes = (*source.notes, *binder.mixed.values(), *conventions.notes)
    return Binding(table, source, tuple(columns), where, binder.inputs, notes, unused), []


def _bound(
    binder: "_Binder",
    name: str,
    column: Column | None,
    expression: Expression,
    conventions: SourceConventions,
) -> Bound:
    sql, type_ = binder.sql(expression, Kind.TEXT if column is None else column.kind)
    if expression.bare:
        (source,) = expression.columns
        zone = zone_of_heading(source) if column is not None and column.kind is Kind.TIME else None
        return Bound(name, column, sql, type_, conventions.of(source), zone)
    profiles = [binder.profiles[source] for source in expression.columns if source in binder.profiles]
    marks = tuple(dict.fromkeys(mark for content in profiles for mark in content.currencies))
    return Bound(name, column, sql, type_, conventions.default, currencies=marks)


def zone_of_heading(heading: str) -> str | None:
    """The zone a heading says in brackets.

    Examples:
        >>> zone_of_heading("Created date (UTC)"), zone_of_heading("Amount (JPY)")
        ('UTC', None)
    """
    said = re.search(r"[(\[]([^)\]]+)[)\]]", unicodedata.normalize("NFKC", heading))
    zone = None if said is None else zone_of(said[1].strip())
    return None if zone is None else zone.key


_WHERE = "where"
_PLANNED_YEARS = 50
_Parsed = dict[str, tuple[Column | None, Expression]]


def _place(table: Table, name: str) -> str:
    """How messages call a column: what is carried along brings its own table's name."""
    return name if "." in name else f"{table.name}.{name}"


def _parse(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    settings: TableSettings,
    source: Source,
    carried: Mapping[str, str],
) -> tuple[_Parsed, list[TableError]]:
    problems: list[TableError] = []
    same_name = {name.lower(): name for name in source.columns}
    texts: list[tuple[str, Column | None, str]] = []
    used = set(settings.columns.values())
    for column in table.columns:
        text = settings.columns.get(column.name) or same_name.get(column.name)
        if text is None and column.name == "currency":
            # Money of several currencies must not be added up because nobody thought of binding this.
            text = _currency_column(column, source, used)
        if text is not None:
            texts.append((column.name, column, text))
        elif column.required:
            problems.append(
                TableError(
                    f"{table.name}.{column.name} is required and not bound: {source.name} has no column of that "
                    f"name, only {', '.join(source.columns)}; map one in [tables.{table.name}.columns]"
                )
            )
    texts += [(name, None, text) for name, text in carried.items()]
    if settings.where is not None:
        texts.append((_WHERE, None, settings.where))
    parsed: _Parsed = {}
    for name, canonical, text in texts:
        try:
            parsed[name] = (canonical, parse(connection, text, source))
        except TableError as error:
            problems.append(TableError(f"{_place(table, name)}: {error}"))
    return parsed, problems


def _currency_column(column: Column, source: Source, used: set[str]) -> str | None:
    headings = set(column.synonyms.split())
    return next((name for name in source.columns if normalise(name) in headings and name not in used), None)


def _calculated(parsed: _Parsed) -> set[str]:
    """The source columns that are calculated with, not just read."""
    return {
        column
        for name, (_, expression) in parsed.items()
        if not expression.bare or name == _WHERE
        for column in expression.columns
    }


def _conventions(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    settings: TableSettings,
    source: Source,
    parsed: _Parsed,
    now: datetime,
) -> SourceConventions:
    texts = {name for name, kind in source.columns.items() if kind == "VARCHAR"}
    numbers = _calculated(parsed) & texts
    latest: dict[str, str] = {}
    for column, expression in parsed.values():
        if not expression.bare or column is None or not texts.issuperset(expression.columns):
            continue
        (name,) = expression.columns
        if column.kind is Kind.NUMBER:
            numbers.add(name)
        elif column.kind is Kind.TIME and settings.dates is None:
            years = _PLANNED_YEARS if column.planned else 0
            latest[name] = f"{now.year + years:04}-{now:%m-%d} 24"
    ordered = [name for name in source.columns if name in numbers]
    return source_conventions(connection, source, table.name, ordered, latest, settings.decimal)


def _profiles(
    connection: duckdb.DuckDBPyConnection, source: Source, parsed: _Parsed, conventions: SourceConventions
) -> dict[str, Profile]:
    """Profiles of the text columns that are calculated with, not just read."""
    calculated = _calculated(parsed)
    texts = {
        name: conventions.of(name).decimal
        for name, kind in source.columns.items()
        if name in calculated and kind == "VARCHAR"
    }
    # A typed source means its text to be text: only numbers hidden in it are looked for, when needed.
    return {
        name: content if name in source.text else replace(content, natural="VARCHAR")
        for name, content in profile(connection, source, texts).items()
    }
