"""Synonyms: how much a user's heading, English or Japanese, speaks for a canonical column."""

from features.catalogue.declaration import TIME_NAMES
from features.schema import Column, Table
from features.values.text import normalise


def likeness(name: str, table: Table, column: Column) -> int:
    """How much a source column's name speaks for a column of a canonical table.

    Returns:
        4 for the canonical name itself, 3 for a known name, 2 for a general name of the table's time, 1 where
        a known name is part of it, 0 otherwise.
    """
    plain = normalise(name)
    if plain == normalise(column.name):
        return 4
    words = {normalise(word) for word in column.synonyms.split()}
    if plain in words:
        return 3
    if column.name == table.time and plain in TIME_NAMES.split():
        return 2
    return int(any(len(word) >= (4 if word.isascii() else 2) and word in plain for word in words))
