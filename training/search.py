"""Search: Optuna over how trees are grown, going on where a killed search stopped."""

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.models.boosting import Trees

if TYPE_CHECKING:
    import optuna

_FAILED = 1e9


@dataclass(frozen=True)
class Space:
    """What is searched for, of `Trees`: least and greatest, all but the feature share on the log scale.

    Args:
        rounds: Number of trees.
        learning_rate: Shrinkage of each tree.
        leaves: Leaves of a tree.
        min_rows: Rows a leaf needs.
        feature_share: Share of the features each tree may use.
        l2: Ridge penalty on leaf values.
    """

    rounds: tuple[int, int]
    learning_rate: tuple[float, float]
    leaves: tuple[int, int]
    min_rows: tuple[int, int]
    feature_share: tuple[float, float]
    l2: tuple[float, float]

    def grown(self, trial: "optuna.trial.BaseTrial", seed: int) -> Trees:
        """The trees of a trial."""
        return Trees(
            rounds=trial.suggest_int("rounds", *self.rounds, log=True),
            learning_rate=trial.suggest_float("learning_rate", *self.learning_rate, log=True),
            leaves=trial.suggest_int("leaves", *self.leaves, log=True),
            min_rows=trial.suggest_int("min_rows", *self.min_rows, log=True),
            feature_share=trial.suggest_float("feature_share", *self.feature_share),
            l2=trial.suggest_float("l2", *self.l2, log=True),
            seed=seed,
        )


def search(
    key: Sequence[object],
    what: str,
    space: Space,
    usual: Trees,
    loss: Callable[[Trees], float],
    *,
    trials: int,
    folder: Path,
    seed: int,
    on_trial: Callable[[int, float], None],
) -> Trees:
    """Search for the trees with the smallest loss, going on where a killed search stopped.

    Trials are kept in a journal named after what they belong to, so one with other data begins anew.

    Args:
        key: JSON-able; trials belong together where it is the same.
        what: Begins the journal's name.
        space: Where to look.
        usual: Trees of the first trial.
        loss: Of trees; what is not finite counts as very bad.
        trials: Trials there shall have been in all.
        folder: Where journals are kept.
        seed: Of the search and of the trees.
        on_trial: Told the number done and the smallest loss so far.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    name = f"{what}-{hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            study_name=name,
            storage=JournalStorage(JournalFileBackend(str(folder / f"{name}.log"))),
            sampler=optuna.samplers.TPESampler(seed=seed),
            load_if_exists=True,
        )
    if not study.trials:
        study.enqueue_trial({parameter: getattr(usual, parameter) for parameter in vars(space)})

    def judged(trial: "optuna.Trial") -> float:
        value = loss(space.grown(trial, seed))
        # Optuna takes NaN for a failure, and a trial that failed would be asked for for ever.
        return value if np.isfinite(value) else _FAILED

    complete = (optuna.trial.TrialState.COMPLETE,)
    while (done := len(study.get_trials(deepcopy=False, states=complete))) < trials:
        study.optimize(judged, n_trials=1)
        on_trial(done + 1, study.best_value)
    return space.grown(optuna.trial.FixedTrial(study.best_params), seed)
