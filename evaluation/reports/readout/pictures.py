"""The pictures of an experiment's report, each with the table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np
from markupsafe import Markup

from evaluation.effects.sequential import Look
from evaluation.estimate import Estimate
from evaluation.experiments.records import MeasureEffect, MeasureFacts, Role, SegmentReading, Unit
from evaluation.reports.charts import Axis, Mark, Sign, Trace, forest_chart, limits_of, line_chart
from evaluation.reports.numbers import plain_tick
from evaluation.reports.pages import PageCell, PageTable, Picture
from evaluation.reports.readout.verdict import finding
from evaluation.reports.readout.words import ReadoutPage, ReadoutWords, sign_of

LTV = "ltv"
THIRDS = ("low", "middle", "high")
"""Of customers by the margin expected of them, from below."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # the wall clock of the project


@dataclass(frozen=True)
class MeasurePart:
    """One measure: what it is, its picture, and the arms that could not be read.

    Args:
        name: What it is called.
        about: What it counts.
        decides: Whether the verdict is about it.
        picture: Forest plot and table of all arms that could be read.
        refused: The others, why, and whether the reason is in the page's language.
    """

    name: str
    about: str
    decides: bool
    picture: Picture
    refused: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True)
class TermPart:
    """Measures of one term, short or long."""

    title: str
    measures: Sequence[MeasurePart]


@dataclass(frozen=True)
class SegmentPart:
    """Segments: pictures where they differ, and a line for all others."""

    differ: Sequence[Picture]
    same: Sequence[str]


@dataclass(frozen=True)
class CoursePart:
    """How effects grew: what is said of it, and a picture an arm."""

    lead: str
    arms: Sequence[Picture]


@dataclass(frozen=True)
class BeforePart:
    """The very customers before anything was done: what is said of them, and the picture."""

    lead: str
    picture: Picture


def measures_shown(page: ReadoutPage) -> list[MeasureFacts]:
    """All measures with effects, from the short to the long term."""
    r = page.readout
    shown = list(r.measures)
    if any(effect.measure == LTV for effect in r.effects) and LTV not in {facts.name for facts in shown}:
        shown.append(MeasureFacts(LTV, "money", Role.LONG, r.horizon_days, 0.0, None, None, 0))
    return sorted(shown, key=lambda facts: list(Role).index(facts.role))


def term_parts(page: ReadoutPage) -> list[TermPart]:
    """Forest plot and table of each measure, by term."""
    return [
        TermPart(page.words(f"roles.{role}"), [_measure(page, facts) for facts in group])
        for role, group in groupby(measures_shown(page), lambda facts: facts.role)
    ]


def _measure(page: ReadoutPage, of: MeasureFacts) -> MeasurePart:
    r, w = page.readout, page.words
    effects = [effect for effect in r.effects if effect.measure == of.name]
    known = [effect for effect in effects if effect.best is not None]
    title = w("effects.picture", measure=w.measure(of.name), level=w.sure)
    about = w.either(f"measures.{of.name}_about", "") or w.either("measures.other_about", "")
    table = _effects_table(known, of.unit, w.measure(of.name), w)
    return MeasurePart(
        name=w.measure(of.name),
        about=about.format(days=of.days),
        decides=of.name == r.primary,
        picture=Picture(_forest(known, of.unit, title, w) if known else None, table=table),
        refused=[(effect.arm, *w.reason(effect.refused or "")) for effect in effects if effect.best is None],
    )


def _forest(effects: Sequence[MeasureEffect], unit: Unit, title: str, w: ReadoutWords) -> Markup:
    marks, told = [], []
    for effect in effects:
        if effect.best is None:
            continue
        value, span = w.cell(unit, effect.best.absolute)
        marks.append(Mark(effect.arm, effect.best.absolute, sign_of(effect, w.level)))
        told.append(w("effects.pair", arm=effect.arm, value=value, span=span))
    return forest_chart(marks, title, w.joined(told), w.axis_of(unit))


def _effects_table(effects: Sequence[MeasureEffect], unit: Unit, caption: str, w: ReadoutWords) -> PageTable:
    rows = [
        [
            (effect.arm, finding(effect, w)),
            w.cell(unit, effect.best.absolute),
            w.relative(effect.best.relative),
        ]
        for effect in effects
        if effect.best is not None
    ]
    return PageTable(caption, [w(f"effects.{key}") for key in ("arm", "effect", "percent")], rows)


def before_part(page: ReadoutPage) -> BeforePart | None:
    """The comparison of the very customers before anything was done; None where it was refused."""
    r, w = page.readout, page.words
    known = [effect for effect in r.before if effect.best is not None]
    if not known:
        return None
    unit: Unit = next((facts.unit for facts in r.measures if facts.name == known[0].measure), "money")
    differ = [effect.arm for effect in known if sign_of(effect, w.level) != "open"]
    fields = {"days": r.horizon_days, "control": r.arms[0]}
    lead = w("ratio.before_fits", **fields)
    if differ:
        lead = w("ratio.before_differs", arms=w.enumerated(differ), **fields)
    if r.ratio is not None and r.ratio.broken:
        lead = w("ratio.before_blocked", **fields)
    name = w("ratio.before")
    # What is told here is never an effect, so only numbers are.
    rows: list[list[PageCell]] = [
        [effect.arm, w.cell(unit, effect.best.absolute), w.p(effect.p)]
        for effect in known
        if effect.best is not None
    ]
    table = PageTable(name, [w("ratio.arm"), w("ratio.gap"), "p"], rows)
    return BeforePart(lead, Picture(_forest(known, unit, name, w), table=table))


def segment_part(page: ReadoutPage) -> SegmentPart:
    """Where segments differ, their effects; of all others one line a dimension."""
    r, w = page.readout, page.words
    arms: dict[str, list[str]] = {}
    for reading in r.segments:
        if not reading.differ:
            arms.setdefault(reading.dimension, []).append(reading.arm)
    # Dimensions of the same arms are told together.
    same: dict[str, list[str]] = {}
    for dimension, which in arms.items():
        told = w("segments.all") if set(which) == set(r.arms[1:]) else w.joined(which)
        same.setdefault(told, []).append(w.dimension(dimension))
    return SegmentPart(
        [_segments(page, reading) for reading in r.segments if reading.differ],
        [
            w(w.seen("segments.same"), dimension=w.enumerated(names), arms=told)
            for told, names in same.items()
        ],
    )


def _segments(page: ReadoutPage, reading: SegmentReading) -> Picture:
    w, unit = page.words, page.unit
    effects = list(reading.segments.rows)
    if {effect.name for effect in effects} <= set(THIRDS):
        effects.sort(key=lambda effect: THIRDS.index(effect.name))
    marks, told, rows = [], [], []
    for effect in effects:
        name = w.segment(reading.dimension, effect.name)
        clear = effect.p_adjusted < 1 - w.level and not effect.shrunk.low <= 0 <= effect.shrunk.high
        sign: Sign = "open" if not clear else "up" if effect.shrunk.value > 0 else "down"
        marks.append(Mark(name, effect.shrunk, sign))
        value, span = w.cell(unit, effect.shrunk)
        told.append(w("effects.pair", arm=name, value=value, span=span))
        rows.append([
            (w("segments.row", segment=name, count=w.number(effect.n, 0)), w.finding(sign)),
            (value, span),
            w.cell(unit, effect.raw),
        ])  # fmt: skip
    dimension = w.dimension(reading.dimension)
    picture = w("segments.picture", arm=reading.arm, dimension=dimension, level=w.sure)
    return Picture(
        forest_chart(marks, picture, w.joined(told), w.axis_of(unit)),
        w(w.seen("segments.differ"), arm=reading.arm, dimension=dimension, p=w.p_is(reading.p)),
        table=PageTable(picture, [w(f"segments.{key}") for key in ("segment", "shrunk", "raw")], rows),
    )


def course_part(page: ReadoutPage) -> CoursePart | None:
    """The effect by days since the assignment, one picture an arm, all on one scale; None without any."""
    r, w = page.readout, page.words
    if not r.course:
        return None
    curves = {}
    ordered = sorted(r.course, key=lambda point: (r.arms.index(point.arm), point.day))
    for arm, group in groupby(ordered, lambda point: point.arm):
        points = list(group)
        ends = np.array([
            (p.effect.value, p.effect.low, p.effect.high, p.together.low, p.together.high) for p in points
        ])  # fmt: skip
        # Before the first day nothing has come, and so nothing differs.
        told = np.vstack([np.zeros(5), ends])
        days = np.array([0.0, *(p.day for p in points)])
        curves[arm] = Trace(arm, days, *told.T), points[-1]
    limits = limits_of([trace for trace, _ in curves.values()])
    x = Axis(w("course.x"), plain_tick)
    arms = []
    for arm, (trace, last) in curves.items():
        value, span = w.cell(page.unit, last.effect)
        together = w.ends(page.unit, last.together)
        about = w("course.about", days=last.day, value=value, span=span, level=w.sure, together=together)
        picture = w("course.picture", arm=arm, measure=w.inside(r.primary))
        svg = line_chart([trace], picture, about, x, w.axis_of(page.unit), limits)
        arms.append(Picture(svg, arm, about))
    known = {point.day for point in r.course}
    step = round(max(known) / len(known))
    return CoursePart(w("course.lead", measure=w.inside(r.primary), level=w.sure, step=step), arms)


def look_pictures(page: ReadoutPage) -> list[Picture]:
    """What was known at the end of each day, one picture an arm."""
    w = page.words
    pictures = []
    for arm, sequence in page.readout.looks.items():
        said = [look for look in sequence if np.isfinite([look.effect.low, look.effect.high]).all()]
        if not said:
            pictures.append(Picture(None, arm, w("course.looks_early")))
            continue
        ends = np.array([(look.effect.value, look.effect.low, look.effect.high) for look in said])
        days = np.array([float(look.day - sequence[0].day) for look in said])
        value, span = w.cell(page.unit, said[-1].effect)
        about = w("course.looks_about", value=value, span=span, level=w.sure)
        # The first intervals are so wide that the last ones would be a line.
        late = max(1, len(days) - len(days) // 3)
        svg = line_chart(
            [Trace(arm, days, *ends.T)],
            w("course.looks_picture", arm=arm),
            about,
            Axis(w("course.looks_x"), plain_tick),
            w.axis_of(page.unit),
            limits_of([Trace(arm, days[-late:], *ends[-late:].T)]),
        )
        pictures.append(Picture(svg, arm, about + w("format.gap") + _when(said, w)))
    return pictures


def _when(said: Sequence[Look], w: ReadoutWords) -> str:
    """From which day on the interval was clear of 0."""

    def clear(of: Estimate) -> bool:
        return not of.low <= 0 <= of.high

    if not any(clear(look.effect) for look in said):
        return w("course.looks_never")
    first = next(look for look in said if clear(look.effect))
    day = w.date(_EPOCH + timedelta(days=first.day))
    if not clear(said[-1].effect):
        return w("course.looks_back", day=day)
    return w(f"course.looks_{'up' if first.effect.value > 0 else 'down'}", day=day)
