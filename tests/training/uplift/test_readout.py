"""The uplift part of a readout: what the model said of customers it had not seen, or why it says nothing."""

import dataclasses

import pyarrow.parquet as pq
import pytest

from benchmarks.coverage_uplift import QUICK
from evaluation.reports.words import texts
from evaluation.uplift.selection import Repeat, select
from training.jobs import JOBS
from training.readout import read_experiment
from training.tracking import Tracker
from training.uplift.record import HELD_OUT, UpliftRecord
from training.uplift.rows import UpliftTrees


def few(outcome=QUICK.outcome, effect=QUICK.effect):
    """Fewer trees than usual, where none are asked for."""
    return UpliftTrees(outcome, effect)


@pytest.fixture(scope="module")
def known(trials, tmp_path_factory):
    """A registry with a model of the experiment ``plain``, its training and its version."""
    tracker, job = Tracker(tmp_path_factory.mktemp("mlruns")), JOBS["uplift"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.uplift.train.UpliftTrees", few)
        made = job.train(trials.tables, trials.history, experiment="plain")
    return tracker, made, job.register(tracker, made)


@pytest.fixture
def warned(known):
    """The one warning of a readout without an uplift part."""

    def read(world, experiment="plain"):
        found = read_experiment(world.tables, world.history, known[0], experiment)
        assert found.uplift is None
        [only] = found.warnings
        for lang in ("en", "ja"):
            assert "{example}" in texts(lang, "experiment")[f"warnings.{only.code}"]
        assert "train uplift again" in only.message
        return only.code, only.example

    return read


def parts(estimate):
    return (estimate.value, estimate.low, estimate.high)


def close(estimate):
    return pytest.approx(parts(estimate), rel=1e-9)


def test_an_uplift_model_of_this_experiment_and_data_is_read_too(trials, known):
    tracker, made, _ = known
    found = read_experiment(trials.tables, trials.history, tracker, "plain").uplift
    assert (found.learner, found.proven, found.version) == (made.selection.chosen, True, 1)
    assert found.p == made.selection.p_better[made.selection.chosen]
    # With one arm, ranking it is what the learners were compared by.
    assert parts(found.qini["treated"]) == close(made.selection.estimates[made.selection.chosen])
    kind = made.selection.chosen
    alone = [Repeat(each.scores, {kind: each.priorities[kind]}, each.fold) for each in made.cross.repeats]
    autoc = select(alone, "autoc", level=made.selection.single_level).estimates[kind]
    assert parts(found.autoc["treated"]) == close(autoc)
    assert found.learners == dict(made.selection.estimates)
    assert found.toc["treated"].value[-1] == pytest.approx(0, abs=1e-9)
    # All are treated at the right end: everyone's mean effect less the cost.
    policy = [rule for rule in found.rules if rule.arm == "treated"]
    assert policy
    assert sum(rule.treated for rule in policy) == (made.calibrated[:, 0] > 20).sum()


def test_what_is_kept_for_it_is_read_as_it_was_written(known):
    tracker, made, version = known
    wrote, read = UpliftRecord.of(made), UpliftRecord.read(tracker, version)
    assert (read.facts, read.learners, read.customers) == (wrote.facts, wrote.learners, wrote.customers)
    for word in ("score", "said", "calibrated"):
        assert getattr(read, word).tobytes() == getattr(wrote, word).tobytes()
    assert pq.read_table(tracker.artifact(version, HELD_OUT)).equals(read.table())


def test_where_none_was_ever_trained_it_is_silent(trials, known):
    found = read_experiment(trials.tables, trials.history, known[0], "idle")
    assert (found.uplift, found.warnings) == (None, ())


def test_a_model_of_another_question_is_told(trials, known, warned):
    assert warned(trials.with_uplift(horizon_days=90)) == ("uplift_question", "1")


def test_a_model_of_other_data_is_told(trials, known, warned):
    history = dataclasses.replace(trials.history, fingerprint="0" * 64)
    assert warned(dataclasses.replace(trials, history=history)) == ("uplift_data", "1")


def test_a_model_judged_on_other_customers_is_told(trials, known, warned):
    path = known[0].artifact(known[2], HELD_OUT)
    kept = pq.read_table(path)
    strange = kept.set_column(0, "customer", [["nobody", *kept["customer"].to_pylist()[1:]]])
    pq.write_table(strange, path)
    try:
        assert warned(trials) == ("uplift_customers", "1")
    finally:
        pq.write_table(kept, path)


def test_a_model_that_cannot_be_read_is_told(trials, known, warned):
    path = known[0].artifact(known[2], "model") / "model.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"7", b"8", 1))
    try:
        assert warned(trials) == ("uplift_unreadable", "1")
    finally:
        path.write_bytes(whole)
