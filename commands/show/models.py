"""What the command line shows people: reports, trainings, versions and promotions as tables."""

from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from evaluation.estimate import Estimate
from evaluation.jsonable import jsonable
from evaluation.reports.readout.words import coarse
from features.binding.report import TableReport
from features.counted import counted
from features.oddities import Oddity
from training.jobs import JOBS
from training.promotion import Promotion
from training.tracking import Version
from training.uplift.train import UpliftTraining
from training.value.train import Training

METRICS_SHOWN = 4
"""So many metrics stand side by side on a narrow terminal; the model card has all."""


def grid(*names: str, title: str | None = None) -> Table:
    """A table whose cells wrap where the window is too narrow for them, so that no column is lost."""
    made = Table(title=title, title_justify="left")
    for name in names:
        made.add_column(name, overflow="fold")
    return made


def reports(table_reports: Iterable[TableReport], currency: str) -> Group:
    """What binding found, a row a table, money by year, and a line for everything that was dropped or odd."""
    table_reports = list(table_reports)
    made = grid("table", "rows", "kept", "customers", "first", "last", "empty values")
    lines = []
    for report in table_reports:
        first, last = (f"{t:%Y-%m-%d}" if t else "" for t in (report.first, report.last))
        empty = ", ".join(f"{name} {count:,}" for name, count in report.nulls.items() if count)
        counts = (f"{n:,}" for n in (report.rows_read, report.rows_kept, report.customers))
        made.add_row(report.table, *counts, first, last, empty)
        for word, findings in (("dropped", report.dropped), ("noted", report.warnings)):
            lines += [f"{report.table}: [bold]{word}[/] {escape(str(finding))}" for finding in findings]
    return Group(made, *_control_totals(table_reports, currency), *lines)


def _control_totals(table_reports: Iterable[TableReport], currency: str) -> Iterable[Table]:
    """Money by calendar year, to be held against the books."""
    columns = [(report, name) for report in table_reports for name in report.totals]
    if not columns:
        return
    years = sorted({year for report, name in columns for year in report.by_year[name]})
    made = grid("year", *(f"{report.table}.{name}" for report, name in columns), title=f"money in {currency}")
    for year in years:
        made.add_row(str(year), *(f"{report.by_year[name].get(year, 0.0):,.2f}" for report, name in columns))
    made.add_row("in all", *(f"{report.totals[name]:,.2f}" for report, name in columns))
    yield made


def candidates_shown(
    title: str, chosen: str, judged: Mapping[str, Mapping[str, Estimate]], refused: Mapping[str, str]
) -> Group:
    """Candidates and their metrics with intervals, the chosen one in bold."""
    names = list(judged[chosen])[:METRICS_SHOWN]
    made = grid("candidate", *names, title=f"{title}, 95 % intervals")
    for kind, metrics in judged.items():
        mark = "[bold]" if kind == chosen else ""
        name = f"{mark}{kind}\n[not bold dim]chosen[/]" if kind == chosen else kind
        shown = (metrics[name] for name in names)
        cells = (f"{mark}{e.value:.3f}\n[not bold dim]{e.low:.3f}–{e.high:.3f}[/]" for e in shown)
        made.add_row(name, *cells)
    lines = (f"{kind} could not take part: {escape(reason)}" for kind, reason in refused.items())
    return Group(made, *lines)


def versions(registered: Sequence[Version]) -> Table | str:
    """Versions, their aliases and what was measured."""
    if not registered:
        return "no models yet; run [bold]tokui train[/]"
    made = grid("model", "alias", "kind", "judged at", "out of time (95 % interval)")
    for version in registered:
        measured = list(version.metrics.items())[:METRICS_SHOWN]
        shown = "\n".join(f"{name} {e.value:.3f} ({e.low:.3f}–{e.high:.3f})" for name, e in measured)
        name = f"{version.task} {version.number}"
        made.add_row(name, ", ".join(version.aliases), version.kind, version.judged_at[:10], shown)
    return made


def version_document(version: Version) -> dict[str, Any]:
    """A version for machines."""
    return {
        "task": version.task,
        "version": version.number,
        "aliases": version.aliases,
        "kind": version.kind,
        "judged_at": version.judged_at,
        "run_id": version.run_id,
        "metrics": {name: jsonable(estimate) for name, estimate in version.metrics.items()},
        "refused": version.refused,
    }


def promoted(made: Promotion) -> str:
    """Who is champion now, and why."""
    task = made.version.task
    if made.forced:
        why = "by force"
    elif made.before is None:
        why = "first champion"
    else:
        why = f"was {made.before.number}"
    if made.comparison is not None:
        c = made.comparison
        why += f"; {JOBS[task].metric} {c.a:.4g} against {c.b:.4g} on {counted(made.customers, 'customer')}"
    return f"[bold]{task} {made.version.number}[/] is champion ({why})"


@singledispatch
def trained(made: Any, version: Version) -> RenderableType:
    """What a training found; every job's own way to show it is registered below."""
    raise TypeError(f"{type(made).__name__} of {version.task} cannot be shown")


@singledispatch
def document(made: Any, version: Version) -> dict[str, Any]:
    """The same for machines."""
    raise TypeError(f"{type(made).__name__} of {version.task} cannot be told")


@trained.register
def _(made: Training, version: Version) -> Group:
    judged_on = f"{counted(len(made.backtest.actual), 'customer')} from {version.judged_at[:10]} on"
    return contest_shown(f"{version.task} {version.number}, {judged_on}", made)


@document.register
def _(made: Training, version: Version) -> dict[str, Any]:
    return version_document(version) | {"warnings": jsonable(made.oddities)}


def contest_shown(title: str, made: Training) -> Group:
    """The candidates of a training."""
    judged = {kind: candidate.metrics for kind, candidate in made.backtest.candidates.items()}
    contest = candidates_shown(title, made.backtest.chosen, judged, made.backtest.refused)
    return Group(contest, oddities_shown(made.oddities))


def oddities_shown(strange: Iterable[Oddity]) -> Group:
    """A line for everything that is strange about a history."""
    return Group(*(f"orders: [bold]noted[/] {escape(odd.message)}" for odd in strange))


@document.register
def _(made: UpliftTraining, version: Version) -> dict[str, Any]:
    facts = made.facts
    return version_document(version) | {
        "experiment": facts.experiment,
        "observational": facts.observational,
        "customers": facts.customers,
        "learner": facts.learner,
        "proven": facts.proven,
        "p_better": jsonable(made.selection.p_better),
        "effects": {arm: jsonable(effect) for arm, effect in made.effects.items()},
        "warnings": [vars(warned) for warned in made.enrolment.warnings],
    }


def decimals(*amounts: float) -> int:
    """Decimals that amounts of money are told with: none from a thousand on."""
    return 0 if coarse(amounts) else 2


def amount(estimate: Estimate, sign: str = "+", digits: int | None = None) -> str:
    """Money with its interval; decimals as it needs them by itself if not given."""
    ends = (estimate.value, estimate.low, estimate.high)
    digits = decimals(*ends) if digits is None else digits
    value, low, high = (f"{end:{sign},.{digits}f}" for end in ends)
    return f"{value} ({low} to {high})"


@trained.register
def _(made: UpliftTraining, version: Version) -> Group:
    """Learners compared, what each arm did on average, and whether it matters who is treated."""
    facts, selection = made.facts, made.selection
    currency = facts.currency
    learners = grid(
        "learner", f"Qini, {currency} a customer", f"p, for all {len(selection.estimates)}", "",
        title=f"{version.task} {version.number} from {facts.experiment}, {counted(int(made.judged.sum()), 'customer')}, "
        "95 % intervals",
    )  # fmt: skip
    for kind, qini in sorted(selection.estimates.items(), key=lambda item: -item[1].value):
        note = "best" if kind == selection.chosen else ""
        learners.add_row(
            kind,
            amount(qini, ""),
            f"{selection.p_better[kind]:.3f}",
            note,
        )
    arms = grid("arm", f"mean effect, {currency}", "customers", title="against " + facts.control)
    for arm, effect in made.effects.items():
        arms.add_row(
            escape(arm),
            amount(effect),
            f"{facts.customers[arm]:,}",
        )
    said = (
        f"proven: {selection.chosen} ranks customers better than treating everyone the same"
        if selection.proven
        else "not proven that any learner ranks customers better than treating everyone the same, so everyone gets "
        "an arm's mean effect"
    )
    lines = [escape(warning.message) for warning in made.enrolment.warnings]
    if facts.observational:
        lines.insert(
            0,
            "observational: arms were not drawn, so all of this holds only as far as features explain the choice",
        )
    if made.overlap is not None and made.overlap.outside:
        lines.append(f"{made.overlap.outside:.1%} of the customers had next to no chance of some arm")
    lines += [f"{kind} could not take part: {escape(why)}" for kind, why in made.cross.refused.items()]
    return Group(learners, arms, f"[bold]{said}[/]", *lines)
