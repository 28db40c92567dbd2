"""The A/A check passes a sound test, catches one that forgets clusters, and splits whole clusters."""

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_ind

from benchmarks.coverage_looks import CASES
from benchmarks.simulation import rate
from evaluation.effects.welch import welch
from evaluation.planning.aacheck import aa_check
from features.errors import ExperimentError


def _accounts(seed=0):
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(80), rng.integers(2, 12, 80))
    return rng.normal(0, 1, 80)[account] + rng.normal(0, 1, len(account)), account


def test_welch_as_scipy():
    rng = np.random.default_rng(1)
    value, treated = rng.lognormal(0, 1, 300), rng.random(300) < 0.3
    expected = ttest_ind(value[treated], value[~treated], equal_var=False).pvalue
    assert welch(value, treated) == pytest.approx(expected)
    clusters = np.repeat(np.arange(100), 3)
    means, arm = value.reshape(100, 3).mean(axis=1), treated[::3]
    expected = ttest_ind(means[arm], means[~arm], equal_var=False).pvalue
    assert welch(value, arm[clusters], clusters) == pytest.approx(expected)
    assert np.isnan(welch(value, np.arange(300) < 1))
    assert np.isnan(welch(np.ones(300), treated))


def test_a_sound_test_passes_with_the_share_it_promises():
    found = aa_check(np.random.default_rng(2).normal(100, 30, 200), welch, repetitions=2000)
    assert 0.04 <= found.false_positives.value <= 0.06
    assert found.passed
    assert found.uniform
    count = round(found.false_positives.value * 2000)
    peer = binomtest(count, 2000, 0.05)
    assert found.rate_p == pytest.approx(peer.pvalue)
    assert found.false_positives.low == pytest.approx(peer.proportion_ci(method="exact").low)


def test_forgetting_the_accounts_is_caught():
    value, account = _accounts()
    forgetful = aa_check(value, lambda v, t, _: welch(v, t), clusters=account, repetitions=400)
    assert forgetful.false_positives.low > 0.1
    assert not forgetful.passed
    assert not forgetful.uniform
    assert aa_check(value, welch, clusters=[f"a{a}" for a in account], repetitions=400).passed


def test_splits_are_of_whole_units_by_the_planned_share():
    value, account = _accounts()
    shares = []

    def watch(v, treated, clusters):
        assert v.tolist() == value.tolist()
        first = np.unique(clusters, return_index=True)[1]
        assert (treated == treated[first][clusters]).all()
        shares.append(treated[first].mean())
        return 0.5

    found = aa_check(value, watch, clusters=account, share=0.25, repetitions=50)
    assert set(shares) == {0.25}
    assert found.false_positives.value == 0


def test_a_test_that_never_finds_anything_fails_too():
    assert not aa_check(np.arange(50.0), lambda *_: 1.0, repetitions=400).passed


def test_another_level():
    found = aa_check(np.random.default_rng(3).normal(size=100), welch, level=0.9, repetitions=500)
    assert found.expected == pytest.approx(0.1)
    assert found.passed


def test_seed_repeats():
    value = np.random.default_rng(4).random(60)
    assert aa_check(value, welch, repetitions=30) == aa_check(value, welch, repetitions=30)
    assert aa_check(value, welch, repetitions=30) != aa_check(value, welch, repetitions=30, seed=8)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name.startswith("A/A")], ids=lambda c: c.name
)
def test_cases(case):
    count = 1500 if case.name.startswith("A/A:") else 30
    share, error = rate(case, count)
    assert case.low - 3 * error <= share <= case.high + 3 * error


@pytest.mark.parametrize(
    ("value", "options", "match"),
    [
        ([1.0, 2, 3], {}, "3 units"),
        (np.arange(20.0), {"share": 0.99}, "share of 0.99"),
        (np.arange(20.0), {"clusters": np.arange(20) // 10}, "2 units"),
        (np.zeros(20), {}, "no p value in 1000 of 1000"),
        ([1.0, np.inf, 2, 3], {}, "not numbers"),
        (np.arange(20.0), {"level": 95}, "level = 95"),
    ],
)
def test_errors(value, options, match):
    with pytest.raises(ExperimentError, match=match):
        aa_check(value, welch, **options)
