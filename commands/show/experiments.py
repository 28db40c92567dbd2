"""What `tokui experiment` shows people on the terminal."""

from collections.abc import Collection, Sequence

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from commands.show.models import amount, decimals, grid
from evaluation.estimate import Estimate
from evaluation.experiments.beforeafter import BeforeAfter
from evaluation.experiments.overview import Assigned
from evaluation.experiments.plan import ExperimentPlan
from evaluation.experiments.records import Code, MeasureEffect, Readout, Unit
from evaluation.reports.numbers import NOTHING
from evaluation.reports.pages import PageTable
from evaluation.reports.readout.beforeafter import (
    compared_table,
    comparison_pages,
    period_sides,
    period_table,
    season_part,
)
from features.counted import counted


def experiments_shown(experiments: Sequence[Assigned], strange: str | None) -> Group:
    """Experiments with their customers by arm, and a line for everything that is odd."""
    made = grid("experiment", "customers", "by arm", "assigned")
    for experiment in experiments:
        arms = ", ".join(f"{escape(arm)} {count:,}" for arm, count in experiment.arms.items())
        days = dict.fromkeys(f"{moment:%Y-%m-%d}" for moment in (experiment.first, experiment.last))
        made.add_row(escape(experiment.experiment), f"{experiment.customers:,}", arms, " to ".join(days))
    lines = [
        f"{escape(experiment.experiment)}: [bold]noted[/] {escape(warning)}"
        for experiment in experiments
        for warning in experiment.warnings
    ]
    return Group(made, *lines, *([f"[bold]noted[/] {escape(strange)}"] if strange else []))


def plan_shown(plan: ExperimentPlan, currency: str) -> Group:
    """Accounts needed, what could be shown, and how long it takes."""
    design = plan.design
    made = grid(
        "measure", "mean", "accounts needed", "adjusted", "smallest effect shown by all", "adjusted",
        title=f"to find {plan.relative:+.1%} in {plan.horizon_days} days with power {design.power:.0%}, "
        f"{design.treatments + 1} arms; {counted(plan.accounts, 'account')} there",
    )  # fmt: skip
    for measure in plan.measures:
        made.add_row(
            f"{measure.name}, {currency}", f"{measure.mean:,.{decimals(measure.mean)}f}", f"{sum(measure.plain.rows):,}", f"{sum(measure.adjusted.rows):,}",
            f"{measure.detectable:+.1%}", f"{measure.detectable_adjusted:+.1%}",
        )  # fmt: skip
    lines = [
        "adjusted: by the same measure before; its correlation is "
        + ", ".join(
            f"{measure.correlation:.2f} for {measure.name}"
            for measure in plan.measures
            if measure.correlation
        ),
        "power on margin by resampling your own history, unadjusted: "
        + "; ".join(
            f"{counted(p.units, 'account')} {p.power.value:.0%} ({p.power.low:.0%}–{p.power.high:.0%})"
            for p in plan.curve
        ),
    ]
    rate = plan.check.false_positives
    lines.append(
        f"A/A check: {rate.value:.1%} false positives ({rate.low:.1%}–{rate.high:.1%}), {plan.check.expected:.0%} "
        f"allowed: {'passed' if plan.check.passed else '[bold]failed[/]; plain comparisons of this measure cannot be trusted'}"
    )
    if plan.waiting is not None:
        days = plan.waiting.days
        lines.append(
            f"from new accounts only ({plan.waiting.per_day:.1f} a day): {days.value:,.0f} days "
            f"({days.low:,.0f}–{days.high:,.0f}), the last outcome included"
        )
    else:
        lines.append("new accounts alone are too few; assign the accounts there are")
    return Group(made, *lines)


def readout_shown(readout: Readout) -> Group:
    """The finding, the sample ratio, effects, and what was earned."""
    lines = [f"[bold]{verdict_line(readout)}[/]"]
    if not readout.randomised:
        lines.append(
            "observational: arms were not drawn, so this holds only as far as features explain the choice"
        )
    if readout.ratio is not None:
        lines.append(readout.ratio.sentence)
    lines += [escape(warning.message) for warning in readout.warnings]
    if readout.verdict.code is Code.BLOCKED:
        return Group(*lines)
    effects = grid(
        "measure", "arm", "effect", "relative", "p", "", title=f"against {readout.arms[0]}, 95 % intervals"
    )
    units = {measure.name: (measure.unit, measure.days) for measure in readout.measures}
    for effect in readout.effects:
        unit, days = units.get(effect.measure, ("money", readout.horizon_days))
        effects.add_row(f"{effect.measure}, {days} d", escape(effect.arm), *_cells(effect, unit, readout))
    return Group(*lines, effects, *_earned(readout))


def summary(readout: Readout) -> Group:
    """The finding and what was earned."""
    return Group(f"[bold]{verdict_line(readout)}[/]", *_earned(readout))


def _earned(readout: Readout) -> list[Table | str]:
    if not readout.returns:
        return []
    made = grid(
        "arm", "customers", f"margin, {readout.currency}", "cost", "net", "back per unit spent",
        title=f"a customer in {readout.horizon_days} days, 95 % intervals",
    )  # fmt: skip
    backs = (*readout.returns, *readout.lasting)
    # One table, one number of decimals: its amounts are compared with one another.
    digits = decimals(*(back.cost for back in backs), *(back.per_customer.value for back in backs))
    for back in backs:
        roi, free = back.roi, back.cost == 0
        told = NOTHING if roi is None else f"{roi.value:.1f} ({roi.low:.1f} to {roi.high:.1f})"
        name = f"{escape(back.arm)}, and LTV after" if back.beyond else escape(back.arm)
        cost, net = (
            (NOTHING, NOTHING) if free else (f"{back.cost:,.{digits}f}", amount(back.net, digits=digits))
        )
        made.add_row(name, f"{back.customers:,}", amount(back.per_customer, digits=digits), cost, net, told)
    lines: list[Table | str] = [made]
    if not readout.lasting:
        lines.append(
            "LTV after the horizon is told once an LTV model is champion: tokui train ltv, tokui promote ltv"
        )
    if any(back.cost == 0 for back in readout.returns):
        lines.append(
            escape(
                "give what a treatment costs under [uplift.costs] in tokui.toml to see what came back for it"
            )
        )
    return lines


def verdict_line(readout: Readout) -> str:
    """The finding in one line."""
    gains, losses = (", ".join(map(escape, arms)) for arms in (readout.verdict.gains, readout.verdict.losses))
    days = f"{readout.primary} in {readout.horizon_days} days"
    raised, lowered = ("raised", "lowered") if readout.randomised else ("shows higher", "shows lower")
    return {
        Code.BLOCKED: "no verdict: the sample ratio is broken",
        Code.GAIN: f"{gains} {raised} {days}",
        Code.LOSS: f"{losses} {lowered} {days}",
        Code.MIXED: f"{gains} {raised} and {losses} {lowered} {days}",
        Code.UNPROVEN: f"not proven that any arm changed {days}",
    }[readout.verdict.code]


def before_after_shown(comparison: BeforeAfter, currency: str) -> Group:
    """That it is not causal, and the tables of the page; periods that are not compared are faint."""
    [page] = comparison_pages([comparison], currency)
    faint = {k for k, side in enumerate(period_sides(comparison)) if side == "none"}
    season = season_part(page)
    parts = [_as_on_page(compared_table(page))]
    if season.picture is not None and season.picture.table is not None:
        parts.append(_as_on_page(season.picture.table))
    sentence = f"[bold]{escape(comparison.sentence)}[/]"
    return Group(sentence, *parts, season.lead, _as_on_page(period_table(page), faint))


def _as_on_page(table: PageTable, faint: Collection[int] = ()) -> Table:
    """A table of a page: the same words and numbers, an interval below its number."""
    made = grid(*table.heads, title=table.caption)
    for k, row in enumerate(table.rows):
        cells = (cell if isinstance(cell, str) else "\n".join(filter(None, cell)) for cell in row)
        made.add_row(*map(escape, cells), style="dim" if k in faint else None)
    return made


def _cells(effect: MeasureEffect, unit: Unit, readout: Readout) -> tuple[str, str, str, str]:
    best = effect.best
    if best is None:
        return NOTHING, NOTHING, NOTHING, escape(effect.refused or "")
    relative = best.relative
    share = (
        f"{relative.value:+.1%} ({relative.low:+.1%} to {relative.high:+.1%})"
        if relative.value == relative.value
        else NOTHING
    )
    note = "proven" if effect.p < 1 - readout.level else "not proven"
    return _shown(best.absolute, unit), share, f"{effect.p:.3f}", note


def _shown(value: Estimate, unit: Unit) -> str:
    if unit == "share":
        return f"{value.value * 100:+.2f} ({value.low * 100:+.2f} to {value.high * 100:+.2f}) points"
    if unit == "count":
        return f"{value.value:+.2f} ({value.low:+.2f} to {value.high:+.2f})"
    return amount(value)
