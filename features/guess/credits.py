"""Credits: documents that take money back and are written above nothing, turned round before anything is added up."""

from dataclasses import replace

import duckdb

from features.binding.textfiles import quote
from features.catalogue.invoices import INVOICES
from features.catalogue.orders import ORDERS
from features.guess.columns import FileLook, identifier_of
from features.guess.lines import CHECK, Line
from features.guess.matches import Match
from features.values import statuses

_TURNED = ("amount", "quantity", "margin")


def credits_turned(connection: duckdb.DuckDBPyConnection, match: Match) -> Match:
    """A match whose credit notes take away what they would add.

    Only where a column tells the kind of a document, some are credit notes and others are not, and no money of the
    credit notes is below nothing.

    Args:
        connection: Holds the sample.
        match: A file taken for a table.
    """
    if match.table not in (ORDERS.table, INVOICES.table):
        return match
    for name in match.look.kinds:
        if match.look.kinds[name] != "text" or not statuses.speaks_of_kind(name):
            continue
        kinds = _credits(connection, match.look, name)
        if not kinds:
            continue
        where = f"trim({identifier_of(name)}) IN ({', '.join(quote(kind) for kind in kinds)})"
        lines = tuple(_turned(connection, match.look, line, where, kinds) for line in match.lines)
        if lines != match.lines:
            return replace(match, lines=lines)
    return match


def _credits(connection: duckdb.DuckDBPyConnection, look: FileLook, name: str) -> list[str]:
    """The words for credit notes in a column that has others too."""
    text = f"trim(CAST({identifier_of(name)} AS VARCHAR))"
    rows = connection.execute(
        f"SELECT value, regexp_full_match(lower(value), {quote(statuses.credit_words(name))}) FROM "
        f"(SELECT DISTINCT {text} AS value FROM {look.sample}) WHERE value <> '' ORDER BY 1"
    ).fetchall()
    credited = [str(value) for value, takes_back in rows if takes_back]
    return credited if len(credited) < len(rows) else []


def _turned(
    connection: duckdb.DuckDBPyConnection, look: FileLook, line: Line, where: str, kinds: list[str]
) -> Line:
    """A line with the other sign on credit notes, where none of them is below nothing."""
    if line.column not in _TURNED:
        return line
    column = line.expression in look.kinds
    words = line.expression.split()
    factors = [name for name in look.kinds if identifier_of(name) in line.expression or name in words]
    numbers = [look.number(name) for name in ([line.expression] if column else factors)]
    if not numbers:
        return line
    (least,) = connection.execute(
        f"SELECT min(least({', '.join(numbers)})) FROM {look.sample} WHERE {where}"
    ).fetchall()[0]
    if least is None or least < 0:
        return line
    expression = look.sql(line.expression) if column else f"({line.expression})"
    reason = f"{line.reason}; {', '.join(kinds)} taken away, as nothing there is below 0"
    if CHECK not in reason:
        reason += f"; {CHECK}"
    return replace(
        line,
        expression=f"CASE WHEN {where} THEN -{expression} ELSE {expression} END",
        reason=reason,
        strength=2,
    )
