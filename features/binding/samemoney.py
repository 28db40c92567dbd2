"""Same money: whether two tables tell the same money twice, as orders and the invoices of them do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

import duckdb

from features.binding.ledger import lines_sql
from features.catalogue.tables import LEDGERS
from features.errors import TableError

SAME_SHARE = 0.5
"""Two tables of which a larger share of the smaller one agrees with the other tell the same money."""

_FEWEST = 10
_CLOSE = 0.01
_MOST_TAX = 1.3
_LAGS = (0, -1, 1)


@dataclass(frozen=True, slots=True)
class SameMoney:
    """Evidence that two tables tell the same money.

    Args:
        one: A table.
        other: Another.
        evidence: What agrees, in a sentence.
    """

    one: str
    other: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.one} and {self.other} tell the same money: {self.evidence}"


def same_money(connection: duckdb.DuckDBPyConnection, names: Sequence[str], until: date) -> list[SameMoney]:
    """Pairs of tables that tell the same money.

    Args:
        connection: Holds the bound tables.
        names: ``orders`` and tables that orders can be derived from.
        until: Last day the data tell about.

    Raises:
        TableError: One of them does not bind what order lines are made of.
    """
    parts = {name: _manners(connection, name, until) for name in names}
    same = []
    for one, other in combinations(parts, 2):
        evidence = _compared(connection, parts[one], parts[other])
        if evidence is not None:
            same.append(SameMoney(one, other, evidence))
    return same


def _manners(connection: duckdb.DuckDBPyConnection, name: str, until: date) -> tuple[str, ...]:
    """The ways in which a table's money may be told: a contract's by period, or a year or the whole term at once."""
    if name == "orders":
        return ("SELECT * FROM orders",)
    lines = lines_sql(connection, name, until)
    if name != "contracts":
        return (lines,)
    yearly = "SELECT customer_id, starts_at AS occurred_at, monthly_amount * 12 AS amount FROM contracts"
    # The last day of a term and the day after it make the same months.
    terms = (
        "SELECT customer_id, starts_at AS occurred_at, monthly_amount * date_diff('month', starts_at, ends_at + INTERVAL 1 DAY) "
        "AS amount FROM contracts WHERE ends_at > starts_at"
    )
    ends = "ends_at" in _names(connection, "FROM contracts")
    return (lines, yearly, terms) if ends else (lines, yearly)


def _compared(
    connection: duckdb.DuckDBPyConnection, one: tuple[str, ...], other: tuple[str, ...]
) -> str | None:
    ids = _ids(connection, one[0], other[0])
    if ids is not None:
        return ids
    for first in one:
        for second in other:
            for lag in _LAGS:
                evidence = _cells(connection, first, second, lag)
                if evidence is not None:
                    return evidence
    return None


def _ids(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> str | None:
    if not all("order_id" in _names(connection, sql) for sql in (one, other)):
        return None
    a, b = (
        f"SELECT DISTINCT customer_id, order_id FROM ({sql}) WHERE order_id IS NOT NULL"
        for sql in (one, other)
    )
    both, first, second, example = connection.execute(
        f"WITH a AS ({a}), b AS ({b}) SELECT (SELECT count(*) FROM a JOIN b USING (customer_id, order_id)), "
        "(SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT min(order_id) FROM a JOIN b USING (customer_id, order_id))"
    ).fetchall()[0]
    fewer = min(first, second)
    if both < _FEWEST or both <= SAME_SHARE * fewer:
        return None
    return f"{both:,} of {fewer:,} ids are in both, of the same customers, for example {example!r}"


def _names(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    return {str(row[0]) for row in connection.execute(f"DESCRIBE {sql}").fetchall()}


def _cells(connection: duckdb.DuckDBPyConnection, one: str, other: str, lag: int) -> str | None:
    """Money of customers' months compared, the other's so many months later, and but for a tax that only one has."""
    cells = (
        "SELECT customer_id, 12 * year(occurred_at) + month(occurred_at) AS month, sum(amount) AS money FROM ({}) "
        "GROUP BY ALL HAVING sum(amount) <> 0"
    )
    first, second, same, who, when, money, theirs = connection.execute(
        f"WITH a AS ({cells.format(one)}), b AS ({cells.format(other)}), shared AS (SELECT a.customer_id, a.month, a.money, "
        f"b.money AS theirs FROM a JOIN b ON a.customer_id = b.customer_id AND a.month + {lag} = b.month), "
        f"tax AS (SELECT median(theirs / money) AS rate FROM shared), alike AS (SELECT shared.* FROM shared, tax WHERE "
        f"abs(theirs - money * CASE WHEN rate BETWEEN {1 / _MOST_TAX} AND {_MOST_TAX} THEN rate ELSE 1 END) "
        f"<= {_CLOSE} * abs(theirs)), shown AS (SELECT * FROM alike ORDER BY customer_id, month LIMIT 1) "
        "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM alike), s.* "
        "FROM (SELECT 1) LEFT JOIN shown AS s ON true"
    ).fetchall()[0]
    fewer = min(first, second)
    if same < _FEWEST or same <= SAME_SHARE * fewer:
        return None
    year, month = divmod(when - 1, 12)
    return (
        f"in {same:,} of {fewer:,} months of customers both tell the same amount to 1 %"
        f"{'' if lag == 0 else ', a month apart'}{_but_for_tax(money, theirs)}, for example {money:,.2f} and {theirs:,.2f} "
        f"of customer {who!r} in {year}-{month + 1:02d}"
    )


def _but_for_tax(money: float, theirs: float) -> str:
    return (
        ""
        if abs(theirs - money) <= _CLOSE * abs(theirs)
        else f" once one is taken times {theirs / money:.3g}"
    )


def money_told_again(
    connection: duckdb.DuckDBPyConnection, derived_from: Sequence[str], until: date
) -> list[str]:
    """What bound tables outside the ledger tell of money that is in it, in sentences.

    Args:
        connection: Holds the bound tables.
        derived_from: Tables that orders are derived from.
        until: Last day the data tell about.
    """
    notes = []
    bound = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
    for name in LEDGERS:
        if name in derived_from or name not in bound:
            continue
        try:
            pairs = same_money(connection, ("orders", name), until)
        except TableError:
            # Deals without what tells won from lost tell no money.
            continue
        notes += [f"{pair}; {name} are not in the ledger, so it counts once" for pair in pairs]
    return notes


def refused_twice(same: Sequence[SameMoney], ledger: Sequence[str]) -> list[TableError]:
    """Why a ledger cannot be made of tables that tell the same money."""
    problems = []
    for pair in same:
        if pair.one in ledger and pair.other in ledger:
            rest = [name for name in ledger if name not in {"orders", pair.other}]
            line = f"derive = {json.dumps(rest)}" if rest else "no derive"
            problems.append(
                TableError(
                    f"orders would count money twice: {pair.one} and {pair.other} tell the same ({pair.evidence}); take one out "
                    f'in [tables.orders], for example {line}, or write same_money = "keep" there if both are owed'
                )
            )
    return problems
