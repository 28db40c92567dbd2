"""One kit makes all pages: each stands alone, is well-formed and described, and has the one style sheet."""

import re

import pytest

from evaluation.reports.card.page import render_card
from evaluation.reports.pages import PageTable
from features.language import LANGUAGES
from tests.evaluation.cards import churn_card, ltv_card
from tests.evaluation.reading import Page, text_of


@pytest.fixture(scope="module")
def everything(pages, comparisons):
    cards = [render_card(card, lang) for card in (ltv_card(300), churn_card(300)) for lang in LANGUAGES]
    return [*pages.values(), *comparisons.values(), *cards]


def test_every_page_stands_alone_is_small_and_well_formed(everything):
    for html in everything:
        parsed = Page(html)
        assert len(html.encode()) < 500_000
        assert not re.search(r"https?:|//[a-z]|<script|<link|<img|@import|url\(|javascript:| on[a-z]+=", html)
        assert (parsed.open, parsed.wrong) == ([], [])
        assert "Undefined" not in html
        assert not re.search(r"\bnan\b|\binf\b|\bNone\b", text_of(html))
        ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
        assert len(ids) == len(set(ids))


def test_every_picture_is_described_and_every_table_has_headers(everything):
    for html in everything:
        for tag, attrs in Page(html).tags:
            assert tag != "svg" or (attrs["role"] == "img" and len(attrs["aria-label"]) > 20)
        for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
            assert 'scope="col"' in table
            assert 'scope="row"' in table


def test_all_pages_have_one_style_sheet(everything):
    sheets = {re.search(r"<style>.*?</style>", html, re.DOTALL).group() for html in everything}
    assert len(sheets) == 1


def test_wide_tables_are_lists_on_a_telephone_unless_told():
    assert not PageTable("c", "abc", []).stacked
    assert PageTable("c", "abcd", []).stacked
    assert not PageTable("c", "abcd", [], short=True).stacked
    assert not PageTable("c", "abcd", [], stack=False).stacked
    assert PageTable("c", "abc", [], stack=True).stacked
