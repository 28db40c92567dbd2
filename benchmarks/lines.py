"""Order lines as a wholesaler has them: heavy-tailed customers, five years, in order of time."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.engine.observations import wall_clock
from features.types import DAY

BEGIN = np.datetime64("2020-01-01")
DAYS = 5 * 365
CUTOFFS_END = np.datetime64("2024-12-20")
SCHEMA = pa.schema(
    [
        ("customer_id", pa.int32()),
        ("occurred_at", pa.timestamp("us")),
        ("amount", pa.float64()),
        ("quantity", pa.float64()),
    ]
)


def write_lines(path: Path, rows: int, seed: int = 1) -> int:
    """Write so many lines; the greatest customer has about 0.75 % of them. Returns the customers."""
    rng = np.random.default_rng(seed)
    customers = rows // 115
    weight = rng.pareto(1.15, customers) + 0.2
    weight[0] = weight.sum() * 0.0075
    weight = np.minimum(weight, weight[0])
    begin = int(BEGIN.astype("datetime64[us]").astype(np.int64))
    times = np.sort(begin + rng.integers(0, DAYS * DAY, rows))
    who = rng.choice(customers, rows, p=weight / weight.sum()).astype(np.int32)
    amount = np.round(rng.lognormal(3, 1.2, rows), 2)
    quantity = rng.integers(1, 40, rows).astype(np.float64)
    table = pa.table(
        [pa.array(who), pa.array(times).cast(pa.timestamp("us")), pa.array(amount), pa.array(quantity)],
        schema=SCHEMA,
    )
    pq.write_table(table, path, row_group_size=1_000_000)
    return len(np.unique(who))


def monthly(count: int) -> list[int]:
    """The last so many cutoffs, 30 days apart, midnights in microseconds, ascending."""
    end = int(CUTOFFS_END.astype("datetime64[us]").astype(np.int64))
    return [end - k * 30 * DAY for k in range(count - 1, -1, -1)]


def as_dates(cutoffs: list[int]) -> list[str]:
    """Cutoffs as ISO dates."""
    return [wall_clock(cutoff).date().isoformat() for cutoff in cutoffs]
