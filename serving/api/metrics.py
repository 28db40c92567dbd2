"""Metrics: requests and their time, in Prometheus' text, summed over all workers."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counts requests by route and status.

    Both labels come from short lists, so that no request can make a new series. Where
    ``PROMETHEUS_MULTIPROC_DIR`` is set, as under BentoML, workers share their counts through files.
    """

    def __init__(self) -> None:
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
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if folder and Path(folder).is_dir():
            together = CollectorRegistry()
            MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]  # prometheus_client's
            return generate_latest(together)
        return generate_latest(self._registry)
