"""Contract: a rhythm of billing is as many months as its words say, or it is not understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.guess.periods import months_of

SPOKEN = {
    1: ["month", "Monthly", "MONTHLY", "per month", "every month", "1 month", "P1M", "月", "月払い", "毎月", "月額", "1ヶ月", "1か月ごと"],
    3: ["quarter", "Quarterly", "3 months", "every 3 months", "three months", "P3M", "四半期", "3ヶ月", "３カ月"],
    6: ["half-yearly", "Semi-Annual", "semiannually", "6 months", "半年", "半年払い", "６か月"],
    12: ["year", "Yearly", "annual", "Annually", "12 months", "1 year", "P1Y", "年", "年払い", "年額", "年一括", "1年", "12ヶ月"],
    24: ["biennial", "2 years", "every 2 years", "2年", "24 months"],
    36: ["3 years", "triennial", "3年"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "months"), [(text, months) for months, texts in SPOKEN.items() for text in texts]
)
def test_words_of_rhythm(text, months):
    assert months_of(text) == months


@pytest.mark.parametrize(
    "text",
    ["weekly", "daily", "one-time", "", "bank transfer", "銀行振込", "0 months", "every 2 weeks", "net 30"],
)
def test_what_is_no_whole_number_of_months_is_not_understood(text):
    assert months_of(text) is None


@given(st.integers(1, 60), st.sampled_from(["{} months", "every {} months", "{}ヶ月", "P{}M"]))
def test_a_counted_rhythm_is_its_count(months, form):
    assert months_of(form.format(months)) == months
