"""Which of several rankings is best, and is it proven to rank better than treating everyone the same?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from evaluation.estimate import Comparison, Estimate
from evaluation.uplift.halfsamples import (
    HalfSamples,
    compared,
    drawn,
    finite,
    normal,
    row_weights,
    standard_error,
)
from evaluation.uplift.ranking import Ranking, RankMetric, metric_column
from features.errors import ExperimentError
from features.types import Floats

SELECTION_DRAWS = 500
"""Half-samples where none are given: a p value counts them, and needs more than a spread does."""

_PROVEN = 0.05

CROSS_FITTED = float(np.sqrt(2))
"""What cross-fitting does to a standard error that takes the predictions as given. Where nothing can be
ranked, each pair of customers enters twice, once from either fold, and both times with the same sign:
four times the variance of one direction, of which half-samples see two. Simulated with linear and
boosted models, 2 and 5 folds, 1 to 20 features and repeats, the ratio is 1.3 to 1.5 (see
`benchmarks.coverage_ranking`; Wager 2024, "Sequential validation of treatment heterogeneity", avoids
it by training on earlier folds only). Where there is much to rank it is nearer 1, so this is cautious."""


@dataclass(frozen=True, eq=False)
class Repeat:
    """One round of cross-fitting.

    Args:
        scores: Doubly robust scores of each arm's effect [n, K].
        priorities: Predicted uplift of each arm [n, K] by name of the candidate.
        fold: Part of the data that each row was held out with [n]; None where no model was trained
            on any of these rows. With folds, ranks are made and scores are centred within them: a
            model trained without the customers who happened to gain most predicts low for just
            those, so levels of different folds do not compare.
    """

    scores: ArrayLike
    priorities: Mapping[str, ArrayLike]
    fold: ArrayLike | None = None


@dataclass(frozen=True)
class Selection:
    """The candidates compared.

    Args:
        estimates: The metric of each candidate, per customer in the scores' unit; the intervals hold
            all at once, so that the chosen one's holds although it was chosen.
        p_better: One-sided p value of "ranks no better than treating everyone the same", adjusted
            for the number of candidates.
        chosen: The candidate with the greatest value, among those proven if there are any.
        proven: Whether its p value is at most 0.05.
        comparisons: The chosen (a) against each of the others (b), on the same half-samples.
        single_level: Nominal coverage of each interval by itself that makes all of them hold at once.
    """

    estimates: dict[str, Estimate]
    p_better: dict[str, float]
    chosen: str
    proven: bool
    comparisons: dict[str, Comparison]
    single_level: float


def select(
    repeats: Sequence[Repeat],
    metric: RankMetric = "qini",
    *,
    weight: ArrayLike | None = None,
    samples: HalfSamples | None = None,
    cross_fitted: bool = False,
    level: float = 0.95,
) -> Selection:
    """Compare rankings by the mean of a metric over arms and repeats.

    The p values are those of the greatest studentised value among all candidates on the shared
    half-samples (single-step maxT, Westfall and Young 1993): the chance that the best of so many
    useless rankings looks as good. Intervals are as wide as the greatest studentised error.

    With folds, or rankings that were cross-fitted elsewhere, every standard error is multiplied by √2: models that were trained on one another's
    held-out rows agree with them by chance more often than the half-samples can see.

    Args:
        repeats: The same customers, in the same order, in each round of cross-fitting.
        metric: "qini" or "autoc".
        weight: How many customers each row stands for [n]; one if not given.
        samples: Of the n rows, the same for all candidates, arms and repeats; see `HalfSamples`.
        cross_fitted: Whether rankings were made by models trained on one another's rows although no
            folds are given.
        level: Nominal coverage of the intervals, of all candidates at once.

    Raises:
        ExperimentError: No repeats or candidates, repeats that differ in rows, arms or candidates,
            arrays that are not finite, fewer than 20 rows, or samples of other rows.
    """
    column = metric_column(metric)
    if not repeats or not repeats[0].priorities:
        raise ExperimentError("there is nothing to select from; give one repeat with one candidate or more")
    shape = finite("scores", repeats[0].scores, (None, None)).shape
    names = tuple(repeats[0].priorities)
    if any(set(repeat.priorities) != set(names) for repeat in repeats):
        raise ExperimentError(f"every repeat must have the same candidates, {', '.join(names)}")
    w = row_weights(weight, shape[0])
    samples = drawn(samples, shape[0], SELECTION_DRAWS)
    values, halves = np.zeros(len(names)), np.zeros((samples.draws, len(names)))
    for repeat in repeats:
        gamma = finite("scores", repeat.scores, shape)
        fold = None if repeat.fold is None else _folds(repeat.fold, shape[0])
        for c, name in enumerate(names):
            priority = finite(f"priority {name}", repeat.priorities[name], shape)
            for arm in range(shape[1]):
                ranking = _ranking(gamma[:, arm], priority[:, arm], fold, w)
                values[c] += ranking.areas(w)[column]
                halves[:, c] += ranking.halves(w, samples)[:, column]
    values /= len(repeats) * shape[1]
    halves /= len(repeats) * shape[1]
    crossed = cross_fitted or any(repeat.fold is not None for repeat in repeats)
    # Spread out around their mean, the half-samples carry the wider error into every result below.
    middle = halves.mean(axis=0)
    halves = middle + (halves - middle) * (CROSS_FITTED if crossed else 1.0)
    return _selection(names, values, halves, level)


def _selection(names: tuple[str, ...], values: Floats, halves: Floats, level: float) -> Selection:
    errors = standard_error(halves)
    adjusted = _adjusted(values, halves, errors)
    single = _single_level(halves, errors, level)
    # Every p value allows for all candidates, so any that is small enough proves its own.
    proven = adjusted <= _PROVEN
    best = int(np.argmax(np.where(proven, values, -np.inf) if proven.any() else values))
    return Selection(
        estimates={n: normal(values[c], errors[c], single) for c, n in enumerate(names)},
        p_better={n: float(adjusted[c]) for c, n in enumerate(names)},
        chosen=names[best],
        proven=bool(adjusted[best] <= _PROVEN),
        comparisons={
            n: compared(values[best], values[c], float(standard_error(halves[:, best] - halves[:, c])), level)
            for c, n in enumerate(names)
            if c != best
        },
        single_level=single,
    )


def _single_level(halves: Floats, errors: Floats, level: float) -> float:
    varies = errors > 0
    if varies.sum() < 2:
        return level
    greatest = np.abs((halves - halves.mean(axis=0))[:, varies] / errors[varies]).max(axis=1)
    # Never less than one interval by itself needs, as chance among the half-samples might have it.
    return max(level, float(2 * ndtr(np.quantile(greatest, level)) - 1))


def _adjusted(values: Floats, halves: Floats, errors: Floats) -> Floats:
    # A constant ranking has neither value nor error: it is not better, and never the greatest.
    varies = errors > 0
    adjusted = np.ones(len(values))
    if varies.any():
        greatest = ((halves - halves.mean(axis=0))[:, varies] / errors[varies]).max(axis=1)
        seen = values[varies] / errors[varies]
        adjusted[varies] = (1 + (greatest[:, None] >= seen).sum(axis=0)) / (1 + len(halves))
    return adjusted


def _folds(fold: ArrayLike, n: int) -> NDArray[np.intp]:
    labels = np.asarray(fold)
    if labels.shape != (n,):
        raise ExperimentError(f"fold has shape {labels.shape}; it must be [{n}], one a row")
    return np.unique(labels, return_inverse=True)[1]


def _ranking(gamma: Floats, priority: Floats, fold: NDArray[np.intp] | None, w: Floats) -> Ranking:
    if fold is None:
        return Ranking.sort(gamma, priority)
    mass = np.bincount(fold, w).astype(np.float64)
    if not mass.all():
        raise ExperimentError(f"fold {int(np.argmin(mass))} has weight 0; leave its rows out")
    centred = gamma - (np.bincount(fold, gamma * w) / mass)[fold]
    return Ranking.sort(centred, _shares(priority, fold, w, mass))


def _shares(priority: Floats, fold: NDArray[np.intp], w: Floats, mass: Floats) -> Floats:
    """Mid-rank of each row within its fold, as a share of the fold."""
    order = np.lexsort((priority, fold))
    p, f = priority[order], fold[order]
    group = np.cumsum(np.append(False, (p[1:] != p[:-1]) | (f[1:] != f[:-1])))
    size = np.bincount(group, w[order])
    before = np.append(0.0, np.cumsum(mass)[:-1])[f]
    middle = (np.cumsum(size) - size / 2)[group]
    shares = np.empty(len(priority))
    # Rounded so that equal shares of folds of one size stay equal whatever came before them.
    shares[order] = np.round((middle - before) / mass[f], 12)
    return shares
