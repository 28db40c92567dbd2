"""Adjusting narrows the interval where the past predicts, costs nothing where it does not, and never moves the mean."""

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
import tea_tasting as tt

from benchmarks.coverage_effects import hard_money
from evaluation.effects.analysis import Analysis
from evaluation.effects.effect import mean_effect, ratio_effect


def width(effect):
    return effect.absolute.high - effect.absolute.low


def test_cuped_as_tea_tasting():
    rng = np.random.default_rng(1)
    treated = rng.permutation(1000) < 500
    before = rng.gamma(20, 1, 1000)
    value = before + rng.gamma(10, 1, 1000) + treated
    slope = np.cov(value, before)[0, 1] / before.var(ddof=1)
    ours = mean_effect(value - slope * (before - before.mean()), treated)
    table = pa.table({"variant": treated.astype(int), "y": value, "x": before})
    theirs = tt.Experiment(m=tt.Mean("y", "x")).analyze(table)["m"]
    assert ours.absolute.value == pytest.approx(theirs.effect_size, rel=1e-9)
    assert ours.absolute.low == pytest.approx(theirs.effect_size_ci_lower, rel=1e-9)
    assert ours.absolute.high == pytest.approx(theirs.effect_size_ci_upper, rel=1e-9)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert ours.treated == pytest.approx(theirs.treatment)
    fitted = mean_effect(value, treated, Analysis(before=before))
    assert fitted.standard_error == pytest.approx(ours.standard_error, rel=0.01)


def test_ratio_with_covariates_as_tea_tasting():
    rng = np.random.default_rng(2)
    treated = rng.permutation(3000) < 1500
    taste = rng.gamma(20, 1, 3000)
    orders, orders_before = rng.poisson(6, 3000) + 2.0, rng.poisson(6, 3000) + 2.0
    revenue = orders * (taste + rng.normal(0, 3, 3000) + 0.5 * treated)
    revenue_before = orders_before * (taste + rng.normal(0, 3, 3000))
    ours = ratio_effect(
        revenue, orders, treated, Analysis(before=np.column_stack([revenue_before, orders_before]))
    )
    columns = {
        "variant": treated.astype(int),
        "r": revenue,
        "o": orders,
        "rb": revenue_before,
        "ob": orders_before,
    }
    theirs = tt.Experiment(m=tt.RatioOfMeans("r", "o", "rb", "ob")).analyze(pa.table(columns))["m"]
    error = (theirs.effect_size_ci_upper - theirs.effect_size_ci_lower) / 2 / 1.96
    assert ours.absolute.value == pytest.approx(theirs.effect_size, abs=0.1 * error)
    assert ours.standard_error == pytest.approx(error, rel=0.03)
    assert ours.standard_error < 0.8 * ratio_effect(revenue, orders, treated).standard_error


def test_cross_fitted_as_lin():
    rng = np.random.default_rng(3)
    treated = rng.permutation(4000) < 1000
    x = rng.normal(size=(4000, 2))
    value = x @ [1.0, 0.5] + treated * (1 + x[:, 0]) + rng.normal(size=4000)
    ours = mean_effect(value, treated, Analysis(before=x))
    centred = x - x.mean(axis=0)
    design = np.column_stack([np.ones(4000), treated, centred, centred * treated[:, None]])
    theirs = sm.OLS(value, design).fit(cov_type="HC2")
    # Lin's error takes the sample's covariates as given: the effect's own slope on them is missing in it.
    sample = np.sqrt(theirs.bse[1] ** 2 + (centred @ theirs.params[4:]).var() / 4000)
    assert ours.absolute.value == pytest.approx(theirs.params[1], abs=0.15 * theirs.bse[1])
    assert ours.standard_error == pytest.approx(sample, rel=0.03)


def test_never_wider_and_much_narrower_where_the_past_predicts():
    widths = {"useless": [], "good": [], "useless, clustered": []}
    for seed in range(40):
        rng = np.random.default_rng(seed)
        treated = rng.permutation(1000) < 850
        value = hard_money(rng, 1000)
        before = np.column_stack([hard_money(rng, 1000), rng.normal(size=(1000, 4))])
        plain, adjusted = mean_effect(value, treated), mean_effect(value, treated, Analysis(before=before))
        assert adjusted.standard_error <= plain.standard_error * (1 + 1e-12)
        widths["useless"].append((width(plain), width(adjusted)))
        expected = rng.lognormal(0, 1.2, 1000)
        value = np.where(rng.random(1000) < 0.2, 0, expected * rng.lognormal(0, 0.5, 1000))
        plain, adjusted = mean_effect(value, treated), mean_effect(value, treated, Analysis(before=expected))
        assert adjusted.standard_error <= plain.standard_error * (1 + 1e-12)
        widths["good"].append((width(plain), width(adjusted)))
        account = np.arange(1000) // 5
        arm = (rng.permutation(200) < 100)[account]
        value = rng.normal(size=200)[account] + rng.normal(size=1000)
        plain = mean_effect(value, arm, Analysis(clusters=account))
        adjusted = mean_effect(value, arm, Analysis(clusters=account, before=rng.normal(size=(1000, 3))))
        widths["useless, clustered"].append((width(plain), width(adjusted)))
    ratio = {
        name: np.mean([a for _, a in pairs]) / np.mean([p for p, _ in pairs])
        for name, pairs in widths.items()
    }
    assert ratio["useless"] <= 1.0001
    assert ratio["useless, clustered"] <= 1.0001
    assert ratio["good"] <= 0.8


def test_missing_and_constant_columns():
    rng = np.random.default_rng(5)
    treated = rng.permutation(600) < 300
    level = rng.normal(size=600)
    value = level + rng.normal(0, 0.3, 600)
    gone = rng.random(600) < 0.2
    value += 3 * gone
    before = np.column_stack([np.where(gone, np.nan, level), np.full(600, 0.1), np.full(600, np.nan)])
    ours = mean_effect(value, treated, Analysis(before=before))
    assert ours.standard_error < 0.5 * mean_effect(value, treated).standard_error
    nothing = mean_effect(value, treated, Analysis(before=before[:, 1:]))
    assert nothing.standard_error == mean_effect(value, treated).standard_error
