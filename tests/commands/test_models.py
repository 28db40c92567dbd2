"""Commands of models: a copied or moved project works where it is and leaves the old place alone."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.typed import Run, contents, typed
from tests.conftest import small_world


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command line as typed in a folder."""
    return lambda folder, *words: typed(folder, words, monkeypatch, capsys)


def test_a_copied_and_then_moved_project_works_and_never_touches_the_old_one(tmp_path: Path, at: Run) -> None:
    first = tmp_path / "first"
    small_world(first, 250)
    assert at(first, "train", "ltv", "churn", "--json").status == 0
    assert at(first, "promote", "--json").status == 0
    before = contents(first)

    copy = tmp_path / "a copy"
    shutil.copytree(first, copy)
    assert at(copy, "models", "--json").told == at(first, "models", "--json").told
    [made] = at(copy, "train", "ltv", "--json").told
    assert made["version"] == 2
    assert at(copy, "promote", "ltv", "--json").status == 0
    assert at(copy, "snapshot", "--json").told["customers"] == 250
    assert at(copy, "score", "scores.csv", "--json").told["rows"] == 250
    assert contents(first) == before
    with closing(sqlite3.connect(copy / "mlruns" / "mlflow.db")) as connection:
        assert not [line for line in connection.iterdump() if str(first) in line]

    # The old place need not be there any more.
    shutil.rmtree(first)
    moved = tmp_path / "moved"
    copy.rename(moved)
    assert [v["version"] for v in at(moved, "models", "--json").told if v["task"] == "ltv"] == [2, 1]
    assert at(moved, "train", "ltv", "--json").told[0]["version"] == 3
    assert at(moved, "promote", "ltv", "--json").status == 0
    assert at(moved, "score", "again.csv", "--json").told["rows"] == 250
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moved"]
