"""Doubly robust scores: one number a customer and arm whose mean is the arm's effect, or its outcome."""

import numpy as np
from numpy.typing import ArrayLike

from evaluation.effects.trial import CONTROL
from evaluation.uplift.halfsamples import finite
from features.errors import ExperimentError
from features.types import Floats


def arm_values(outcome: ArrayLike, arm: ArrayLike, propensity: ArrayLike, fitted: ArrayLike) -> Floats:
    """Scores of what each customer would have brought in each arm.

    Prediction, plus for the arm the customer was in the error of the prediction over the
    probability of that arm. The mean is right if either the propensities or the predictions are
    (augmented inverse propensity weighting; Robins, Rotnitzky and Zhao 1994).

    Args:
        outcome: What the customer brought [n], in money.
        arm: The arm the customer was in [n]; 0 is control.
        propensity: Probability of each arm [n, K + 1], in (0, 1], rows summing to 1.
        fitted: Predicted outcome in each arm [n, K + 1], by a model that has not seen the customer.

    Returns:
        float64 [n, K + 1], in the unit of the outcome.

    Raises:
        ExperimentError: Arrays that do not fit together or are not finite, an arm that does not
            exist, or propensities that are no probabilities.
    """
    predicted = finite("fitted", fitted, (None, None))
    n, k = predicted.shape
    y = finite("outcome", outcome, (n,))
    probability = finite("propensity", propensity, (n, k))
    arms = np.asarray(arm)
    if arms.shape != (n,) or not np.issubdtype(arms.dtype, np.integer):
        raise ExperimentError(
            f"arm must be whole numbers [{n}]; got {arms.dtype} of shape {list(arms.shape)}"
        )
    if k < 2 or arms.min() < 0 or arms.max() >= k:
        raise ExperimentError(
            f"arms run from {arms.min()} to {arms.max()}, but there are predictions for {k} arms; "
            "there must be one for each, control being arm 0"
        )
    wrong = (probability <= 0).any(axis=1) | (np.abs(probability.sum(axis=1) - 1) > 1e-6)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ExperimentError(
            f"propensities of {int(wrong.sum())} of {n} customers are not above 0 with a sum of 1, for example "
            f"{probability[row].tolist()}; leave out whoever could not be put in every arm"
        )
    rows = np.arange(n)
    values = predicted.copy()
    values[rows, arms] += (y - predicted[rows, arms]) / probability[rows, arms]
    return values


def aipw(outcome: ArrayLike, arm: ArrayLike, propensity: ArrayLike, fitted: ArrayLike) -> Floats:
    """Scores Γ of each arm's effect against control; arguments and errors are those of `arm_values`.

    Returns:
        float64 [n, K]; column k is arm k + 1.

    Example:
        >>> aipw([3.0, 1.0], [1, 0], [[0.5, 0.5]] * 2, [[1.0, 2.0]] * 2).tolist()
        [[3.0], [1.0]]
    """
    values = arm_values(outcome, arm, propensity, fitted)
    return np.delete(values, CONTROL, axis=1) - values[:, [CONTROL]]
