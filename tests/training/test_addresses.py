"""Contract: addresses of ours under a folder the database has come from lead to where it is; no other is touched."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from training import addresses
from training.addresses import settle
from training.tracking import Tracker

ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "model_versions": "source",
}


def kept(folder: Path) -> set[str]:
    """Every address the database has."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        return {
            address
            for table, column in ADDRESSES.items()
            for (address,) in connection.execute(f"SELECT {column} FROM {table}")
        }


@dataclass(frozen=True)
class Made:
    """A registry with one run of ours, and two of somebody who keeps artifacts elsewhere."""

    folder: Path
    run_id: str

    def copied(self, to: Path) -> Path:
        """A copy of it."""
        return Path(shutil.copytree(self.folder, to))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Made:
    tracker = Tracker(tmp_path_factory.mktemp("old") / "mlruns")
    with tracker.run("ltv", "first", {}, {"task": "ltv"}) as run_id:
        tracker.log_texts(run_id, {"card.html": "mine"})
    near = (tracker.folder.parent / "other" / "artifacts").as_uri()
    for name, place in (("theirs", "s3://bucket/artifacts"), ("near", near)):
        tracker.client.create_run(tracker.client.create_experiment(name, place), tags={"task": "ltv"})
    return Made(tracker.folder, run_id)


@pytest.mark.parametrize("name", ["copy", "a name with blanks", "得意先", "100%"])
def test_addresses_follow_the_folder_and_others_stay(old: Made, tmp_path: Path, name: str) -> None:
    there = old.copied(tmp_path / name / "mlruns")
    assert settle(there) > 0
    before, after = kept(old.folder), kept(there)
    assert after == {
        address.replace(old.folder.as_uri(), there.as_uri()).replace(str(old.folder), str(there))
        for address in before
    }
    assert {address for address in before if "bucket" in address or "/other/" in address} <= after
    # What MLflow itself then finds is the file that was written.
    (there / "artifacts" / old.run_id / "artifacts" / "card.html").write_text("of the copy")
    Tracker(there).client.download_artifacts(old.run_id, "card.html", str(tmp_path))
    assert (tmp_path / "card.html").read_text() == "of the copy"
    assert settle(there) == 0


def test_a_copy_within_the_old_folder_settles_once(old: Made, tmp_path: Path) -> None:
    outer = old.copied(tmp_path / "mlruns")
    assert settle(outer) > 0
    inner = outer / "kept" / "mlruns"
    inner.mkdir(parents=True)
    (inner / "mlflow.db").write_bytes((outer / "mlflow.db").read_bytes())
    assert settle(inner) > 0
    once = kept(inner)
    with closing(sqlite3.connect(inner / "mlflow.db")) as connection, connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE name = 'ltv'", (f"{outer}/artifacts",)
        )
    assert settle(inner) == 1
    assert settle(inner) == 0
    assert {path.removeprefix("file://") for path in kept(inner)} == {
        path.removeprefix("file://") for path in once
    }


def test_a_run_writes_beside_its_database_whatever_the_database_says(old: Made, tmp_path: Path) -> None:
    moved = Tracker(old.copied(tmp_path / "new"))
    assert moved.versions("ltv") == []
    # As if another process had opened the same folder by another of its names meanwhile.
    with closing(sqlite3.connect(moved.folder / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = ?", ((tmp_path / "gone").as_uri(),))
    with moved.run("ltv", "second", {}, {"task": "ltv"}) as run_id:
        moved.log_texts(run_id, {"card.html": "mine"})
    assert (moved.folder / "artifacts" / run_id / "artifacts" / "card.html").read_text() == "mine"
    assert not (tmp_path / "gone").exists()


def test_a_database_that_cannot_be_written_is_read_as_it_is(
    old: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = old.copied(tmp_path / "new")
    monkeypatch.setattr(addresses, "_PATIENCE_S", 0)
    with closing(sqlite3.connect(there / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert settle(there) == 0
        other.execute("ROLLBACK")
    assert kept(there) == kept(old.folder)
    (there / ".lock").unlink()
    (there / ".lock").mkdir()  # nor can it be locked
    assert Tracker(there).versions("ltv") == []


def test_several_that_open_a_folder_at_once_settle_it_once(old: Made, tmp_path: Path) -> None:
    there = old.copied(tmp_path / "new")
    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(settle, [there] * 4))
    assert sorted(changed)[:-1] == [0, 0, 0]
    assert max(changed) > 0
