"""The ledger from what there is: order lines made of invoices, contracts or won deals where a company has no others.

A line is dated when its money became due, never by what was learnt later: a contract is billed in full at the
start of each billing period that begins before its end, so that a notice given in May changes nothing in March.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime

import duckdb

from features.binding.report import Finding
from features.binding.sources import columns_of
from features.catalogue.tables import BINDABLE
from features.errors import TableError
from features.schema import Kind


def data_end(connection: duckdb.DuckDBPyConnection, names: Sequence[str], now: datetime) -> date:
    """The latest day that any table tells of as having happened.

    Args:
        connection: Holds the tables.
        names: Those that are bound.
        now: Naive wall clock of the project: what is planned for later has not happened.
    """
    ends = []
    for name in names:
        have = set(columns_of(connection, name))
        for column in BINDABLE[name].columns:
            if column.kind is Kind.TIME and column.name in have and BINDABLE[name].course:
                ends += connection.execute(
                    f"SELECT max({column.name}) FROM {name} WHERE {column.name} <= $1", [now]
                ).fetchall()
    return max((end for (end,) in ends if end is not None), default=now).date()


def derive_lines(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[str], data_end: date
) -> tuple[list[Finding], list[TableError]]:
    """Put the lines of other tables into the canonical table ``orders``, which is made if it is not there.

    Args:
        connection: Holds the bound tables.
        tables: Names from `features.catalogue.tables.LEDGERS`.
        data_end: Last day that the data tell of: terms without an end run on until then.

    Returns:
        What was left out, and what is wrong.
    """
    findings: list[Finding] = []
    problems: list[TableError] = []
    parts = []
    for name in tables:
        columns = set(columns_of(connection, name))
        try:
            sql, more = _LINES[name](connection, columns, data_end)
        except TableError as error:
            problems.append(error)
            continue
        parts.append(sql)
        findings += more
    if problems:
        return findings, problems
    lines = " UNION ALL ".join(parts)
    have = set(columns_of(connection, "orders"))
    if have:
        if "known_at" not in have:
            # Without it a line that reached the books late would be known too early.
            connection.execute("ALTER TABLE orders ADD COLUMN known_at TIMESTAMP")
        connection.execute(
            "INSERT INTO orders BY NAME SELECT * FROM "
            f"(SELECT *, (SELECT max(_row) FROM orders) + row_number() OVER () AS _row FROM ({_narrowed(lines, have)}))"
        )
    else:
        connection.execute(
            f"CREATE TABLE orders AS SELECT *, row_number() OVER () AS _row FROM ({lines}) ORDER BY occurred_at, customer_id"
        )
    return findings, []


def _narrowed(lines: str, have: set[str]) -> str:
    optional = [name for name in ("order_id", "product_id") if name in have]
    return (
        f"SELECT {', '.join(['customer_id', 'occurred_at', *optional, 'amount', 'known_at'])} FROM ({lines})"
    )


def _line(
    columns: set[str],
    *,
    time: str,
    order: str,
    amount: str,
    product: str = "product_id",
    known: str = "known_at",
) -> str:
    def column(name: str, type_: str, called: str) -> str:
        return f"{name if name in columns else f'CAST(NULL AS {type_})'} AS {called}"

    return (
        f"customer_id, {time} AS occurred_at, {column(order, 'VARCHAR', 'order_id')}, "
        f"{column(product, 'VARCHAR', 'product_id')}, {amount} AS amount, {column(known, 'TIMESTAMP', 'known_at')}"
    )


def _invoices(connection: duckdb.DuckDBPyConnection, columns: set[str], _: date) -> tuple[str, list[Finding]]:
    del connection
    return f"SELECT {_line(columns, time='issued_at', order='invoice_id', amount='amount')} FROM invoices", []


def _deals(connection: duckdb.DuckDBPyConnection, columns: set[str], _: date) -> tuple[str, list[Finding]]:
    missing = [name for name in ("won", "closed_at", "amount") if name not in columns]
    if missing:
        raise TableError(
            f"orders are derived from deals, and deals binds no {', '.join(missing)}; bind it in [tables.deals.columns], "
            "for example won = \"stage = 'Closed Won'\""
        )
    incomplete = "won AND (closed_at IS NULL OR amount IS NULL)"
    count = int(connection.execute(f"SELECT count(*) FROM deals WHERE {incomplete}").fetchall()[0][0])
    left = (
        [Finding("won deals without a closing date or amount, not in orders", "deals", count)]
        if count
        else []
    )
    line = _line(columns, time="closed_at", order="deal_id", amount="amount")
    return f"SELECT {line} FROM deals WHERE won AND closed_at IS NOT NULL AND amount IS NOT NULL", left


def _contracts(
    connection: duckdb.DuckDBPyConnection, columns: set[str], data_end: date
) -> tuple[str, list[Finding]]:
    months = "coalesce(billing_months, 1)" if "billing_months" in columns else "1"
    odd = connection.execute(
        f"SELECT count(*), min({months}) FROM contracts WHERE {months} < 1 OR {months} <> trunc({months})"
    ).fetchall()[0]
    if odd[0]:
        raise TableError(
            f"contracts.billing_months: {odd[0]:,} values are no whole number of months from 1 on, for example {odd[1]:g}; "
            "bind 1 for monthly, 12 for yearly billing"
        )
    ends = [name for name in ("ends_at", "cancelled_at") if name in columns]
    last = f"coalesce({', '.join([*ends, 'NULL'])})"
    open_end = f"TIMESTAMP '{data_end}' + INTERVAL 1 DAY"
    stop = f"least(coalesce({last}, {open_end}), {open_end})"
    # Months are counted from the first day, so that a term from the 31st is billed on each month's last.
    spans = f"ceil(greatest(date_diff('day', starts_at, {stop}), 0) / (28 * {months}))"
    series = (
        f"SELECT *, starts_at + to_months(CAST(period * {months} AS INTEGER)) AS billed_at FROM (SELECT *, "
        f"unnest(generate_series(0, CAST({spans} AS BIGINT))) AS period FROM {_versions(columns)} WHERE starts_at IS NOT NULL)"
    )
    line = _line(columns, time="billed_at", order="contract_id", amount=f"monthly_amount * {months}")
    in_force = (
        " AND coalesce(billed_at >= version_from, true) AND coalesce(billed_at < version_until, true)"
        if "known_at" in columns
        else ""
    )
    return f"SELECT {line} FROM ({series}) WHERE billed_at < {stop}{in_force}", _rhythm(connection, columns)


def _rhythm(connection: duckdb.DuckDBPyConnection, columns: set[str]) -> list[Finding]:
    """The terms of which nobody says how often they are billed: they are taken to be monthly."""
    unsaid = "billing_months IS NULL" if "billing_months" in columns else "true"
    count = int(connection.execute(f"SELECT count(*) FROM contracts WHERE {unsaid}").fetchall()[0][0])
    reason = "terms do not say how often they are billed and are billed each month; bind 12 for yearly ones"
    return [Finding(reason, "contracts.billing_months", count)] if count else []


def _versions(columns: set[str]) -> str:
    """Contracts with the stretch of time over which each row of a term was what was known of it."""
    if "known_at" not in columns:
        return "contracts"
    # A term that was corrected later has several rows, and is billed once all the same.
    term = "PARTITION BY customer_id, contract_id, starts_at ORDER BY known_at NULLS FIRST"
    return (
        f"(SELECT *, CASE WHEN row_number() OVER ({term}) > 1 THEN known_at END AS version_from, "
        f"lead(known_at) OVER ({term}) AS version_until FROM contracts)"
    )


_LINES: dict[str, Callable[[duckdb.DuckDBPyConnection, set[str], date], tuple[str, list[Finding]]]] = {
    "invoices": _invoices,
    "contracts": _contracts,
    "deals": _deals,
}


def lines_sql(connection: duckdb.DuckDBPyConnection, name: str, data_end: date) -> str:
    """SQL of the order lines that a table gives.

    Args:
        connection: Holds it.
        name: One of `features.catalogue.tables.LEDGERS`.
        data_end: Last day that the data tell of.

    Raises:
        TableError: It does not bind what lines are made of.
    """
    return _LINES[name](connection, set(columns_of(connection, name)), data_end)[0]
