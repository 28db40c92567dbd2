"""Synonyms: how much a user's heading, English or Japanese, speaks for a canonical column."""

import re

from features.catalogue.declaration import TIME_NAMES
from features.catalogue.orders import UNIT_PRICE_NAMES
from features.schema import Column, Kind, Table
from features.values.lexicon import in_english
from features.values.text import normalise

_KEY_WORDS = ("id", "ids", "key", "code", "no", "nr", "num", "number", "uuid", "guid")
_KEY_ENDS = ("コード", "番号", "キー")
_ZONE = re.compile(r"\s*[(\[](UTC|GMT|JST|日本時間)[)\]]\s*$", re.IGNORECASE)
_ASIDE = re.compile(r"\s*[(（\[【].*$")
"""What a heading adds in brackets: the unit, the tax, what is meant."""
_KEY_END = re.compile(r"(ids?|keys?|codes?|no|nr|num|number|uuid|guid|コード|番号|キー)$")
"""Words for what tells things apart, of which any is as good as another."""
_MEASURED = re.compile(
    r"(amount|amt|total|paid|price|cost|tax|qty|quantity|discount|balance|due|value|金額|額|数量|単価|税|率|残高)$"
)
_TIME_END = re.compile(r"(at|on|date|time|datetime|timestamp|日時|日付|日)?(utc)?$")
_EVERYWHERE = frozenset(("name", "number", "date", "time", "type", "order", "code", "value"))
_UNITS = re.compile(r"(usd|eur|jpy|gbp|cny|aud|cad|円|excltax|incltax|税込|税抜|税別)+$")


def readings(name: str) -> tuple[str, ...]:
    """A heading as it is written and, where its words are known, in English."""
    english = in_english(name)
    return (name,) if english == name else (name, english)


def speaks_of_table(label: str, table: Table) -> bool:
    """Whether a file's name, in whichever language, is that of a table's rows."""
    return any(word in normalise(reading) for reading in readings(label) for word in table.file_words.split())


def is_unit_price(name: str) -> bool:
    """Whether a heading is of a price that is still to be multiplied by the quantity."""
    return any(normalise(reading) in UNIT_PRICE_NAMES.split() for reading in readings(name))


def likeness(name: str, table: Table, column: Column) -> int:
    """How much a source column's name, as it is or in English, speaks for a column of a canonical table.

    What a heading adds by itself says nothing more: the table it is in, as in ``Subscription Start``, and of times
    that they are some.

    Returns:
        4 for the canonical name itself, 3 for a known name, 2 for a general name of the table's time, 1 where
        a known name is part of it, 0 otherwise, and for the heading of a key where something is measured.
    """
    own, *translated = (_likeness(reading, table, column) for reading in readings(name))
    return max(own, *(min(strength, 3) for strength in translated), 0)


def _likeness(name: str, table: Table, column: Column) -> int:
    plain = normalise(_ZONE.sub("", name))
    if plain == normalise(column.name):
        return 4
    known = _known(column)
    if plain in known or (
        (column.kind is not Kind.NUMBER or not names_a_key(name)) and _is_known(name, plain, table, column)
    ):
        return 3
    measured = column.kind is Kind.ID and _MEASURED.search(plain)
    if measured or (column.kind is Kind.NUMBER and names_a_key(name)):
        return 0
    if column.name == table.time and plain in TIME_NAMES.split():
        return 2
    return int(any(_tells_in_part(word) and word in plain for word in known))


def _is_known(name: str, plain: str, table: Table, column: Column) -> bool:
    """Whether a heading is a known name but for what it adds: a unit, its table's name, a word for a time or a key."""
    known = _known(column)
    bare = normalise(_ASIDE.sub("", name))
    forms = {plain, bare, _without(table, plain), _without(table, bare)}
    if forms & known:
        return True
    if column.kind is Kind.TIME:
        stems = {_stem(form) for form in forms} - forms
        return bool(stems & (known | {_stem(word) for word in known}))
    if column.kind is Kind.ID and names_a_key(name):
        return _KEY_END.sub("", plain) in {_KEY_END.sub("", word) for word in known} - {"", "name"}
    return False


def _known(column: Column) -> set[str]:
    return {normalise(word) for word in column.synonyms.split()}


def _tells_in_part(word: str) -> bool:
    """Whether a known name says something as a part of a longer one: every other heading ends in name or date."""
    return len(word) >= (4 if word.isascii() else 2) and word not in _EVERYWHERE


def _stem(plain: str) -> str:
    """A heading of a time without what only says that it is one."""
    stem = _TIME_END.sub("", plain)
    return stem if len(stem) > 1 else plain


def _without(table: Table, plain: str) -> str:
    """A heading without the name of its table before it."""
    for word in table.file_words.split():
        rest = re.sub(rf"^{re.escape(normalise(word))}(ies|ity|es|y|s)?", "", plain)
        if rest != plain and rest:
            return rest
    return plain


def rank_of(name: str, column: Column) -> int:
    """Where among a column's known names a heading stands: the likelier ones come first."""
    known = [normalise(word) for word in column.synonyms.split()]
    plain = [normalise(_ZONE.sub("", reading)) for reading in readings(name)]
    return min((known.index(reading) for reading in plain if reading in known), default=len(known))


def ends_with_name(name: str, column: Column) -> bool:
    """Whether a known name of a column is the last word of a heading, and so the thing it names.

    Examples:
        >>> from features.language import Wording
        >>> amount = Column("amount", Kind.NUMBER, "", Wording("", ""), "amount sales")
        >>> ends_with_name("mrr_amount", amount), ends_with_name("sales_tax", amount)
        (True, False)
    """
    known = [normalise(word) for word in column.synonyms.split()]
    plain = [_UNITS.sub("", normalise(reading)) for reading in readings(name)]
    return any(len(word) > 1 and reading.endswith(word) for reading in plain for word in known)


def names_a_key(name: str) -> bool:
    """Whether a heading says that a column tells things apart rather than measures them.

    Examples:
        >>> names_a_key("SalesTerritoryKey"), names_a_key("顧客コード"), names_a_key("Paid"), names_a_key("paid_id")
        (True, True, False, True)
    """
    spoken = [words for reading in readings(name) if (words := _words_of(reading))]
    return any(_is_key_word(words[-1]) for words in spoken)


def speaks_of_a_key(name: str) -> bool:
    """Whether any word of a heading is that of a key.

    Examples:
        >>> speaks_of_a_key("customer_id_hashed"), speaks_of_a_key("customer_type")
        (True, False)
    """
    return any(_is_key_word(word) for reading in readings(name) for word in _words_of(reading))


def tells_other_money(name: str) -> bool:
    """Whether a heading is of money that is no sale: taxes, discounts, fees, refunds, limits.

    Examples:
        >>> tells_other_money("refund_amount_usd"), tells_other_money("消費税額"), tells_other_money("order_total_incl_tax")
        (True, True, False)
    """
    plain = [_WITH_TAX.sub("", normalise(reading)) for reading in readings(name)]
    return any(word in reading for reading in plain for word in _OTHER_MONEY)


_WITH_TAX = re.compile(
    r"(incl?|excl?|including|excluding|before|after|with|without|pre|net)(of)?(sales)?(tax|vat|gst)(es)?|税込|税抜|税別"
)
_OTHER_MONEY = (
    "refund", "discount", "tax", "vat", "shipping", "freight", "fee", "commission", "balance", "limit", "deposit", "credit", "paid",
    "税", "割引", "値引", "送料", "手数料", "与信", "残高", "返金", "保証金", "前回", "入金",
)  # fmt: skip


def is_about_accounts(name: str) -> bool:
    """Whether a heading is of something told about an account, which tells none from another.

    Examples:
        >>> is_about_accounts("取引先郵便番号"), is_about_accounts("取引先コード"), is_about_accounts("Customer Phone No")
        (True, False, True)
    """
    return any(word in normalise(reading) for reading in readings(name) for word in _ABOUT_ACCOUNTS)


_ABOUT_ACCOUNTS = (
    "zip", "postal", "postcode", "phone", "tel", "fax", "address", "street", "city", "郵便", "住所", "電話", "都道府県", "敬称", "部署",
    "役職", "担当", "区分", "種別", "ランク", "グループ", "カナ", "かな", "法人番号",
)  # fmt: skip


def _is_key_word(word: str) -> bool:
    return word in _KEY_WORDS or word.endswith(_KEY_ENDS)


def _words_of(name: str) -> list[str]:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\da-zA-Z_]+", name)
    return [word.lower() for word in words]
