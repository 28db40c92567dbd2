"""What was known before the experiment, taken out of the outcome: the same effect, a narrower interval.

Any function of pre-period columns may be subtracted from the outcomes of both arms: its mean is the
same in both but for the draw, and that part of the draw goes. Which function is best decides how
narrow the interval gets, never whether it is right. The model's own prediction of lifetime value at
assignment is such a column.
"""

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from evaluation.effects.units import Units
from features.errors import ExperimentError
from features.types import Floats

FOLDS = 5
_TAIL = 0.01
"""Share of units whose influence is cut for the fit, in each arm."""


def correction(of: Units, top: Floats, before: ArrayLike, *, seed: int) -> Floats:
    """What to subtract from the units' tops.

    The coefficients are those which make the standard error of the effect least: least squares on
    influences, centred by arm, where a unit of the smaller arm weighs more ("tyranny of the
    minority", Lin 2013, which equals his regression with interactions by arm in large samples). Each
    fold's are fitted on the other folds, with a little ridge and the largest influences cut, so that
    no account decides. What they predict is then scaled by one coefficient between 0 and the best,
    drawn towards 0 by its own uncertainty (positive-part, James and Stein 1961). So the standard
    error is never above the plain one, and useless columns cost nothing.

    Args:
        of: The units.
        top: float64 [g], weighted sums of outcomes.
        before: Columns [n] or [n, p] of the rows.
        seed: Of the folds.
    """
    n = len(of.treated) if of.code is None else len(of.code)
    columns = _columns(before, n)
    if not columns.shape[1]:
        return np.zeros(len(top))
    parts = np.column_stack([of.sums(column) for column in columns.T])
    influence = of.influence(top)
    slopes = np.column_stack([of.influence(part) for part in parts.T])
    # The order of the rows must not decide the folds: like units, like folds.
    order = np.lexsort((*parts.T, top, of.treated))
    fold = np.empty(len(top), dtype=np.intp)
    fold[order] = np.random.default_rng(seed).permutation(len(top)) % FOLDS
    cut = _cut(influence, of.treated)
    predicted = np.empty(len(top))
    for k in range(FOLDS):
        out = fold == k
        predicted[out] = parts[out] @ _ridge(slopes[~out], cut[~out])
    return predicted * _scale(influence, of.influence(predicted))


def _columns(before: ArrayLike, n: int) -> Floats:
    """Centred columns that vary, with one for each that lacks values."""
    x = np.asarray(before, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or len(x) != n:
        raise ExperimentError(f"before has shape {x.shape}; it must be [{n}] or [{n}, columns], one a row")
    if np.isinf(x).any():
        column = int(np.flatnonzero(np.isinf(x).any(axis=0))[0])
        raise ExperimentError(
            f"before has infinite values in column {column}; make them NaN where they are missing"
        )
    absent = np.isnan(x)
    mean = np.where(absent, 0, x).sum(axis=0) / np.maximum((~absent).sum(axis=0), 1)
    x = np.column_stack([np.where(absent, mean, x), absent[:, absent.any(axis=0)]])
    largest = np.abs(x).max(axis=0, initial=0)
    x = x - x.mean(axis=0)
    deviation = x.std(axis=0)
    # Rounding leaves something of a constant; it is no variation.
    varies = deviation > 1e-12 * largest
    return np.asarray(x[:, varies] / deviation[varies], dtype=np.float64)


def _cut(influence: Floats, treated: npt.NDArray[np.bool_]) -> Floats:
    bound = np.empty(len(influence))
    for arm in (treated, ~treated):
        bound[arm] = np.quantile(np.abs(influence[arm]), 1 - _TAIL)
    return np.clip(influence, -bound, bound)


def _ridge(x: Floats, y: Floats) -> Floats:
    """Coefficients of y on x, with a penalty of p prior rows."""
    norm = np.sqrt((x**2).sum(axis=0))
    norm[norm == 0] = 1
    x = x / norm
    penalty = x.shape[1] / len(x)
    return np.asarray(
        np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y) / norm, dtype=np.float64
    )


def _scale(influence: Floats, predicted: Floats) -> float:
    square = float((predicted**2).sum())
    if not square:
        return 0.0
    best = float((influence * predicted).sum()) / square
    if best <= 0:
        return 0.0
    noise = float(((influence - best * predicted) ** 2 * predicted**2).sum()) / square**2
    return best * max(0.0, 1 - noise / best**2)
