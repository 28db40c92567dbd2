"""A comparison of before and after cannot be taken for a cause."""

import re

import pytest

from evaluation.reports.readout.beforeafter import render_before_after
from features.language import LANGUAGES
from tests.evaluation import readouts
from tests.evaluation.reading import text_of, verdict_of, words


@pytest.mark.parametrize("lang", LANGUAGES)
def test_before_and_after_cannot_be_taken_for_a_cause(campaigns, comparisons, lang):
    w, html = words(lang, page="beforeafter"), comparisons[lang]
    text, mark = text_of(html), w("banner.mark")
    assert html.index(w("banner.title")) < html.index('id="sentence"')
    assert all(mark in heading for heading in re.findall(r"<h2.*?</h2>", html)[:-1])
    assert mark in re.search(r"<title>.*?</title>", html, re.DOTALL).group()
    assert w("verdict.caveat") in verdict_of(html)
    pictures = re.findall(r"<figure>.*?</figure>", html, re.DOTALL)
    assert all(w("banner.short") in each for each in pictures)
    for found in campaigns:
        assert w(f"kinds.{found.kind}") in text
        assert w.change("money", found.change.value) in text
        assert w.ends("money", found.change) in text
    assert w("season.beyond") in text
    assert w("season.years") in text


def test_a_comparison_without_a_year_before_says_so():
    html = render_before_after(readouts.campaign(years=1), "p", "USD", "UTC")
    assert words(page="beforeafter")("verdict.year_none") in verdict_of(html)
