"""The pictures of the model card, each with the table that says the same: gain, calibration, intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.metrics import cumulative_gain
from evaluation.reports.card.breakdown import by_decile, tenths
from evaluation.reports.card.data import CardPage, IntervalData
from evaluation.reports.charts import Axis, Point, Trace, calibration_chart, gain_chart, width_chart
from evaluation.reports.numbers import plain_tick
from evaluation.reports.pages import PageCell, PageTable, Picture

_TOP_SHARES = (0.1, 0.2, 0.3, 0.5)
_TENTHS = 10


@dataclass(frozen=True)
class IntervalPart:
    """Prediction intervals: how many held, and how wide they are."""

    lead: str
    picture: Picture


def gain_picture(page: CardPage, k: int) -> Picture:
    """Gain curves of all candidates for one output; no picture where there is nothing to share."""
    card, w = page.card, page.words
    title = page.horizon_title(card.outputs[k])
    y = card.actual[:, k]
    if not y.sum() > 0:
        return Picture(None, title, w(f"{card.task}.total_none"))
    kinds = page.kinds[:5]
    curves = [Trace(w.kind(kind), *cumulative_gain(y, card.predictions[kind][:, k])) for kind in kinds]
    rows, top = [], []
    for kind in kinds:
        held = cumulative_gain(y, card.predictions[kind][:, k], _TOP_SHARES)[1]
        rows.append([w.kind(kind), *(w.percent(float(share)) for share in held)])
        top.append(f"{w.kind(kind)} {w.percent(float(held[1]))}")
    svg = gain_chart(
        curves,
        w(f"{card.task}.gain_title"),
        w(f"{card.task}.gain_about", shares=w.joined(top)),
        Axis(w("gain.x"), w.share_tick),
        Axis(w(f"{card.task}.gain_y"), w.share_tick),
        w("gain.chance"),
    )
    heads = [w("gain.candidate"), *(w("gain.top", share=w.percent(share, 0)) for share in _TOP_SHARES)]
    return Picture(svg, title, table=PageTable(w(f"{card.task}.gain_table"), heads, rows))


def calibration_pictures(page: CardPage) -> list[Picture]:
    """Picture and table of the tenths for each output."""
    deciles = by_decile(page.card)
    return [
        _calibration(page, output, [record for record in deciles if record["output"] == output])
        for output in page.card.outputs
    ]


def _calibration(page: CardPage, output: str, records: list[dict[str, Any]]) -> Picture:
    card, w = page.card, page.words
    rows: list[list[PageCell]] = []
    points, pairs = [], []
    for record in records:
        predicted, actual = page.outcome(record["predicted"]), page.outcome(record["actual"])
        span = w.span(page.outcome(record["low"]), page.outcome(record["high"]))
        band = _band(page, record["start"], record["end"])
        rows.append([band, w.number(record["rows"], 0), predicted, (actual, span)])
        pairs.append(w("calibration.pair", predicted=predicted, actual=actual))
        points.append(Point(record["predicted"], record["actual"], record["low"], record["high"]))
    svg = calibration_chart(
        points,
        w("calibration.title"),
        w("calibration.about", pairs=w.joined(pairs)),
        page.outcome_axis(w("calibration.x")),
        page.outcome_axis(w("calibration.y")),
    )
    keys = ("tenth", "customers", "predicted", "actual")
    horizon = "" if card.task == "ltv" else w.horizon(output)
    caption = w(f"{card.task}.decile_table", horizon=horizon)
    table = PageTable(caption, [w(f"calibration.{key}") for key in keys], rows, short=True)
    ties = w("calibration.ties") if len(records) < _TENTHS else ""
    return Picture(svg, page.horizon_title(output), ties, table)


def interval_part(page: CardPage, interval: IntervalData) -> IntervalPart:
    """Coverage in words, typical intervals of the tenths as a picture and a table."""
    card, w = page.card, page.words
    covered, level = interval.covered, w.percent(interval.level, 0)
    span = w.span(w.percent(covered.low), w.percent(covered.high))
    lead = w("interval.lead", level=level, covered=w.percent(covered.value), span=span)
    judged = "short" if covered.high < interval.level else "long" if covered.low > interval.level else "fits"
    y, p = card.actual[:, 0], card.prediction[:, 0]
    within = (interval.low <= y) & (y <= interval.high)
    tenth = tenths(p)
    points, rows, pairs = [], [], []
    for decile in range(1, int(tenth.max()) + 1):
        inside = tenth == decile
        middle, low, high = (float(np.median(v[inside])) for v in (p, interval.low, interval.high))
        points.append(Point(decile, middle, low, high))
        pairs.append(w("interval.pair", low=w.money(low), high=w.money(high)))
        share = w.percent(float(within[inside].mean()))
        rows.append([str(decile), share, w.money(middle), w.money(low), w.money(high)])
    svg = width_chart(
        points,
        w("interval.picture", level=level),
        w("interval.about", pairs=w.joined(pairs)),
        Axis(w("interval.x"), plain_tick),
        page.outcome_axis(w("interval.y")),
    )
    heads = [w(f"interval.{key}") for key in ("tenth", "inside", "middle", "low", "high")]
    table = PageTable(w("interval.table", level=level), heads, rows, short=True)
    picture = Picture(svg, about=w("interval.caption"), table=table)
    return IntervalPart(lead + w("format.gap") + w(f"interval.{judged}"), picture)


def _band(page: CardPage, start: float, end: float) -> str:
    w = page.words
    band = w("calibration.band", start=w.number(100 * start, 0), end=w.number(100 * end, 0))
    return band if start else f"{w('calibration.top')} {band}"
