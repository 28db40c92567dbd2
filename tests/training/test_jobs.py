"""The contract of every job: it is trained, registered, compared, promoted and exported like any other."""

import dataclasses
from datetime import datetime

import pytest

from benchmarks.coverage_uplift import QUICK
from features.errors import NoChampionError, SettingsError
from tests.training.trials import CUSTOMERS
from training.jobs import JOBS, USUAL, job_of
from training.live import Live
from training.models.facts import ChurnFacts, LtvFacts, UpliftFacts
from training.promotion import against, promote_version, sync_live
from training.registration import UNASKED
from training.tracking import CHALLENGER, CHAMPION, Tracker
from training.uplift.rows import UpliftTrees

FACTS = {"ltv": LtvFacts, "churn": ChurnFacts, "uplift": UpliftFacts}


def few(outcome=QUICK.outcome, effect=QUICK.effect):
    """Fewer trees than usual, where none are asked for."""
    return UpliftTrees(outcome, effect)


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.uplift.train.UpliftTrees", few)
        # Drawing cards takes most of a registration.
        patch.setattr("training.value.register.render_card", lambda card, lang="en": f"{card.task} {lang}")
        yield


@pytest.fixture(scope="module", params=list(JOBS))
def job(request):
    return JOBS[request.param]


@pytest.fixture(scope="module")
def made(job, trials):
    return job.train(trials.tables, trials.history, experiment="plain")


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    return Tracker(tmp_path_factory.mktemp("mlruns"))


def test_there_are_three_and_one_is_optional():
    assert (list(JOBS), USUAL) == (["ltv", "churn", "uplift"], ("ltv", "churn"))
    with pytest.raises(SettingsError, match="'renewal' is not a task; those are ltv, churn, uplift"):
        job_of("renewal")
    for word in JOBS:
        assert job_of(word).name == word


def test_what_is_trained_is_registered_and_followed_by_what_is_no_worse(job, made, trials, tracker, tmp_path):
    settings, live = trials.history.settings, Live(tmp_path / "live")
    with pytest.raises(NoChampionError, match="challenger"):
        promote_version(settings, tracker, live, job.name)
    first = job.register(tracker, made)
    assert (first.task, first.aliases) == (job.name, (CHALLENGER,))
    assert job.metric in first.metrics
    assert (first.tags["task"], first.tags["data_fingerprint"]) == (job.name, trials.history.fingerprint)
    done = promote_version(settings, tracker, live, job.name)
    assert (done.before, done.comparison, live.champions()) == (None, None, {job.name: 1})

    # The very same: as good on the same customers, so it may follow.
    second = job.register(tracker, made)
    comparison, customers = against(settings, tracker, second, tracker.champion(job.name))
    assert comparison.difference.value == 0
    assert customers == len(tracker.record(second).customers) == CUSTOMERS
    done = promote_version(settings, tracker, live, job.name)
    assert (done.before.number, done.customers, done.forced) == (1, CUSTOMERS, False)
    assert (tracker.champion(job.name).number, live.champions()) == (2, {job.name: 2})

    # Of two customers left to compare by, one is taken for the other's.
    strangers = dataclasses.replace(tracker.record(second), customers=["nobody"] * CUSTOMERS)
    reason = job.apart(second, first, strangers.take([]), tracker.record(first).take([]), CUSTOMERS)
    assert f"{job.name} version 2" in reason
    assert "train" in reason


def test_facts_are_read_as_they_were_written(job, made, tracker):
    kind, kept = FACTS[job.name], made.bundle.facts
    assert kind.from_dict(kept).to_dict() == kept
    assert list(kind.from_dict(kept).to_dict()) == list(kept)
    version = job.register(tracker, made)
    read = kind.from_dict(tracker.bundle(version).facts)
    assert read == kind.from_dict(kept)
    assert read.judged_at == datetime.fromisoformat(version.judged_at)
    assert (read.currency, read.timezone) == ("JPY", "Asia/Tokyo")


def test_a_champion_that_cannot_be_asked_is_told(job, made, trials, tmp_path):
    tracker = Tracker(tmp_path / "mlruns")
    champion = job.register(tracker, made)
    assert UNASKED not in champion.tags
    promote_version(trials.history.settings, tracker, Live(tmp_path / "live"), job.name)
    path = tracker.artifact(champion, "model") / "model.json"
    path.write_bytes(path.read_bytes().replace(b"7", b"8", 1))
    version = job.register(tracker, made)
    assert version.tags[UNASKED].startswith("champion 1 could not be asked: ")
    assert "is not the file that was written" in version.tags[UNASKED]
    assert tracker.record(version).champion_number is None


def test_servers_do_without_what_is_optional(trials, tracker, tmp_path):
    missing = [task for task in USUAL if tracker.holding(task, CHAMPION) is None]
    live = Live(tmp_path / "live")
    if missing:
        with pytest.raises(NoChampionError, match=missing[0]):
            sync_live(tracker, live)
        assert live.champions() == {}
    else:
        sync_live(tracker, live)
        assert set(live.champions()) >= set(USUAL)
