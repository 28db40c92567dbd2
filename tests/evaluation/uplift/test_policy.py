"""A policy spends within its limits, comes within one customer of the best plan, and is valued honestly."""

import math
import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from benchmarks.coverage_ranking import CASES
from benchmarks.simulation import rate as share_of
from evaluation.uplift.allocation import _program, relaxed
from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.policy import NOBODY, choose, thresholds
from evaluation.uplift.policy_value import gain_curve, policy_test
from features.errors import ExperimentError

NUMBERS = st.integers(0, 12).map(lambda v: v / 2)


def policy_value(scores, choice, cost, **how):
    """What a policy brings over leaving everyone alone."""
    return policy_test(scores, choice, np.full(len(choice), NOBODY), cost, **how).difference


@st.composite
def problems(draw):
    n, k = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    uplift = np.array(draw(st.lists(NUMBERS, min_size=n * k, max_size=n * k))).reshape(n, k)
    cost = np.array(draw(st.lists(NUMBERS, min_size=n * k, max_size=n * k))).reshape(n, k)
    capacity = np.array(draw(st.lists(st.integers(0, n), min_size=k, max_size=k)), dtype=float)
    return uplift, cost, draw(NUMBERS), capacity


def best(uplift, cost, budget=math.inf, capacity=None):
    """The greatest net value, by scipy's integer program."""
    n, k = uplift.shape
    rows, bounds = [np.kron(np.eye(n), np.ones(k)), cost.reshape(1, -1)], [np.ones(n), [budget]]
    if capacity is not None:
        rows.append(np.tile(np.eye(k), n))
        bounds.append(capacity)
    limits = LinearConstraint(np.vstack(rows), -np.inf, np.concatenate(bounds))
    net = (uplift - cost).ravel()
    return -milp(-net, integrality=np.ones(n * k), bounds=(0, 1), constraints=limits).fun


def outcome(choice, uplift, cost):
    rows = np.flatnonzero(choice >= 0)
    arms = choice[rows]
    net = (uplift - cost)[rows, arms]
    assert (net > 0).all()
    return net.sum(), cost[rows, arms].sum(), np.bincount(arms, minlength=uplift.shape[1])


@settings(max_examples=150, deadline=None)
@given(problems())
def test_with_a_budget_it_is_one_customer_short_at_most(problem):
    uplift, cost, budget, _ = problem
    value, spent, _ = outcome(choose(uplift, cost, budget=budget), uplift, cost)
    affordable = np.where(cost <= budget, uplift - cost, 0).clip(0)
    greatest = best(uplift, cost, budget)
    assert spent <= budget
    assert greatest - affordable.max() - 1e-6 <= value <= greatest + 1e-6


@settings(max_examples=150, deadline=None)
@given(problems())
def test_with_capacities_too_it_is_k_plus_1_customers_short_at_most(problem):
    uplift, cost, budget, capacity = problem
    value, spent, counts = outcome(choose(uplift, cost, budget=budget, capacity=capacity), uplift, cost)
    affordable = np.where(cost <= budget, uplift - cost, 0).clip(0)
    short = np.sort(affordable.max(axis=1))[::-1][: uplift.shape[1] + 1].sum()
    greatest = best(uplift, cost, budget, capacity)
    assert spent <= budget
    assert (counts <= capacity).all()
    assert greatest - short - 1e-6 <= value <= greatest + 1e-6


@settings(max_examples=60, deadline=None)
@given(problems())
def test_with_capacities_alone_it_is_the_best(problem):
    uplift, cost, _, capacity = problem
    value, _, counts = outcome(choose(uplift, cost, capacity=capacity), uplift, cost)
    assert (counts <= capacity).all()
    assert value == pytest.approx(best(uplift, cost, capacity=capacity), abs=1e-6)


def test_the_oracle_is_right():
    rng = np.random.default_rng(0)
    uplift, cost = rng.random((4, 2)) * 5, rng.random((4, 2)) * 3
    plans = [np.array(p) for p in product((-1, 0, 1), repeat=4)]
    net = [
        sum((uplift - cost)[i, a] for i, a in enumerate(p) if a >= 0)
        if sum(cost[i, a] for i, a in enumerate(p) if a >= 0) <= 3 and (p == 0).sum() <= 1
        else -math.inf
        for p in plans
    ]
    assert best(uplift, cost, 3, [1, 4]) == pytest.approx(max(net))


def test_without_limits_everybody_gets_the_best_arm():
    rng = np.random.default_rng(1)
    uplift = rng.normal(1, 2, (300, 3))
    net = uplift - [0.5, 1, 2]
    expected = np.where(net.max(axis=1) > 0, net.argmax(axis=1), -1)
    assert (choose(uplift, [0.5, 1, 2]) == expected).all()
    assert (choose(uplift, [0.5, 1, 2], capacity=[np.inf] * 3) == expected).all()
    assert (choose(uplift, [0.5, 1, 2], capacity=[300] * 3, budget=1e9) == expected).all()


def test_what_costs_nothing_comes_first():
    uplift = np.array([[1.0, 9.0], [-1.0, 9.0], [2.0, 2.5], [0.0, 0.0]])
    cost = [0.0, 3.0]
    assert choose(uplift, cost, budget=0).tolist() == [0, -1, 0, -1]
    assert choose(uplift, cost, budget=3).tolist() == [0, 1, 0, -1]
    assert choose(uplift, cost, budget=6).tolist() == [1, 1, 0, -1]
    assert choose(uplift, cost, budget=0, capacity=[1, 5]).tolist() == [-1, -1, 0, -1]


def test_one_who_costs_more_than_all_there_is_does_not_block_the_others():
    uplift = np.array([[1000.0], [4.0], [3.0]])
    cost = np.array([[50.0], [2.0], [2.0]])
    assert choose(uplift, cost, budget=4).tolist() == [-1, 0, 0]


def test_a_budget_that_just_suffices_suffices():
    uplift, cost = np.ones((10, 1)), np.full((10, 1), 0.1)
    assert (choose(uplift, cost, budget=0.1 * 10) == 0).all()
    assert (choose(uplift, cost, budget=sum([0.1] * 3)) == 0).sum() == 3


@pytest.mark.parametrize("share", [0.02, 0.2, 2.0])
def test_prices_give_the_same_plan_as_the_whole_program(share):
    rng = np.random.default_rng(2)
    n = 9000
    cost = rng.gamma(2, 5, (n, 3))
    net = rng.normal(0, 6, (n, 3)) - cost * 0.3
    limits = np.array([n / 20, n / 9, np.inf, share * n])
    shares = relaxed(net, cost, limits)
    whole, _ = _program(net, cost, limits)
    assert (shares * net).sum() == pytest.approx((whole * net).sum(), rel=1e-8)
    assert (shares.sum(axis=1) <= 1 + 1e-9).all()
    assert (shares.sum(axis=0) <= limits[:3] + 1e-6).all()
    assert (shares * cost).sum() <= limits[3] * (1 + 1e-7)
    split = (np.abs(shares - np.round(shares)) > 1e-6).any(axis=1)
    assert split.sum() <= 4


def test_many_alike_are_solved_too():
    n = 6000
    cost, uplift = np.tile([1.0, 2.0], (n, 1)), np.tile([3.0, 5.0], (n, 1))
    choice = choose(uplift, cost, budget=3000, capacity=[1000, 1500])
    value, spent, counts = outcome(choice, uplift, cost)
    assert counts.tolist() == [1000, 1000]
    assert (value, spent) == (5000, 3000)


def test_large_problems_are_quick():
    rng = np.random.default_rng(3)
    cost = rng.gamma(2, 5, (50_000, 3))
    uplift = 0.3 * cost + rng.normal(5, 10, (50_000, 3))
    start = time.process_time()
    choose(uplift, cost, budget=50_000.0, capacity=[2000, 3000, np.inf])
    assert time.process_time() - start < 8


def test_gain_at_a_budget_is_the_gain_of_the_choice():
    rng = np.random.default_rng(4)
    uplift, cost = rng.normal(3, 3, (400, 3)), rng.gamma(2, 1, (400, 3))
    cost[:, 0] = 0
    scores = uplift + rng.normal(0, 2, (400, 3))
    curve = gain_curve(uplift, cost, scores)
    for i in (0, 5, 10, 20):
        choice = choose(uplift, cost, budget=float(curve.policy.at[i]))
        gain = policy_value(scores, choice, cost).value
        # The curve treats the customer at the cut in part; the choice passes over who does not fit.
        assert curve.policy.value[i] == pytest.approx(gain, abs=0.05)
    everyone = policy_value(scores, choose(uplift, cost), cost)
    assert curve.policy.value[-1] == pytest.approx(everyone.value, abs=1e-9)
    assert curve.policy.low[-1] == pytest.approx(everyone.low, rel=0.05)
    assert curve.total.value == pytest.approx(400 * curve.policy.value)
    assert (curve.spent == curve.policy.at).all()
    more = gain_curve(uplift, cost, scores, [0.0, 1e9])
    assert more.policy.value[1] == pytest.approx(everyone.value, abs=1e-9)
    assert more.spent[1] == pytest.approx(curve.spent[-1])


def test_lines_of_reference():
    rng = np.random.default_rng(5)
    uplift, cost = rng.normal([1.0, 4.0], 1, (300, 2)), np.array([1.0, 2.0])
    scores = uplift + rng.normal(0, 1, (300, 2))
    budgets = np.array([0.0, 150.0, 300.0, 600.0, 900.0])
    curve = gain_curve(uplift, cost, scores, budgets)
    net = scores.mean(axis=0) - cost
    # The second arm earns more for the money and for the customer: everybody at 600.
    assert curve.constant.value == pytest.approx(np.minimum(1, budgets / 600) * net[1])
    assert curve.random.value == pytest.approx(np.minimum(1, budgets / 450) * net.mean())
    # The better of two arms is partly the luckier one: each gets half of the 5 %.
    everyone = policy_value(scores, np.ones(300, int), cost, level=0.975)
    assert curve.constant.low[-1] == pytest.approx(everyone.low, rel=0.05)
    assert (curve.best[1:] == 1).all()
    assert curve.policy.value[1] > curve.constant.value[1] > curve.random.value[1]


def test_gain_does_not_depend_on_the_order_of_customers():
    rng = np.random.default_rng(6)
    uplift, cost = rng.integers(0, 4, (200, 2)) * 1.0, np.array([1.0, 1.5])
    scores, weight = rng.normal(1, 2, (200, 2)), rng.integers(1, 4, 200)
    rows = rng.permutation(200)
    plain = gain_curve(uplift, cost, scores, weight=weight)
    turned = gain_curve(uplift[rows], cost, scores[rows], weight=weight[rows])
    assert turned.policy.value == pytest.approx(plain.policy.value, abs=1e-9)
    again = np.repeat(np.arange(200), weight)
    whole = HalfSamples.draw(len(again), again)
    repeated = gain_curve(uplift[again], cost, scores[again], samples=whole)
    assert repeated.policy.value == pytest.approx(plain.policy.value, abs=1e-9)
    assert repeated.policy.high == pytest.approx(plain.policy.high, abs=1e-9)
    assert repeated.random.low == pytest.approx(plain.random.low, abs=1e-9)


def test_where_no_arm_pays_nobody_is_the_best_for_everyone():
    # Each loses; a dear one would lose least on a small budget, because it reaches the fewest.
    uplift = np.tile([190.0, 5.0], (100, 1))
    curve = gain_curve(uplift, [200.0, 10.0], uplift, [0.0, 1_000.0, 5_000.0, 100_000.0])
    assert (curve.best == NOBODY).all()
    assert not curve.constant.value.any()
    assert not curve.constant.low.any()


def test_nothing_worth_doing_is_a_plan():
    uplift = np.full((40, 2), -1.0)
    assert (choose(uplift, [0, 1], budget=5, capacity=[3, 3]) == -1).all()
    curve = gain_curve(uplift, [0, 1], uplift, [0.0, 10.0])
    assert not curve.policy.value.any()
    assert not curve.spent.any()
    assert thresholds(np.full(40, -1), uplift, [0, 1]) == ()


def test_value_is_a_mean_with_its_standard_error():
    rng = np.random.default_rng(7)
    scores, choice = rng.normal(size=(500, 2)), rng.integers(-1, 2, 500)
    gain = np.array([scores[i, a] - (0.1, 0.2)[a] if a >= 0 else 0 for i, a in enumerate(choice)])
    found = policy_value(scores, choice, [0.1, 0.2])
    assert found.value == pytest.approx(gain.mean())
    assert found.high - found.value == pytest.approx(1.959964 * gain.std(ddof=1) / np.sqrt(500))
    weight = rng.integers(1, 5, 500)
    again = np.repeat(np.arange(500), weight)
    weighted = policy_value(scores, choice, [0.1, 0.2], weight=weight)
    repeated = policy_value(scores[again], choice[again], [0.1, 0.2], clusters=again)
    assert (weighted.value, weighted.low) == pytest.approx((repeated.value, repeated.low))


def test_two_policies_are_compared_in_pairs():
    rng = np.random.default_rng(8)
    effect = rng.normal(size=(2000, 1))
    scores = effect + rng.normal(0, 3, (2000, 1))
    good, all_ = np.where(effect[:, 0] > 0.1, 0, -1), np.zeros(2000, int)
    found = policy_test(scores, all_, good, [0.1])
    assert found.p_worse < 0.001
    assert found.a == pytest.approx(scores.mean() - 0.1)
    assert found.difference.high < 0
    assert policy_test(scores, good, good, [0.1]).p_worse == 1


@pytest.mark.parametrize(
    "case", [c for c in CASES if "policy" in c.name or "gain" in c.name], ids=lambda c: c.name
)
def test_promises(case):
    count = 60 if "gain" in case.name else 300
    share, _ = share_of(case, count, seed=11)
    assert share == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / count))


def test_thresholds_say_what_was_done():
    uplift = np.array([[5.0], [4.0], [3.0], [9.0], [1.0]])
    cost = np.array([[1.0], [9.0], [1.0], [2.0], [2.0]])
    rules = thresholds([0, -1, 0, 0, -1], uplift, cost, ["b", "b", "b", "a", "a"], ("mail",))
    assert [(r.segment, r.customers, r.treated, r.lowest_uplift) for r in rules] == [
        ("a", 2, 1, 9.0),
        ("b", 3, 2, 3.0),
    ]
    assert (rules[1].followed, rules[1].cost, rules[1].net) == (2 / 3, 2.0, 6.0)
    assert str(rules[1]) == (
        "b: mail for 2 of 3 customers, those with a predicted uplift of 3.00 or more (67% of whom get it); "
        "costs 2.00, expected to leave 6.00"
    )
    assert thresholds(np.zeros(5, int), uplift, cost)[0].arm == "arm 1"


X = np.ones((30, 2))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: choose(np.full((2, 1), np.nan), [1]), "uplift has 2 values"),
        (lambda: choose(X, [1]), r"cost has shape \[1\]; it must be \[2\]"),
        (lambda: choose(X, [1, -1]), "cost -1 is below 0"),
        (lambda: choose(X, [1, 1], budget=-1), "budget -1 must be 0 or more"),
        (lambda: choose(X, [1, 1], budget=math.nan), "budget nan"),
        (lambda: choose(X, [1, 1], capacity=[1]), "must be 2 numbers"),
        (lambda: choose(X, [1, 1], capacity=[1, -1]), "0 or more"),
        (lambda: policy_value(X, np.zeros(30), [1, 1]), "whole numbers"),
        (lambda: policy_value(X, np.full(30, 2), [1, 1]), "arms are 0 to 1"),
        (lambda: policy_value(X[:19], np.zeros(19, int), [1, 1]), "19 independent customers"),
        (lambda: gain_curve(X, [1, 1], X, [2.0, 1.0]), "ascend"),
        (lambda: gain_curve(X, [1, 1], X[:, :1]), "scores has shape"),
        (lambda: gain_curve(X, [1, 1], X, samples=HalfSamples.draw(31)), "of 31 rows do not go with 30"),
        (lambda: thresholds(np.zeros(30, int), X, [1, 1], ["a"]), "do not go with 30 customers"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ExperimentError, match=words):
        call()
