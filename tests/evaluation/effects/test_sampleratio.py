"""The sample-ratio check agrees with tea-tasting and scipy, counts what was randomised, and blocks at .001."""

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare, poisson_binom

from benchmarks.coverage_looks import CASES
from benchmarks.simulation import rate
from evaluation.effects.sampleratio import check_ratio, check_trial
from evaluation.effects.trial import Trial
from features.errors import ExperimentError


@pytest.mark.parametrize(
    ("counts", "ratio"),
    [((480, 519), 1), ((5200, 4800), 1), ((700, 299), 0.5), ((9100, 900), 0.1), ((500, 500), 1)],
)
def test_two_arms_as_tea_tasting(counts, ratio):
    data = pd.DataFrame({"variant": np.repeat([0, 1], counts)})
    peer = tt.Experiment(ratio=tt.SampleRatio(ratio)).analyze(data)["ratio"].pvalue
    found = check_ratio(counts, [1, ratio])
    assert found.p == pytest.approx(peer, rel=1e-9)
    assert found.method == ("exact" if sum(counts) < 1000 else "chi-squared")


@settings(max_examples=40)
@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.05, 0.95))
def test_few_units_as_scipy_binomial(a, b, share):
    assert check_ratio([a, b], [1 - share, share]).p == pytest.approx(
        binomtest(b, a + b, share).pvalue, rel=1e-6
    )


def test_three_arms_as_pearson():
    counts, shares = np.array([1040, 480, 530]), np.array([0.5, 0.25, 0.25])
    found = check_ratio(counts, shares)
    assert found.p == pytest.approx(chisquare(counts, shares * counts.sum()).pvalue, rel=1e-9)
    assert found.expected == pytest.approx((1025, 512.5, 512.5))
    few = check_ratio([60, 20, 40], shares)
    assert few.method == "simulated"
    assert few.p == pytest.approx(chisquare([60, 20, 40], shares * 120).pvalue, abs=0.01)


def test_probabilities_by_row():
    rng = np.random.default_rng(0)
    p = rng.choice([0.1, 0.5, 0.9], 300)
    rows = np.column_stack([1 - p, p])
    treated = round(p.sum()) - 15
    chance = poisson_binom(p).pmf(np.arange(301))
    expected = chance[chance <= chance[treated] * (1 + 1e-7)].sum()
    found = check_ratio([300 - treated, treated], rows)
    assert found.p == pytest.approx(expected, rel=1e-6)
    # Certain rows vary less than a coin would, and so the same gap says more.
    assert found.p < check_ratio([300 - treated, treated], rows.sum(axis=0)).p
    many = check_ratio([3000 - 10 * treated, 10 * treated], np.tile(rows, (10, 1)))
    z = (abs(10 * treated - 10 * p.sum()) - 0.5) / np.sqrt(10 * (p * (1 - p)).sum())
    assert many.p == pytest.approx(2 * 0.5 * np.exp(-(z**2) / 2) / z * np.sqrt(2 / np.pi), rel=0.1)
    alike = np.tile([0.5, 0.3, 0.2], (2000, 1))
    assert check_ratio([1050, 600, 350], alike).p == pytest.approx(check_ratio([1050, 600, 350], [5, 3, 2]).p)


def test_broken_says_that_there_is_no_verdict():
    broken = check_ratio([5400, 4600], [1, 1])
    assert broken.broken
    assert "no verdict" in broken.sentence
    assert "5,400 and 4,600" in broken.sentence
    fine = check_ratio([5050, 4950], [1, 1])
    assert not fine.broken
    assert "as planned" in fine.sentence


def test_a_trial_counts_clusters_once():
    arm = np.repeat([0, 1, 0, 1, 1], [50, 1, 40, 2, 1])
    clusters = np.repeat([7, 3, 9, 4, 5], [50, 1, 40, 2, 1])
    propensity = np.full((94, 2), 0.5)
    apart = Trial("t", ("control", "mail"), arm, propensity, np.zeros(94, np.int64))
    together = Trial("t", ("control", "mail"), arm, propensity, np.zeros(94, np.int64), clusters)
    assert check_trial(apart).broken
    found = check_trial(together)
    assert found.counts == (2, 3)
    assert found.p == pytest.approx(1)
    arm = arm.copy()
    arm[0] = 1
    with pytest.raises(ExperimentError, match="cluster 7"):
        check_trial(Trial("t", ("control", "mail"), arm, propensity, np.zeros(94, np.int64), clusters))


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name.startswith("sample ratio")], ids=lambda c: c.name
)
def test_hardly_ever_broken_by_chance(case):
    assert rate(case, 150)[0] <= 0.014


@pytest.mark.parametrize(
    ("counts", "expected", "match"),
    [
        ([10], [1], "two arms"),
        ([10, -1], [1, 1], "whole numbers"),
        ([10.5, 1], [1, 1], "whole numbers"),
        ([0, 0], [1, 1], "not all 0"),
        ([10, 10], [1, 0], "positive share"),
        ([10, 10], [1, 1, 1], "shape"),
        ([1, 1], [[0.5, 0.5], [0.5, 0.6]], "sum to 1.1"),
    ],
)
def test_errors(counts, expected, match):
    with pytest.raises(ExperimentError, match=match):
        check_ratio(counts, expected)
