"""The pictures of an experiment's report, each with the table that says the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np

from evaluation.effects.sequential import Look
from evaluation.estimate import Estimate
from evaluation.experiments.records import MeasureEffect, MeasureFacts, Readout, Role, SegmentReading, Unit
from evaluation.reports.charts import Axis, Line, Mark, Sign, forest, limits_of, lines
from evaluation.reports.pages import Table
from evaluation.reports.readout.verdict import finding
from evaluation.reports.readout.words import ReadoutWords, sign_of
from evaluation.reports.words import NOTHING

LTV = "ltv"
THIRDS = ("low", "middle", "high")
"""Of customers by the margin expected of them, from below."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # the wall clock of the project


def measures(r: Readout) -> list[MeasureFacts]:
    """All measures with effects, from the short to the long term."""
    found = list(r.measures)
    if any(each.measure == LTV for each in r.effects) and LTV not in {each.name for each in found}:
        found.append(MeasureFacts(LTV, "money", Role.LONG, r.horizon_days, 0.0, None, None, 0))
    return sorted(found, key=lambda each: list(Role).index(each.role))


def effects(r: Readout, w: ReadoutWords) -> list[dict[str, Any]]:
    """Forest plot and table of each measure, by term."""
    return [
        {"title": w(f"roles.{role}"), "measures": [_measure(r, w, each) for each in group]}
        for role, group in groupby(measures(r), lambda each: each.role)
    ]


def _measure(r: Readout, w: ReadoutWords, of: MeasureFacts) -> dict[str, Any]:
    found = [each for each in r.effects if each.measure == of.name]
    known = [each for each in found if each.best is not None]
    title = w("effects.picture", measure=w.measure(of.name), level=w.sure)
    about = w.either(f"measures.{of.name}_about", "") or w.either("measures.other_about", "")
    return {
        "name": w.measure(of.name),
        "about": about.format(days=of.days),
        "decides": of.name == r.primary,
        "svg": _forest(known, of.unit, title, w) if known else None,
        "table": _table(known, of.unit, w.measure(of.name), w),
        "refused": [(each.arm, each.refused) for each in found if each.best is None],
    }


def _forest(found: Sequence[MeasureEffect], unit: Unit, title: str, w: ReadoutWords) -> Any:
    marks, told = [], []
    for each in found:
        if each.best is None:
            continue
        value, span = w.cell(unit, each.best.absolute)
        marks.append(Mark(each.arm, each.best.absolute, sign_of(each, w.level)))
        told.append(w("effects.pair", arm=each.arm, value=value, span=span))
    return forest(marks, title, w.joined(told), Axis(w.axis_title(unit), w.tick(unit)))


def _table(found: Sequence[MeasureEffect], unit: Unit, caption: str, w: ReadoutWords) -> Table:
    rows = [
        [(each.arm, finding(each, w)), w.cell(unit, each.best.absolute), w.relative(each.best.relative)]
        for each in found
        if each.best is not None
    ]
    return {
        "caption": caption,
        "heads": [w(f"effects.{key}") for key in ("arm", "effect", "percent")],
        "rows": rows,
    }


def before(r: Readout, w: ReadoutWords) -> dict[str, Any] | None:
    """The comparison of the very customers before anything was done; None where it was refused."""
    known = [each for each in r.before if each.best is not None]
    if not known:
        return None
    unit: Unit = next((each.unit for each in r.measures if each.name == known[0].measure), "money")
    differ = [each.arm for each in known if sign_of(each, w.level) != "open"]
    fields = {"days": r.horizon_days, "control": r.arms[0]}
    lead = w("ratio.before_fits", **fields)
    if differ:
        lead = w("ratio.before_differs", arms=w.enumerated(differ), **fields)
    if r.ratio is not None and r.ratio.broken:
        lead = w("ratio.before_blocked", **fields)
    name = w("ratio.before")
    # What is told here is never an effect, so only numbers are.
    rows = [
        [each.arm, w.cell(unit, each.best.absolute), w.p(each.p)] for each in known if each.best is not None
    ]
    heads = [w("ratio.arm"), w("ratio.gap"), "p"]
    return {
        "lead": lead,
        "svg": _forest(known, unit, name, w),
        "table": {"caption": name, "heads": heads, "rows": rows},
    }


def segments(r: Readout, w: ReadoutWords) -> dict[str, Any]:
    """Where segments differ, their effects; of all others one line a dimension."""
    arms: dict[str, list[str]] = {}
    for each in r.segments:
        if not each.differ:
            arms.setdefault(each.dimension, []).append(each.arm)
    # Dimensions of the same arms are told together.
    same: dict[str, list[str]] = {}
    for dimension, which in arms.items():
        told = w("segments.all") if set(which) == set(r.arms[1:]) else w.joined(which)
        same.setdefault(told, []).append(w.dimension(dimension))
    return {
        "differ": [_segments(each, r, w) for each in r.segments if each.differ],
        "same": [
            w(w.seen("segments.same"), dimension=w.enumerated(names), arms=told)
            for told, names in same.items()
        ],
    }


def _segments(reading: SegmentReading, r: Readout, w: ReadoutWords) -> dict[str, Any]:
    unit = next(each.unit for each in r.measures if each.name == r.primary)
    found = list(reading.segments.rows)
    if {each.name for each in found} <= set(THIRDS):
        found.sort(key=lambda each: THIRDS.index(each.name))
    marks, told, rows = [], [], []
    for each in found:
        name = w.segment(reading.dimension, each.name)
        clear = each.p_adjusted < 1 - w.level and not each.shrunk.low <= 0 <= each.shrunk.high
        sign: Sign = "open" if not clear else "up" if each.shrunk.value > 0 else "down"
        marks.append(Mark(name, each.shrunk, sign))
        value, span = w.cell(unit, each.shrunk)
        told.append(w("effects.pair", arm=name, value=value, span=span))
        rows.append([(f"{name} ({each.n:,})", w.finding(sign)), (value, span), w.cell(unit, each.raw)])
    dimension = w.dimension(reading.dimension)
    picture = w("segments.picture", arm=reading.arm, dimension=dimension, level=w.sure)
    return {
        "title": w(w.seen("segments.differ"), arm=reading.arm, dimension=dimension, p=w.p_is(reading.p)),
        "svg": forest(marks, picture, w.joined(told), Axis(w.axis_title(unit), w.tick(unit))),
        "table": {
            "caption": picture,
            "heads": [w(f"segments.{key}") for key in ("segment", "shrunk", "raw")],
            "rows": rows,
        },
    }


def course(r: Readout, w: ReadoutWords) -> dict[str, Any] | None:
    """The effect by days since the assignment, one picture an arm, all on one scale; None without any."""
    if not r.course:
        return None
    unit = next(each.unit for each in r.measures if each.name == r.primary)
    curves = {}
    for arm, group in groupby(
        sorted(r.course, key=lambda each: (r.arms.index(each.arm), each.day)), lambda e: e.arm
    ):
        points = list(group)
        ends = np.array([
            (p.effect.value, p.effect.low, p.effect.high, p.together.low, p.together.high) for p in points
        ])  # fmt: skip
        # Before the first day nothing has come, and so nothing differs.
        told = np.vstack([np.zeros(5), ends])
        days = np.array([0.0, *(p.day for p in points)])
        curves[arm] = Line(arm, days, *told.T), points[-1]
    limits = limits_of([line for line, _ in curves.values()])
    x = Axis(w("course.x"), w.tick("count"))
    y = Axis(w.axis_title(unit), w.tick(unit))
    found = []
    for arm, (line, last) in curves.items():
        value, span = w.cell(unit, last.effect)
        about = w(
            "course.about",
            days=last.day,
            value=value,
            span=span,
            level=w.sure,
            together=w.ends(unit, last.together),
        )
        svg = lines([line], w("course.picture", arm=arm), about, x, y, limits)
        found.append({"title": arm, "svg": svg, "about": about})
    known = {each.day for each in r.course}
    lead = w("course.lead", measure=w.inside(r.primary), level=w.sure, step=round(max(known) / len(known)))
    return {"lead": lead, "arms": found}


def looks(r: Readout, w: ReadoutWords) -> list[dict[str, Any]]:
    """What was known at the end of each day, one picture an arm."""
    unit = next(each.unit for each in r.measures if each.name == r.primary)
    found = []
    for arm, sequence in r.looks.items():
        said = [each for each in sequence if np.isfinite([each.effect.low, each.effect.high]).all()]
        if not said:
            found.append({"title": arm, "svg": None, "about": w("course.looks_early")})
            continue
        ends = np.array([(each.effect.value, each.effect.low, each.effect.high) for each in said])
        days = np.array([float(each.day - sequence[0].day) for each in said])
        value, span = w.cell(unit, said[-1].effect)
        about = w("course.looks_about", value=value, span=span, level=w.sure)
        svg = lines(
            [Line(arm, days, *ends.T)],
            w("course.looks_picture", arm=arm),
            about,
            Axis(w("course.looks_x"), w.tick("count")),
            Axis(w.axis_title(unit), w.tick(unit)),
            # The first intervals are so wide that the last ones would be a line.
            limits_of([Line(arm, days[-_late(days) :], *ends[-_late(days) :].T)]),
        )
        found.append({"title": arm, "svg": svg, "about": about + w("format.gap") + _when(said, w)})
    return found


def _late(days: np.ndarray[Any, Any]) -> int:
    return max(1, len(days) - len(days) // 3)


def _when(said: Sequence[Look], w: ReadoutWords) -> str:
    """From which day on the interval was clear of 0."""

    def clear(of: Estimate) -> bool:
        return not of.low <= 0 <= of.high

    if not any(clear(each.effect) for each in said):
        return w("course.looks_never")
    first = next(each for each in said if clear(each.effect))
    at = _EPOCH + timedelta(days=first.day)
    day = w.date(at)
    if not clear(said[-1].effect):
        return w("course.looks_back", day=day)
    return w(f"course.looks_{'up' if first.effect.value > 0 else 'down'}", day=day)


def numbers(r: Readout, w: ReadoutWords) -> list[Table]:
    """Every number of every effect, one table a measure."""
    tables = []
    keys = ("arm", "means", "adjusted", "relative", "plain", "plain_relative", "p")
    for of in measures(r):
        rows: list[list[Any]] = []
        for each in r.effects:
            if each.measure != of.name or each.best is None or each.plain is None:
                continue
            best, plain = each.best, each.plain
            adjusted: list[Any] = [NOTHING, NOTHING]
            if each.adjusted is not None:
                adjusted = [w.cell(of.unit, best.absolute), w.relative(best.relative)]
            rows.append([
                (each.arm, f"{best.n_treated:,} / {best.n_control:,}"),
                (w.amount(of.unit, best.treated), w.amount(of.unit, best.control)),
                *adjusted,
                w.cell(of.unit, plain.absolute),
                w.relative(plain.relative),
                w.p(each.p),
            ])  # fmt: skip
        if rows:
            heads = [w(f"numbers.{key}") for key in keys]
            tables.append({"caption": w.measure(of.name), "heads": heads, "rows": rows})
    return tables
