"""A plan's contract: it is the planning of what the newest stretch of the history says, by hand."""

import numpy as np
import pytest

from evaluation.experiments.plan import plan_experiment
from evaluation.planning.sizes import Design, minimum_detectable_effect, plan_mean, power, ratio_sd
from features.errors import ExperimentError
from tests.training.trials import CUSTOMERS, DAYS, HORIZON, opened, orders

DESIGN = Design(treatments=2, control_share=0.4)


@pytest.fixture(scope="module")
def plan(trials):
    return plan_experiment(trials.history, 0.1, days=HORIZON, design=DESIGN, draws=60)


def summed(first, last, *, count=False):
    found = np.zeros(CUSTOMERS)
    for who, day, _, amount in orders():
        if first <= day < last:
            found[int(who[4:])] += 1 if count else amount
    return found


def test_margin_is_planned_from_the_newest_stretch_and_the_one_before(plan):
    now = summed(DAYS - HORIZON, DAYS)
    before = summed(DAYS - 2 * HORIZON, DAYS - HORIZON)
    margin = plan.measures[0]
    mean, sd, correlation = now.mean(), now.std(ddof=1), np.corrcoef(now, before)[0, 1]
    assert margin.name == "margin"
    assert (margin.mean, margin.sd, margin.correlation) == pytest.approx((mean, sd, correlation))
    assert margin.plain == plan_mean(margin.sd, margin.mean, relative=0.1, design=DESIGN)
    adjusting = Design(treatments=2, control_share=0.4, correlation=margin.correlation)
    assert margin.adjusted == plan_mean(margin.sd, margin.mean, relative=0.1, design=adjusting)
    assert sum(margin.adjusted.units) < sum(margin.plain.units)
    for relative, design in ((margin.detectable, DESIGN), (margin.detectable_adjusted, adjusting)):
        assert relative * mean == pytest.approx(minimum_detectable_effect(sd, CUSTOMERS, design=design))
        assert power(sd, mean, CUSTOMERS, relative=relative, design=design) == pytest.approx(DESIGN.power)


def test_the_value_of_an_order_is_planned_as_a_ratio(plan):
    now, count = summed(DAYS - HORIZON, DAYS), summed(DAYS - HORIZON, DAYS, count=True)
    c = np.cov(now, count)
    value = plan.measures[1]
    assert value.name == "order_value"
    assert value.mean == pytest.approx(now.sum() / count.sum())
    assert value.sd == pytest.approx(ratio_sd(now.mean(), count.mean(), c[0, 0], c[1, 1], c[0, 1]))
    assert value.plain == plan_mean(value.sd, value.mean, relative=0.1, design=DESIGN)


def test_what_goes_with_it_is_there(plan):
    assert (plan.accounts, plan.horizon_days, plan.relative, plan.design) == (CUSTOMERS, HORIZON, 0.1, DESIGN)
    sizes = [each.units for each in plan.curve]
    needed = sum(plan.measures[0].plain.units)
    assert sizes == sorted({120, 240, 480, min(needed, 4 * CUSTOMERS)})
    # All accounts were opened on one day more than a year ago: nobody is new.
    assert plan.waiting is None
    assert plan.check.passed


def test_accounts_that_never_ordered_are_not_counted(tmp_path):
    world = opened(tmp_path, [row for row in orders() if int(row[0][4:]) < 400])
    with world.tables:
        found = plan_experiment(world.history, 0.1, days=HORIZON, design=Design(), draws=20)
    assert found.accounts == 400


def test_too_short_a_history_is_an_error(trials):
    with pytest.raises(
        ExperimentError, match="history of 400 days; a plan needs 100 accounts and 402 days, so give"
    ):
        plan_experiment(trials.history, 0.1, days=201, design=DESIGN, draws=20)
    assert plan_experiment(trials.history, 0.1, days=200, design=DESIGN, draws=20).horizon_days == 200


def test_too_few_accounts_are_an_error(tmp_path):
    world = opened(tmp_path, [row for row in orders() if int(row[0][4:]) < 99])
    with world.tables, pytest.raises(ExperimentError, match=r"^99 accounts had ordered 60 days before"):
        plan_experiment(world.history, 0.1, days=HORIZON, design=DESIGN, draws=20)
