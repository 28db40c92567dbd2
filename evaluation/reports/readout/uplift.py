"""Whom to treat: the part of an experiment's report about an uplift model of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from evaluation.estimate import Estimate
from evaluation.experiments.targeting import UpliftReading
from evaluation.reports.charts import Axis, Mark, Trace, forest_chart, limits_of, line_chart
from evaluation.reports.pages import PageCell, PageTable, Picture
from evaluation.reports.readout.pictures import THIRDS
from evaluation.reports.readout.words import ReadoutWords
from evaluation.uplift.curves import Curve
from evaluation.uplift.policy import NOBODY

_BUDGETS = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class UpliftPage:
    """An uplift model of an experiment and the words it is told in.

    Args:
        reading: What the model is worth.
        words: Of the page.
    """

    reading: UpliftReading
    words: ReadoutWords

    @property
    def learner(self) -> str:
        """What the chosen learner is called."""
        return self.learner_name(self.reading.learner)

    def learner_name(self, name: str) -> str:
        """What a learner is called."""
        return self.words.either(f"learners.{name}", name)

    def axis(self, title: str) -> Axis:
        """An axis of money."""
        return Axis(self.words(title, currency=self.words.coin), self.words.amount_tick)


@dataclass(frozen=True)
class BudgetPart:
    """What a budget brings: what is said of it, the picture with its table, and choosing against one arm for all."""

    lead: str
    picture: Picture
    ahead: str = ""


@dataclass(frozen=True)
class UpliftPart:
    """Whom to treat.

    Args:
        lead: Whether choosing is proven.
        version: Of the model, empty if it has none.
        learners: Compared, if there were several.
        arms: What the order is worth by arm.
        curves: Qini and TOC of each arm.
        budget: What a budget brings.
        rules: Whom to treat; None where choosing is not proven.
    """

    lead: str
    version: str
    learners: Picture | None
    arms: PageTable
    curves: Sequence[Picture]
    budget: BudgetPart
    rules: PageTable | None


def uplift_part(page: UpliftPage) -> UpliftPart:
    """Learners, curves, what a budget brings, and the rule."""
    reading, w = page.reading, page.words
    lead = w.seen("uplift.proven") if reading.proven else "uplift.unproven"
    return UpliftPart(
        lead=w(lead, learner=page.learner, p=w.p_is(reading.p)),
        version="" if reading.version is None else w("uplift.version", number=reading.version),
        learners=_learners(page),
        arms=_arms(page),
        curves=_curves(page),
        budget=_budget(page),
        rules=_rules(page) if reading.proven else None,
    )


def _learners(page: UpliftPage) -> Picture | None:
    reading, w = page.reading, page.words
    if not reading.learners:
        return None
    named = {page.learner_name(name): estimate for name, estimate in reading.learners.items()}
    ordered = sorted(named.items(), key=lambda pair: -pair[1].value)
    cells = [(name, w.cell("money", estimate)) for name, estimate in ordered]
    told = [w("effects.pair", arm=name, value=value, span=span) for name, (value, span) in cells]
    # No triangle: which learner is best is judged by one test for all of them, told in words.
    marks = [Mark(name, estimate) for name, estimate in ordered]
    svg = forest_chart(marks, w("uplift.learners"), w.joined(told), page.axis("uplift.qini_of"))
    heads = [w("uplift.learner"), w("uplift.qini")]
    return Picture(svg, table=PageTable(w("uplift.learners"), heads, cells))


def _arms(page: UpliftPage) -> PageTable:
    reading, w = page.reading, page.words
    rows: list[list[PageCell]] = [
        [arm, w.cell("money", qini), w.cell("money", reading.autoc[arm])]
        for arm, qini in reading.qini.items()
    ]
    heads = [w("uplift.arm"), w("uplift.qini"), w("uplift.autoc")]
    # Two wide intervals beside a name do not fit on a phone.
    return PageTable(w("uplift.arms", learner=page.learner), heads, rows, stack=True)


def _curves(page: UpliftPage) -> list[Picture]:
    reading, w = page.reading, page.words
    across = Axis(w("uplift.share"), w.share_tick)
    pictures: dict[str, list[Picture]] = {arm: [] for arm in reading.curves}
    # The first hundredths of a TOC are a handful of customers; their band would hide all else.
    for key, title, curves, start in (
        ("qini_curve", "uplift.gain_y", reading.curves, 0.0),
        ("toc_curve", "uplift.toc_y", reading.toc, 0.05),
    ):
        shown = {arm: _trace(arm, curve, start) for arm, curve in curves.items()}
        limits = limits_of(list(shown.values())) if key == "qini_curve" else None
        for arm, trace in shown.items():
            name = w(f"uplift.{key}", arm=arm)
            about = w("uplift.curve_about", quarter=_at(trace, 0.25, w), half=_at(trace, 0.5, w))
            svg = line_chart([trace], name, about, across, page.axis(title), limits)
            pictures[arm].append(Picture(svg, name))
    return [picture for both in pictures.values() for picture in both]


def _trace(arm: str, curve: Curve, start: float) -> Trace:
    there = curve.at >= start
    return Trace(arm, curve.at[there], curve.value[there], curve.low[there], curve.high[there])


def _at(trace: Trace, share: float, w: ReadoutWords) -> str:
    return w.change("money", float(np.interp(share, trace.x, trace.y)))


def _budget(page: UpliftPage) -> BudgetPart:
    reading, w = page.reading, page.words
    gain = reading.gain
    at, n = gain.policy.at, gain.customers
    if not at[-1] > at[0]:
        flat = "budget_loss" if any(reading.costs.values()) else "budget_flat"
        return BudgetPart(w(f"uplift.{flat}"), Picture(None))
    single = _singles(reading)
    constant = w("uplift.constant_arm", arm=single[0][0]) if len(single) == 1 else w("uplift.constant")
    curves = {w("uplift.policy"): gain.policy, constant: gain.constant, w("uplift.random"): gain.random}
    drawn = [
        Trace(name, at, curve.value * n, *((curve.low * n, curve.high * n) if curve is gain.policy else ()))
        for name, curve in curves.items()
    ]
    ends = w.sums([float(curve.value[-1]) * n for curve in curves.values()])
    told = [w("uplift.budget_end", name=name, value=value) for name, value in zip(curves, ends, strict=True)]
    about = w("uplift.budget_about", all=w.joined(told))
    across, up = page.axis("uplift.budget_x"), page.axis("uplift.budget_y")
    svg = line_chart(drawn, w("uplift.budget"), about, across, up)
    lead = w("uplift.budget_lead", customers=w.number(n, 0), level=w.sure, single=_single(single, w))
    return BudgetPart(lead, Picture(svg, table=_budgets(page, curves)), _ahead(page))


def _budgets(page: UpliftPage, curves: dict[str, Curve]) -> PageTable:
    """Gains at some budgets, by name of the curve."""
    w, at, n = page.words, page.reading.gain.policy.at, page.reading.gain.customers
    steps = [int(np.argmin(np.abs(at - share * at[-1]))) for share in _BUDGETS]
    cells = w.totals([
        Estimate(*(float(ends[k]) * n for ends in (curve.value, curve.low, curve.high)))
        for k in steps
        for curve in curves.values()
    ])  # fmt: skip
    rows: list[list[PageCell]] = [
        [budget, *cells[i * len(curves) : (i + 1) * len(curves)]]
        for i, budget in enumerate(w.sums([float(at[k]) for k in steps]))
    ]
    heads = [w("uplift.budget_x", currency=w.coin), *curves]
    return PageTable(w("uplift.budget_caption", level=w.sure), heads, rows)


def _ahead(page: UpliftPage) -> str:
    """Choosing by model against the best arm for everyone, where there is no budget."""
    reading, w = page.reading, page.words
    if reading.ahead is None:
        return ""
    gap, n = reading.ahead.gain, reading.gain.customers
    which = "clear" if gap.low > 0 else "behind" if gap.high < 0 else "unclear"
    low, high = w.sums([gap.low * n, gap.high * n])
    return w(f"uplift.ahead_{which}", arm=reading.ahead.arm, low=low, high=high, level=w.sure)


def _singles(reading: UpliftReading) -> list[tuple[str, float]]:
    """The arms that are best for all, each with the budget from which it is, ascending."""
    arms, gain = tuple(reading.toc), reading.gain
    budgets = [(arms[k], float(at)) for k, at in zip(gain.best, gain.policy.at, strict=True) if k != NOBODY]
    return [next(group) for _, group in groupby(budgets, lambda budget: budget[0])]


def _single(singles: list[tuple[str, float]], w: ReadoutWords) -> str:
    if not singles:
        return w("uplift.single_none")
    first, *others = singles
    told = [
        w("uplift.single_from", arm=arm, money=money)
        for (arm, _), money in zip(others, w.sums([at for _, at in others]), strict=True)
    ]
    return w("uplift.single", arms=w.joined([first[0], *told]))


def _rules(page: UpliftPage) -> PageTable:
    w, rules = page.words, list(page.reading.rules)
    if {rule.segment for rule in rules} <= set(THIRDS):
        rules.sort(key=lambda rule: -THIRDS.index(rule.segment))
    money = iter(w.sums([amount for rule in rules for amount in (rule.cost, rule.net)]))
    rows = [
        [
            w.segment("value", rule.segment),
            rule.arm,
            w("uplift.of", treated=w.number(rule.treated, 0), customers=w.number(rule.customers, 0)),
            w.money(rule.lowest_uplift),
            w.percent(rule.followed, 0),
            cost,
            net,
        ]
        for rule, cost, net in zip(rules, money, money, strict=True)
    ]
    keys = ("segment", "arm", "treated", "lowest", "followed", "cost", "net")
    return PageTable(w("uplift.rules_lead"), [w(f"uplift.{key}") for key in keys], rows)
