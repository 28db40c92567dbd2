"""Metrics: requests and their time, in Prometheus' text, summed over all workers."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from serving.log import log

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable: where workers keep the counts they share, as prometheus_client reads it."""

FILE_BYTES = 1 << 20
"""Of each file of counts: several times what all routes and statuses need, so that none ever grows."""

_KINDS = ("counter", "histogram")
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counts requests by route and status.

    Both labels come from short lists, so that no request can make a new series. Where
    ``PROMETHEUS_MULTIPROC_DIR`` is set, as under BentoML, workers share their counts through files;
    where those cannot be had this worker counts for itself and says so.
    """

    def __init__(self) -> None:
        folder = os.environ.get(FOLDER)
        self._folder = Path(folder) if folder and _allocated(Path(folder)) else None
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tokui_requests", "Requests answered.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "tokui_request_seconds",
            "Seconds from the first header to the last byte.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )

        # Looking a series up by its labels takes longer than counting.
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def count(self, route: str, status: int, seconds: float) -> None:
        """Note one request; status 0 means that the client went away."""
        try:
            counter, histogram = self._series[route, status]
        except KeyError:
            counter, histogram = self._requests.labels(route, status), self._seconds.labels(route)
            self._series[route, status] = counter, histogram
        counter.inc()
        histogram.observe(seconds)

    def text(self) -> bytes:
        """Everything counted so far."""
        if self._folder is None:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together, str(self._folder))  # type: ignore[no-untyped-call]  # prometheus_client's
        return generate_latest(together)


def _allocated(folder: Path) -> bool:
    """Have this worker's files on disk before they are mapped.

    A map of a file without its blocks ends the process on a full disk, without a word. Files of a worker
    that has died are gone on with, so that counts never fall and files never become more than workers.
    """
    try:
        for kind in _KINDS:
            mine = folder / f"{kind}_{os.getpid()}.db"
            if not mine.exists() and not _inherited(folder, kind, mine):
                _allocate(mine)
    except OSError as error:
        log.warning(
            "metrics of this worker are its own and not of all workers: %s cannot hold them: %s",
            folder,
            error,
        )
        # Chosen when prometheus_client was imported, for the whole process.
        values.ValueClass = values.MutexValue
        return False
    return True


def _inherited(folder: Path, kind: str, mine: Path) -> bool:
    for theirs in sorted(folder.glob(f"{kind}_*.db")):
        try:
            os.kill(int(theirs.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            try:
                theirs.rename(mine)
            except FileNotFoundError:
                # Another worker that starts now was quicker.
                continue
            return True
        except (PermissionError, ValueError):
            continue
    return False


def _allocate(path: Path) -> None:
    new = path.with_suffix(".new")
    try:
        with new.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, FILE_BYTES)
            else:
                file.write(bytes(FILE_BYTES))
        # Only now can other workers see it.
        new.rename(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
