"""The tables of the model card: candidates, differences, segments and features."""

from dataclasses import dataclass

from evaluation.estimate import Estimate
from evaluation.reports.card.breakdown import METRICS, ROWS_FOR_METRIC, by_segment
from evaluation.reports.card.data import CardPage
from evaluation.reports.card.verdict import proof
from evaluation.reports.numbers import NOTHING, digits_for
from evaluation.reports.pages import PageTable
from evaluation.reports.words import metric_parts
from features.catalogue.phrases import phrases

FEATURES_SHOWN = 15


@dataclass(frozen=True)
class MetricCell:
    """One kind's metric with its interval, and whether that kind was chosen."""

    value: str
    interval: str
    chosen: bool


@dataclass(frozen=True)
class MetricRow:
    """One metric: what it is called, whether it decides, what it means, and all kinds."""

    name: str
    decides: bool
    about: str
    cells: list[MetricCell]


@dataclass(frozen=True)
class FeatureRow:
    """One feature: in words, its column, its share, and the width of its bar in percent of the longest."""

    name: str
    column: str
    share: str
    width: str


def candidate_metrics(page: CardPage) -> list[MetricRow]:
    """Rows of the table of candidates, the deciding metric first."""
    card, w = page.card, page.words
    names = list(dict.fromkeys(name for measured in card.metrics.values() for name in measured))
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
        for kind in page.kinds:
            estimate = card.metrics[kind].get(name, Estimate(float("nan"), float("nan"), float("nan")))
            show = w.percent if base == "decile_error" else w.number
            interval = w.span(show(estimate.low), show(estimate.high))
            cells.append(MetricCell(show(estimate.value), interval, kind == card.chosen))
        rows.append(MetricRow(w.metric(name), name == card.metric, w("format.clause").join(about), cells))
    return rows


def differences(page: CardPage) -> PageTable:
    """The chosen candidate against each other one."""
    card, w = page.card, page.words
    rows = []
    for kind, comparison in card.comparisons.items():
        digits = digits_for(comparison.difference.low, comparison.difference.high)
        rows.append(
            [
                w.kind(kind),
                w(f"candidates.{proof(card.metric, comparison)}"),
                w.number(comparison.difference.value, digits),
                w.interval(comparison.difference, digits),
                w.number(comparison.a, digits),
                w.number(comparison.b, digits),
            ]
        )
    # On a telephone the last columns are out of sight, so the answer comes first.
    keys = ("answer", "difference", "interval", "own", "other")
    heads = [w("candidates.against", model=w.kind(card.chosen)), *(w(f"candidates.{key}") for key in keys)]
    better = METRICS[card.metric].better
    caption = w.metric(card.metric) + w("format.clause") + w(f"candidates.{better}")
    return PageTable(caption, heads, rows)


def segment_lead(page: CardPage) -> str:
    """What the segments are for, and what they leave out."""
    card, w = page.card, page.words
    fields = {"metric": w.metric(card.metric), "rows": ROWS_FOR_METRIC}
    if card.task == "churn":
        fields["horizon"] = w.horizon(card.outputs[-1])
    return w(f"{card.task}.segment_lead", **fields)


def segment_table(page: CardPage, name: str) -> PageTable:
    """One segmentation, of the last output."""
    card, w = page.card, page.words
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
                w.number(record["rows"], 0),
                w.number(record["ratio"], 2),
                page.outcome(record["predicted"]),
                page.outcome(record["actual"]),
                (value, "" if value == NOTHING else w.span(low, high)),
            ]
        )
    heads = [w(f"segments.{key}") for key in ("segment", "customers", "ratio", "predicted", "actual")]
    heads.append(w("segments.metric", metric=w.metric(card.metric)))
    caption = w.either(f"segments.{name}", "") or w("segments.other_name", name=name)
    return PageTable(caption, heads, rows)


def feature_rows(page: CardPage) -> list[FeatureRow]:
    """The features that contributed most, in plain words, with a bar's width each."""
    w, shown = page.words, page.card.importance[:FEATURES_SHOWN]
    said = phrases(page.card.features, w.language)
    most = max((share for _, share in shown), default=0.0) or 1.0
    return [
        # What a model adds by itself, such as the step of its horizons, the page has words for.
        FeatureRow(
            said[name].title if name in said else w.either(f"importance.{name}", name),
            name,
            w.percent(share),
            f"{100 * share / most:.1f}",
        )
        for name, share in shown
    ]
