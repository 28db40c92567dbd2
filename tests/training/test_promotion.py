"""Promotion's contract: a challenger that is worse out of time stays one, by force says so in a tag,
and nothing that MLflow keeps names a customer or a secret."""

import dataclasses
import json
import sqlite3

import numpy as np
import pytest

from evaluation.bootstrap import Estimate
from features.errors import ChecksumError, NoChampionError, PromotionError
from training.backtest import Candidate
from training.live import Live
from training.promotion import against, promote, sync
from training.register import register
from training.tasks import TASKS
from training.tracking import CHALLENGER, CHAMPION, Tracker, without_secrets


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    # MLflow makes its database in some seconds; once is enough.
    return Tracker(tmp_path_factory.mktemp("mlruns"))


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
        promote(settings, tracker, live, name)
    first = register(tracker, trained[name])
    assert first.aliases == (CHALLENGER,)
    assert first.kind == trained[name].backtest.chosen
    assert first.metrics.keys() >= set(trained[name].backtest.winner.metrics)
    assert isinstance(next(iter(first.metrics.values())), Estimate)
    done = promote(settings, tracker, live, name)
    assert (done.before, done.comparison, done.forced) == (None, None, False)
    assert tracker.champion(name).number == first.number
    assert tracker.champion(name).tags["promoted_by"] == "first"
    assert live.champions()[name] == first.number

    # As good as the champion: the very same model. It may follow.
    second = register(tracker, trained[name])
    comparison, customers = against(settings, tracker, second, tracker.champion(name))
    assert comparison.difference.value == 0
    assert customers == len(trained[name].backtest.actual)
    done = promote(settings, tracker, live, name)
    assert done.before.number == first.number
    assert done.version.number == tracker.champion(name).number == second.number
    assert tracker.champion(name).aliases == (CHAMPION,)

    # Worse: it stays a challenger, the champion stays, servers see nothing of it.
    third = register(tracker, spoilt(trained[name]))
    with pytest.raises(PromotionError, match=r"worse than champion .* out of time .*--force"):
        promote(settings, tracker, live, name)
    assert tracker.champion(name).number == second.number
    assert live.champions()[name] == second.number
    done = promote(settings, tracker, live, name, force=True)
    assert done.forced
    held = tracker.champion(name)
    assert (held.number, held.tags["promoted_by"]) == (third.number, "force")
    assert "worse than champion" in held.tags["forced_because"]

    # An older version may be called back by number.
    promote(settings, tracker, live, name, number=second.number)
    assert tracker.champion(name).number == second.number
    (live.folder / "champions.json").unlink()
    if all(tracker.holding(task, CHAMPION) for task in TASKS):
        sync(tracker, live)
        assert live.champions()[name] == second.number


def test_versions_judged_on_other_rows_are_not_compared(world, trained, tracker, live):
    task = "ltv"
    settings = world.settings
    register(tracker, trained[task])
    promote(settings, tracker, live, task, force=True)
    made = trained[task]
    actual = made.backtest.actual + 1.0
    other = dataclasses.replace(made, backtest=dataclasses.replace(made.backtest, actual=actual))
    # As if nobody had been champion when it was trained.
    version = register(Tracker(tracker.folder), other)
    record = tracker.record(version)
    assert record.champion_number is not None
    comparison, _ = against(settings, tracker, version, tracker.champion(task))
    assert comparison.difference.value == 0
    third = dataclasses.replace(version, number=0, judged_at="2001-01-01T00:00:00")
    with pytest.raises(PromotionError, match="train again"):
        against(settings, tracker, third, dataclasses.replace(tracker.champion(task), number=-1))


def test_an_altered_model_is_not_promoted(world, trained, tracker, live):
    version = register(tracker, trained["churn"])
    path = next(tracker.artifact(version, "model").glob("*.txt"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"7", b"8", 1))
    before = tracker.holding("churn", CHAMPION)
    with pytest.raises(ChecksumError):
        promote(world.settings, tracker, live, "churn", force=True)
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


def test_passwords_in_addresses_are_blotted_out():
    toml = 'source = "postgresql://reader:s3cret@db.example/crm"\nother = "postgresql://reader@db/crm"'
    kept = without_secrets(toml)
    assert "s3cret" not in kept
    assert "reader:***@db.example/crm" in kept
    assert "reader@db/crm" in kept
