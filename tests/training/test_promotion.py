"""Promotion's contract: a challenger that is worse out of time stays one, by force says so in a tag,
and nothing that MLflow keeps names a customer."""

import dataclasses
import json
import sqlite3

import numpy as np
import pytest

from evaluation.estimate import Estimate
from features.errors import ChecksumError, NoChampionError, PromotionError
from training.jobs import JOBS
from training.live import Live
from training.models.bundle import write_bundle
from training.promotion import against, promote_version, sync_live
from training.tracking import CHALLENGER, CHAMPION, Tracker
from training.value.backtest import Candidate
from training.value.tasks import TASKS


def register(tracker, training):
    return JOBS[training.task.name].register(tracker, training)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    # MLflow makes its database in some seconds; once is enough.
    return Tracker(tmp_path_factory.mktemp("mlruns"))


@pytest.fixture(autouse=True)
def plain_cards(request, monkeypatch):
    # Drawing cards takes most of a registration; the one test that looks at them gets real ones.
    if "record" not in request.node.name:
        monkeypatch.setattr(
            "training.value.register.render_card", lambda card, lang="en": f"{card.task} {lang}"
        )


@pytest.fixture
def live(tmp_path):
    return Live(tmp_path / "live")


def spoilt(training, seed=0):
    """The same training with a winner whose predictions mean nothing."""
    backtest = training.backtest
    noise = np.random.default_rng(seed).permutation(backtest.winner.prediction)
    winner = Candidate(backtest.chosen, backtest.winner.model, noise, backtest.winner.metrics)
    worse = dataclasses.replace(backtest, candidates={**backtest.candidates, backtest.chosen: winner})
    return dataclasses.replace(training, backtest=worse)


@pytest.mark.parametrize("name", list(TASKS))
def test_the_whole_way_of_a_version(world, trained, tracker, live, name):
    settings = world.settings
    with pytest.raises(NoChampionError, match="tokui train"):
        tracker.champion(name)
    with pytest.raises(NoChampionError, match="tokui models"):
        promote_version(settings, tracker, live, name)
    first = register(tracker, trained[name])
    assert first.aliases == (CHALLENGER,)
    assert first.kind == trained[name].backtest.chosen
    assert first.metrics.keys() >= set(trained[name].backtest.winner.metrics)
    assert isinstance(next(iter(first.metrics.values())), Estimate)
    done = promote_version(settings, tracker, live, name)
    assert (done.before, done.comparison, done.forced) == (None, None, False)
    assert tracker.champion(name).number == first.number
    assert tracker.champion(name).tags["promoted_by"] == "first"
    assert live.champions()[name] == first.number

    # As good as the champion: the very same model. It may follow.
    second = register(tracker, trained[name])
    comparison, customers = against(settings, tracker, second, tracker.champion(name))
    assert comparison.difference.value == 0
    assert customers == len(trained[name].backtest.actual)
    done = promote_version(settings, tracker, live, name)
    assert done.before.number == first.number
    assert done.version.number == tracker.champion(name).number == second.number
    assert tracker.champion(name).aliases == (CHAMPION,)

    # Worse: it stays a challenger, the champion stays, servers see nothing of it.
    third = register(tracker, spoilt(trained[name]))
    with pytest.raises(PromotionError, match=r"worse than champion .* out of time .*--force"):
        promote_version(settings, tracker, live, name)
    assert tracker.champion(name).number == second.number
    assert live.champions()[name] == second.number
    done = promote_version(settings, tracker, live, name, force=True)
    assert done.forced
    held = tracker.champion(name)
    assert (held.number, held.tags["promoted_by"]) == (third.number, "force")
    assert "worse than champion" in held.tags["forced_because"]

    # An older version may be called back by number.
    promote_version(settings, tracker, live, name, number=second.number)
    assert tracker.champion(name).number == second.number
    (live.folder / "champions.json").unlink()
    if all(tracker.holding(task, CHAMPION) for task in TASKS):
        sync_live(tracker, live)
        assert live.champions()[name] == second.number


def test_versions_trained_without_a_champion_are_compared_by_their_records(world, trained, live, tmp_path):
    tracker, made = Tracker(tmp_path / "mlruns"), trained["ltv"]
    backtest = made.backtest
    moved = dataclasses.replace(made, backtest=dataclasses.replace(backtest, actual=backtest.actual + 1.0))
    good, same, bad, other = (register(tracker, each) for each in (made, made, spoilt(made), moved))
    assert tracker.record(same).champion is None
    assert len(tracker.record(same).customers) == len(set(tracker.record(same).customers))
    promote_version(world.settings, tracker, live, "ltv", number=good.number)
    champion = tracker.champion("ltv")
    comparison, customers = against(world.settings, tracker, same, champion)
    assert (comparison.difference.value, customers) == (0, len(backtest.actual))
    with pytest.raises(PromotionError, match="worse than champion"):
        promote_version(world.settings, tracker, live, "ltv", number=bad.number)
    with pytest.raises(PromotionError, match="other outcomes of the same customers"):
        promote_version(world.settings, tracker, live, "ltv", number=other.number)
    late = dataclasses.replace(same, judged_at="2001-01-01T00:00:00")
    with pytest.raises(PromotionError, match="train again"):
        against(world.settings, tracker, late, champion)


def test_a_comparison_that_says_nothing_does_not_pass(world, trained, live, tracker):
    register(tracker, trained["ltv"])
    promote_version(world.settings, tracker, live, "ltv", force=True)
    made = trained["ltv"]
    # Nobody brought anything: the Gini of that is not a number.
    nothing = dataclasses.replace(made.backtest, actual=np.zeros_like(made.backtest.actual))
    register(tracker, dataclasses.replace(made, backtest=nothing))
    with pytest.raises(PromotionError, match="--force"):
        promote_version(world.settings, tracker, live, "ltv")


def test_the_champion_is_asked_by_the_model_that_saw_nothing_of_the_judged_outcomes(
    world, trained, tracker, live
):
    made = trained["ltv"]
    version = register(tracker, made)
    promote_version(world.settings, tracker, live, "ltv", force=True)
    panel, shape = made.backtest.panel, made.backtest.actual.shape

    def said():
        return tracker.record(register(tracker, made)).champion

    # Its data reached beyond the judged cutoff: the rehearsed one answers.
    assert (said() == made.rehearsed.model.predict(panel.matrix).reshape(shape)).all()
    # Its data ended before: the one that is served may answer.
    early = dataclasses.replace(
        made.bundle, facts={**made.bundle.facts, "data_until": made.bundle.facts["judged_at"]}
    )
    write_bundle(tracker.artifact(version, "model"), early)
    assert (said() == made.bundle.model.predict(panel.matrix).reshape(shape)).all()
    # It was judged later than this one: nothing honest can be said.
    late = dataclasses.replace(
        made.rehearsed, facts={**made.rehearsed.facts, "judged_at": "2999-01-01T00:00:00"}
    )
    write_bundle(tracker.artifact(version, "rehearsed"), late)
    write_bundle(tracker.artifact(version, "model"), made.bundle)
    assert tracker.record(register(tracker, made)).champion_number is None


def test_a_broken_pointer_or_bundle_is_mended_by_promoting_and_serving(world, trained, tracker, live):
    for name in TASKS:
        register(tracker, trained[name])
        promote_version(world.settings, tracker, live, name, force=True)
    number = tracker.champion("ltv").number
    for broken in ("{", '{"ltv": null}', "[]"):
        live.pointer.write_text(broken)
        promote_version(world.settings, tracker, live, "ltv", number=number)
        assert live.champions() == {"ltv": number}
    sync_live(tracker, live)
    next(live.bundle("churn", live.champions()["churn"]).glob("*.json")).unlink()
    sync_live(tracker, live)
    assert all(live.holds(name, tracker.champion(name).number) for name in TASKS)


def test_an_altered_model_is_not_promoted(world, trained, tracker, live):
    version = register(tracker, trained["churn"])
    path = next(tracker.artifact(version, "model").glob("*.txt"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"7", b"8", 1))
    before = tracker.holding("churn", CHAMPION)
    with pytest.raises(ChecksumError):
        promote_version(world.settings, tracker, live, "churn", force=True)
    assert tracker.holding("churn", CHAMPION) == before
    assert live.champions() == {}


def test_every_run_is_on_record(trained, tracker):
    for name in TASKS:
        version = register(tracker, trained[name])
        run = tracker.client.get_run(version.run_id)
        assert run.info.status == "FINISHED"
        assert run.data.tags["data_fingerprint"] == trained[name].history.fingerprint
        assert run.data.tags["feature_fingerprint"] == trained[name].history.features.fingerprint
        for metric, estimate in trained[name].backtest.winner.metrics.items():
            assert run.data.metrics[metric] == estimate.value
            assert run.data.metrics[f"{metric}_low"] <= run.data.metrics[f"{metric}_high"]
        children = tracker.client.search_runs(
            [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{version.run_id}'"
        )
        assert {c.data.params["kind"] for c in children} == set(trained[name].backtest.candidates)
        breakdown = json.loads(tracker.artifact(version, "breakdown.json").read_text())
        assert sum(each["rows"] for each in breakdown["deciles"]) == len(trained[name].backtest.actual) * (
            1 if name == "ltv" else len(breakdown["deciles"]) // 10
        )
        for card in ("card.html", "card.ja.html"):
            assert "<html" in tracker.artifact(version, card).read_text()


def test_nothing_mlflow_keeps_names_a_customer(world, trained, tracker):
    register(tracker, trained["ltv"])
    ids = [each.encode() for each in world.history.store.ids.to_pylist()]
    assert len(ids[0]) > 5
    for path in tracker.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(each in content for each in ids), path
    with sqlite3.connect(tracker.folder / "mlflow.db") as database:
        dump = "\n".join(database.iterdump())
    assert not any(each.decode() in dump for each in ids)
