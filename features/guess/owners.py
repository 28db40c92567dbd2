"""Owners: the column of a file that says whose row it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.catalogue.account import CUSTOMERS
from features.guess.columns import FileLook
from features.guess.joins import Join
from features.guess.synonyms import is_about_accounts, likeness, rank_of, speaks_of_a_key
from features.schema import Kind


@dataclass(frozen=True, slots=True)
class Owner:
    """A column that names the account.

    Args:
        column: Its name.
        strength: How much speaks for it, from 1 to 4; 3 where its values are another file's accounts.
    """

    column: str
    strength: int


def owner_of(look: FileLook, joins: Sequence[Join], accounts: tuple[FileLook, str] | None) -> Owner | None:
    """The column of a file that says whose row it is, by the file of accounts first, by its name else.

    Args:
        look: The file.
        joins: Columns that hold keys of other files.
        accounts: The file of accounts and its key, if there is one.
    """
    column = CUSTOMERS.table.column("customer_id")
    if accounts is not None:
        if look is accounts[0] or set(look.kinds) == set(accounts[0].kinds):
            return Owner(accounts[1], max(3, likeness(accounts[1], CUSTOMERS.table, column)))
        direct = [
            join for join in joins if join.look is look and join.to is accounts[0] and join.key == accounts[1]
        ]
        if direct:
            name = max(direct, key=lambda join: join.share).column
            return Owner(name, max(3, likeness(name, CUSTOMERS.table, column)))
    named = [
        (
            not look.is_nearly_one(name),
            strength,
            round(look.share(name), 1),
            -rank_of(name, column),
            -place,
            name,
        )
        for place, name in enumerate(look.kinds)
        if look.may_be(name, Kind.ID) and (strength := _strength(name))
    ]
    if not named:
        return None
    _, strength, *_, name = max(named)
    return Owner(name, strength)


def _strength(name: str) -> int:
    """A part of a name is enough only where it is a key's: account_name and customer_type are none."""
    strength = likeness(name, CUSTOMERS.table, CUSTOMERS.table.column("customer_id"))
    if strength >= 3 or (speaks_of_a_key(name) and not is_about_accounts(name)):
        return strength
    return 0
