"""Training's contract: what is proven is served, what is not is everyone alike; versions compare on one experiment."""

import dataclasses
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.coverage_uplift import QUICK
from evaluation.estimate import Estimate
from evaluation.experiments.measures import facts as read
from evaluation.experiments.measures import margin
from evaluation.experiments.reading import Reading
from features.errors import ChecksumError, PromotionError, TrainingDataError
from tests.training.trials import HORIZON, industry
from training.expected import expected_margin
from training.jobs import JOBS
from training.live import Live
from training.models.outcomes import form_of
from training.models.uplift import UPLIFT, Constant
from training.promotion import against, promote_version
from training.tracking import CHALLENGER, CHAMPION, Tracker, hashed
from training.uplift.learning import LEARNERS
from training.uplift.record import HELD_OUT
from training.uplift.register import ranked
from training.uplift.rows import UpliftTrees
from training.uplift.served import held_out_uplift
from training.uplift.train import METRIC, compare_uplift, train_uplift
from training.uplift.tuning import tune_uplift


def few(outcome=QUICK.outcome, effect=QUICK.effect):
    """Fewer trees than usual, where none are asked for."""
    return UpliftTrees(outcome, effect)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("training.uplift.train.UpliftTrees", few)


@pytest.fixture(scope="module")
def steel(trials):
    """Treated steel works buy three times as much: there is somebody to choose."""
    return _trained(trials, "plain")


@pytest.fixture(scope="module")
def nothing(trials):
    """Arms that did nothing: there is nothing to find."""
    return _trained(trials, "idle")


def _trained(trials, experiment, **settings):
    world = trials.with_uplift(**settings) if settings else trials
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.uplift.train.UpliftTrees", few)
        return train_uplift(world.tables, world.history, experiment)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    return Tracker(tmp_path_factory.mktemp("mlruns"))


@pytest.fixture
def live(tmp_path):
    return Live(tmp_path / "live")


def renamed(training, experiment, begins=None):
    """The same training as if of another experiment, that began at another time."""
    trial = training.enrolment.trial
    at = trial.assigned_at if begins is None else np.full(len(trial), begins)
    trial = dataclasses.replace(trial, name=experiment, assigned_at=at)
    bundle = dataclasses.replace(training.bundle, facts={**training.bundle.facts, "experiment": experiment})
    enrolment = dataclasses.replace(training.enrolment, trial=trial)
    return dataclasses.replace(training, enrolment=enrolment, bundle=bundle)


def worse(training):
    """The same training whose learner says noise of customers it had not seen."""
    rng = np.random.default_rng(0)
    chosen = training.selection.chosen
    repeats = tuple(
        dataclasses.replace(
            each, priorities={**each.priorities, chosen: rng.permutation(each.priorities[chosen])}
        )
        for each in training.cross.repeats
    )
    return dataclasses.replace(training, cross=dataclasses.replace(training.cross, repeats=repeats))


def test_what_is_proven_is_served_and_says_who_gains(trials, steel):
    assert steel.proven
    assert steel.chosen == steel.selection.chosen in LEARNERS
    model = steel.bundle.model
    assert (model.kind, model.proven, model.arms) == (steel.chosen, True, ("treated",))
    who = np.array([industry(k) == "steel" for k in range(480)])
    money, arm = steel.rows.outcome, steel.rows.arm
    for said in (model.predict(steel.enrolment.matrix)[:, 0], steel.calibrated[:, 0]):
        truth = money[who & (arm == 1)].mean() - money[who & (arm == 0)].mean()
        assert said[who].mean() == pytest.approx(truth, rel=0.25)
        assert abs(said[~who].mean()) < 0.25 * truth
    steel.bundle.check_canaries(model.predict(steel.bundle.canary))


def test_metrics_facts_and_effects_are_those_of_the_comparison(trials, steel):
    chosen = steel.selection.estimates[steel.selection.chosen]
    assert steel.metrics[METRIC] == chosen
    assert {f"qini_{kind}" for kind in LEARNERS} <= set(steel.metrics)
    scores = steel.cross.scores[:, 0]
    effect = steel.effects["treated"]
    assert effect.value == pytest.approx(scores.mean())
    # The readout's own number: two pages must not say two things of one arm.
    enrolled = steel.enrolment
    days = steel.bundle.facts["span_days"]
    expected = expected_margin(trials.history, enrolled, days)
    money, _ = read(margin(trials.history, enrolled, days, expected))
    assert effect == Reading(enrolled.trial, enrolled.checkable).pair(1).effect(money, adjusted=True).absolute
    arm, money = steel.rows.arm, steel.rows.outcome
    assert effect.low < money[arm == 1].mean() - money[arm == 0].mean() < effect.high
    facts = steel.bundle.facts
    assert facts["experiment"] == "plain"
    assert facts["customers"] == {"control": 240, "treated": 240}
    assert (facts["control"], facts["outputs"], facts["span_days"]) == ("control", ["treated"], HORIZON)
    assert (facts["proven"], facts["observational"], facts["costs"]) == (True, False, {"treated": 20.0})
    assert facts["p_better"] <= 0.05
    assert facts["judged_at"] == "2024-08-28T10:00:00"
    assert json.loads(json.dumps(dict(facts))) == facts
    assert steel.rows.form == form_of(steel.rows.outcome)


def test_what_is_not_proven_is_everyone_alike(nothing):
    assert not nothing.proven
    assert nothing.chosen == Constant.kind
    model = nothing.bundle.model
    assert not model.proven
    assert not nothing.bundle.facts["proven"]
    mean = nothing.cross.scores.mean()
    bands = model.bands(nothing.enrolment.matrix, {})
    assert bands.value == pytest.approx(np.full((480, 1), mean))
    [effect] = nothing.effects.values()
    assert (bands.low == effect.low).all()
    assert (bands.high == effect.high).all()
    assert ranked(nothing) == pytest.approx(np.full((480, 1), mean))
    assert nothing.calibrated == pytest.approx(np.full((480, 1), mean))


def test_calibrated_customers_were_not_in_their_calibration(steel):
    fold = np.asarray(steel.cross.repeats[0].fold)
    here = fold == 2
    repeats = []
    for each in steel.cross.repeats:
        scores = np.asarray(each.scores).copy()
        scores[here] += 1e6
        repeats.append(dataclasses.replace(each, scores=scores))
    cross = dataclasses.replace(steel.cross, repeats=tuple(repeats))
    moved = held_out_uplift(steel.rows, cross, steel.selection.chosen, proven=True)
    # The level is that of all customers; who stands above whom is told by the others.
    before, after = steel.calibrated[here], moved[here]
    assert after - after.mean() == pytest.approx(before - before.mean(), abs=1e-6)
    assert (moved[~here] != steel.calibrated[~here]).all()


def test_nobody_drew_the_arms_and_everything_says_so(trials, tracker, monkeypatch):
    two = {kind: LEARNERS[kind] for kind in ("s_learner", "dr_learner")}
    monkeypatch.setattr("training.uplift.train.LEARNERS", two)
    made = _trained(trials, "chosen", observational=True)
    assert made.overlap is not None
    assert made.rows.propensity.tobytes() == made.overlap.propensity.tobytes()
    assert not made.rows.randomised
    facts = made.bundle.facts
    assert (facts["observational"], facts["smallest_propensity"]) == (True, made.overlap.smallest)
    version = JOBS[UPLIFT].register(tracker, made)
    assert version.tags["observational"] == "true"
    run = tracker.client.get_run(version.run_id)
    assert (run.data.params["observational"], run.data.tags["observational"]) == ("True", "true")


def test_an_arm_with_five_customers_is_refused_with_its_count(trials):
    with pytest.raises(
        TrainingDataError, match="arm 'small' has 5 customers and uplift needs 30 in each; leave"
    ):
        train_uplift(trials.tables, trials.history, "five")


def test_the_whole_way_of_a_version(trials, steel, tracker, live):
    settings = trials.history.settings
    tracker = Tracker(tracker.folder.parent / "whole")
    first = JOBS[UPLIFT].register(tracker, steel)
    assert (first.aliases, first.kind) == ((CHALLENGER,), steel.chosen)
    assert first.metrics == {name: Estimate(*e.__dict__.values()) for name, e in steel.metrics.items()}
    assert (first.tags["experiment"], first.tags["proven"], first.tags["observational"]) == (
        "plain",
        "true",
        "false",
    )
    assert tracker.bundle(first).expected.tobytes() == steel.bundle.expected.tobytes()
    assert list(JOBS) == ["ltv", "churn", UPLIFT]
    assert JOBS[UPLIFT].metric == METRIC
    assert tracker.holding(UPLIFT, CHAMPION) is None
    done = promote_version(settings, tracker, live, UPLIFT)
    assert (done.before, done.forced, live.champions()) == (None, False, {UPLIFT: 1})

    # As good as the champion: the very same. Judged on the same customers, it may follow.
    second = JOBS[UPLIFT].register(tracker, steel)
    comparison, customers = against(settings, tracker, second, tracker.champion(UPLIFT))
    assert (comparison.difference.value, customers) == (0, 480)
    promote_version(settings, tracker, live, UPLIFT)
    assert (tracker.champion(UPLIFT).number, live.champions()) == (2, {UPLIFT: 2})

    # Worse: it is refused with both numbers.
    third = JOBS[UPLIFT].register(tracker, worse(steel))
    found, _ = against(settings, tracker, third, tracker.champion(UPLIFT))
    said = compare_uplift(steel.cross.scores, ranked(worse(steel)), ranked(steel))
    assert found == said
    with pytest.raises(
        PromotionError, match=r"uplift version 3 is worse than champion 2 .*qini .* on 480 customers"
    ):
        promote_version(settings, tracker, live, UPLIFT)
    assert tracker.champion(UPLIFT).number == 2
    assert promote_version(settings, tracker, live, UPLIFT, force=True).forced
    promote_version(settings, tracker, live, UPLIFT, number=2)

    # Of an experiment that began before the champion's data ended: they were never judged alike.
    JOBS[UPLIFT].register(tracker, renamed(steel, "another"))
    with pytest.raises(
        PromotionError, match=r"judged on another and champion 2 on plain, .* train both on one"
    ):
        promote_version(settings, tracker, live, UPLIFT)

    # Of one that began after them: the champion answers for its customers.
    later = renamed(steel, "later", begins=trials.history.end)
    fifth = JOBS[UPLIFT].register(tracker, later)
    record = tracker.record(fifth)
    assert record.champion_number == 2
    assert (record.champion == steel.bundle.model.predict(steel.rows.matrix)).all()
    comparison, customers = against(settings, tracker, fifth, tracker.champion(UPLIFT))
    assert comparison == compare_uplift(record.actual, record.prediction, record.champion)
    # These are the champion's own, which it has seen: nothing out of sample can be as good.
    with pytest.raises(PromotionError, match="version 5 is worse than champion 2"):
        promote_version(settings, tracker, live, UPLIFT)
    promote_version(settings, tracker, live, UPLIFT, force=True)
    assert tracker.champion(UPLIFT).number == 5

    # An altered model is not promoted, and a champion that cannot be read is no champion to compare with.
    path = next(tracker.artifact(second, "model").glob("model.json"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"7", b"8", 1))
    with pytest.raises(ChecksumError):
        promote_version(settings, tracker, live, UPLIFT, number=2, force=True)
    assert (tracker.champion(UPLIFT).number, live.champions()) == (5, {UPLIFT: 5})
    path.write_bytes(whole)


def test_other_learners_of_one_experiment_are_compared_by_customer(trials, steel, tmp_path, live):
    settings, tracker = trials.history.settings, Tracker(tmp_path / "mlruns")
    JOBS[UPLIFT].register(tracker, worse(steel))
    promote_version(settings, tracker, live, UPLIFT)
    half = np.arange(480) < 300
    version = JOBS[UPLIFT].register(tracker, dataclasses.replace(steel, judged=half))
    comparison, customers = against(settings, tracker, version, tracker.champion(UPLIFT))
    assert customers == 300
    assert comparison == compare_uplift(
        steel.cross.scores[half], ranked(steel)[half], ranked(worse(steel))[half]
    )
    assert comparison.p_worse > 0.95


def test_every_run_is_on_record_and_names_no_customer(trials, steel, tracker):
    version = JOBS[UPLIFT].register(tracker, steel)
    run = tracker.client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    params = run.data.params
    assert (params["chosen"], params["proven"], params["experiment"]) == (steel.chosen, "True", "plain")
    assert (params["customers"], params["customers_judged"], params["horizon_days"]) == ("480", "480", "60")
    assert params["trees.rounds"] == str(QUICK.effect.rounds)
    for name, estimate in steel.metrics.items():
        assert run.data.metrics[name] == estimate.value
        assert run.data.metrics[f"{name}_low"] == estimate.low
    children = tracker.client.search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{version.run_id}'"
    )
    assert {each.data.params["kind"] for each in children} == set(LEARNERS)
    assert [each.data.params["kind"] for each in children if each.data.tags["chosen"] == "true"] == [
        steel.chosen
    ]
    for each in children:
        assert each.data.metrics["p_better"] == steel.selection.p_better[each.data.params["kind"]]
    table = pq.read_table(tracker.artifact(version, HELD_OUT))
    assert table["customer"].to_pylist() == hashed(
        trials.history.ids(steel.enrolment.observations).tolist(), "trials"
    )
    assert (table["score_0"].to_numpy() == steel.cross.scores[:, 0]).all()
    assert (table["said_0"].to_numpy() == steel.cross.ranks(steel.chosen)[:, 0]).all()
    assert (table["calibrated_0"].to_numpy() == steel.calibrated[:, 0]).all()
    assert "[uplift.costs]" in tracker.artifact(version, "tokui.toml").read_text()
    for path in tracker.folder.rglob("*"):
        assert not path.is_file() or b"ACC-0" not in path.read_bytes(), path


def test_a_search_goes_on_where_it_stopped_and_its_customers_are_not_judged(steel, tmp_path):
    done = []

    def tuned(trials):
        return tune_uplift(
            steel.rows, QUICK, ("here",), trials=trials, folder=tmp_path, seed=7,
            on_trial=lambda count, best: done.append((count, best)),
        )  # fmt: skip

    first, judged = tuned(1)
    assert first == QUICK
    tuned(2)
    trees, again = tuned(2)
    assert [count for count, _ in done] == [1, 2]
    # The best so far never falls.
    assert done[1][1] >= done[0][1]
    assert trees.outcome == QUICK.outcome
    assert (again == judged).all()
    assert (~judged).sum() == 160
    for arm in range(2):
        assert (~judged & (steel.rows.arm == arm)).sum() == 80


def test_a_tuned_training_judges_the_others_only(trials, tmp_path, tracker):
    made = train_uplift(trials.tables, trials.history, "plain", trials=1, journals=tmp_path)
    assert made.judged.sum() == 320
    version = JOBS[UPLIFT].register(tracker, made)
    assert tracker.client.get_run(version.run_id).data.params["customers_judged"] == "320"
    assert (
        len(tracker.record(version).customers)
        == len(pq.read_table(tracker.artifact(version, HELD_OUT)))
        == 320
    )
    ids = np.array(trials.history.ids(made.enrolment.observations))[made.judged].tolist()
    assert tracker.record(version).customers == hashed(ids, "trials")
