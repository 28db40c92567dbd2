"""The feature engine beside DuckDB, Polars, pandas and featuretools: the same numbers, what they cost.

    python -m benchmarks.features                    10 M lines, 12 and 48 cutoffs: some ten minutes
    python -m benchmarks.features --rows 1000000     a minute

Every engine runs alone in a process of its own, three times where it takes less than 20 seconds; the
median of its CPU seconds counts. All numbers of all rows are compared. featuretools needs an older
pandas, so it gets an environment of its own (``--featuretools`` makes it) and a sample of customers,
scaled up by observations.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engines import ENGINES
from benchmarks.lines import monthly, write_lines
from benchmarks.peers import without_missing
from features.types import Floats

HERE = Path(__file__).parent
FEATURETOOLS = Path(".venv-featuretools")


def run(engine: str, lines: Path, cutoffs: int, target: Path | None) -> dict[str, float]:
    """One engine in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.engines",
        engine,
        str(lines),
        str(cutoffs),
        str(target or "-"),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    took: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return took


def measure(engine: str, lines: Path, cutoffs: int, target: Path | None) -> dict[str, float]:
    """The median of up to three runs; the last one keeps its result."""
    runs = [run(engine, lines, cutoffs, target)]
    while len(runs) < 3 and runs[0]["wall_seconds"] < 20:
        runs.append(run(engine, lines, cutoffs, None))
    return {key: statistics.median(each[key] for each in runs) for key in runs[0]}


def difference(ours: Path, theirs: Path) -> float:
    """The greatest difference over all numbers, relative where they exceed 1.

    Raises:
        RuntimeError: One has a number where the other has none.
    """
    a, b = np.load(ours, mmap_mode="r"), np.load(theirs, mmap_mode="r")
    if a.shape != b.shape:
        raise RuntimeError(f"{theirs.stem} has shape {b.shape} and ours {a.shape}")
    worst = 0.0
    for begin in range(0, len(a), 200_000):
        x: Floats = np.asarray(a[begin : begin + 200_000])
        y: Floats = np.asarray(b[begin : begin + 200_000])
        if (np.isnan(x) != np.isnan(y)).any():
            raise RuntimeError(f"{theirs.stem} and ours disagree about what is missing")
        gap = np.abs(x - y) / np.maximum(np.abs(x), 1)
        worst = max(worst, float(np.nanmax(gap, initial=0.0)))
    return worst


def one_customer() -> float:
    """Milliseconds to fetch one customer with 1,000 events out of a store and compute all 90 features."""
    import pyarrow as pa

    from features.catalogue.sets import PURCHASES
    from features.engine.compute import compute
    from features.engine.events import Events, sort_events
    from features.engine.observations import Observations

    rng = np.random.default_rng(0)
    customers, each = 1000, 1000
    rows = customers * each
    times = 1_577_836_800_000_000 + rng.integers(0, 5 * 365 * 86_400_000_000, rows)
    table = pa.table({
        "occurred_at": pa.array(times).cast(pa.timestamp("us")),
        "order_id": pa.array(rng.integers(0, rows // 3, rows)).cast(pa.string()),
        "product_id": pa.array(rng.integers(0, 500, rows)).cast(pa.string()),
        "quantity": rng.integers(1, 40, rows).astype(float),
        "amount": np.round(rng.lognormal(3, 1.2, rows), 2),
        "margin": np.round(rng.lognormal(2, 1.2, rows), 2),
        "created_at": pa.array(times).cast(pa.timestamp("us")),
        "employees": rng.lognormal(3, 1, rows), "acquisition_cost": rng.lognormal(3, 1, rows),
        **{name: pa.array(rng.integers(0, 9, rows)).cast(pa.string()) for name in ("industry", "country", "region")},
    })  # fmt: skip
    who = np.repeat(np.arange(customers, dtype=np.int32), each)
    store: dict[str, Events] = {
        name: sort_events(stream, table, who, customers, columns)
        for name, (stream, columns) in PURCHASES.streams.items()
    }
    observations = Observations(np.zeros(1, np.int32), np.array([int(times.max()) + 1]))
    took = []
    for customer in range(0, customers, 5):
        begin = time.perf_counter()
        fetched = {name: events.slice(customer, customer + 1) for name, events in store.items()}
        compute(PURCHASES, fetched, observations)
        took.append(time.perf_counter() - begin)
    return 1000 * statistics.median(took)


def featuretools(lines: Path, cutoffs: int, customers: int, observations: int) -> float | None:
    """CPU seconds extrapolated from a sample of customers; None where its environment is not there."""
    python = FEATURETOOLS / "bin" / "python"
    if not python.exists():
        return None
    command = [str(python), str(HERE / "featuretools_sample.py"), str(lines), str(customers)]
    command += [str(moment) for moment in monthly(cutoffs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    took = json.loads(done.stdout.splitlines()[-1])
    return float(took["cpu_seconds"] * observations / took["observations"])


def make_featuretools() -> None:
    """An environment with the older pandas that featuretools pins."""
    if not (FEATURETOOLS / "bin" / "featuretools").exists():
        subprocess.run([sys.executable, "-m", "venv", str(FEATURETOOLS)], check=True)
        pip = [str(FEATURETOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run(
            [*pip, "featuretools==1.31.0", "pandas<2.3", "numpy<2.3", "pyarrow", "setuptools<80"], check=True
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--cutoffs", type=int, nargs="+", default=[12, 48])
    parser.add_argument("--engines", nargs="+", default=[name for name in ENGINES if name != "ours"])
    parser.add_argument("--featuretools", action="store_true", help="make its environment and measure it too")
    parser.add_argument("--sample", type=int, default=40, help="customers for featuretools")
    parser.add_argument("--scratch", type=Path, help="folder for lines and results, several GB")
    options = parser.parse_args()
    options.engines = without_missing(options.engines, {"polars": "polars"})
    if options.featuretools:
        make_featuretools()
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="tokui-bench-") as name:
        folder = Path(name)
        lines = folder / "lines.parquet"
        people = write_lines(lines, options.rows)
        measured: dict[str, Any] = {
            "rows": options.rows,
            "customers": people,
            "one_customer_ms": one_customer(),
        }
        for cutoffs in options.cutoffs:
            measured[f"cutoffs_{cutoffs}"] = compared(options, lines, cutoffs, people, folder)
    print(json.dumps(measured))


def compared(
    options: argparse.Namespace, lines: Path, cutoffs: int, people: int, folder: Path
) -> dict[str, Any]:
    """All engines at so many cutoffs."""
    ours = measure("ours", lines, cutoffs, folder / "ours.npy")
    say(cutoffs, "ours", ours)
    found: dict[str, Any] = {"observations": people * cutoffs, **ours, "max_abs_diff": 0.0}
    for engine in options.engines:
        target = None if engine == "group_by" else folder / f"{engine}.npy"
        took = measure(engine, lines, cutoffs, target)
        say(cutoffs, engine, took)
        found[f"ratio_{engine}"] = took["cpu_seconds"] / ours["cpu_seconds"]
        if engine == "group_by":
            found["ratio_group_by"] = ours["cpu_seconds"] / took["cpu_seconds"]
        if target is not None:
            found["max_abs_diff"] = max(found["max_abs_diff"], difference(folder / "ours.npy", target))
            target.unlink()
    scaled = featuretools(lines, cutoffs, options.sample, people * cutoffs) if options.featuretools else None
    if scaled is not None:
        found["ratio_featuretools"] = scaled / ours["cpu_seconds"]
    return found


def say(cutoffs: int, engine: str, took: dict[str, float]) -> None:
    """One line for people, on standard error."""
    print(
        f"{cutoffs:3d} cutoffs  {engine:12s}" + "".join(f"  {k} {v:.2f}" for k, v in took.items()),
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
