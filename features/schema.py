"""The types of which the catalogue's tables are made: kinds, columns, tables, and what rows are called."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from features.errors import DefinitionError
from features.language import Wording

Group = Literal["usage", "support", "payment", "engagement", "purchasing", "account", "season"]
"""What a feature is about, as drivers are grouped."""


class Kind(StrEnum):
    """What a canonical column holds."""

    ID = "id"
    TEXT = "text"
    TIME = "time"
    NUMBER = "number"
    FLAG = "flag"

    @property
    def sql(self) -> str:
        """The DuckDB type it is stored as."""
        return _SQL[self.value]


_SQL = {"id": "VARCHAR", "text": "VARCHAR", "time": "TIMESTAMP", "number": "DOUBLE", "flag": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column.

    Args:
        name: Canonical name.
        kind: What it holds. Times are wall-clock times in the project's time zone.
        meaning: One plain phrase for the data dictionary.
        called: The noun it is in the words of a feature, singular.
        synonyms: Headings by which users call it, normalised as ``features.guess.synonyms`` does, set
            apart by blanks.
        required: Whether a bound table must map it and every row must have it.
        money: Whether it holds money.
        planned: Whether it is a time that is agreed ahead and may lie in the future.
    """

    name: str
    kind: Kind
    meaning: str
    called: Wording
    synonyms: str = ""
    required: bool = False
    money: bool = False
    planned: bool = False


@dataclass(frozen=True, slots=True)
class RowWords:
    """What the rows of a stream are called.

    Args:
        one: The thing a customer has or does, as in "no order for 90 days".
        many: The rows that are counted, as in "number of order lines".
        describe: Whether a row says what the customer is rather than what it did; its columns are then
            called by themselves, "industry" and not "industry of the latest of the accounts".
    """

    one: Wording
    many: Wording
    describe: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table.

    Args:
        name: Canonical name.
        row: What one row is.
        columns: All columns, ``customer_id`` first and ``known_at`` last.
        time: The column that dates the row itself.
        group: What its features are about.
        file_words: Words in the name of a file or sheet that speak for the table, set apart by blanks.
        key: Columns that identify a row; empty where repeated rows are legitimate events.
        course: Whether its dates are a course of events, in which a lone date far from all others is a slip of
            the pen; an account may well be twenty years older than the next.
        by_name: Whether only a file's name tells it from any other ledger.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    time: str
    group: Group
    file_words: str
    key: tuple[str, ...] = ()
    course: bool = True
    by_name: bool = False

    def column(self, name: str) -> Column:
        """Look a column up by name.

        Raises:
            DefinitionError: The table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        have = ", ".join(column.name for column in self.columns)
        raise DefinitionError(f"table {self.name} has no column {name!r}; it has {have}")
