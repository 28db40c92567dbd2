"""Synonyms: how much a user's heading, English or Japanese, speaks for a canonical column."""

import re

from features.catalogue.declaration import TIME_NAMES
from features.schema import Column, Kind, Table
from features.values.text import normalise

_KEY_WORDS = ("id", "ids", "key", "code", "no", "nr", "number", "uuid", "guid")
_KEY_ENDS = ("コード", "番号", "キー")
_ZONE = re.compile(r"\s*[(\[](UTC|GMT|JST|日本時間)[)\]]\s*$", re.IGNORECASE)
_UNITS = re.compile(r"(usd|eur|jpy|gbp|cny|aud|cad|円|excltax|incltax|税込|税抜|税別)+$")


def likeness(name: str, table: Table, column: Column) -> int:
    """How much a source column's name speaks for a column of a canonical table.

    Returns:
        4 for the canonical name itself, 3 for a known name, 2 for a general name of the table's time, 1 where
        a known name is part of it, 0 otherwise, and for the heading of a key where something is measured.
    """
    plain = normalise(_ZONE.sub("", name))
    if plain == normalise(column.name):
        return 4
    words = {normalise(word) for word in column.synonyms.split()}
    if plain in words:
        return 3
    if column.kind is Kind.NUMBER and names_a_key(name):
        return 0
    if column.name == table.time and plain in TIME_NAMES.split():
        return 2
    return int(any(len(word) >= (4 if word.isascii() else 2) and word in plain for word in words))


def rank_of(name: str, column: Column) -> int:
    """Where among a column's known names a heading stands: the likelier ones come first."""
    plain = normalise(_ZONE.sub("", name))
    known = [normalise(word) for word in column.synonyms.split()]
    return known.index(plain) if plain in known else len(known)


def ends_with_name(name: str, column: Column) -> bool:
    """Whether a known name of a column is the last word of a heading, and so the thing it names.

    Examples:
        >>> from features.language import Wording
        >>> amount = Column("amount", Kind.NUMBER, "", Wording("", ""), "amount sales")
        >>> ends_with_name("mrr_amount", amount), ends_with_name("sales_tax", amount)
        (True, False)
    """
    plain = _UNITS.sub("", normalise(name))
    known = (normalise(word) for word in column.synonyms.split())
    return any(len(word) > 1 and plain.endswith(word) for word in known)


def names_a_key(name: str) -> bool:
    """Whether a heading says that a column tells things apart rather than measures them.

    Examples:
        >>> names_a_key("SalesTerritoryKey"), names_a_key("顧客コード"), names_a_key("Paid"), names_a_key("paid_id")
        (True, True, False, True)
    """
    words = _words_of(name)
    return bool(words) and _is_key_word(words[-1])


def speaks_of_a_key(name: str) -> bool:
    """Whether any word of a heading is that of a key.

    Examples:
        >>> speaks_of_a_key("customer_id_hashed"), speaks_of_a_key("customer_type")
        (True, False)
    """
    return any(_is_key_word(word) for word in _words_of(name))


def _is_key_word(word: str) -> bool:
    return word in _KEY_WORDS or word.endswith(_KEY_ENDS)


def _words_of(name: str) -> list[str]:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\da-zA-Z_]+", name)
    return [word.lower() for word in words]
