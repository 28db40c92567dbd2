"""Matches: which file is which canonical table, and which of its columns is which."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from features.binding.textfiles import quote
from features.catalogue.account import CUSTOMERS
from features.catalogue.deals import DEALS
from features.catalogue.orders import ORDERS
from features.catalogue.tables import LEDGERS, TABLES
from features.guess.assignment import best_pairs
from features.guess.columns import FileLook, identifier_of
from features.guess.derivations import derived_columns
from features.guess.joins import Join, account_file, find_joins
from features.guess.lines import Line, likely_lines, reread
from features.guess.owners import Owner, owner_of
from features.guess.rowkinds import named_rows_only, row_kind
from features.guess.synonyms import speaks_of_table
from features.schema import Kind, Table

FROM_ORDERS = ("customer_id", "created_at", "known_at")
"""What derived customers have from their first order anyway."""


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
        also: Files with the same columns, of other years or shops, whose rows belong to it.
        shared: Rows that a file of them has as one before it does.
    """

    look: FileLook
    table: Table
    lines: tuple[Line, ...]
    dates: str | None
    score: float
    via: Join | None = None
    also: tuple[FileLook, ...] = ()
    shared: int = 0


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
    owners = {id(look): owner_of(look, joins, accounts) for look in looks}
    offers: list[list[Match]] = []
    for look in looks:
        own = [_offer(connection, look, table, owners, joins, accounts) for table in TABLES.values()]
        fitting = [match for match in own if match is not None]
        best = max((match.score for match in fitting), default=0.0)
        # What fits much worse than something else is no choice, even where that is taken.
        offers.append(
            sorted((match for match in fitting if match.score >= best - 1), key=lambda match: -match.score)
        )
    names = list(TABLES)
    scores = np.zeros((len(looks), len(names)))
    for place, own_offers in enumerate(offers):
        for match in own_offers:
            scores[place, names.index(match.table.name)] = match.score
    matches: dict[str, Match] = {}
    placed: set[int] = set()
    for place, table in best_pairs(scores):
        matches[names[table]] = next(match for match in offers[place] if match.table.name == names[table])
        placed.add(place)
    left = []
    for place, look in enumerate(looks):
        if place in placed:
            continue
        if not offers[place]:
            left.append((look, _why_not(look)))
            continue
        wanted = matches[offers[place][0].table.name]
        if set(look.kinds) == set(wanted.look.kinds) and wanted.via is None:
            matches[wanted.table.name] = _put_together(connection, wanted, look)
        else:
            reason = f"looks like {wanted.table.name} as {wanted.look.label} does, with other columns; put them together by a query, or bind one"
            left.append((look, reason))
    return Understanding(matches, left, accounts, joins)


def _put_together(connection: duckdb.DuckDBPyConnection, match: Match, look: FileLook) -> Match:
    """A match with one more file of its kind, and how many rows of that are in the others already."""
    columns = ", ".join(identifier_of(name) for name in match.look.kinds)
    before = " UNION ALL ".join(
        f"SELECT {columns} FROM {other.sample}" for other in (match.look, *match.also)
    )
    (shared,) = connection.execute(
        f"SELECT count(*) FROM (SELECT {columns} FROM {look.sample} INTERSECT ALL ({before}))"
    ).fetchall()[0]
    return replace(match, also=(*match.also, look), shared=match.shared + int(shared))


def _why_not(look: FileLook) -> str:
    """What the table that comes nearest misses."""
    nearest, missing = "", [""] * 99
    for table in TABLES.values():
        bound = {line.column for line in likely_lines(look, table)}
        lacks = [column.name for column in table.columns if column.required and column.name not in bound]
        if bound - {"customer_id"} and len(lacks) < len(missing):
            nearest, missing = table.name, lacks
    if not nearest:
        return "no canonical table fits: it has no columns like customer_id and a date"
    return f"no canonical table fits; {nearest} comes nearest and misses {', '.join(missing)}"


def _offer(
    connection: duckdb.DuckDBPyConnection,
    look: FileLook,
    table: Table,
    owners: dict[int, Owner | None],
    joins: Sequence[Join],
    accounts: tuple[FileLook, str] | None,
) -> Match | None:
    """A file as a canonical table, if it has what that needs."""
    owner, via = owners[id(look)], None
    teller = None
    if owner is None:
        # Rows that name a subscription or a contact: the file that has those knows the account.
        ways = [join for join in joins if join.look is look and owners[id(join.to)] is not None]
        via = max(ways, key=lambda join: join.share, default=None)
        teller = None if via is None else owners[id(via.to)]
    named = speaks_of_table(look.label, table)
    if table is CUSTOMERS.table and (
        owner is None or not _tells_accounts(look, accounts) or not (named or look.identifies(owner.column))
    ):
        return None
    if table.by_name and not named:
        return None
    kind = row_kind(connection, look, None if owner is None else owner.column)
    focused = look if kind is None else named_rows_only(connection, look, kind)
    lines = likely_lines(focused, table, owner=owner)
    if via is not None and teller is not None:
        lines = [Line("customer_id", teller.column, f"through {via.to.label}: {via}", 3), *lines]
    lines = derived_columns(connection, look, table, lines)
    bound = {line.column for line in lines}
    if any(column.required and column.name not in bound for column in table.columns) or len(lines) == 1:
        return None  # an id alone speaks for nothing
    if not named and not _speaks_for_itself(table, lines):
        return None
    lines, dates = _with_dates(look, table, lines)
    return Match(
        look, table, tuple(lines), dates, sum(line.strength for line in lines) + (5 if named else 0), via
    )


def _tells_accounts(look: FileLook, accounts: tuple[FileLook, str] | None) -> bool:
    """Whether a file is the one of accounts, or another of its kind, as far as one is known."""
    return accounts is None or look is accounts[0] or set(look.kinds) == set(accounts[0].kinds)


_LEAST_LINES = 4
"""Columns that speak for a table where the file's name does not; orders are told by their money."""


def _speaks_for_itself(table: Table, lines: Sequence[Line]) -> bool:
    """Whether columns alone say what a file is: a customer and a date are in every one, and some amount in most."""
    by_column = {line.column: line for line in lines}
    if table is CUSTOMERS.table:
        return True
    if table is ORDERS.table:
        return max(by_column["occurred_at"].strength, by_column["amount"].strength) > 1
    if table is DEALS.table and "won" not in by_column:
        return False
    return len(lines) >= _LEAST_LINES


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
            changed.append(reread(line, f"TRY_CAST({name} AS TIMESTAMP)"))
        else:
            parsed = f"try_strptime(CAST({name} AS VARCHAR), {quote(pattern)})"
            changed.append(reread(line, parsed))
    return changed, given


def nearest_lines(look: FileLook) -> dict[str, str]:
    """What of orders a file has: expressions by column."""
    return {line.column: line.expression for line in likely_lines(look, ORDERS.table)}


def derived_lines(orders: Match) -> list[Line]:
    """What an order line says about its account, where its name leaves no doubt."""
    used = {line.expression for line in orders.lines}
    lines = likely_lines(orders.look, CUSTOMERS.table, without=FROM_ORDERS)
    return [line for line in lines if line.strength >= 3 and line.expression not in used]
