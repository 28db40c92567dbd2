"""Numbers, money and dates read as the locale data of both languages have them, with values unchanged."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.reports.numbers import NOTHING, Formats, digits_for, plain_tick, signed
from features.language import LANGUAGES

NAN = float("nan")


@pytest.mark.parametrize(
    ("currency", "english", "japanese"),
    [
        ("JPY", "−¥1,234,568", "−1,234,568円"),
        ("USD", "−$1,234,567.80", "−1,234,567.80ドル"),
        ("EUR", "−€1,234,567.80", "−1,234,567.80ユーロ"),
        ("KWD", "−KWD\u00a01,234,567.800", "−1,234,567.800クウェート・ディナール"),
        ("GBP", "−£1,234,567.80", "−1,234,567.80英国ポンド"),
        ("ABC", "−ABC\u00a01,234,567.80", "−ABC\u00a01,234,567.80"),
    ],
)
def test_money_has_the_digits_and_the_sign_of_its_currency(currency, english, japanese):
    assert Formats("en", currency).money(-1234567.8) == english
    assert Formats("ja", currency).money(-1234567.8) == japanese


def test_money_can_be_whole_is_never_minus_nothing_and_may_be_unknown():
    assert Formats("en", "SEK", whole=True).money(1234567.8) == "SEK\u00a01,234,568"
    assert Formats("en", "EUR").money(-0.001) == "€0.00"
    assert Formats("en", "USD").money(8.366, 2) == "$8.37"
    assert Formats("en").money(NAN) == Formats("en").percent(None) == Formats("ja").number(np.inf) == NOTHING


@pytest.mark.parametrize("lang", LANGUAGES)
@given(st.floats(-1e15, 1e15), st.integers(0, 6))
def test_numbers_keep_their_value(lang, value, digits):
    told = Formats(lang).number(value, digits)
    assert float(told.replace("−", "-").replace(",", "")) == round(value, digits)
    assert len(told.partition(".")[2]) == digits


def test_numbers_have_separated_thousands_and_a_true_minus():
    w = Formats("en")
    assert w.number(-0.0001) == "0.000"
    assert w.number(-1234.5, 1) == "−1,234.5"
    assert (w.percent(0.1234), Formats("ja").percent(-0.1234)) == ("12.3\u00a0%", "−12.3%")
    assert (w.percent(1, 0), w.span("1", "2"), w.span(NOTHING, NOTHING)) == ("100\u00a0%", "1 to 2", NOTHING)
    assert Formats("ja").span("1", "2") == "1〜2"
    assert [signed("3", 3.0), signed("−3", -3.0), signed("0.0", 0.01)] == ["+3", "−3", "0.0"]


def test_numbers_keep_two_digits_of_their_interval():
    assert digits_for(0.1, 0.5) == 3
    assert digits_for(0.0001, 0.0331) == 4
    assert digits_for(-0.00021, -0.00015) == 6
    assert digits_for(NAN, NAN) == 3


def test_sums_of_a_column_are_of_one_size_and_one_number_of_decimals():
    w, ja = Formats("en", whole=True), Formats("ja", whole=True)
    assert w.sums([129_912_000.0, -310_222.0, 9_300_000.0]) == ["¥129.9M", "−¥0.3M", "¥9.3M"]
    assert w.sums([9_300_000.0, 310_222.0, 0.0, 400.0]) == ["¥9.30M", "¥0.31M", "¥0", "¥0.00M"]
    assert w.sums([24_000_000_000.0, np.nan]) == ["¥24.0B", "–"]
    assert w.sums([5e6, -400.0]) == ["¥5.00M", "¥0.00M"]
    assert w.sums([310.0, -20.4]) == ["¥310", "−¥20"]
    assert w.sums([]) == []
    assert ja.sums([290_440_000.0, -13_205_000.0, 2e8]) == ["2億9,044万円", "−1,320万円", "2億円"]
    assert ja.sums([-300_500_000.0, 5e3]) == ["−3億50万円", "0万円"]
    assert ja.sums([2_296_200_000.0, -132_050_000.0]) == ["23.0億円", "−1.3億円"]
    assert ja.sums([4_500_000_000.0, 1e7]) == ["45.0億円", "0.1億円"]
    assert Formats("ja", "USD").sums([138_000.0, 0.0]) == ["13.8万ドル", "0ドル"]
    assert Formats("en", "KWD").sums([138_000.0]) == ["KWD\u00a0138.0k"]


def test_dates_can_be_read_one_way_only():
    moment = datetime(2025, 6, 3, 9, 5, tzinfo=ZoneInfo("Asia/Tokyo"))
    en, ja = Formats("en"), Formats("ja")
    assert (en.date(moment), ja.date(moment)) == ("3 June 2025", "2025年6月3日")
    assert (en.short_date(moment), ja.short_date(moment)) == ("3 Jun", "6/3")
    assert (en.month(moment), ja.month(moment)) == ("Jun 2025", "2025年6月")
    assert (en.moment(moment), ja.moment(moment)) == ("3 June 2025, 09:05 (JST)", "2025年6月3日 09:05（JST）")
    midnight = moment.replace(month=1, day=1, hour=0, minute=0)
    assert (en.day_before(midnight), ja.day_before(midnight)) == ("31 December 2024", "2024年12月31日")


def test_axes_tell_large_amounts_by_their_size():
    en, ja = Formats("en"), Formats("ja")
    assert [en.amount_tick(v) for v in (-2.5e6, 1e4, 950.5, 0.0)] == ["−2.5M", "10k", "950.5", "0"]
    assert [ja.amount_tick(v) for v in (2.5e8, -75e6, 1e4, 500.0)] == ["2.5億", "−7,500万", "1万", "500"]
    assert (en.share_tick(-0.25), ja.share_tick(0.1)) == ("−25\u00a0%", "10%")
    assert plain_tick(-0.1 * 3) == "−0.3"


def test_currencies_beside_an_axis():
    assert [Formats("en", c).coin for c in ("JPY", "USD")] == ["JPY", "USD"]
    assert [Formats("ja", c).coin for c in ("JPY", "USD", "EUR")] == ["円", "ドル", "ユーロ"]
