"""Search: Optuna over a few parameters, going on where a killed search stopped."""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

TUNED = ("rounds", "learning_rate", "leaves", "min_rows", "feature_share", "l2")
"""What is searched for, of `Trees`."""


def search(
    key: Sequence[Any],
    what: str,
    usual: Mapping[str, Any],
    loss: "Callable[[optuna.Trial], float]",
    *,
    trials: int,
    folder: Path,
    seed: int,
    on_trial: Callable[[int, float], None],
) -> "optuna.trial.FixedTrial":
    """Search for the parameters of trees with the smallest loss, going on where a killed search stopped.

    Args:
        key: JSON-able; trials belong together where it is the same.
        what: Begins the journal's name.
        usual: Parameters of the first trial.
        loss: Of a trial.
        trials: Trials there shall have been in all.
        folder: Where journals are kept.
        seed: Of the search.
        on_trial: Told the number done and the smallest loss so far.

    Returns:
        The best trial, to be asked for its parameters again.
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
        study.enqueue_trial({each: usual[each] for each in TUNED})
    complete = (optuna.trial.TrialState.COMPLETE,)
    while (done := len(study.get_trials(deepcopy=False, states=complete))) < trials:
        study.optimize(loss, n_trials=1)
        on_trial(done + 1, study.best_value)
    return optuna.trial.FixedTrial(study.best_params)
