"""The readout of bound tables: what it says is what the orders say, and what is odd stands beside it."""

import json

import numpy as np
import pytest

from evaluation.effects.effect import mean_effect, ratio_effect
from evaluation.effects.winsor import winsorise
from evaluation.experiments.records import Code
from features.errors import ExperimentError
from tests.training.trials import DAY_OF_TRIAL, HORIZON, arm_of, orders
from training.readout import read_experiment
from training.tracking import Tracker


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory):
    """A registry with nothing in it."""
    return Tracker(tmp_path_factory.mktemp("none") / "mlruns")


@pytest.fixture(scope="module")
def plain(trials, nowhere):
    return read_experiment(trials.tables, trials.history, nowhere, "plain")


def summed(first, last, *, count=False):
    found = np.zeros(480)
    for who, day, _, amount in orders():
        if first <= day < last:
            found[int(who[4:])] += 1 if count else amount
    return found


def parts(estimate):
    return (estimate.value, estimate.low, estimate.high)


def close(estimate):
    return pytest.approx(parts(estimate), rel=1e-9)


ARM = np.array([arm_of(k) for k in range(480)]) == 1
AFTER = (DAY_OF_TRIAL, DAY_OF_TRIAL + HORIZON)


def test_effects_are_those_of_the_orders(plain):
    money, count = summed(*AFTER), summed(*AFTER, count=True)
    short = summed(DAY_OF_TRIAL, DAY_OF_TRIAL + 30, count=True) > 0
    margin = winsorise(money).value
    assert parts(plain.effect("treated", "margin").plain.absolute) == close(mean_effect(margin, ARM).absolute)
    for name, expected in (
        ("ordered", mean_effect(short.astype(float), ARM)),
        ("orders", mean_effect(count, ARM)),
        ("order_value", ratio_effect(money, count, ARM)),
    ):
        assert parts(plain.effect("treated", name).plain.absolute) == close(expected.absolute)
    # Nobody's clicks are bound.
    assert {each.name for each in plain.measures} == {"ordered", "orders", "order_value", "margin"}


def test_it_is_adjusted_by_what_was_known_before(plain):
    for each in plain.effects:
        assert each.best is each.adjusted
        assert each.refused is None
    margin = plain.effect("treated", "margin")
    assert margin.adjusted.standard_error < margin.plain.standard_error
    assert (plain.verdict.code, plain.verdict.gains, plain.verdict.losses) == (Code.GAIN, ("treated",), ())


def test_before_the_assignment_there_is_nothing_to_find(plain):
    [before] = plain.before
    assert (before.arm, before.measure, before.adjusted) == ("treated", "margin", None)
    money = winsorise(summed(DAY_OF_TRIAL - HORIZON, DAY_OF_TRIAL)).value
    assert parts(before.plain.absolute) == close(mean_effect(money, ARM).absolute)
    assert before.p > 0.01


def test_everything_else_is_there(plain):
    assert (plain.project, plain.experiment, plain.currency, plain.timezone) == (
        "trials",
        "plain",
        "JPY",
        "Asia/Tokyo",
    )
    assert (plain.arms, plain.sizes) == (("control", "treated"), {"control": 240, "treated": 240})
    assert plain.first == plain.last
    assert (plain.first.isoformat(), plain.data_until.isoformat()) == (
        "2024-08-28T10:00:00",
        "2025-02-04T00:00:00",
    )
    assert (plain.horizon_days, plain.level, plain.randomised) == (60, 0.95, True)
    assert plain.ratio.counts == (240, 240)
    assert not plain.ratio.broken
    # All came on one day, no model was trained, nothing was odd.
    assert (plain.looks, plain.uplift, plain.warnings) == ({}, None, ())
    assert all(each.refused is None for each in plain.effects)


def test_it_grew_with_the_days(plain):
    assert [each.day for each in plain.course] == list(range(5, 61, 5))
    last = plain.course[-1]
    assert parts(last.effect) == close(plain.effect("treated", "margin").adjusted.absolute)
    money = winsorise(summed(DAY_OF_TRIAL, DAY_OF_TRIAL + 20)).value
    assert plain.course[3].effect.value == pytest.approx(mean_effect(money, ARM).absolute.value, rel=0.3)
    for each in plain.course:
        assert each.together.low < each.effect.low < each.effect.high < each.together.high


def test_it_hangs_on_the_industry(plain):
    by = {each.dimension: each for each in plain.segments}
    assert set(by) == {"industry", "value"}
    rows = {row.name: row for row in by["industry"].segments.rows}
    assert set(rows) == {"steel", "food", "paper"}
    assert by["industry"].differ
    assert rows["steel"].raw.value > 500
    assert rows["steel"].n == 160
    assert {row.name for row in by["value"].segments.rows} == {"low", "middle", "high"}


def test_returns_are_the_effect_less_the_cost(plain):
    [found] = plain.returns
    assert (found.arm, found.customers, found.cost, found.beyond) == ("treated", 240, 20.0, False)
    assert parts(found.per_customer) == close(plain.effect("treated", "margin").best.absolute)
    assert found.net.value == pytest.approx(found.per_customer.value - 20)
    assert found.total.value == pytest.approx(240 * found.per_customer.value)


def test_as_json_it_is_the_same(plain):
    told = json.loads(json.dumps(plain.to_dict(), allow_nan=False))
    margin = next(each for each in told["effects"] if each["measure"] == "margin")
    assert margin["adjusted"]["absolute"] == vars(plain.effect("treated", "margin").adjusted.absolute)
    assert (told["uplift"], told["sizes"]) == (None, {"control": 240, "treated": 240})


def test_a_broken_sample_ratio_leaves_no_numbers_to_believe(trials, nowhere):
    found = read_experiment(trials.tables, trials.history, nowhere, "skewed")
    assert found.sizes == {"control": 192, "treated": 288}
    assert found.ratio.broken
    assert (found.verdict.code, found.verdict.gains, found.verdict.losses) == (Code.BLOCKED, (), ())
    assert (found.effects, found.returns, found.segments, found.course, found.looks) == ((), (), (), (), {})
    json.dumps(found.to_dict(), allow_nan=False)


def test_an_arm_with_five_customers_is_told_and_not_read(trials, nowhere):
    found = read_experiment(trials.tables, trials.history, nowhere, "five")
    assert found.sizes == {"control": 60, "small": 5, "treated": 60}
    assert {each.code: each.count for each in found.warnings} == {"no_shares": 125, "small_arm": 5}
    assert {each.arm for each in found.effects} == {"treated"}
    assert found.ratio is None


def test_too_few_in_control_are_an_error(trials, nowhere):
    with pytest.raises(
        ExperimentError, match="experiment few: control 'control' has 25 customers and 30 are needed"
    ):
        read_experiment(trials.tables, trials.history, nowhere, "few")


def test_many_days_of_assignments_are_looked_at_daily(trials, nowhere):
    found = read_experiment(trials.tables, trials.history, nowhere, "daily")
    assert len(found.looks["treated"]) == 12
    assert (found.looks["treated"][-1].n_treated, found.looks["treated"][-1].n_control) == (240, 240)
    assert found.first < found.last


def test_where_nobody_drew_the_arms_it_says_so_and_weighs(trials, nowhere):
    world = trials.with_uplift(observational=True)
    found = read_experiment(world.tables, world.history, nowhere, "chosen")
    assert (found.randomised, found.ratio, found.looks, found.warnings) == (False, None, {}, ())
    assert not found.to_dict()["randomised"]
    naive = read_experiment(trials.tables, trials.history, nowhere, "chosen")
    assert naive.randomised
    # Large accounts were chosen, so the chosen brought more before already; weighed, they did not.
    [weighed], [unweighed] = found.before, naive.before
    assert unweighed.plain.absolute.low > 0
    assert weighed.plain.absolute.low < 0 < weighed.plain.absolute.high
    assert abs(weighed.plain.absolute.value) < unweighed.plain.absolute.value
