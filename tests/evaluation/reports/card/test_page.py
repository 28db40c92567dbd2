"""The model card says no more than its intervals carry, in two languages, on one page without network."""

import re
import string
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from evaluation.estimate import Comparison, Estimate
from evaluation.reports.card.page import render_card
from evaluation.reports.card.verdict import answer, verdict
from evaluation.reports.words import NOTHING, Words, digits_for, texts
from features.catalogue.phrases import phrases
from features.language import LANGUAGES
from tests.evaluation.cards import HOSTILE, churn_card, ltv_card

NAN = float("nan")
CARDS = {"ltv": ltv_card(), "churn": churn_card()}
SECTIONS = (
    "verdict.title", "facts.title", "candidates.title", "calibration.title", "segments.title",
    "importance.title", "champion.title", "methods.title", "limits.title", "prints.title",
)  # fmt: skip
VOID = {"meta", "br", "link", "img", "hr"}


class Page(HTMLParser):
    """Collects the text, and what stands open at the end or closes what is not open."""

    def __init__(self, html):
        super().__init__()
        self.open, self.wrong, self.said, self.tags = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.said.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.said))


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


def test_languages_have_the_same_texts_with_the_same_fields():
    english, japanese = (texts(lang) for lang in LANGUAGES)
    assert english.keys() == japanese.keys()

    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key in english.keys() - {"format.date"}:
        assert fields(english[key]) == fields(japanese[key]), key


def test_features_read_as_words_and_an_unknown_one_by_its_name(page):
    card, w, _, parsed = page
    said = phrases(card.features, w.language)
    for name, _ in card.importance:
        assert (said[name].title if name in said else name) in parsed.text


def test_the_step_of_the_horizons_reads_as_words():
    card = replace(CARDS["churn"], importance=[("interval", 1.0)])
    assert "Which step of the horizons" in Page(render_card(card)).text
    assert "予測期間の区切り" in Page(render_card(card, "ja")).text


def compared(low, high, a=0.7, b=0.6):
    return Comparison(a, b, Estimate((low + high) / 2, low, high), 0.5)


def test_proven_needs_an_interval_without_zero_on_the_right_side():
    assert answer("normalised_gini", compared(0.01, 0.2)) == "better"
    assert answer("normalised_gini", compared(0.0, 0.2)) == "unproven"
    assert answer("normalised_gini", compared(-0.2, -0.1)) == "worse"
    assert answer("log_loss", compared(-0.2, -0.1)) == "better"
    assert answer("log_loss", compared(0.1, 0.2)) == "worse"
    assert answer("log_loss", compared(NAN, NAN)) == "unproven"


def said(card, lang="en"):
    found = verdict(card, Words(lang, card.currency))
    return found.tone, found.sentences


def test_verdict_names_the_strongest_baseline_when_proven():
    card = CARDS["ltv"]
    tone, sentences = said(card)
    assert tone == "proven"
    best = max(("bgnbd", "last_period"), key=lambda kind: card.metrics[kind]["normalised_gini"].value)
    assert Words("en").kind(best) in sentences[0]
    assert f"{card.metrics['two_part']['normalised_gini'].value:.3f}" in sentences[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_verdict_is_open_and_names_the_simple_model_when_no_difference_is_proven(lang):
    card = CARDS["ltv"]
    tied = replace(card, comparisons=card.comparisons | {"last_period": compared(-0.01, 0.05)})
    tone, sentences = said(tied, lang)
    assert tone == "unproven"
    assert sentences[0].count(Words(lang).kind("last_period")) == 2
    assert "0.050" in sentences[0]


def test_verdict_says_use_the_simple_one_when_it_is_best():
    card = CARDS["churn"]
    simple = replace(card, chosen="base_rate", comparisons={"hazard": compared(-0.02, 0.01)})
    tone, sentences = said(simple)
    assert tone == "baseline"
    assert "Use the simple one" in sentences[0]
    assert said(replace(simple, comparisons={}))[0] == "baseline"


def test_verdict_without_a_baseline_claims_nothing():
    assert said(replace(CARDS["ltv"], comparisons={}))[0] == "alone"


def test_verdict_mentions_a_simpler_sibling_it_cannot_be_told_from():
    card = CARDS["ltv"]
    tweedie = {"tweedie": compared(-0.01, 0.02)}
    siblings = replace(card, comparisons=card.comparisons | tweedie)
    tone, sentences = said(siblings)
    assert tone == "proven"
    assert "Tweedie" in sentences[1]


def test_verdict_warns_of_a_ranking_that_may_be_chance_and_of_a_biased_total():
    card = CARDS["ltv"]
    chance = {"normalised_gini": Estimate(0.05, -0.02, 0.12)}
    weak = replace(card, metrics=card.metrics | {"two_part": card.metrics["two_part"] | chance})
    assert any("not proven to rank better than chance" in text for text in said(weak)[1])
    double = {kind: 2 * p for kind, p in card.predictions.items()}
    assert "promises too much" in said(replace(card, predictions=double))[1][-1]
    half = {kind: p / 2 for kind, p in card.predictions.items()}
    assert "promises too little" in said(replace(card, predictions=half))[1][-1]


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


def test_money_reads_as_its_currency_does():
    yen = 1234567.8
    assert Words("en", "JPY").money(yen) == "¥1,234,568"
    assert Words("ja", "JPY").money(-yen) == "−1,234,568円"
    assert Words("ja", "USD").money(1234.5) == "$1,234.50"
    assert Words("en", "SEK", whole=True).money(yen) == "SEK 1,234,568"
    assert Words("en", "EUR").money(-0.001) == "€0.00"
    assert Words("en").money(NAN) == Words("en").percent(None) == NOTHING


def test_numbers_keep_two_digits_of_their_interval():
    assert digits_for(0.1, 0.5) == 3
    assert digits_for(0.0001, 0.0331) == 4
    assert digits_for(-0.00021, -0.00015) == 6
    assert digits_for(NAN, NAN) == 3
    assert Words("en").number(-0.0001) == "0.000"
    assert Words("en").number(-1234.5, 1) == "−1,234.5"
