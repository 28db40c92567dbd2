"""Training a task from bound tables to a bundle: tune, judge, fit once more on everything, describe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from features.engine.observations import wall_clock
from features.errors import TrainingDataError
from features.history import History, Panel
from features.oddities import Oddity
from features.types import Floats, Progress
from training.models.boosting import Trees
from training.models.bundle import CANARIES, Bundle
from training.models.conformal import ConformalIntervals
from training.models.facts import ChurnFacts, Facts, LtvFacts
from training.models.servable import CANNOT_FIT, PartsModel, unsound
from training.value.backtest import Backtest, IntervalCheck, check_intervals, run_backtest
from training.value.tasks import ChurnTask, LtvTask, Task
from training.value.tuning import tune

TIERS = {"A": 0.9, "B": 0.7, "C": 0.4}
"""Value tiers by the share of customers below them; D is everyone else."""


@dataclass(frozen=True, eq=False)
class Training:
    """What a training made.

    Args:
        task: What is predicted.
        history: What it was learnt from.
        backtest: How the candidates did out of time.
        bundle: The chosen candidate, fitted on everything.
        rehearsed: The chosen candidate as fitted for the backtest: what the next challenger is
            compared with, because it has seen nothing after the judged cutoff.
        trees: How boosters were grown, by kind.
        intervals: Of LTV: the intervals and their coverage.
        oddities: What is strange about the history, though it can be learnt from.
    """

    task: Task
    history: History
    backtest: Backtest
    bundle: Bundle
    rehearsed: Bundle
    trees: Mapping[str, Trees]
    intervals: IntervalCheck | None
    oddities: tuple[Oddity, ...] = ()

    @property
    def facts(self) -> Facts:
        """What its bundle says of itself."""
        return Facts.from_dict(self.bundle.facts)


def train_value(
    task: Task,
    history: History,
    *,
    strange: Sequence[Oddity] = (),
    trials: int = 0,
    journals: Path | None = None,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Training:
    """Train lifetime value or churn.

    Args:
        task: What to predict.
        history: What to learn from.
        strange: Oddities of the same tables.
        trials: Tuning trials for each tunable candidate; 0 trains with the usual trees.
        journals: Where tuning keeps its trials, so that it can go on after a kill.
        threads: Worker threads; results do not depend on it.
        progress: Told each step in plain words.

    Raises:
        TrainingDataError: The history cannot support it.
    """
    for odd in strange:
        if odd.blocks:
            raise TrainingDataError(odd.message)
    judged, cutoffs = history.cutoffs(task.span_days, task.shortest_days)
    progress(f"features of {len(cutoffs)} cutoffs")
    panel = history.panel(cutoffs, threads)
    usual = replace(Trees(), seed=history.settings.training.seed)
    trees = dict.fromkeys(task.kinds, usual)
    if trials:
        if journals is None:
            raise TrainingDataError("tuning needs a folder for its journal")
        for kind in task.tunable:

            def told(done: int, best: float, kind: str = kind) -> None:
                progress(f"tuning {kind}: trial {done} of {trials}, best loss {best:.4f}")

            trees[kind] = tune(
                task, kind, history, panel, judged,
                trials=trials, folder=journals, on_trial=told,
            )  # fmt: skip
    backtest = run_backtest(
        task, history, panel, judged, trees,
        threads=threads, on_candidate=lambda kind: progress(f"judged {kind}"),
    )  # fmt: skip
    backtest, final = _on_everything(task, history, panel, backtest, trees, progress)
    intervals = check_intervals(task, backtest) if isinstance(task, LtvTask) else None
    made = intervals.intervals if intervals else None
    facts = _facts(task, history, backtest, final)
    bundle, rehearsed = (
        _bundle(task, history, model, facts, made) for model in (final, backtest.winner.model)
    )
    return Training(task, history, backtest, bundle, rehearsed, trees, intervals, tuple(strange))


def _on_everything(
    task: Task,
    history: History,
    panel: Panel,
    backtest: Backtest,
    trees: Mapping[str, Trees],
    progress: Progress,
) -> tuple[Backtest, PartsModel]:
    """The best candidate whose fit on everything can be used, and the backtest without those whose cannot."""
    while True:
        chosen = backtest.chosen
        progress(f"{chosen} on everything")
        try:
            final = task.fit(chosen, history, panel, history.end, trees[chosen])
            why = unsound(final.predict(_newest(history).matrix))
        except CANNOT_FIT as error:
            why = str(error)
        if not why:
            return backtest, final
        backtest = backtest.without(task, chosen, f"on everything, {why}")


def _bundle(
    task: Task, history: History, model: PartsModel, facts: Facts, intervals: ConformalIntervals | None
) -> Bundle:
    # Rows of the newest cutoff, spread over the customers.
    panel = _newest(history)
    rows = np.linspace(0, len(panel.observations) - 1, min(CANARIES, len(panel.observations))).astype(int)
    canary = panel.matrix.take(rows)
    expected: Floats = model.predict(canary)
    bound = {table: tuple(columns) for table, columns in history.bound.items()}
    return Bundle(task.name, model, history.features, bound, facts.to_dict(), canary, expected, intervals)  # type: ignore[arg-type]  # a task's models are one of the two


def _newest(history: History) -> Panel:
    return history.panel([history.end])


def _facts(task: Task, history: History, backtest: Backtest, model: PartsModel) -> Facts:
    settings = history.settings
    usual = Facts(
        currency=settings.currency,
        timezone=settings.timezone,
        outputs=task.outputs,
        data_until=wall_clock(history.end),
        judged_at=wall_clock(backtest.cutoff),
        span_days=task.span_days,
    )
    if isinstance(task, LtvTask):
        value = model.predict(_newest(history).matrix)
        return LtvFacts(
            **vars(usual),
            horizon_days=task.span_days,
            discount_rate=settings.ltv.discount_rate,
            interval=settings.ltv.interval,
            tiers={tier: float(np.quantile(value, share)) for tier, share in TIERS.items()},
        )
    if isinstance(task, ChurnTask):
        return ChurnFacts(
            **vars(usual),
            horizons_days=tuple(task.label.horizons_days),
            silence_days=task.label.silence_days,
        )
    return usual
