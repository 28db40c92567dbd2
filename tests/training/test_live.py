"""Contract: servers find the old champion or the new, and promotions at the same time lose nothing."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from features.errors import ChecksumError
from features.files import clear_dead
from tests.kills import killed_at, kills
from training.live import Live
from training.models.bundle import read_bundle, write_bundle
from training.promotion import sync_live
from training.value.tasks import TASKS


@pytest.fixture(params=["ltv", "churn"])
def bundle(request, trained):
    return trained[request.param].bundle


def test_servers_find_the_old_champion_or_the_new_and_nothing_between(bundle, tmp_path):
    live = Live(tmp_path / "live")
    assert live.champions() == {}
    for number in (1, 2, 3):
        write_bundle(tmp_path / f"v{number}", dataclasses.replace(bundle, facts={"number": number}))
        live.publish(bundle.task, number, tmp_path / f"v{number}")
        assert live.champions() == {bundle.task: number}
        assert read_bundle(live.bundle(bundle.task, number)).facts["number"] == number
    # The one before stays for servers that have not looked yet; older ones go.
    assert sorted(p.name for p in live.folder.glob(f"{bundle.task}-*")) == [
        f"{bundle.task}-2",
        f"{bundle.task}-3",
    ]
    live.pointer.write_text("{")
    with pytest.raises(ChecksumError, match="promote again"):
        live.champions()


def test_two_promotions_at_once_lose_nothing(trained, tmp_path):
    live = Live(tmp_path / "live")
    for name in TASKS:
        write_bundle(tmp_path / name, trained[name].bundle)
    with ThreadPoolExecutor(2) as pool:
        for number in range(1, 15):
            list(pool.map(lambda name, n=number: live.publish(name, n, tmp_path / name), TASKS))
            assert live.champions() == {"ltv": number, "churn": number}


@pytest.fixture
def versions(trained, tmp_path):
    """Two versions of each task, and a folder that servers read, with the first ones."""
    live = Live(tmp_path / "live")
    for task in TASKS:
        for number in (1, 2):
            facts = {**trained[task].bundle.facts, "number": number}
            write_bundle(tmp_path / f"{task}{number}", dataclasses.replace(trained[task].bundle, facts=facts))
        live.publish(task, 1, tmp_path / f"{task}1")
    return live


def served(live, task="ltv"):
    number = live.champions()[task]
    assert read_bundle(live.bundle(task, number)).facts["number"] == number
    return number


def names(live):
    return sorted(path.name for path in live.folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("spoilt", [False, True])
def test_a_kill_at_any_step_leaves_the_old_champion_or_the_new(versions, tmp_path, number, spoilt):
    live = versions
    if spoilt:
        # Publishing the same version again is the mend for a bundle that was altered.
        (live.bundle("ltv", 1) / "model.json").write_text("{}")
    shutil.copytree(live.folder, tmp_path / "before")
    seen = set()
    for _ in kills(lambda: live.publish("ltv", number, tmp_path / f"ltv{number}"), live.folder):
        if not (spoilt and live.bundle("ltv", 1) == live.folder / "ltv-1" and live.champions()["ltv"] == 1):
            seen.add(served(live))
        assert served(live, "churn") == 1
        # The next one finishes, and clears up.
        live.publish("ltv", number, tmp_path / f"ltv{number}")
        assert served(live) == number
        assert not list(live.folder.glob("*.partial"))
        assert len(list(live.folder.glob("ltv-*"))) <= 2
        shutil.rmtree(live.folder)
        shutil.copytree(tmp_path / "before", live.folder)
    assert seen <= {1, number}


def test_many_publications_of_one_task_at_once_never_point_to_what_is_gone(versions, tmp_path):
    """Processes, because a lock of threads is not enough."""
    code = """
import sys
from pathlib import Path
from training.live import Live
folder = Path(sys.argv[1])
for turn in range(20):
    number = 1 + (turn + int(sys.argv[2])) % 2
    Live(folder / "live").publish("ltv", number, folder / f"ltv{number}")
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path, str(k)], env={**os.environ}) for k in range(2)
    ]
    while any(process.poll() is None for process in running):
        served(versions)
    assert {process.wait() for process in running} == {0}
    served(versions)


def test_what_fails_before_servers_are_told_changes_nothing(versions, tmp_path):
    before = names(versions)
    with pytest.raises(OSError, match="no room"), versions.publishing("ltv", 2, tmp_path / "ltv2"):
        raise OSError("no room")
    assert (served(versions), names(versions)) == (1, before)


class Registry:
    """As much of MLflow as following it takes."""

    def __init__(self, folder, numbers):
        self.folder, self.numbers = folder, numbers

    def holding(self, task, _alias):
        number = self.numbers.get(task)
        return None if number is None else type("V", (), {"task": task, "number": number})

    def champion(self, task):
        return self.holding(task, "champion")

    def artifact(self, version, _name):
        return self.folder / f"{version.task}{version.number}"


def test_a_promotion_that_was_killed_halfway_is_finished_by_whoever_looks_next(versions, tmp_path):
    def halfway():
        with versions.publishing("ltv", 2, tmp_path / "ltv2"):
            os.kill(os.getpid(), signal.SIGKILL)

    assert killed_at(10**6, halfway, versions.folder)
    assert served(versions) == 1
    sync_live(Registry(tmp_path, {"ltv": 2, "churn": 1}), versions)
    assert served(versions) == 2
    assert clear_dead(versions.folder) == []


def test_following_the_registry_never_undoes_a_promotion_that_comes_between(versions, tmp_path):
    class Moving(Registry):
        def champion(self, task):
            held = super().champion(task)
            if task == "ltv" and self.numbers["ltv"] == 1:
                # Between the look at the registry and the lock somebody promotes.
                self.numbers["ltv"] = 2
                versions.publish("ltv", 2, tmp_path / "ltv2")
            return held

    sync_live(Moving(tmp_path, {"ltv": 1, "churn": 1}), versions)
    assert served(versions) == 2


def test_pointers_of_before_are_read_and_others_refused(versions):
    assert json.loads(versions.pointer.read_text()) == {"ltv": 1, "churn": 1}
    for strange in ('{"ltv": "../1"}', '{"ltv": null}', '{"ltv": -1}'):
        versions.pointer.write_text(strange)
        with pytest.raises(ChecksumError, match="promote again"):
            versions.champions()
