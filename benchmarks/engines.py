"""The same 60 features by several engines; each runs in a process of its own.

    python -m benchmarks.engines ENGINE LINES.parquet CUTOFFS RESULT.npy

prints one JSON line: CPU and wall seconds, peak memory. Every engine reads the file and ends with
its result in memory; writing it out for the comparison is not counted.

12 aggregations over 5 windows, all of which can be taken from sums by day, so that the SQL engines
may join days instead of lines. Distinct counts and top shares are left out for their sake.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lines import as_dates, monthly
from features.types import Floats

WINDOWS = (30, 90, 180, 365, None)
WORDS = (
    "count", "amount_sum", "amount_mean", "amount_std", "amount_min", "amount_max", "quantity_sum",
    "quantity_mean", "active_days", "since_last_day", "since_first_day", "gap_mean",
)  # fmt: skip
Result = Callable[[], Floats]
"""Gives float64 [customers × cutoffs, 60], customers ascending, then cutoffs."""


def ours(path: str, cutoffs: list[int]) -> Result:
    """Tokui's engine."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from features.aggregations.extremes import Max, Min
    from features.aggregations.moments import Count, Mean, Std, Sum
    from features.aggregations.recency import ActiveDays, DaysSinceFirst, DaysSinceLast, MeanGap
    from features.catalogue.orders import ORDERS_PLACED
    from features.engine.compute import compute_runs
    from features.engine.events import customer_codes, sort_events
    from features.engine.observations import Observations
    from features.engine.views import FeatureSet, FeatureView
    from features.engine.windows import days

    pa.set_cpu_count(1)
    stream = replace(ORDERS_PLACED, numbers=("amount", "quantity"), texts=(), where=None)
    aggregations = (
        Count(), Sum("amount"), Mean("amount"), Std("amount"), Min("amount"), Max("amount"), Sum("quantity"),
        Mean("quantity"), ActiveDays(), DaysSinceLast(), DaysSinceFirst(), MeanGap(),
    )  # fmt: skip
    windows = days(*(width for width in WINDOWS if width)) + days_ever()
    features = FeatureSet("benchmark", (FeatureView(stream, aggregations, windows),))
    rows = pq.read_table(path, use_threads=False)
    index = pc.unique(rows["customer_id"])
    index = index.take(pc.sort_indices(index))
    customers = customer_codes(rows["customer_id"], index)
    events = sort_events(stream, rows, customers, len(index), ("amount", "quantity"))
    del rows, customers
    first = np.full(len(index), np.iinfo(np.int64).min)
    observations = Observations.grid(first, cutoffs)
    streams = {stream.name: events}
    # Blocks are handed on as they are made; a training set of any size passes through.
    total = 0.0
    for _, block in compute_runs(features, streams, observations):
        total += float(block[0].sum())

    def result() -> Floats:
        values = np.empty((len(observations), len(features.names)))
        for where, block in compute_runs(features, streams, observations):
            values[where] = block.T
        # The others count whole days back; midnights are theirs, moments are ours.
        for word in (9, 10):
            part = values[:, word * 5 : word * 5 + 5]
            values[:, word * 5 : word * 5 + 5] = np.ceil(part)
        return values

    return result


def days_ever() -> tuple[Any, ...]:
    """The window without a beginning."""
    from features.engine.windows import EVER

    return (EVER,)


def _sql() -> str:
    parts = []
    filters = {w: "" if w is None else f" FILTER (d >= c - {w})" for w in WINDOWS}
    for word in WORDS:
        for f in filters.values():
            n, s, ss, q = f"sum(n){f}", f"sum(s){f}", f"sum(ss){f}", f"sum(q){f}"
            parts.append({
                "count": f"coalesce({n}, 0)",
                "amount_sum": f"coalesce({s}, 0)",
                "amount_mean": f"{s} / {n}",
                "amount_std": f"CASE WHEN {n} > 1 THEN sqrt(greatest({ss} - {s} * {s} / {n}, 0) / ({n} - 1)) END",
                "amount_min": f"min(lo){f}",
                "amount_max": f"max(hi){f}",
                "quantity_sum": f"coalesce({q}, 0)",
                "quantity_mean": f"{q} / {n}",
                "active_days": f"count(d){f}",
                "since_last_day": f"c - max(d){f}",
                "since_first_day": f"c - min(d){f}",
                "gap_mean": f"CASE WHEN count(d){f} > 1 THEN (max(d){f} - min(d){f}) / (count(d){f} - 1) END",
            }[word])  # fmt: skip
    return ",\n".join(f"({part})::DOUBLE AS f{k}" for k, part in enumerate(parts))


def duckdb(path: str, cutoffs: list[int]) -> Result:
    """DuckDB: sums by day first, then one join of days with cutoffs, and FILTER for the windows."""
    import duckdb as engine

    db = engine.connect()
    dates = ", ".join(f"(DATE '{date}')" for date in as_dates(cutoffs))
    db.execute(f"""
        CREATE TABLE result AS
        WITH day AS (
            SELECT customer_id, occurred_at::DATE AS d, count(*) AS n, sum(amount) AS s, sum(amount * amount) AS ss,
                   sum(quantity) AS q, min(amount) AS lo, max(amount) AS hi
            FROM '{path}' GROUP BY ALL),
        cutoff(c) AS (VALUES {dates}),
        obs AS (SELECT customer_id, c FROM (SELECT DISTINCT customer_id FROM day), cutoff)
        SELECT obs.customer_id, obs.c, {_sql()}
        FROM obs LEFT JOIN day ON obs.customer_id = day.customer_id AND day.d < obs.c
        GROUP BY obs.customer_id, obs.c""")

    def result() -> Floats:
        rows = db.sql(
            "SELECT * EXCLUDE (customer_id, c) FROM result ORDER BY customer_id, c"
        ).to_arrow_table()
        return np.column_stack([column.to_numpy() for column in rows.columns])

    return result


def polars(path: str, cutoffs: list[int]) -> Result:
    """Polars: the same plan, lazily."""
    from datetime import date, timedelta

    import polars as pl

    col = pl.col
    day = (
        pl.scan_parquet(path)
        .with_columns(d=col("occurred_at").dt.date())
        .group_by("customer_id", "d")
        .agg(
            n=pl.len(),
            s=col("amount").sum(),
            ss=(col("amount") ** 2).sum(),
            q=col("quantity").sum(),
            lo=col("amount").min(),
            hi=col("amount").max(),
        )
        .collect()
    )
    people = day.select(col("customer_id").unique()).sort("customer_id")
    blocks = []
    # One cutoff at a time: the whole join at once takes more memory than the machine has.
    for cutoff in (date.fromisoformat(text) for text in as_dates(cutoffs)):
        expressions = []
        for width in WINDOWS:
            inside = pl.lit(True) if width is None else col("d") >= cutoff - timedelta(days=width)
            n, s, q = (col(x).filter(inside).sum() for x in ("n", "s", "q"))
            ss, d = col("ss").filter(inside).sum(), col("d").filter(inside)
            active = d.len()
            days = (d.max() - d.min()).dt.total_days()
            several = pl.when(n > 1)
            by_word = {
                "count": n, "amount_sum": s, "amount_mean": s / n,
                "amount_std": several.then(((ss - s * s / n).clip(0) / (n - 1)).sqrt()),
                "amount_min": col("lo").filter(inside).min(), "amount_max": col("hi").filter(inside).max(),
                "quantity_sum": q, "quantity_mean": q / n, "active_days": active,
                "since_last_day": (pl.lit(cutoff) - d.max()).dt.total_days(),
                "since_first_day": (pl.lit(cutoff) - d.min()).dt.total_days(),
                "gap_mean": pl.when(active > 1).then(days / (active - 1)),
            }  # fmt: skip
            expressions += [by_word[word].alias(f"{word}_{width}") for word in WORDS]
        block = day.lazy().filter(col("d") < cutoff).group_by("customer_id").agg(expressions)
        joined = people.lazy().join(block, on="customer_id", how="left", maintain_order="left")
        blocks.append(joined.select([f"{word}_{width}" for word in WORDS for width in WINDOWS]).collect())

    def result() -> Floats:
        stacked = np.stack([block.to_numpy() for block in blocks], axis=1).astype(np.float64)
        return _zero_counts(stacked.reshape(-1, stacked.shape[2]))

    return result


def pandas(path: str, cutoffs: list[int]) -> Result:
    """pandas: sums by day, then one groupby for every cutoff and window."""
    import pandas as pd

    lines = pd.read_parquet(path)
    lines["d"] = (lines["occurred_at"].astype("datetime64[us]").astype("int64") // 86_400_000_000).astype(
        "int32"
    )
    lines["ss"] = lines["amount"] ** 2
    day = lines.groupby(["customer_id", "d"], sort=True).agg(
        n=("amount", "size"), s=("amount", "sum"), ss=("ss", "sum"), q=("quantity", "sum"),
        lo=("amount", "min"), hi=("amount", "max"),
    ).reset_index()  # fmt: skip
    people = np.sort(day["customer_id"].unique())
    blocks = []
    for cutoff in cutoffs:
        c = cutoff // 86_400_000_000
        past = day[day["d"] < c]
        columns: dict[tuple[str, int | None], Any] = {}
        for width in WINDOWS:
            inside = past if width is None else past[past["d"] >= c - width]
            g = inside.groupby("customer_id", sort=False).agg(
                n=("n", "sum"), s=("s", "sum"), ss=("ss", "sum"), q=("q", "sum"), lo=("lo", "min"),
                hi=("hi", "max"), active=("d", "size"), first=("d", "min"), last=("d", "max"),
            ).reindex(people)  # fmt: skip
            n, s = g["n"], g["s"]
            std = (((g["ss"] - s * s / n).clip(lower=0) / (n - 1)) ** 0.5).where(n > 1)
            gap = ((g["last"] - g["first"]) / (g["active"] - 1)).where(g["active"] > 1)
            values = (
                n, s, s / n, std, g["lo"], g["hi"], g["q"], g["q"] / n, g["active"], c - g["last"],
                c - g["first"], gap,
            )  # fmt: skip
            columns |= {(word, width): value for word, value in zip(WORDS, values, strict=True)}
        blocks.append(pd.DataFrame({key: columns[key] for key in ((w, x) for w in WORDS for x in WINDOWS)}))

    def result() -> Floats:
        stacked = np.stack([block.to_numpy(np.float64) for block in blocks], axis=1)
        return _zero_counts(stacked.reshape(-1, stacked.shape[2]))

    return result


def group_by(path: str, cutoffs: list[int]) -> Result:
    """One bare GROUP BY over the same lines: what any look at them costs."""
    import duckdb as engine

    del cutoffs
    db = engine.connect()
    db.execute(
        f"CREATE TABLE result AS SELECT customer_id, count(*), sum(amount) FROM '{path}' GROUP BY customer_id"
    )
    return lambda: np.zeros((0, 60))


def _zero_counts(values: Floats) -> Floats:
    """Counts and sums of nothing are 0; the rest stays missing."""
    for word in (0, 1, 6, 8):
        part = values[:, word * 5 : word * 5 + 5]
        part[np.isnan(part)] = 0
    return values


ENGINES = {each.__name__: each for each in (ours, duckdb, polars, pandas, group_by)}


def main() -> None:
    """Run one engine and say what it took."""
    name, path, count, target = sys.argv[1:5]
    if name == "ours":
        _warm_up()
    cpu, wall = time.process_time(), time.perf_counter()
    result = ENGINES[name](path, monthly(int(count)))
    took = {
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.perf_counter() - wall,
        "peak_gib": _peak_gib(),
    }
    if target != "-":
        np.save(target, result())
    print(json.dumps(took))


def _peak_gib() -> float:
    """The most memory this process has held; not getrusage, which remembers the parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


def _warm_up() -> None:
    """Compiled sweeps come from disk after their first use ever; that use is not what is measured."""
    import tempfile

    from benchmarks.lines import write_lines

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "few.parquet"
        write_lines(path, 2000)
        ours(str(path), monthly(2))


if __name__ == "__main__":
    main()
