"""Checks: one pass writes a bound table with its oddities marked; they are counted, then cleared away."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from features.binding.casts import UNREADABLE, Clock, clean, read
from features.binding.expressions import plain
from features.binding.mapping import Binding, Bound
from features.binding.report import Finding, TableReport
from features.binding.sources import explain
from features.binding.summary import summarise
from features.errors import SourceError, TableError
from features.schema import Column, Kind, Table

FATAL_SHARE = 0.2
"""A table of which a larger share of rows would be lost for one reason is bound wrongly."""

_UNREADABLE, _INFINITE, _PAST, _FUTURE, _EMPTY = 1, 2, 3, 4, 5
_EARLIEST = "TIMESTAMP '1970-01-01'"
_ASIDE = "_row", "_drop"


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
            _EMPTY: "empty",
        }[self.code]

    @property
    def finding(self) -> Finding:
        reason = self.reason if self.dropped else f"{self.reason}, taken as empty"
        return Finding(reason, self.column.name, self.count, self.example, self.row)


def fill(
    connection: duckdb.DuckDBPyConnection, binding: Binding, clock: Clock, now: datetime
) -> tuple[TableReport | None, list[TableError]]:
    """Create a canonical table from its binding and check every row.

    What the binding carries along stays in the table under its own name.

    Args:
        connection: Where the source is and the table goes.
        binding: The bound table.
        clock: How its times are read.
        now: Naive wall clock of the project: nothing can have happened later.

    Returns:
        The report, or None and everything that is wrong with the table.

    Raises:
        SourceError: The source cannot be read to its end.
        TableError: An expression cannot be computed.
    """
    table = binding.table
    _write(connection, binding, clock, now)
    rows = _one(connection, f"SELECT count(*) FROM {table.name}")
    if rows == 0:
        why = "" if binding.where is None else ", or none of them meets where"
        return None, [TableError(f"{table.name}: {binding.source.name} has no rows{why}")]
    odd = [oddity for place, bound in _checked(binding) for oddity in _odd(connection, table, place, bound)]
    repeated, keyed = _repeated_keys(connection, table)
    problems = [problem for oddity in odd if (problem := _fatal(connection, binding, oddity, rows))] + keyed
    kept = _one(connection, f"SELECT count(*) FROM {table.name} WHERE _drop IS NULL")
    if kept == 0 and not problems:
        problems = [_nothing_left(binding, odd)]
    if problems:
        return None, problems
    connection.execute(f"DELETE FROM {table.name} WHERE _drop IS NOT NULL")
    warnings = [*(oddity.finding for oddity in odd if not oddity.dropped), *binding.mixed]
    warnings += _repeats(connection, binding)
    if table.name == "orders":
        warnings += money_notes(connection, {bound.name for bound in binding.columns})
    for place, _ in _checked(binding):
        for column in (f"_odd{place}", f"_was{place}"):
            connection.execute(f"ALTER TABLE {table.name} DROP COLUMN {column}")
    dropped = [oddity.finding for oddity in odd if oddity.dropped] + repeated
    names = [bound.name for bound in binding.columns if bound.column is not None]
    report = summarise(connection, table, names, source=binding.source.name, rows=rows)
    return replace(
        report, dropped=tuple(dropped), warnings=tuple(warnings), unused_columns=binding.unused
    ), []


def clear(connection: duckdb.DuckDBPyConnection, binding: Binding) -> None:
    """Leave a checked table with its canonical columns only."""
    aside = [*_ASIDE, *(bound.name for bound in binding.columns if bound.column is None)]
    for name in aside:
        connection.execute(f'ALTER TABLE {binding.table.name} DROP COLUMN IF EXISTS "{name}"')


def _write(connection: duckdb.DuckDBPyConnection, binding: Binding, clock: Clock, now: datetime) -> None:
    table = binding.table
    cleaned, values, marks, final, drop = [], [], [], [], []
    for place, bound in enumerate(binding.columns):
        name = f'"{bound.name}"'
        if bound.column is None:
            final.append(f"_v{place} AS {name}")
            continue
        tidy, type_ = clean(f"_v{place}", bound.type)
        cleaned.append(f"{tidy} AS _t{place}")
        reading = read(bound.column.kind, f"_t{place}", type_, clock)
        values.append(f"{reading.value} AS _x{place}")
        mark = _mark(bound.column, f"_x{place}", reading.present, now)
        if mark is None:
            final.append(f"_x{place} AS {name}")
            continue
        marks.append(f"{mark} AS _odd{place}")
        final += [
            f"CASE WHEN _odd{place} IS NULL THEN _x{place} END AS {name}",
            f"_odd{place}",
            f"CASE WHEN _odd{place} < {_EMPTY} THEN {reading.text} END AS _was{place}",
        ]
        if _drops(table, bound.column):
            drop.append(f"WHEN _odd{place} IS NOT NULL THEN {place}")
    marked = ", ".join(["*", *marks])
    sql = (
        f"CREATE OR REPLACE TABLE {table.name} AS "
        f"SELECT _row, CAST(CASE {' '.join(drop)} END AS TINYINT) AS _drop, {', '.join(final)} "
        f"FROM (SELECT {marked} FROM (SELECT *, {', '.join(values)} "
        f"FROM (SELECT *, {', '.join(cleaned)} FROM ({binding.rows()}))))"
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
        if not column.planned:
            cases.append(f"WHEN {value} > TIMESTAMP '{now.isoformat(sep=' ')}' THEN {_FUTURE}")
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
        f"WHERE _odd{place} IS NOT NULL AND _drop {f'= {place}' if drops else 'IS NULL'} "
        f"GROUP BY _odd{place} ORDER BY _odd{place}"
    ).fetchall()
    return [
        _Odd(place, column, code, drops, count, row, _shown(example)) for code, count, row, example in rows
    ]


def _shown(example: str | None) -> str | None:
    return example if example is None or len(example) <= 40 else example[:40] + "…"


def _fatal(
    connection: duckdb.DuckDBPyConnection, binding: Binding, odd: _Odd, rows: int
) -> TableError | None:
    name, column = binding.table.name, odd.column.name
    if odd.code == _EMPTY and column == "customer_id":
        return None
    if not odd.dropped:
        if odd.code != _UNREADABLE:
            return None
        rows = odd.count + _one(connection, f"SELECT count({column}) FROM {name} WHERE _drop IS NULL")
    if odd.count <= FATAL_SHARE * rows:
        return None
    mend = {
        _EMPTY: "bind a column that is always filled, or leave these rows out with where",
        _INFINITE: "bind an expression that cannot divide by zero",
        _PAST: "bind the column that dates the row",
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


def _repeated_keys(
    connection: duckdb.DuckDBPyConnection, table: Table
) -> tuple[list[Finding], list[TableError]]:
    """Mark all but the earliest row of a key for dropping; for customers a repeated key is an error."""
    if not table.key:
        return [], []
    columns = {row[0] for row in connection.execute(f"DESCRIBE {table.name}").fetchall()}
    # Rows that became known at different times are history, not repeats.
    key = [*table.key, *(["known_at"] if "known_at" in columns else [])]
    order = ", ".join([table.time, "_row"] if table.time in columns else ["_row"])
    place = 127
    connection.execute(
        f"UPDATE {table.name} SET _drop = {place} WHERE _row IN (SELECT _row FROM {table.name} WHERE _drop IS NULL "
        f"QUALIFY row_number() OVER (PARTITION BY {', '.join(key)} ORDER BY {order}) > 1)"
    )
    count, row, example = connection.execute(
        f"SELECT count(*), min(_row), arg_min({table.key[0]}, _row) FROM {table.name} WHERE _drop = {place}"
    ).fetchall()[0]
    if count == 0:
        return [], []
    if table.name == "customers":
        return [], [
            TableError(
                f"customers.customer_id: {count:,} rows repeat an id, for example {example!r} in row {row:,}; "
                "keep one row an account, or bind known_at where the rows are its history"
            )
        ]
    return [Finding("a repeated key", ", ".join(key), count, example, row)], []


def _repeats(connection: duckdb.DuckDBPyConnection, binding: Binding) -> list[Finding]:
    """Rows equal to an earlier one in every bound column: they may well be real, so they stay."""
    if binding.table.key:
        return []
    names = ", ".join(bound.name for bound in binding.columns if bound.column is not None)
    count, row = connection.execute(
        f"SELECT sum(again), min(first_again) FROM (SELECT count(*) - 1 AS again, min(_row) AS first_again "
        f"FROM {binding.table.name} GROUP BY hash({names}) HAVING count(*) > 1)"
    ).fetchall()[0]
    return (
        [Finding("equal to another row, kept", "all bound columns", int(count), None, row)] if count else []
    )


def money_notes(connection: duckdb.DuckDBPyConnection, columns: Collection[str]) -> list[Finding]:
    """What is to be known of the money of orders that bind these columns."""
    negative = " OR ".join(f"{name} < 0" for name in ("quantity", "amount") if name in columns)
    count, row, example = connection.execute(
        f"SELECT count(*), min(_row), arg_min(amount, _row) FROM orders WHERE {negative}"
    ).fetchall()[0]
    findings = (
        [Finding("cancellations or returns, kept", "amount", count, f"{example:g}", row)] if count else []
    )
    if "margin" not in columns:
        findings.append(Finding("not bound, computed as amount times ltv.margin_rate", "margin", 0))
    return findings


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
