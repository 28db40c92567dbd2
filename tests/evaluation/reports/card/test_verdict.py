"""A card's verdict says no more than its intervals carry."""

from dataclasses import replace

import pytest

from evaluation.estimate import Comparison, Estimate
from evaluation.reports.card.data import CardPage
from evaluation.reports.card.verdict import card_verdict, proof
from evaluation.reports.words import Words
from features.language import LANGUAGES
from tests.evaluation.cards import churn_card, ltv_card

NAN = float("nan")
CARDS = {"ltv": ltv_card(), "churn": churn_card()}


def compared(low, high, a=0.7, b=0.6):
    return Comparison(a, b, Estimate((low + high) / 2, low, high), 0.5)


def test_proven_needs_an_interval_without_zero_on_the_right_side():
    assert proof("normalised_gini", compared(0.01, 0.2)) == "better"
    assert proof("normalised_gini", compared(0.0, 0.2)) == "unproven"
    assert proof("normalised_gini", compared(-0.2, -0.1)) == "worse"
    assert proof("log_loss", compared(-0.2, -0.1)) == "better"
    assert proof("log_loss", compared(0.1, 0.2)) == "worse"
    assert proof("log_loss", compared(NAN, NAN)) == "unproven"


def said(card, lang="en"):
    found = card_verdict(CardPage(card, Words(lang, card.currency)))
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
