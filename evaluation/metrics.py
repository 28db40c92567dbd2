"""Metrics of predictions as pure functions on arrays, tie-aware and weighted.

A metric that is to be bootstrapped is a `Metric`: it sorts once, and is then evaluated for as many
weightings of the rows as wanted. No result here depends on the order of the rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import TrainingDataError
from features.types import Floats

Weighted = Callable[[Floats], float]

_EPSILON = 1e-15


@dataclass(frozen=True)
class Metric:
    """A number that says how well predictions p [n] fit what happened, y [n].

    Args:
        name: What reports call it.
        prepare: Takes y and p, does all sorting, and gives a function of row weights [n].
        better: Which way is better; "one" means closeness to 1 on the log scale.
    """

    name: str
    prepare: Callable[[Floats, Floats], Weighted]
    better: Literal["higher", "lower", "one"]

    def __call__(self, y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
        """Evaluate once.

        Args:
            y: What happened, [n].
            p: What was predicted, [n].
            weight: How often each row counts, [n]; once where not given.

        Raises:
            TrainingDataError: Empty or unequal arrays, or values that are not finite.
        """
        y, p = checked(y, p)
        w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        return self.prepare(y, p)(w)

    def loss(self, value: Floats | float) -> Floats:
        """The value turned so that smaller is better."""
        if self.better == "one":
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.abs(np.log(np.asarray(value, dtype=np.float64)))
        return np.asarray(-value if self.better == "higher" else value, dtype=np.float64)


def checked(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    """Both as float64 [n].

    Raises:
        TrainingDataError: Empty or unequal arrays, or values that are not finite.
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape or not len(y):
        raise TrainingDataError(f"a metric needs two arrays [n] with n > 0; got {y.shape} and {p.shape}")
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise TrainingDataError("a metric needs finite values; drop or fill the rows with NaN or infinity")
    return y, p


def _groups(values: Floats) -> NDArray[np.intp]:
    """Dense ranks from 0: equal values share one."""
    return np.unique(values, return_inverse=True)[1]


def _mass(code: NDArray[np.intp], w: Floats) -> Floats:
    """Sum of w in each group."""
    return np.asarray(np.bincount(code, w), dtype=np.float64)


def _midranks(code: NDArray[np.intp], w: Floats) -> tuple[Floats, Floats]:
    """Weight and centred mid-rank of each group: rows of equal value share the middle of their weight."""
    mass = _mass(code, w)
    return mass, np.cumsum(mass) - mass / 2 - mass.sum() / 2


def _dot(a: Floats, b: Floats) -> float:
    # Not BLAS: its threads cost more than they save here, and their sums depend on their number.
    return float((a * b).sum())


def _ratio(top: float, bottom: float) -> float:
    return float(top / bottom) if bottom else float("nan")


def _spearman(y: Floats, p: Floats) -> Weighted:
    # In the order of p one of the two look-ups below runs straight through memory.
    order = np.argsort(p, kind="stable")
    code_y, code_p = _groups(y)[order], _groups(p)[order]

    def value(w: Floats) -> float:
        w = w[order]
        mass_y, rank_y = _midranks(code_y, w)
        mass_p, rank_p = _midranks(code_p, w)
        both = _dot(rank_y[code_y] * w, rank_p[code_p])
        return _ratio(both, float(np.sqrt(_dot(mass_y, rank_y**2) * _dot(mass_p, rank_p**2))))

    return value


def _gini(y: Floats, p: Floats) -> Weighted:
    level, code_y = np.unique(y, return_inverse=True)
    code_p = _groups(p)

    def value(w: Floats) -> float:
        mass_y, rank_y = _midranks(code_y, w)
        _, rank_p = _midranks(code_p, w)
        return _ratio(_dot(_mass(code_p, y * w), rank_p), _dot(mass_y * level, rank_y))

    return value


def _auc(y: Floats, p: Floats) -> Weighted:
    code, event = _groups(p), y > 0

    def value(w: Floats) -> float:
        ones = _mass(code, w * event)
        zeros = _mass(code, w * ~event)
        below = np.cumsum(zeros) - zeros / 2
        return _ratio(_dot(ones, below), float(ones.sum() * zeros.sum()))

    return value


def _share_edges(w: Floats, parts: int) -> Floats:
    return np.linspace(0, w.sum(), parts + 1)


def _decile(y: Floats, p: Floats) -> Weighted:
    code = _groups(p)

    def value(w: Floats) -> float:
        mass = np.concatenate([[0.0], np.cumsum(_mass(code, w))])
        edges = _share_edges(w, 10)
        # Straight lines between the ends of tied groups: a group across an edge is shared out.
        actual, predicted = (
            np.diff(np.interp(edges, mass, np.concatenate([[0.0], np.cumsum(_mass(code, w * v))])))
            for v in (y, p)
        )
        floor = 0.01 * abs(float(actual.sum())) / 10
        if not floor:
            return float("nan")
        return float(np.mean(np.abs(predicted - actual) / np.maximum(actual, floor)))

    return value


def _total(y: Floats, p: Floats) -> Weighted:
    return lambda w: _ratio(_dot(p, w), _dot(y, w))


def _mean_of(row: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats], Weighted]:
    def prepare(y: Floats, p: Floats) -> Weighted:
        rows = row(y, p)
        return lambda w: _dot(rows, w) / float(w.sum())

    return prepare


def _log_loss_rows(y: Floats, p: Floats) -> Floats:
    p = np.clip(p, _EPSILON, 1 - _EPSILON)
    return -np.where(y > 0, np.log(p), np.log1p(-p))


spearman = Metric("spearman", _spearman, "higher")
"""Rank correlation with mid-ranks for ties (Spearman 1904)."""

normalised_gini = Metric("normalised_gini", _gini, "higher")
"""cov(y, rank p) / cov(y, rank y): the Gini of the ranking as a share of the perfect one.

Tied predictions share their mid-rank, so a constant prediction scores 0 in any row order."""

auc = Metric("auc", _auc, "higher")
"""P(prediction of an event > of a non-event) + half P(equal); an event is y > 0 (Mann and Whitney 1947)."""

decile_error = Metric("decile_error", _decile, "lower")
"""Mean over deciles by prediction of |mean predicted - mean actual| / mean actual.

Deciles are tenths of the total weight. Rows of equal prediction are interchangeable: a tied group
that straddles an edge gives each side its group mean in proportion. A decile whose actual is
below 1 % of the overall mean is measured against that 1 %."""

total_ratio = Metric("total_ratio", _total, "one")
"""Total predicted / total actual."""

log_loss = Metric("log_loss", _mean_of(_log_loss_rows), "lower")
"""Mean negative log-likelihood of probabilities, clipped at 1e-15; an event is y > 0."""

brier = Metric("brier", _mean_of(lambda y, p: (p - (y > 0)) ** 2), "lower")
"""Mean squared error of probabilities (Brier 1950); an event is y > 0."""

mean_actual = Metric("mean_actual", _mean_of(lambda y, _: y), "higher")
"""Mean of y alone, for a bootstrap of shares such as interval coverage."""


def cumulative_gain(
    y: ArrayLike, p: ArrayLike, shares: Sequence[float] | None = None
) -> tuple[Floats, Floats]:
    """Share of the total y held by the customers with the highest predictions.

    Args:
        y: Money [n] with a total that is not 0.
        p: Predictions [n].
        shares: Shares of customers to report; 0, 0.01 … 1 where not given.

    Returns:
        Shares of customers and the shares of money they hold, each [k].

    Raises:
        TrainingDataError: The total of y is 0.

    Examples:
        >>> share, held = cumulative_gain([100.0, 0.0, 50.0, 50.0], [4.0, 1.0, 3.0, 2.0], [0.25, 0.5])
        >>> held.tolist()
        [0.5, 0.75]
    """
    y, p = checked(y, p)
    if not y.sum():
        raise TrainingDataError("a gain curve needs a total of y that is not 0")
    at = np.linspace(0, 1, 101) if shares is None else np.asarray(shares, dtype=np.float64)
    code = _groups(-p)
    mass = np.concatenate([[0.0], np.cumsum(np.bincount(code))]) / len(y)
    money = np.concatenate([[0.0], np.cumsum(np.bincount(code, y))]) / y.sum()
    return at, np.interp(at, mass, money)
