"""Rows: what is odd about whole rows of a written table, rather than about one of their values."""

import duckdb

from features.binding.mapping import Binding
from features.binding.report import Finding
from features.binding.sources import columns_of
from features.binding.textfiles import quote
from features.errors import TableError
from features.schema import Kind, Table
from features.values.statuses import SUBTOTAL

_REPEATED = 127
_FIRST_LETTERS = ", ".join(str(ord(letter)) for letter in "tTsSgG[(<")
_FEW_ORDERS, _MOST_ORDERS = 20, 0.9
_ENOUGH_ROWS = 1_000_000
"""Of so many rows an eighth of the orders says what all say."""


def repeated_keys(
    connection: duckdb.DuckDBPyConnection, table: Table
) -> tuple[list[Finding], list[TableError]]:
    """Mark all but the earliest row of a key for dropping; for customers a repeated key is an error."""
    if not table.key:
        return [], []
    columns = columns_of(connection, table.name)
    # Rows that became known at different times are history, not repeats.
    key = [*table.key, *(["known_at"] if "known_at" in columns else [])]
    order = ", ".join([table.time, "_row"] if table.time in columns else ["_row"])
    connection.execute(
        f"UPDATE {table.name} SET _drop = {_REPEATED} WHERE _row IN (SELECT _row FROM {table.name} WHERE _drop IS NULL "
        f"QUALIFY row_number() OVER (PARTITION BY {', '.join(key)} ORDER BY {order}) > 1)"
    )
    count, row, example = connection.execute(
        f"SELECT count(*), min(_row), arg_min({table.key[0]}, _row) FROM {table.name} WHERE _drop = {_REPEATED}"
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


def row_notes(connection: duckdb.DuckDBPyConnection, binding: Binding) -> list[Finding]:
    """What a person should look at: equal rows, returns, subtotals among the rows, an order's total on each line."""
    notes = [*_equal_rows(connection, binding), *_subtotals(connection, binding)]
    if binding.table.name == "orders":
        notes += [*_returns(connection, binding), *_repeated_totals(connection, binding)]
    return notes


def _equal_rows(connection: duckdb.DuckDBPyConnection, binding: Binding) -> list[Finding]:
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


def _subtotals(connection: duckdb.DuckDBPyConnection, binding: Binding) -> list[Finding]:
    """Rows that add up others, as ledgers printed month by month have them."""
    if not any(bound.column is not None and bound.column.money for bound in binding.columns):
        return []
    notes = []
    for bound in binding.columns:
        if bound.column is None or bound.column.kind is not Kind.ID:
            continue
        name = bound.name
        # Few ids begin as such words do, and of those each is tried once.
        count, row, example = connection.execute(
            f"SELECT sum(n), min(first_row), arg_min({name}, first_row) FROM (SELECT {name}, count(*) AS n, min(_row) AS first_row "
            f"FROM {binding.table.name} WHERE (ord({name}) > 127 OR ord({name}) IN ({_FIRST_LETTERS})) GROUP BY {name}) "
            f"WHERE regexp_full_match(lower({name}), {quote(SUBTOTAL)})"
        ).fetchall()[0]
        if count:
            reason = "looks like a subtotal and is counted; leave such rows out with where if it is one"
            notes.append(Finding(reason, name, int(count), example, row))
    return notes


def _returns(connection: duckdb.DuckDBPyConnection, binding: Binding) -> list[Finding]:
    bound = {column.name for column in binding.columns}
    negative = " OR ".join(f"{name} < 0" for name in ("quantity", "amount") if name in bound)
    count, row, example = connection.execute(
        f"SELECT count(*), min(_row), arg_min(amount, _row) FROM orders WHERE {negative}"
    ).fetchall()[0]
    findings = (
        [Finding("cancellations or returns, kept", "amount", count, f"{example:g}", row)] if count else []
    )
    if "margin" not in bound:
        findings.append(Finding("not bound, computed as amount times ltv.margin_rate", "margin", 0))
    return findings


def _repeated_totals(connection: duckdb.DuckDBPyConnection, binding: Binding) -> list[Finding]:
    """Orders that say one amount on each of several lines: their total, most likely."""
    bound = {column.name for column in binding.columns}
    told_apart = [name for name in ("product_id", "quantity") if name in bound]
    if "order_id" not in bound or not told_apart:
        return []
    (rows,) = connection.execute("SELECT count(*) FROM orders").fetchall()[0]
    some = " AND hash(order_id) % 8 = 0" if rows > _ENOUGH_ROWS else ""
    different = " OR ".join(f"min({name}) < max({name})" for name in told_apart)
    orders, alike, row = connection.execute(
        "SELECT count(*), count(*) FILTER (same), min(first_row) FILTER (same) FROM (SELECT min(amount) = max(amount) AS same, "
        f"min(_row) AS first_row FROM orders WHERE order_id IS NOT NULL{some} GROUP BY order_id HAVING count(*) > 1 AND ({different}))"
    ).fetchall()[0]
    if orders < _FEW_ORDERS or alike < _MOST_ORDERS * orders:
        return []
    reason = (
        "orders have one amount on all of their lines; if it is the order's total, bind what one line costs"
    )
    return [Finding(reason, "amount", alike, None, row)]
