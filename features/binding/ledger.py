"""The ledger from what there is: order lines made of invoices, contracts or won deals where a company has no others.

A line is dated when its money became due, never by what was learnt later: a contract is billed in full at the
start of each billing period that begins before its end, so that a notice given in May changes nothing in March.
"""

from collections.abc import Callable, Sequence
from datetime import date

import duckdb

from features.binding.report import Finding
from features.errors import TableError

_SAME_SHARE = 0.5
_FEWEST_CELLS = 20


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
        columns = _columns(connection, name)
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
    have = _columns(connection, "orders")
    if have:
        known = "known_at" in have
        connection.execute(
            f"INSERT INTO orders BY NAME SELECT {'*' if known else '* EXCLUDE (known_at)'} FROM "
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
        f"unnest(generate_series(0, CAST({spans} AS BIGINT))) AS period FROM contracts WHERE starts_at IS NOT NULL)"
    )
    line = _line(columns, time="billed_at", order="contract_id", amount=f"monthly_amount * {months}")
    return f"SELECT {line} FROM ({series}) WHERE billed_at < {stop}", []


_LINES: dict[str, Callable[[duckdb.DuckDBPyConnection, set[str], date], tuple[str, list[Finding]]]] = {
    "invoices": _invoices,
    "contracts": _contracts,
    "deals": _deals,
}


def same_money(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> tuple[float, int] | None:
    """How often two sets of lines tell the same money.

    Args:
        connection: Any connection over the tables.
        one: SQL of lines with customer_id, occurred_at and amount.
        other: The same of the other.

    Returns:
        The share of the smaller one's customers' months in which both have the same money to 1 %, and how many
        there are; None where there are too few to tell.
    """
    cells = "SELECT customer_id, date_trunc('month', occurred_at) AS month, sum(amount) AS money FROM ({}) GROUP BY ALL"
    same, first, second = connection.execute(
        f"WITH a AS ({cells.format(one)}), b AS ({cells.format(other)}) SELECT (SELECT count(*) FROM a JOIN b "
        "USING (customer_id, month) WHERE abs(a.money - b.money) <= 0.01 * abs(a.money)), (SELECT count(*) FROM a), "
        "(SELECT count(*) FROM b)"
    ).fetchall()[0]
    fewer = min(first, second)
    return (same / fewer, fewer) if fewer >= _FEWEST_CELLS else None


def counted_twice(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[str], data_end: date
) -> list[TableError]:
    """Refuse a ledger of which two parts tell the same money.

    Args:
        connection: Holds the bound tables, ``orders`` among them where it has a source of its own.
        tables: The parts derived from other tables.
        data_end: See ``derive_lines``.
    """
    parts = (
        {"orders": "SELECT customer_id, occurred_at, amount FROM orders"}
        if _columns(connection, "orders")
        else {}
    )
    for name in tables:
        parts[name] = _LINES[name](connection, _columns(connection, name), data_end)[0]
    problems = []
    names = list(parts)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            same = same_money(connection, parts[one], parts[other])
            if same is not None and same[0] >= _SAME_SHARE:
                problems.append(
                    TableError(
                        f"orders: {one} and {other} tell the same money in {same[0]:.0%} of {same[1]:,} customers' months; "
                        f'take one of them out of derive in [tables.orders], or say same_money = "keep" there if both are owed'
                    )
                )
    return problems


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = $1", [table]
    ).fetchall()
    return {str(row[0]) for row in rows}
