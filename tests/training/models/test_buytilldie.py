"""BG/NBD and Gamma-Gamma agree with their definitions, with simulation and with published figures."""

import warnings

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import hyp1f1, roots_genlaguerre, roots_jacobi

from evaluation import metrics as m
from features.engine.matrix import FeatureMatrix
from features.errors import TrainingDataError
from tests.places import SHARED
from tests.training.worlds import as_matrix, buyers
from training.models.buytilldie import (
    PURCHASE_COLUMNS,
    BgNbd,
    GammaGamma,
    Purchases,
    _bgnbd_likelihood,
    _gamma_gamma_likelihood,
    last_period_spend,
)

MODEL = BgNbd(0.6, 20.0, 0.8, 2.5)


def one(x, t_x, age):
    return Purchases(*(np.array([float(v)]) for v in (x, t_x, age, 1.0)))


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0, 30), (1, 12, 30), (4, 29, 40)])
def test_likelihood_is_the_integral_over_rate_and_dropout(x, t_x, age):
    # Gauss-Laguerre and Gauss-Jacobi carry the two priors as their weights.
    s, ws = roots_genlaguerre(120, MODEL.r - 1)
    z, wz = roots_jacobi(60, MODEL.b - 1, MODEL.a - 1)
    rate, p = (s / MODEL.alpha)[:, None], (1 + z)[None, :] / 2
    stayed = (1 - p) ** x * rate**x * np.exp(-rate * age)
    left = p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * t_x) if x else 0.0
    whole = (ws / ws.sum()) @ (stayed + left) @ (wz / wz.sum())
    theta, history = np.array([MODEL.r, MODEL.alpha, MODEL.a, MODEL.b]), one(x, t_x, age)
    found, _ = _bgnbd_likelihood(theta, history.x, history.t_x, history.age)
    assert found[0] == pytest.approx(np.log(whole), abs=1e-6)


def test_gradients_are_those_of_the_likelihoods():
    p, _, _ = buyers(200, 0.6, 20, 0.8, 2.5, 150, 10)

    def value(theta):
        return _bgnbd_likelihood(theta, p.x, p.t_x, p.age)[0].sum()

    def slope(theta):
        return _bgnbd_likelihood(theta, p.x, p.t_x, p.age)[1].sum(axis=1)

    assert check_grad(value, slope, [0.6, 20.0, 0.8, 2.5]) < 1e-2
    assert (
        check_grad(
            lambda t: _gamma_gamma_likelihood(t, p.spend, p.x + 1)[0].sum(),
            lambda t: _gamma_gamma_likelihood(t, p.spend, p.x + 1)[1].sum(axis=1),
            [5.0, 3.0, 40.0],
        )
        < 1e-2
    )


@pytest.mark.parametrize(("x", "t_x", "age", "days"), [(0, 0, 40, 30), (3, 30, 45, 90), (2, 5, 60, 365)])
def test_expected_purchases_and_alive_match_bayes_by_simulation(x, t_x, age, days):
    # Draw from the prior, weigh by the history's likelihood, and run the survivors on.
    rng = np.random.default_rng(7)
    n = 400_000
    rate, p = rng.gamma(MODEL.r, 1 / MODEL.alpha, n), rng.beta(MODEL.a, MODEL.b, n)
    stayed = (1 - p) ** x * rate**x * np.exp(-rate * age)
    left = p * (1 - p) ** max(x - 1, 0) * rate**x * np.exp(-rate * t_x) if x else 0.0
    # A customer alive buys (1 - exp(-rate p t)) / p times on average in t days.
    ahead = -np.expm1(-rate * p * days) / p
    weight = stayed + left
    assert MODEL.alive(one(x, t_x, age))[0] == pytest.approx(stayed.sum() / weight.sum(), rel=0.02)
    expected = (stayed * ahead).sum() / weight.sum()
    assert MODEL.expected_purchases(one(x, t_x, age), days)[0] == pytest.approx(expected, rel=0.03)


def test_large_histories_stay_finite_and_smooth():
    purchases = Purchases(
        np.array([0.0, 50, 500, 5000]), np.array([0.0, 990, 999, 999.9]), np.full(4, 1000.0), np.ones(4)
    )
    expected = MODEL.expected_purchases(purchases, 365)
    assert np.isfinite(expected).all()
    assert (np.diff(expected) > 0).all()
    # So regular a buyer goes on at its rate, less the few who leave.
    assert 0.8 < expected[3] / (5000 / 1000 * 365) <= 1
    near = [BgNbd(0.6, 20, a, 2.5).expected_purchases(purchases, 365) for a in (0.999999, 1.0, 1.000001)]
    np.testing.assert_allclose(near[0], near[1], rtol=1e-5)
    np.testing.assert_allclose(near[2], near[1], rtol=1e-5)


HISTORIES = Purchases(
    np.array([0.0, 1, 5, 20]), np.array([0.0, 60, 190, 330]), np.array([90.0, 200, 200, 340]), np.ones(4)
)


@pytest.mark.parametrize("days", [30, 365])
def test_without_end_of_a_parameter_the_limits_hold(days):
    x, age = HISTORIES.x, HISTORIES.age
    # Everyone at one rate and nobody leaves: a Poisson process.
    poisson = BgNbd(162_754.79, 5_035_618.2, 6.7e-6, 2231.2)
    rate = (poisson.r + x) / (poisson.alpha + age)
    alive = poisson.alive(HISTORIES)
    np.testing.assert_allclose(poisson.expected_purchases(HISTORIES, days), rate * days * alive, rtol=1e-6)
    # Everyone leaves with one probability: the geometric lifetime of a rate that differs.
    one_p = BgNbd(0.0425, 5.58, 28_678.3, 162_754.79)
    p = one_p.a / (one_p.a + one_p.b + x)
    still = (one_p.alpha + age) / (one_p.alpha + age + p * days)
    geometric = (1 - still ** (one_p.r + x)) / p * one_p.alive(HISTORIES)
    np.testing.assert_allclose(one_p.expected_purchases(HISTORIES, days), geometric, rtol=1e-4)
    # Everyone at one rate, and leaving differs: Kummer's function is what is left of Gauss's.
    kummer = BgNbd(162_754.79, 5_035_618.2, 0.7, 2.1)
    c, mean = kummer.a + kummer.b + x - 1, (kummer.r + x) / (kummer.alpha + age) * days
    left = c / (kummer.a - 1) * (1 - hyp1f1(kummer.a - 1, c, -mean)) * kummer.alive(HISTORIES)
    np.testing.assert_allclose(kummer.expected_purchases(HISTORIES, days), left, rtol=1e-4)


def test_the_limits_join_what_lies_before_them():
    # From far inside to far outside of what the series can do, nothing jumps.
    for towards in (
        lambda n: BgNbd(n, n * 30, 0.7, 2.1),
        lambda n: BgNbd(0.3, 6, n * 0.15, n * 0.85),
        lambda n: BgNbd(n, n * 30, 1 / n, n),
    ):
        path = np.array([towards(n).expected_purchases(HISTORIES, 365) for n in np.logspace(1.5, 5.2, 60)])
        assert np.isfinite(path).all()
        assert (np.abs(np.diff(np.log(path), axis=0)) < 0.1).all()


@pytest.mark.parametrize("share", [0.85, 0.99])
def test_where_most_bought_once_everything_is_finite(share):
    rng = np.random.default_rng(4)
    age = rng.uniform(10, 720, 2000).round()
    x = np.where(rng.random(2000) > share, 1.0 + rng.poisson(3, 2000), 0.0)
    t_x = np.where(x > 0, (age * rng.uniform(0.1, 1, 2000)).round(), 0.0)
    finite(Purchases(x, t_x, age, rng.gamma(5, 20, 2000)))


@pytest.mark.parametrize("spread", [0, 1, 3])
def test_where_everyone_buys_at_one_rate_it_goes_on(spread):
    rng = np.random.default_rng(4)
    gaps = 30 + rng.integers(-spread, spread + 1, (300, 24))
    last = gaps.sum(axis=1).astype(float)
    purchases = Purchases(np.full(300, 24.0), last, last + rng.integers(0, 20, 300), np.full(300, 100.0))
    expected = finite(purchases)
    np.testing.assert_allclose(expected, 365 * 24 / purchases.age.mean(), rtol=0.05)


def finite(purchases):
    """What is expected in a year, after having looked at every number, and at one customer by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bgnbd, gamma = BgNbd.fit(purchases), GammaGamma.fit(purchases.spend, purchases.x + 1)
        expected, alive = bgnbd.expected_purchases(purchases, 365), bgnbd.alive(purchases)
        spend = gamma.expected_spend(purchases.spend, purchases.x + 1)
        for k in (0, 17, 299):
            alone = bgnbd.expected_purchases(purchases.take(np.array([k])), 365)
            assert alone.tobytes() == expected[k : k + 1].tobytes()
    for values in (expected, alive, spend):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    return expected


def test_parameters_are_found_again():
    purchases, future, money = buyers(20_000, 0.6, 20, 0.8, 2.5, 200, 100, seed=3)
    found = BgNbd.fit(purchases)
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((0.6, 20, 0.8, 2.5), rel=0.12)
    spend = GammaGamma.fit(purchases.spend, purchases.x + 1)
    assert (spend.p, spend.q, spend.gamma) == pytest.approx((6, 4, 45), rel=0.12)
    expected = found.expected_purchases(purchases, 100)
    assert expected.sum() == pytest.approx(future.sum(), rel=0.04)
    each = spend.expected_spend(purchases.spend, purchases.x + 1)
    assert (expected * each).sum() == pytest.approx(money.sum(), rel=0.06)


def test_gamma_gamma_expectation_lies_between_own_and_overall_mean():
    model = GammaGamma(6, 4, 45)
    overall = 6 * 45 / 3
    for own in (20.0, 300.0):
        close, closer = (model.expected_spend(np.array([own]), np.array([n]))[0] for n in (1.0, 50.0))
        assert abs(closer - own) < abs(close - own)
        assert min(own, overall) < close < max(own, overall)


def test_customers_without_purchase_count_zero():
    matrix = FeatureMatrix(PURCHASE_COLUMNS, np.array([[np.nan] * 4, [0, np.nan, np.nan, 0], [2, 30, 5, 20]]))
    purchases = Purchases.from_matrix(matrix)
    expected = MODEL.expected_purchases(purchases, 30)
    np.testing.assert_array_equal(expected[:2], 0)
    assert expected[2] > 0
    spend = GammaGamma(6, 4, 45).expected_spend(purchases.spend, purchases.x + 1)
    np.testing.assert_array_equal(spend[:2], 0)
    assert purchases.t_x[2] == 25
    assert purchases.spend[2] == 10


def test_last_period_spend_is_scaled_to_the_horizon():
    matrix = FeatureMatrix(("orders_amount_sum_90d",), np.array([[30.0], [np.nan]]))
    np.testing.assert_allclose(last_period_spend(matrix, "orders_amount_sum_90d", 90, 360), [120, 0])


def test_too_little_history_is_refused():
    purchases, _, _ = buyers(10, 0.6, 20, 0.8, 2.5, 100, 10)
    with pytest.raises(TrainingDataError, match="20 customers"):
        BgNbd.fit(purchases)
    never = Purchases(np.zeros(50), np.zeros(50), np.full(50, 9.0), np.ones(50))
    with pytest.raises(TrainingDataError, match="came back"):
        BgNbd.fit(never)
    with pytest.raises(TrainingDataError, match="positive spend"):
        GammaGamma.fit(-np.ones(50), np.ones(50))


@pytest.mark.skipif(not (SHARED / "cdnow_master.txt").exists(), reason="../shared/data is absent")
def test_cdnow_comes_to_the_published_figures():
    # Calibration to 1997-09-30 with that day counted, ages to that day, spend of repeat days:
    # the set-up of Fader and Hardie and of ../shared/data/README.md.
    raw = np.loadtxt(SHARED / "cdnow_master.txt", skiprows=1)
    date = raw[:, 1].astype(int)
    iso = [f"{d // 10000}-{d // 100 % 100:02d}-{d % 100:02d}" for d in date]
    day = np.array(iso, dtype="datetime64[D]").astype(int)
    visit, at = np.unique(np.column_stack([raw[:, 0].astype(int), day]), axis=0, return_inverse=True)
    money = np.bincount(at, raw[:, 3])
    end = int(np.datetime64("1997-09-30").astype(int))
    code = visit[:, 0] - 1
    n = code.max() + 1
    seen = visit[:, 1] <= end
    first, last = np.full(n, 10**6), np.zeros(n)
    np.minimum.at(first, code, visit[:, 1])
    np.maximum.at(last, code[seen], visit[seen, 1])
    x = np.bincount(code[seen], minlength=n) - 1.0
    repeat = np.bincount(code[seen], money[seen], n) - money[np.r_[True, np.diff(code) != 0]]
    spend = np.where(x > 0, repeat / np.maximum(x, 1), np.nan)
    purchases = Purchases(x, last - first, (end - first).astype(float), spend)
    model = BgNbd.fit(purchases)
    assert (model.r, model.alpha / 7, model.a, model.b) == pytest.approx((0.252, 4.79, 0.723, 2.16), rel=3e-3)
    each = GammaGamma.fit(spend, x)
    value = model.expected_purchases(purchases, 273) * each.expected_spend(
        np.nan_to_num(spend), np.maximum(x, 1e-9)
    )
    after = ~seen
    y = np.bincount(code[after], money[after], n)
    assert m.spearman(y, value) == pytest.approx(0.421, abs=6e-4)
    assert m.normalised_gini(y, value) == pytest.approx(0.672, abs=6e-4)
    assert m.decile_error(y, value) == pytest.approx(0.213, abs=6e-3)
    assert m.total_ratio(y, value) == pytest.approx(0.827, abs=6e-4)
    assert m.auc(y, value) == pytest.approx(0.748, abs=6e-4)


def test_matrix_and_histories_round_trip():
    purchases, _, _ = buyers(50, 0.6, 20, 0.8, 2.5, 100, 10)
    again = Purchases.from_matrix(as_matrix(purchases))
    np.testing.assert_allclose(again.t_x, purchases.t_x, atol=1e-9)
    np.testing.assert_allclose(again.spend, purchases.spend)


def test_who_sent_everything_back_has_bought_for_nothing():
    names = (*PURCHASE_COLUMNS, "returns_amount_sum_ever")
    matrix = FeatureMatrix(
        names, np.array([[2, 30, 5, 20, 0], [2, 30, 5, 20, -5], [2, 30, 5, 20, -25], [2, 30, 5, 20, np.nan]])
    )
    assert Purchases.from_matrix(matrix).spend.tolist() == [10, 7.5, 0, 10]
