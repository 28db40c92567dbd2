"""Lifetime value is the plain discounted sum over horizons, and the hazard goes on as it was."""

import numpy as np
import pytest

from features.errors import DefinitionError
from training.models.lifetime import leaves_by, lifetime_value


@pytest.mark.parametrize("horizon", [30, 365])
def test_value_is_the_plain_sum(horizon):
    value, p, rate = np.array([100.0, 50, -3]), np.array([0.1, 0.5, 1.0]), 0.1
    z, k = 1.1 ** (-horizon / 365), np.arange(20_000)
    geometric = (1 - p[:, None]) ** k @ z**k
    np.testing.assert_allclose(
        lifetime_value(value, p, horizon_days=horizon, discount_rate=rate), value * geometric, rtol=1e-9
    )


def test_who_surely_leaves_is_worth_the_horizon():
    assert lifetime_value(7.0, 1.0, horizon_days=90, discount_rate=0.1) == 7


def test_the_hazard_is_kept_beyond_the_last_horizon():
    left = np.array([[0.1, 0.2, 0.3], [0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.2, 1.0, 1.0]])
    by = {days: leaves_by(left, (30, 60, 90), days) for days in (15, 30, 60, 90, 120, 365)}
    for k, days in enumerate((30, 60, 90)):
        np.testing.assert_allclose(by[days], left[:, k], atol=1e-15)
    # 30 more days of the last interval's risk: the share still there shrinks by the same factor.
    np.testing.assert_allclose(1 - by[120][0], 0.7 * (0.7 / 0.8))
    np.testing.assert_allclose(1 - by[15][0], 0.9**0.5)
    assert by[365].tolist()[1:] == pytest.approx([0.0, 0.5, 1.0])


def test_the_hazard_goes_on_beyond_the_last_horizon():
    # A constant daily hazard of 0.01 seen at three horizons is a constant hazard ever after.
    ends = (30, 60, 90)
    left = 1 - np.exp(-0.01 * np.array(ends))[None]
    for days in (7, 30, 45, 90, 365):
        assert leaves_by(left, ends, days)[0] == pytest.approx(1 - np.exp(-0.01 * days), rel=1e-12)
    assert leaves_by([[0.5, 1.0, 1.0]], ends, 365)[0] == pytest.approx(1)
    assert leaves_by([[0.5, 0.5, 0.5]], ends, 365)[0] == pytest.approx(0.5)
    assert leaves_by([[1.0]], (30,), 30)[0] == pytest.approx(1)


def test_what_has_no_answer_is_refused():
    with pytest.raises(DefinitionError, match="no end"):
        lifetime_value([1.0], [0.0], horizon_days=365, discount_rate=0)
    with pytest.raises(DefinitionError, match="between 0 and 1"):
        lifetime_value([1.0], [1.2], horizon_days=365, discount_rate=0.1)
    with pytest.raises(DefinitionError, match="positive"):
        lifetime_value([1.0], [0.2], horizon_days=0, discount_rate=0.1)
