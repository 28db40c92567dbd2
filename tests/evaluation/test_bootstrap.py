"""Bootstrap intervals cover what they say, and resample whole customers."""

import numpy as np
import pytest

from evaluation import metrics as m
from evaluation.bootstrap import bootstrap, paired_test
from features.errors import TrainingDataError


def test_intervals_cover_the_truth():
    # AUC of two unit-variance normals a distance d apart is Phi(d / sqrt 2).
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(100):
        y = (np.arange(160) % 2).astype(float)
        p = rng.normal(y * np.sqrt(2) * 0.5244005)
        found = bootstrap({"auc": m.auc}, y, p, draws=200, level=0.9, seed=trial)["auc"]
        hits += found.low <= 0.7 <= found.high
    assert 0.82 <= hits / 100 <= 0.97


def test_rows_of_one_customer_are_drawn_together():
    rng = np.random.default_rng(1)
    effect = rng.normal(size=60)
    clusters = np.repeat(np.arange(60), 25)
    y = effect[clusters] + 0.01 * rng.normal(size=1500)
    apart = bootstrap({"mean": m.mean_actual}, y, y)["mean"]
    together = bootstrap({"mean": m.mean_actual}, y, y, [f"c{c}" for c in clusters])["mean"]
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(5, rel=0.2)
    standard_error = effect.std() / np.sqrt(60)
    assert together.high - together.low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)


def test_paired_test_knows_worse_from_better():
    rng = np.random.default_rng(3)
    y = rng.gamma(1, 1, 500)
    good, bad = y + rng.normal(0, 0.5, 500), y + rng.normal(0, 3, 500)
    worse = paired_test(m.spearman, y, bad, good)
    assert worse.p_worse < 0.01
    assert worse.difference.high < 0
    assert worse.difference.value == pytest.approx(worse.a - worse.b)
    assert paired_test(m.spearman, y, good, bad).p_worse > 0.99
    assert paired_test(m.brier, (y > 1).astype(float), bad, good).p_worse < 0.01
    same = paired_test(m.spearman, y, good, good)
    assert same.p_worse == 1
    assert same.difference.low == same.difference.high == 0


def test_closeness_of_the_total_counts_on_both_sides():
    y = np.random.default_rng(4).gamma(2, 1, 400)
    assert paired_test(m.total_ratio, y, 1.5 * y, 1.05 * y).p_worse < 0.01
    assert paired_test(m.total_ratio, y, y / 1.5, 1.05 * y).p_worse < 0.01
    assert paired_test(m.total_ratio, y, y, 1.5 * y).difference.low > 0


def test_p_is_small_in_five_percent_of_cases_where_both_are_alike():
    rng = np.random.default_rng(5)
    small = 0
    for trial in range(120):
        y = rng.normal(size=80)
        a, b = y + rng.normal(size=80), y + rng.normal(size=80)
        small += paired_test(m.spearman, y, a, b, draws=150, seed=trial).p_worse <= 0.05
    assert small / 120 <= 0.11


def test_seed_repeats():
    y = np.random.default_rng(6).random(50)
    first, again = (bootstrap({"s": m.spearman}, y, y**2 - y, seed=3) for _ in range(2))
    assert first == again


def test_wrong_clusters_are_refused():
    with pytest.raises(TrainingDataError, match="clusters"):
        bootstrap({"s": m.spearman}, [1.0, 2], [1.0, 2], [1])
    with pytest.raises(TrainingDataError, match="two customers"):
        bootstrap({"s": m.spearman}, [1.0, 2], [1.0, 2], [1, 1])
