"""The engine: a feature set over observations, batch by batch.

The same call serves a training set of millions of observations, the snapshot of all customers and
one customer's own events in a request, so there is one definition of every number.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.engine.batch import Batch
from features.engine.events import Events
from features.engine.matrix import FeatureMatrix
from features.engine.observations import Observations
from features.engine.views import Calendar, FeatureSet, FeatureView
from features.errors import DefinitionError
from features.types import Floats

_BATCH_EVENTS = 65_536
_BATCH_OBSERVATIONS = 32_768
# Running sums and bounds of a batch of this size stay in the second-level cache.


@dataclass(frozen=True, slots=True)
class Run:
    """Customers that are computed together, and their observations.

    Args:
        first: First customer.
        last: One past the last.
        rows: The observations.
    """

    first: int
    last: int
    rows: slice


def plan_runs(observations: Observations, streams: Mapping[str, Events]) -> Iterator[Run]:
    """Cut the observations into runs of whole customers that fit the cache."""
    count = len(observations)
    if not count:
        return
    customers = observations.customers
    begins = np.flatnonzero(np.diff(customers, prepend=-1))
    who = customers[begins]
    # Work up to and including each observed customer, in units of a full batch.
    work = np.append(begins[1:], count) / _BATCH_OBSERVATIONS
    for events in streams.values():
        work = work + events.offsets[who + 1] / _BATCH_EVENTS / len(streams)
    i = 0
    while i < len(who):
        behind = work[i - 1] if i else 0.0
        j = max(i + 1, int(np.searchsorted(work, behind + 1.0, side="right")))
        stop = int(begins[j]) if j < len(who) else count
        yield Run(int(who[i]), int(who[j - 1]) + 1, slice(int(begins[i]), stop))
        i = j


def compute_run(
    features: FeatureSet, streams: Mapping[str, Events], observations: Observations, run: Run
) -> Floats:
    """All features of one run, float64 [features, observations of the run].

    Args:
        features: What to compute.
        streams: Events by stream name; every stream the set reads.
        observations: All observations.
        run: Which of them.

    Raises:
        DefinitionError: A stream is missing.
    """
    cutoffs = observations.cutoffs[run.rows]
    local = observations.customers[run.rows] - run.first
    obs_offsets = np.searchsorted(local, np.arange(run.last - run.first + 1)).astype(np.int32)
    out = np.empty((len(features.names), len(cutoffs)))
    batches: dict[str, Batch] = {}
    row = 0
    for view in features.views:
        if isinstance(view, Calendar):
            view.compute(cutoffs, out[row : row + len(view.names)])
            row += len(view.names)
            continue
        name = view.stream.name
        if name not in batches:
            if name not in streams:
                raise DefinitionError(f"feature set {features.name} reads stream {name}, which was not given")
            batches[name] = Batch(streams[name].slice(run.first, run.last), obs_offsets, cutoffs)
        for aggregation, width in zip(view.aggregations, view.widths, strict=True):
            aggregation.compute(batches[name], view.windows, out[row : row + width])
            row += width
    return out


def compute_runs(
    features: FeatureSet,
    streams: Mapping[str, Events],
    observations: Observations,
    *,
    threads: int = 1,
) -> Iterator[tuple[slice, Floats]]:
    """Features run by run, in the observations' order, as they become ready.

    Yields:
        Which observations, and float64 [features, those observations].
    """
    runs = plan_runs(observations, streams)
    if threads == 1:
        for run in runs:
            yield run.rows, compute_run(features, streams, observations, run)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting = []
        for run in runs:
            waiting.append((run, pool.submit(compute_run, features, streams, observations, run)))
            # Results are handed on in order and never pile up behind a slow reader.
            if len(waiting) > 2 * threads:
                done, future = waiting.pop(0)
                yield done.rows, future.result()
        for done, future in waiting:
            yield done.rows, future.result()


def vocabularies(features: FeatureSet, streams: Mapping[str, Events]) -> dict[str, pa.Array]:
    """What the codes of the features that hold text say, by feature name."""
    return {
        name: streams[view.stream.name].texts[column]
        for view in features.views
        if isinstance(view, FeatureView)
        for name, column in view.text_columns.items()
    }


def compute(
    features: FeatureSet,
    streams: Mapping[str, Events],
    observations: Observations,
    *,
    threads: int = 1,
) -> FeatureMatrix:
    """All features of all observations in memory.

    Args:
        features: What to compute.
        streams: Events by stream name; every stream the set reads.
        observations: For whom and when.
        threads: Worker threads.

    Returns:
        float64 [observations, features]; one row per observation, whoever has events and whoever
        has none.
    """
    values = np.empty((len(observations), len(features.names)))
    for where, block in compute_runs(features, streams, observations, threads=threads):
        values[where] = block.T
    categories = {name: tuple(texts.to_pylist()) for name, texts in vocabularies(features, streams).items()}
    return FeatureMatrix(features.names, values, categories)
