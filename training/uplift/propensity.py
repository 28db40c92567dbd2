"""Propensities of arms that nobody drew: estimated, and only believed where customers could be in any arm."""

from dataclasses import dataclass, replace

import numpy as np

from evaluation.effects.trial import Trial
from evaluation.effects.units import MIN_UNITS
from evaluation.experiments.enrolment import Enrolment
from features.engine.matrix import FeatureMatrix
from features.errors import ExperimentError
from features.types import Floats, Progress
from training.models.outcomes import whole
from training.models.uplift import standard_of, standardised

LEAST = 0.02
"""A propensity below this is no overlap: one such customer would stand for fifty others."""

MOST_OUTSIDE = 0.1
"""Share of customers without overlap above which nothing can be concluded."""

_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Overlap:
    """Estimated propensities and whether they overlap.

    Args:
        propensity: [n, K + 1], rows summing to 1, none below `LEAST`.
        smallest: The smallest before that.
        outside: Share of customers with a propensity below `LEAST` in some arm.
    """

    propensity: Floats
    smallest: float
    outside: float


def estimate_propensity(trial: Trial, matrix: FeatureMatrix, *, seed: int = 7) -> Overlap:
    """Estimate each customer's probability of every arm by a model that has not seen the customer.

    Multinomial logistic regression on standardised features: what it says is a probability without
    further calibration, which a doubly robust score needs more than it needs the last bit of fit.

    Args:
        trial: Who was in which arm.
        matrix: What was known of them before, n rows.
        seed: Of the folds.

    Raises:
        ExperimentError: More than a tenth of the customers had next to no chance of some arm.
    """
    from sklearn.linear_model import LogisticRegression

    few = min(trial.sizes, key=lambda arm: trial.sizes[arm])
    if trial.sizes[few] < MIN_UNITS:
        raise ExperimentError(
            f"experiment {trial.name}: arm {few!r} has {trial.sizes[few]} customers, and propensities need {MIN_UNITS} "
            "in each; leave the arm out of assignments"
        )

    x = standardised(matrix, standard_of(matrix))
    fold = whole(np.arange(len(trial)) if trial.clusters is None else trial.clusters, _FOLDS, seed)
    propensities = np.empty((len(trial), len(trial.arms)))
    for k in range(_FOLDS):
        # The penalty of one observation a feature keeps columns that say the same from fighting.
        model = LogisticRegression(C=1.0, max_iter=2000).fit(x[fold != k], trial.arm[fold != k])
        propensities[fold == k] = model.predict_proba(x[fold == k])
    low = (propensities < LEAST).any(axis=1)
    outside = float(low.mean())
    smallest = float(propensities.min())
    if outside > MOST_OUTSIDE:
        raise ExperimentError(
            f"experiment {trial.name}: {int(low.sum())} of {len(trial)} customers had a chance below {LEAST:.0%} of "
            f"some arm (the smallest {smallest:.2g}), so there is nobody to compare them with; leave out the "
            "customers, or the arm, that the choice never fell on"
        )
    clipped = np.maximum(propensities, LEAST)
    return Overlap(clipped / clipped.sum(axis=1, keepdims=True), smallest, outside)


def weighed(
    enrolment: Enrolment, seed: int, progress: Progress = lambda _: None
) -> tuple[Trial, Overlap | None]:
    """The trial with the propensities that customers are weighed by: those bound, or estimates where nobody drew.

    Args:
        enrolment: The experiment's customers.
        seed: Of the folds.
        progress: Told that propensities are estimated.

    Raises:
        ExperimentError: See `estimate_propensity`.
    """
    trial = enrolment.trial
    if trial.randomised or enrolment.designed:
        return trial, None
    progress("propensities")
    overlap = estimate_propensity(trial, enrolment.matrix, seed=seed)
    return replace(trial, propensity=overlap.propensity), overlap
