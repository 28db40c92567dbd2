"""Sizes, power and smallest effects agree with tea-tasting and with simulation; duration with the traffic."""

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.coverage_looks import CASES
from benchmarks.simulation import rate
from evaluation.planning.duration import estimate_duration
from evaluation.planning.power import multiplicative, plan_by_resampling
from evaluation.planning.sizes import Design, minimum_detectable_effect, plan_mean, power, ratio_sd
from features.errors import ExperimentError


@pytest.fixture(scope="module")
def users():
    return tt.make_users_data(rng=42, covariates=True, return_type="pandas")


def _peer(metric, data, parameter):
    return metric.solve_power(data, parameter)[0]


@pytest.mark.parametrize(("ratio", "alpha"), [(1, 0.05), (0.6, 0.05), (1, 0.01)])
def test_mean_as_tea_tasting(users, ratio, alpha):
    value = users["revenue"].to_numpy()
    sd, mean = value.std(ddof=1), value.mean()
    design = Design(level=1 - alpha, control_share=1 / (1 + ratio))
    options = {"ratio": ratio, "alpha": alpha}
    peer = _peer(tt.Mean("revenue", rel_effect_size=0.05, **options), users, "n_obs")
    plan = plan_mean(sd, mean, relative=0.05, design=design)
    assert sum(plan.units) == pytest.approx(peer.n_obs, abs=2)
    assert plan.effect == pytest.approx(peer.effect_size)
    assert plan.relative == pytest.approx(0.05)
    assert plan.power >= 0.8
    peer = _peer(tt.Mean("revenue", rel_effect_size=0.1, n_obs=3000, **options), users, "power")
    assert power(sd, mean, 3000, relative=0.1, design=design) == pytest.approx(peer.power, rel=1e-9)
    peer = _peer(tt.Mean("revenue", n_obs=3000, **options), users, "effect_size")
    assert minimum_detectable_effect(sd, 3000, design=design) == pytest.approx(peer.effect_size, rel=1e-6)


def test_ratio_as_tea_tasting(users):
    orders, sessions = users["orders"].to_numpy(), users["sessions"].to_numpy()
    covariance = np.cov(orders, sessions)
    sd = ratio_sd(orders.mean(), sessions.mean(), covariance[0, 0], covariance[1, 1], covariance[0, 1])
    mean = orders.mean() / sessions.mean()
    peer = _peer(tt.RatioOfMeans("orders", "sessions", rel_effect_size=0.05), users, "n_obs")
    assert sum(plan_mean(sd, mean, relative=0.05).units) == pytest.approx(peer.n_obs, abs=2)


def test_what_was_before_as_tea_tasting(users):
    value, before = users["revenue"].to_numpy(), users["revenue_covariate"].to_numpy()
    design = Design(correlation=np.corrcoef(value, before)[0, 1])
    peer = _peer(tt.Mean("revenue", "revenue_covariate", rel_effect_size=0.05), users, "n_obs")
    found = plan_mean(value.std(ddof=1), value.mean(), relative=0.05, design=design)
    assert sum(found.units) == pytest.approx(peer.n_obs, abs=2)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.1, 1e4),
    st.floats(0.02, 2),
    st.floats(0.5, 0.95),
    st.integers(1, 4),
    st.floats(0.1, 0.8),
    st.floats(-0.9, 0.9),
)
def test_size_power_and_effect_are_each_other_s_inverse(sd, relative, aim, treatments, control, correlation):
    design = Design(power=aim, treatments=treatments, control_share=control, correlation=correlation)
    plan = plan_mean(sd, sd, relative=relative, design=design)
    assert plan.power >= aim - 1e-9
    total = sum(plan.units)
    if min(plan.units) > 20:
        assert power(sd, sd, total, relative=relative, design=design) == pytest.approx(plan.power, abs=0.02)
        assert power(sd, sd, total * 0.9, relative=relative, design=design) < aim
    found = minimum_detectable_effect(sd, total, design=design)
    assert power(sd, sd, total, effect=found, design=design) == pytest.approx(aim)
    assert power(sd, sd, total, effect=-found, design=design) == pytest.approx(aim)


def test_clusters_cost_their_design_effect():
    alone = plan_mean(10, 50, effect=1)
    design = Design(cluster_size=20, icc=0.1)
    accounts = plan_mean(10, 50, effect=1, design=design)
    assert sum(accounts.rows) / sum(alone.rows) == pytest.approx(1 + 19 * 0.1, rel=0.02)
    assert accounts.rows[0] == 20 * accounts.units[0]
    independent = plan_mean(10, 50, effect=1, design=Design(cluster_size=20))
    assert sum(independent.rows) == pytest.approx(sum(alone.rows), rel=0.05)
    whole = plan_mean(10, 50, effect=1, design=Design(cluster_size=20, icc=1))
    assert whole.units == alone.units
    # Eldridge et al. 2006: 1 + ((cv² + 1) m − 1) icc.
    assert Design(cluster_size=20, cluster_cv=0.5, icc=0.1).variance(1) == pytest.approx((1 + 24 * 0.1) / 20)


def test_more_arms_are_corrected_for():
    two, four = Design(), Design(treatments=3)
    assert four.alpha == pytest.approx(two.alpha / 3)
    assert four.shares == pytest.approx((0.25,) * 4)
    assert plan_mean(10, 50, effect=1, design=four).units[0] > plan_mean(10, 50, effect=1).units[0]


def test_resampled_power_is_that_of_the_formula_where_values_are_normal():
    history = np.random.default_rng(1).normal(100, 40, 3000)
    curve = plan_by_resampling(history, [100, 500, 900], change=lambda v, _: v + 10, draws=300)
    for point in curve:
        expected = power(history.std(), 100, point.units, effect=10)
        assert point.power.low - 0.02 <= expected <= point.power.high + 0.02
        assert point.power.low < point.power.value < point.power.high
    assert [point.units for point in curve] == [100, 500, 900]


def test_resampled_power_of_nothing_is_the_level():
    rng = np.random.default_rng(2)
    history = np.where(rng.random(2000) < 0.3, rng.lognormal(3, 1, 2000), 0)
    found = plan_by_resampling(history, [600], change=multiplicative(0), draws=400)[0].power
    assert found.low <= 0.05 <= found.high


def test_resampled_accounts_are_drawn_whole():
    rng = np.random.default_rng(3)
    account = rng.permutation(np.repeat(np.arange(200), rng.integers(1, 9, 200)))
    history = rng.normal(100, 30, 200)[account]
    curve = plan_by_resampling(
        history, [100], change=lambda v, _: v + 15, clusters=[f"a{a}" for a in account]
    )
    expected = power(30, 100, 100, effect=15)
    assert curve[0].power.value == pytest.approx(expected, abs=0.08)

    def whole(value, treated, clusters):
        sizes, constant = np.bincount(clusters), np.bincount(clusters, value - value[0])
        assert len(sizes) == 100
        assert (sizes > 0).all()
        first = np.unique(clusters, return_index=True)[1]
        assert (treated == treated[first][clusters]).all()
        assert constant == pytest.approx((value[first] - value[0]) * sizes)
        return 1.0

    nothing = plan_by_resampling(
        history, [100], change=multiplicative(0), clusters=account, test=whole, draws=5
    )
    assert nothing[0].power.value == 0


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name.startswith("power")], ids=lambda c: c.name
)
def test_planned_sizes_find_what_they_are_planned_for(case):
    assert 0.72 <= rate(case, 300)[0] <= 0.88


def test_steady_traffic_takes_as_long_as_division_says():
    found = estimate_duration(1000, np.full(28, 20.0), outcome_days=30)
    assert (found.days.low, found.days.value, found.days.high) == (80, 80, 80)
    assert found.weeks == 12
    assert found.per_day == 20


def test_weekends_and_uneven_weeks_show():
    week = np.array([30, 30, 30, 30, 30, 0, 0])
    assert estimate_duration(150, np.tile(week, 4)).days.value == 5
    assert estimate_duration(151, np.tile(week, 4)).days.value == 8
    uneven = np.concatenate([week * factor for factor in (0.2, 1, 1.8, 1, 0.5, 1.5)])
    found = estimate_duration(1500, uneven)
    assert found.days.low < found.days.value < found.days.high
    assert found.weeks == np.ceil(found.days.high / 7)
    # With one week of seven days in all history that brought anyone, it may never come again.
    rare = estimate_duration(70, np.concatenate([np.zeros(35), np.full(7, 10.0)]))
    assert rare.days.high == np.inf
    assert rare.weeks is None


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: Design(level=95), "level = 95"),
        (lambda: Design(power=0.04), "power = 0.04"),
        (lambda: Design(icc=-0.1), "icc"),
        (lambda: Design(correlation=1), "correlation"),
        (lambda: Design(control_share=1), "control_share"),
        (lambda: plan_mean(0, 1, effect=1), "varies"),
        (lambda: plan_mean(1, 1), "exactly one"),
        (lambda: plan_mean(1, 1, effect=1, relative=1), "exactly one"),
        (lambda: plan_mean(1, 0, relative=0.1), "other than 0"),
        (lambda: plan_mean(1, 1, effect=1e-9), "larger one"),
        (lambda: power(1, 1, 3, effect=1), "two or more"),
        (lambda: minimum_detectable_effect(-1, 100), "standard deviation"),
        (lambda: ratio_sd(1, 0, 1, 1, 0), "denominator"),
        (lambda: plan_by_resampling([1, np.nan], [10], change=multiplicative(0.1)), "1 of them not numbers"),
        (
            lambda: plan_by_resampling([1, 2], [10], change=multiplicative(0.1), clusters=[1]),
            "clusters have shape",
        ),
        (lambda: estimate_duration(10, [1, 2, 3]), "14 days"),
        (lambda: estimate_duration(0, np.ones(14)), "one unit"),
        (lambda: estimate_duration(10, np.zeros(14)), "ten years"),
    ],
)
def test_errors(call, match):
    with pytest.raises(ExperimentError, match=match):
        call()


def test_large_effects_are_found_for_certain():
    assert power(1, 1, 10_000, effect=50) == 1
    assert pd.isna(plan_mean(1, 0, effect=1).relative)
