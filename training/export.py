"""A training set as a file: features of a grid of cutoffs beside what came after them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.binding.tables import Tables
from features.engine.compute import compute_runs, vocabularies
from features.engine.observations import Observations
from features.files import file_whole
from features.history import History, read_history
from features.types import DAY, Floats
from training.value.tasks import TASKS


def write_training_set(
    tables: Tables,
    cutoffs: Sequence[int],
    path: Path,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> int:
    """Write features and outcomes of every customer at every cutoff, as Parquet that appears whole.

    Columns: customer_id, cutoff, the features by name (text as dictionary), and outcomes named after
    what the tasks predict: ``outcome_ltv``, ``outcome_churn_30d`` …, empty where the history does not
    reach far enough to know.

    Args:
        tables: The bound tables.
        cutoffs: Microseconds.
        path: Where to.
        threads: Worker threads.
        progress: Told rows done and rows in all, part by part.

    Returns:
        The number of rows.
    """
    done = 0
    with file_whole(path) as partial:
        writer: pq.ParquetWriter | None = None
        try:
            part, parts = 0, 1
            while part < parts:
                history = read_history(tables, part)
                parts = history.parts
                observations = Observations.grid(history.store.first_seen, cutoffs)
                ids = history.store.ids
                texts = vocabularies(history.features, history.store.streams)
                outcomes = _outcomes(history, observations)
                for rows, block in compute_runs(
                    history.features, history.store.streams, observations, threads=threads
                ):
                    columns: dict[str, pa.Array] = {
                        "customer_id": ids.take(pa.array(observations.customers[rows])),
                        "cutoff": pa.array(observations.cutoffs[rows]).cast(pa.timestamp("us")),
                    }
                    for name, values in zip(history.features.names, block, strict=True):
                        columns[name] = _spelled(values, texts[name]) if name in texts else pa.array(values)
                    columns |= {name: pa.array(values[rows]) for name, values in outcomes.items()}
                    table = pa.table(columns)
                    writer = writer or pq.ParquetWriter(partial, table.schema, compression="zstd")
                    writer.write_table(table)
                    done += len(table)
                    progress(done, len(observations) * parts)
                part += 1
        finally:
            if writer is not None:
                writer.close()
    return done


def _spelled(codes: Floats, words: pa.Array) -> pa.Array:
    missing = np.isnan(codes)
    indices = pa.array(np.where(missing, 0, codes).astype(np.int32), mask=missing)
    return words.take(indices).cast(pa.string())


def _outcomes(history: History, observations: Observations) -> dict[str, Floats]:
    found = {}
    for make in TASKS.values():
        task = make(history.settings)
        known = observations.cutoffs + task.span_days * DAY <= history.end
        values = task.outcome(history, observations)
        for k, name in enumerate(task.outputs):
            found[f"outcome_{name}"] = np.where(known, values[:, k], np.nan)
    return found
