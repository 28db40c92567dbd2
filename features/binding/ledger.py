"""The ledger from what there is: order lines made of invoices, contracts or won deals.

A line is dated when its money became due and is never changed by what was learnt later.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import duckdb

from features.binding.billing import billing_findings, periods_sql
from features.binding.checks import money_notes
from features.binding.report import Finding, TableReport
from features.binding.summary import summarise
from features.catalogue.orders import ORDERS
from features.catalogue.tables import TABLES
from features.errors import TableError
from features.schema import Kind

_COLUMNS = ("customer_id", "occurred_at", "order_id", "product_id", "amount", "known_at")
"""What a derived line may have."""

_LINES = "ledger_lines"
_KNOWN = {column.name for column in ORDERS.table.columns}


@dataclass(frozen=True, slots=True)
class Lines:
    """Order lines that one table gives.

    Args:
        origin: The table.
        sql: A query of the lines.
        columns: Columns of ``orders`` they have.
        candidates: How many rows there were to make lines of.
        dropped: Rows of which no line was made although they tell of money.
        warnings: What is odd.
    """

    origin: str
    sql: str
    columns: tuple[str, ...]
    candidates: int
    dropped: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def table_columns(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[str, ...]:
    """Columns of a table; none where it is not there."""
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
        [table],
    ).fetchall()
    return tuple(str(row[0]) for row in rows)


def data_end(connection: duckdb.DuckDBPyConnection, names: Collection[str], now: datetime) -> date:
    """The last day that any table tells about as having happened.

    What is only planned does not count, unless contracts alone are bound beside their accounts: then the first
    days of terms do as far as they have come.

    Args:
        connection: Holds the tables.
        names: Which there are.
        now: Naive wall clock of the project.

    Raises:
        TableError: No table tells of any day.
    """
    moments = []
    alone = not set(names) - {"customers", "contracts"}
    for name in names:
        have = table_columns(connection, name)
        for column in TABLES[name].columns:
            happened = not column.planned or (alone and column.name == "starts_at")
            if column.kind is Kind.TIME and happened and column.name in have:
                moments += connection.execute(
                    f"SELECT max({column.name}) FROM {name} WHERE {column.name} <= $1", [now]
                ).fetchall()
    days: list[date] = [moment.date() for (moment,) in moments if moment is not None]
    if not days:
        raise TableError(
            "no bound table tells of a day that has come; write until = 2026-01-31 or the like in tokui.toml"
        )
    return max(days)


def lines_of(connection: duckdb.DuckDBPyConnection, origin: str, until: date) -> Lines:
    """The order lines that a table gives.

    Args:
        connection: Holds it.
        origin: One of `features.catalogue.tables.LEDGERS`.
        until: Last day the data tell about.

    Raises:
        TableError: It does not bind what lines are made of.
    """
    have = table_columns(connection, origin)
    if origin == "contracts":
        return _contracts(connection, have, until)
    return _deals(connection, have) if origin == "deals" else _invoices(connection, have)


def append_lines(connection: duckdb.DuckDBPyConnection, parts: Sequence[Lines]) -> dict[str, int]:
    """Put lines into the table ``orders`` behind those of its own source, if it has any.

    It keeps its row numbers and what it carries for others; its canonical columns are in schema order.

    Args:
        connection: Holds the tables.
        parts: What to append.

    Returns:
        Lines by origin.
    """
    own = table_columns(connection, "orders")
    made = {name for part in parts for name in part.columns}
    columns = [column.name for column in ORDERS.table.columns if column.name in {*own, *made}]
    carried = [name for name in own if name not in {*columns, "_row", "_drop"}]
    numbers, counts = "", {}
    if own:
        counts["source"] = _one(connection, "SELECT count(*) FROM orders")
        numbers = " + (SELECT coalesce(max(_row), 0) FROM orders)"
    inserts = []
    for part in parts:
        counts[part.origin] = _one(connection, f"SELECT count(*) FROM ({part.sql})")
        inserts.append(f"SELECT {', '.join(part.columns)} FROM ({part.sql})")
    # Rows of one time keep the order they have here, so that it must be the same every time.
    order = ", ".join(["occurred_at", *sorted(made - {"occurred_at"})])
    lines = f"SELECT * FROM ({' UNION ALL BY NAME '.join(inserts)}) ORDER BY {order}"
    lines = f"SELECT *, row_number() OVER (){numbers} AS _row FROM ({lines})"
    both = f"SELECT * FROM orders UNION ALL BY NAME SELECT * FROM ({lines})" if own else lines
    kept = ", ".join(["_row", *columns, *(f'"{name}"' for name in carried)])
    connection.execute(f"CREATE TABLE {_LINES} AS SELECT {kept} FROM ({both}) ORDER BY _row")
    connection.execute("DROP TABLE IF EXISTS orders")
    connection.execute(f"ALTER TABLE {_LINES} RENAME TO orders")
    return counts


def ledger_report(
    connection: duckdb.DuckDBPyConnection,
    own: TableReport | None,
    parts: Sequence[Lines],
    counts: dict[str, int],
) -> TableReport:
    """The report of orders after lines were appended.

    Args:
        connection: Holds them.
        own: Report of the orders' own source, if they have one.
        parts: What was appended.
        counts: Lines by origin.
    """
    columns = [name for name in table_columns(connection, "orders") if name in _KNOWN]
    derived = f"derived from {', '.join(part.origin for part in parts)}"
    made = sum(part.candidates for part in parts)
    source, rows = (derived, made) if own is None else (f"{own.source}, {derived}", own.rows_read + made)
    report = summarise(connection, ORDERS.table, columns, source=source, rows=rows)
    kept = () if own is None else own.warnings
    if own is None:
        kept = tuple(money_notes(connection, columns))
    return replace(
        report,
        dropped=(
            *(() if own is None else own.dropped),
            *(finding for part in parts for finding in part.dropped),
        ),
        warnings=(*kept, *(finding for part in parts for finding in part.warnings)),
        unused_columns=() if own is None else own.unused_columns,
        origins=counts,
    )


def _select(have: Collection[str], terms: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The select list of lines, made of the columns that are there, and what it gives."""
    terms = {"customer_id": "customer_id", "product_id": "product_id", "known_at": "known_at"} | terms
    given = {name: sql for name, sql in terms.items() if sql in have or name in {"occurred_at", "amount"}}
    columns = tuple(name for name in _COLUMNS if name in given)
    return ", ".join(f"{given[name]} AS {name}" for name in columns), columns


def _invoices(connection: duckdb.DuckDBPyConnection, have: Collection[str]) -> Lines:
    chosen, columns = _select(
        have, {"occurred_at": "issued_at", "order_id": "invoice_id", "amount": "amount"}
    )
    return Lines(
        "invoices",
        f"SELECT {chosen} FROM invoices",
        columns,
        _one(connection, "SELECT count(*) FROM invoices"),
    )


def _deals(connection: duckdb.DuckDBPyConnection, have: Collection[str]) -> Lines:
    missing = [name for name in ("won", "closed_at", "amount") if name not in have]
    if missing:
        how = "won = \"stage = 'Closed Won'\"" if missing[0] == "won" else f'{missing[0]} = "…"'
        raise TableError(
            f"orders are derived from deals, which bind no {', '.join(missing)}; write {how} in [tables.deals.columns]"
        )
    chosen, columns = _select(have, {"occurred_at": "closed_at", "order_id": "deal_id", "amount": "amount"})
    won, undated, unpriced = connection.execute(
        "SELECT count(*) FILTER (won), count(*) FILTER (won AND closed_at IS NULL), "
        "count(*) FILTER (won AND closed_at IS NOT NULL AND amount IS NULL) FROM deals"
    ).fetchall()[0]
    dropped = (
        Finding("won deals without a closing date, no order lines", "closed_at", undated),
        Finding("won deals without an amount, no order lines", "amount", unpriced),
    )
    sql = f"SELECT {chosen} FROM deals WHERE won AND closed_at IS NOT NULL AND amount IS NOT NULL"
    return Lines("deals", sql, columns, won, tuple(finding for finding in dropped if finding.count))


def _contracts(connection: duckdb.DuckDBPyConnection, have: Collection[str], until: date) -> Lines:
    periods = periods_sql(have, until)
    chosen, columns = _select(
        have, {"occurred_at": "billed_at", "order_id": "contract_id", "amount": "amount"}
    )
    sql = f"SELECT {chosen} FROM ({periods})"
    return Lines(
        "contracts", sql, columns, _one(connection, f"SELECT count(*) FROM ({periods})"), (),
        tuple(billing_findings(connection, have, until)),
    )  # fmt: skip


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(sql).fetchall()[0][0])
