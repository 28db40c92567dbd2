"""Pages drawn once for all tests of the reports."""

import json
from functools import cache

import pytest
import vl_convert

from evaluation.reports.readout.page import render_before_after, render_experiment
from features.language import LANGUAGES
from tests.evaluation import readouts

KINDS = ("gain", "mixed", "unproven", "blocked", "observational", "odd")


@pytest.fixture(scope="session", autouse=True)
def drawn_once():
    """The same picture is drawn once: pages of these tests share most of theirs."""
    draw = cache(vl_convert.vegalite_to_svg)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vl_convert, "vegalite_to_svg", lambda spec: draw(json.dumps(spec)))
        yield


@pytest.fixture(scope="session")
def made():
    return {kind: getattr(readouts, kind)() for kind in KINDS}


@pytest.fixture(scope="session")
def pages(made):
    """Every kind of readout in every language."""
    return {(kind, lang): render_experiment(made[kind], lang) for kind in KINDS for lang in LANGUAGES}


@pytest.fixture(scope="session")
def campaigns():
    weekly, daily, monthly = (readouts.campaign(kind) for kind in ("week", "day", "month"))
    return [weekly, daily, monthly, readouts.campaign("year", 6, 800)]


@pytest.fixture(scope="session")
def comparisons(campaigns):
    return {
        lang: render_before_after(campaigns, "Parts & Co <b>", "JPY", "Asia/Tokyo", lang)
        for lang in LANGUAGES
    }
