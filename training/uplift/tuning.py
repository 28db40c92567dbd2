"""Tuning of the trees that learn effects, on customers that take no part in the judgement."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.selection import select
from training.models.boosting import Trees
from training.models.uplift import UPLIFT
from training.search import Space, search
from training.uplift.crossfit import cross_fit, folds_of
from training.uplift.rows import UpliftRows, UpliftTrees

_SHARE = 3
"""One customer in three is tuned on."""
_KINDS = ("x_learner", "r_learner", "dr_learner")
_FOLDS = 3

_SPACE = Space(
    rounds=(10, 200), learning_rate=(0.01, 0.1), leaves=(2, 12), min_rows=(50, 1000),
    feature_share=(0.2, 1.0), l2=(1.0, 1000.0),
)  # fmt: skip


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

    def loss(effect: Trees) -> float:
        trees = UpliftTrees(usual.outcome, effect)
        cross = cross_fit(some, _KINDS, trees, folds=_FOLDS, repeats=1, seed=seed, threads=threads)
        # Half-samples tell how sure the values are, which the search does not ask.
        samples = HalfSamples.draw(len(some), draws=20, seed=seed, threads=threads)
        selection = select(cross.repeats, samples=samples)
        return -float(np.mean([estimate.value for estimate in selection.estimates.values()]))

    effect = search(
        [*key, UPLIFT, len(rows), seed], UPLIFT, _SPACE, usual.effect, loss,
        trials=trials, folder=folder, seed=seed, on_trial=lambda done, value: on_trial(done, -value),
    )  # fmt: skip
    return UpliftTrees(usual.outcome, effect), ~tuned_on
