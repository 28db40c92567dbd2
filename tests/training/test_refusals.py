"""What an experiment's tables cannot answer is refused or told, the same by the readout and by training."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from evaluation.experiments.records import Code, Readout
from features.errors import ExperimentError
from tests.training.trials import CUSTOMERS, DAY_OF_TRIAL, HORIZON, Trials, arm_of, opened, orders
from training.readout import read_experiment
from training.tracking import Tracker
from training.uplift.train import train_uplift


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    """A registry with nothing in it."""
    return Tracker(tmp_path_factory.mktemp("none") / "mlruns")


def refused_by_both(trials: Trials, nowhere: Tracker, experiment: str) -> str:
    with pytest.raises(ExperimentError) as reading:
        read_experiment(trials.tables, trials.history, nowhere, experiment)
    with pytest.raises(ExperimentError) as training:
        train_uplift(trials.tables, trials.history, experiment)
    assert str(reading.value) == str(training.value)
    return str(reading.value)


@pytest.mark.parametrize(
    ("experiment", "parts"),
    [
        ("same_moment", ("1 customer in two arms", "'ACC-0007' in 'control' and 'treated'", "keep the arm that was really")),
        ("too_late", ("all 100 assignments", "60 days", "2024-12-07 10:00:00", "shorten uplift.horizon_days")),
        ("no_control", ("no control arm 'control'", "ask, bid", "uplift.control in tokui.toml")),
        ("one_arm", ("only the arm 'control'", "nothing to compare")),
        ("outside", ("2 of 102 propensities", "(0, 1)", "for example 1;", "with which the customer's arm was drawn")),
        ("sum", ("add up to 0.9, not 1", "control 0.5, treated 0.4", "bind the probability")),
        ("some", ("3 of 100 assignments have no propensity", "for all of them or for none")),
        ("aliens", ("none of the 3 assigned customers", "check how customer_id is bound")),
        ("plian", ("no experiment 'plian'", "those are too_late")),
    ],
)  # fmt: skip
def test_bad_assignments_are_refused_with_what_how_many_an_example_and_the_mend(
    trials: Trials, nowhere: Tracker, experiment: str, parts: tuple[str, ...]
) -> None:
    message = refused_by_both(trials, nowhere, experiment)
    assert experiment in message
    for part in parts:
        assert part in message


def test_a_cost_of_an_arm_that_is_nowhere_is_refused(trials: Trials, nowhere: Tracker) -> None:
    world = trials.with_uplift(costs={"treated": 20.0, "traeted": 20.0})
    message = refused_by_both(world, nowhere, "plain")
    assert "[uplift.costs] names 'traeted'" in message
    arms = {"a", "ask", "b", "bid", "control", "small", "treated"}
    assert set(message.partition("arms are ")[2].partition(", written")[0].split(", ")) == arms
    # Whichever arm of whichever experiment: one tokui.toml serves all of them.
    priced = trials.with_uplift(costs={"bid": 5.0})
    assert read_experiment(priced.tables, priced.history, nowhere, "plain").returns[0].cost == 0


def test_an_arm_too_small_for_propensities_is_refused_where_nobody_drew_the_arms(
    trials: Trials, nowhere: Tracker
) -> None:
    message = refused_by_both(trials.with_uplift(observational=True), nowhere, "five")
    assert "experiment five: arm 'small' has 5 customers" in message
    assert "propensities need 30 in each" in message
    assert "leave the arm out of assignments" in message


def brought(experiment: str, read: Readout, begins: dict[int, int], count: int) -> None:
    """The readout's own money of an experiment whose customers are the first so many, by hand."""
    treated = np.arange(count) % 2 == 1
    if experiment == "two_arms":
        # Number 4 was treated the day before it was drawn as control.
        treated[4] = True
    money = np.zeros(count)
    for who, day, _, amount in orders():
        k = int(who[4:])
        begin = begins.get(k, DAY_OF_TRIAL)
        if k < count and begin <= day < begin + HORIZON:
            money[k] += amount
    effect = read.effect("treated", "margin").plain
    assert effect is not None
    assert (effect.n_treated, effect.n_control) == (treated.sum(), (~treated).sum())
    assert effect.absolute.value == pytest.approx(money[treated].mean() - money[~treated].mean())


@pytest.mark.parametrize(
    ("experiment", "code", "odd", "example", "begins", "count"),
    [
        ("two_arms", "two_arms", 2, "ACC-0003", {4: DAY_OF_TRIAL - 1}, 100),
        ("unfinished", "unfinished", 20, "2024-12-16 00:00:00", {}, 80),
        ("twice", "twice", 4, None, {}, 100),
        ("strangers", "unknown", 3, "NOBODY-0", {}, 80),
    ],
)
def test_odd_assignments_are_told_beside_the_numbers_of_the_others(
    trials: Trials,
    nowhere: Tracker,
    experiment: str,
    code: str,
    odd: int,
    example: str | None,
    begins: dict[int, int],
    count: int,
) -> None:
    found = read_experiment(trials.tables, trials.history, nowhere, experiment)
    [warned] = found.warnings
    assert (warned.code, warned.count, warned.example) == (code, odd, example)
    assert warned.message.startswith(f"{odd} ")
    assert sum(found.sizes.values()) == count
    brought(experiment, found, begins, count)
    [told] = json.loads(json.dumps(found.to_dict(), allow_nan=False))["warnings"]
    assert told == {"code": code, "count": odd, "example": example, "message": warned.message}


@pytest.fixture(scope="module", params=["treated", "control"])
def silent(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Trials]]:
    """The orders of one arm are missing from the day of the trial to the end of the horizon."""
    arm = str(request.param)

    def recorded(who: str, day: int) -> bool:
        mine = ("control", "treated")[arm_of(int(who[4:]))]
        return mine != arm or not DAY_OF_TRIAL <= day < DAY_OF_TRIAL + HORIZON + 12

    lines = [line for line in orders() if recorded(line[0], line[1])]
    assert len(lines) < len(orders())
    world = opened(tmp_path_factory.mktemp("silent"), lines)
    yield arm, world
    world.tables.close()


def test_an_outcome_recorded_in_one_arm_only_is_refused_and_no_verdict_of_harm(
    silent: tuple[str, Trials], nowhere: Tracker
) -> None:
    arm, world = silent
    found = read_experiment(world.tables, world.history, nowhere, "plain")
    margin = found.effect("treated", "margin")
    assert (margin.plain, margin.adjusted) == (None, None)
    assert margin.refused is not None
    assert margin.refused.startswith(
        f"margin is 0 for all {CUSTOMERS // 2} customers of arm {arm!r} and not for "
    )
    assert "must be recorded in every arm alike" in margin.refused
    assert all(each.refused for each in found.effects)
    assert (found.verdict.code, found.verdict.gains, found.verdict.losses) == (Code.UNPROVEN, (), ())
    assert (found.segments, found.course) == ((), ())
    # Before the assignment everything was recorded.
    assert [each.refused for each in found.before] == [None]
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert margin.refused in [each["refused"] for each in told["effects"]]
    with pytest.raises(ExperimentError, match=f"margin is 0 for all 240 customers of arm '{arm}'"):
        train_uplift(world.tables, world.history, "plain")


def test_what_was_not_recorded_has_earned_and_cost_nothing(
    silent: tuple[str, Trials], nowhere: Tracker
) -> None:
    _, world = silent
    found = read_experiment(world.tables, world.history, nowhere, "plain")
    # Whose margin cannot be compared has no returns either.
    assert found.returns == ()


def test_what_was_not_recorded_is_not_looked_at_daily(silent: tuple[str, Trials], nowhere: Tracker) -> None:
    _, world = silent
    found = read_experiment(world.tables, world.history, nowhere, "daily")
    assert found.effect("treated", "margin").refused is not None
    assert (found.last - found.first).days == 11
    assert found.looks == {}
