"""The model card: one HTML page that says what a training found, how sure that is, and what it is not."""

from functools import cache

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from evaluation.reports.card.data import CardData, IntervalData
from evaluation.reports.card.pictures import calibrations, gain, prediction_intervals
from evaluation.reports.card.tables import (
    candidate_metrics,
    chosen_first,
    differences,
    importance,
    segment_lead,
    segment_table,
)
from evaluation.reports.card.verdict import against_champion, answer, verdict
from evaluation.reports.style import FONTS
from evaluation.reports.words import Words, digits_for, horizon_days
from features.language import Language

__all__ = ["CardData", "IntervalData", "render_card"]


def render_card(card: CardData, lang: Language = "en") -> str:
    """The card as one HTML page that needs no network and no script.

    Args:
        card: One training.
        lang: ``en`` or ``ja``.
    """
    # Cents are noise once a customer is worth thousands.
    w = Words(lang, card.currency, whole=bool(np.abs(card.actual).mean() >= 1000))
    return _template().render(
        w=w,
        fonts=Markup(FONTS),  # noqa: S704  # ours, and escaped quotes would spoil the style sheet
        language=lang,
        task=card.task,
        project=card.project,
        trained=w.moment(card.trained_at),
        verdict=verdict(card, w),
        facts=_facts(card, w),
        kinds=[
            {
                "name": w.kind(kind),
                "chosen": kind == card.chosen,
                "about": w.either(f"kinds.about_{kind}", ""),
            }
            for kind in chosen_first(card)
        ],
        metrics=candidate_metrics(card, w),
        differences=differences(card, w),
        refused=[(w.kind(kind), reason) for kind, reason in card.refused.items()],
        gains=[gain(card, w, k) for k in range(len(card.outputs))],
        calibrations=calibrations(card, w),
        interval=None if card.interval is None else prediction_intervals(card, card.interval, w),
        segments=[segment_table(card, w, name) for name in card.segments],
        segment_lead=segment_lead(card, w),
        importance=importance(card, w),
        champion=_champion(card, w),
        methods=_methods(card, w),
        limits=[w(f"{card.task}.limit_{which}") for which in ("own", "task")]
        + [w(f"limits.{which}") for which in ("one", "choice", "many", "new")],
        kind=card.chosen,
        feature_fingerprint=card.features.fingerprint,
        data_fingerprint=card.data_fingerprint,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("evaluation.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("card.html")


def _facts(card: CardData, w: Words) -> list[tuple[str, str]]:
    y = card.actual
    if card.task == "ltv":
        what = w("ltv.what", days=card.span_days)
        mean, share = w.money(float(y.mean())), w.percent(float((y > 0).mean()))
        happened = w("ltv.happened", mean=mean, share=share)
    else:
        horizons = w.joined([str(horizon_days(output)) for output in card.outputs])
        silence = card.span_days - horizon_days(card.outputs[-1])
        what = w("churn.what", horizons=horizons, days=card.span_days, silence=silence)
        shares = [
            f"{w.horizon(output)} {w.percent(float(y[:, k].mean()))}" for k, output in enumerate(card.outputs)
        ]
        happened = w("churn.happened", shares=w.joined(shares))
    judged = w(
        f"{card.task}.judged",
        customers=f"{len(y):,}",
        judged=w.date(card.judged_at),
        days=card.span_days,
    )
    data = w(
        "facts.data_until", until=w.day_before(card.data_until), features=f"{len(card.features.names):,}"
    )
    said = (what, data, judged, happened, w.kind(card.chosen))
    return [
        (w(f"facts.{key}"), text)
        for key, text in zip(("what", "data", "judged", "happened", "chosen"), said, strict=True)
    ]


def _champion(card: CardData, w: Words) -> list[str]:
    if card.champion is None:
        return [w("champion.none")]
    found = against_champion(card)
    if found is None:
        return [w("champion.silent", number=card.champion)]
    digits = digits_for(found.difference.low, found.difference.high)
    return [
        w("champion.lead", number=card.champion),
        w(
            f"champion.{answer(card.metric, found)}",
            metric=w.metric(card.metric),
            a=w.number(found.a, digits),
            b=w.number(found.b, digits),
            difference=w.number(found.difference.value, digits),
            span=w.interval(found.difference, digits),
        ),
    ]


def _methods(card: CardData, w: Words) -> list[str]:
    until = w.day_before(card.data_until)
    return [
        w("methods.time", judged=w.date(card.judged_at)),
        w("methods.final", until=until),
        w("methods.bootstrap"),
        w(f"methods.own_{card.task}"),
        w("methods.ties"),
    ]
