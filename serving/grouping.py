"""Scores by group: what all accounts of a company and its subsidiaries are worth together, in one file.

group_id            the head of the group; an account that belongs to nobody is a group by itself
accounts            accounts in it
with_orders         of those, accounts that have ordered: only these have predictions
ltv                 sum of their expected money over the horizon
lifetime_value      sum of their lifetime values; empty where one of them has no end
currency, as_of

There is no interval: those of the accounts cannot be added up. If the accounts of a group were independent,
the group's would be narrower than their sum, and subsidiaries of one company are not.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from features.errors import SettingsError
from features.files import file_whole
from serving.predictor.predictor import Predictor
from serving.scoring import CHUNK, GROUPS, check_suffix


def write_groups(predictor: Predictor, path: Path) -> int:
    """Write predictions of all groups, the most valuable first; the file appears whole.

    Args:
        predictor: Champions and snapshot.
        path: Ends in ``.parquet`` or ``.csv``.

    Returns:
        The number of groups.

    Raises:
        SettingsError: The path ends otherwise, or the snapshot knows no groups.
    """
    check_suffix(path)
    snapshot = predictor.snapshot
    if GROUPS not in snapshot.facts:
        raise SettingsError(
            "the snapshot knows no groups; bind parent_id in [tables.customers.columns] and run `tokui snapshot`"
        )
    total, belongs = len(snapshot), snapshot.facts[GROUPS]
    ids = snapshot.customer_ids(slice(0, total))
    heads, code = np.unique([belongs.get(name, (None, name))[1] for name in ids], return_inverse=True)
    ordered = np.zeros(total, np.bool_)
    money = np.zeros((2, total))
    for begin in range(0, total, CHUNK):
        rows = slice(begin, min(begin + CHUNK, total))
        ordered[rows] = predictor.ordered(rows)
        here = np.flatnonzero(ordered[rows]) + begin
        numbers = predictor.numbers(here)
        money[:, here] = numbers.ltv, numbers.lifetime
    count = len(heads)
    ltv, lifetime = (np.bincount(code, values, count) for values in money)
    # An account without an end leaves its group's lifetime value without one, too.
    table = pa.table(
        {
            "group_id": pa.array(heads.tolist(), pa.string()),
            "accounts": np.bincount(code, minlength=count),
            "with_orders": np.bincount(code[ordered], minlength=count),
            "ltv": ltv,
            "lifetime_value": pa.array(lifetime, mask=np.isnan(lifetime)),
            "currency": pa.repeat(predictor.currency, count),
            "as_of": pa.repeat(snapshot.as_of, count),
        }
    ).take(np.argsort(-ltv, kind="stable"))
    with file_whole(path) as partial:
        (pq.write_table if path.suffix == ".parquet" else pc.write_csv)(table, partial)
    return count
