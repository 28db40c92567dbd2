"""All charts of the reports, drawn by Vega-Altair: gain, calibration, width, forest, lines, bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from unicodedata import east_asian_width

import numpy as np
from markupsafe import Markup

from evaluation.estimate import Estimate
from evaluation.reports.drawing import Room, Scale, across, also, layer, level, stroked, svg, upright, upward
from evaluation.reports.numbers import Tick
from evaluation.reports.style import COLOURS, DASHES, GREY, INK, PALE
from features.types import Floats

Sign = Literal["up", "down", "open"]
PeriodSide = Literal["before", "after", "none"]

_SIGNS: dict[Sign, tuple[str, str, str]] = {
    "up": ("triangle-up", COLOURS[2], COLOURS[2]),
    "down": ("triangle-down", COLOURS[1], COLOURS[1]),
    "open": ("circle", COLOURS[4], "#ffffff"),
}
_SIDES: dict[PeriodSide, tuple[str, str]] = {
    "before": ("#9aa3af", "#9aa3af"),
    "after": (COLOURS[0], COLOURS[0]),
    "none": ("#ffffff", "#9aa3af"),
}
_ROW = 26

_Style = tuple[str, tuple[int, int], float]
"""Colour, dashes and thickness of a curve; the first stands out."""


@dataclass(frozen=True)
class Axis:
    """How an axis reads.

    Args:
        title: What it shows.
        tick: Makes the label of a value.
    """

    title: str
    tick: Tick


@dataclass(frozen=True)
class Mark:
    """A row of a forest plot.

    Args:
        name: Of the row.
        estimate: The number and its interval; not drawn where it is not known.
        sign: Triangle up, triangle down or, where nothing is proven, an open circle.
    """

    name: str
    estimate: Estimate
    sign: Sign = "open"


@dataclass(frozen=True, eq=False)
class Trace:
    """A curve and, if there are any, its bands.

    Args:
        name: As the legend says.
        x: [m].
        y: [m].
        low: Lower end of the band [m].
        high: Upper end.
        wide_low: Lower end of a second, wider band.
        wide_high: Upper end.
    """

    name: str
    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None
    wide_low: Floats | None = None
    wide_high: Floats | None = None


@dataclass(frozen=True)
class Point:
    """One group of customers: a mark at (x, y) and a line from low to high."""

    x: float
    y: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Bar:
    """A period: its money with an interval.

    Args:
        name: When it begins.
        estimate: Money.
        side: Before, after, or not compared.
    """

    name: str
    estimate: Estimate
    side: PeriodSide


def gain_chart(curves: Sequence[Trace], title: str, about: str, x: Axis, y: Axis, chance: str) -> Markup:
    """What the customers with the highest predictions hold, by their share.

    Args:
        curves: Candidates, the chosen first, at most five.
        title: Read out for the picture.
        about: The same, longer.
        x: The horizontal axis.
        y: The vertical axis.
        chance: What the legend calls the diagonal.
    """
    ends = np.array([0.0, 1.0])
    shown = [*curves, Trace(chance, ends, ends)]
    styles = [*_styles(len(curves)), (GREY, (1, 3), 1.4)]
    high = max(1.0, *(float(np.max(curve.y)) for curve in curves))
    low = min(0.0, *(float(np.min(curve.y)) for curve in curves))
    return _curves(shown, styles, title, about, (x, y), (Scale.over([0.0, 1.0]), Scale.over([low, high])))


def line_chart(
    curves: Sequence[Trace],
    title: str,
    about: str,
    x: Axis,
    y: Axis,
    limits: tuple[float, float] | None = None,
) -> Markup:
    """Curves with bands over a line at 0; a legend where there are several.

    Args:
        curves: At most three; the first is the one that matters.
        title: Read out for the picture.
        about: The same, longer.
        x: The horizontal axis.
        y: The vertical one.
        limits: Ends of the vertical axis, so that several pictures can be compared.
    """
    horizontal = Scale.over([v for curve in curves for v in curve.x.tolist()], nice=False)
    vertical = Scale.over([*(limits or limits_of(curves)), 0.0])
    return _curves(curves, _styles(len(curves)), title, about, (x, y), (horizontal, vertical), zero=True)


def forest_chart(marks: Sequence[Mark], title: str, about: str, axis: Axis) -> Markup:
    """Effects with intervals, one below the other, and a line at no effect.

    Args:
        marks: MarkRows from the top.
        title: Read out for the picture.
        about: The same, longer.
        axis: The horizontal one.
    """
    import altair as alt

    ends = [v for m in marks for v in (m.estimate.low, m.estimate.high, m.estimate.value, 0.0)]
    scale = Scale.over(ends)
    room = Room(_ROW * len(marks), left=122, top=8)
    rows: list[dict[str, float | str | None]] = []
    for k, mark in enumerate(marks):
        shape, stroke, fill = _SIGNS[mark.sign]
        value, low, high = mark.estimate.value, mark.estimate.low, mark.estimate.high
        known = bool(np.isfinite([value, low, high]).all())
        row: dict[str, float | str | None] = {"name": _cut(mark.name, 17), "row": _ROW * (k + 0.5)}
        row |= {"shape": shape, "stroke": stroke, "fill": fill}
        rows.append(row | ({"value": value, "low": low, "high": high} if known else {"value": None}))
    there = [row for row in rows if row["value"] is not None]
    up = alt.Y("row:Q", scale=alt.Scale(domain=[room.height, 0]), axis=None)
    stroke = alt.Stroke("stroke:N", scale=None)
    names = alt.MarkDef("text", align="right", dx=-10)
    points = alt.MarkDef("point", size=75, strokeWidth=2, opacity=1)
    shape, fill = alt.Shape("shape:N", scale=None), alt.Fill("fill:N", scale=None)
    side = across("value", scale, axis.title, axis.tick)
    span = {"x": also("low", side), "x2": alt.X2("high:Q"), "y": up, "stroke": stroke}
    drawn = [
        layer(rows, names, x=alt.XValue(0), y=up, text=alt.Text("name:N")),
        upright(0.0, side, INK, (4, 3)),
        layer(there, alt.MarkDef("rule", strokeWidth=2.2), **span),
        layer(there, points, x=side, y=up, shape=shape, stroke=stroke, fill=fill),
    ]
    return svg(drawn, room, title, about)


def bar_chart(periods: Sequence[Bar], starts: float, title: str, about: str, y: Axis, mark: str) -> Markup:
    """Money by period, with intervals and the moment a campaign began.

    Args:
        periods: In order.
        starts: How many periods come before the campaign; the mark stands there.
        title: Read out for the picture.
        about: The same, longer.
        y: The vertical axis.
        mark: What is said of the moment.
    """
    import altair as alt

    estimates = [period.estimate for period in periods]
    vertical = Scale.over([0.0, *(v for e in estimates for v in (e.low, e.high, e.value) if np.isfinite(v))])
    room = Room(174, top=40, bottom=28)
    count = len(periods)
    every = max(1, int(np.ceil(count / 5)))
    rows: list[dict[str, float | str | None]] = []
    for k, period in enumerate(periods):
        fill, stroke = _SIDES[period.side]
        row: dict[str, float | str | None] = {"middle": k + 0.5, "left": k + 0.14, "right": k + 0.86}
        known = bool(np.isfinite([period.estimate.low, period.estimate.high]).all())
        row |= {"value": period.estimate.value, "zero": 0.0, "fill": fill, "stroke": stroke}
        row |= {"low": period.estimate.low, "high": period.estimate.high} if known else {"low": None}
        rows.append(row | {"name": "" if k % every else period.name})
    horizontal = Scale(0.0, float(count), ())
    left, middle = (alt.X(f"{field}:Q", scale=horizontal.vega(), axis=None) for field in ("left", "middle"))
    up = upward("value", vertical, y.title, y.tick, room)
    box = {"x": left, "x2": alt.X2("right:Q"), "y": up, "y2": alt.Y2("zero:Q")}
    paint = {"fill": alt.Fill("fill:N", scale=None), "stroke": alt.Stroke("stroke:N", scale=None)}
    there = [row for row in rows if row["low"] is not None]
    late = starts > count / 2
    said = alt.MarkDef("text", align="right" if late else "left", dx=-4 if late else 4, color=COLOURS[1])
    drawn = [
        layer(rows, alt.MarkDef("bar", strokeWidth=1), **box, **paint),
        layer(there, stroked(INK, 1), x=middle, y=also("low", up), y2=alt.Y2("high:Q")),
        layer(rows, alt.MarkDef("text"), x=middle, y=alt.YValue(room.height + 14), text=alt.Text("name:N")),
        upright(starts, middle, COLOURS[1], (5, 3), 1.6, over=12),
        layer([{"middle": starts, "mark": mark}], said, x=middle, y=alt.YValue(-8), text=alt.Text("mark:N")),
        level(0.0, up, INK),
    ]
    return svg(drawn, room, title, about)


def calibration_chart(points: Sequence[Point], title: str, about: str, x: Axis, y: Axis) -> Markup:
    """Means predicted (x) against means that came (y), with their intervals, and the diagonal.

    Args:
        points: Groups of customers.
        title: Read out for the picture.
        about: The same, longer.
        x: The horizontal axis.
        y: The vertical axis.
    """
    import altair as alt

    rows = _rows(points)
    scale = Scale.of_means([v for row in rows for v in row.values()])
    room = Room(212)
    side = across("x", scale, x.title, x.tick)
    up = upward("y", scale, y.title, y.tick, room)
    ends = [{"x": v, "y": v} for v in (scale.low, scale.high)]
    span = alt.MarkDef("rule", color=COLOURS[0], strokeWidth=1.6, opacity=0.55)
    dot = alt.MarkDef("circle", color=COLOURS[0], size=55, opacity=1)
    drawn = [
        layer(ends, stroked(GREY, 1.2, (4, 3), "line"), x=side, y=up),
        layer(rows, span, x=side, y=also("low", up), y2=alt.Y2("high:Q")),
        layer(rows, dot, x=side, y=up),
    ]
    return svg(drawn, room, title, about)


def width_chart(points: Sequence[Point], title: str, about: str, x: Axis, y: Axis) -> Markup:
    """Typical prediction and typical interval of each group of customers.

    Args:
        points: x is the group's number, y its typical prediction.
        title: Read out for the picture.
        about: The same, longer.
        x: The horizontal axis.
        y: The vertical axis.
    """
    import altair as alt

    rows = _rows(points)
    scale = Scale.of_means([v for row in rows for v in (row["y"], row["low"], row["high"])])
    room = Room(212)
    groups = Scale(min(p.x for p in points) - 0.5, max(p.x for p in points) + 0.5, tuple(p.x for p in points))
    side = across("x", groups, x.title, x.tick, grid=False)
    up = upward("y", scale, y.title, y.tick, room)
    size = 0.6 * room.width / len(points)
    tick = alt.MarkDef("tick", color=COLOURS[0], thickness=3, size=size, orient="horizontal")
    span = {"x": side, "y": also("low", up), "y2": alt.Y2("high:Q")}
    drawn = [layer(rows, alt.MarkDef("bar", color=PALE, size=size), **span), layer(rows, tick, x=side, y=up)]
    return svg(drawn, room, title, about)


def limits_of(curves: Sequence[Trace]) -> tuple[float, float]:
    """Ends of a vertical axis that holds all curves and bands."""
    arrays = [
        array
        for curve in curves
        for array in (curve.y, curve.low, curve.high, curve.wide_low, curve.wide_high)
    ]
    known = [float(v) for array in arrays if array is not None for v in array if np.isfinite(v)]
    return min(known, default=0.0), max(known, default=0.0)


def _curves(
    curves: Sequence[Trace],
    styles: Sequence[_Style],
    title: str,
    about: str,
    axes: tuple[Axis, Axis],
    scales: tuple[Scale, Scale],
    *,
    zero: bool = False,
) -> Markup:
    """Curves over their bands and perhaps a line at 0, and a legend where there are several."""
    import altair as alt

    (x, y), (horizontal, vertical) = axes, scales
    legend = len(curves) > 1
    room = Room(190, bottom=46 + 17 * len(curves) if legend else 40)
    side = across("x", horizontal, x.title, x.tick, grid=False)
    up = upward("y", vertical, y.title, y.tick, room)
    bands, drawn = [], []
    for curve, (colour, dash, thick) in zip(curves, styles, strict=True):
        for low, high, opacity in ((curve.wide_low, curve.wide_high, 0.13), (curve.low, curve.high, 0.24)):
            if low is None or high is None:
                continue
            area = alt.MarkDef("area", color=colour, opacity=opacity)
            ends = {"y": also("low", up), "y2": alt.Y2("high:Q")}
            bands.append(layer(_band(curve.x, low, high, vertical), area, x=side, **ends))
        there = vertical.inside(curve.y.tolist())
        rows = [{"x": float(at), "y": value} for at, value in zip(curve.x, there, strict=True)]
        drawn.append(layer(rows, stroked(colour, thick, dash, "line"), x=side, y=up))
    named = _legend([curve.name for curve in curves], styles, room) if legend else []
    between = [level(0.0, up, INK, (4, 3))] if zero else []
    # The first curve, the one that matters, lies over the others.
    return svg([*bands, *between, *reversed(drawn), *named], room, title, about)


def _band(x: Floats, low: Floats, high: Floats, vertical: Scale) -> list[dict[str, float]]:
    """Both ends where they are known; beyond fixed limits a band is cut, never drawn beside the chart."""
    there = np.isfinite(low) & np.isfinite(high)
    low, high = (np.clip(end[there], vertical.low, vertical.high) for end in (low, high))
    return [
        {"x": float(at), "low": float(a), "high": float(b)}
        for at, a, b in zip(x[there], low, high, strict=True)
    ]


def _legend(names: Sequence[str], styles: Sequence[_Style], room: Room) -> list[Any]:
    """A sample and the name of each curve, a line each."""
    import altair as alt

    shown = []
    for k, (name, (colour, dash, thick)) in enumerate(zip(names, styles, strict=True)):
        y = alt.YValue(room.height + 48 + 17 * k)
        sample = {"x": alt.XValue(0), "x2": alt.X2Value(30), "y": y}
        shown.append(layer([{"name": name}], stroked(colour, thick, dash), **sample))
        text = alt.MarkDef("text", align="left")
        shown.append(layer([{"name": name}], text, x=alt.XValue(38), y=y, text=alt.Text("name:N")))
    return shown


def _styles(count: int) -> list[_Style]:
    return [(COLOURS[k], DASHES[k], 1.8 if k else 2.6) for k in range(count)]


def _rows(points: Sequence[Point]) -> list[dict[str, float]]:
    return [
        {
            "x": p.x,
            "y": p.y,
            "low": p.y if p.low is None else p.low,
            "high": p.y if p.high is None else p.high,
        }
        for p in points
    ]


def _cut(text: str, most: int) -> str:
    """As much of a label as there is room for; wide letters count twice."""
    room = 0
    for k, letter in enumerate(text):
        room += 2 if east_asian_width(letter) in "WF" else 1
        if room > most:
            return text[:k].rstrip() + "…"
    return text
