"""Matches: which file is which canonical table, and which of its columns is which."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from features.binding.casts import number_of_text
from features.binding.textfiles import quote
from features.catalogue.account import CUSTOMERS
from features.catalogue.contracts import CONTRACTS
from features.catalogue.deals import DEALS
from features.catalogue.orders import ORDERS, UNIT_PRICE_NAMES
from features.catalogue.tables import LEDGERS, TABLES
from features.guess.columns import FileLook, identifier_of
from features.guess.joins import Join, account_file, find_joins
from features.guess.synonyms import ends_with_name, likeness, rank_of, speaks_of_a_key
from features.schema import Column, Kind, Table
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
    """One column of a binding: the expression, why it, and the next best where it was close."""

    column: str
    expression: str
    reason: str
    strength: int
    runner_up: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A file taken for a canonical table.

    Args:
        look: The file.
        table: The canonical table.
        lines: Its columns' expressions.
        dates: The format of dates that can be read in two ways.
        score: How well it fits.
        via: The join that leads to the file that knows whose rows these are, where this one does not.
    """

    look: FileLook
    table: Table
    lines: tuple[Line, ...]
    dates: str | None
    score: float
    via: Join | None = None


@dataclass(frozen=True)
class Understanding:
    """What all files together were taken for.

    Args:
        matches: The file of each canonical table.
        left: Files that are not used, and why.
        accounts: The file of accounts and its key.
        joins: Columns that hold keys of other files.
    """

    matches: dict[str, Match]
    left: list[tuple[FileLook, str]]
    accounts: tuple[FileLook, str] | None
    joins: list[Join]

    @property
    def ledger(self) -> tuple[str, ...]:
        """The tables that money is taken from."""
        if "orders" in self.matches:
            return ("orders",)
        return next(((name,) for name in LEDGERS if self._tells_money(name)), ())

    def _tells_money(self, name: str) -> bool:
        match = self.matches.get(name)
        if match is None:
            return False
        bound = {line.column for line in match.lines}
        return name != "deals" or {"won", "closed_at", "amount"} <= bound


def understand(connection: duckdb.DuckDBPyConnection, looks: list[FileLook]) -> Understanding:
    """Decide for all files at once which canonical table each is, and which of its columns is which."""
    joins = find_joins(connection, looks)
    accounts = account_file(looks, joins, CUSTOMERS.table)
    owners = {id(look): _owner(look, joins, accounts) for look in looks}
    offers: list[Match] = []
    for look in looks:
        own = [_offer(connection, look, table, owners, joins, accounts) for table in TABLES.values()]
        fitting = [match for match in own if match is not None]
        best = max((match.score for match in fitting), default=0.0)
        offers += [match for match in fitting if match.score >= best - 1]
    matches: dict[str, Match] = {}
    used: set[int] = set()
    for match in sorted(offers, key=lambda match: -match.score):
        if match.table.name not in matches and id(match.look) not in used:
            matches[match.table.name] = match
            used.add(id(match.look))
    left = []
    for look in looks:
        if id(look) in used:
            continue
        wanted = next((match.table.name for match in offers if match.look is look), None)
        if wanted is None:
            left.append((look, _why_not(look)))
        else:
            taken = matches[wanted].look.label
            left.append((look, f"looks like {wanted} as {taken} does; put them together, or bind one"))
    return Understanding(matches, left, accounts, joins)


def _why_not(look: FileLook) -> str:
    """What the table that comes nearest misses."""
    nearest, missing = "", [""] * 99
    for table in TABLES.values():
        bound = {line.column for line in _lines(look, table)}
        lacks = [column.name for column in table.columns if column.required and column.name not in bound]
        if bound - {"customer_id"} and len(lacks) < len(missing):
            nearest, missing = table.name, lacks
    if not nearest:
        return "no canonical table fits: it has no columns like customer_id and a date"
    return f"no canonical table fits; {nearest} comes nearest and misses {', '.join(missing)}"


def _owner(look: FileLook, joins: Sequence[Join], accounts: tuple[FileLook, str] | None) -> str | None:
    """The column of a file that says whose row it is."""
    if accounts is not None:
        if look is accounts[0]:
            return accounts[1]
        direct = [
            join for join in joins if join.look is look and join.to is accounts[0] and join.key == accounts[1]
        ]
        if direct:
            return max(direct, key=lambda join: join.share).column
    column = CUSTOMERS.table.column("customer_id")
    # A part of a name is enough only where it is a key's: account_name and customer_type are none.
    named = [
        (strength, -place, name)
        for place, name in enumerate(look.kinds)
        if (strength := likeness(name, CUSTOMERS.table, column)) >= 3 or (strength and speaks_of_a_key(name))
    ]
    return max(named)[2] if named else None


def _offer(
    connection: duckdb.DuckDBPyConnection,
    look: FileLook,
    table: Table,
    owners: dict[int, str | None],
    joins: Sequence[Join],
    accounts: tuple[FileLook, str] | None,
) -> Match | None:
    """A file as a canonical table, if it has what that needs."""
    owner, via = owners[id(look)], None
    if owner is None:
        # Rows that name a subscription or a contact: the file that has those knows the account.
        ways = [join for join in joins if join.look is look and owners[id(join.to)] is not None]
        via = max(ways, key=lambda join: join.share, default=None)
    named = any(word in normalise(look.label) for word in table.file_words.split())
    if table is CUSTOMERS.table and (owner is None or (accounts is not None and look is not accounts[0])):
        return None
    if table is CUSTOMERS.table and not look.identifies(owner or "") and not named:
        return None
    if table.name in _ONLY_BY_NAME and not named:
        return None
    lines = _lines(look, table, owner=owner)
    if via is not None:
        lines = [Line("customer_id", str(owners[id(via.to)]), f"through {via.to.label}: {via}", 3), *lines]
    lines += _derived(connection, look, table, lines)
    bound = {line.column for line in lines}
    if any(column.required and column.name not in bound for column in table.columns) or len(lines) == 1:
        return None  # an id alone speaks for nothing
    if (
        not named
        and table not in (ORDERS.table, CUSTOMERS.table)
        and (len(lines) < _LEAST_LINES or _any_ledger(table, bound))
    ):
        return None  # a customer and a date are in every file
    lines, dates = _with_dates(look, table, lines)
    return Match(
        look, table, tuple(lines), dates, sum(line.strength for line in lines) + (5 if named else 0), via
    )


_LEAST_LINES = 4
"""Columns that speak for a table where the file's name does not; orders are told by their money."""


def _any_ledger(table: Table, bound: set[str]) -> bool:
    """Whether nothing of a deal is there but what any ledger has: a date, an amount and some status."""
    return table is DEALS.table and "won" not in bound


_ONLY_BY_NAME = frozenset({"costs", "surveys"})
"""Tables whose columns any ledger has: only the file's name tells them apart."""


def _lines(
    look: FileLook, table: Table, without: frozenset[str] = frozenset(), owner: str | None = None
) -> list[Line]:
    """The likeliest source column for each canonical one; no source column twice."""
    likely = sorted(
        (
            (-strength, not ends_with_name(name, column), place, rank_of(name, column), position, name)
            for place, column in enumerate(table.columns)
            for position, name in enumerate(look.kinds)
            if look.may_be(name, column.kind) and column.name not in without
            and (strength := _strength(name, table, column))
        ),
        key=lambda item: item[:5],
    )  # fmt: skip
    chosen: dict[int, Line] = {}
    taken: set[str] = set()
    if owner is not None and "customer_id" not in without:
        strength = max(3, likeness(owner, table, table.column("customer_id")))
        chosen[0] = Line("customer_id", owner, _REASONS[strength], strength)
        taken.add(owner)
    for negative, _, place, _, _, name in likely:
        if place not in chosen and name not in taken:
            column = table.columns[place]
            others = [
                n
                for s, _, p, _, _, n in likely
                if p == place and n not in {name, *taken} and s <= negative + 1
            ]
            runner_up = others[0] if others and -negative < 3 else None
            chosen[place] = Line(column.name, name, _REASONS[-negative], -negative, runner_up)
            taken.add(name)
    return [chosen[place] for place in sorted(chosen)]


def _strength(name: str, table: Table, column: Column) -> int:
    strength = likeness(name, table, column)
    if column.name == "customer_id":
        return strength if strength >= 3 or speaks_of_a_key(name) else 0
    if column.money and normalise(name) in UNIT_PRICE_NAMES.split() and table is ORDERS.table:
        return min(strength, 1)
    return strength


def _derived(
    connection: duckdb.DuckDBPyConnection, look: FileLook, table: Table, lines: list[Line]
) -> list[Line]:
    """What the file's columns make together, where none of them says it alone."""
    if table is ORDERS.table:
        return _price_times_quantity(connection, look, lines)
    by_column = {line.column: line for line in lines}
    if table is CONTRACTS.table and "monthly_amount" not in by_column:
        yearly = [
            name for name in look.kinds if normalise(name) in _YEARLY and look.may_be(name, Kind.NUMBER)
        ]
        if yearly:
            return [
                Line("monthly_amount", f"{look.sql(yearly[0])} / 12", "a twelfth of the yearly amount", 2)
            ]
    if table is DEALS.table and "won" not in by_column and "stage" in by_column:
        return _won(connection, look, by_column["stage"].expression)
    return []


_YEARLY = frozenset(
    (
        "arr",
        "arramount",
        "annualamount",
        "yearlyamount",
        "annualvalue",
        "acv",
        "年額",
        "年間契約額",
        "年額料金",
    )
)
_WON = re.compile(r"(closed\s*)?-?won|closedwon|受注|成約|契約済み?|獲得|won deal", re.IGNORECASE)


def _won(connection: duckdb.DuckDBPyConnection, look: FileLook, stage: str) -> list[Line]:
    name = identifier_of(stage)
    stages = [
        row[0]
        for row in connection.execute(
            f"SELECT DISTINCT CAST({name} AS VARCHAR) FROM {look.sample}"
        ).fetchall()
    ]
    won = sorted(text for text in stages if text is not None and _WON.fullmatch(text.strip()))
    if not won:
        return []
    listed = ", ".join(quote(text) for text in won)
    return [Line("won", f"{look.sql(stage)} IN ({listed})", f"by the stages seen; {CHECK}", 2)]


def _price_times_quantity(
    connection: duckdb.DuckDBPyConnection, look: FileLook, lines: list[Line]
) -> list[Line]:
    """Quantity times unit price, in place of an amount that is missing, or is the order's total on each line."""
    by_column = {line.column: line for line in lines}
    prices = [
        n for n in look.kinds if look.may_be(n, Kind.NUMBER) and normalise(n) in UNIT_PRICE_NAMES.split()
    ]
    if not prices or "quantity" not in by_column:
        return []
    quantity, price = by_column["quantity"].expression, prices[0]
    amount, order = by_column.get("amount"), by_column.get("order_id")
    reason = "quantity and unit price, no amount"
    if amount is not None and amount.strength >= 3 and amount.expression != price:
        if order is None or not _is_total(
            connection, look, order.expression, amount.expression, quantity, price
        ):
            return []
        reason = (
            f"{amount.expression} is the whole order's on each line; quantity times unit price adds up to it"
        )
    expression = f"{look.sql(quantity)} * {look.sql(price)}"
    if amount is not None:
        lines.remove(amount)
    return [Line("amount", expression, reason, 3)]


def _is_total(
    connection: duckdb.DuckDBPyConnection, look: FileLook, order: str, amount: str, quantity: str, price: str
) -> bool:
    """Whether an amount is constant or given once within an order, and price times quantity add up to it."""
    total, units, unit = (
        number_of_text(f"nullif(trim(CAST({identifier_of(name)} AS VARCHAR)), '')")
        for name in (amount, quantity, price)
    )
    share = connection.execute(
        f"SELECT avg(CAST(least(high, low) = high AND abs(added - high) <= 0.011 * greatest(abs(high), 1) AS INTEGER)) FROM "
        f"(SELECT max({total}) AS high, min({total}) AS low, sum({units} * {unit}) AS added, count(*) AS n FROM {look.sample} "
        f"GROUP BY {identifier_of(order)}) WHERE n > 1"
    ).fetchall()[0][0]
    return share is not None and share >= _MOSTLY


_MOSTLY = 0.6
"""Discounts, tax and shipping keep some orders' totals from adding up."""


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


def nearest_lines(look: FileLook) -> dict[str, str]:
    """What of orders a file has: expressions by column."""
    return {line.column: line.expression for line in _lines(look, ORDERS.table)}


def derived_lines(orders: Match) -> list[Line]:
    """What an order line says about its account, where its name leaves no doubt."""
    used = {line.expression for line in orders.lines}
    lines = _lines(orders.look, CUSTOMERS.table, frozenset(FROM_ORDERS))
    return [line for line in lines if line.strength >= 3 and line.expression not in used]
