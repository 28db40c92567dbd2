"""Checks: one pass writes a bound table with its oddities marked; they are counted, then cleared away."""

from dataclasses import dataclass, replace
from datetime import date, datetime

import duckdb

from features.binding.casts import UNREADABLE, Clock, clean, currency_of_text, read
from features.binding.currencies import check_currencies
from features.binding.expressions import plain
from features.binding.identities import same_id
from features.binding.losses import losses_of, refusal_of
from features.binding.mapping import PLANNED_YEARS, Binding, Bound
from features.binding.report import Finding, TableReport
from features.binding.rows import repeated_keys, row_notes
from features.binding.sources import columns_of, explain
from features.binding.statuses import status_notes
from features.binding.strays import table_span
from features.binding.summary import summarise
from features.errors import SourceError, TableError
from features.schema import Column, Kind, Table
from features.settings import Acceptance, IdSettings

FATAL_SHARE = 0.2
"""A table of which a larger share of rows would be lost for one reason is bound wrongly."""

_UNREADABLE, _INFINITE, _PAST, _FUTURE, _PLACEHOLDER, _EMPTY, _TIDIED = 1, 2, 3, 4, 5, 6, 7
_EARLIEST = "TIMESTAMP '1970-01-01'"
_ASIDE = "_row", "_drop"
_ACCOUNTS = "customer_id", "parent_id"
"""Columns that name an account."""
_LATE, _STRAY = 124, 125


@dataclass(frozen=True, slots=True)
class _Odd:
    place: int
    column: Column
    code: int
    dropped: bool
    count: int
    row: int
    example: str | None

    @property
    def reason(self) -> str:
        return {
            _UNREADABLE: UNREADABLE.get(self.column.kind, "not readable"),
            _INFINITE: "not finite",
            _PAST: "before 1970",
            _FUTURE: "in the future",
            _PLACEHOLDER: "a placeholder and no date",
            _EMPTY: "empty",
            _TIDIED: "written with blanks, unseen or wide characters, read without them",
        }[self.code]

    @property
    def finding(self) -> Finding:
        reason = self.reason if self.dropped or self.code == _TIDIED else f"{self.reason}, taken as empty"
        return Finding(reason, self.column.name, self.count, self.example, self.row)


_ALL_TOLD_APART = IdSettings()


@dataclass(frozen=True, slots=True)
class Rules:
    """What is held against the rows of one table.

    Args:
        now: Naive wall clock of the project: nothing can have happened later.
        currency: ISO 4217 code of all money.
        until: Last day that the tables tell of, if it is given.
        keep_strays: Whether lone rows far from all others take part.
        max_loss: Share that may be lost without having been accepted.
        accept: What the user has accepted.
        ids: Which writings of an id are one customer.
    """

    now: datetime
    currency: str
    until: date | None = None
    keep_strays: bool = False
    max_loss: float = 1.0
    accept: Acceptance | None = None
    ids: IdSettings = _ALL_TOLD_APART


def fill(
    connection: duckdb.DuckDBPyConnection, binding: Binding, clock: Clock, rules: Rules
) -> tuple[TableReport | None, list[TableError]]:
    """Create a canonical table from its binding and check every row.

    What the binding carries along stays in the table under its own name.

    Args:
        connection: Where the source is and the table goes.
        binding: The bound table.
        clock: How its times are read.
        rules: What is held against the rows.

    Returns:
        The report, or None and everything that is wrong with the table.

    Raises:
        SourceError: The source cannot be read to its end.
        TableError: An expression cannot be computed.
    """
    table = binding.table
    _write(connection, binding, clock, rules)
    rows = _one(connection, f"SELECT count(*) FROM {table.name}")
    if rows == 0:
        why = "" if binding.where is None else ", or none of them meets where"
        return None, [TableError(f"{table.name}: {binding.source.name} has no rows{why}")]
    odd = [oddity for place, bound in _checked(binding) for oddity in _odd(connection, table, place, bound)]
    problems = [problem for oddity in odd if (problem := _fatal(connection, binding, oddity, rows, rules))]
    repeated, keyed = repeated_keys(connection, table)
    converted, unrated, foreign = check_currencies(connection, binding, rules.currency)
    problems += [*keyed, *foreign]
    aside = [] if problems else _set_aside(connection, binding, rules)
    kept = _one(connection, f"SELECT count(*) FROM {table.name} WHERE _drop IS NULL")
    if kept == 0 and not problems:
        problems = [_nothing_left(binding, odd)]
    if problems:
        return None, problems
    dropped = (*(oddity.finding for oddity in odd if oddity.dropped), *repeated, *unrated, *aside)
    emptied = {odd_.column.name: odd_.count for odd_ in odd if not odd_.dropped and odd_.code == _UNREADABLE}
    losses = losses_of(connection, binding, emptied)
    connection.execute(f"DELETE FROM {table.name} WHERE _drop IS NOT NULL")
    warnings = [*(oddity.finding for oddity in odd if not oddity.dropped), *binding.notes, *converted]
    warnings += [*row_notes(connection, binding), *status_notes(connection, binding)]
    _drop_helpers(connection, table)
    why = "; ".join(str(finding) for finding in dropped) or "; ".join(map(str, warnings[: len(emptied)]))
    refusal = refusal_of(table.name, losses, why, rules.max_loss, rules.accept)
    names = [bound.name for bound in binding.columns if bound.column is not None]
    report = summarise(connection, table, names, source=binding.source.name, rows=rows)
    report = replace(report, dropped=dropped, warnings=tuple(warnings), unused_columns=binding.unused)
    accepted = None if rules.accept is None else rules.accept.reason
    return replace(report, losses=losses, refusal=refusal, accepted=accepted), []


def _set_aside(connection: duckdb.DuckDBPyConnection, binding: Binding, rules: Rules) -> list[Finding]:
    """Mark what lies after the last day the tables tell of, and lone rows far from all others."""
    table = binding.table
    bound = {column.name for column in binding.columns}
    if table.time not in bound or table.column(table.time).planned or not table.course:
        return []
    findings = []
    if rules.until is not None:
        findings += _mark_rows(
            connection,
            table,
            f"{table.time} >= DATE '{rules.until}' + 1",
            _LATE,
            f"after until = {rules.until}",
        )
    if not rules.keep_strays:
        span = table_span(connection, table.name, table.time)
        if span is not None:
            outside = f"({table.time} < DATE '{span.first}' OR {table.time} >= DATE '{span.last}' + 1)"
            reason = (
                f"dated far from all other rows ({span.first} to {span.last}), left out; if right, say "
                f'strays = "keep" in [tables.{table.name}]'
            )
            findings += _mark_rows(connection, table, outside, _STRAY, reason)
    return findings


def _mark_rows(
    connection: duckdb.DuckDBPyConnection, table: Table, condition: str, code: int, reason: str
) -> list[Finding]:
    connection.execute(f"UPDATE {table.name} SET _drop = {code} WHERE _drop IS NULL AND {condition}")
    count, row, example = connection.execute(
        f"SELECT count(*), min(_row), arg_min({table.time}, _row) FROM {table.name} WHERE _drop = {code}"
    ).fetchall()[0]
    return [Finding(reason, table.time, count, f"{example:%Y-%m-%d}", row)] if count else []


def _drop_helpers(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Take away the columns that only checking needed."""
    for column in columns_of(connection, table.name):
        if column.startswith(("_odd", "_was", "_mark")):
            connection.execute(f'ALTER TABLE {table.name} DROP COLUMN "{column}"')


def clear(connection: duckdb.DuckDBPyConnection, binding: Binding) -> None:
    """Leave a checked table with its canonical columns only."""
    aside = {*_ASIDE, *(bound.name for bound in binding.columns if bound.column is None)}
    for name in aside & set(columns_of(connection, binding.table.name)):
        connection.execute(f'ALTER TABLE {binding.table.name} DROP COLUMN "{name}"')


def _write(connection: duckdb.DuckDBPyConnection, binding: Binding, clock: Clock, rules: Rules) -> None:
    table = binding.table
    cleaned, canons, values, marks, final, drop = [], [], [], [], [], []
    for place, bound in enumerate(binding.columns):
        name = f'"{bound.name}"'
        if bound.column is None:
            final.append(f"_v{place} AS {name}")
            continue
        tidy, type_ = clean(f"_v{place}", bound.type, bound.column.kind)
        cleaned.append(f"{tidy} AS _t{place}")
        own = clock if bound.zone is None else replace(clock, source=bound.zone)
        reading = read(bound.column.kind, f"_t{place}", type_, own, bound.conventions, f"_c{place}")
        if reading.canon is not None:
            canons.append(f"{reading.canon} AS _c{place}")
        value = same_id(reading.value, **rules.ids.model_dump()) if bound.name in _ACCOUNTS else reading.value
        values.append(f"{value} AS _x{place}")
        if bound.column.money and type_ == "VARCHAR":
            final.append(f"{currency_of_text(f'_t{place}')} AS _mark{place}")
        mark = _mark(bound.column, f"_x{place}", reading.present, rules.now)
        if mark is None:
            final.append(f"_x{place} AS {name}")
            continue
        fine, was = f"_odd{place} IS NULL", f"CASE WHEN _odd{place} < {_EMPTY} THEN {reading.text} END"
        if bound.column.name == "customer_id" and bound.type == "VARCHAR":
            # Two writings of one id: the only oddity that costs nothing and is yet to be said.
            mark = f"coalesce({mark}, CAST(CASE WHEN _t{place} <> _v{place} THEN {_TIDIED} END AS TINYINT))"
            fine = f"({fine} OR _odd{place} = {_TIDIED})"
            was = f"CASE WHEN _odd{place} = {_TIDIED} THEN _v{place} WHEN _odd{place} < {_EMPTY} THEN {reading.text} END"
        marks.append(f"{mark} AS _odd{place}")
        final += [f"CASE WHEN {fine} THEN _x{place} END AS {name}", f"_odd{place}", f"{was} AS _was{place}"]
        if _drops(table, bound.column):
            drop.append(f"WHEN _odd{place} <> {_TIDIED} THEN {place}")
    marked = ", ".join(["*", *marks])
    sql = (
        f"CREATE OR REPLACE TABLE {table.name} AS "
        f"SELECT _row, CAST(CASE {' '.join(drop)} END AS TINYINT) AS _drop, {', '.join(final)} "
        f"FROM (SELECT {marked} FROM (SELECT *, {', '.join(values)} FROM (SELECT {', '.join(['*', *canons])} "
        f"FROM (SELECT *, {', '.join(cleaned)} FROM ({binding.rows()})))))"
    )
    try:
        connection.execute(sql)
    except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.BinderException) as error:
        raise _uncomputable(connection, binding, error) from error
    except duckdb.OutOfMemoryException as error:
        raise SourceError(
            f"{binding.source.name}: memory_gib in tokui.toml is too little to read it; raise it"
        ) from error
    except duckdb.Error as error:
        if "CSV Error" in str(error) or isinstance(error, duckdb.IOException):
            raise SourceError(explain(error, binding.source.name)) from error
        raise _uncomputable(connection, binding, error) from error


def _mark(column: Column, value: str, present: str, now: datetime) -> str | None:
    """SQL of the code of what is odd about a value; None where nothing can be."""
    cases = []
    if column.kind in UNREADABLE:
        cases.append(f"WHEN {value} IS NULL AND {present} THEN {_UNREADABLE}")
    if column.kind is Kind.NUMBER:
        cases.append(f"WHEN isinf({value}) THEN {_INFINITE}")
    if column.kind is Kind.TIME:
        cases.append(f"WHEN {value} < {_EARLIEST} THEN {_PAST}")
        # Second 0 of computers, on the clock of whatever zone.
        cases.append(f"WHEN {value} < {_EARLIEST} + INTERVAL 1 DAY THEN {_PLACEHOLDER}")
        moment = f"TIMESTAMP '{now.isoformat(sep=' ')}'"
        cases.append(f"WHEN {value} > {moment} + INTERVAL {PLANNED_YEARS} YEAR THEN {_PLACEHOLDER}")
        if not column.planned:
            cases.append(f"WHEN {value} > {moment} THEN {_FUTURE}")
    if column.required:
        cases.append(f"WHEN {value} IS NULL THEN {_EMPTY}")
    return f"CAST(CASE {' '.join(cases)} END AS TINYINT)" if cases else None


def _drops(table: Table, column: Column) -> bool:
    """Whether an odd value costs the row; elsewhere it becomes empty.

    An unreadable ``known_at`` taken as empty would let the row be known too early.
    """
    return column.required or column.name in {"known_at", *table.key}


def _checked(binding: Binding) -> list[tuple[int, Bound]]:
    return [
        (place, bound) for place, bound in enumerate(binding.columns)
        if bound.column is not None and (bound.column.kind in UNREADABLE or bound.column.required)
    ]  # fmt: skip


def _odd(connection: duckdb.DuckDBPyConnection, table: Table, place: int, bound: Bound) -> list[_Odd]:
    column = bound.column
    if column is None:
        return []
    drops = _drops(table, column)
    rows = connection.execute(
        f"SELECT _odd{place}, count(*), min(_row), arg_min(_was{place}, _row) FROM {table.name} "
        f"WHERE _odd{place} IS NOT NULL AND (_drop {f'= {place}' if drops else 'IS NULL'} OR _odd{place} = {_TIDIED}) "
        f"GROUP BY _odd{place} ORDER BY _odd{place}"
    ).fetchall()
    return [
        _Odd(place, column, code, drops and code != _TIDIED, count, row, _shown(example))
        for code, count, row, example in rows
    ]


def _shown(example: str | None) -> str | None:
    return example if example is None or len(example) <= 40 else example[:40] + "…"


def _fatal(
    connection: duckdb.DuckDBPyConnection, binding: Binding, odd: _Odd, rows: int, rules: Rules
) -> TableError | None:
    name, column = binding.table.name, odd.column.name
    most = max(FATAL_SHARE, 0.0 if rules.accept is None else rules.accept.share)
    if odd.code == _EMPTY and column == "customer_id":
        return None
    if not odd.dropped:
        if odd.code != _UNREADABLE:
            return None
        rows = odd.count + _one(connection, f"SELECT count({column}) FROM {name} WHERE _drop IS NULL")
    if odd.count <= most * rows:
        return None
    mend = {
        _EMPTY: "bind a column that is always filled, or leave these rows out with where",
        _INFINITE: "bind an expression that cannot divide by zero",
        _PAST: "bind the column that dates the row",
        _PLACEHOLDER: "bind the column that dates the row",
        _FUTURE: "check dates, timezone and the clock",
    }.get(odd.code) or {
        Kind.TIME: f'give their format in [tables.{name}], for example dates = "%d/%m/%Y"',
        Kind.NUMBER: "bind a column of numbers, or an expression that makes numbers of it",
    }.get(odd.column.kind, "bind a column of truths, or a condition")
    example = "" if odd.example is None else f", for example {odd.example!r}"
    return TableError(
        f"{name}.{column}: {odd.count:,} of {rows:,} values are {odd.reason}{example} in row {odd.row:,} "
        f"of {binding.source.name}; {mend}"
    )


def _nothing_left(binding: Binding, odd: list[_Odd]) -> TableError:
    reasons = "; ".join(str(oddity.finding) for oddity in odd if oddity.dropped)
    return TableError(f"{binding.table.name}: no row of {binding.source.name} can be used ({reasons})")


def _uncomputable(connection: duckdb.DuckDBPyConnection, binding: Binding, error: duckdb.Error) -> TableError:
    """Find the column whose expression fails, by trying each alone."""
    names = {alias: sql.strip('"') for alias, sql in binding.inputs.items()}
    for place, bound in enumerate(binding.columns):
        try:
            connection.execute(f"SELECT max(hash(_v{place})) FROM ({binding.rows()})")
        except duckdb.Error as own:
            return TableError(
                f"{binding.table.name}.{bound.name} cannot be computed: {plain(own, names)}; "
                "write TRY_CAST where a value may not fit"
            )
    return TableError(f"{binding.table.name} cannot be computed: {plain(error, names)}")


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(sql).fetchall()[0][0])
