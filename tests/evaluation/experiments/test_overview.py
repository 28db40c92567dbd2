"""Contract: what a readout would stumble over is told from the assignments alone."""

from dataclasses import replace

import pytest

from evaluation.experiments.overview import assigned, costs_of_nobody, experiments
from features.errors import ExperimentError
from training.readout import read_experiment
from training.tracking import Tracker


@pytest.fixture(scope="module")
def found(trials):
    return {each.experiment: each for each in assigned(trials.tables)}


def test_experiments_customers_and_arms_are_those_of_the_file(trials, found):
    assert list(found) == list(experiments(trials.tables))
    plain = found["plain"]
    assert (plain.customers, dict(plain.arms), plain.warnings) == (480, {"control": 240, "treated": 240}, ())
    assert plain.first == plain.last
    assert list(found["five"].arms) == ["control", "small", "treated"]
    # Who is in two arms is one customer, and one of each arm.
    assert found["two_arms"].customers == 100
    assert sum(found["two_arms"].arms.values()) == 102
    assert found["daily"].first < found["daily"].last


@pytest.mark.parametrize(
    ("experiment", "says"),
    [
        ("no_control", "no arm is called 'control'"),
        ("one_arm", "only the arm 'control'"),
        ("two_arms", "2 customers in two arms, for example 'ACC-0003'"),
        ("same_moment", "1 customer in two arms from the same moment, for example 'ACC-0007'; keep the arm"),
        ("no_shares", "no propensities"),
        ("some", "3 of 100 assignments have no propensity"),
    ],
)
def test_what_is_odd_is_said(found, experiment, says):
    [warning] = found[experiment].warnings
    assert says in warning


def test_what_is_said_to_stop_a_readout_does(trials, found, tmp_path):
    for experiment in ("no_control", "one_arm", "some", "same_moment"):
        assert found[experiment].warnings
        with pytest.raises(ExperimentError):
            read_experiment(trials.tables, trials.history, Tracker(tmp_path), experiment)


def test_settings_decide_what_is_odd(trials):
    told = {each.experiment: each for each in assigned(trials.with_uplift(control="bid").tables)}
    assert list(told["no_control"].arms) == ["bid", "ask"]
    assert told["no_control"].warnings == ()
    assert told["plain"].warnings
    told = {each.experiment: each for each in assigned(trials.with_uplift(observational=True).tables)}
    assert told["no_shares"].warnings == ()


def test_costs_of_an_arm_that_is_nowhere_are_named(trials):
    assert costs_of_nobody(trials.tables) is None
    world = trials.with_uplift(costs={"treated": 20.0, "Treated": 20.0})
    said = costs_of_nobody(world.tables)
    assert "'Treated'" in said
    assert "treated, written just so" in said


def test_without_assignments_that_is_said(trials):
    bound = {k: v for k, v in trials.tables.settings.tables.items() if k != "assignments"}
    settings = trials.tables.settings.model_copy(update={"tables": bound})
    with pytest.raises(ExperimentError, match="no assignments are bound"):
        assigned(replace(trials.tables, settings=settings))
