"""Tuning: Optuna over how trees are grown, on a rehearsal that ends before the backtest begins."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from features.errors import TrainingDataError
from features.history import History, Panel
from features.types import DAY
from training.models.boosting import Trees
from training.search import Space, search
from training.value.tasks import Task

_SPACE = Space(
    rounds=(60, 500), learning_rate=(0.01, 0.12), leaves=(4, 48), min_rows=(20, 400),
    feature_share=(0.3, 1.0), l2=(0.1, 100.0),
)  # fmt: skip


def rehearsal(task: Task, panel: Panel, judged: int) -> int:
    """The newest cutoff whose outcome ends by the judged one and that has something to learn from.

    Raises:
        TrainingDataError: The history is too short for one.
    """
    cutoffs = np.unique(panel.cutoffs)
    possible = cutoffs[cutoffs + task.span_days * DAY <= judged]
    possible = possible[possible >= cutoffs[0] + task.shortest_days * DAY]
    if not len(possible):
        raise TrainingDataError(
            f"tuning needs a rehearsal of {task.span_days} days before the backtest, and the history is too short "
            "for one; train without --trials or shorten the horizons"
        )
    return int(possible[-1])


def tune(
    task: Task,
    kind: str,
    history: History,
    panel: Panel,
    judged: int,
    *,
    trials: int,
    folder: Path,
    on_trial: Callable[[int, float], None] = lambda _done, _best: None,
) -> Trees:
    """Search for trees that rank or calibrate best on a rehearsal.

    Args:
        task: What is predicted.
        kind: The candidate whose trees are tuned.
        history: Where outcomes are looked up.
        panel: Customers at all cutoffs.
        judged: The backtest's cutoff; nothing at or after it is looked at.
        trials: Trials there shall have been in all.
        folder: Where journals are kept.
        on_trial: Told the number done and the best loss so far.
    """
    until = rehearsal(task, panel, judged)
    there = panel.where(panel.cutoffs == until)
    before = panel.where(panel.cutoffs < judged)
    actual = task.outcome(history, there.observations)

    def loss(trees: Trees) -> float:
        model = task.fit(kind, history, before, until, trees)
        prediction = model.predict(there.matrix).reshape(actual.shape)
        return float(task.metric.loss(task.metric(actual.ravel(), prediction.ravel())))

    settings = task.settings.model_dump()
    data = (history.fingerprint, history.features.fingerprint, until)
    return search(
        [*data, task.name, kind, settings["training"], settings[task.name]],
        f"{task.name}-{kind}", _SPACE, Trees(), loss,
        trials=trials, folder=folder, seed=task.settings.training.seed, on_trial=on_trial,
    )  # fmt: skip
