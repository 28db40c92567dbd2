"""Suggestions: what a person may well want to say about a table, beside which column is which."""

import duckdb

from features.binding.textfiles import quote
from features.guess.matches import Match
from features.schema import Kind
from features.values.text import normalise


def suggest_where(connection: duckdb.DuckDBPyConnection, orders: Match) -> str | None:
    """A condition that leaves out postage, fees and the like: product codes that have no digit among many that do."""
    product = next((line.expression for line in orders.lines if line.column == "product_id"), None)
    if product is None:
        return None
    column = '"' + product.replace('"', '""') + '"'
    rows = connection.execute(
        f"SELECT code, count(*) AS n FROM (SELECT trim(CAST({column} AS VARCHAR)) AS code FROM {orders.look.relation}) "
        "WHERE code <> '' GROUP BY code ORDER BY n DESC, code"
    ).fetchall()
    without = [(code, count) for code, count in rows if not any(character.isdigit() for character in code)]
    if not without or sum(count for _, count in without) > 0.1 * sum(count for _, count in rows):
        return None
    codes = ", ".join(quote(code) for code, _ in without[:20])
    return f"{orders.look.sql(product)} NOT IN ({codes})"


def suggest_margin(match: Match) -> str | None:
    """Margin from columns of cost, where orders have them and no margin."""
    if any(line.column == "margin" for line in match.lines):
        return None
    by_column = {line.column: line.expression for line in match.lines}
    amount = (
        by_column["amount"]
        if not match.look.kinds.get(by_column["amount"])
        else match.look.sql(by_column["amount"])
    )
    numbers = [name for name in match.look.kinds if match.look.may_be(name, Kind.NUMBER)]
    for name in numbers:
        plain = normalise(name)
        if plain in _LINE_COSTS:
            return f"{amount} - {match.look.sql(name)}"
        if plain in _UNIT_COSTS and "quantity" in by_column:
            return f"{amount} - {match.look.sql(by_column['quantity'])} * {match.look.sql(name)}"
    return None


_LINE_COSTS = frozenset(
    (
        "totalproductcost",
        "totalcost",
        "cost",
        "costofgoods",
        "cogs",
        "costamount",
        "linecost",
        "原価",
        "原価金額",
        "売上原価",
        "仕入金額",
    )
)
_UNIT_COSTS = frozenset(
    (
        "unitcost",
        "standardcost",
        "productstandardcost",
        "costprice",
        "purchaseprice",
        "原価単価",
        "仕入単価",
        "仕入価格",
    )
)
