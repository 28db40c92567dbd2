"""Contract: MLflow's database appears whole, and runs of dead trainings are KILLED, while those of living ones run on."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from training.database import end_dead_runs, training_alive
from training.tracking import Tracker

CODE = """
import sys
from pathlib import Path
from training.tracking import Tracker
tracker = Tracker(Path(sys.argv[1]))
with tracker.run("ltv", "a training", {}, {"task": "ltv"}) as run:
    folder = tracker.folder / "artifacts" / run / "artifacts"
    from features.files import folder_whole
    with folder_whole(folder / "model") as partial:
        (partial / "model.json").write_text("half")
        print(run, flush=True)
        sys.stdin.read()
"""


def training(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().strip()


def end(process, how):
    process.send_signal(how)
    process.wait()
    process.stdin.close()
    process.stdout.close()


def states(folder):
    with sqlite3.connect(folder / "mlflow.db") as connection:
        return dict(connection.execute("SELECT run_uuid, status FROM runs"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("mlruns")
    tracker = Tracker(made)
    tracker.client.create_experiment("somebody's", "file:///elsewhere")
    return made


def test_runs_of_a_killed_training_are_killed_and_what_it_had_half_written_is_gone(folder):
    theirs = Tracker(folder).client
    elsewhere = theirs.create_run(theirs.get_experiment_by_name("somebody's").experiment_id).info.run_id
    process, run = training(folder)
    assert end_dead_runs(folder) == 0
    assert states(folder)[run] == "RUNNING"
    partial = folder / "artifacts" / run / "artifacts"
    assert len(list(partial.iterdir())) == 1
    end(process, signal.SIGKILL)
    with training_alive(folder):
        assert end_dead_runs(folder) == 0
    assert end_dead_runs(folder) == 1
    assert (states(folder)[run], states(folder)[elsewhere]) == ("KILLED", "RUNNING")
    assert list(partial.iterdir()) == []
    assert Tracker(folder).client.get_run(run).info.end_time is not None


def test_a_run_that_fails_keeps_nothing(folder):
    tracker = Tracker(folder)
    with pytest.raises(OSError, match="no room"), tracker.run("ltv", "a training", {}, {}) as run:  # noqa: PT012
        tracker.log_texts(run, {"a.txt": "a"})
        raise OSError("no room")
    assert states(folder)[run] == "FAILED"
    assert not (folder / "artifacts" / run).exists()


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_a_kill_while_the_database_is_made_leaves_none(tmp_path, share):
    """Half of its migrations would be a database that no command can use."""
    code = """
import os, signal, sys
from pathlib import Path
from training.tracking import Tracker
left = int(float(sys.argv[2]) * 40)
def count(*_, **__):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
from sqlalchemy import event
from sqlalchemy.engine import Engine
event.listen(Engine, "before_cursor_execute", count)
Tracker(Path(sys.argv[1])).client
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path, str(share)], check=False, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "mlflow.db").exists()
    assert Tracker(tmp_path).client.search_experiments()
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", ".lock"}
