"""Effects are those of tea-tasting, scipy and statsmodels where those hold, and cover where they do not."""

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
import tea_tasting as tt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.coverage_effects import CASES, hard_money
from benchmarks.simulation import rate
from evaluation.effects.analysis import Analysis
from evaluation.effects.effect import mean_effect, ratio_effect
from evaluation.effects.units import MIN_UNITS
from features.errors import ExperimentError


def light(seed, n=400, share=0.4):
    rng = np.random.default_rng(seed)
    treated = rng.permutation(n) < share * n
    return rng, rng.gamma(20, 1, n) + treated, treated


def heavy(seed, n=400, share=0.8):
    rng = np.random.default_rng(seed)
    treated = rng.permutation(n) < share * n
    return rng, hard_money(rng, n) * (1 + 0.3 * treated), treated


def flat(effect):
    return np.array(
        [
            effect.treated,
            effect.control,
            effect.absolute.value,
            effect.absolute.low,
            effect.absolute.high,
            effect.p,
            effect.standard_error,
        ]
    )


@pytest.mark.parametrize(
    "case", [case for case in CASES if "20,000" not in case.name], ids=lambda case: case.name
)
def test_promises(case):
    # 1,000 repetitions and more are in benchmarks.coverage; these few would show a gross mistake.
    count = 50
    seen = rate(case, count)[0] * count
    assert stats.binom.ppf(0.001, count, case.low) <= seen <= stats.binom.ppf(0.999, count, case.high)


def test_welch_covers_too_little_where_we_do_not():
    hits = np.zeros(2)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        treated = rng.permutation(2000) < 1800
        value = hard_money(rng, 2000)
        low, high = stats.ttest_ind(value[treated], value[~treated], equal_var=False).confidence_interval()
        ours = mean_effect(value, treated).absolute
        hits += low <= 0 <= high, ours.low <= 0 <= ours.high
    assert hits[0] / 200 < 0.9
    assert hits[1] / 200 > 0.91


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_means_as_tea_tasting(level):
    _, value, treated = light(1)
    ours = mean_effect(value, treated, Analysis(level=level))
    table = pa.table({"variant": treated.astype(int), "y": value})
    theirs = tt.Experiment(m=tt.Mean("y", confidence_level=level)).analyze(table)["m"]
    assert ours.method == "Welch t"
    assert flat(ours)[:6] == pytest.approx(
        [
            theirs.treatment,
            theirs.control,
            theirs.effect_size,
            theirs.effect_size_ci_lower,
            theirs.effect_size_ci_upper,
            theirs.pvalue,
        ],
        rel=1e-9,
    )
    assert ours.relative.value == pytest.approx(theirs.rel_effect_size)
    # Theirs is a normal approximation on the log scale, ours Fieller's.
    assert ours.relative.low == pytest.approx(theirs.rel_effect_size_ci_lower, rel=0.01)
    assert ours.relative.high == pytest.approx(theirs.rel_effect_size_ci_upper, rel=0.01)


def test_ratios_as_tea_tasting():
    rng, _, treated = light(2, 3000)
    orders = rng.poisson(5, 3000) + 1.0
    revenue = orders * rng.gamma(20, 2 + 0.1 * treated)
    ours = ratio_effect(revenue, orders, treated)
    table = pa.table({"variant": treated.astype(int), "r": revenue, "o": orders})
    theirs = tt.Experiment(m=tt.RatioOfMeans("r", "o")).analyze(table)["m"]
    assert ours.method == "Welch t"
    assert ours.absolute.value == pytest.approx(theirs.effect_size, rel=1e-9)
    assert ours.absolute.low == pytest.approx(theirs.effect_size_ci_lower, rel=1e-9)
    assert ours.absolute.high == pytest.approx(theirs.effect_size_ci_upper, rel=1e-9)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_clusters_as_statsmodels():
    rng, _, _ = light(3)
    size = rng.integers(1, 9, 150)
    account = np.repeat(np.arange(150), size)
    treated = (np.arange(150) < 60)[account]
    value = rng.normal(size=150)[account] + rng.normal(size=len(account))
    ours = mean_effect(value, treated, Analysis(clusters=[f"a{code}" for code in account]))
    theirs = sm.OLS(value, sm.add_constant(treated.astype(float))).fit(
        cov_type="cluster", cov_kwds={"groups": account, "use_correction": False}
    )
    assert (ours.n_treated, ours.n_control) == (60, 90)
    assert ours.absolute.value == pytest.approx(theirs.params[1])
    # Ours has the factor G / (G - 1) of each arm.
    assert ours.standard_error == pytest.approx(theirs.bse[1], rel=0.01)
    assert ours.standard_error > theirs.bse[1]
    assert ours.standard_error > 1.2 * mean_effect(value, treated).standard_error


def test_weights_as_weighted_least_squares():
    rng, value, treated = light(4)
    weight = rng.uniform(1, 5, 400)
    ours = mean_effect(value, treated, Analysis(weight=weight))
    theirs = sm.WLS(value, sm.add_constant(treated.astype(float)), weights=weight).fit(cov_type="HC0")
    assert ours.absolute.value == pytest.approx(theirs.params[1])
    assert ours.standard_error == pytest.approx(theirs.bse[1], rel=0.01)
    alike = mean_effect(value, treated, Analysis(weight=np.full(400, 2.5)))
    assert flat(alike) == pytest.approx(flat(mean_effect(value, treated)))


def test_fieller_as_the_ratios_that_are_not_rejected():
    _, value, treated = light(5, share=0.3)
    found = mean_effect(value, treated)
    a, b = value[treated], value[~treated]
    v, w = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = (v + w) ** 2 / (v**2 / (len(a) - 1) + w**2 / (len(b) - 1))
    for end, tail in ((found.relative.low, 1), (found.relative.high, -1)):
        t = (a.mean() - (1 + end) * b.mean()) / np.sqrt(v + (1 + end) ** 2 * w)
        # The error of the ratio's numerator, the difference less the hypothesis, is that of both means.
        assert t == pytest.approx(tail * stats.t.ppf(0.975, freedom), rel=1e-6)


def test_a_relative_effect_needs_a_control_above_zero():
    rng, value, treated = light(6)
    for shift in (-value[~treated].mean(), -100):
        found = mean_effect(value + shift, treated)
        assert np.isnan([found.relative.value, found.relative.low, found.relative.high]).all()
        assert np.isfinite(found.absolute.low)
    around = rng.normal(0.01, 1, 400)
    assert np.isnan(mean_effect(around, treated).relative.low)


@pytest.mark.parametrize("make", [light, heavy])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_p_and_both_intervals_agree(make, level):
    for seed in range(8):
        _, value, treated = make(seed)
        plain = mean_effect(value, treated, Analysis(level=level))
        # Moved so that one end of the interval lies just on either side of 0.
        for end in (plain.absolute.low, plain.absolute.high):
            for near in (1e-6, -1e-6):
                moved = mean_effect(value - treated * (end + near), treated, Analysis(level=level))
                outside = not moved.absolute.low <= 0 <= moved.absolute.high
                assert (moved.p < 1 - level) == outside
                if np.isfinite(moved.relative.low):
                    assert outside == (not moved.relative.low <= 0 <= moved.relative.high)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    factor=st.floats(1e-3, 1e3),
    shift=st.floats(-100, 100),
    make=st.sampled_from([light, heavy]),
)
def test_unit_and_origin_do_not_matter(seed, factor, shift, make):
    _, value, treated = make(seed, 200)
    plain = mean_effect(value, treated)
    # Uneven money has a zero: where it is read by permutation, effects are in proportion to that.
    shift = shift if plain.method.startswith("Welch") else 0
    other = mean_effect(value * factor + shift, treated)
    error = plain.standard_error
    assert other.absolute.low / factor == pytest.approx(plain.absolute.low, abs=1e-6 * error)
    assert other.absolute.high / factor == pytest.approx(plain.absolute.high, abs=1e-6 * error)
    assert other.p == pytest.approx(plain.p, abs=1e-6)
    assert other.control == pytest.approx(plain.control * factor + shift, abs=1e-6)
    scaled = mean_effect(value * factor, treated).relative
    assert [scaled.low, scaled.high] == pytest.approx([plain.relative.low, plain.relative.high], nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    make=st.sampled_from([light, heavy]),
    share=st.sampled_from([0.3, 0.5, 0.8]),
    adjusted=st.booleans(),
    grouped=st.booleans(),
)
def test_arms_swap_and_rows_move(seed, make, share, adjusted, grouped):
    rng, value, treated = make(seed, 240, share)
    clusters = np.arange(240)
    if grouped:
        clusters = np.arange(240) // 2
        treated = (rng.permutation(120) < min(share, 0.7) * 120)[clusters]
    before = np.column_stack([value + rng.normal(size=240), rng.normal(size=240)]) if adjusted else None
    plain = mean_effect(value, treated, Analysis(clusters=clusters if grouped else None, before=before))
    order = rng.permutation(240)
    moved = mean_effect(
        value[order],
        treated[order],
        Analysis(clusters=clusters[order] if grouped else None, before=before[order] if adjusted else None),
    )
    assert flat(moved) == pytest.approx(flat(plain), rel=1e-6, abs=1e-9)
    if not adjusted:
        swapped = mean_effect(value, ~treated, Analysis(clusters=clusters if grouped else None))
        assert swapped.absolute.value == pytest.approx(-plain.absolute.value)
        assert swapped.absolute.low == pytest.approx(-plain.absolute.high)
        assert swapped.absolute.high == pytest.approx(-plain.absolute.low)
        assert swapped.p == pytest.approx(plain.p)
        if make is light:
            ends = [1 / (1 + plain.relative.high) - 1, 1 / (1 + plain.relative.low) - 1]
            assert [swapped.relative.low, swapped.relative.high] == pytest.approx(ends)


def test_clusters_of_one_row_are_rows():
    _, value, treated = heavy(7)
    rows = mean_effect(value, treated)
    assert flat(mean_effect(value, treated, Analysis(clusters=np.arange(400)[::-1]))) == pytest.approx(
        flat(rows)
    )


def test_small_p_values_go_on_falling():
    _, value, treated = heavy(8, 2000)
    p = [mean_effect(value + add * treated, treated).p for add in (2, 3, 4)]
    assert 0 < p[2] < p[1] < p[0] < 1e-3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"value": [np.nan] * 5 + [1.0] * 95}, "5 of 100 rows"),
        ({"value": [np.inf] + [1.0] * 99}, "inf in row 0"),
        ({"value": [1.0] * 100}, "alike"),
        ({"value": [[1.0]] * 100}, "shape"),
        ({"treated": [True] * 80 + [False] * 20}, "80 units are treated and 20 are control"),
        ({"treated": [2] * 100}, "true or false"),
        ({"treated": [True] * 99}, "true or false"),
        ({"clusters": [0] * 100}, "both arms"),
        ({"clusters": list(range(25)) * 2 + list(range(25, 50)) * 2}, f"25 clusters .* {MIN_UNITS}"),
        ({"clusters": [1]}, "clusters have shape"),
        ({"weight": [0.0] * 100}, "inverse propensity"),
        ({"level": 95}, "level is 95"),
        ({"before": [1.0] * 99}, "before has shape"),
        ({"before": [np.inf] * 100}, "infinite values in column 0"),
    ],
)
def test_what_cannot_be_read_out_is_said(change, says):
    rng = np.random.default_rng(9)
    given = {"value": rng.normal(size=100), "treated": [True] * 50 + [False] * 50} | change
    value, treated = given.pop("value"), given.pop("treated")
    with pytest.raises(ExperimentError, match=says):
        mean_effect(value, treated, Analysis(**given))


def test_a_ratio_needs_a_denominator():
    _, value, treated = light(10)
    with pytest.raises(ExperimentError, match="denominators of an arm"):
        ratio_effect(value, np.where(treated, 0, 1), treated)


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_arms_of_different_kinds_are_resampled_by_themselves(share):
    rng = np.random.default_rng(5)
    treated = rng.permutation(2000) < share * 2000
    money = np.where(rng.random(2000) < 0.8, 0.0, rng.lognormal(0, 1.8, 2000))
    value = np.where(treated, money, rng.gamma(4, 0.25, 2000))
    found = mean_effect(value, treated)
    assert found.method == "studentised bootstrap"
    # The same by hand: each arm drawn from itself, the difference in its own standard errors.
    mine, theirs = value[treated], value[~treated]
    gap, t = mine.mean() - theirs.mean(), []
    for _ in range(2000):
        a, b = rng.choice(mine, len(mine)), rng.choice(theirs, len(theirs))
        t.append((a.mean() - b.mean() - gap) / np.sqrt(a.var() / len(a) + b.var() / len(b)))
    low, high = gap - found.standard_error * np.quantile(t, [0.975, 0.025])
    width = high - low
    assert found.absolute.low == pytest.approx(low, abs=0.1 * width)
    assert found.absolute.high == pytest.approx(high, abs=0.1 * width)
    # Exchanging the arms turns the interval round, but for other draws.
    turned = mean_effect(value, ~treated)
    assert turned.absolute.low == pytest.approx(-found.absolute.high, abs=0.12 * width)


def test_arms_alike_but_for_their_scale_are_pooled():
    methods = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        treated = rng.permutation(2000) < 1800
        money = np.where(rng.random(2000) < 0.8, 0.0, rng.lognormal(0, 1.8, 2000))
        methods.append(mean_effect(money * (1 + 0.3 * treated), treated).method)
    assert methods.count("studentised permutation") >= 38
