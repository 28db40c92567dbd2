"""Training sets as files: features of a grid of cutoffs, or of an experiment, beside what came after them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.experiments.enrolment import enrol, horizon_days
from features.binding.tables import Tables
from features.engine.compute import compute_runs, vocabularies
from features.engine.observations import Observations
from features.files import file_whole
from features.history import History, read_history
from features.types import DAY, Floats, Progress
from training.uplift.propensity import weighed
from training.value.tasks import TASKS


def write_training_set(
    tables: Tables,
    cutoffs: Sequence[int],
    path: Path,
    *,
    threads: int = 1,
    progress: Progress = lambda _: None,
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
                texts = vocabularies(history.features, history.store.streams)
                outcomes = _outcomes(history, observations)
                for rows, block in compute_runs(
                    history.features, history.store.streams, observations, threads=threads
                ):
                    columns = _known(history, observations, rows, block, texts)
                    columns |= {name: pa.array(values[rows]) for name, values in outcomes.items()}
                    table = pa.table(columns)
                    writer = writer or pq.ParquetWriter(partial, table.schema, compression="zstd")
                    writer.write_table(table)
                    done += len(table)
                    progress(f"{done:,} of {len(observations) * parts:,} rows")
                part += 1
        finally:
            if writer is not None:
                writer.close()
    return done


def write_experiment_set(
    tables: Tables,
    experiment: str | None,
    path: Path,
    *,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> int:
    """Write the customers of an experiment as uplift learns from them, as Parquet that appears whole.

    Columns: customer_id, cutoff (midnight before the assignment), the features by name, arm,
    propensity (of that arm), and outcome_margin, margin over the horizon. Where the customers are
    split into parts it is those of the part that training reads.

    Args:
        tables: The bound tables.
        experiment: Its id; the only one where there is only one.
        path: Where to.
        threads: Worker threads.
        progress: Told each step in plain words.

    Returns:
        The number of rows.

    Raises:
        ExperimentError: The assignments cannot support it.
    """
    history, days = read_history(tables), horizon_days(tables.settings)
    progress("features before the assignments")
    enrolment = enrol(tables, history, experiment, days=days, threads=threads)
    trial, _ = weighed(enrolment, tables.settings.training.seed, progress)
    rows, matrix = np.arange(len(trial)), enrolment.matrix
    texts = {name: pa.array(words, pa.string()) for name, words in matrix.categories.items()}
    columns = _known(history, enrolment.observations, rows, matrix.values.T, texts) | {
        "arm": pa.array(np.array(trial.arms)[trial.arm]),
        "propensity": pa.array(trial.propensity[rows, trial.arm]),
        "outcome_margin": pa.array(history.money(enrolment.observations, days)),
    }
    with file_whole(path) as partial:
        pq.write_table(pa.table(columns), partial, compression="zstd")
    return len(trial)


def _known(
    history: History,
    observations: Observations,
    rows: npt.NDArray[np.intp] | slice,
    block: Iterable[Floats],
    texts: Mapping[str, pa.Array],
) -> dict[str, pa.Array]:
    """Who, when, and the features by name of some rows, a column each."""
    columns: dict[str, pa.Array] = {
        "customer_id": history.store.ids.take(pa.array(observations.customers[rows])),
        "cutoff": pa.array(observations.cutoffs[rows]).cast(pa.timestamp("us")),
    }
    for name, values in zip(history.features.names, block, strict=True):
        columns[name] = _spelled(values, texts[name]) if name in texts else pa.array(values)
    return columns


def _spelled(codes: Floats, words: pa.Array) -> pa.Array:
    missing = np.isnan(codes)
    indices = pa.array(np.where(missing, 0, codes).astype(np.int32), mask=missing)
    return words.take(indices).cast(pa.string())


def _outcomes(history: History, observations: Observations) -> dict[str, Floats]:
    outcomes = {}
    for make in TASKS.values():
        task = make(history.settings)
        known = observations.cutoffs + task.span_days * DAY <= history.end
        values = task.outcome(history, observations)
        for k, name in enumerate(task.outputs):
            outcomes[f"outcome_{name}"] = np.where(known, values[:, k], np.nan)
    return outcomes
