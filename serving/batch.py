"""Batch scoring: predictions of all customers of the snapshot in one file.

customer_id         who
status              ok, or "no orders yet": all numbers are then empty
ltv                 expected money over the horizon
ltv_low, ltv_high   its prediction interval
lifetime_value      money of the horizon and all time after it; empty where it has no end
churn_30d, …        probability of having left by then, one column a horizon
tier                A to D
currency            of all money
as_of               the snapshot's moment, ISO with zone offset
ltv_version, churn_version
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from features.errors import SettingsError
from features.files import file_whole
from features.types import Floats
from serving.predictor import Predictor

CHUNK = 8_192


def score(predictor: Predictor, path: Path, *, progress: Callable[[str], None] = lambda _: None) -> int:
    """Write predictions of all customers; the file appears whole.

    Args:
        predictor: Champions and snapshot.
        path: Ends in ``.parquet`` or ``.csv``.
        progress: Told how far it is, in plain words.

    Returns:
        The number of customers.

    Raises:
        SettingsError: The path ends otherwise.
    """
    if path.suffix not in {".parquet", ".csv"}:
        raise SettingsError(f"{path.name} ends in neither .parquet nor .csv; give it one of the two")
    schema = _schema(predictor)
    total = len(predictor.snapshot)
    with file_whole(path) as partial:
        opened = pq.ParquetWriter if path.suffix == ".parquet" else pc.CSVWriter
        with opened(partial, schema) as writer:
            for begin in range(0, total, CHUNK):
                writer.write_table(_chunk(predictor, slice(begin, min(begin + CHUNK, total)), schema))
                progress(f"{min(begin + CHUNK, total):,} of {total:,} customers")
    return total


def _schema(predictor: Predictor) -> pa.Schema:
    money = ("ltv", "ltv_low", "ltv_high", "lifetime_value")
    left = tuple(f"churn_{days}d" for days in predictor.horizons)
    texts = ("tier", "currency", "as_of")
    versions = tuple(f"{task}_version" for task in predictor.models)
    return pa.schema(
        [
            ("customer_id", pa.string()),
            ("status", pa.string()),
            *((name, pa.float64()) for name in (*money, *left)),
            *((name, pa.string()) for name in texts),
            *((name, pa.int64()) for name in versions),
        ]
    )


def _chunk(predictor: Predictor, rows: slice, schema: pa.Schema) -> pa.Table:
    ordered = predictor.ordered(rows)
    numbers = predictor.numbers(np.flatnonzero(ordered) + rows.start)
    count = len(ordered)

    def spread(values: Floats) -> pa.Array:
        whole = np.full(count, np.nan)
        whole[ordered] = values
        return pa.array(whole, pa.float64(), mask=np.isnan(whole))

    tiers = np.full(count, None, dtype=object)
    tiers[ordered] = numbers.tiers
    columns = [
        pa.array(predictor.snapshot.customer_ids(rows)),
        pa.array(np.where(ordered, "ok", "no orders yet")),
        *(spread(each) for each in (numbers.ltv, numbers.low, numbers.high, numbers.lifetime)),
        *(spread(numbers.left[:, k]) for k in range(len(predictor.horizons))),
        pa.array(tiers, pa.string()),
        *(pa.repeat(pa.scalar(text), count) for text in (predictor.currency, predictor.snapshot.as_of)),
        *(pa.repeat(pa.scalar(number, pa.int64()), count) for number in predictor.models.values()),
    ]
    return pa.table(columns, schema=schema)
