"""From a Vega-Altair chart to SVG inside a page: no script, nothing loaded, described, no ids of its own."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from markupsafe import Markup

from evaluation.reports.numbers import Tick
from evaluation.reports.style import GREY, GRID, INK

WIDTH = 372
"""As wide as a telephone, so that letters need not shrink there."""

# Words for a mouse or a screen reader, which find the whole picture described, and what Vega says by default.
_NEEDLESS = re.compile(
    r' (?:class|role|aria-[a-z]+|pointer-events|font-family|stroke-miterlimit)="[^"]*"| opacity="1"| fill="none"(?= stroke-width)'
)
_EMPTY = re.compile(r'<path (?:class="(?:background|foreground)"[^>]*)/>')
MarkRows = Sequence[Mapping[str, float | str | None]]
"""What is drawn, a mark a row."""

_SPREAD = 20
"""Means this far apart cannot be read on one linear axis."""


@dataclass(frozen=True)
class Room:
    """Room around what is drawn, in pixels.

    Args:
        height: Of what is drawn.
        left: Of it.
        top: Above it.
        bottom: Below it.
        right: Of it.
    """

    height: float
    left: float = 54
    top: float = 24
    bottom: float = 40
    right: float = 24

    @property
    def width(self) -> float:
        """Of what is drawn."""
        return WIDTH - self.left - self.right


@dataclass(frozen=True)
class Scale:
    """Values along an axis.

    Args:
        low: First of them.
        high: Last of them.
        ticks: Where labels stand.
        constant: Where a logarithmic axis becomes linear around 0; 0 for a linear one.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    constant: float = 0.0

    @classmethod
    def over(cls, values: Sequence[float], *, nice: bool = True) -> "Scale":
        """A linear one over all known values, if nice to the next labels."""
        known = [v for v in values if np.isfinite(v)] or [0.0]
        low, high = min(known), max(known)
        if low == high:
            low, high = low - (low < 0 or not low), high + (high >= 0)
        rough = (high - low) / 4
        size = 10.0 ** np.floor(np.log10(rough))
        step = size * next(m for m in (1, 2, 2.5, 5, 10) if m * size >= rough * 0.999)
        first, last = np.ceil(low / step), np.floor(high / step)
        if nice:
            first, last = np.floor(low / step), np.ceil(high / step)
            low, high = float(first * step), float(last * step)
        return cls(low, high, tuple(float(k * step) for k in np.arange(first, last + 1)))

    @classmethod
    def of_means(cls, values: Sequence[float]) -> "Scale":
        """From 0 on; logarithmic beyond a small constant where values differ by orders of magnitude."""
        size = [abs(v) for v in values if v]
        if not size or max(size) < _SPREAD * np.median(size) / 2:
            return cls.over([*values, 0.0])
        low, high = min(*values, 0.0), max(*values, 0.0)
        top = int(np.floor(np.log10(max(size))))
        first = max(top - 3, int(np.floor(np.log10(np.quantile(size, 0.1)))))
        steps = [10.0**e for e in range(first, top + 2)]
        ticks = (*(-s for s in reversed(steps) if -s >= low), 0.0, *(s for s in steps if s <= high))
        return cls(low, high, ticks, steps[0])

    def inside(self, values: Sequence[float]) -> list[float | None]:
        """Values, and None where one lies outside or is not known."""
        return [float(v) if np.isfinite(v) and self.low <= v <= self.high else None for v in values]

    def vega(self) -> Any:
        """The same for Vega."""
        import altair as alt

        domain = [self.low, self.high]
        if self.constant:
            return alt.Scale(type="symlog", constant=self.constant, domain=domain, nice=False)
        return alt.Scale(domain=domain, nice=False, zero=False)


def across(field: str, scale: Scale, title: str, tick: Tick, *, grid: bool = True) -> Any:
    """A field along the horizontal axis, whose title stands below."""
    import altair as alt

    axis = alt.Axis(title=title, values=list(scale.ticks), labelExpr=_labels(scale.ticks, tick), grid=grid)
    return alt.X(f"{field}:Q", scale=scale.vega(), axis=axis)


def upward(field: str, scale: Scale, title: str, tick: Tick, room: Room) -> Any:
    """A field along the vertical axis, whose title stands above it, so that it need not be turned."""
    import altair as alt

    axis = alt.Axis(
        title=title, values=list(scale.ticks), labelExpr=_labels(scale.ticks, tick), grid=True,
        domain=False, ticks=False, titleAngle=0, titleAlign="left", titleAnchor="end",
        titleX=4 - room.left, titleY=-12,
    )  # fmt: skip
    return alt.Y(f"{field}:Q", scale=scale.vega(), axis=axis)


def also(field: str, channel: Any) -> Any:
    """Another field on the same axis."""
    other = channel.copy(deep=False)
    other.shorthand = f"{field}:Q"
    return other


def stroked(colour: str, thick: float = 1, dash: tuple[int, int] = (1, 0), kind: str = "rule") -> Any:
    """A mark that is a line."""
    import altair as alt

    dashes = {} if dash == (1, 0) else {"strokeDash": list(dash)}
    return alt.MarkDef(kind, color=colour, strokeWidth=thick, **dashes)


def upright(
    x: float, side: Any, colour: str, dash: tuple[int, int], thick: float = 1, over: float = 0
) -> Any:
    """A line from the bottom to so many pixels over the top, where the horizontal axis has a value."""
    import altair as alt

    ends = {"y": alt.YValue(-over), "y2": alt.Y2Value("height")}
    return layer([{"x": x}], stroked(colour, thick, dash), x=also("x", side), **ends)


def level(y: float, up: Any, colour: str, dash: tuple[int, int] = (1, 0)) -> Any:
    """A line from side to side where the vertical axis has a value."""
    return layer([{"y": y}], stroked(colour, 1, dash), y=also("y", up))


def layer(rows: MarkRows, mark: Any, **channels: Any) -> Any:
    """Marks of one kind, one a row, put in place by channels."""
    import altair as alt

    # As one text, and all in one go: Altair copies everything with every step that adds to a chart.
    values = alt.InlineData(values=json.dumps(rows), format=alt.DataFormat(type="json"))
    return alt.Chart(data=values, mark=mark, encoding=alt.FacetedEncoding(**channels))


def svg(layers: Sequence[Any], room: Room, title: str, about: str) -> Markup:
    """Layers as one picture.

    Args:
        layers: Charts that share their axes, the lowest first.
        room: Room around them.
        title: Read out for the picture.
        about: The same, longer.
    """
    import altair as alt
    import vl_convert

    chart = alt.LayerChart(
        layer=list(layers),
        width=room.width,
        height=room.height,
        autosize=alt.AutoSizeParams(type="none"),
        padding={"left": room.left, "top": room.top, "bottom": room.bottom, "right": room.right},
        config=_config(),
    )
    drawn = vl_convert.vegalite_to_svg(chart.to_dict(validate=False))
    return _inline(drawn, f"{title}{'. ' if about else ''}{about}")


@cache
def _config() -> Any:
    import altair as alt

    return alt.Config(
        # Measured in any font; drawn in the page's own, which texts without a font of theirs take over.
        font="sans-serif",
        aria=False,
        background="transparent",
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelFontSize=11, titleFontSize=12, titleFontWeight="normal", labelColor=INK, titleColor=INK,
            gridColor=GRID, domainColor=GREY, tickColor=GREY, labelOverlap=False, labelFlush=False, labelAngle=0,
            tickSize=4, titlePadding=6,
        ),
        text=alt.MarkConfig(fontSize=11, color=INK, baseline="middle"),
    )  # fmt: skip


def _labels(ticks: Sequence[float], tick: Tick) -> str:
    """A Vega expression that has the label of each tick."""
    return f"{json.dumps([tick(value) for value in ticks])}[indexof({json.dumps(list(ticks))}, datum.value)]"


def _inline(drawn: str, described: str) -> Markup:
    """The drawing as part of an HTML page: described, scalable, without what says nothing."""
    head, body = re.fullmatch(r"<svg ([^>]*)>(.*)</svg>\s*", drawn, re.DOTALL).groups()  # type: ignore[union-attr]  # vl_convert's output is one svg element
    box = re.search(r'viewBox="([^"]*)"', head).group(1)  # type: ignore[union-attr]  # likewise
    # Only inside of tags: texts are the reader's own.
    body = re.sub(r"<[^<>]*>", lambda tag: _NEEDLESS.sub("", _EMPTY.sub("", tag.group())), body)
    # A title of its own would pop up over the whole chart, so the words go into attributes.
    return Markup(
        '<svg viewBox="{}" role="img" aria-label="{}" preserveAspectRatio="xMidYMid">{}</svg>'
    ).format(box, described, Markup(body))  # noqa: S704  # vega escapes the texts it draws
