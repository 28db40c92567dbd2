"""Calibration's contract: monotone, the mean where nothing is proven, right on truth, and bands that hold it."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from benchmarks.coverage_uplift import CASES
from benchmarks.simulation import rate
from training.uplift.calibration import calibrate


def scores(seed, n=3000, *, effect=1.0, noise=3.0, exaggerated=2.0):
    """A learner's score that exaggerates, doubly robust scores, and the true effect."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    truth = 1.0 + effect * np.tanh(score)
    return exaggerated * score, truth + noise * rng.normal(size=n), truth


def test_it_rises_with_the_score_and_is_flat_beyond_its_ends():
    score, gamma, _ = scores(0)
    found = calibrate(score, gamma)
    at = np.linspace(-20, 20, 500)
    value = found(at)
    assert (np.diff(value) >= 0).all()
    assert value[0] == found.value[0]
    assert value[-1] == found.value[-1]
    assert (np.diff(found.score) > 0).all()
    assert ((found.low < found.value) & (found.value < found.high)).all()


def test_where_nothing_is_proven_everyone_gets_the_mean_with_its_interval():
    score, gamma, _ = scores(0)
    found = calibrate(score, gamma, proven=False)
    error = gamma.std(ddof=1) / np.sqrt(len(gamma))
    assert found.kept == 0
    assert (found(score) == gamma.mean()).all()
    assert found.low[0] == pytest.approx(gamma.mean() - 1.959964 * error)
    assert found.high[0] == pytest.approx(gamma.mean() + 1.959964 * error)


def test_on_truth_its_slope_is_about_one_and_it_beats_the_score():
    slopes, better = [], []
    for seed in range(8):
        score, gamma, _ = scores(seed)
        found = calibrate(score, gamma)
        new, _, truth = scores(100 + seed)
        slopes.append(np.polyfit(found(new), truth, 1)[0])
        better.append(np.mean((found(new) - truth) ** 2) < np.mean((new - truth) ** 2))
        assert found(new).mean() == pytest.approx(truth.mean(), abs=0.2)
    assert 0.9 < np.mean(slopes) < 1.1
    assert all(better)


def test_pure_noise_is_drawn_to_the_mean():
    kept, spread, raw = [], [], []
    for seed in range(20):
        score, gamma, _ = scores(seed, n=1500, effect=0.0)
        found = calibrate(score, gamma)
        kept.append(found.kept)
        spread.append(np.std(found(score)))
        raw.append(np.std(IsotonicRegression().fit_transform(score, gamma)))
    assert np.median(kept) < 0.2
    assert np.mean(spread) < 0.2 * np.mean(raw)


def test_where_scores_say_all_nearly_all_is_kept():
    score, gamma, _ = scores(0, noise=0.1)
    assert calibrate(score, gamma).kept > 0.97


def test_a_constant_score_is_the_mean():
    _, gamma, _ = scores(0)
    found = calibrate(np.full(3000, 4.0), gamma)
    assert found(np.array([-1.0, 4.0, 9.0])) == pytest.approx([gamma.mean()] * 3)


def test_more_rounds_are_not_more_customers():
    score, gamma, _ = scores(0)
    once = calibrate(score, gamma)
    twice = calibrate(np.tile(score, 2), np.tile(gamma, 2), rounds=2)
    assert twice.value == pytest.approx(once.value, abs=1e-9)
    # To within the divisor of the variance of a group's rows.
    assert twice.low == pytest.approx(once.low, abs=0.002)
    assert twice.high == pytest.approx(once.high, abs=0.002)


def test_knots_are_means_of_groups_of_equal_size():
    score, gamma, _ = scores(0, n=2000)
    found = calibrate(score, gamma)
    parts = np.array_split(np.argsort(score, kind="stable"), 20)
    assert found.score == pytest.approx([score[part].mean() for part in parts])
    means = IsotonicRegression().fit_transform(found.score, [gamma[part].mean() for part in parts])
    assert found.value == pytest.approx(gamma.mean() + found.kept * (means - gamma.mean()))


def test_the_level_widens_the_bands():
    score, gamma, _ = scores(0)
    narrow, wide = calibrate(score, gamma, level=0.8), calibrate(score, gamma, level=0.99)
    assert (wide.high - wide.low > narrow.high - narrow.low).all()
    assert (wide.value == narrow.value).all()
    assert (wide.high - wide.value) / (narrow.high - narrow.value) == pytest.approx(2.5758 / 1.2816, rel=1e-3)


def test_bands_hold_the_true_effect():
    held = []
    for seed in range(40):
        score, gamma, _ = scores(seed, n=2000)
        found = calibrate(score, gamma)
        held.append(
            (found.low <= 1 + np.tanh(found.score / 2)) & (1 + np.tanh(found.score / 2) <= found.high)
        )
    assert np.mean(held) > 0.9


def test_bands_of_a_model_hold_the_mean_effect_of_a_group():
    # benchmarks.coverage repeats it a thousand times; fewer than 5 of 8 at .9 would be 1 in 200.
    [case] = [case for case in CASES if "band" in case.name]
    assert rate(case, 8)[0] >= 5 / 8


def test_copies_of_customers_in_a_cluster_are_no_news():
    score, gamma, _ = scores(0, n=1000)
    again = np.repeat(np.arange(1000), 4)
    once = calibrate(score, gamma)
    copied = calibrate(score[again], gamma[again], clusters=again)
    # More rows make more groups, each of which says less; what all of them say is as sure as before.
    flat, flat_copied = (
        calibrate(score, gamma, proven=False),
        calibrate(score[again], gamma[again], clusters=again, proven=False),
    )
    assert flat_copied.low[0] == pytest.approx(flat.low[0], rel=1e-9)
    assert flat_copied.high[0] == pytest.approx(flat.high[0], rel=1e-9)
    naive = calibrate(score[again], gamma[again])
    assert copied.kept == pytest.approx(once.kept, abs=0.1)
    assert np.mean(copied.high - copied.low) > 1.3 * np.mean(naive.high - naive.low)


def test_clusters_that_share_their_luck_have_wider_bands_and_prove_less():
    wide, kept = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        clusters = np.repeat(np.arange(100), 20)
        score = rng.normal(size=100)[clusters] + 0.1 * rng.normal(size=2000)
        gamma = 1 + 3 * rng.normal(size=100)[clusters] + rng.normal(size=2000)
        found, naive = calibrate(score, gamma, clusters=clusters), calibrate(score, gamma)
        flat = calibrate(score, gamma, clusters=clusters, proven=False)
        means = gamma.reshape(100, 20).mean(axis=1)
        assert flat.high[0] - flat.value[0] == pytest.approx(1.959964 * means.std(ddof=1) / 10, rel=1e-6)
        wide.append(np.mean(found.high - found.low) / np.mean(naive.high - naive.low))
        kept.append((found.kept, naive.kept))
    # An effect that clusters have by chance is confirmed by other rows of the same clusters, and by no others.
    assert np.mean(wide) > 1.5
    assert np.mean(kept, axis=0)[0] < 0.3
    assert np.mean(kept, axis=0)[1] > 0.7
