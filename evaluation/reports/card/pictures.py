"""The pictures of the model card, each with the table that says the same: gain, calibration, intervals."""

from typing import Any

import numpy as np

from evaluation.metrics import gain_curve
from evaluation.reports.card.breakdown import by_decile, tenths
from evaluation.reports.card.charts import Axis, Curve, Point, calibration_svg, gain_svg, width_svg
from evaluation.reports.card.data import CardData, IntervalData
from evaluation.reports.card.tables import chosen_first, outcome
from evaluation.reports.words import Words

_TOP_SHARES = (0.1, 0.2, 0.3, 0.5)


def gain(card: CardData, w: Words, k: int) -> dict[str, Any]:
    """Gain curves of all candidates for one output; no picture where there is nothing to share."""
    title = _horizon(card, w, card.outputs[k])
    y = card.actual[:, k]
    if not y.sum() > 0:
        return {"title": title, "svg": None}
    kinds = chosen_first(card)[:5]
    curves = [Curve(w.kind(kind), *gain_curve(y, card.predictions[kind][:, k])) for kind in kinds]
    rows, top = [], []
    for kind in kinds:
        held = gain_curve(y, card.predictions[kind][:, k], _TOP_SHARES)[1]
        rows.append([w.kind(kind), *(w.percent(float(share)) for share in held)])
        top.append(f"{w.kind(kind)} {w.percent(float(held[1]))}")
    svg = gain_svg(
        curves,
        w(f"{card.task}.gain_title"),
        w(f"{card.task}.gain_about", shares=w.joined(top)),
        Axis(w("gain.x"), w("format.axis_share")),
        Axis(w(f"{card.task}.gain_y"), w("format.axis_share")),
        w("gain.chance"),
    )
    heads = [w("gain.candidate"), *(w("gain.top", share=w.percent(share, 0)) for share in _TOP_SHARES)]
    table = {"caption": w(f"{card.task}.gain_table"), "heads": heads, "rows": rows, "short": False}
    return {"title": title, "svg": svg, "table": table}


def calibrations(card: CardData, w: Words) -> list[dict[str, Any]]:
    """Picture and table of the tenths for each output."""
    found = []
    deciles = by_decile(card)
    for output in card.outputs:
        records = [record for record in deciles if record["output"] == output]
        pairs = [
            w(
                "calibration.pair",
                predicted=outcome(card, w, each["predicted"]),
                actual=outcome(card, w, each["actual"]),
            )
            for each in records
        ]
        svg = calibration_svg(
            [Point(each["predicted"], each["actual"], each["low"], each["high"]) for each in records],
            w("calibration.title"),
            w("calibration.about", pairs=w.joined(pairs)),
            _axis(card, w, w("calibration.x")),
            _axis(card, w, w("calibration.y")),
        )
        rows = [
            [
                _band(w, each["start"], each["end"]),
                f"{each['rows']:,}",
                outcome(card, w, each["predicted"]),
                (
                    outcome(card, w, each["actual"]),
                    w.span(outcome(card, w, each["low"]), outcome(card, w, each["high"])),
                ),
            ]
            for each in records
        ]
        keys = ("tenth", "customers", "predicted", "actual")
        horizon = "" if card.task == "ltv" else w.horizon(output)
        found.append(
            {
                "title": _horizon(card, w, output),
                "svg": svg,
                "table": {
                    "caption": w(f"{card.task}.decile_table", horizon=horizon),
                    "heads": [w(f"calibration.{key}") for key in keys],
                    "rows": rows,
                    "short": True,
                },
                "ties": len(records) < 10,
            }
        )
    return found


def prediction_intervals(card: CardData, interval: IntervalData, w: Words) -> dict[str, Any]:
    """Coverage in words, typical intervals of the tenths as a picture and a table."""
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
    svg = width_svg(
        points,
        w("interval.picture", level=level),
        w("interval.about", pairs=w.joined(pairs)),
        Axis(w("interval.x"), w("format.axis_number")),
        _axis(card, w, w("interval.y")),
    )
    heads = [w(f"interval.{key}") for key in ("tenth", "inside", "middle", "low", "high")]
    table = {"caption": w("interval.table", level=level), "heads": heads, "rows": rows, "short": True}
    return {"lead": lead + w("format.gap") + w(f"interval.{judged}"), "svg": svg, "table": table}


def _axis(card: CardData, w: Words, title: str) -> Axis:
    return Axis(title, w("format.axis_money" if card.task == "ltv" else "format.axis_share"))


def _horizon(card: CardData, w: Words, output: str) -> str:
    """The heading over one output, empty where there is only one."""
    return "" if card.task == "ltv" else w("gain.horizon", horizon=w.horizon(output))


def _band(w: Words, start: float, end: float) -> str:
    band = w("calibration.band", start=f"{100 * start:.0f}", end=f"{100 * end:.0f}")
    return band if start else f"{w('calibration.top')} {band}"
