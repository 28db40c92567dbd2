"""The sentence at the top of a readout says what its numbers carry."""

from dataclasses import replace

from evaluation.reports.readout.page import render_experiment
from evaluation.reports.readout.words import sign_of
from tests.evaluation.reading import text_of, verdict_of, words
from tests.evaluation.readouts import HOSTILE, about


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
        # Japanese tells each finding in a sentence of its own.
        assert lang == "ja" or ". " not in sentence
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


def test_a_gain_that_cost_more_than_it_brought_is_no_success(made):
    costly = [replace(back, roi=about(0.4, 0.2)) for back in made["gain"].returns]
    html = render_experiment(replace(made["gain"], returns=tuple(costly)), "ja")
    assert "限界利益は増えましたが、費用を下回りました" in text_of(html)
    assert '<section class="verdict open"' in html
    half = replace(made["gain"], returns=(costly[0], *made["gain"].returns[1:]))
    assert words("ja")("verdict.gain") in text_of(render_experiment(half, "ja"))
