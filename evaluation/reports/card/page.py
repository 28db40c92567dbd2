"""The model card: one HTML page that says what a training comparison, how sure that is, and what it is not."""

import numpy as np

from evaluation.reports.card.data import CardData, CardPage, IntervalData
from evaluation.reports.card.pictures import calibration_pictures, gain_picture, interval_part
from evaluation.reports.card.tables import (
    candidate_metrics,
    differences,
    feature_rows,
    segment_lead,
    segment_table,
)
from evaluation.reports.card.verdict import card_verdict, champion_comparison, proof
from evaluation.reports.numbers import digits_for
from evaluation.reports.pages import rendered
from evaluation.reports.words import Words, output_days
from features.language import Language

__all__ = ["CardData", "IntervalData", "render_card"]


def render_card(card: CardData, lang: Language = "en") -> str:
    """The card as one HTML page that needs no network and no script.

    Args:
        card: One training.
        lang: ``en`` or ``ja``.
    """
    # Cents are noise once a customer is worth thousands.
    words = Words(lang, card.currency, whole=bool(np.abs(card.actual).mean() >= 1000))
    page = CardPage(card, words)
    return rendered(
        "card.html",
        words,
        card=card,
        trained=words.moment(card.trained_at),
        verdict=card_verdict(page),
        facts=_facts(page),
        kinds=page.kinds,
        metrics=candidate_metrics(page),
        differences=differences(page),
        refused=[(words.kind(kind), *words.reason(why)) for kind, why in card.refused.items()],
        gains=[gain_picture(page, k) for k in range(len(card.outputs))],
        calibrations=calibration_pictures(page),
        interval=None if card.interval is None else interval_part(page, card.interval),
        segments=[segment_table(page, name) for name in card.segments],
        segment_lead=segment_lead(page),
        importance=feature_rows(page),
        champion=_champion(page),
        methods=_methods(page),
        limits=[words(f"{card.task}.limit_{which}") for which in ("own", "task")]
        + [words(f"limits.{which}") for which in ("one", "choice", "many", "new")],
    )


def _facts(page: CardPage) -> list[tuple[str, str]]:
    card, w = page.card, page.words
    y = card.actual
    if card.task == "ltv":
        what = w("ltv.what", days=card.span_days)
        mean, share = w.money(float(y.mean())), w.percent(float((y > 0).mean()))
        happened = w("ltv.happened", mean=mean, share=share)
    else:
        horizons = w.joined([str(output_days(output)) for output in card.outputs])
        silence = card.span_days - output_days(card.outputs[-1])
        what = w("churn.what", horizons=horizons, days=card.span_days, silence=silence)
        shares = [
            f"{w.horizon(output)} {w.percent(float(y[:, k].mean()))}" for k, output in enumerate(card.outputs)
        ]
        happened = w("churn.happened", shares=w.joined(shares))
    judged = w(
        f"{card.task}.judged",
        customers=w.number(len(y), 0),
        judged=w.date(card.judged_at),
        days=card.span_days,
    )
    data = w(
        "facts.data_until",
        until=w.day_before(card.data_until),
        features=w.number(len(card.features.names), 0),
    )
    said = (what, data, judged, happened, w.kind(card.chosen))
    return [
        (w(f"facts.{key}"), text)
        for key, text in zip(("what", "data", "judged", "happened", "chosen"), said, strict=True)
    ]


def _champion(page: CardPage) -> list[str]:
    card, w = page.card, page.words
    if card.champion is None:
        return [w("champion.none")]
    comparison = champion_comparison(card)
    if comparison is None:
        return [w("champion.silent", number=card.champion)]
    digits = digits_for(comparison.difference.low, comparison.difference.high)
    return [
        w("champion.lead", number=card.champion),
        w(
            f"champion.{proof(card.metric, comparison)}",
            metric=w.metric(card.metric),
            a=w.number(comparison.a, digits),
            b=w.number(comparison.b, digits),
            difference=w.number(comparison.difference.value, digits),
            span=w.interval(comparison.difference, digits),
        ),
    ]


def _methods(page: CardPage) -> list[str]:
    card, w = page.card, page.words
    until = w.day_before(card.data_until)
    return [
        w("methods.time", judged=w.date(card.judged_at)),
        w("methods.final", until=until),
        w("methods.bootstrap"),
        w(f"methods.own_{card.task}"),
        w("methods.ties"),
    ]
