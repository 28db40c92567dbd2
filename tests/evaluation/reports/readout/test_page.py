"""An experiment's report says in one sentence what its numbers carry, and nothing where they carry nothing."""

import re
import string
from dataclasses import replace

import numpy as np
import pytest

from evaluation.effects.effect import Effect
from evaluation.estimate import Estimate
from evaluation.experiments.targeting import Ahead
from evaluation.reports.charts import Axis, Line, Mark, forest, lines
from evaluation.reports.readout.page import render_before_after, render_experiment
from evaluation.reports.readout.words import ReadoutWords, sign_of
from evaluation.reports.words import texts
from features.language import LANGUAGES
from tests.evaluation import readouts
from tests.evaluation.readouts import HOSTILE, about
from tests.evaluation.reports.card.test_page import Page

KINDS = ("gain", "mixed", "unproven", "blocked", "observational", "odd")
FINDINGS = ("effects", "returns", "segments", "course", "uplift", "numbers")


@pytest.fixture(scope="session")
def made():
    return {kind: getattr(readouts, kind)() for kind in KINDS}


@pytest.fixture(scope="session")
def pages(made):
    """Every kind of readout in every language, drawn once."""
    return {(kind, lang): render_experiment(made[kind], lang) for kind in KINDS for lang in LANGUAGES}


@pytest.fixture(scope="session")
def campaigns():
    found = [readouts.campaign(kind) for kind in ("week", "day", "month")]
    return [*found, readouts.campaign("year", 6, 800)]


@pytest.fixture(scope="session")
def comparisons(campaigns):
    return {
        lang: render_before_after(campaigns, "Parts & Co <b>", "JPY", "Asia/Tokyo", lang)
        for lang in LANGUAGES
    }


def text_of(html):
    """What a reader sees; spaces that must not break are kept."""
    return re.sub(r"[ \n]+", " ", " ".join(Page(html).said))


def verdict_of(html):
    return text_of(re.search(r'<p class="first" id="sentence">.*?</p>', html).group()).strip()


def words(lang="en", **rest):
    return ReadoutWords(lang, "JPY", whole=True, **rest)


def test_every_page_stands_alone_is_small_and_well_formed(pages, comparisons):
    for html in (*pages.values(), *comparisons.values()):
        parsed = Page(html)
        assert len(html.encode()) < 500_000
        assert not re.search(r"https?:|//[a-z]|<script|<link|<img|@import|url\(|javascript:| on[a-z]+=", html)
        assert (parsed.open, parsed.wrong) == ([], [])
        assert "Undefined" not in html
        assert not re.search(r"\bnan\b|\binf\b|\bNone\b", text_of(html))
        ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
        assert len(ids) == len(set(ids))


def test_every_picture_is_described_and_every_table_has_headers(pages, comparisons):
    for html in (*pages.values(), *comparisons.values()):
        for tag, attrs in Page(html).tags:
            assert tag != "svg" or (attrs["role"] == "img" and len(attrs["aria-label"]) > 20)
        for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
            assert 'scope="col"' in table
            assert 'scope="row"' in table


def test_names_of_arms_are_shown_and_never_run(pages):
    for html in pages.values():
        assert "<b>&" not in html
        assert "<b>& {call}" not in html
        assert HOSTILE in text_of(html)
        assert "Parts & Co <b>" in text_of(html)


@pytest.mark.parametrize("name", ["experiment", "beforeafter"])
def test_languages_have_the_same_texts_with_the_same_fields(name):
    english, japanese = (texts(lang, name) for lang in LANGUAGES)
    assert english.keys() == japanese.keys()

    def fields(text):
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    for key in english:
        assert fields(english[key]) == fields(japanese[key]), key


def test_verdict_is_one_sentence_in_money_with_interval_and_horizon(pages):
    said = verdict_of(pages["gain", "en"])
    assert said == (
        "cross-sell raised margin by ¥31,397 per account in 365 days (95\u00a0% interval ¥17,995 to ¥44,800) and "
        f"upsell by ¥29,707 (¥17,195 to ¥42,220); for {HOSTILE} nothing is proven."
    )
    japanese = verdict_of(pages["gain", "ja"])
    assert "1社あたり31,397円" in japanese
    assert "17,995円〜44,800円" in japanese
    for (_, lang), html in pages.items():
        sentence = verdict_of(html)
        assert sentence.count("。" if lang == "ja" else ". ") == (lang == "ja")
        assert sentence.endswith("。" if lang == "ja" else ".")


def test_a_loss_is_told_as_a_loss(pages):
    said = verdict_of(pages["mixed", "en"])
    assert "cross-sell raised margin by ¥31,397" in said
    assert "upsell lowered margin by ¥21,250 per account" in said
    assert "interval of the loss ¥13,130 to ¥29,371" in said
    assert "減らし" in verdict_of(pages["mixed", "ja"])


def test_an_interval_clear_of_0_is_no_proof_among_several_arms(made, pages):
    near = made["unproven"].effect("cross-sell", "margin")
    assert near.best.absolute.low > 0
    assert sign_of(near, 0.95) == "open"
    said = verdict_of(pages["unproven", "en"])
    assert said.startswith("No arm is proven to change margin per account in 365 days")
    assert "cross-sell ¥760 to ¥29,240" in said
    assert "clear of 0 by itself, but not once all 3 arms are counted" in said
    assert words()("finding.counted") in text_of(pages["unproven", "en"])
    assert words().finding("up") not in text_of(pages["unproven", "en"])


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
def test_every_warning_is_told_with_its_facts(made, pages, lang):
    w, text = words(lang), text_of(pages["odd", lang])
    for each in made["odd"].warnings[:-1]:
        assert f"warnings.{each.code}" in texts(lang, "experiment")
        assert f"{each.count:,}" in text
    assert "C-<1>" in text
    assert w.measure("order_value") in text
    assert "something <odd> that has no words yet" in text
    assert w("ratio.unknown") in text
    assert "<i>record it</i>" in text
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


def test_charts_bear_numbers_that_are_not_there():
    axis = Axis("x", str)
    unknown = about(np.nan, np.nan)
    drawn = forest([Mark("a", unknown), Mark("b" * 40, about(0.0, 0.0))], "t", "d", axis)
    assert "nan" not in drawn
    assert "…" in drawn
    flat = lines(
        [Line("a", np.zeros(1), np.zeros(1), np.array([-np.inf]), np.array([np.inf]))], "t", "d", axis, axis
    )
    assert not re.search(r"\bnan\b|\binf\b", flat)


def test_a_relative_effect_that_is_not_known_is_a_dash():
    w = words()
    nan = float("nan")
    found = Effect(1.0, -1.0, about(2.0, 1.0), about(nan, nan), 0.01, 0.5, 40, 40, "Welch t")
    assert w.relative(found.relative) == ("–", "–")
    assert w.change("share", 0.0181) == "+1.8 pts"
    assert w.change("money", 0.2) == "¥0"


def test_sums_of_a_column_are_of_one_size_and_one_number_of_decimals():
    w, ja = words(), words("ja")
    assert w.sums([129_912_000.0, -310_222.0, 9_300_000.0]) == ["¥129.9M", "−¥0.3M", "¥9.3M"]
    assert w.sums([9_300_000.0, 310_222.0, 0.0, 400.0]) == ["¥9.30M", "¥0.31M", "¥0", "¥0.00M"]
    assert w.sums([24_000_000_000.0, np.nan]) == ["¥24.0B", "–"]
    assert w.sums([310.0, -20.4]) == ["¥310", "−¥20"]
    assert w.sums([]) == []
    assert ja.sums([229_620_000.0, -13_205_000.0]) == ["22,962万円", "−1,320万円"]
    assert ja.sums([2_296_200_000.0, -132_050_000.0]) == ["23.0億円", "−1.3億円"]
    assert ja.sums([4_500_000_000.0, 1e7]) == ["45.0億円", "0.1億円"]
    assert w.totals([about(2e6, 1e6), about(-5e4, 2e3)]) == [
        ("+¥2.00M", "¥1.00M to ¥3.00M"),
        ("−¥0.05M", "−¥0.05M to −¥0.05M"),
    ]
    assert w.sums([5e6, -400.0]) == ["¥5.00M", "¥0.00M"]


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
