"""featuretools on a sample of customers, in its own environment. Prints one JSON line.

python featuretools_sample.py LINES.parquet CUSTOMERS CUTOFF…
"""

import json
import sys
import time
import warnings

import featuretools
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
WINDOWS = ("30d", "90d", "180d", "365d", None)
WORDS = [
    "count",
    "sum",
    "mean",
    "std",
    "min",
    "max",
    "num_unique",
    "time_since_last",
    "time_since_first",
    "avg_time_between",
]


def main() -> None:
    """Measure."""
    path, customers, *cutoffs = sys.argv[1:]
    lines = pd.read_parquet(path)
    rng = np.random.default_rng(5)
    chosen = rng.choice(lines["customer_id"].unique(), int(customers), replace=False)
    lines = lines[lines["customer_id"].isin(chosen)].reset_index(drop=True)
    lines["line"] = np.arange(len(lines))
    begin = time.process_time()
    held = featuretools.EntitySet("orders")
    held.add_dataframe(
        dataframe_name="lines",
        dataframe=lines,
        index="line",
        time_index="occurred_at",
    )
    held.normalize_dataframe("lines", "customers", "customer_id", make_time_index=False)
    times = pd.DataFrame(
        [(c, pd.Timestamp(int(t), unit="us")) for c in chosen for t in cutoffs],
        columns=["customer_id", "time"],
    )
    for window in WINDOWS:
        featuretools.dfs(
            entityset=held,
            target_dataframe_name="customers",
            cutoff_time=times,
            training_window=window,
            agg_primitives=WORDS,
            trans_primitives=[],
            max_depth=1,
            n_jobs=1,
        )
    print(json.dumps({"cpu_seconds": time.process_time() - begin, "observations": len(times)}))


if __name__ == "__main__":
    main()
