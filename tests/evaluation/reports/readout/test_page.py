"""An experiment's report stands alone, and shows the numbers of its JSON and nothing where they carry nothing."""

import re
from dataclasses import replace

import pytest

from evaluation.estimate import Estimate
from evaluation.reports.readout.page import render_experiment
from evaluation.reports.words import texts
from features.language import LANGUAGES
from tests.evaluation import readouts
from tests.evaluation.reading import text_of, verdict_of, words
from tests.evaluation.readouts import HOSTILE, about

FINDINGS = ("effects", "returns", "segments", "course", "uplift", "numbers")


def test_names_of_arms_are_shown_and_never_run(pages):
    for html in pages.values():
        assert "<b>&" not in html
        assert "<b>& {call}" not in html
        assert HOSTILE in text_of(html)
        assert "Parts & Co <b>" in text_of(html)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_broken_sample_ratio_gets_no_verdict_and_shows_no_finding(made, pages, lang):
    w, html = words(lang), pages["blocked", lang]
    text = text_of(html)
    assert w("verdict.blocked") in text
    assert "2,402" in verdict_of(html)
    assert w("ratio.hidden") in text
    assert w("ratio.mend_plan") in text
    for section in FINDINGS:
        assert w(f"{section}.title") not in text
    for each in made["blocked"].effects:
        assert w.change("money", each.best.absolute.value) not in text or each.measure != "margin"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_observational_findings_are_marked_wherever_something_is_concluded(pages, lang):
    w, html = words(lang, observational=True), pages["observational", lang]
    text = text_of(html)
    assert html.index(w("mark.banner")) < html.index('id="verdict"')
    for section in FINDINGS:
        assert w(f"{section}.title") + w("mark.observational") in text
    assert w("verdict.chance_last_seen") in verdict_of(html)
    assert w("finding.up") not in text
    assert w("ratio.chosen") in text


def test_effects_on_the_page_are_those_of_the_json(made, pages):
    units = {each.name: each.unit for each in made["gain"].measures} | {"ltv": "money"}
    for lang in LANGUAGES:
        w, text = words(lang), text_of(pages["gain", lang])
        for each in made["gain"].to_dict()["effects"]:
            unit = units[each["measure"]]
            assert w.p(each["p"]) in text
            for found in (each["plain"], each["adjusted"]):
                absolute, relative = found["absolute"], found["relative"]
                assert w.change(unit, absolute["value"]) in text
                assert w.ends(unit, Estimate(**absolute)) in text
                assert w.percent(relative["value"]) in text
                assert w.span(w.percent(relative["low"]), w.percent(relative["high"])) in text
            assert w.amount(unit, each["adjusted"]["control"]) in text
            assert w.amount(unit, each["adjusted"]["treated"]) in text
            assert f"{each['adjusted']['n_treated']:,} / {each['adjusted']['n_control']:,}" in text


def test_terms_follow_each_other_from_clicks_to_lifetime_value(pages):
    for lang in LANGUAGES:
        w, html = words(lang), pages["gain", lang]
        order = [html.index(f"<h4>{w.measure(name)}") for name in ("clicked", "orders", "margin", "ltv")]
        assert order == sorted(order)
        assert w("methods.surrogacy") in text_of(html)
        assert w("effects.no_long") in text_of(pages["unproven", lang])


def test_returns_need_a_cost_and_a_large_one_of_an_open_effect_is_not_shown_off(made, pages):
    text = text_of(pages["gain", "en"])
    assert "¥8.37" in text
    assert words()("returns.pays") in text
    free = text_of(pages["unproven", "en"])
    assert "[uplift.costs]" in free
    assert "cross-sell = 1000" in free
    huge = [
        replace(each, roi=about(20.66, 36.0)) if each.arm == HOSTILE else each
        for each in made["gain"].returns
    ]
    box = re.search(
        r'<section class="verdict.*?</section>',
        render_experiment(replace(made["gain"], returns=tuple(huge))),
        re.DOTALL,
    )
    assert "¥20.66" not in box.group()
    assert words()("returns.open") in box.group()


def test_segments_are_drawn_only_where_they_differ(pages):
    for lang in LANGUAGES:
        w, text = words(lang), text_of(pages["gain", lang])
        value = w.dimension("value")
        assert w("segments.differ", arm="cross-sell", dimension=value, p=w.p_is(0.0012)) in text
        assert w("segments.same", dimension=value, arms="upsell") in text
        assert w.segment("value", "high") in text
        assert "retail & <b>" not in text
        assert w("segments.none") in text_of(pages["unproven", lang])


def test_daily_looks_say_from_when_on_it_was_known(pages):
    text = text_of(pages["gain", "en"])
    assert "Above 0 from 13 October 2024 on." in text
    assert "Never clear of 0." in text
    assert words()("course.looks_early") in text_of(pages["odd", "en"])
    assert words()("course.looks") not in text_of(pages["unproven", "en"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_warning_is_told_with_its_facts(made, pages, lang):
    w, text = words(lang), text_of(pages["odd", lang])
    for each in made["odd"].warnings[:-1]:
        assert f"warnings.{each.code}" in texts(lang, "experiment")
        assert f"{each.count:,}" in text
    assert "C-<1>" in text
    assert w.measure("order_value") in text
    assert "something <odd> that has no words yet" in text
    assert w("ratio.unknown") in text
    reason = "<i>record it</i>" if lang == "en" else texts(lang, "experiment")["reasons.absent"]
    assert reason in text
    assert w("verdict.unread_last", arms=w.enumerated([HOSTILE, "pilot"])) in verdict_of(pages["odd", lang])


def test_methods_name_bounds_adjustments_and_zone(pages):
    text = text_of(pages["gain", "en"])
    for said in (
        "¥16,189,759",
        "Holm",
        "Benjamini",
        "cross-fitted",
        "Asia/Tokyo",
        "31 December 2025",
        "Welch's t",
    ):
        assert said in text


def test_the_course_says_how_far_apart_its_points_are(pages):
    assert "worked out about every 73 days" in text_of(pages["gain", "en"])
    assert "およそ73日ごと" in text_of(pages["gain", "ja"])


def test_one_is_not_told_in_the_plural(made):
    alone = replace(
        made["odd"], warnings=(replace(readouts.WARNINGS[5], count=1),), sizes={**readouts.SIZES, "pilot": 1}
    )
    text = text_of(render_experiment(alone))
    assert "pilot has 1 customer;" in text
    assert "pilot: 1 customer" in text
    assert not re.search(r"\b1 customers", text)
    assert words(page="beforeafter").counted("month", 1) == "month"
    assert words(page="beforeafter").counted("month", 6) == "6 months"
