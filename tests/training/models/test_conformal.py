"""Conformal intervals cover what they say in every bin, are nested, and hold their prediction."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ChecksumError, TrainingDataError
from training.models.conformal import ConformalIntervals


def draw(rng, n):
    p = rng.gamma(0.7, 100, n)
    return np.where(rng.random(n) < 0.6, rng.lognormal(np.log(p + 1), 1), 0.0), p


def test_coverage_by_simulation_is_at_least_nominal_and_not_wasteful():
    rng = np.random.default_rng(0)
    covered = {level: [] for level in (0.5, 0.8, 0.95)}
    for _ in range(60):
        model = ConformalIntervals.fit(*draw(rng, 1200), tuple(covered))
        y, p = draw(rng, 1200)
        for level, seen in covered.items():
            low, high = model.interval(p, level)
            seen.append(np.mean((low <= y) & (y <= high)))
    for level, seen in covered.items():
        error = np.std(seen) / np.sqrt(len(seen))
        assert level - 3 * error <= np.mean(seen)
    assert np.mean(covered[0.95]) < 0.975
    assert np.mean(covered[0.8]) < 0.84


def test_every_bin_is_covered():
    rng = np.random.default_rng(1)
    model = ConformalIntervals.fit(*draw(rng, 20_000), (0.9,))
    y, p = draw(rng, 40_000)
    low, high = model.interval(p, 0.9)
    part = np.searchsorted(model.edges, p, side="right")
    assert len(model.edges) == 9
    for b in range(10):
        assert np.mean((low <= y)[part == b] & (y <= high)[part == b]) == pytest.approx(0.9, abs=0.03)


@given(seed=st.integers(0, 999), n=st.integers(60, 400), flat=st.booleans())
@settings(max_examples=30, deadline=None)
def test_levels_are_nested_and_the_prediction_inside(seed, n, flat):
    rng = np.random.default_rng(seed)
    y, p = draw(rng, n)
    y -= 20 * rng.random(n)
    p = np.round(p, -2) if flat else p - 10
    model = ConformalIntervals.fit(y, p, (0.9, 0.5, 0.8))
    ends = [model.interval(p, level) for level in (0.5, 0.8, 0.9)]
    for (low, high), (wider_low, wider_high) in zip(ends, ends[1:], strict=False):
        assert (wider_low <= low).all()
        assert (high <= wider_high).all()
    assert (ends[0][0] <= p).all()
    assert (p <= ends[0][1]).all()


def test_json_gives_the_same_bits():
    y, p = draw(np.random.default_rng(2), 500)
    model = ConformalIntervals.fit(y, p)
    again = ConformalIntervals.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    np.testing.assert_array_equal(again.interval(p, 0.9), model.interval(p, 0.9))
    one = [model.interval(p[i : i + 1], 0.9)[1][0] for i in range(50)]
    np.testing.assert_array_equal(one, model.interval(p[:50], 0.9)[1])


def test_what_cannot_be_is_refused():
    y, p = draw(np.random.default_rng(3), 30)
    with pytest.raises(TrainingDataError, match="39 calibration rows"):
        ConformalIntervals.fit(y, p, (0.95,))
    with pytest.raises(TrainingDataError, match="finite"):
        ConformalIntervals.fit([1, np.nan], [1, 2])
    with pytest.raises(TrainingDataError, match="between 0 and 1"):
        ConformalIntervals.fit(y, p, (90,))
    with pytest.raises(TrainingDataError, match="not calibrated"):
        ConformalIntervals.fit(y, p, (0.5,)).interval(p, 0.9)
    with pytest.raises(ChecksumError, match="edges"):
        ConformalIntervals.from_dict({"levels": [0.9]})


def test_no_interval_reaches_below_what_was_ever_seen():
    rng = np.random.default_rng(8)
    p = rng.lognormal(3, 1.5, 4000)
    y = p * rng.lognormal(0, 1, 4000) * (rng.random(4000) < 0.5)
    made = ConformalIntervals.fit(y[:2000], p[:2000], (0.9,))
    low, high = made.interval(p[2000:], 0.9)
    assert (low >= 0).all()
    assert (low <= p[2000:]).all()
    assert np.mean((low <= y[2000:]) & (y[2000:] <= high)) >= 0.88
