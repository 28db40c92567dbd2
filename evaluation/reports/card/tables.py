"""The tables of the model card: candidates, differences, segments and features."""

from typing import Any

from evaluation.estimate import Estimate
from evaluation.reports.card.breakdown import METRICS, ROWS_FOR_METRIC, by_segment
from evaluation.reports.card.data import CardData
from evaluation.reports.card.verdict import answer
from evaluation.reports.pages import Table
from evaluation.reports.words import NOTHING, Words, digits_for, metric_parts
from features.catalogue.phrases import phrases

FEATURES_SHOWN = 15


def chosen_first(card: CardData) -> list[str]:
    """All kinds, the chosen one first."""
    return [card.chosen, *(kind for kind in card.predictions if kind != card.chosen)]


def outcome(card: CardData, w: Words, value: float | None) -> str:
    """An outcome or its prediction: money, or the share that leaves."""
    return w.money(value) if card.task == "ltv" else w.percent(value)


def candidate_metrics(card: CardData, w: Words) -> list[dict[str, Any]]:
    """Rows of the table of candidates, the deciding metric first."""
    names = list(dict.fromkeys(name for found in card.metrics.values() for name in found))
    bases = [metric_parts(name)[0] for name in (card.metric, *names)]
    # One metric's horizons stand together.
    names.sort(key=lambda name: bases.index(metric_parts(name)[0]))
    said: set[str] = set()
    rows = []
    for name in names:
        base = metric_parts(name)[0]
        about = []
        # What a metric means is said once, not again for each horizon.
        if base not in said and base in METRICS:
            about = [w(f"metrics.about_{base}"), w(f"candidates.{METRICS[base].better}")]
            if base == "auc":
                about.append(w(f"metrics.event_{card.task}"))
        said.add(base)
        cells = []
        for kind in chosen_first(card):
            found = card.metrics[kind].get(name, Estimate(float("nan"), float("nan"), float("nan")))
            show = w.percent if base == "decile_error" else w.number
            interval = w.span(show(found.low), show(found.high))
            cells.append({"value": show(found.value), "interval": interval, "chosen": kind == card.chosen})
        rows.append(
            {
                "name": w.metric(name),
                "decides": name == card.metric,
                "about": w("format.clause").join(about),
                "cells": cells,
            }
        )
    return rows


def differences(card: CardData, w: Words) -> Table:
    """The chosen candidate against each other one."""
    rows = []
    for kind, found in card.comparisons.items():
        digits = digits_for(found.difference.low, found.difference.high)
        rows.append(
            [
                w.kind(kind),
                w(f"candidates.{answer(card.metric, found)}"),
                w.number(found.difference.value, digits),
                w.interval(found.difference, digits),
                w.number(found.a, digits),
                w.number(found.b, digits),
            ]
        )
    # On a telephone the last columns are out of sight, so the answer comes first.
    keys = ("answer", "difference", "interval", "own", "other")
    heads = [w("candidates.against", model=w.kind(card.chosen)), *(w(f"candidates.{key}") for key in keys)]
    better = METRICS[card.metric].better
    caption = w.metric(card.metric) + w("format.clause") + w(f"candidates.{better}")
    return {"caption": caption, "heads": heads, "rows": rows, "short": False}


def segment_lead(card: CardData, w: Words) -> str:
    """What the segments are for, and what they leave out."""
    fields = {"metric": w.metric(card.metric), "rows": ROWS_FOR_METRIC}
    if card.task == "churn":
        fields["horizon"] = w.horizon(card.outputs[-1])
    return w(f"{card.task}.segment_lead", **fields)


def segment_table(card: CardData, w: Words, name: str) -> Table:
    """One segmentation, of the last output."""
    rows = []
    for record in by_segment(card, card.segments[name]):
        if record["output"] != card.outputs[-1]:
            continue
        label = record["segment"] or w("segments.unknown")
        if record["pooled"] > 1:
            label = w("segments.pooled", count=record["pooled"])
        value, low, high = (w.number(record[key]) for key in ("value", "low", "high"))
        rows.append(
            [
                label,
                f"{record['rows']:,}",
                w.number(record["ratio"], 2),
                outcome(card, w, record["predicted"]),
                outcome(card, w, record["actual"]),
                (value, "" if value == NOTHING else w.span(low, high)),
            ]
        )
    heads = [w(f"segments.{key}") for key in ("segment", "customers", "ratio", "predicted", "actual")]
    heads.append(w("segments.metric", metric=w.metric(card.metric)))
    caption = w.either(f"segments.{name}", "") or w("segments.other_name", name=name)
    return {"caption": caption, "heads": heads, "rows": rows, "short": False}


def importance(card: CardData, w: Words) -> list[dict[str, Any]]:
    """The features that contributed most, in plain words, with a bar's width each."""
    shown, said = card.importance[:FEATURES_SHOWN], phrases(card.features, w.language)
    most = max((share for _, share in shown), default=0.0) or 1.0
    return [
        {
            # What a model adds by itself, such as the step of its horizons, the page has words for.
            "name": said[name].title if name in said else w.either(f"importance.{name}", name),
            "column": name,
            "share": w.percent(share),
            "width": f"{100 * share / most:.1f}",
        }
        for name, share in shown
    ]
