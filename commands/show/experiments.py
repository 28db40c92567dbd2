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


def experiments_shown(found: Sequence[Assigned], strange: str | None) -> Group:
    """Experiments with their customers by arm, and a line for everything that is odd."""
    made = grid("experiment", "customers", "by arm", "assigned")
    for each in found:
        arms = ", ".join(f"{escape(arm)} {count:,}" for arm, count in each.arms.items())
        days = dict.fromkeys(f"{moment:%Y-%m-%d}" for moment in (each.first, each.last))
        made.add_row(escape(each.experiment), f"{each.customers:,}", arms, " to ".join(days))
    lines = [
        f"{escape(each.experiment)}: [bold]noted[/] {escape(warning)}"
        for each in found
        for warning in each.warnings
    ]
    return Group(made, *lines, *([f"[bold]noted[/] {escape(strange)}"] if strange else []))


def plan_shown(found: ExperimentPlan, currency: str) -> Group:
    """Accounts needed, what could be shown, and how long it takes."""
    design = found.design
    made = grid(
        "measure", "mean", "accounts needed", "adjusted", "smallest effect shown by all", "adjusted",
        title=f"to find {found.relative:+.1%} in {found.horizon_days} days with power {design.power:.0%}, "
        f"{design.treatments + 1} arms; {counted(found.accounts, 'account')} there",
    )  # fmt: skip
    for each in found.measures:
        made.add_row(
            f"{each.name}, {currency}", f"{each.mean:,.{decimals(each.mean)}f}", f"{sum(each.plain.rows):,}", f"{sum(each.adjusted.rows):,}",
            f"{each.detectable:+.1%}", f"{each.detectable_adjusted:+.1%}",
        )  # fmt: skip
    lines = [
        "adjusted: by the same measure before; its correlation is "
        + ", ".join(f"{each.correlation:.2f} for {each.name}" for each in found.measures if each.correlation),
        "power on margin by resampling your own history, unadjusted: "
        + "; ".join(
            f"{counted(p.units, 'account')} {p.power.value:.0%} ({p.power.low:.0%}–{p.power.high:.0%})"
            for p in found.curve
        ),
    ]
    rate = found.check.false_positives
    lines.append(
        f"A/A check: {rate.value:.1%} false positives ({rate.low:.1%}–{rate.high:.1%}), {found.check.expected:.0%} "
        f"allowed: {'passed' if found.check.passed else '[bold]failed[/]; plain comparisons of this measure cannot be trusted'}"
    )
    if found.waiting is not None:
        days = found.waiting.days
        lines.append(
            f"from new accounts only ({found.waiting.per_day:.1f} a day): {days.value:,.0f} days "
            f"({days.low:,.0f}–{days.high:,.0f}), the last outcome included"
        )
    else:
        lines.append("new accounts alone are too few; assign the accounts there are")
    return Group(made, *lines)


def readout_shown(found: Readout) -> Group:
    """The finding, the sample ratio, effects, and what was earned."""
    lines = [f"[bold]{verdict_line(found)}[/]"]
    if not found.randomised:
        lines.append(
            "observational: arms were not drawn, so this holds only as far as features explain the choice"
        )
    if found.ratio is not None:
        lines.append(found.ratio.sentence)
    lines += [escape(each.message) for each in found.warnings]
    if found.verdict.code is Code.BLOCKED:
        return Group(*lines)
    effects = grid(
        "measure", "arm", "effect", "relative", "p", "", title=f"against {found.arms[0]}, 95 % intervals"
    )
    units = {each.name: (each.unit, each.days) for each in found.measures}
    for each in found.effects:
        unit, days = units.get(each.measure, ("money", found.horizon_days))
        effects.add_row(f"{each.measure}, {days} d", escape(each.arm), *_cells(each, unit, found))
    return Group(*lines, effects, *_earned(found))


def summary(found: Readout) -> Group:
    """The finding and what was earned."""
    return Group(f"[bold]{verdict_line(found)}[/]", *_earned(found))


def _earned(found: Readout) -> list[Table | str]:
    if not found.returns:
        return []
    made = grid(
        "arm", "customers", f"margin, {found.currency}", "cost", "net", "back per unit spent",
        title=f"a customer in {found.horizon_days} days, 95 % intervals",
    )  # fmt: skip
    backs = (*found.returns, *found.lasting)
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
    if not found.lasting:
        lines.append(
            "LTV after the horizon is told once an LTV model is champion: tokui train ltv, tokui promote ltv"
        )
    if any(back.cost == 0 for back in found.returns):
        lines.append(
            escape(
                "give what a treatment costs under [uplift.costs] in tokui.toml to see what came back for it"
            )
        )
    return lines


def verdict_line(found: Readout) -> str:
    """The finding in one line."""
    gains, losses = (", ".join(map(escape, arms)) for arms in (found.verdict.gains, found.verdict.losses))
    days = f"{found.primary} in {found.horizon_days} days"
    raised, lowered = ("raised", "lowered") if found.randomised else ("shows higher", "shows lower")
    return {
        Code.BLOCKED: "no verdict: the sample ratio is broken",
        Code.GAIN: f"{gains} {raised} {days}",
        Code.LOSS: f"{losses} {lowered} {days}",
        Code.MIXED: f"{gains} {raised} and {losses} {lowered} {days}",
        Code.UNPROVEN: f"not proven that any arm changed {days}",
    }[found.verdict.code]


def before_after_shown(found: BeforeAfter, currency: str) -> Group:
    """That it is not causal, and the tables of the page; periods that are not compared are faint."""
    [page] = comparison_pages([found], currency)
    faint = {k for k, side in enumerate(period_sides(found)) if side == "none"}
    season = season_part(page)
    parts = [_as_on_page(compared_table(page))]
    if season.picture is not None and season.picture.table is not None:
        parts.append(_as_on_page(season.picture.table))
    sentence = f"[bold]{escape(found.sentence)}[/]"
    return Group(sentence, *parts, season.lead, _as_on_page(period_table(page), faint))


def _as_on_page(table: PageTable, faint: Collection[int] = ()) -> Table:
    """A table of a page: the same words and numbers, an interval below its number."""
    made = grid(*table.heads, title=table.caption)
    for k, row in enumerate(table.rows):
        cells = (cell if isinstance(cell, str) else "\n".join(filter(None, cell)) for cell in row)
        made.add_row(*map(escape, cells), style="dim" if k in faint else None)
    return made


def _cells(each: MeasureEffect, unit: Unit, found: Readout) -> tuple[str, str, str, str]:
    best = each.best
    if best is None:
        return NOTHING, NOTHING, NOTHING, escape(each.refused or "")
    relative = best.relative
    share = (
        f"{relative.value:+.1%} ({relative.low:+.1%} to {relative.high:+.1%})"
        if relative.value == relative.value
        else NOTHING
    )
    note = "proven" if each.p < 1 - found.level else "not proven"
    return _shown(best.absolute, unit), share, f"{each.p:.3f}", note


def _shown(value: Estimate, unit: Unit) -> str:
    if unit == "share":
        return f"{value.value * 100:+.2f} ({value.low * 100:+.2f} to {value.high * 100:+.2f}) points"
    if unit == "count":
        return f"{value.value:+.2f} ({value.low:+.2f} to {value.high:+.2f})"
    return amount(value)
