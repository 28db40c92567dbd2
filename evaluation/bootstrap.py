"""Intervals and paired comparisons of metrics by resampling customers.

All rows of a customer are drawn together: predictions of one customer at several cutoffs are not
independent. A resample is a vector of row weights, so a metric sorts once and not once a draw.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.estimate import Comparison, Estimate
from evaluation.metrics import Metric, checked
from features.errors import TrainingDataError
from features.types import Floats

BOOTSTRAP_DRAWS = 500


def _clusters(clusters: ArrayLike | None, n: int) -> NDArray[np.intp]:
    if clusters is None:
        return np.arange(n)
    labels = np.asarray(clusters)
    if labels.shape != (n,):
        raise TrainingDataError(f"clusters have shape {labels.shape}; they must be [{n}], one a row")
    return np.unique(labels, return_inverse=True)[1]


def _weights(code: NDArray[np.intp], draws: int, seed: int) -> Iterator[Floats]:
    """Row weights of each resample: how often the row's customer was drawn."""
    generator = np.random.default_rng(seed)
    k = int(code.max()) + 1
    if k < 2:
        raise TrainingDataError("a bootstrap needs two customers or more")
    for _ in range(draws):
        yield np.bincount(generator.integers(0, k, k), minlength=k).astype(np.float64)[code]


def _interval(value: float, draws: Floats, level: float) -> Estimate:
    """Percentile interval."""
    draws = draws[np.isfinite(draws)]
    if not len(draws) or not np.isfinite(value):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(draws, np.array([(1 - level) / 2, (1 + level) / 2]))
    return Estimate(float(value), float(low), float(high))


def bootstrap(
    metrics: Mapping[str, Metric],
    y: ArrayLike,
    p: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    draws: int = BOOTSTRAP_DRAWS,
    level: float = 0.95,
    seed: int = 7,
) -> dict[str, Estimate]:
    """Several metrics of one prediction with their intervals, all from the same resamples.

    Args:
        metrics: Metrics by the name of the result.
        y: What happened [n].
        p: What was predicted [n].
        clusters: Customer of each row [n], anything numpy can sort; each row by itself if not given.
        draws: Resamples.
        level: Nominal coverage.
        seed: Of the resampling.

    Raises:
        TrainingDataError: Arrays that are empty, unequal or not finite, or fewer than two customers.
    """
    y, p = checked(y, p)
    code = _clusters(clusters, len(y))
    ready = {name: metric.prepare(y, p) for name, metric in metrics.items()}
    values = {name: np.empty(draws) for name in ready}
    for i, w in enumerate(_weights(code, draws, seed)):
        for name, evaluate in ready.items():
            values[name][i] = evaluate(w)
    ones = np.ones(len(y))
    return {name: _interval(evaluate(ones), values[name], level) for name, evaluate in ready.items()}


def paired_test(
    metric: Metric,
    y: ArrayLike,
    pred_a: ArrayLike,
    pred_b: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    draws: int = BOOTSTRAP_DRAWS,
    level: float = 0.95,
    seed: int = 7,
) -> Comparison:
    """Is prediction a worse than prediction b on the same rows?

    Both are evaluated on the same resamples. The p value is the share of resamples, centred on "no
    difference", that fall at least as far to a's disadvantage as what was seen (Efron and
    Tibshirani 1993, chapter 16), counted with one more on both sides so that it is never 0.

    Args:
        metric: The metric; it knows which way is better.
        y: What happened [n].
        pred_a: Predictions, a's [n].
        pred_b: Predictions, b's [n].
        clusters: Customer of each row [n].
        draws: Resamples.
        level: Nominal coverage of the interval.
        seed: Of the resampling.

    Raises:
        TrainingDataError: Arrays that are empty, unequal or not finite, or fewer than two customers.
    """
    y, a = checked(y, pred_a)
    y, b = checked(y, pred_b)
    code = _clusters(clusters, len(y))
    ready_a, ready_b = metric.prepare(y, a), metric.prepare(y, b)

    def both(w: Floats) -> tuple[float, float]:
        return ready_a(w), ready_b(w)

    pairs = np.array([both(w) for w in _weights(code, draws, seed)])
    value_a, value_b = both(np.ones(len(y)))
    losses = metric.loss(pairs[:, 0]) - metric.loss(pairs[:, 1])
    seen = float(metric.loss(value_a) - metric.loss(value_b))
    worse = losses[np.isfinite(losses)]
    if not np.isfinite(seen) or not len(worse):
        return Comparison(value_a, value_b, Estimate(float("nan"), float("nan"), float("nan")), float("nan"))
    p_worse = float((1 + (worse - seen >= seen).sum()) / (1 + len(worse)))
    if metric.better == "one":
        difference = _interval(-seen, -losses, level)
    else:
        difference = _interval(value_a - value_b, pairs[:, 0] - pairs[:, 1], level)
    return Comparison(value_a, value_b, difference, p_worse)
