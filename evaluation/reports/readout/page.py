"""The report of an experiment: one HTML page that says what was found and how sure that is."""

from evaluation.experiments.records import Readout
from evaluation.reports.pages import rendered
from evaluation.reports.readout.beforeafter import render_before_after
from evaluation.reports.readout.pictures import (
    LTV,
    before_part,
    course_part,
    look_pictures,
    segment_part,
    term_parts,
)
from evaluation.reports.readout.tables import (
    notes,
    number_tables,
    ratio_part,
    readout_facts,
    readout_methods,
    return_part,
)
from evaluation.reports.readout.uplift import UpliftPage, uplift_part
from evaluation.reports.readout.verdict import glance, headline
from evaluation.reports.readout.words import ReadoutPage, ReadoutWords, coarse
from features.language import Language

__all__ = ["render_before_after", "render_experiment"]


def render_experiment(readout: Readout, lang: Language = "en") -> str:
    """The readout as one HTML page that needs no network and no script.

    Where the sample ratio is broken the page says that there is no verdict and why, and shows no
    effect, return, segment or curve.

    Args:
        readout: One experiment.
        lang: ``en`` or ``ja``.
    """
    r = readout
    control = [
        effect.best.control for effect in r.effects if effect.measure == r.primary and effect.best is not None
    ]
    whole = coarse(control)
    words = ReadoutWords(lang, r.currency, whole=whole, level=r.level, observational=not r.randomised)
    page = ReadoutPage(r, words)
    blocked = page.blocked
    return rendered(
        "experiment.html",
        words,
        r=r,
        made=words.moment(r.made),
        blocked=blocked,
        headline=headline(page),
        glance=glance(page),
        facts=readout_facts(page),
        notes=notes(page),
        ratio=ratio_part(page),
        before=before_part(page),
        odds=round(1 / (1 - r.level)),
        effects=[] if blocked else term_parts(page),
        long=any(effect.measure == LTV for effect in r.effects),
        returns=None if blocked else return_part(page),
        segments=None if blocked else segment_part(page),
        course=None if blocked else course_part(page),
        looks=[] if blocked else look_pictures(page),
        uplift=None if blocked or r.uplift is None else uplift_part(UpliftPage(r.uplift, words)),
        numbers=[] if blocked else number_tables(page),
        methods=readout_methods(page),
    )
