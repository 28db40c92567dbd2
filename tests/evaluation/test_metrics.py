"""Every metric equals a peer or a closed form, ties and weights included, in any row order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr
from sklearn import metrics as sk

from evaluation import metrics as m
from features.errors import TrainingDataError

RANKED = [m.spearman, m.normalised_gini, m.auc, m.decile_error, m.total_ratio, m.log_loss, m.brier]


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    p = np.round(rng.gamma(1, 2, 400), 1)
    y = np.where(rng.random(400) < p / (p + 1), rng.gamma(2, p / 2 + 0.1), 0)
    return y, p


def test_spearman_is_scipys(data):
    assert m.spearman(*data) == pytest.approx(spearmanr(*data).statistic, rel=1e-12)


def test_gini_is_a_ratio_of_rank_covariances(data):
    y, p = data
    expected = np.cov(y, rankdata(p))[0, 1] / np.cov(y, rankdata(y))[0, 1]
    assert m.normalised_gini(y, p) == pytest.approx(expected, rel=1e-12)
    assert m.normalised_gini(y, y) == pytest.approx(1)
    assert m.normalised_gini(y, np.ones_like(y)) == pytest.approx(0, abs=1e-12)


def test_gini_of_events_is_two_auc_less_one(data):
    y, p = data
    event = (y > 0).astype(float)
    assert m.normalised_gini(event, p) == pytest.approx(2 * sk.roc_auc_score(event, p) - 1, rel=1e-12)


def test_probability_metrics_are_sklearns(data):
    y, p = data
    event, share = (y > 0).astype(int), p / (1 + p)
    w = np.random.default_rng(2).integers(0, 4, len(y))
    assert m.auc(event, p) == pytest.approx(sk.roc_auc_score(event, p))
    assert m.auc(event, p, w) == pytest.approx(sk.roc_auc_score(event, p, sample_weight=w))
    assert m.log_loss(event, np.clip(share, 1e-9, 1)) == pytest.approx(
        sk.log_loss(event, np.clip(share, 1e-9, 1))
    )
    assert m.brier(event, share, w) == pytest.approx(sk.brier_score_loss(event, share, sample_weight=w))


def test_decile_error_without_ties_is_the_textbook_one():
    rng = np.random.default_rng(3)
    p = rng.permutation(np.arange(1, 1001) / 100.0)
    y = rng.gamma(2, p)
    tenths = np.array_split(np.argsort(p), 10)
    expected = np.mean([abs(p[i].mean() - y[i].mean()) / y[i].mean() for i in tenths])
    assert m.decile_error(y, p) == pytest.approx(expected, rel=1e-12)


def test_decile_error_of_a_constant_is_that_of_the_total():
    y = np.r_[np.zeros(50), np.arange(50.0)]
    assert m.decile_error(y, np.full(100, 2 * y.mean())) == pytest.approx(1)


@given(seed=st.integers(0, 10_000), n=st.integers(5, 40))
@settings(max_examples=40, deadline=None)
def test_row_order_does_not_matter_and_a_weight_is_a_repetition(seed, n):
    rng = np.random.default_rng(seed)
    y = np.round(rng.gamma(1, 1, n) * (rng.random(n) < 0.6), 1)
    p = rng.integers(1, 6, n) / 7.0
    y[:2] = 0.0, 1.0
    w = rng.integers(1, 4, n)
    shuffled = rng.permutation(n)
    for metric in RANKED:
        value = metric(y, p, w)
        assert metric(y[shuffled], p[shuffled], w[shuffled]) == pytest.approx(
            value, rel=1e-9, abs=1e-12, nan_ok=True
        )
        assert metric(np.repeat(y, w), np.repeat(p, w)) == pytest.approx(
            value, rel=1e-9, abs=1e-12, nan_ok=True
        )


def test_gain_curve_ends_at_everything_and_is_straight_for_ties():
    share, gain = m.cumulative_gain([0, 0, 10, 30], [1, 1, 2, 3], shares=[0, 0.25, 0.5, 1])
    np.testing.assert_allclose(gain, [0, 0.75, 1, 1])
    np.testing.assert_allclose(m.cumulative_gain([1.0, 5, 2], [1, 1, 1])[1], np.linspace(0, 1, 101))
    assert share[-1] == 1


def test_wrong_input_is_refused():
    with pytest.raises(TrainingDataError, match="finite"):
        m.spearman([1, np.nan], [1, 2])
    with pytest.raises(TrainingDataError, match="two arrays"):
        m.auc([], [])
    with pytest.raises(TrainingDataError, match="total"):
        m.cumulative_gain([0, 0], [1, 2])
