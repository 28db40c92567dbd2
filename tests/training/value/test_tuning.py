"""Tuning's contract: it looks at nothing from the judged cutoff on, and goes on after a kill."""

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from features.errors import TrainingDataError
from training.value.tasks import ChurnTask, LtvTask
from training.value.tuning import rehearsal, tune


def _setting(world, task):
    judged, cutoffs = world.history.cutoffs(task.span_days, task.shortest_days)
    return judged, world.history.panel(cutoffs)


def test_a_killed_search_goes_on_where_it_stopped(world, tmp_path):
    task = ChurnTask(world.settings)
    judged, panel = _setting(world, task)
    seen = []

    def killed(done, best):
        seen.append((done, best))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(task, "hazard", world.history, panel, judged, trials=4, folder=tmp_path, on_trial=killed)
    trees = tune(
        task, "hazard", world.history, panel, judged, trials=4, folder=tmp_path,
        on_trial=lambda done, best: seen.append((done, best)),
    )  # fmt: skip
    assert [done for done, _ in seen] == [1, 2, 3, 4]
    losses = [best for _, best in seen]
    assert losses == sorted(losses, reverse=True)
    again = tune(task, "hazard", world.history, panel, judged, trials=4, folder=tmp_path, on_trial=killed)
    assert again == trees  # enough trials there: nothing is run, the best is given
    (journal,) = tmp_path.glob("churn-hazard-*.log")
    storage = JournalStorage(JournalFileBackend(str(journal)))
    (study,) = optuna.get_all_study_summaries(storage)
    assert study.n_trials == 4


def test_what_comes_after_the_judged_cutoff_changes_nothing(world, tmp_path):
    task = LtvTask(world.settings)
    judged, panel = _setting(world, task)
    past = panel.where(panel.cutoffs <= judged)
    one = tune(task, "tweedie", world.history, panel, judged, trials=2, folder=tmp_path / "a")
    other = tune(task, "tweedie", world.history, past, judged, trials=2, folder=tmp_path / "b")
    assert one == other


def test_a_history_without_a_rehearsal_is_refused(world):
    task = LtvTask(world.settings)
    judged, panel = _setting(world, task)
    until = rehearsal(task, panel, judged)
    assert until + task.span_days * 86_400_000_000 <= judged
    late = panel.where(panel.cutoffs >= np.unique(panel.cutoffs)[-2])
    with pytest.raises(TrainingDataError, match="rehearsal"):
        rehearsal(task, late, judged)
