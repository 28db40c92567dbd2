"""Enrolment's contract: what is odd is told or refused by value, rule and mend, and features end before the day."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.experiments.enrolment import enrol, horizon_days, question
from evaluation.experiments.overview import experiments
from features.binding.tables import bind
from features.errors import ExperimentError
from features.history import read_history
from features.settings import load_settings
from features.types import DAY
from tests.training.trials import DAY_OF_TRIAL, DAYS, HORIZON, arm_of, name, opened, orders, write


def taken(trials, experiment, **settings):
    world = trials.with_uplift(**settings) if settings else trials
    return enrol(world.tables, world.history, experiment, days=HORIZON)


def told(enrolment, code):
    [found] = [each for each in enrolment.warnings if each.code == code]
    return found


def refused(trials, experiment, **settings):
    with pytest.raises(ExperimentError) as caught:
        taken(trials, experiment, **settings)
    message = str(caught.value)
    # One example at most: the ids are all of one form.
    assert message.count("ACC-") <= 1
    return message


def test_customers_arms_and_days_are_those_of_the_file(trials):
    found = taken(trials, "plain")
    ids = trials.history.ids(found.observations).tolist()
    assert ids == [name(k) for k in range(480)]
    assert found.trial.arms == ("control", "treated")
    assert found.trial.arm.tolist() == [arm_of(k) for k in range(480)]
    assert (found.trial.propensity == 0.5).all()
    assert found.designed
    assert found.trial.randomised
    assert found.warnings == ()
    day = trials.history.start + DAY_OF_TRIAL * DAY
    assert (found.observations.cutoffs == day).all()
    assert (found.trial.assigned_at == day + 10 * DAY // 24).all()


def test_experiments_are_counted_the_newest_first(trials):
    found = experiments(trials.tables)
    assert next(iter(found)) == "too_late"
    assert (found["plain"], found["two_arms"], found["five"]) == (480, 100, 125)
    assert horizon_days(trials.history.settings) == HORIZON
    assert horizon_days(trials.with_uplift(horizon_days=None).history.settings) == 120


def test_nothing_from_the_day_on_is_in_the_features_and_only_that_is_in_the_outcome(trials, tmp_path):
    generator = np.random.default_rng(2)
    # Other amounts, more orders, and one at the very start of the day and of the day after the horizon.
    later = [
        (who, day, hour, round(float(amount * generator.uniform(2, 9)), 2) if day >= DAY_OF_TRIAL else amount)
        for who, day, hour, amount in orders()
    ]
    edges = [(name(9), DAY_OF_TRIAL, 0, 7.0), (name(9), DAY_OF_TRIAL + HORIZON, 0, 11.0)]
    world = opened(tmp_path, [*later, *edges])
    with world.tables:
        changed, usual = taken(world, "plain"), taken(trials, "plain")
        assert changed.matrix.names == usual.matrix.names
        assert changed.matrix.values.tobytes() == usual.matrix.values.tobytes()
        money = world.history.money(changed.observations, HORIZON)
    summed = np.zeros(480)
    for who, day, _, amount in [*later, *edges]:
        if DAY_OF_TRIAL <= day < DAY_OF_TRIAL + HORIZON:
            summed[int(who[4:])] += amount
    assert money == pytest.approx(summed, rel=1e-12)
    assert (trials.history.money(usual.observations, HORIZON) != money).any()


def test_a_customer_in_two_arms_is_kept_in_the_first(trials):
    found = taken(trials, "two_arms")
    warned = told(found, "two_arms")
    assert (warned.count, warned.example) == (2, name(3))
    assert "first" in warned.message
    assert warned.message.count("ACC-") == 1
    # Number 3 was treated first, number 4 was treated the day before it was drawn as control.
    assert found.trial.arm[[3, 4]].tolist() == [1, 1]
    day = found.observations.cutoffs
    assert (day[4], day[3]) == (day[0] - DAY, day[0])
    assert len(found.trial) == 100


def test_a_customer_in_two_arms_at_one_moment_is_an_error(trials):
    message = refused(trials, "same_moment")
    assert "same_moment: 1 customer in two arms" in message
    assert "'ACC-0007' in 'control' and 'treated'" in message
    assert "keep the arm that was really drawn" in message


def test_assignments_after_the_outcome_window_are_left_out_and_told(trials):
    found = taken(trials, "unfinished")
    warned = told(found, "unfinished")
    assert (warned.count, len(found.trial)) == (20, 80)
    assert warned.example == "2024-12-16 00:00:00"
    assert "60 days before the last order (2025-02-03)" in warned.message


def test_the_last_possible_day_counts(trials):
    assert DAYS - HORIZON == 340
    found = taken(trials, "just_in_time")
    assert (len(found.trial), found.warnings) == (160, ())


def test_assignments_that_are_all_too_late_are_an_error(trials):
    message = refused(trials, "too_late")
    assert "all 100 assignments lie less than the 60 days" in message
    assert "for example 2024-12-07 10:00:00" in message
    assert "shorten uplift.horizon_days or wait" in message


def test_a_missing_control_is_an_error_that_names_arms_and_setting(trials):
    message = refused(trials, "no_control")
    assert "no control arm 'control'" in message
    assert "ask, bid" in message
    assert "uplift.control" in message
    assert taken(trials, "no_control", control="bid").trial.arms == ("bid", "ask")


def test_control_alone_is_an_error(trials):
    assert "only the arm 'control'" in refused(trials, "one_arm")


def test_propensities_outside_0_to_1_are_an_error(trials):
    message = refused(trials, "outside")
    assert "2 of 102 propensities lie outside (0, 1), for example 1" in message
    assert "probability with which" in message


def test_propensities_that_do_not_add_up_are_an_error(trials):
    message = refused(trials, "sum")
    assert "add up to 0.9, not 1 (control 0.5, treated 0.4)" in message


def test_propensities_missing_for_some_are_an_error(trials):
    message = refused(trials, "some")
    assert "3 of 100 assignments have no propensity" in message
    assert "all of them or for none" in message


def test_propensities_missing_for_all_are_the_shares_seen_and_told(trials):
    found = taken(trials, "no_shares")
    assert not found.designed
    assert (found.trial.propensity == 0.5).all()
    assert "cannot be checked" in told(found, "no_shares").message
    # Where nobody drew the arms there was no plan to check.
    assert taken(trials, "no_shares", observational=True).warnings == ()


def test_propensities_may_vary_between_customers(trials):
    found = taken(trials, "varying")
    share = np.where(np.arange(100) % 4 < 2, 0.3, 0.6)
    assert found.trial.propensity == pytest.approx(np.column_stack([1 - share, share]))
    assert (found.designed, found.warnings) == (True, ())
    three = taken(trials, "varying_three")
    own = three.trial.propensity[np.arange(100), three.trial.arm]
    assert own == pytest.approx(np.where(np.arange(100) < 50, 0.3, 0.4))
    assert three.trial.propensity.sum(axis=1) == pytest.approx(1)
    assert told(three, "varying").count == 100


def test_unknown_customers_are_left_out_and_told(trials):
    found = taken(trials, "strangers")
    warned = told(found, "unknown")
    assert (warned.count, warned.example, len(found.trial)) == (3, "NOBODY-0", 80)
    assert warned.message.count("NOBODY-") == 1
    assert "check how customer_id is bound" in refused(trials, "aliens")


def test_rows_that_are_there_twice_are_dropped_at_binding_with_a_finding(trials):
    [report] = [each for each in trials.tables.reports if each.table == "assignments"]
    [finding] = [each for each in report.dropped if each.reason == "a repeated key"]
    assert (finding.count, finding.example) == (4, "twice")
    found = taken(trials, "twice")
    assert found.trial.sizes == {"control": 50, "treated": 50}
    assert [(each.code, each.count) for each in found.warnings] == [("twice", 4)]


def test_an_arm_that_was_told_twice_at_different_times_is_one_arm(tmp_path):
    write(tmp_path)
    path, toml = tmp_path / "assignments.csv", tmp_path / "tokui.toml"
    heading, *lines = path.read_text().splitlines()
    again = next(line for line in lines if line.startswith("plain,ACC-0001,"))
    known = [f"{line},2024-09-01" for line in lines]
    path.write_text("\n".join([f"{heading},known", *known, f"{again},2024-09-05"]) + "\n")
    toml.write_text(toml.read_text() + 'known_at = "known"\n')
    with bind(load_settings(toml)) as tables:
        found = enrol(tables, read_history(tables), "plain", days=HORIZON)
    assert (len(found.trial), found.warnings) == (480, ())


def test_which_experiment_must_be_clear(trials):
    with pytest.raises(
        ExperimentError, match=r"hold 23 experiments; give --experiment, one of too_late, .* …"
    ):
        taken(trials, None)
    with pytest.raises(ExperimentError, match="there is no experiment 'plian' in assignments; those are"):
        taken(trials, "plian")


def test_without_assignments_there_is_nothing_to_enrol(trials):
    bound = {k: v for k, v in trials.tables.settings.tables.items() if k != "assignments"}
    settings = trials.tables.settings.model_copy(update={"tables": bound})
    with pytest.raises(ExperimentError, match=r"bind \[tables.assignments\]"):
        experiments(replace(trials.tables, settings=settings))


def test_the_question_of_an_experiment_is_all_but_its_costs(trials):
    asked = {
        name: question(trials.with_uplift(**changes).history.settings)
        for name, changes in {
            "plain": {},
            "dear": {"costs": {"treated": 9.0}},
            "said": {"horizon_days": horizon_days(trials.history.settings)},
            "longer": {"horizon_days": 200},
            "owners": {"cluster": "owner"},
            "chosen": {"observational": True},
            "other": {"control": "bid"},
        }.items()
    }
    assert asked["plain"] == asked["dear"] == asked["said"]
    assert len(set(asked.values())) == 5
