"""How the chosen model did by segment and by tenth of its prediction, as records that JSON can hold."""

from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation import metrics
from evaluation.bootstrap import bootstrap
from evaluation.estimate import Estimate
from evaluation.metrics import Metric
from evaluation.reports.card.data import CardData, CardLabels
from features.errors import TrainingDataError
from features.types import Floats

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        metrics.normalised_gini,
        metrics.spearman,
        metrics.auc,
        metrics.decile_error,
        metrics.total_ratio,
        metrics.log_loss,
        metrics.brier,
    )
}
"""Metrics that a model card knows, by name."""

OTHER = "other"
"""What the pooled small segments are called."""

SEGMENTS_SHOWN = 12
ROWS_FOR_METRIC = 50
"""With fewer rows a metric's interval says nothing, and a ranking of so few invites stories."""

_UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


def by_segment(card: CardData, labels: CardLabels) -> list[dict[str, Any]]:
    """The chosen model in each segment.

    Args:
        card: What was judged.
        labels: Segment of each judged row [n], empty where unknown.

    Returns:
        One record for each segment and output, the largest segment first, the smallest pooled last:
        ``segment``, ``pooled`` (number of segments in it, 1 unless it is the pooled one),
        ``output``, ``rows``, ``actual`` and ``predicted`` (means), ``ratio`` (predicted / actual),
        ``metric`` (name of the deciding one), ``value``, ``low`` and ``high``. What cannot be
        said is None, as is the metric below 50 rows.

    Raises:
        TrainingDataError: Not one label for each judged row.
    """
    if len(labels) != len(card.actual):
        raise TrainingDataError(f"{len(labels)} labels for {len(card.actual)} judged rows; give one a row")
    words, code, rows = np.unique(labels.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(-rows, kind="stable")
    # A rest of one segment keeps its name.
    shown = len(order) if len(order) <= SEGMENTS_SHOWN + 1 else SEGMENTS_SHOWN
    place = np.empty(len(order), np.intp)
    place[order] = np.minimum(np.arange(len(order)), shown)
    part = place[code]
    names = [(str(words[i]), 1) for i in order[:shown]]
    if shown < len(order):
        names.append((OTHER, len(order) - shown))
    return [
        {"segment": name, "pooled": pooled, "output": output} | _one_segment(card, part == i, k)
        for i, (name, pooled) in enumerate(names)
        for k, output in enumerate(card.outputs)
    ]


def _one_segment(card: CardData, mask: npt.NDArray[np.bool_], k: int) -> dict[str, Any]:
    y, p = card.actual[mask, k], card.prediction[mask, k]
    actual, predicted = float(y.mean()), float(p.mean())
    metric = _UNKNOWN
    if len(y) >= ROWS_FOR_METRIC:
        metric = bootstrap({card.metric: METRICS[card.metric]}, y, p)[card.metric]
    return {
        "rows": len(y),
        "actual": actual,
        "predicted": predicted,
        "ratio": predicted / actual if actual else None,
        "metric": card.metric,
        **_json(metric),
    }


def by_decile(card: CardData) -> list[dict[str, Any]]:
    """The chosen model in each tenth of the customers, those with the highest prediction first.

    Customers of equal prediction stay together, so tenths can be larger and fewer than ten.

    Args:
        card: What was judged.

    Returns:
        One record for each output and tenth: ``output``, ``decile`` (from 1), ``start`` and ``end``
        (shares of customers, from the highest prediction), ``rows``, ``predicted`` and ``actual``
        (means), ``low`` and ``high`` of the actual mean's 95 % interval, None if it has none.
    """
    deciles = []
    for k, output in enumerate(card.outputs):
        y, p = card.actual[:, k], card.prediction[:, k]
        tenth = tenths(p)
        done = 0
        for decile in range(1, int(tenth.max()) + 1):
            inside = tenth == decile
            rows = int(inside.sum())
            mean = _mean(y[inside])
            deciles.append(
                {
                    "output": output,
                    "decile": decile,
                    "start": done / len(p),
                    "end": (done + rows) / len(p),
                    "rows": rows,
                    "predicted": float(p[inside].mean()),
                    "actual": mean.value,
                    "low": _or_none(mean.low),
                    "high": _or_none(mean.high),
                }
            )
            done += rows
    return deciles


def tenths(prediction: Floats) -> npt.NDArray[np.intp]:
    """Tenth of each row by prediction, 1 for the highest; equal predictions share one, none is empty.

    Args:
        prediction: [n].
    """
    code = np.unique(-prediction, return_inverse=True)[1]
    size = np.bincount(code)
    middle = (np.cumsum(size) - size / 2) / len(prediction)
    tenth = np.minimum((middle * 10).astype(np.intp), 9)[code]
    return np.unique(tenth, return_inverse=True)[1] + 1


def _mean(y: Floats) -> Estimate:
    if len(y) < 2:
        return Estimate(float(y.mean()), float("nan"), float("nan"))
    return bootstrap({"mean": metrics.mean_actual}, y, y)["mean"]


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _json(estimate: Estimate) -> dict[str, float | None]:
    return {"value": _or_none(estimate.value), "low": _or_none(estimate.low), "high": _or_none(estimate.high)}
