"""Joins: which column of a file is the key of another, and so which file knows whose rows these are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from features.binding.functions import TIDY
from features.catalogue.account import CUSTOMERS
from features.guess.columns import FileLook, identifier_of
from features.guess.synonyms import is_about_accounts, likeness, names_a_key, speaks_of_table
from features.schema import Kind, Table
from features.values.text import normalise

LEAST_SHARE = 0.8
"""Share of a column's values that must be keys of the other file."""


@dataclass(frozen=True, slots=True)
class Join:
    """A column of one file that holds the key of another.

    Args:
        look: The file that refers.
        column: Its column.
        to: The file that is referred to.
        key: The column there, in which every row has a value of its own.
        share: Share of the column's different values that are keys there.
    """

    look: FileLook
    column: str
    to: FileLook
    key: str
    share: float

    def __str__(self) -> str:
        return f"{self.share:.0%} of {self.column} are {self.key} of {self.to.label}"


def find_joins(connection: duckdb.DuckDBPyConnection, looks: Sequence[FileLook]) -> list[Join]:
    """Find the columns whose values are keys of other files.

    Args:
        connection: Holds the samples.
        looks: The files.
    """
    joins = []
    for to in looks:
        for key in to.kinds:
            if not to.identifies(key) or to.kinds[key] == "time":
                continue
            for look in looks:
                if look is to:
                    continue
                for column in look.kinds:
                    if not _alike(column, key, look, to):
                        continue
                    share = _share(connection, look, column, to, key)
                    if share >= LEAST_SHARE:
                        joins.append(Join(look, column, to, key, share))
    return joins


def _alike(column: str, key: str, look: FileLook, to: FileLook) -> bool:
    """Whether names allow it: the same one, or the other file's name before the key's."""
    if look.kinds[column] in {"time", "flag", "empty"} or look.different[column] < 2:
        return False
    one, other = normalise(column), normalise(key)
    if one == other:
        return True
    account = CUSTOMERS.table.column("customer_id")
    if likeness(column, CUSTOMERS.table, account) >= 3 and _distinctive(to.examples.get(key, "")):
        return True  # what is called an account may be told by the number or the name that another file has
    stem = normalise(to.label.rsplit(".", 1)[0]).rstrip("s")
    return (
        names_a_key(column)
        and names_a_key(key)
        and (one.endswith(other) or other.endswith(one))
        and (stem in one or one in other or other in {"id", "key", "code", "recordid"})
    )


def _distinctive(value: str) -> bool:
    """Whether a value is hardly met by chance, as a small number is."""
    return len(re.sub(r"[^\W\d_]", "", value)) < len(value) - 2 or len(re.sub(r"\D", "", value)) >= 5


def _share(
    connection: duckdb.DuckDBPyConnection, look: FileLook, column: str, to: FileLook, key: str
) -> float:
    def values(name: str, sample: str) -> str:
        return f"SELECT DISTINCT {TIDY}(CAST({identifier_of(name)} AS VARCHAR)) AS v FROM {sample}"

    share = connection.execute(
        f"SELECT avg(CAST(v IN (SELECT v FROM ({values(key, to.relation)})) AS INTEGER)) "
        f"FROM ({values(column, look.sample)}) WHERE v <> ''"
    ).fetchall()[0][0]
    return float(share or 0.0)


def account_file(
    looks: Sequence[FileLook], joins: Sequence[Join], customers: Table
) -> tuple[FileLook, str] | None:
    """The file in which every account has a row, and its key: the one named so that most others refer to."""
    best: tuple[tuple[object, ...], FileLook, str] | None = None
    for look in looks:
        named = speaks_of_table(look.label, customers)
        for place, key in enumerate(look.kinds):
            if not look.identifies(key) or not look.may_be(key, Kind.ID):
                continue
            strength = likeness(key, customers, customers.column("customer_id"))
            referring = sum(join.to is look and join.key == key for join in joins)
            code = names_a_key(key) or _CODE.fullmatch(look.examples.get(key, "")) is not None
            if strength < 3 and not (named and code and not is_about_accounts(key)):
                continue
            # A number tells accounts apart where a name changes; but what the other files say counts more.
            score = (named, referring > 0, code, strength, referring, -place)
            if best is None or score > best[0]:
                best = (score, look, key)
    return None if best is None else (best[1], best[2])


_CODE = re.compile(r"[A-Za-z]{0,6}[-_#]?[0-9]{3,}[-_0-9A-Za-z]*")
"""What a number of an account looks like."""
