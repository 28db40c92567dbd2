"""A readout says whom to treat only where choosing is proven, and what that is worth."""

import re
from dataclasses import replace

import numpy as np
import pytest

from evaluation.estimate import Estimate
from evaluation.experiments.targeting import Ahead
from evaluation.reports.readout.page import render_experiment
from features.language import LANGUAGES
from tests.evaluation.reading import text_of, words


def test_uplift_says_whether_choosing_is_proven_and_gives_a_rule_only_then(pages):
    for lang in LANGUAGES:
        w, proven, open_ = words(lang), text_of(pages["gain", lang]), text_of(pages["odd", lang])
        assert w("uplift.proven", learner="DR-learner", p=w.p_is(0.004)) in proven
        assert w("uplift.rules_lead") in proven
        assert w("uplift.unproven", learner="DR-learner", p=w.p_is(0.57)) in open_
        assert w("uplift.rules_lead") not in open_
        assert w("uplift.budget_flat") in open_
        none = text_of(pages["unproven", lang])
        assert "tokui train uplift --experiment recommendations-2024" in none


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_best_single_arm_is_named_at_every_budget(made, pages, lang):
    w = words(lang)
    assert w("uplift.constant_arm", arm="cross-sell") in text_of(pages["gain", lang])
    reading = made["gain"].uplift
    best = np.repeat([-1, 0, 1], [1, 10, 10])
    gain = replace(reading.gain, best=best)
    text = text_of(render_experiment(replace(made["gain"], uplift=replace(reading, gain=gain)), lang))
    # With nothing to spend none is best; from the 11th of 20 steps to 24 million on another one is.
    money = "¥13.2M" if lang == "en" else "1,320万円"
    single = w.joined(["cross-sell", w("uplift.single_from", arm="upsell", money=money)])
    assert single in text
    assert w("uplift.constant") in text


def test_choosing_is_held_against_the_best_single_arm(made, pages):
    reading = made["gain"].uplift
    assert "more on these customers than cross-sell for everyone: by ¥11.2M to ¥69.4M (" in text_of(
        pages["gain", "en"]
    )

    def text(**changes):
        return text_of(render_experiment(replace(made["gain"], uplift=replace(reading, **changes))))

    def moved(shift):
        gap = reading.ahead.gain
        return Ahead("upsell", Estimate(gap.value + shift, gap.low + shift, gap.high + shift))

    assert "less on these customers than upsell for everyone" in text(ahead=moved(-9_000.0))
    assert "cannot be told apart" in text(ahead=moved(-3_000.0))
    assert "for everyone cannot" not in text(ahead=None)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_a_curve_it_says_whether_costs_are_missing_or_too_high(made, lang):
    w, reading = words(lang), made["gain"].uplift
    gain = replace(reading.gain, policy=replace(reading.gain.policy, at=np.zeros(21)))

    def text(costs):
        uplift = replace(reading, gain=gain, costs=costs)
        return text_of(render_experiment(replace(made["gain"], uplift=uplift), lang))

    assert w("uplift.budget_loss") in text({"upsell": 9_000.0, "cross-sell": 0.0})
    assert w("uplift.budget_flat") in text({"upsell": 0.0})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_measures_a_ranking_is_explained_before_it_is_shown(made, pages, lang):
    w, text = words(lang), text_of(pages["gain", lang])
    treat = text[text.index(w("uplift.title")) :]
    assert treat.index(w("uplift.qini_about")) < treat.index(w("uplift.qini_of", currency=w.coin))
    assert treat.index(w("uplift.autoc_about")) < treat.index(w("uplift.arms", learner="DR-learner"))
    assert treat.index(w("uplift.curves_lead", level=w.sure)) < treat.index(
        w("uplift.toc_curve", arm="upsell")
    )
    alone = text_of(
        render_experiment(replace(made["gain"], uplift=replace(made["gain"].uplift, learners={})), lang)
    )
    assert w("uplift.qini_about") in alone


def test_tables_of_sums_are_of_one_size(pages):
    found = re.findall(r"<table.*?</table>", pages["gain", "en"], re.DOTALL)
    tables = [text_of(each) for each in found]
    [budgets] = [each for each in tables if "Gain less cost by budget" in each]
    [rules] = [each for each in tables if words()("uplift.rules_lead") in each]
    for table in (budgets, rules):
        sums = re.findall(r"¥([\d.]+)([kMB])", table)
        assert len(sums) > 5
        assert {letter for _, letter in sums} == {"M"}
        assert {len(number.partition(".")[2]) for number, _ in sums} == {1}
