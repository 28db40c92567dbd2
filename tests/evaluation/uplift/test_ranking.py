"""AUTOC and Qini are the integrals they say, ties and weights included, and their intervals cover."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.coverage_ranking import CASES
from benchmarks.rate_speed import measure
from benchmarks.simulation import rate as share_of
from evaluation.bootstrap import bootstrap, paired_test
from evaluation.uplift.curves import qini_curve, toc_curve
from evaluation.uplift.halfsamples import HalfSamples, everything
from evaluation.uplift.ranking import Ranking, _areas, autoc, qini, rate
from features.errors import ExperimentError

METRICS = pytest.mark.parametrize("metric", [autoc, qini], ids=lambda m: m.name)

SMALL = (
    st.integers(1, 8)
    .flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(-20, 20), min_size=n, max_size=n),
            st.lists(st.integers(0, 4), min_size=n, max_size=n),
            st.lists(st.integers(0, 3), min_size=n, max_size=n),
        )
    )
    .filter(lambda data: any(data[2]))
)


def one_order(gamma, name):
    """Both integrals for rows of equal length, row by row, from the definition of TOC.

    Within row i of n, TOC(q) = (before + gamma_i (q - i / n)) / q - mean, with before the sum / n so far.
    """
    n, mean, before, area = len(gamma), np.mean(gamma), 0.0, 0.0
    for i, g in enumerate(gamma):
        a, b = i / n, (i + 1) / n
        constant = before - g * a
        if name == "autoc":
            area += (constant * np.log(b / a) if i else 0.0) + (g - mean) * (b - a)
        else:
            area += constant * (b - a) + (g - mean) * (b**2 - a**2) / 2
        before += g / n
    return area


def all_orders(gamma, priority, name):
    """Mean over all orders that the priority allows, each tried."""
    rows = range(len(gamma))
    areas = [
        one_order([gamma[i] for i in order], name)
        for order in permutations(rows)
        if all(priority[i] >= priority[j] for i, j in zip(order, order[1:], strict=False))
    ]
    return np.mean(areas)


@METRICS
def test_perfect_ranking_of_uniform_effects(metric):
    effect = np.random.default_rng(0).permutation((np.arange(200_000) + 0.5) / 200_000)
    assert metric(effect, effect) == pytest.approx({"autoc": 1 / 4, "qini": 1 / 12}[metric.name], abs=1e-6)
    assert metric(effect, -effect) == pytest.approx({"autoc": -1 / 4, "qini": -1 / 12}[metric.name], abs=1e-4)
    drawn = np.random.default_rng(1).random(1_000_000)
    assert metric(drawn, drawn) == pytest.approx({"autoc": 1 / 4, "qini": 1 / 12}[metric.name], abs=0.001)


@METRICS
@settings(max_examples=40, deadline=None)
@given(SMALL.filter(lambda data: len(data[0]) <= 6))
def test_ties_are_the_mean_over_all_orders(metric, data):
    gamma, priority, _ = data
    assert metric(gamma, priority) == pytest.approx(all_orders(gamma, priority, metric.name), abs=1e-9)


@METRICS
@settings(max_examples=100, deadline=None)
@given(SMALL)
def test_weights_are_repeated_rows(metric, data):
    gamma, priority, weight = data
    repeated = metric(np.repeat(gamma, weight), np.repeat(priority, weight))
    assert metric(gamma, priority, weight) == pytest.approx(repeated, abs=1e-9)


@METRICS
@settings(max_examples=100, deadline=None)
@given(SMALL, st.randoms(use_true_random=False))
def test_only_the_order_of_priorities_matters(metric, data, random):
    gamma, priority, weight = (np.array(values, dtype=float) for values in data)
    value = metric(gamma, priority, weight)
    rows = random.sample(range(len(gamma)), len(gamma))
    assert metric(gamma[rows], priority[rows], weight[rows]) == pytest.approx(value, abs=1e-9)
    assert metric(gamma, np.exp(priority) - 7, weight) == pytest.approx(value, abs=1e-9)
    assert metric(gamma + 1e6, priority, weight) == pytest.approx(value, abs=1e-6)
    assert metric(3 * gamma, priority, 2 * weight) == pytest.approx(3 * value, abs=1e-9)


@METRICS
def test_a_constant_priority_scores_0_in_any_row_order(metric):
    rng = np.random.default_rng(2)
    gamma, weight = rng.lognormal(3, 2, 999), rng.random(999)
    for _ in range(5):
        rows = rng.permutation(999)
        assert metric(gamma[rows], np.full(999, 0.1)) == 0
        assert metric(gamma[rows], np.full(999, 0.1), weight[rows]) == 0
    found = rate(gamma, {"same": np.zeros(999)})["same"]
    assert found.autoc.low == found.autoc.high == found.qini.low == found.qini.high == 0


def test_halves_are_the_metric_on_the_rows_of_the_half():
    rng = np.random.default_rng(3)
    gamma, priority = rng.normal(size=1500), rng.integers(0, 200, 1500).astype(float)
    priority[:700] = rng.random(700)
    weight, clusters = rng.random(1500), rng.integers(0, 101, 1500)
    samples = HalfSamples.draw(1500, clusters, draws=21, seed=5)
    ranking = Ranking.sort(gamma, priority)
    found = ranking.halves(weight, samples)
    assert found.shape == (21, 2)
    for draw in range(21):
        inside = samples.bits[draw // 8][samples.code] >> (draw % 8) & 1
        assert len(np.unique(clusters[inside == 1])) in (50, 51)
        kept = inside == 1
        for column, metric in enumerate((autoc, qini)):
            alone = metric(gamma[kept], priority[kept], weight[kept])
            assert found[draw, column] == pytest.approx(alone, abs=1e-9)
            assert metric(gamma, priority, weight * inside) == pytest.approx(alone, abs=1e-9)


def test_every_cluster_is_in_half_of_the_halves():
    samples = HalfSamples.draw(41, draws=4000, seed=0)
    inside = np.array([samples.bits[d // 8] >> (d % 8) & 1 for d in range(4000)])
    assert np.abs(inside.mean(axis=0) - 0.5).max() < 4.5 * 0.5 / np.sqrt(4000)
    together = np.corrcoef(inside.T)[np.triu_indices(41, 1)]
    # Without replacement one in the half leaves a little less room for any other.
    assert together.mean() == pytest.approx(-1 / 40, abs=0.002)


def test_the_spread_over_halves_is_the_standard_error():
    rng = np.random.default_rng(4)
    values = [qini(g, p) for g, p in ((rng.normal(size=400), rng.random(400)) for _ in range(1500))]
    widths = []
    for seed in range(20):
        samples = HalfSamples.draw(400, seed=seed)
        found = rate(rng.normal(size=400), {"p": rng.random(400)}, samples=samples)["p"].qini
        widths.append((found.high - found.low) / 2 / 1.959964)
    assert np.mean(widths) == pytest.approx(np.std(values), rel=0.08)


@pytest.mark.filterwarnings("error")
def test_numba_and_numpy_agree_where_the_logarithm_is_taken_as_a_series():
    rng = np.random.default_rng(5)
    n = 30_000
    gamma, weight = rng.normal(1000, 1, n), rng.gamma(0.3, 1, n)
    ranking = Ranking.sort(gamma, rng.random(n))
    end = np.append(0, np.cumsum(weight[ranking.order])) / weight.sum()
    end[-1] = 1
    f = -end * np.log(np.where(end > 0, end, 1))
    found = _areas(ranking.gamma, weight[ranking.order], ranking.group, *everything(n))
    assert found[0] == pytest.approx((ranking.gamma * np.diff(f)).sum(), abs=1e-9)
    assert found[1] == pytest.approx((ranking.gamma * np.diff(end * (1 - end) / 2)).sum(), abs=1e-9)


def test_both_are_metrics_like_any_other():
    rng = np.random.default_rng(6)
    effect = rng.random(500)
    gamma = effect + rng.normal(0, 0.3, 500)
    found = bootstrap({"qini": qini}, gamma, effect, draws=200)["qini"]
    assert found.low < rate(gamma, {"e": effect})["e"].qini.value < found.high
    assert paired_test(qini, gamma, -effect, effect, draws=100).p_worse < 0.02


def test_clusters_widen_the_interval():
    rng = np.random.default_rng(7)
    scores, u = rng.normal(size=200), rng.random(200)
    clusters = np.repeat(np.arange(200), 9)
    apart = rate(scores[clusters], {"u": u[clusters]})["u"].qini
    whole = HalfSamples.draw(len(clusters), clusters.astype("U"))
    together = rate(scores[clusters], {"u": u[clusters]}, samples=whole)["u"].qini
    alone = rate(scores, {"u": u})["u"].qini
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(3, rel=0.2)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.1)


@pytest.mark.parametrize(
    "case", [c for c in CASES if "policy" not in c.name and "gain" not in c.name], ids=str
)
def test_promises(case):
    count = 40 if "best" in case.name else 120
    share, _ = share_of(case, count, seed=11)
    middle = 0.95 if case.high > 0.9 else 0.05
    error = np.sqrt(middle * (1 - middle) / count)
    assert share < middle + 4 * error
    assert share > middle - 4 * error or case.low == 0


def test_curves_are_the_means_of_the_top():
    rng = np.random.default_rng(8)
    gamma, priority = rng.normal(size=200), rng.integers(0, 30, 200)
    toc = toc_curve(gamma, priority)
    curve = qini_curve(gamma, priority)
    order = np.argsort(-priority, kind="stable")
    p, g = priority[order], gamma[order]
    means = np.array([gamma[priority == level].mean() for level in p])
    for q in (0.1, 0.25, 0.5, 1.0):
        top = means[: round(200 * q)].mean() - g.mean()
        assert toc.value[round(100 * q) - 1] == pytest.approx(top, abs=1e-12)
        assert curve.value[round(100 * q)] == pytest.approx(q * top, abs=1e-12)
    assert curve.value[0] == curve.low[0] == curve.high[0] == 0
    assert curve.high[-1] == pytest.approx(0, abs=1e-12)
    assert (curve.low <= curve.value).all()
    assert (toc.high >= toc.value).all()


def test_areas_under_the_curves_are_the_metrics():
    rng = np.random.default_rng(9)
    gamma, priority = rng.normal(size=300), rng.normal(size=300)
    shares = np.linspace(0, 1, 30_001)
    few = HalfSamples.draw(300, draws=20)
    gain = qini_curve(gamma, priority, shares, samples=few).value
    assert np.trapezoid(gain, shares) == pytest.approx(qini(gamma, priority), abs=1e-6)
    shares = shares[1:]
    top = toc_curve(gamma, priority, shares, samples=few).value
    assert np.trapezoid(top, shares) + top[0] * shares[0] == pytest.approx(autoc(gamma, priority), abs=1e-6)


def test_threads_do_not_change_what_is_found_and_seeds_do():
    rng = np.random.default_rng(10)
    gamma, p = rng.normal(size=100), rng.random(100)

    def found(**how):
        return rate(gamma, {"p": p}, samples=HalfSamples.draw(100, **how))

    assert found(threads=1) == found(threads=4) == rate(gamma, {"p": p})
    assert found(seed=1) != found(seed=2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": np.full(30, np.nan)}, "scores has 30 values that are NaN"),
        ({"scores": []}, r"scores has shape \[0\]"),
        ({"priorities": {"p": np.zeros(29)}}, r"priority p has shape \[29\]; it must be \[30\]"),
        ({"weight": -np.ones(30)}, "not negative"),
        ({"weight": np.zeros(30)}, "not all 0"),
        ({"scores": np.arange(19.0), "priorities": {}}, "19 independent customers"),
        ({"samples": HalfSamples.draw(29)}, "half-samples of 29 rows do not go with 30 rows"),
        ({"level": 95.0}, "between 0 and 1"),
    ],
)
def test_bad_input_is_refused(change, words):
    given_ = {"scores": np.arange(30.0), "priorities": {"p": np.arange(30.0)}, **change}
    with pytest.raises(ExperimentError, match=words):
        rate(**given_)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"clusters": np.zeros(29)}, "one a row"),
        ({"clusters": np.arange(30) % 19}, "19 independent customers"),
        ({"draws": 10}, "draws = 10"),
    ],
)
def test_halves_that_tell_nothing_are_not_drawn(how, words):
    with pytest.raises(ExperimentError, match=words):
        HalfSamples.draw(30, **how)


def test_bad_shares_are_refused():
    x = np.arange(30.0)
    with pytest.raises(ExperimentError, match="ascend"):
        qini_curve(x, x, [0.5, 0.2])
    with pytest.raises(ExperimentError, match="leave share 0 out"):
        toc_curve(x, x, [0.0, 0.5])


def test_speed_is_measured():
    found = measure(rows=2000, scores=2, draws=40, peer=False)
    assert found["seconds"] > 0
    assert found["cpu_seconds"] > 0
