"""Tails are cut at bounds of all units, zeros and rare returns are left alone, and the bounds are told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.effects.winsor import winsorise
from features.errors import ExperimentError

amounts = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


def test_both_tails():
    value = np.concatenate([np.zeros(800), np.arange(1, 101), -np.arange(1, 21)])
    found = winsorise(value, 0.1)
    assert (found.low, found.high, found.n_low, found.n_high) == (-18, 90, 2, 10)
    assert found.value.max() == 90
    assert found.value.min() == -18
    assert (found.value == 0).sum() == 800


@given(amounts, st.floats(0, 0.49))
def test_signs_order_and_share_are_kept(value, share):
    y = np.array(value)
    found = winsorise(y, share)
    assert (np.sign(found.value) == np.sign(y)).all()
    assert found.low <= 0 <= found.high
    assert (np.diff(found.value[np.argsort(y)]) >= 0).all()
    assert found.n_high <= share * (y > 0).sum()
    assert found.n_low <= share * (y < 0).sum()
    moved = y != found.value
    assert moved.sum() == found.n_low + found.n_high
    mirrored = winsorise(-y, share)
    assert (mirrored.value == -found.value).all()


def test_rare_returns_and_small_samples_stay():
    value = np.concatenate([np.zeros(5000), np.ones(900), [-500.0, -20.0]])
    assert winsorise(value).value.tolist() == value.tolist()
    assert winsorise(value).low == -500
    assert winsorise([0.0, 0.0]).high == 0


@pytest.mark.parametrize(
    ("value", "share", "says"), [([1.0, np.nan], 0.1, "not finite"), ([1.0], 0.5, "share is 0.5")]
)
def test_errors(value, share, says):
    with pytest.raises(ExperimentError, match=says):
        winsorise(value, share)
