"""The report of an experiment: one HTML page that says what was found and how sure that is."""

from evaluation.experiments.records import Code, Readout
from evaluation.reports.pages import rendered
from evaluation.reports.readout.beforeafter import render_before_after
from evaluation.reports.readout.pictures import LTV, before, course, effects, looks, numbers, segments
from evaluation.reports.readout.tables import facts, methods, ratio, returns, warnings
from evaluation.reports.readout.uplift import uplift
from evaluation.reports.readout.verdict import glance, headline
from evaluation.reports.readout.words import ReadoutWords, coarse
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
    control = [each.best.control for each in r.effects if each.measure == r.primary and each.best]
    w = ReadoutWords(
        lang,
        r.currency,
        whole=coarse(control),
        level=r.level,
        observational=not r.randomised,
    )
    blocked = r.verdict.code == Code.BLOCKED
    return rendered(
        "experiment.html",
        w,
        r=r,
        made=w.moment(r.made),
        blocked=blocked,
        headline=headline(r, w),
        glance=glance(r, w),
        facts=facts(r, w),
        warnings=warnings(r, w),
        ratio=ratio(r, w),
        before=before(r, w),
        odds=round(1 / (1 - r.level)),
        effects=[] if blocked else effects(r, w),
        long=any(each.measure == LTV for each in r.effects),
        returns=None if blocked else returns(r, w),
        segments=None if blocked else segments(r, w),
        course=None if blocked else course(r, w),
        looks=[] if blocked else looks(r, w),
        uplift=None if blocked or r.uplift is None else uplift(r.uplift, w),
        numbers=[] if blocked else numbers(r, w),
        methods=methods(r, w),
    )
