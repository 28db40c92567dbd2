"""Charts of the reports as inline SVG: no script, nothing loaded, each with a title and a description."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from evaluation.reports.style import COLOURS, FONTS
from features.types import Floats

_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4])
_GREY, _INK = "#8a8f98", "#3b4250"
# A chart is as wide as a telephone, so that its letters need not shrink there.
_WIDTH, _HEIGHT = 372, 300
# Means this far apart cannot be read on one linear axis.
_SPREAD = 20


@dataclass(frozen=True)
class Axis:
    """How an axis reads.

    Args:
        title: What it shows.
        label: Vega expression that makes a tick's label from ``datum.value``.
    """

    title: str
    label: str


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a gain chart.

    Args:
        name: As the legend says.
        x: Shares of customers [k].
        y: Shares of what is to be found [k].
    """

    name: str
    x: Floats
    y: Floats


@dataclass(frozen=True)
class Point:
    """One group of customers: a mark at (x, y) and a line from low to high."""

    x: float
    y: float
    low: float | None
    high: float | None


def gain_svg(curves: Sequence[Curve], title: str, description: str, x: Axis, y: Axis, chance: str) -> Markup:
    """What the customers with the highest predictions hold, by their share.

    Args:
        curves: Candidates, the chosen first, at most five.
        title: Read out for the picture.
        description: The same, longer.
        x: The horizontal axis.
        y: The vertical axis.
        chance: What the legend calls the diagonal.
    """
    import altair as alt

    lines = [*curves, Curve(chance, np.array([0.0, 1.0]), np.array([0.0, 1.0]))]
    rows = [
        {"name": line.name, "x": float(a), "y": float(b)}
        for line in lines
        for a, b in zip(line.x, line.y, strict=True)
    ]
    names = [line.name for line in lines]
    count = len(curves)
    colours = [*COLOURS[:count], _GREY]
    dashes = [*_DASHES[:count], [1, 3]]
    widths = [2.6, *[1.6] * (count - 1), 1.4]
    legend = alt.Legend(title=None, orient="bottom", columns=2, symbolSize=300, labelLimit=170)

    def scale(shown: Sequence[Any]) -> Any:
        return alt.Scale(domain=names, range=list(shown))

    chart = _base(alt, rows, title).mark_line(clip=False)
    chart = chart.encode(
        x=alt.X("x:Q", axis=_axis(alt, x), scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("y:Q", axis=_axis(alt, y)),
        color=alt.Color("name:N", scale=scale(colours), legend=legend),
        strokeDash=alt.StrokeDash("name:N", scale=scale(dashes), legend=legend),
        strokeWidth=alt.StrokeWidth("name:N", scale=scale(widths), legend=legend),
        detail="name:N",
    )
    return _svg(chart, title, description)


def calibration_svg(points: Sequence[Point], title: str, description: str, x: Axis, y: Axis) -> Markup:
    """Means predicted (x) against means that came (y), with their intervals, and the diagonal.

    Args:
        points: Groups of customers.
        title: Read out for the picture.
        description: The same, longer.
        x: The horizontal axis.
        y: The vertical axis.
    """
    import altair as alt

    rows = _rows(points)
    values = [v for row in rows for v in (row["x"], row["y"], row["low"], row["high"])]
    scale, ticks = _scale(alt, values)
    low, high = min(*values, 0.0), max(values)
    diagonal = [{"x": v, "y": v} for v in (low, high)]
    across = alt.X("x:Q", axis=_axis(alt, x, ticks), scale=scale)
    up = alt.Y("y:Q", axis=_axis(alt, y, ticks), scale=scale)
    line = alt.Chart(alt.Data(values=diagonal)).mark_line(color=_GREY, strokeDash=[4, 3], strokeWidth=1.2)
    span = _base(alt, rows, title).mark_rule(color=COLOURS[0], strokeWidth=1.6, opacity=0.55)
    dots = alt.Chart(alt.Data(values=rows)).mark_circle(color=COLOURS[0], size=55, opacity=1)
    spanned = span.encode(x=across, y=alt.Y("low:Q", axis=_axis(alt, y, ticks), scale=scale), y2="high:Q")
    return _svg(line.encode(x=across, y=up) + spanned + dots.encode(x=across, y=up), title, description)


def width_svg(points: Sequence[Point], title: str, description: str, x: Axis, y: Axis) -> Markup:
    """Typical prediction and typical interval of each group of customers.

    Args:
        points: x is the group's number, y its typical prediction.
        title: Read out for the picture.
        description: The same, longer.
        x: The horizontal axis.
        y: The vertical axis.
    """
    import altair as alt

    rows = _rows(points)
    scale, ticks = _scale(alt, [v for row in rows for v in (row["y"], row["low"], row["high"])])
    numbers = [int(row["x"]) for row in rows]
    across = alt.X("x:O", axis=_axis(alt, x), scale=alt.Scale(domain=numbers, paddingInner=0.4))
    bars = _base(alt, rows, title).mark_bar(color="#b9d3ee")
    dots = alt.Chart(alt.Data(values=rows)).mark_tick(color=COLOURS[0], thickness=3)
    up = _axis(alt, y, ticks)
    return _svg(
        bars.encode(x=across, y=alt.Y("low:Q", axis=up, scale=scale), y2="high:Q")
        + dots.encode(x=across, y=alt.Y("y:Q", axis=up, scale=scale)),
        title,
        description,
    )


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


def _base(alt: Any, rows: list[dict[str, Any]], title: str) -> Any:
    return alt.Chart(alt.Data(values=rows), description=title)


def _axis(alt: Any, axis: Axis, ticks: list[float] | None = None) -> Any:
    return alt.Axis(
        title=axis.title,
        labelExpr=axis.label,
        labelAngle=0,
        # Vega drops every other tick beyond the count it is told.
        **({} if ticks is None else {"values": ticks, "tickCount": len(ticks), "labelOverlap": False}),
    )


def _scale(alt: Any, values: Sequence[float]) -> tuple[Any, list[float] | None]:
    """Linear, or logarithmic beyond a small constant where means differ by orders of magnitude."""
    low, high = min(*values, 0.0), max(*values, 0.0)
    size = [abs(v) for v in values if v]
    if not size or max(size) < _SPREAD * np.median(size) / 2:
        return alt.Scale(domain=[low, high or 1.0], nice=True), None
    top = int(np.floor(np.log10(max(size))))
    first = max(top - 3, int(np.floor(np.log10(np.quantile(size, 0.1)))))
    steps = [10.0**e for e in range(first, top + 2)]
    ticks = [
        *(-s for s in reversed(steps) if -s >= low),
        0.0,
        *(s for s in steps if s <= high),
    ]
    return alt.Scale(type="symlog", constant=steps[0], domain=[low, high], nice=False), ticks


def _svg(chart: Any, title: str, description: str) -> Markup:
    import vl_convert

    chart = chart.properties(
        width=_WIDTH, height=_HEIGHT, autosize={"type": "fit", "contains": "padding"}, padding=2
    )
    chart = chart.configure(font=FONTS, aria=False, background="transparent").configure_view(stroke=None)
    chart = chart.configure_axis(
        labelFontSize=11, titleFontSize=12, titleFontWeight="normal", labelColor=_INK, titleColor=_INK,
        gridColor="#e6e8ec", domainColor=_GREY, tickColor=_GREY, tickCount=5,
    ).configure_legend(labelFontSize=11, labelColor=_INK, symbolStrokeWidth=2)  # fmt: skip
    drawn = vl_convert.vegalite_to_svg(chart.to_dict())
    return _inline(drawn, title, description)


def _inline(drawn: str, title: str, description: str) -> Markup:
    """The drawing as part of an HTML page: described, scalable, its ids its own."""
    head, body = re.fullmatch(r"<svg ([^>]*)>(.*)</svg>\s*", drawn, re.DOTALL).groups()  # type: ignore[union-attr]  # vl_convert's output is one svg element
    box = re.search(r'viewBox="([^"]*)"', head).group(1)  # type: ignore[union-attr]  # likewise
    # A title of its own would pop up over the whole chart, so the words go into attributes.
    return Markup(
        '<svg viewBox="{}" role="img" aria-label="{}" preserveAspectRatio="xMidYMid">{}</svg>'
    ).format(
        box,
        f"{title}. {description}",
        Markup(body),  # noqa: S704  # vega escapes the texts it draws
    )
