"""Contract: what was compiled is kept where it may be and nowhere else, and nothing about that stops a sweep."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.places import ROOT

CODE = """
import os, sys
sys.path.insert(0, os.getcwd())
refuse = sys.argv[1:]
access = os.access
os.access = lambda path, mode: not any(str(path).startswith(place) for place in refuse) and access(path, mode)
import numba.core.caching as caching
import own
print(own.twice(21), own.twice.stats.cache_path if hasattr(own.twice, "stats") else "", os.environ.get("NUMBA_CACHE_DIR"))
print(sum(own.twice.stats.cache_hits.values()))
"""
OWN = """
from features.kernel import kernel
@kernel
def twice(x):
    return 2 * x
"""


@pytest.fixture
def place(tmp_path):
    """A package of its own, so that nothing is compiled yet, in a home of its own."""
    shutil.copytree(
        ROOT / "features", tmp_path / "p" / "features", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "p" / "own.py").write_text(OWN)
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    return tmp_path


def run(place, *refuse, code=CODE, **environment):
    base = {key: value for key, value in os.environ.items() if key not in {"NUMBA_CACHE_DIR", "PYTHONPATH"}}
    environment = {**base, "HOME": str(place / "home"), "TMPDIR": str(place / "tmp"), **environment}
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, *map(str, refuse)],
        cwd=place / "p", env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list((place / "home").iterdir()) == []
    return done.stdout.split()


def test_it_is_kept_beside_the_source_where_that_may_be_written(place):
    assert run(place) == ["42", str(place / "p" / "__pycache__"), "None", "0"]
    assert run(place)[-1] == "1"


def test_or_in_a_folder_of_this_users_own(place):
    own = place / "tmp" / f"tokui-numba-{os.geteuid()}"
    said = run(place, place / "p" / "features")
    assert said[2] == str(own)
    assert said[1].startswith(str(own))
    assert own.stat().st_mode & 0o777 == 0o700
    assert run(place, place / "p" / "features")[-1] == "1"


def test_or_where_the_user_says(place):
    said = run(place, place / "p" / "features", NUMBA_CACHE_DIR=str(place / "mine"))
    assert said[1].startswith(str(place / "mine"))


def test_a_folder_that_anybody_may_write_is_not_read_and_everything_works_without(place):
    (place / "tmp" / f"tokui-numba-{os.geteuid()}").mkdir(mode=0o777)
    (place / "tmp" / f"tokui-numba-{os.geteuid()}").chmod(0o777)
    assert run(place, place / "p" / "features")[0] == "42"
    assert list((place / "tmp" / f"tokui-numba-{os.geteuid()}").iterdir()) == []


def test_neither_a_full_disk_nor_a_damaged_file_stops_a_sweep(place):
    full = CODE.replace(
        "import own",
        """
def full(*_):
    raise OSError(28, "No space left on device")
caching.IndexDataCacheFile._save_data = full
import own
""",
    )
    assert run(place, code=full)[0] == "42"
    assert run(place)[0] == "42"
    for index in (place / "p" / "__pycache__").glob("*.nbi"):
        index.write_bytes(index.read_bytes()[:20])
    assert run(place)[0] == "42"
    assert run(place)[-1] == "1"
