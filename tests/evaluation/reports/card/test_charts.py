# ruff: noqa: S314 – it is our own drawing that is parsed
"""Charts are well-formed, described SVG that loads nothing, and escape what they are told."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from evaluation.reports.card.charts import Axis, Curve, Point, calibration_svg, gain_svg, width_svg

AXIS = Axis("Share <b> & more", "format(100 * datum.value, '~g') + ' %'")
X = np.linspace(0, 1, 11)


def gain():
    curves = [Curve("model <i>", X, X**0.5), Curve("BG/NBD", X, X**0.8)]
    return gain_svg(curves, 'A "title"', "What & why", AXIS, AXIS, "chance")


def calibration(points):
    return calibration_svg(points, "t", "d", AXIS, AXIS)


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter("text")]


def widths():
    points = [Point(i, 10.0**i, -(10.0**i), 20.0**i) for i in (1, 2, 3)]
    return width_svg(points, "t", "d", AXIS, AXIS)


@pytest.mark.parametrize("svg", [gain, lambda: calibration([Point(1, 2, 1, 3)]), widths])
def test_svg_is_well_formed_and_loads_nothing(svg):
    drawn = svg()
    root = ET.fromstring(drawn)
    assert root.get("role") == "img"
    assert root.get("viewBox")
    assert not any(word in drawn for word in ("http", "href", "url(", "<script", " id="))


def test_words_are_escaped_and_read_out():
    drawn = gain()
    assert ET.fromstring(drawn).get("aria-label") == 'A "title". What & why'
    assert {"model <i>", "BG/NBD", "chance", "Share <b> & more"} <= set(texts(drawn))


def test_orders_of_magnitude_get_a_logarithmic_axis_with_a_zero():
    near = calibration([Point(v, v, None, None) for v in (0.1, 0.2, 0.4)])
    plain = Axis("money", "format(datum.value, 'd')")
    points = [Point(v, v, v / 2, v * 2) for v in (1e2, 1e3, 1e4, 1e6)]
    far = calibration_svg(points, "t", "d", plain, plain)
    assert "20 %" in texts(near)
    assert {"0", "10000", "100000", "1000000"} <= set(texts(far))


def test_one_point_at_zero_can_be_drawn():
    assert "0 %" in texts(calibration([Point(0.0, 0.0, None, None)]))


def test_a_chart_is_the_same_every_time():
    assert gain() == gain()
