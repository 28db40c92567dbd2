"""Charts of the experiment reports as inline SVG, drawn by hand: no script, and many are made in a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import east_asian_width

import numpy as np
from markupsafe import Markup, escape

from evaluation.estimate import Estimate
from evaluation.reports.style import COLOURS
from features.types import Floats

Sign = Literal["up", "down", "open"]
Tick = Callable[[float], str]
Side = Literal["before", "after", "none"]

WIDTH = 372
"""As wide as a telephone, so that letters need not shrink there."""

_GREY, _INK, _GRID = "#8a8f98", "#3b4250", "#e6e8ec"
_SIGNS: dict[Sign, str] = {"up": COLOURS[2], "down": COLOURS[1], "open": COLOURS[4]}
_DASHES = ("", "6 3", "2 3")
_SIDES: dict[Side, tuple[str, str]] = {
    "before": ("#9aa3af", "none"),
    "after": (COLOURS[0], "none"),
    "none": ("#ffffff", "#9aa3af"),
}
_LABEL = 122
_RIGHT = WIDTH - 24
_ROW = 26


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
        found: The number and its interval; not drawn where it is not known.
        sign: Triangle up, triangle down or, where nothing is proven, an open circle.
    """

    name: str
    found: Estimate
    sign: Sign = "open"


@dataclass(frozen=True, eq=False)
class Line:
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
class Bar:
    """A period: its money with an interval.

    Args:
        name: When it begins.
        found: Money.
        side: Before, after, or not compared.
    """

    name: str
    found: Estimate
    side: Side


def forest(marks: Sequence[Mark], title: str, about: str, axis: Axis) -> Markup:
    """Effects with intervals, one below the other, and a line at no effect.

    Args:
        marks: Rows from the top.
        title: Read out for the picture.
        about: The same, longer.
        axis: The horizontal one.
    """
    bottom = 8 + _ROW * len(marks)
    x = _Scale.over(
        [v for m in marks for v in (m.found.low, m.found.high, m.found.value, 0.0)], _LABEL, _RIGHT
    )
    parts = [_across(x, axis, 8, bottom), _rule(x(0), 4, x(0), bottom, _INK, dash="4 3")]
    for k, mark in enumerate(marks):
        y = 8 + _ROW * (k + 0.5)
        parts.append(_text(_LABEL - 10, y + 4, _cut(mark.name, 17), "end"))
        if not np.isfinite([mark.found.value, mark.found.low, mark.found.high]).all():
            continue
        colour = _SIGNS[mark.sign]
        parts.append(_rule(x(mark.found.low), y, x(mark.found.high), y, colour, 2.2))
        parts.append(_shape(x(mark.found.value), y, mark.sign, colour))
    return _svg(parts, bottom + 40, title, about)


def lines(
    curves: Sequence[Line],
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
    bottom = 214
    up = _Scale.over([*(limits or limits_of(curves)), 0.0], bottom, 24)
    at = _Scale.over([v for each in curves for v in each.x.tolist()], 54, _RIGHT, nice=False)
    parts = [_across(at, x, 24, bottom, grid=False), _upward(up, y)]
    for k, each in enumerate(curves):
        colour = COLOURS[k]
        parts.append(_band(at, up, each.x, each.wide_low, each.wide_high, colour, 0.13))
        parts.append(_band(at, up, each.x, each.low, each.high, colour, 0.24))
    parts.append(_rule(54, up(0), _RIGHT, up(0), _INK, dash="4 3"))
    legend = bottom + 52
    for k, each in reversed(list(enumerate(curves))):
        path = "M" + "L".join(f"{at(a):.1f} {up(b):.1f}" for a, b in zip(each.x, each.y, strict=True))
        width = 1.8 if k else 2.6
        parts.append(
            Markup('<path d="{}" fill="none" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>').format(
                path, COLOURS[k], width, _DASHES[k]
            )
        )
        if len(curves) > 1:
            row = legend + 17 * k
            parts.append(_rule(54, row - 4, 84, row - 4, COLOURS[k], width, _DASHES[k]))
            parts.append(_text(92, row, each.name))
    return _svg(parts, legend + 17 * (len(curves) - 1) + 6 if len(curves) > 1 else bottom + 40, title, about)


def bars(periods: Sequence[Bar], starts: float, title: str, about: str, y: Axis, mark: str) -> Markup:
    """Money by period, with intervals and the moment a campaign began.

    Args:
        periods: In order.
        starts: How many periods come before the campaign; the mark stands there.
        title: Read out for the picture.
        about: The same, longer.
        y: The vertical axis.
        mark: What is said of the moment.
    """
    bottom, left, right = 214, 54, _RIGHT
    found = [v for each in periods for v in (each.found.low, each.found.high, each.found.value)]
    up = _Scale.over([*(v for v in found if np.isfinite(v)), 0.0], bottom, 40)
    step = (right - left) / len(periods)
    parts = [_upward(up, y)]
    every = max(1, int(np.ceil(len(periods) / 5)))
    for k, each in enumerate(periods):
        fill, stroke = _SIDES[each.side]
        middle, half = left + step * (k + 0.5), max(0.8, step * 0.36)
        top, base = sorted((up(each.found.value), up(0)))
        parts.append(
            Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" stroke="{}"/>'
            ).format(middle - half, top, 2 * half, base - top, fill, stroke)
        )
        if np.isfinite([each.found.low, each.found.high]).all():
            parts.append(_rule(middle, up(each.found.low), middle, up(each.found.high), _INK, 1))
        if k % every == 0:
            parts.append(_text(middle, bottom + 18, each.name, "middle"))
    where = left + step * starts
    parts.append(_rule(where, 28, where, bottom, COLOURS[1], 1.6, "5 3"))
    side = "start" if where < WIDTH / 2 else "end"
    parts.append(_text(where + (4 if side == "start" else -4), 36, mark, side, COLOURS[1]))
    parts.append(_rule(left, up(0), right, up(0), _INK))
    return _svg(parts, bottom + 28, title, about)


def limits_of(curves: Sequence[Line]) -> tuple[float, float]:
    """Ends of a vertical axis that holds all curves and bands."""
    arrays = [
        array for each in curves for array in (each.y, each.low, each.high, each.wide_low, each.wide_high)
    ]
    known = [float(v) for array in arrays if array is not None for v in array if np.isfinite(v)]
    return min(known, default=0.0), max(known, default=0.0)


@dataclass(frozen=True)
class _Scale:
    """From values to places on the picture."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float, *, nice: bool = True) -> "_Scale":
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
        return cls(low, high, start, end, tuple(float(k * step) for k in np.arange(first, last + 1)))

    def __call__(self, value: float) -> float:
        return float(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start))


def _across(x: _Scale, axis: Axis, top: float, bottom: float, *, grid: bool = True) -> Markup:
    parts = [_rule(x.start, bottom, x.end, bottom, _GREY)]
    for value in x.ticks:
        parts.append(_rule(x(value), top if grid else bottom, x(value), bottom + 4, _GRID if grid else _GREY))
        parts.append(_text(x(value), bottom + 17, axis.tick(value), "middle"))
    middle = (x.start + x.end) / 2
    return Markup("").join([*parts, _text(middle, bottom + 34, axis.title, "middle", size=12)])


def _upward(y: _Scale, axis: Axis) -> Markup:
    parts = [_text(4, 12, axis.title, size=12)]
    for value in y.ticks:
        parts.append(_rule(54, y(value), _RIGHT, y(value), _GRID))
        parts.append(_text(48, y(value) + 4, axis.tick(value), "end"))
    return Markup("").join(parts)


def _band(
    at: _Scale, up: _Scale, x: Floats, low: Floats | None, high: Floats | None, colour: str, opacity: float
) -> Markup:
    if low is None or high is None:
        return Markup("")
    there = np.isfinite(low) & np.isfinite(high)
    # Beyond fixed limits a band is cut, never drawn over what is beside the chart.
    ends = [np.clip(each[there], up.low, up.high) for each in (low, high)]
    edge = [f"{at(a):.1f} {up(b):.1f}" for a, b in zip(x[there], ends[1], strict=True)]
    edge += [f"{at(a):.1f} {up(b):.1f}" for a, b in zip(x[there][::-1], ends[0][::-1], strict=True)]
    if not edge:
        return Markup("")
    return Markup('<path d="M{}Z" fill="{}" fill-opacity="{}"/>').format("L".join(edge), colour, opacity)


def _rule(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dash: str = ""
) -> Markup:
    return Markup(
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>'
    ).format(x1, y1, x2, y2, colour, width, dash or "none")


def _shape(x: float, y: float, sign: Sign, colour: str) -> Markup:
    if sign == "open":
        return Markup(
            '<circle cx="{:.1f}" cy="{:.1f}" r="4.6" fill="#fff" stroke="{}" stroke-width="2"/>'
        ).format(x, y, colour)
    tip, foot = (-6.5, 5) if sign == "up" else (6.5, -5)
    return Markup('<path d="M{:.1f} {:.1f}l6.5 {}h-13Z" fill="{}"/>').format(x, y + tip, foot - tip, colour)


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = _INK, size: int = 11) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="{}" fill="{}">{}</text>').format(
        x, y, anchor, size, colour, text
    )


def _cut(text: str, most: int) -> str:
    """As much of a label as there is room for; wide letters count twice."""
    room = 0
    for k, letter in enumerate(text):
        room += 2 if east_asian_width(letter) in "WF" else 1
        if room > most:
            return text[:k].rstrip() + "…"
    return text


def _svg(parts: Sequence[Markup], height: float, title: str, about: str) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}" preserveAspectRatio="xMidYMid">{}</svg>'
    ).format(WIDTH, height, f"{title}{'. ' if about else ''}{about}", escape(Markup("").join(parts)))
