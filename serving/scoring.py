"""Batch scoring: predictions of all customers of the snapshot in one file.

customer_id         who
parent_id, group_id the account right above and the head of the group, an account without a parent its own;
                    only where customers bind parent_id
status              ok, or "no orders yet": all numbers are then empty
ltv                 expected money over the horizon
ltv_low, ltv_high   its prediction interval
lifetime_value      money of the horizon and all time after it; empty where it has no end
churn_30d, …        probability of having left by then, one column a horizon
tier                A to D
currency            of all money
as_of               the snapshot's moment, ISO with zone offset
ltv_version, churn_version

Where an uplift model has been promoted also, for all customers with or without orders:

recommended             the arm of the highest net value, if that is above 0; empty to leave alone
uplift_value_ARM        money the arm is expected to add over the horizon, one column an arm
uplift_low_ARM, uplift_high_ARM     its interval
uplift_cost_ARM         what it costs
uplift_net_ARM          value less cost
uplift_proven           whether it was shown that it matters who is treated
uplift_observational    whether arms had been chosen and not drawn
uplift_version
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from features.engine.snapshot import Snapshot
from features.errors import SettingsError
from features.files import file_whole
from features.types import Floats
from serving.log import log
from serving.predictor.predictor import Predictor
from serving.predictor.recommender import Recommender

CHUNK = 8_192
GROUPS = "groups"
"""The snapshot's fact that says what accounts belong to."""

_BELONGING = ("parent_id", "group_id")


def write_scores(
    predictor: Predictor, path: Path, *, progress: Callable[[str], None] = lambda _: None
) -> int:
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
    check_suffix(path)
    recommender = predictor.uplift.recommender
    schema = _schema(predictor)
    if recommender is not None:
        schema = pa.schema([*schema, *_uplift_schema(recommender)])
    elif predictor.uplift.reason is not None:
        log.warning("there are no recommendations in %s: %s", path.name, predictor.uplift.reason)
    total = len(predictor.snapshot)
    with file_whole(path) as partial:
        opened = pq.ParquetWriter if path.suffix == ".parquet" else pc.CSVWriter
        with opened(partial, schema) as writer:
            for begin in range(0, total, CHUNK):
                rows = slice(begin, min(begin + CHUNK, total))
                columns = _chunk(predictor, rows)
                if recommender is not None:
                    columns += _uplift_chunk(recommender, rows)
                writer.write_table(pa.table(columns, schema=schema))
                progress(f"{rows.stop:,} of {total:,} customers")
    return total


def check_suffix(path: Path) -> None:
    """See to it that a file of scores is of a kind that is written.

    Raises:
        SettingsError: It is not.
    """
    if path.suffix not in {".parquet", ".csv"}:
        raise SettingsError(f"{path.name} ends in neither .parquet nor .csv; give it one of the two")


def _schema(predictor: Predictor) -> pa.Schema:
    money = ("ltv", "ltv_low", "ltv_high", "lifetime_value")
    left = tuple(f"churn_{days}d" for days in predictor.horizons)
    texts = ("tier", "currency", "as_of")
    versions = tuple(f"{task}_version" for task in predictor.models)
    return pa.schema(
        [
            ("customer_id", pa.string()),
            *((name, pa.string()) for name in (_BELONGING if GROUPS in predictor.snapshot.facts else ())),
            ("status", pa.string()),
            *((name, pa.float64()) for name in (*money, *left)),
            *((name, pa.string()) for name in texts),
            *((name, pa.int64()) for name in versions),
        ]
    )


def _chunk(predictor: Predictor, rows: slice) -> list[pa.Array]:
    ordered = predictor.ordered(rows)
    numbers = predictor.numbers(np.flatnonzero(ordered) + rows.start)
    count = len(ordered)

    def spread(values: Floats) -> pa.Array:
        whole = np.full(count, np.nan)
        whole[ordered] = values
        return pa.array(whole, pa.float64(), mask=np.isnan(whole))

    tiers = np.full(count, None, dtype=object)
    tiers[ordered] = numbers.tiers
    names = predictor.snapshot.customer_ids(rows)
    return [
        pa.array(names),
        *_belonging(predictor.snapshot, names),
        pa.array(np.where(ordered, "ok", "no orders yet")),
        *(spread(amounts) for amounts in (numbers.ltv, numbers.low, numbers.high, numbers.lifetime)),
        *(spread(numbers.left[:, k]) for k in range(len(predictor.horizons))),
        pa.array(tiers, pa.string()),
        *(pa.repeat(pa.scalar(text), count) for text in (predictor.currency, predictor.snapshot.as_of)),
        *(pa.repeat(pa.scalar(number, pa.int64()), count) for number in predictor.models.values()),
    ]


def _belonging(snapshot: Snapshot, names: Sequence[str]) -> list[pa.Array]:
    """Parents and groups of some customers; nothing where there are none."""
    if GROUPS not in snapshot.facts:
        return []
    groups = snapshot.facts[GROUPS]
    pairs = [groups.get(name, (None, name)) for name in names]
    return [pa.array([pair[place] for pair in pairs], pa.string()) for place in range(len(_BELONGING))]


def _uplift_schema(recommender: Recommender) -> list[tuple[str, pa.DataType]]:
    # The words come before the arms, so that no arm's name can make two columns the same.
    words = ("value", "low", "high", "cost", "net")
    return [
        ("recommended", pa.string()),
        *((f"uplift_{word}_{arm}", pa.float64()) for arm in recommender.arms for word in words),
        ("uplift_proven", pa.bool_()),
        ("uplift_observational", pa.bool_()),
        ("uplift_version", pa.int64()),
    ]


def _uplift_chunk(recommender: Recommender, rows: slice) -> list[pa.Array]:
    options = recommender.options(np.arange(rows.start, rows.stop))
    bands, count = options.bands, rows.stop - rows.start
    # Without a budget nobody's choice depends on anybody else's.
    # NOBODY is −1, the last entry.
    names = np.array([*recommender.arms, None], dtype=object)[options.choose()]
    costs = np.broadcast_to(options.cost, options.net.shape)
    numbers = np.stack([bands.value, bands.low, bands.high, costs, options.net], axis=2)
    facts = (recommender.proven, recommender.observational, pa.scalar(recommender.number, pa.int64()))
    return [
        pa.array(names, pa.string()),
        *(
            pa.array(column, pa.float64(), mask=np.isnan(column))
            for column in np.ascontiguousarray(numbers.transpose(1, 2, 0).reshape(-1, count))
        ),
        *(pa.repeat(fact, count) for fact in facts),
    ]
