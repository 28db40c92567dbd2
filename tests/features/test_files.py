"""Contract: files and folders appear whole whenever a process is killed, and what is left is cleared once its maker is dead."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from features.files import Scratch, clear_dead, file_whole, folder_whole, write_text
from tests.kills import kills


def put_folder(path, text):
    with folder_whole(path) as partial:
        for name in ("a", "b"):
            (partial / name).write_text(text)


def read_folder(path):
    return {file.name: file.read_text() for file in path.iterdir()}


def test_a_file_is_the_old_one_or_the_new_whenever_its_writer_is_killed(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    for _ in kills(lambda: write_text(path, "new"), tmp_path):
        assert path.read_text() in {"old", "new"}
        write_text(path, "old")
        assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_the_old_one_or_the_new_whenever_its_writer_is_killed(tmp_path):
    path = tmp_path / "a"
    put_folder(path, "old")
    for _ in kills(lambda: put_folder(path, "new"), tmp_path):
        assert read_folder(path) in ({"a": "old", "b": "old"}, {"a": "new", "b": "new"})
        put_folder(path, "old")
        assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_new_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a"
    for _ in kills(lambda: put_folder(path, "new"), tmp_path):
        assert not path.exists() or read_folder(path) == {"a": "new", "b": "new"}
        clear_dead(tmp_path)
        assert [left for left in tmp_path.iterdir() if left != path] == []


CODE = """
import sys
from pathlib import Path
from features.files import Scratch, file_whole, folder_whole
where = Path(sys.argv[1])
with file_whole(where / "a.csv") as file, folder_whole(where / "b") as folder, Scratch(where) as scratch:
    file.write_text("half")
    (folder / "c").write_text("half")
    (scratch / "d").write_text("half")
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def maker(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_what_somebody_is_making_is_left_alone_and_what_a_kill_left_is_cleared(tmp_path, maker):
    theirs = {path.name for path in tmp_path.iterdir()}
    assert len(theirs) == 3
    assert clear_dead(tmp_path) == []
    with file_whole(tmp_path / "a.csv") as mine:
        mine.write_text("other")
    assert {path.name for path in tmp_path.iterdir()} == theirs | {"a.csv"}
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    assert {path.name for path in clear_dead(tmp_path)} == theirs
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_whoever_looks_deep_finds_what_lies_deep(tmp_path, maker):
    maker.kill()
    maker.wait()
    inside = tmp_path / "x" / "y"
    inside.mkdir(parents=True)
    for path in [path for path in tmp_path.iterdir() if path.name != "x"]:
        path.rename(inside / path.name)
    assert clear_dead(tmp_path) == []
    assert len(clear_dead(tmp_path, deep=True)) == 3


@pytest.mark.parametrize(
    "name",
    ["setup.exe.k3j2h1xq.partial", "notes.partial", "tokui-notes", "tokui-abcdefgh.txt", "a.tokui-b.partial"],
)
def test_what_is_not_ours_stays(tmp_path, name):
    (tmp_path / name).write_text("somebody's")
    assert clear_dead(tmp_path) == []
    # Nor what a name of ours leads to elsewhere.
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("kept")
    (tmp_path / "tokui-abcdefgh.scratch").symlink_to(tmp_path / "elsewhere")
    clear_dead(tmp_path, deep=True)
    assert (tmp_path / "elsewhere" / "kept").read_text() == "kept"


def test_a_maker_whose_file_was_cleared_in_the_moment_before_it_held_it_makes_another(tmp_path, monkeypatch):
    import features.files as module

    cleared = []

    def first_cleared(handle, path):
        if not cleared:
            cleared.append(path)
            path.unlink() if path.is_file() else path.rmdir()
        return hold(handle, path)

    hold = module.hold
    monkeypatch.setattr(module, "hold", first_cleared)
    write_text(tmp_path / "a", "whole")
    assert (tmp_path / "a").read_text() == "whole"
    cleared.clear()
    put_folder(tmp_path / "b", "whole")
    assert read_folder(tmp_path / "b") == {"a": "whole", "b": "whole"}


def test_a_scratch_folder_goes_with_its_end_and_with_its_owner(tmp_path):
    with Scratch(tmp_path) as folder:
        (folder / "a").mkdir()
        assert folder.stat().st_mode & 0o777 == 0o700
    forgotten = Scratch(tmp_path)
    assert Path(forgotten.name).exists()
    del forgotten
    assert list(tmp_path.iterdir()) == []
