"""Confidence sequences hold at all daily looks together, never change afterwards, and are what the paper says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from benchmarks.coverage_looks import CASES
from benchmarks.simulation import rate
from evaluation.effects.sequential import confidence_sequence
from evaluation.effects.welch import welch
from features.errors import ExperimentError
from features.types import DAY


def _data(n=1200, days=30, effect=0.0, seed=0, share=0.5):
    rng = np.random.default_rng(seed)
    treated = rng.random(n) < share
    return rng.normal(100, 40, n) + effect * treated, treated, (20_000 + np.arange(n) * days // n) * DAY + 5


def test_a_look_is_the_formula_of_the_paper():
    value, treated, time = _data(n=200_000, effect=0.3)
    looks = confidence_sequence(value, treated, time, planned=200_000)
    assert [look.day for look in looks] == list(range(20_000, 20_030))
    for look in (looks[3], looks[-1]):
        n = look.n_treated + look.n_control
        v, t = value[:n], treated[:n]
        # Waudby-Smith et al. 2024, equation for the asymptotic confidence sequence, σ per unit of n.
        sigma = np.sqrt(n * (v[t].var() / t.sum() + v[~t].var() / (~t).sum()))
        rho = np.sqrt((-2 * np.log(0.05) + np.log(-2 * np.log(0.05) + 1)) / 200_000)
        inside = 2 * (n * rho**2 + 1) / (n**2 * rho**2) * np.log(np.sqrt(n * rho**2 + 1) / 0.05)
        assert look.effect.value == pytest.approx(v[t].mean() - v[~t].mean())
        assert look.effect.high - look.effect.value == pytest.approx(sigma * np.sqrt(inside), rel=1e-3)
    assert looks[-1].n_treated == treated.sum()


def test_tightest_at_the_planned_size():
    value, treated, time = _data(n=3000)

    def width(planned):
        last = confidence_sequence(value, treated, time, planned=planned)[-1]
        return last.effect.high - last.effect.low

    assert width(3000) < min(width(300), width(2000), width(4500), width(30_000))
    n = len(value)
    fixed = 2 * student.ppf(0.975, n - 2) * 40 * np.sqrt(4 / n)
    assert width(3000) / fixed == pytest.approx(1.55, abs=0.08)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 12), st.integers(0, 1000), st.sampled_from([0.2, 0.5]))
def test_p_says_what_the_intervals_say(effect, seed, share):
    value, treated, time = _data(n=600, effect=effect, seed=seed, share=share)
    looks = confidence_sequence(value, treated, time, planned=600)
    outside = [not look.effect.low <= 0 <= look.effect.high for look in looks]
    for i, look in enumerate(looks):
        assert (look.p_anytime < 0.05) == any(outside[: i + 1])
    assert all(a.p_anytime >= b.p_anytime for a, b in zip(looks, looks[1:], strict=False))


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 29), st.booleans())
def test_later_rows_change_no_look(days, clustered):
    value, treated, time = _data(n=900)
    account = np.arange(900) % 300
    treated = treated[account] if clustered else treated
    clusters = account if clustered else None
    options = {"planned": 500, "burn_in": 20}
    looks = confidence_sequence(value, treated, time, clusters=clusters, **options)
    past = time < (20_000 + days) * DAY
    early = confidence_sequence(
        value[past], treated[past], time[past], clusters=account[past] if clustered else None, **options
    )
    assert early == looks[:days]
    order = np.random.default_rng(1).permutation(900)
    mixed = confidence_sequence(
        value[order], treated[order], time[order], clusters=account[order] if clustered else None, **options
    )
    assert [look.effect.value for look in mixed] == pytest.approx([look.effect.value for look in looks])


def test_clusters_count_once_by_their_mean():
    value, treated, time = _data(n=400)
    rows = np.repeat(np.arange(400), np.arange(400) % 4 + 1)
    names = [f"c{i}" for i in rows]
    spread = np.concatenate([np.linspace(-1, 1, i % 4 + 1) if i % 4 else np.zeros(1) for i in range(400)])
    whole = confidence_sequence(value, treated, time, planned=400)
    several = confidence_sequence(
        value[rows] + spread, treated[rows], time[rows], planned=400, clusters=names
    )
    for one, other in zip(whole, several, strict=True):
        assert (one.n_treated, one.n_control) == (other.n_treated, other.n_control)
        assert one.effect.low == pytest.approx(other.effect.low)


def test_nothing_is_said_during_burn_in_or_while_nothing_varies():
    value, treated, time = _data(n=600, effect=100)
    looks = confidence_sequence(value, treated, time, planned=600, burn_in=100)
    early = [look for look in looks if min(look.n_treated, look.n_control) < 100]
    assert len(early) > 5
    assert {(look.effect.low, look.effect.high, look.p_anytime) for look in early} == {(-np.inf, np.inf, 1.0)}
    assert looks[-1].p_anytime < 1e-6
    flat = confidence_sequence(np.zeros(600), treated, time, planned=600)
    assert flat[-1].p_anytime == 1
    # No double holds a tail so far out: the interval is without end, and the p value still a number.
    hasty = confidence_sequence(value, treated, time, planned=10**9)[-1]
    assert hasty.effect.high == np.inf
    assert 0 <= hasty.p_anytime <= 1


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name.startswith("30 daily")], ids=lambda c: c.name
)
def test_any_time_false_positives_at_thirty_looks(case):
    share, _ = rate(case, 100)
    # Three standard errors of 100 repetitions at 5 %.
    slack = 3 * np.sqrt(0.05 * 0.95 / 100)
    assert case.low <= share <= case.high + slack


def test_ordinary_intervals_would_not_hold():
    wrong = 0
    for seed in range(100):
        value, treated, time = _data(n=600, seed=seed)
        looks = np.searchsorted(time, np.unique(time)[5:])
        wrong += any(welch(value[:n], treated[:n]) < 0.05 for n in looks)
    assert wrong > 12


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"treated": [True]}, "one of each"),
        ({"value": [1, np.nan, 2, 3]}, "1 of them not numbers"),
        ({"planned": 3}, "planned for 3"),
        ({"level": 1}, "level = 1"),
        ({"burn_in": 1}, "burn-in of 1"),
        ({"clusters": [1, 1, 2, 2]}, "2 of 2 clusters"),
        ({"clusters": [1, 1]}, "clusters have shape"),
    ],
)
def test_errors(change, match):
    given_ = {
        "value": [1, 2, 3, 4],
        "treated": [True, False] * 2,
        "time": [0, 0, DAY, DAY],
        "planned": 10,
    } | change
    with pytest.raises(ExperimentError, match=match):
        confidence_sequence(**given_)
