"""Contract: what is mapped is a verified copy, which nothing done to the file or to its name can reach."""

import hashlib
import subprocess
import sys

import pytest

from features.engine import sealed as module
from features.engine.sealed import sealed
from features.errors import ChecksumError

CONTENT = bytes(range(256)) * 70_000


def expected(path, head, size):
    return 48, hashlib.sha256(CONTENT[48:]).digest()


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "rows.tokui"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["shared", "own", "memory"])
def copies(request, tmp_path, monkeypatch):
    if request.param == "shared":
        (tmp_path / "copies").mkdir()
        return tmp_path / "copies"
    if request.param == "memory":

        def full(**_options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(module.tempfile, "TemporaryFile", full)
    return None


def test_nothing_done_to_the_file_reaches_its_readers(original, copies):
    whole = sealed(original, expected, copies)
    with original.open("r+b") as file:
        file.write(b"other" * 1000)
        file.truncate(5000)
    assert whole[:] == CONTENT
    with pytest.raises(ChecksumError, match="altered"):
        sealed(original, expected, copies)
    original.unlink()
    assert whole[:] == CONTENT


def test_what_changes_while_it_is_read_is_refused(original, copies, monkeypatch):
    copy = module._copy

    def changed(file, *rest):
        with original.open("r+b") as other:
            other.seek(len(CONTENT) // 2)
            other.write(b"x")
        copy(file, *rest)

    monkeypatch.setattr(module, "_copy", changed)
    with pytest.raises(ChecksumError):
        sealed(original, expected, copies)


def test_processes_share_one_copy_and_older_ones_go(original, tmp_path):
    copies = tmp_path / "copies"
    copies.mkdir()
    older = copies / "00.rows.tokui"
    older.touch()
    first, second = (sealed(original, expected, copies) for _ in range(2))
    assert not older.exists()
    [made] = [path for path in copies.iterdir() if path.name != ".lock"]
    assert made.name.endswith(".rows.tokui")
    assert made.stat().st_nlink == 1
    assert first[:] == second[:] == CONTENT


def test_a_snapshot_that_is_cut_short_kills_no_reader(tmp_path):
    """In a process of its own, which a map of the file itself would end with a bus error."""
    code = """
import hashlib, sys
from pathlib import Path
from features.engine.sealed import sealed
path = Path(sys.argv[1])
path.write_bytes(b"a" * 1_000_000)
whole = sealed(path, lambda path, head, size: (0, hashlib.sha256(b"a" * 1_000_000).digest()))
path.write_bytes(b"")
sys.exit(sum(whole[at] == 97 for at in range(0, 1_000_000, 4096)) != 245)
"""
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "s"], check=False).returncode == 0
