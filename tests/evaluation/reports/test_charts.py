# ruff: noqa: S314 – it is our own drawing that is parsed
"""Charts are well-formed, described SVG that loads nothing, show what is proven, and escape what they are told."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from evaluation.estimate import Estimate
from evaluation.reports.charts import (
    Axis,
    Bar,
    Mark,
    Point,
    Trace,
    bar_chart,
    calibration_chart,
    forest_chart,
    gain_chart,
    line_chart,
    width_chart,
)
from evaluation.reports.drawing import WIDTH
from evaluation.reports.numbers import Formats, plain_tick
from evaluation.reports.style import COLOURS, INK
from tests.evaluation.readouts import about

SHARE = Axis("Share <b> & more", Formats("en").share_tick)
MONEY = Axis("money", Formats("en").amount_tick)
X = np.linspace(0, 1, 11)
HOSTILE = '<i onload="x"> opacity="1"'


def gain():
    curves = [Trace("model <i>", X, X**0.5), Trace("BG/NBD", X, X**0.8)]
    return gain_chart(curves, 'A "title"', "What & why", SHARE, SHARE, "chance")


def forest():
    marks = [
        Mark("up", about(3.0, 1.0), "up"),
        Mark("down", about(-3.0, 1.0), "down"),
        Mark(HOSTILE, about(0.2, 1.0)),
    ]
    return forest_chart(marks, "t", "d", MONEY)


def bands():
    return line_chart([Trace("a", X, X, X - 1, X + 1, X - 2, X + 2)], "t", "d", SHARE, MONEY)


def several():
    curves = [Trace(f"curve {k} <b>", X, X * k) for k in (1, 2, 3)]
    return line_chart(curves, "t", "d", SHARE, MONEY)


def campaign():
    sides = ("before", "before", "none", "after")
    periods = [Bar(f"week {k}", about(10.0 * k, 3.0), side) for k, side in enumerate(sides)]
    return bar_chart(periods, 2.5, "t", "d", MONEY, "start <b>")


def calibration():
    return calibration_chart([Point(1, 2, 1, 3)], "t", "d", MONEY, MONEY)


def widths():
    points = [Point(i, 10.0**i, -(10.0**i), 20.0**i) for i in (1, 2, 3)]
    return width_chart(points, "t", "d", Axis("tenth", plain_tick), MONEY)


ALL = [gain, forest, bands, several, campaign, calibration, widths]


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter("text")]


@pytest.mark.parametrize("chart", ALL)
def test_svg_is_described_as_wide_as_a_phone_and_loads_nothing(chart):
    drawn = chart()
    root = ET.fromstring(drawn)
    assert root.get("role") == "img"
    assert root.get("aria-label").startswith(("t. d", 'A "title". What & why'))
    assert root.get("viewBox").startswith(f"0 0 {WIDTH} ")
    assert not any(word in drawn for word in ("http", "href", "url(", "<script", " id=", "font-family"))
    assert {node.get("font-size") for node in root.iter("text")} <= {"11px", "12px"}
    assert chart() == drawn


@pytest.mark.parametrize("chart", ALL)
def test_nothing_is_drawn_over_the_edge(chart):
    root = ET.fromstring(chart())
    wide, high = map(float, root.get("viewBox").split()[2:])
    for x, y in places(root, 0.0, 0.0):
        assert -1 <= x <= wide + 1
        assert -1 <= y <= high + 1


def places(node, x, y):
    """Where everything is put, by the transforms around it."""
    moved = re.match(r"translate\(([-\d.]+),([-\d.]+)\)", node.get("transform", ""))
    x, y = (x + float(moved[1]), y + float(moved[2])) if moved else (x, y)
    yield x, y
    for child in node:
        yield from places(child, x, y)


def test_words_are_escaped_and_shown_as_they_are():
    assert {"model <i>", "BG/NBD", "chance", "Share <b> & more"} <= set(texts(gain()))
    assert {"curve 1 <b>", "curve 2 <b>", "curve 3 <b>"} <= set(texts(several()))
    assert "start <b>" in texts(campaign())
    drawn = forest_chart([Mark(HOSTILE[:17], about(0.2, 1.0))], HOSTILE, HOSTILE, MONEY)
    assert HOSTILE[:17] in texts(drawn)
    assert ET.fromstring(drawn).get("aria-label") == f"{HOSTILE}. {HOSTILE}"
    assert "…" in texts(forest_chart([Mark("b" * 40, about(0.0, 0.0))], "t", "d", MONEY))[-1]


def test_a_forest_plot_tells_proven_from_open_by_shape_and_has_a_line_at_0():
    root = ET.fromstring(forest())
    shapes = {(node.get("stroke"), node.get("fill"), "A" in node.get("d")) for node in root.iter("path")}
    up, down, unproven = (
        (COLOURS[2], COLOURS[2], False),
        (COLOURS[1], COLOURS[1], False),
        (COLOURS[4], "#ffffff", True),
    )
    assert {up, down, unproven} <= shapes
    assert zero(root)


def zero(root):
    """Dashed lines in the colour of letters."""
    return [
        line
        for line in root.iter("line")
        if (line.get("stroke"), line.get("stroke-dasharray")) == (INK, "4,3")
    ]


def test_curves_have_both_bands_and_a_line_at_0():
    root = ET.fromstring(bands())
    opacities = [node.get("fill-opacity") or node.get("opacity") for node in root.iter("path")]
    assert {"0.13", "0.24"} <= set(opacities)
    assert zero(root)


def test_a_band_beyond_fixed_limits_is_cut():
    wide = Trace("a", X, X, X - 1e6, X + 1e6)
    drawn = line_chart([wide], "t", "d", SHARE, MONEY, (0.0, 1.0))
    assert "1k" not in texts(drawn)
    heights = [
        abs(float(y)) for d in re.findall(r' d="([^"]*)"', drawn) for y in re.findall(r",(-?[\d.]+)", d)
    ]
    assert max(heights) <= 200


def test_bars_have_a_colour_a_side_and_the_mark_of_the_campaign():
    root = ET.fromstring(campaign())
    assert {"#9aa3af", "#ffffff", COLOURS[0]} <= {node.get("fill") for node in root.iter("path")}
    assert (COLOURS[1], "5,3") in {(n.get("stroke"), n.get("stroke-dasharray")) for n in root.iter("line")}
    assert "week 0" in texts(campaign())


def test_orders_of_magnitude_get_a_logarithmic_axis_with_a_zero():
    near = calibration_chart([Point(v, v, None, None) for v in (0.1, 0.2, 0.4)], "t", "d", SHARE, SHARE)
    assert "20\u00a0%" in texts(near)
    points = [Point(v, v, v / 2, v * 2) for v in (1e2, 1e3, 1e4, 1e6)]
    far = calibration_chart(points, "t", "d", MONEY, MONEY)
    assert {"0", "10k", "100k", "1M"} <= set(texts(far))


def test_charts_bear_numbers_that_are_not_there():
    unknown = Estimate(np.nan, np.nan, np.nan)
    assert "nan" not in forest_chart([Mark("a", unknown), Mark("b", about(0.0, 0.0))], "t", "d", MONEY)
    assert "nan" not in bar_chart(
        [Bar("a", Estimate(1.0, np.nan, np.nan), "before")], 0.5, "t", "d", MONEY, "m"
    )
    endless = Trace("a", np.zeros(1), np.zeros(1), np.array([-np.inf]), np.array([np.inf]))
    flat = line_chart([endless], "t", "d", MONEY, MONEY)
    assert not re.search(r"\bnan\b|\binf\b", flat, re.IGNORECASE)
    one = calibration_chart([Point(0.0, 0.0, None, None)], "t", "d", SHARE, SHARE)
    assert "0\u00a0%" in texts(one)
