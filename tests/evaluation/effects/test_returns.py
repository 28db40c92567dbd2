"""ROI and long-term effects carry the error of costs and of the surrogate, and break even where the net is nothing."""

import numpy as np
import pytest
import statsmodels.api as sm

from benchmarks.coverage_effects import hard_money
from evaluation.effects.analysis import Analysis
from evaluation.effects.effect import mean_effect
from evaluation.effects.returns import Calibration, Surrogate, calibration, long_term_effect, net_return, roi
from features.errors import ExperimentError


@pytest.fixture
def trial():
    rng = np.random.default_rng(1)
    treated = rng.permutation(1000) < 500
    return rng, hard_money(rng, 1000) + treated, treated


def test_one_cost_is_a_unit_of_money(trial):
    _, margin, treated = trial
    effect = mean_effect(margin, treated).absolute
    found = roi(margin, treated, 0.5)
    assert [found.value, found.low, found.high] == pytest.approx(
        [2 * effect.value, 2 * effect.low, 2 * effect.high]
    )
    net = net_return(margin, treated, 0.5)
    assert [net.value, net.low] == pytest.approx([effect.value - 0.5, effect.low - 0.5])


def test_roi_breaks_even_where_the_net_is_nothing(trial):
    rng, margin, treated = trial
    cost = rng.gamma(2, 0.2, 1000) + 0.05 * margin
    net = net_return(margin, treated, cost)
    for end in (net.low, net.high):
        for near in (1e-6, -1e-6):
            moved = margin - treated * (end + near)
            ratio, rest = roi(moved, treated, cost), net_return(moved, treated, cost)
            assert (ratio.low <= 1 <= ratio.high) == (rest.low <= 0 <= rest.high)
    assert net.value == pytest.approx(
        mean_effect(margin - np.where(treated, cost, 0), treated).absolute.value
    )


def test_costs_of_control_are_not_read(trial):
    rng, margin, treated = trial
    cost = np.where(treated, rng.gamma(2, 1, 1000), np.nan)
    account = np.arange(1000)
    found = roi(margin, treated, cost)
    assert found.value == pytest.approx(mean_effect(margin, treated).absolute.value / np.nanmean(cost))
    again = roi(margin, treated, cost, Analysis(clusters=account, weight=np.ones(1000)))
    assert again.low == pytest.approx(found.low)


def test_calibration_as_statsmodels():
    rng = np.random.default_rng(2)
    customer = np.repeat(np.arange(200), 3)
    predicted = rng.gamma(2, 50, 600) + 500
    actual = 20 + 0.8 * predicted + rng.normal(0, 30, 200)[customer] + rng.normal(0, 30, 600)
    found = calibration(predicted, actual, customer)
    line = sm.WLS(actual, sm.add_constant(predicted), weights=(predicted + predicted.mean()) ** -2.0)
    theirs = line.fit(cov_type="cluster", cov_kwds={"groups": customer})
    assert [found.intercept, found.slope] == pytest.approx(theirs.params)
    # The jackknife goes above the sandwich by the customers' leverage.
    assert found.covariance == pytest.approx(theirs.cov_params(), rel=0.1)
    assert found.customers == 200
    alone = calibration(predicted, actual)
    assert alone.covariance == pytest.approx(line.fit(cov_type="HC3").cov_params(), rel=0.005)


def surrogate_trial(rng, slope_error):
    treated = rng.permutation(1000) < 500
    predicted = rng.gamma(1.5, 60, 1000) * (1 + 0.5 * treated)
    margin = rng.gamma(0.5, 20, 1000) + 3 * treated
    earlier = rng.gamma(1.5, 60, 150)
    judged = calibration(earlier, rng.gamma(1, 20 + 0.8 * earlier))
    if not slope_error:
        judged = Calibration(judged.intercept, judged.slope, np.zeros((2, 2)), judged.customers)
    return margin, treated, Surrogate(predicted, judged)


@pytest.mark.parametrize(("slope_error", "least", "most"), [(True, 0.9, 0.99), (False, 0.4, 0.86)])
def test_the_surrogates_error_is_what_makes_the_interval_hold(slope_error, least, most):
    hits = 0
    for seed in range(150):
        trial = surrogate_trial(np.random.default_rng(seed), slope_error)
        found = long_term_effect(*trial).absolute
        hits += found.low <= 3 + 0.8 * 45 <= found.high
    assert least <= hits / 150 <= most


def test_long_term_effect_with_a_known_calibration_is_a_mean_effect():
    margin, treated, after = surrogate_trial(np.random.default_rng(3), slope_error=True)
    predicted = after.predicted
    exact = Calibration(5.0, 0.8, np.zeros((2, 2)), 100)
    found = long_term_effect(margin, treated, Surrogate(predicted, exact))
    plain = mean_effect(margin + 5 + 0.8 * predicted, treated)
    assert found.standard_error == pytest.approx(plain.standard_error)
    assert found.relative.value == pytest.approx(plain.relative.value)
    assert found.absolute.low == pytest.approx(plain.absolute.low, rel=1e-6)
    spent = roi(margin, treated, 10, after=Surrogate(predicted, exact))
    assert spent.low == pytest.approx(found.absolute.low / 10)


def test_adjusting_narrows_the_long_term_too():
    rng = np.random.default_rng(4)
    margin, treated, after = surrogate_trial(rng, slope_error=True)
    predicted = after.predicted
    margin = margin + predicted
    before = predicted / (1 + 0.5 * treated) + rng.normal(0, 10, 1000)
    plain = long_term_effect(margin, treated, after)
    adjusted = long_term_effect(margin, treated, after, Analysis(before=before))
    assert adjusted.standard_error < 0.8 * plain.standard_error


def test_errors(trial):
    _, margin, treated = trial
    with pytest.raises(ExperimentError, match="go from -1 to"):
        roi(margin, treated, -1)
    with pytest.raises(ExperimentError, match="level is 95"):
        roi(margin, treated, 1, Analysis(level=95))
    with pytest.raises(ExperimentError, match="cost is 0 or more"):
        roi(margin, treated, 0)
    with pytest.raises(ExperimentError, match="cost_per_unit has shape"):
        roi(margin, treated, [1, 2])
    with pytest.raises(ExperimentError, match="cost_per_unit has 500"):
        roi(margin, treated, np.full(1000, np.nan))
    with pytest.raises(ExperimentError, match="predicted has shape"):
        roi(margin, treated, 1, after=Surrogate(margin[:3], Calibration(0.0, 1.0, np.zeros((2, 2)), 100)))
    with pytest.raises(ExperimentError, match="5 customers"):
        calibration(np.arange(5), np.arange(5))
    with pytest.raises(ExperimentError, match="all predictions are 3"):
        calibration(np.full(50, 3.0), np.arange(50))
    with pytest.raises(ExperimentError, match="customers have shape"):
        calibration(np.arange(50), np.arange(50), [1])
