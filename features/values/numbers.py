"""Numbers as people write them: grouped, signed, with a currency, in one of two conventions."""

import re
from functools import lru_cache
from typing import Literal

from features.values.text import tidy

Decimal = Literal[".", ","]
"""The character before the fraction."""

_SYMBOLS = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "\\": "JPY", "円": "JPY", "₩": "KRW", "₹": "INR", "元": "CNY", "₫": "VND", "฿": "THB",
    "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₱": "PHP", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "$": "USD",
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "NZ$": "NZD", "S$": "SGD",
    "NT$": "TWD", "R$": "BRL", "ドル": "USD", "米ドル": "USD", "ユーロ": "EUR", "円也": "JPY",
}  # fmt: skip
_SHARED = {
    "$": frozenset(["USD", "AUD", "CAD", "HKD", "NZD", "SGD", "MXN", "CLP", "COP", "ARS", "TWD"]),
    "¥": frozenset(("JPY", "CNY")),
}
_CODES = [
    "AED",
    "ARS",
    "AUD",
    "BGN",
    "BHD",
    "BRL",
    "CAD",
    "CHF",
    "CLP",
    "CNY",
    "COP",
    "CZK",
    "DKK",
    "EGP",
    "EUR",
    "GBP",
    "HKD",
    "HUF",
    "IDR",
    "ILS",
    "INR",
    "ISK",
    "JPY",
    "KES",
    "KRW",
    "KWD",
    "MAD",
    "MXN",
    "MYR",
    "NGN",
    "NOK",
    "NZD",
    "PEN",
    "PHP",
    "PKR",
    "PLN",
    "QAR",
    "RON",
    "RSD",
    "RUB",
    "SAR",
    "SEK",
    "SGD",
    "THB",
    "TRY",
    "TWD",
    "UAH",
    "USD",
    "UYU",
    "VND",
    "ZAR",
    "RMB",
]
_MONEY = "|".join(sorted(map(re.escape, (*_SYMBOLS, *_CODES)), key=len, reverse=True))
_SCALES = {"千": 1e3, "万": 1e4, "百万": 1e6, "億": 1e8, "兆": 1e12}

_MINUS = "[-−–‐‑△▲▵]"
_AROUND = re.compile(
    rf"(?:(?P<money0>{_MONEY})\s*(?=\())?(?P<open>\()?\s*(?P<sign1>{_MINUS}|\+)?\s*(?P<money1>{_MONEY})?\s*"
    rf"(?P<sign2>{_MINUS}|\+)?\s*(?P<body>[0-9.,'’ ]*[0-9](?:[.,](?![-–—0-9]))?)(?P<full>[.,](?=[-–—]))?"
    rf"(?:(?<=[.,])[-–—]{{1,2}})?(?P<power>[eE][-+]?[0-9]{{1,3}})?\s*(?P<scale>百万|[千万億兆])?\s*"
    rf"(?P<money2>{_MONEY})?\s*(?P<sign3>{_MINUS})?\s*(?P<percent>%)?\s*(?P<close>\))?"
)
_POINT = re.compile(
    r"(?:[0-9]+|[0-9]{1,3}(?:([,'’ ])[0-9]{3})(?:\1[0-9]{3})*|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3})?(?:\.[0-9]*)?"
)
_COMMA = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:([.'’ ])[0-9]{3})(?:\1[0-9]{3})*)?(?:,[0-9]*)?")
_LEADING_ZERO = re.compile(r"0[0-9]*[,.'’ ][0-9]{3}([,.'’ ]|$)")
_NOT_DIGITS = re.compile(r"[,.'’ ]")


@lru_cache(maxsize=65_536)
def read_number(text: str, decimal: Decimal = ".") -> float | None:
    """Read a text as a number.

    Groups of thousands, a currency before or behind, a minus in front, behind, as a triangle or as
    brackets, per cent, and 千, 万, 百万, 億 are understood.

    Args:
        text: As written.
        decimal: The character before the fraction; the other one sets thousands apart.

    Returns:
        The number; None where it is none, or could be two.

    Examples:
        >>> read_number("(1,431.20)"), read_number("▲４３１円"), read_number("1.234,5", ",")
        (-1431.2, -431.0, 1234.5)
        >>> read_number("1.2.3") is None
        True
    """
    parts = _AROUND.fullmatch(tidy(text))
    if parts is None or (parts["open"] is None) != (parts["close"] is None):
        return None
    signs = [sign for sign in (parts["sign1"], parts["sign2"], parts["sign3"]) if sign]
    if len(signs) + (parts["open"] is not None) > 1:
        return None
    money = [parts[name] for name in ("money0", "money1", "money2") if parts[name]]
    if len(money) > 1 or (parts["money1"] in {"¥", "\\"} and parts["sign3"]):
        return None  # ¥1,200- is a price in full to a Japanese reader, and 1,200 less than nothing to SAP
    # 1.200,- is 1.200,00: the dash stands for a fraction of nothing.
    size = _size(parts["body"] + (parts["full"] or ""), decimal)
    if size is None:
        return None
    number = float(size + (parts["power"] or "")) * _SCALES.get(parts["scale"] or "", 1.0)
    if parts["percent"]:
        number /= 100
    negative = parts["open"] is not None or (bool(signs) and signs[0] != "+")
    return -number if negative else number


def _size(body: str, decimal: Decimal) -> str | None:
    """The digits of a number as Python writes them."""
    shape = (_POINT if decimal == "." else _COMMA).fullmatch(body)
    if shape is None or not any(character.isdigit() for character in body):
        return None
    whole, _, fraction = body.partition(decimal)
    if _LEADING_ZERO.match(whole):
        return None  # 0,493 sets no thousands apart
    return f"{_NOT_DIGITS.sub('', whole) or '0'}.{fraction or '0'}"


def decimal_of(text: str) -> Decimal | Literal["either"] | None:
    """Which convention a number is written in, as far as it tells.

    Returns:
        The only one in which it can be read; ``either`` where both read it, as different numbers; None
        where both read the same, or neither reads it.

    Examples:
        >>> decimal_of("1.234,50"), decimal_of("12.5"), decimal_of("2,493"), decimal_of("12")
        (',', '.', 'either', None)
    """
    point, comma = read_number(text, "."), read_number(text, ",")
    if point == comma:
        return None
    if point is None:
        return ","
    return "." if comma is None else "either"


@lru_cache(maxsize=65_536)
def currency_of(text: str) -> str | None:
    """The currency a number carries: its ISO 4217 code, or the sign where that is several countries'.

    Examples:
        >>> currency_of("€226.6"), currency_of("1,200円"), currency_of("$5"), currency_of("12")
        ('EUR', 'JPY', '$', None)
    """
    parts = _AROUND.fullmatch(tidy(text))
    mark = None if parts is None else parts["money0"] or parts["money1"] or parts["money2"]
    if mark is None or mark in _SHARED:
        return mark
    return _SYMBOLS.get(mark, "CNY" if mark == "RMB" else mark)


def is_currency(mark: str, code: str) -> bool:
    """Whether a currency as ``currency_of`` or a column tells it can be the one of an ISO 4217 code."""
    plain = tidy(mark)
    return plain.upper() == code or code in _SHARED.get(plain, ()) or _SYMBOLS.get(plain) == code
