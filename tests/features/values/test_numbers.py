"""Contract: a number is read as it was meant in its convention, or not at all; never as another one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.values.numbers import currency_of, decimal_of, is_currency, read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(431.20)", -431.2), ("△431", -431), ("▲431", -431), ("−431", -431), ("431-", -431), ("1,200円", 1200),
        ("１，２００", 1200), ("JPY 1,200", 1200), ("$(1,234.00)", -1234), ("($5)", -5), ("-$1,000.00", -1000),
        ("US$5.5", 5.5), ("1'234.50", 1234.5), ("12 345", 12345), ("12,34,567.00", 1234567), ("120万円", 1.2e6),
        ("3億", 3e8), ("12%", 0.12), (".5", 0.5), ("1.5E+03", 1500), ("007", 7), ("1,200.-", 1200), ("+5", 5),
        ("\u200b12\ufeff", 12), ("（431）", -431), ("1\u00a0234", 1234), ("9,326 ¥", 9326),
    ],
)  # fmt: skip
def test_writings_of_one_number(text, number):
    assert read_number(text) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "number"),
    [("2,493", 2.493), ("999.000", 999000), ("1.234,50", 1234.5), ("1.200,-", 1200), ("0,493", 0.493), ("-5,00 €", -5),
     ("1 234,5", 1234.5), ("1'234,5", 1234.5), ("12", 12), ("1.234.567", 1234567)],
)  # fmt: skip
def test_writings_with_a_decimal_comma(text, number):
    assert read_number(text, ",") == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    ["", "-", "1.2.3", "1,2345", "0,493", "--5", "(-5)", "(5", "5)", "¥1,200-", "1 2", "inf", "nan", "0x1F", "1_000", "5 EUR USD",
     "12:30", "2024-06-13", "1/2", "1,23,4", "12,3456.7", "$-", "#REF!", "1.5M", "5-5", "１２時", "1e", ",,", "1,,000"],
)  # fmt: skip
def test_what_could_be_another_number_is_not_read(text):
    assert read_number(text) is None


def grouped(whole: str, separator: str) -> str:
    head = len(whole) % 3 or 3
    return separator.join([whole[:head], *(whole[k : k + 3] for k in range(head, len(whole), 3))])


amounts = st.tuples(st.integers(0, 10**12), st.integers(0, 9999), st.integers(0, 4))
around = st.sampled_from(
    ["{}", "+{}", "-{}", "({})", "△{}", "{}-", "−{}", "€ {}", "{} EUR", "-£{}", "{} 円", "▲{}円", "USD -{}", "＄{}", "$({})"]
)  # fmt: skip


@given(amount=amounts, decimal=st.sampled_from(".,"), separator=st.sampled_from(["", "group", "'", " ", "\u00a0", "\u202f"]),
       manner=around, wide=st.booleans())  # fmt: skip
def test_whatever_is_written_is_read_or_refused(amount, decimal, separator, manner, wide):
    whole, part, digits = amount
    fraction = f"{part:04d}"[:digits]
    sign = "," if decimal == "." else "."
    body = grouped(str(whole), sign if separator == "group" else separator)
    text = manner.format(body + (decimal + fraction if fraction else ""))
    if wide:
        text = text.translate({ord(digit): ord(digit) - 48 + 0xFF10 for digit in "0123456789"})
    size = float(f"{whole}.{fraction or 0}")
    meant = -size if any(mark in manner for mark in "-−△▲(") else size
    assert read_number(text, decimal) == meant
    other = read_number(text, sign)
    assert other in {None, meant} or decimal_of(text) in {"either", None}


@given(text=st.text(alphabet="0123456789.,-+()%eE '△円¥$", max_size=12))
def test_any_text_is_a_finite_number_or_none(text):
    for decimal in (".", ","):
        number = read_number(text, decimal)
        assert number is None or (math.isfinite(number) or "e" in text.lower())
    plain = text.strip()
    try:
        number = float(plain)
    except ValueError:
        return
    assert read_number(plain) in {number, None}


def test_currencies():
    assert [currency_of(text) for text in ("€226.6", "¥9,326", "JPY 5", "5 円", "R$ 5", "5", "x", "$(5)")] == [
        "EUR", "¥", "JPY", "JPY", "BRL", None, None, "$",
    ]  # fmt: skip
    assert is_currency("¥", "JPY")
    assert is_currency("¥", "CNY")
    assert is_currency("usd", "USD")
    assert is_currency("$", "CAD")
    assert not is_currency("€", "USD")
    assert not is_currency("$", "JPY")
