"""Oddities: what is strange about a history of orders, counted, with what to do about it.

Each is found by one pass over the bound orders, so that `tokui check` can tell before anything is trained.
"""

import json
from dataclasses import dataclass
from datetime import datetime

import duckdb

from features.binding.tables import Tables
from features.counted import counted
from features.engine.store import bound_columns
from features.settings import Settings

MIN_CUSTOMERS = 100
"""Customers that models are judged on, at the least."""

_GREAT = 0.5
"""Share of all money from which on one customer is most of what is learnt and measured."""

_LONG_DAYS = 7305
"""Twenty years."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something strange about a history.

    Args:
        code: What, in a word: ``no_purchase``, ``few_customers``, ``one_day``, ``never_again``,
            ``one_customer``, ``one_product``, ``long``.
        count: Rows, customers or days it concerns.
        example: A customer, product or date, if there is one to show.
        message: The sentence: what, how many, and what to do.
        blocks: Whether lifetime value and churn cannot be learnt from such a history.
    """

    code: str
    count: int
    example: str | None
    message: str
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class _Orders:
    """Orders in numbers."""

    lines: int
    returns: int
    customers: int
    again: int
    days: int
    first: datetime | None
    last: datetime | None
    money: float
    greatest: float
    whose: str | None


def oddities(tables: Tables) -> tuple[Oddity, ...]:
    """What is strange about the bound orders, what blocks a training first."""
    if "orders" not in tables.names:
        return ()
    orders = _orders(tables.connection)
    if orders.first is None or orders.last is None:
        return (_no_purchase(orders, tables.settings),)
    strange = [
        _few(orders),
        _one_day(orders) if orders.days == 0 else _never_again(orders, tables.settings),
        _one_customer(orders, tables.settings),
        _one_product(tables.connection),
        _long(orders, orders.first, orders.last, tables),
    ]
    return tuple(sorted((odd for odd in strange if odd), key=lambda odd: not odd.blocks))


def _orders(connection: duckdb.DuckDBPyConnection) -> _Orders:
    row = connection.execute("""
        WITH each AS (
            SELECT customer_id, count(*) AS lines, count(*) FILTER (amount < 0) AS returns,
                   coalesce(sum(amount), 0) AS money,
                   min(occurred_at) FILTER (amount >= 0) AS first, max(occurred_at) FILTER (amount >= 0) AS last
            FROM orders GROUP BY 1)
        SELECT sum(lines)::BIGINT, sum(returns)::BIGINT, count(first),
               count(*) FILTER (first::DATE < last::DATE), coalesce(max(last)::DATE - min(first)::DATE, 0),
               min(first), max(last), sum(greatest(money, 0)), max(money), arg_max(customer_id, money)
        FROM each
    """).fetchone()
    lines, returns, *others = row or (0, 0, 0, 0, 0, None, None, 0.0, 0.0, None)
    return _Orders(lines or 0, returns or 0, *others)


def _expression(settings: Settings, column: str) -> str:
    """How a column of orders is bound, as the user wrote it."""
    bound = settings.tables.get("orders")
    return bound.columns.get(column, column) if bound else column


def _written(text: str) -> str:
    """A text as tokui.toml takes it: headings in SQL have quotes of their own."""
    return json.dumps(text, ensure_ascii=False)


def _no_purchase(orders: _Orders, settings: Settings) -> Oddity:
    amount = _expression(settings, "amount")
    return Oddity(
        "no_purchase", orders.lines, None,
        f"orders has no purchase, only returns: all {counted(orders.lines, 'line')} have an amount below 0; "
        f"if that is how sales are written, bind amount = {_written(f'-({amount})')} in [tables.orders]",
        blocks=True,
    )  # fmt: skip


def _few(orders: _Orders) -> Oddity | None:
    if orders.customers >= MIN_CUSTOMERS:
        return None
    return Oddity(
        "few_customers", orders.customers, None,
        f"{counted(orders.customers, 'customer')} in all with a purchase, and models are judged on {MIN_CUSTOMERS} or "
        "more; bind more customers, a longer history or the accounts of other branches",
        blocks=True,
    )  # fmt: skip


def _one_day(orders: _Orders) -> Oddity:
    day = f"{orders.first:%Y-%m-%d}"
    return Oddity(
        "one_day", orders.lines, day,
        f"all {counted(orders.lines, 'order line')} are of one day, {day}, so nothing came before or after; "
        "bind occurred_at to the day of the order, not of the export",
        blocks=True,
    )  # fmt: skip


def _never_again(orders: _Orders, settings: Settings) -> Oddity | None:
    if orders.again:
        return None
    return Oddity(
        "never_again", orders.customers, None,
        f"none of {counted(orders.customers, 'customer')} has bought on a second day, so who comes back cannot be learnt; "
        f"see that customer_id ({_expression(settings, 'customer_id')}) tells the customer and not the order",
        blocks=True,
    )  # fmt: skip


def _one_customer(orders: _Orders, settings: Settings) -> Oddity | None:
    if orders.money <= 0 or orders.greatest < _GREAT * orders.money or orders.customers < 2:
        return None
    customer = _expression(settings, "customer_id")
    whose = (orders.whose or "").replace("'", "''")
    condition = _written(f"({customer}) <> '{whose}'")
    return Oddity(
        "one_customer", 1, orders.whose,
        f"customer {orders.whose!r} has {orders.greatest / orders.money:.0%} of all money, so totals and averages tell of "
        f"little else; if that is a collecting account, leave it out by where = {condition} in [tables.orders]",
    )  # fmt: skip


def _one_product(connection: duckdb.DuckDBPyConnection) -> Oddity | None:
    if "product_id" not in bound_columns(connection)["orders"]:
        return None
    lines, least, most = connection.execute(
        "SELECT count(product_id), min(product_id), max(product_id) FROM orders"
    ).fetchall()[0]
    if not lines or least != most:
        return None
    return Oddity(
        "one_product", lines, str(least),
        f"all {counted(lines, 'order line')} are of one product, {str(least)!r}, so the variety of what is bought says "
        "nothing; if there are several products, see what product_id is bound to",
    )  # fmt: skip


def _long(orders: _Orders, first: datetime, last: datetime, tables: Tables) -> Oddity | None:
    if orders.days < _LONG_DAYS:
        return None
    [(early,)] = tables.connection.execute(
        "SELECT count(*) FROM orders WHERE amount >= 0 AND occurred_at < ?", [first + (last - first) / 2]
    ).fetchall()
    most = tables.settings.training.max_cutoffs
    return Oddity(
        "long", orders.days, f"{first:%Y-%m-%d}",
        f"the history covers {counted(orders.days, 'day')}, from {first:%Y-%m-%d} to {last:%Y-%m-%d}, with "
        f"{counted(early, 'order line')} in its first half; models learn from the newest {most} cutoffs only, so see that "
        "the first dates are true, or leave them out by where in [tables.orders]",
    )  # fmt: skip
