"""Expressions of a binding: parsed by DuckDB, tied to a source's columns, typed where those are text."""

import copy
import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from features.binding.casts import currency_of_text, number_of_text, time_of_text
from features.binding.sources import Source
from features.errors import TableError
from features.values.numbers import Decimal

LOOSE_SHARE = 0.8
"""A text column of which at least this share are numbers may be calculated with; the rest become empty."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression over the columns of one source.

    Args:
        text: As written in tokui.toml.
        tree: DuckDB's parse of it.
        columns: The source's columns it uses.
        bare: Whether it is a column and nothing else.
    """

    text: str
    tree: dict[str, Any]
    columns: tuple[str, ...]
    bare: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What a source's text column holds.

    Args:
        filled: Values that are not blank.
        numbers: How many of them are numbers.
        example: First value that is not a number.
        row: Its row, counted from 1.
        natural: DuckDB type all of its values have; VARCHAR where they have none in common, and for
            whole numbers with leading zeros, which are codes.
        decimal: The character before the fraction of its numbers.
        currencies: Marks of currencies that its numbers carry.
    """

    filled: int
    numbers: int
    example: str | None
    row: int | None
    natural: str
    decimal: Decimal = "."
    currencies: tuple[str, ...] = ()

    @property
    def nearly_numbers(self) -> bool:
        """Whether enough of it are numbers to calculate with the column."""
        return 0 < self.numbers < self.filled and self.numbers >= LOOSE_SHARE * self.filled


def parse(connection: duckdb.DuckDBPyConnection, text: str, source: Source) -> Expression:
    """Parse one expression and find the source's columns in it.

    Args:
        connection: Any connection; nothing is read.
        text: The expression. A column's name alone needs no quotes, whatever characters it has.
        source: The source it is over.

    Raises:
        TableError: It is not one expression over the columns of one row.
    """
    by_name = {name.lower(): name for name in source.columns}
    known = by_name.get(text.strip().strip('"').lower())
    if known is not None:
        text = '"' + known.replace('"', '""') + '"'
    answer = connection.execute("SELECT json_serialize_sql($1)", [f"SELECT ({text})"]).fetchall()[0][0]
    parsed = json.loads(answer)
    if parsed["error"]:
        raise TableError(f"{text!r} is not a SQL expression: {parsed['error_message']}")
    selected = parsed["statements"][0]["node"].get("select_list", [])
    if len(parsed["statements"]) != 1 or len(selected) != 1:
        raise TableError(f"{text!r} is more than one SQL expression")
    tree = selected[0]
    columns: dict[str, None] = {}
    for node in _nodes(tree):
        if node.get("class") in {"SUBQUERY", "WINDOW", "STAR"}:
            raise TableError(
                f"{text!r} looks beyond its own row; an expression may use the columns of one row only"
            )
        if node.get("class") == "COLUMN_REF" and not node.get("parameter"):
            columns[_referred(node, by_name, source)] = None
    return Expression(text, tree, tuple(columns), known is not None)


def render(connection: duckdb.DuckDBPyConnection, expression: Expression, columns: dict[str, str]) -> str:
    """Write an expression as SQL with other names for its columns.

    Args:
        connection: Any connection; nothing is read.
        expression: The expression.
        columns: The name each of its columns goes by.
    """
    by_name = {name.lower(): alias for name, alias in columns.items()}
    tree = copy.deepcopy(expression.tree)
    for node in _nodes(tree):
        names = node.get("column_names", [])
        if node.get("class") == "COLUMN_REF" and not node.get("parameter") and names[0].lower() in by_name:
            names[0] = by_name[names[0].lower()]
    shell = json.loads(connection.execute("SELECT json_serialize_sql('SELECT 1')").fetchall()[0][0])
    shell["statements"][0]["node"]["select_list"] = [tree]
    rows = connection.execute("SELECT json_deserialize_sql($1::JSON)", [json.dumps(shell)]).fetchall()
    return str(rows[0][0]).removeprefix("SELECT ")


def profile(
    connection: duckdb.DuckDBPyConnection, source: Source, columns: Mapping[str, Decimal]
) -> dict[str, Profile]:
    """Look through text columns in one pass.

    Args:
        connection: Where the source is.
        source: The source.
        columns: Columns that hold text, with the character before the fraction of their numbers.

    Returns:
        A profile for each.
    """
    if not columns:
        return {}
    parts = []
    for name, decimal in columns.items():
        value = f"nullif(trim(\"{name.replace(chr(34), chr(34) * 2)}\"), '')"
        number = number_of_text(value, decimal)
        parts += [
            f"count({value})",
            f"count({number})",
            f"arg_min({value}, _tokui_row) FILTER ({value} IS NOT NULL AND {number} IS NULL)",
            f"min(_tokui_row) FILTER ({value} IS NOT NULL AND {number} IS NULL)",
            f"bool_and(regexp_full_match({value}, '[-+]?(0|[1-9][0-9]{{0,17}})'))",
            f"bool_or(regexp_matches({value}, '^[-+]?0[0-9]'))",
            f"count({time_of_text(value)})",
            f"bool_and(lower({value}) IN ('true', 'false'))",
            f"list_sort(list(DISTINCT {currency_of_text(value)}))",
        ]
    rows = connection.execute(
        f"SELECT {', '.join(parts)} FROM (SELECT *, row_number() OVER () AS _tokui_row FROM {source.relation})"
    ).fetchall()
    return {
        name: _profile(rows[0][9 * position : 9 * position + 9], decimal)
        for position, (name, decimal) in enumerate(columns.items())
    }


def typed(column: str, content: Profile | None, *, loose: bool) -> str:
    """SQL that gives a text column the type its values have.

    Args:
        column: The column, as SQL.
        content: Its profile; None leaves it as it is.
        loose: Whether nearly numbers are numbers too, what is not becoming empty.
    """
    if content is None:
        return column
    if content.natural == "DOUBLE" or (loose and content.nearly_numbers):
        return number_of_text(f"trim({column})", content.decimal)
    if content.natural == "TIMESTAMP":
        return time_of_text(column)
    return (
        column
        if content.natural == "VARCHAR"
        else f"TRY_CAST(nullif(trim({column}), '') AS {content.natural})"
    )


def _profile(values: tuple[Any, ...], decimal: Decimal) -> Profile:
    filled, numbers, example, row, whole, zeros, times, truths, currencies = values
    natural = "VARCHAR"
    if filled and whole:
        natural = "BIGINT"
    elif filled and numbers == filled and not zeros:
        natural = "DOUBLE"
    elif filled and times == filled and numbers == 0:
        natural = "TIMESTAMP"
    elif filled and truths:
        natural = "BOOLEAN"
    marks = tuple(mark for mark in currencies or () if mark is not None)
    return Profile(filled, numbers, example, row, natural, decimal, marks)


def _referred(node: dict[str, Any], by_name: dict[str, str], source: Source) -> str:
    name = str(node["column_names"][0])
    column = by_name.get(name.lower())
    if column is not None:
        return column
    near = difflib.get_close_matches(name.lower(), by_name, n=1)
    mend = f"did you mean {by_name[near[0]]}?" if near else f"it has {', '.join(source.columns)}"
    raise TableError(f"{source.name} has no column {name!r} (text goes in single quotes); {mend}")


def _nodes(tree: Any, parameters: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Every node of a parse tree; those that name a lambda's parameter are marked."""
    if isinstance(tree, list):
        for item in tree:
            yield from _nodes(item, parameters)
    elif isinstance(tree, dict):
        if tree.get("class") == "LAMBDA":
            own = {name for node in _nodes(tree.get("lhs")) for name in node.get("column_names", [])}
            parameters |= own
        if tree.get("class") == "COLUMN_REF" and tree["column_names"][0] in parameters:
            tree["parameter"] = True
        yield tree
        for item in list(tree.values()):
            yield from _nodes(item, parameters)


def plain(error: duckdb.Error, names: dict[str, str]) -> str:
    """The first line of a DuckDB error, in the user's own column names."""
    said = str(error).splitlines()
    line = said[0].split("Error: ", 1)[-1]
    if line.startswith("CSV Error"):
        # DuckDB moves casts into its CSV reader, which then quotes the whole line before the reason.
        line = next(
            (other for other in said if "convert" in other and not other.startswith("Original")), line
        )
    for alias, name in sorted(names.items(), key=lambda item: -len(item[0])):
        line = re.sub(rf"\b{re.escape(alias)}\b", name, line)
    return line.rstrip(". ")
