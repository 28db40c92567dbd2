"""Lifetime value agrees with Fader and Hardie's published curves and with plain sums."""

import numpy as np
import pytest

from features.errors import DefinitionError, TrainingDataError
from training.lifetime import RetentionCurve, lifetime_value


def test_published_parameters():
    # Fader and Hardie 2007, tables 1 and 2: two segments followed for seven years.
    high = RetentionCurve.fit([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.4, 49.1])
    assert (high.alpha, high.beta) == pytest.approx((0.668, 3.806), rel=0.01)
    regular = RetentionCurve.fit([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1])
    assert (regular.alpha, regular.beta) == pytest.approx((0.704, 1.182), rel=0.01)
    np.testing.assert_allclose(high.survival([0, 7]), [1, 0.491], atol=0.01)


@pytest.mark.parametrize("horizon", [30, 365])
def test_value_is_the_plain_sum(horizon):
    value, p, rate, c = np.array([100.0, 50, -3]), np.array([0.1, 0.5, 1.0]), 0.1, 4.0
    z, k = 1.1 ** (-horizon / 365), np.arange(20_000)
    geometric = (1 - p[:, None]) ** k @ z**k
    np.testing.assert_allclose(
        lifetime_value(value, p, horizon_days=horizon, discount_rate=rate), value * geometric, rtol=1e-9
    )
    kept = np.cumprod(np.column_stack([np.ones(3), ((1 - p)[:, None] * c + k[:-1]) / (c + k[:-1])]), axis=1)
    np.testing.assert_allclose(
        lifetime_value(value, p, horizon_days=horizon, discount_rate=rate, concentration=c),
        value * (kept @ z**k),
        rtol=1e-8,
    )


def test_who_surely_leaves_is_worth_the_horizon_and_alike_customers_are_geometric():
    assert lifetime_value(7.0, 1.0, horizon_days=90, discount_rate=0.1) == 7
    alike = lifetime_value(1.0, 0.3, horizon_days=365, discount_rate=0.1, concentration=1e6)
    assert alike == pytest.approx(lifetime_value(1.0, 0.3, horizon_days=365, discount_rate=0.1), rel=1e-4)


def test_what_has_no_answer_is_refused():
    with pytest.raises(DefinitionError, match="no end"):
        lifetime_value([1.0], [0.0], horizon_days=365, discount_rate=0)
    with pytest.raises(DefinitionError, match="no end"):
        lifetime_value([1.0], [0.2], horizon_days=365, discount_rate=0, concentration=4)
    with pytest.raises(DefinitionError, match="between 0 and 1"):
        lifetime_value([1.0], [1.2], horizon_days=365, discount_rate=0.1)
    with pytest.raises(DefinitionError, match="positive"):
        lifetime_value([1.0], [0.2], horizon_days=0, discount_rate=0.1)
    for shares in ([1, 0.5], [1, 0.5, 0.6], [1, 1, 1]):
        with pytest.raises(TrainingDataError, match="retention curve"):
            RetentionCurve.fit(shares)
