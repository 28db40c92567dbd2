"""Cross-fitting: what each learner says of customers it has not seen, and scores to judge it by."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from evaluation.uplift.doubly_robust import aipw
from evaluation.uplift.selection import Repeat
from features.errors import TrainingDataError
from features.types import Floats
from training.models.outcomes import whole
from training.models.servable import CANNOT_FIT, unsound
from training.uplift.learning import Learning
from training.uplift.rows import UpliftRows, UpliftTrees

CROSS_FIT_FOLDS = 5
REPEATS = 2


@dataclass(frozen=True, eq=False)
class CrossFit:
    """Rounds of cross-fitting.

    Args:
        repeats: Doubly robust scores [n, K], predictions [n, K] by learner, and folds, a round each.
        refused: Why a learner could not be fitted, by kind; it is then in no round.
    """

    repeats: tuple[Repeat, ...]
    refused: dict[str, str]

    @property
    def scores(self) -> Floats:
        """Doubly robust scores, mean over the rounds, [n, K]."""
        return np.asarray(np.mean([np.asarray(repeat.scores) for repeat in self.repeats], axis=0))

    def centred(self, effects: Sequence[float]) -> "CrossFit":
        """The same with scores whose mean is a better estimate of each arm's effect, [K]; no ranking changes."""
        gap = np.asarray(effects) - self.scores.mean(axis=0)
        moved = (replace(repeat, scores=np.asarray(repeat.scores) + gap) for repeat in self.repeats)
        return CrossFit(tuple(moved), self.refused)

    def ranks(self, kind: str) -> Floats:
        """A learner's ranking, as shares of the customers of the same part, mean over the rounds, [n, K].

        Levels of different parts do not compare (see `evaluation.uplift.selection.Repeat`); ranks do.
        """
        ranks = np.zeros_like(self.scores)
        for repeat in self.repeats:
            said, fold = np.asarray(repeat.priorities[kind]), np.asarray(repeat.fold)
            for part in np.unique(fold):
                here = fold == part
                ranks[here] += (rankdata(said[here], axis=0) - 0.5) / here.sum()
        return ranks / len(self.repeats)

    def prediction(self, kind: str) -> Floats:
        """A learner's predictions, mean over the rounds, [n, K]."""
        return np.asarray(np.mean([np.asarray(repeat.priorities[kind]) for repeat in self.repeats], axis=0))


def folds_of(rows: UpliftRows, folds: int, seed: int) -> npt.NDArray[np.intp]:
    """A fold for every row [n]: each arm spread evenly over them, or clusters whole in one of them."""
    if rows.clusters is not None:
        return whole(rows.clusters, folds, seed)
    generator = np.random.default_rng(seed)
    fold = np.empty(len(rows), np.intp)
    for arm in range(len(rows.arms)):
        here = np.flatnonzero(rows.arm == arm)
        fold[here] = (generator.permutation(len(here)) + generator.integers(folds)) % folds
    return fold


def cross_fit(
    rows: UpliftRows,
    kinds: Sequence[str],
    trees: UpliftTrees,
    *,
    folds: int = CROSS_FIT_FOLDS,
    repeats: int = REPEATS,
    seed: int = 7,
    threads: int = 1,
    on_fold: Callable[[int, int], None] = lambda _done, _of: None,
) -> CrossFit:
    """Let every learner predict customers that neither it nor its outcome models have seen.

    Args:
        rows: Customers of the experiment.
        kinds: Learners.
        trees: How boosters are grown.
        folds: Parts of the customers in each round.
        repeats: Rounds, each with other parts.
        seed: Of the parts.
        threads: Parts at the same time; results do not depend on it.
        on_fold: Told how many parts are done, of how many.

    Raises:
        TrainingDataError: No learner can be fitted.
    """
    parts = [folds_of(rows, folds, seed + 1000 * r) for r in range(repeats)]
    jobs = [(r, k) for r in range(repeats) for k in range(folds)]

    def one(job: tuple[int, int]) -> tuple[Floats, dict[str, Floats], dict[str, str]]:
        r, k = job
        out = parts[r] == k
        learning, there = Learning(rows.take(~out), trees, seed), rows.matrix.take(out)
        scores = aipw(rows.outcome[out], rows.arm[out], rows.propensity[out], learning.fitted(there))
        said, refused = {}, {}
        for kind in kinds:
            try:
                said[kind] = learning.fit(kind).predict(there)
                why = unsound(said[kind])
            except CANNOT_FIT as error:
                why = str(error)
            if why:
                refused[kind] = why
        return scores, said, refused

    results = []
    # One thread a booster and several parts at once, as in the backtest.
    with ThreadPoolExecutor(threads) as pool:
        for done, result in enumerate(pool.map(one, jobs), 1):
            results.append(result)
            on_fold(done, len(jobs))
    refused = {kind: why for _, _, those in results for kind, why in those.items()}
    fitted = [kind for kind in kinds if kind not in refused]
    if not fitted:
        raise TrainingDataError(f"no uplift learner could be fitted: {next(iter(refused.values()), 'none')}")
    made = []
    for r, fold in enumerate(parts):
        scores = np.empty((len(rows), len(rows.arms) - 1))
        said = {kind: np.empty_like(scores) for kind in fitted}
        for (other, k), (part_scores, part_said, _) in zip(jobs, results, strict=True):
            if other == r:
                scores[fold == k] = part_scores
                for kind in fitted:
                    said[kind][fold == k] = part_said[kind]
        made.append(Repeat(scores, said, fold))
    return CrossFit(tuple(made), refused)
