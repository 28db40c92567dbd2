"""Estimated propensities' contract: confounding is taken out, no overlap is refused, and all is marked."""

import re

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from benchmarks.coverage_uplift import QUICK
from evaluation.effects.trial import Trial
from features.engine.matrix import FeatureMatrix
from features.errors import ExperimentError
from training.uplift.crossfit import cross_fit
from training.uplift.propensity import LEAST, estimate_propensity
from training.uplift.rows import UpliftRows

NAMES = tuple(f"x{k}" for k in range(4))


def chosen(seed, n=2000, strength=1.0):
    """Large accounts are visited more often and buy more anyway; a visit brings 1."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(NAMES)))
    share = expit(strength * x[:, 0])
    arm = (rng.random(n) < share).astype(int)
    y = 2 * x[:, 0] + 1.0 * arm + rng.normal(size=n)
    trial = Trial(
        "visits", ("control", "visit"), arm, np.full((n, 2), 0.5), np.zeros(n, np.int64), randomised=False
    )
    return trial, FeatureMatrix(NAMES, x), y, share


def test_propensities_are_those_of_the_choice():
    trial, matrix, _, share = chosen(0, 6000)
    found = estimate_propensity(trial, matrix)
    assert found.propensity.shape == (6000, 2)
    assert found.propensity.sum(axis=1) == pytest.approx(1)
    assert np.abs(found.propensity[:, 1] - share).mean() < 0.03
    assert found.smallest == pytest.approx(found.propensity.min(), abs=LEAST)
    whole = LogisticRegression().fit(matrix.values, trial.arm).predict_proba(matrix.values)
    assert np.corrcoef(found.propensity[:, 1], whole[:, 1])[0, 1] > 0.99


def test_no_customer_s_propensity_hangs_on_its_own_arm():
    trial, matrix, _, _ = chosen(0, 300)
    arm = trial.arm.copy()
    arm[5] = 1 - arm[5]
    other = Trial(trial.name, trial.arms, arm, trial.propensity, trial.assigned_at, randomised=False)
    before, after = (estimate_propensity(each, matrix).propensity for each in (trial, other))
    assert (before[5] == after[5]).all()
    assert (before != after).any()


def test_confounding_biases_the_difference_and_not_the_doubly_robust_mean():
    gaps, naive = [], []
    for seed in range(4):
        trial, matrix, y, _ = chosen(seed)
        found = estimate_propensity(trial, matrix)
        rows = UpliftRows(matrix, trial.arm, found.propensity, y, trial.arms, randomised=False)
        scores = cross_fit(rows, ("dr_learner",), QUICK, folds=3, repeats=1).scores[:, 0]
        gaps.append((scores.mean() - 1) / (scores.std() / np.sqrt(len(y))))
        naive.append(y[trial.arm == 1].mean() - y[trial.arm == 0].mean())
    # The naive difference is off by about 2 (E[x | visited] - E[x | not]) = 1.65.
    assert min(naive) > 2.4
    assert np.abs(gaps).max() < 3
    assert abs(np.mean(gaps)) < 1.5


def test_an_arm_that_hardly_anyone_could_be_in_is_an_error():
    trial, matrix, _, share = chosen(0, strength=8.0)
    with pytest.raises(ExperimentError) as caught:
        estimate_propensity(trial, matrix)
    message = str(caught.value)
    assert "of 2000 customers had a chance below 2% of some arm" in message
    assert "nobody to compare them with; leave out" in message
    count = int(re.search(r"(\d+) of 2000", message)[1])
    assert count == pytest.approx(((share < LEAST) | (share > 1 - LEAST)).sum(), rel=0.2)


def test_a_few_without_overlap_are_brought_in():
    trial, matrix, _, share = chosen(0, strength=2.0)
    found = estimate_propensity(trial, matrix)
    assert 0 < found.outside < 0.1
    assert found.smallest < LEAST
    assert found.propensity.min() > LEAST * 0.95
    assert np.abs(found.propensity[:, 1] - share).mean() < 0.03


def test_three_arms_are_estimated_together():
    trial, matrix, _, _ = chosen(0)
    second = np.random.default_rng(1).random(2000) < expit(matrix.values[:, 1])
    arm = np.where((trial.arm == 1) & second, 2, trial.arm)
    three = Trial(
        "three", ("control", "a", "b"), arm, np.full((2000, 3), 1 / 3), trial.assigned_at, randomised=False
    )
    found = estimate_propensity(three, matrix).propensity
    assert found.sum(axis=1) == pytest.approx(1)
    assert np.corrcoef(found[:, 2], matrix.values[:, 1])[0, 1] > 0.6
