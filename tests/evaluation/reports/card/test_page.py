"""The model card says no more than its intervals carry, in two languages, on one page without network."""

import re
from dataclasses import replace

import numpy as np
import pytest

from evaluation.estimate import Comparison, Estimate
from evaluation.reports.card.page import render_card
from evaluation.reports.numbers import NOTHING
from evaluation.reports.words import Words
from features.catalogue.phrases import phrases
from features.language import LANGUAGES
from tests.evaluation.cards import HOSTILE, churn_card, ltv_card
from tests.evaluation.reading import Page

NAN = float("nan")
CARDS = {"ltv": ltv_card(), "churn": churn_card()}
SECTIONS = (
    "verdict.title", "facts.title", "candidates.title", "calibration.title", "segments.title",
    "importance.title", "champion.title", "methods.title", "limits.title", "prints.title",
)  # fmt: skip


@pytest.fixture(scope="module", params=[(task, lang) for task in CARDS for lang in LANGUAGES])
def page(request):
    task, lang = request.param
    html = render_card(CARDS[task], lang)
    return CARDS[task], Words(lang, "JPY", whole=True), html, Page(html)


def test_page_stands_alone(page):
    _, _, html, parsed = page
    assert len(html.encode()) < 1_000_000
    assert not re.search(r"https?:|//[a-z]|<script|<link|<img|@import|url\(|javascript:| on[a-z]+=", html)
    assert (parsed.open, parsed.wrong) == ([], [])


def test_page_has_every_section_and_its_language(page):
    card, w, _, parsed = page
    assert ("html", {"lang": w.language}) in parsed.tags
    sections = (*SECTIONS, f"{card.task}.gain_title", *(["interval.title"] if card.interval else []))
    for key in sections:
        assert w(key) in parsed.text
    assert "Undefined" not in parsed.text
    assert not re.search(r"\bnan\b|\bNone\b", parsed.text)


def test_every_picture_is_described_and_every_table_has_headers(page):
    card, _, html, parsed = page
    pictures = [attrs for tag, attrs in parsed.tags if tag == "svg"]
    assert len(pictures) == (3 if card.task == "ltv" else 4)
    assert all(attrs["role"] == "img" and len(attrs["aria-label"]) > 30 for attrs in pictures)
    for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
        assert 'scope="col"' in table
        assert 'scope="row"' in table
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_hostile_labels_are_shown_and_never_run(page):
    _, _, html, parsed = page
    assert HOSTILE not in html
    assert HOSTILE in parsed.text
    assert "Parts & Co <b>" in parsed.text


def test_candidates_and_fingerprints_are_named(page):
    card, w, _, parsed = page
    for kind in card.predictions:
        assert w.kind(kind) in parsed.text
    assert card.features.fingerprint in parsed.text
    assert card.data_fingerprint in parsed.text
    assert f"{len(card.actual):,}" in parsed.text


def test_features_read_as_words_and_an_unknown_one_by_its_name(page):
    card, w, _, parsed = page
    said = phrases(card.features, w.language)
    for name, _ in card.importance:
        assert (said[name].title if name in said else name) in parsed.text


def test_the_step_of_the_horizons_reads_as_words():
    card = replace(CARDS["churn"], importance=[("interval", 1.0)])
    assert "Which step of the horizons" in Page(render_card(card)).text
    assert "予測期間の区切り" in Page(render_card(card, "ja")).text


def test_missing_numbers_are_dashes():
    card = CARDS["ltv"]
    unknown = Estimate(NAN, NAN, NAN)
    holes = replace(
        card,
        actual=np.zeros_like(card.actual),
        metrics={kind: dict.fromkeys(found, unknown) for kind, found in card.metrics.items()},
        comparisons=dict.fromkeys(card.comparisons, Comparison(NAN, NAN, unknown, NAN)),
        segments={},
        importance=[],
        interval=None,
        refused={"tweedie": "no <money>"},
    )
    for lang in LANGUAGES:
        parsed = Page(render_card(holes, lang))
        w = Words(lang)
        assert NOTHING in parsed.text
        assert not re.search(r"\bnan\b|\binf\b", parsed.text)
        assert w("ltv.total_none") in parsed.text
        assert w("segments.none") in parsed.text
        assert w("importance.title") not in parsed.text
        assert "no <money>" in parsed.text


def test_champion_is_compared_or_said_to_be_silent():
    card = CARDS["ltv"]
    w = Words("en")
    assert "This training is better, proven" in Page(render_card(card)).text
    small = {"segments": {}, "interval": None}
    same = replace(card, champion_prediction=card.prediction, **small)
    assert "Neither is proven better" in Page(render_card(same)).text
    silent = replace(card, champion_prediction=None, **small)
    assert w("champion.silent", number=3) in Page(render_card(silent)).text
