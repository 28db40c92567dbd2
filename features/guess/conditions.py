"""Conditions: rows of a file that tell no sale, and what ``where`` leaves them out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import duckdb

from features.binding.textfiles import quote
from features.catalogue.contracts import CONTRACTS
from features.catalogue.deals import DEALS
from features.catalogue.orders import ORDERS
from features.guess.columns import FileLook, identifier_of
from features.guess.matches import Match
from features.guess.rowkinds import row_kind
from features.schema import Kind
from features.values import statuses
from features.values.text import normalise


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What rows that stay meet.

    Args:
        sql: Over the columns of the file.
        why: What it leaves out, in words.
        rows: How many rows of the sample.
    """

    sql: str
    why: str
    rows: int


def sales_only(connection: duckdb.DuckDBPyConnection, match: Match) -> tuple[Match, list[Exclusion]]:
    """The conditions that leave out rows which are no sales, and the match with what they need.

    Cancelled, failed, void and deleted ones, drafts, tests, subtotals, rows of another kind than those that name the
    customer. What is paid back by a row of its own, with money below nothing, stays.

    Args:
        connection: Holds the sample.
        match: A file taken for a table.
    """
    if not any(column.money for column in match.table.columns) or match.table.name == "customers":
        return match, []
    rows = _rows_of(connection, match)
    match, filled = _filled_down(connection, match)
    if filled:
        rows = _rows_of(connection, match, filled)
    conditions: list[Exclusion] = []
    for sql, why in _offers(connection, match, rows):
        kept = " AND ".join(f"({condition.sql})" for condition in conditions) or "true"
        out, stay = connection.execute(
            f"SELECT count(*) FILTER (NOT ({sql})), count(*) FILTER ({sql}) FROM {rows} WHERE {kept}"
        ).fetchall()[0]
        if out and stay:
            conditions.append(Exclusion(sql, why, int(out)))
    return match, conditions


def _rows_of(connection: duckdb.DuckDBPyConnection, match: Match, filled: tuple[str, ...] = ()) -> str:
    """The sample, with its values written down to the rows of their groups."""
    if not filled:
        return match.look.sample
    name = f"{match.look.sample}_filled"
    parts = [
        f"last_value(nullif(trim({identifier_of(column)}), '') IGNORE NULLS) OVER (ORDER BY rowid) AS {identifier_of(column)}"
        for column in filled
    ]
    connection.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT * REPLACE ({', '.join(parts)}) FROM {match.look.sample}"
    )
    return name


def _filled_down(connection: duckdb.DuckDBPyConnection, match: Match) -> tuple[Match, tuple[str, ...]]:
    """Statuses that stand on the first line of an order only, as the settings then say."""
    order = next((line.expression for line in match.lines if line.column == "order_id"), None)
    if order is None or match.via is not None or match.also:
        return match, ()
    filled = []
    for name in match.look.kinds:
        column = identifier_of(name)
        if match.look.kinds[name] != "text" or not statuses.speaks_of_status(name):
            continue
        if not 0 < match.look.filled[name] < match.look.rows:
            continue
        (astray,) = connection.execute(
            f"SELECT count(*) FILTER (coalesce(trim({column}), '') = '' AND key IS DISTINCT FROM above) FROM (SELECT {column}, "
            f"{identifier_of(order)} AS key, lag({identifier_of(order)}) OVER (ORDER BY rowid) AS above FROM {match.look.sample})"
        ).fetchall()[0]
        if not astray:
            filled.append(name)
    if not filled:
        return match, ()
    settings = match.look.settings
    settings = settings.model_copy(update={"fill_down": (*settings.fill_down, *filled)})
    return replace(match, look=replace(match.look, settings=settings)), tuple(filled)


def _offers(connection: duckdb.DuckDBPyConnection, match: Match, rows: str) -> Iterator[tuple[str, str]]:
    """Conditions that the columns speak for, one after the other, with what each leaves out."""
    owner = next((line.expression for line in match.lines if line.column == "customer_id"), None)
    kind = row_kind(connection, match.look, owner if owner in match.look.kinds else None)
    if kind is not None:
        yield kind.sql(match.look), f"{', '.join(kind.others)}, which name no customer"
    for name in match.look.kinds:
        if match.look.kinds[name] == "text" and (
            statuses.speaks_of_status(name) or statuses.speaks_of_kind(name)
        ):
            yield from _by_status(connection, match, rows, name)
        elif statuses.speaks_of_removal(name, lasting=match.table in _LASTING):
            yield from _by_flag(connection, match.look, rows, name)
    if match.table not in _LASTING:
        for name in match.look.kinds:
            if normalise(name) in _GONE_AT and match.look.kinds[name] == "time":
                yield f"nullif(trim(CAST({match.look.sql(name)} AS VARCHAR)), '') IS NULL", f"with a {name}"
    yield from _subtotals(connection, match, rows)


def _by_status(
    connection: duckdb.DuckDBPyConnection, match: Match, rows: str, name: str
) -> Iterator[tuple[str, str]]:
    kind = statuses.speaks_of_kind(name)
    pattern = statuses.no_sale(lasting=match.table in _LASTING, kind=kind)
    turned = " ".join(line.expression for line in match.lines) if kind else ""
    column, text = identifier_of(name), f"lower(trim({identifier_of(name)}))"
    money = _money(match)
    values = connection.execute(
        f"SELECT {column}, {text}, regexp_full_match({text}, {quote(pattern)}) FROM {rows} WHERE {column} IS NOT NULL "
        f"GROUP BY ALL HAVING coalesce(min({money}), 0) >= 0 OR max({money}) > 0 ORDER BY 1"
    ).fetchall()
    closed = (
        match.table is ORDERS.table
        and connection.execute(
            f"SELECT bool_or(regexp_full_match({text}, {quote(statuses.COMPLETE)})) FROM {rows}"
        ).fetchall()[0][0]
    )
    out = [
        value
        for value, plain, none in values
        if (none or (closed and plain == statuses.CLOSED)) and quote(value.strip()) not in turned
    ]
    if out:
        yield f"coalesce({match.look.sql(name)}, '') NOT IN ({_listed(out)})", ", ".join(out)


def _by_flag(
    connection: duckdb.DuckDBPyConnection, look: FileLook, rows: str, name: str
) -> Iterator[tuple[str, str]]:
    text = f"lower(trim(CAST({identifier_of(name)} AS VARCHAR)))"
    values = [row[0] for row in connection.execute(f"SELECT DISTINCT {text} FROM {rows}").fetchall()]
    out = [value for value in values if value in statuses.TRUE]
    if out and all(value is None or value in statuses.TRUE | statuses.FALSE for value in values):
        yield (
            f"coalesce(lower(CAST({look.sql(name)} AS VARCHAR)), '') NOT IN ({_listed(out)})",
            f"{name} rows",
        )


def _subtotals(connection: duckdb.DuckDBPyConnection, match: Match, rows: str) -> Iterator[tuple[str, str]]:
    """Rows that add up others, told by a word where others have the customer, the product or a note."""
    for name in match.look.kinds:
        if match.look.kinds[name] != "text" or statuses.speaks_of_status(name):
            continue
        text = f"lower(trim({identifier_of(name)}))"
        values = [
            row[0] for row in connection.execute(
                f"SELECT DISTINCT {identifier_of(name)} FROM {rows} WHERE regexp_full_match({text}, {quote(statuses.SUBTOTAL)}) ORDER BY 1"
            ).fetchall()
        ]  # fmt: skip
        if values:
            yield (
                f"coalesce({match.look.sql(name)}, '') NOT IN ({_listed(values)})",
                f"rows that add up others, {values[0]}",
            )


def _money(match: Match) -> str:
    """SQL of the amount, where it is a column; what is calculated tells nothing of one row's sign here."""
    amount = next((line.expression for line in match.lines if match.table.column(line.column).money), None)
    if amount is None or amount not in match.look.kinds or not match.look.may_be(amount, Kind.NUMBER):
        return "CAST(NULL AS DOUBLE)"
    return match.look.number(amount)


def _listed(values: list[str]) -> str:
    return ", ".join(quote(value) for value in values)


_LASTING = (CONTRACTS.table, DEALS.table)
"""A term that was cancelled was a term: leaving it out would leave only those who stayed."""

_GONE_AT = frozenset(
    [
        "cancelledat",
        "canceledat",
        "cancelledon",
        "canceledon",
        "cancelleddate",
        "canceldate",
        "canceleddate",
        "cancelledatutc",
        "canceledatutc",
        "voidedat",
        "voidedatutc",
        "voideddate",
        "deletedat",
        "deletedon",
        "キャンセル日",
        "キャンセル日時",
        "取消日",
        "取消日時",
        "削除日",
        "削除日時",
    ]
)
