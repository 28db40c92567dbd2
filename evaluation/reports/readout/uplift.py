"""Whom to treat: the part of an experiment's report about an uplift model of it."""

from itertools import groupby
from typing import Any

import numpy as np

from evaluation.estimate import Estimate
from evaluation.experiments.targeting import UpliftReading
from evaluation.reports.charts import Axis, Line, Mark, forest, limits_of, lines
from evaluation.reports.readout.pictures import THIRDS
from evaluation.reports.readout.words import ReadoutWords
from evaluation.uplift.curves import Curve
from evaluation.uplift.policy import NOBODY

_BUDGETS = (0.25, 0.5, 0.75, 1.0)


def uplift(found: UpliftReading, w: ReadoutWords) -> dict[str, Any]:
    """Learners, curves, what a budget brings, and the rule."""
    learner = w.either(f"learners.{found.learner}", found.learner)
    lead = w.seen("uplift.proven") if found.proven else "uplift.unproven"
    return {
        "lead": w(lead, learner=learner, p=w.p_is(found.p)),
        "version": "" if found.version is None else w("uplift.version", number=found.version),
        "learners": _learners(found, w),
        "arms": _arms(found, learner, w),
        "curves": _curves(found, w),
        "gain": _gain(found, w),
        "rules": _rules(found, w) if found.proven else None,
    }


def _axis(w: ReadoutWords, title: str) -> Axis:
    return Axis(w(title, currency=w.coin), w.tick("money"))


def _learners(found: UpliftReading, w: ReadoutWords) -> dict[str, Any] | None:
    if not found.learners:
        return None
    named = {w.either(f"learners.{name}", name): each for name, each in found.learners.items()}
    ordered = sorted(named.items(), key=lambda pair: -pair[1].value)
    told = [
        w("effects.pair", arm=name, value=v, span=s)
        for name, each in ordered
        for v, s in [w.cell("money", each)]
    ]
    # No triangle: which learner is best is judged by one test for all of them, told in words.
    marks = [Mark(name, each) for name, each in ordered]
    svg = forest(marks, w("uplift.learners"), w.joined(told), _axis(w, "uplift.qini_of"))
    rows = [[name, w.cell("money", each)] for name, each in ordered]
    heads = [w("uplift.learner"), w("uplift.qini")]
    return {"svg": svg, "table": {"caption": w("uplift.learners"), "heads": heads, "rows": rows}}


def _arms(found: UpliftReading, learner: str, w: ReadoutWords) -> dict[str, Any]:
    rows = [
        [arm, w.cell("money", each), w.cell("money", found.autoc[arm])] for arm, each in found.qini.items()
    ]
    heads = [w("uplift.arm"), w("uplift.qini"), w("uplift.autoc")]
    # Two wide intervals beside a name do not fit on a phone.
    return {"caption": w("uplift.arms", learner=learner), "heads": heads, "rows": rows, "stack": True}


def _curves(found: UpliftReading, w: ReadoutWords) -> list[dict[str, Any]]:
    across = Axis(w("uplift.share"), w.percent_tick)
    pictures: dict[str, list[dict[str, Any]]] = {arm: [] for arm in found.curves}
    # The first hundredths of a TOC are a handful of customers; their band would hide all else.
    for key, title, curves, start in (
        ("qini_curve", "uplift.gain_y", found.curves, 0.0),
        ("toc_curve", "uplift.toc_y", found.toc, 0.05),
    ):
        shown = {arm: _line(arm, curve, start) for arm, curve in curves.items()}
        limits = limits_of(list(shown.values())) if key == "qini_curve" else None
        for arm, line in shown.items():
            name = w(f"uplift.{key}", arm=arm)
            about = w("uplift.curve_about", quarter=_at(line, 0.25, w), half=_at(line, 0.5, w))
            svg = lines([line], name, about, across, _axis(w, title), limits)
            pictures[arm].append({"title": name, "svg": svg})
    return [each for both in pictures.values() for each in both]


def _line(arm: str, curve: Curve, start: float) -> Line:
    there = curve.at >= start
    return Line(arm, curve.at[there], curve.value[there], curve.low[there], curve.high[there])


def _at(line: Line, share: float, w: ReadoutWords) -> str:
    return w.change("money", float(np.interp(share, line.x, line.y)))


def _gain(found: UpliftReading, w: ReadoutWords) -> dict[str, Any]:
    gain = found.gain
    at, n = gain.policy.at, gain.customers
    if not at[-1] > at[0]:
        flat = "budget_loss" if any(found.costs.values()) else "budget_flat"
        return {"lead": w(f"uplift.{flat}"), "svg": None}
    single = _singles(found)
    lead = w("uplift.budget_lead", customers=w.number(n, 0), level=w.sure, single=_single(single, w))
    names = {key: w(f"uplift.{key}") for key in ("policy", "constant", "random")}
    if len(single) == 1:
        names["constant"] = w("uplift.constant_arm", arm=single[0][0])
    curves = {key: getattr(gain, key) for key in names}
    drawn = [
        Line(names[key], at, curve.value * n, *((curve.low * n, curve.high * n) if key == "policy" else ()))
        for key, curve in curves.items()
    ]
    ends = w.sums([float(curve.value[-1]) * n for curve in curves.values()])
    told = [w("uplift.budget_end", name=name, value=v) for name, v in zip(names.values(), ends, strict=True)]
    svg = lines(
        drawn,
        w("uplift.budget"),
        w("uplift.budget_about", all=w.joined(told)),
        Axis(w("uplift.budget_x", currency=w.coin), w.tick("money")),
        _axis(w, "uplift.budget_y"),
    )
    steps = [int(np.argmin(np.abs(at - share * at[-1]))) for share in _BUDGETS]
    cells = w.totals([
        Estimate(*(float(each[k]) * n for each in (curve.value, curve.low, curve.high)))
        for k in steps
        for curve in curves.values()
    ])  # fmt: skip
    rows: list[list[Any]] = [
        [budget, *cells[i * len(curves) : (i + 1) * len(curves)]]
        for i, budget in enumerate(w.sums([float(at[k]) for k in steps]))
    ]
    heads = [w("uplift.budget_x", currency=w.coin), *names.values()]
    table = {"caption": w("uplift.budget_caption", level=w.sure), "heads": heads, "rows": rows}
    return {"lead": lead, "svg": svg, "ahead": _ahead(found, w), "table": table}


def _ahead(found: UpliftReading, w: ReadoutWords) -> str:
    """Choosing by model against the best arm for everyone, where there is no budget."""
    if found.ahead is None:
        return ""
    gap, n = found.ahead.gain, found.gain.customers
    which = "clear" if gap.low > 0 else "behind" if gap.high < 0 else "unclear"
    low, high = w.sums([gap.low * n, gap.high * n])
    return w(f"uplift.ahead_{which}", arm=found.ahead.arm, low=low, high=high, level=w.sure)


def _singles(found: UpliftReading) -> list[tuple[str, float]]:
    """The arms that are best for all, each with the budget from which it is, ascending."""
    arms, gain = tuple(found.toc), found.gain
    budgets = [(arms[k], float(at)) for k, at in zip(gain.best, gain.policy.at, strict=True) if k != NOBODY]
    return [next(group) for _, group in groupby(budgets, lambda each: each[0])]


def _single(singles: list[tuple[str, float]], w: ReadoutWords) -> str:
    if not singles:
        return w("uplift.single_none")
    first, *others = singles
    told = [
        w("uplift.single_from", arm=arm, money=money)
        for (arm, _), money in zip(others, w.sums([at for _, at in others]), strict=True)
    ]
    return w.joined([first[0], *told])


def _rules(found: UpliftReading, w: ReadoutWords) -> dict[str, Any]:
    rules = list(found.rules)
    if {each.segment for each in rules} <= set(THIRDS):
        rules.sort(key=lambda each: -THIRDS.index(each.segment))
    money = iter(w.sums([each for rule in rules for each in (rule.cost, rule.net)]))
    rows = [
        [
            w.segment("value", each.segment),
            each.arm,
            w("uplift.of", treated=f"{each.treated:,}", customers=f"{each.customers:,}"),
            w.money(each.lowest_uplift),
            w.percent(each.followed, 0),
            cost,
            net,
        ]
        for each, cost, net in zip(rules, money, money, strict=True)
    ]
    keys = ("segment", "arm", "treated", "lowest", "followed", "cost", "net")
    return {"caption": w("uplift.rules_lead"), "heads": [w(f"uplift.{key}") for key in keys], "rows": rows}
