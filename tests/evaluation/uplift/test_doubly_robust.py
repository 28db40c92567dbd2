"""Doubly robust scores have the right mean if either the propensities or the predictions are right."""

import numpy as np
import pytest

from evaluation.uplift.doubly_robust import aipw, arm_values
from features.errors import ExperimentError


def trial(n=200_000, seed=0):
    """Three arms with means 2, 3 and 1, assigned by a feature that also drives the outcome."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    propensity = np.column_stack([0.2 + 0.4 * x, 0.5 - 0.3 * x, 0.3 - 0.1 * x])
    arm = (rng.random(n)[:, None] > propensity.cumsum(axis=1)[:, :2]).sum(axis=1)
    means = np.array([2.0, 3.0, 1.0]) + 4 * (x[:, None] - 0.5)
    return x, rng.normal(means[np.arange(n), arm]), arm, propensity, means


def test_either_half_being_right_is_enough():
    _, outcome, arm, propensity, means = trial()
    naive = [outcome[arm == a].mean() for a in range(3)]
    assert abs(naive[0] - 2) > 0.1
    for p, fitted in ((propensity, np.zeros_like(means)), (np.full_like(propensity, 1 / 3), means)):
        assert arm_values(outcome, arm, p, fitted).mean(axis=0) == pytest.approx([2, 3, 1], abs=0.05)
        assert aipw(outcome, arm, p, fitted).mean(axis=0) == pytest.approx([1, -1], abs=0.07)


def test_scores_row_by_row():
    _, outcome, arm, propensity, means = trial(50)
    found = arm_values(outcome, arm, propensity, means + 0.3)
    for i in range(50):
        for a in range(3):
            fitted = means[i, a] + 0.3
            error = (outcome[i] - fitted) / propensity[i, a] if arm[i] == a else 0.0
            assert found[i, a] == pytest.approx(fitted + error)
    assert aipw(outcome, arm, propensity, means + 0.3) == pytest.approx(found[:, 1:] - found[:, :1])


def test_good_predictions_narrow_the_scores():
    _, outcome, arm, propensity, means = trial(20_000)
    good, none = aipw(outcome, arm, propensity, means), aipw(outcome, arm, propensity, 0 * means)
    assert (good.std(axis=0) < 0.8 * none.std(axis=0)).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": [1.0, np.nan]}, "outcome has 1 values that are NaN or infinite"),
        ({"outcome": [1.0]}, "outcome has shape"),
        ({"arm": [0, 2]}, "arms run from 0 to 2, but there are predictions for 2 arms"),
        ({"arm": [0, -1]}, "arms run from -1"),
        ({"arm": [0.0, 1.0]}, "whole numbers"),
        ({"propensity": [[0.5, 0.5], [0.0, 1.0]]}, r"1 of 2 customers .* \[0.0, 1.0\]"),
        ({"propensity": [[0.5, 0.5], [0.5, 0.6]]}, "sum of 1"),
        ({"propensity": [[0.5, 0.5]]}, "propensity has shape"),
        ({"fitted": [1.0, 2.0]}, "fitted has shape"),
    ],
)
def test_bad_input_is_refused(change, words):
    given = {"outcome": [1.0, 2.0], "arm": [0, 1], "propensity": [[0.5, 0.5]] * 2, "fitted": [[1.0, 1.0]] * 2}
    with pytest.raises(ExperimentError, match=words):
        aipw(**{**given, **change})
