"""Matches: which file is which canonical table, and which of its columns is which."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from features.binding.textfiles import quote
from features.catalogue.account import CUSTOMERS
from features.catalogue.orders import ORDERS, UNIT_PRICE_NAMES
from features.catalogue.tables import TABLES
from features.guess.columns import FileLook
from features.guess.synonyms import likeness
from features.schema import Kind, Table
from features.values.text import normalise

_REASONS = {
    4: "same name",
    3: "by its name",
    2: "a date, by its general name",
    1: "by part of its name; check this",
}
CHECK = "check this"
FROM_ORDERS = ("customer_id", "created_at", "known_at")
"""What derived customers have from their first order anyway."""


@dataclass(frozen=True, slots=True)
class Line:
    """One column of a binding: the expression, and why it."""

    column: str
    expression: str
    reason: str
    strength: int


@dataclass(frozen=True, slots=True)
class Match:
    """A file taken for a canonical table: its columns' expressions, its date format, and how well it fits."""

    look: FileLook
    table: Table
    lines: tuple[Line, ...]
    dates: str | None
    score: int


def choose_matches(looks: list[FileLook]) -> tuple[dict[str, Match], list[tuple[FileLook, str]]]:
    """The best file for each table, and what is left with the reason."""
    best = [(look, max(_candidates(look), key=lambda match: match.score, default=None)) for look in looks]
    matches: dict[str, Match] = {}
    left: list[tuple[FileLook, str]] = []
    for look, match in sorted(best, key=lambda pair: -pair[1].score if pair[1] else 0):
        if match is None:
            left.append((look, "no canonical table fits: it has no columns like customer_id and a date"))
        elif match.table.name in matches:
            taken = matches[match.table.name].look.label
            left.append(
                (look, f"looks like {match.table.name} as {taken} does; put them together, or bind one")
            )
        else:
            matches[match.table.name] = match
    return matches, left


def no_orders(looks: Sequence[FileLook]) -> str:
    """What is missing for orders in the file that comes nearest, and how to write it by hand."""
    needed = [column for column in ORDERS.table.columns if column.required]
    nearest = max(
        looks,
        key=lambda look: len({line.column for line in _lines(look, ORDERS.table)} & {c.name for c in needed}),
    )
    expressions = {line.column: line.expression for line in _lines(nearest, ORDERS.table)}
    missing = " or ".join(f"{c.name} ({c.meaning})" for c in needed if c.name not in expressions)
    has = ", ".join(f"{column} = {expression}" for column, expression in expressions.items()) or "nothing"
    source = nearest.settings.source
    return (
        f"{nearest.label}: no column looks like {missing} among {', '.join(nearest.kinds)}; recognised: {has}. Rename "
        f"the heading, or write tokui.toml by hand: currency, [tables.customers] derive = 'orders', [tables.orders] "
        f"source = '{source}', columns.customer_id, columns.occurred_at and columns.amount"
    )


def _candidates(look: FileLook) -> list[Match]:
    matches = []
    for table in TABLES.values():
        lines = _lines(look, table)
        bound = {line.column for line in lines}
        if any(column.required and column.name not in bound for column in table.columns):
            continue
        if len(lines) == 1:
            continue  # an id alone speaks for nothing
        lines, dates = _with_dates(look, table, lines)
        named = any(word in normalise(look.label) for word in table.file_words.split())
        score = sum(line.strength for line in lines) + (5 if named else 0)
        matches.append(Match(look, table, tuple(lines), dates, score))
    return matches


def _lines(look: FileLook, table: Table, without: frozenset[str] = frozenset()) -> list[Line]:
    """The likeliest source column for each canonical one; no source column twice."""
    likely = sorted(
        (
            (-likeness(name, table, column), place, position, name)
            for place, column in enumerate(table.columns)
            for position, name in enumerate(look.kinds)
            if look.may_be(name, column.kind) and column.name not in without
        ),
        key=lambda item: item[:3],
    )
    chosen: dict[int, Line] = {}
    taken: set[str] = set()
    price = _unit_price(look, table)
    if price is not None:
        quantity, unit = price
        place = [column.name for column in table.columns].index("amount")
        expression = f"{look.sql(quantity)} * {look.sql(unit)}"
        chosen[place] = Line("amount", expression, "quantity and unit price, no amount", 3)
        taken.add(unit)
    for negative, place, _, name in likely:
        if negative and place not in chosen and name not in taken:
            column = table.columns[place]
            chosen[place] = Line(column.name, name, _REASONS[-negative], -negative)
            taken.add(name)
    return [chosen[place] for place in sorted(chosen)]


def _unit_price(look: FileLook, table: Table) -> tuple[str, str] | None:
    """Quantity and unit price, where orders have those and nothing that is surely an amount."""
    if table is not ORDERS.table:
        return None
    quantity, amount = table.column("quantity"), table.column("amount")
    numbers = [name for name in look.kinds if look.may_be(name, Kind.NUMBER)]
    prices = [name for name in numbers if normalise(name) in UNIT_PRICE_NAMES.split()]
    quantities = [name for name in numbers if likeness(name, table, quantity) >= 3]
    amounts = [name for name in numbers if likeness(name, table, amount) >= 3 and name not in prices]
    return (quantities[0], prices[0]) if prices and quantities and not amounts else None


def _with_dates(look: FileLook, table: Table, lines: list[Line]) -> tuple[list[Line], str | None]:
    """Give the table the format of dates that can be read in two ways; other dates get an expression."""
    times = [line.column for line in lines if table.column(line.column).kind is Kind.TIME]
    open_dates = {line.column: look.formats.get(line.expression) for line in lines if line.column in times}
    given = next((pattern for pattern in open_dates.values() if pattern is not None), None)
    if given is None:
        return lines, None
    changed = []
    for line in lines:
        pattern = open_dates.get(line.column)
        name = look.sql(line.expression)
        if line.column not in times or pattern == given or look.is_typed(line.expression):
            changed.append(line)
        elif pattern is None:
            changed.append(Line(line.column, f"TRY_CAST({name} AS TIMESTAMP)", line.reason, line.strength))
        else:
            parsed = f"try_strptime(CAST({name} AS VARCHAR), {quote(pattern)})"
            changed.append(Line(line.column, parsed, line.reason, line.strength))
    return changed, given


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


def derived_lines(orders: Match) -> list[Line]:
    """What an order line says about its account, where its name leaves no doubt."""
    used = {line.expression for line in orders.lines}
    lines = _lines(orders.look, CUSTOMERS.table, frozenset(FROM_ORDERS))
    return [line for line in lines if line.strength >= 3 and line.expression not in used]
