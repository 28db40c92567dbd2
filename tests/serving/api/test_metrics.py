"""Contract: counts are kept where blocks are allocated, outlive a worker, and cost no service where they cannot be."""

import os
import re
import subprocess
import sys

from serving.api import metrics as module

CODE = """
import errno, os, sys
if sys.argv[1] == "full":
    def full(*_): raise OSError(errno.ENOSPC, "No space left on device")
    os.posix_fallocate = full
from serving.api.metrics import Metrics
metrics = Metrics()
for status in (200, 404, 500):
    metrics.count("/predict", status, 0.001)
sys.stdout.write(metrics.text().decode())
for name in os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"]):
    status = os.stat(os.path.join(os.environ["PROMETHEUS_MULTIPROC_DIR"], name))
    assert status.st_blocks * 512 >= status.st_size == 1 << 20, (name, status)
"""


def worker(folder, how="well"):
    environment = {**os.environ, module.FOLDER: str(folder)}
    return subprocess.run(
        [sys.executable, "-c", CODE, how], env=environment, capture_output=True, text=True, check=True
    )


def counted(done):
    return re.search(r'tokui_requests_total\{route="/predict",status="200"\} (\S+)', done.stdout)[1]


def test_files_have_their_blocks_before_they_are_mapped_and_a_new_worker_goes_on_with_a_dead_ones(tmp_path):
    assert [counted(worker(tmp_path)) for _ in range(3)] == ["1.0", "2.0", "3.0"]
    assert len(list(tmp_path.iterdir())) == 2


def test_without_room_a_worker_counts_for_itself_and_says_so(tmp_path):
    done = worker(tmp_path, "full")
    assert counted(done) == "1.0"
    assert "No space left" in done.stderr
    assert "its own and not of all workers" in done.stderr


def test_all_routes_and_statuses_fit(tmp_path, asked):
    """No file ever grows, so none is ever mapped without its blocks."""
    code = """
import os, sys
from serving.api.metrics import FILE_BYTES, Metrics
metrics = Metrics()
for route in [*sys.argv[1:], "other"]:
    for status in (0, *range(200, 600)):
        metrics.count(route, status, 0.001) if status in {0, 200, *range(400, 432), *range(500, 512)} else None
folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
assert {os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)} == {FILE_BYTES}
"""
    routes = sorted(asked.app._routes)
    environment = {**os.environ, module.FOLDER: str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, *routes], env=environment, check=True)
