"""Lines: which column of a file is which column of a canonical table, by names and values together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.catalogue.orders import ORDERS
from features.guess.assignment import best_pairs
from features.guess.columns import FileLook
from features.guess.owners import Owner
from features.guess.synonyms import (
    ends_with_name,
    is_about_accounts,
    is_unit_price,
    likeness,
    rank_of,
    speaks_of_a_key,
    tells_other_money,
)
from features.schema import Column, Table

CHECK = "check this"
REASONS = {
    4: "same name",
    3: "by its name",
    2: "a date, by its general name",
    1: f"by part of its name; {CHECK}",
}
BY_VALUES = f"by its values, which are countries; {CHECK}"
ONLY_DATE = f"the only date there is; {CHECK}"

_REQUIRED = 100.0
"""What a required column adds, so that none goes without for the sake of others."""


@dataclass(frozen=True, slots=True)
class Line:
    """One column of a binding.

    Args:
        column: The canonical column.
        expression: What it is bound to.
        reason: Why.
        strength: How much speaks for it, from 1 to 4.
        others: What else it could be, the likelier first.
    """

    column: str
    expression: str
    reason: str
    strength: int
    others: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether nobody needs to look at it."""
        return self.strength >= 3


def likely_lines(
    look: FileLook, table: Table, *, owner: Owner | None = None, without: Sequence[str] = ()
) -> list[Line]:
    """The source column of each canonical one, so that the whole is likeliest; no source column twice.

    Args:
        look: The file.
        table: The canonical table.
        owner: The column that says whose row it is, where it is known, and how much speaks for it.
        without: Canonical columns that are not wanted.
    """
    names = list(look.kinds)
    strengths = {
        (place, position): strength
        for place, column in enumerate(table.columns)
        if column.name not in without
        for position, name in enumerate(names)
        if (strength := _strength(look, name, table, column))
    }
    if owner is not None and "customer_id" not in without:
        position = names.index(owner.column)
        strengths = {
            pair: strength for pair, strength in strengths.items() if pair[0] != 0 and pair[1] != position
        }
        strengths[0, position] = owner.strength
    weights = np.zeros((len(table.columns), len(names)))
    for (place, position), strength in strengths.items():
        weights[place, position] = _weight(look, names[position], table.columns[place], strength, position)
    return [
        _line(look, table, table.columns[place], names[position], strengths, weights, place)
        for place, position in sorted(best_pairs(weights))
    ]


def _line(
    look: FileLook,
    table: Table,
    column: Column,
    name: str,
    strengths: Mapping[tuple[int, int], int],
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    place: int,
) -> Line:
    names = list(look.kinds)
    strength = strengths[place, names.index(name)]
    rivals = sorted(
        (position for at, position in strengths if at == place and names[position] != name),
        key=lambda position: -weights[place, position],
    )
    others = tuple(names[position] for position in rivals if strengths[place, position] >= strength - 1)
    reason = REASONS[strength]
    if not likeness(name, table, column):
        reason = BY_VALUES if column.name == "country" else ONLY_DATE
    return Line(column.name, name, reason, strength, others[:3])


def _strength(look: FileLook, name: str, table: Table, column: Column) -> int:
    """How much speaks for a source column, 0 where its values or its name say that it cannot be."""
    if not look.may_be(name, column.kind):
        return 0
    strength = likeness(name, table, column)
    if column.name == "customer_id" and strength < 3:
        return strength if speaks_of_a_key(name) and not is_about_accounts(name) else 0
    if column.name == "currency" and strength < 3:
        return 0  # CurrencyKey is a key of currencies and none itself
    if column.money and strength == 1 and tells_other_money(name):
        return 0
    if column.money and is_unit_price(name) and table is ORDERS.table:
        return min(strength, 1)
    return max(strength, int(_told_by_values(look, name, table, column)))


def _told_by_values(look: FileLook, name: str, table: Table, column: Column) -> bool:
    """Whether a column's values say what it is, whatever its name: countries, and the only date there is."""
    if column.name == "country":
        return name in look.countries
    return column.required and column.name == table.time and look.dates == (name,)


def _weight(look: FileLook, name: str, column: Column, strength: int, position: int) -> float:
    """Strength first; then what is full, what a heading ends with, the likelier of known names, the column further left."""
    weight = float(strength)
    if column.required and not column.planned:
        weight += _REQUIRED - 1.1 * (1 - look.share(name))
    weight += 0.4 * look.share(name) - (
        2.0 if column.name == "customer_id" and look.is_nearly_one(name) else 0.0
    )
    weight += 0.4 * ends_with_name(name, column) if strength < 3 else 0.0
    known = max(1, len(column.synonyms.split()))
    return weight + 0.3 * (1 - rank_of(name, column) / known) - 0.0001 * position


def reread(line: Line, expression: str) -> Line:
    """A line with another expression, and no other thing that it could be."""
    return replace(line, expression=expression, others=())
