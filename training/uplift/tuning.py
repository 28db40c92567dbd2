"""Tuning of the trees that learn effects, on customers that take no part in the judgement."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.selection import select
from training.models.boosting import Trees
from training.search import search
from training.uplift.crossfit import cross_fit, folds_of
from training.uplift.rows import UpliftRows, UpliftTrees

_SHARE = 3
"""One customer in three is tuned on."""
_KINDS = ("x_learner", "r_learner", "dr_learner")
_FOLDS = 3


def tune_uplift(
    rows: UpliftRows,
    usual: UpliftTrees,
    key: tuple[str, ...],
    *,
    trials: int,
    folder: Path,
    seed: int,
    threads: int = 1,
    on_trial: Callable[[int, float], None] = lambda _done, _best: None,
) -> tuple[UpliftTrees, npt.NDArray[np.bool_]]:
    """Search for trees with which the learners of effects rank best, on average over them.

    Args:
        rows: The experiment's customers.
        usual: Trees to begin with; those of outcomes are kept.
        key: What the trials belong to: data, features, experiment.
        trials: Trials there shall have been in all.
        folder: Where the journal is kept.
        seed: Of the split and the search.
        threads: Worker threads.
        on_trial: Told the number done and the best value so far.

    Returns:
        The trees, and the customers [n] on whom learners may still be judged.
    """
    tuned_on = folds_of(rows, _SHARE, seed + 1) == 0
    some = rows.take(tuned_on)

    def grown(trial: Any) -> UpliftTrees:
        effect = Trees(
            rounds=trial.suggest_int("rounds", 10, 200, log=True),
            learning_rate=trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
            leaves=trial.suggest_int("leaves", 2, 12, log=True),
            min_rows=trial.suggest_int("min_rows", 50, 1000, log=True),
            feature_share=trial.suggest_float("feature_share", 0.2, 1.0),
            l2=trial.suggest_float("l2", 1.0, 1000.0, log=True),
            seed=seed,
        )
        return UpliftTrees(usual.outcome, effect)

    def loss(trial: Any) -> float:
        cross = cross_fit(some, _KINDS, grown(trial), folds=_FOLDS, repeats=1, seed=seed, threads=threads)
        # Half-samples tell how sure the values are, which the search does not ask.
        samples = HalfSamples.draw(len(some), draws=20, seed=seed, threads=threads)
        found = select(cross.repeats, samples=samples)
        return -float(np.mean([each.value for each in found.estimates.values()]))

    best = search(
        [*key, "uplift", len(rows), seed], "uplift", vars(usual.effect), loss,
        trials=trials, folder=folder, seed=seed, on_trial=lambda done, value: on_trial(done, -value),
    )  # fmt: skip
    return grown(best), ~tuned_on
