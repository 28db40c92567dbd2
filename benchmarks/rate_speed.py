"""Speed of AUTOC and Qini with half-sample intervals, beside causalml's on the same data.

python -m benchmarks.rate_speed
"""

import json
import time
from importlib import import_module

import numpy as np

from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.ranking import rate
from features.types import Floats


def _data(rows: int, scores: int) -> tuple[Floats, dict[str, Floats]]:
    rng = np.random.default_rng(7)
    effect = rng.random(rows)
    gamma = effect + rng.normal(0, 2, rows)
    return gamma, {f"s{i}": effect + rng.normal(0, 0.2 * (i + 1), rows) for i in range(scores)}


def _causalml(gamma: Floats, priorities: dict[str, Floats], draws: int) -> float:
    """Seconds of causalml's half-sample bootstrap, extrapolated.

    `rate_score` gives one weighting a call, so AUTOC and Qini are two calls. Both are timed in this
    run on all rows and scores at 2 and at 4 draws (2 is its least); from these follow the cost of
    one draw and of what is done once, and with them that of all draws.
    """
    import pandas as pd

    # Not a plain import: it has no types, and need not be installed for the types of this to be checked.
    rate_score = import_module("causalml.metrics.rate").rate_score
    table = pd.DataFrame({**priorities, "tau": gamma})
    seconds = {2: 0.0, 4: 0.0}
    for few in seconds:
        start = time.perf_counter()
        for weighting in ("autoc", "qini"):
            rate_score(table, weighting=weighting, return_ci=True, n_bootstrap=few, random_state=7)
        seconds[few] = time.perf_counter() - start
    each = (seconds[4] - seconds[2]) / 2
    return seconds[2] + (draws - 2) * each


def measure(rows: int = 1_000_000, scores: int = 5, draws: int = 200, peer: bool = True) -> dict[str, float]:
    """Time our `rate` and causalml's `rate_score`.

    Args:
        rows: Customers.
        scores: Priorities to compare.
        draws: Half-samples.
        peer: Time causalml too, a minute or so at full size.

    Returns:
        ``seconds`` (wall, two threads) and ``cpu_seconds`` of ours, sorting included and compilation
        not; ``causalml_seconds`` and ``ratio_causalml``, its wall over ours, where asked for.
    """
    gamma, priorities = _data(rows, scores)
    rate(gamma[:100], {"warm": gamma[:100]})
    start, cpu = time.perf_counter(), time.process_time()
    rate(gamma, priorities, samples=HalfSamples.draw(rows, draws=draws))
    found = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    if peer:
        found["causalml_seconds"] = _causalml(gamma, priorities, draws)
        found["ratio_causalml"] = found["causalml_seconds"] / found["seconds"]
    return found


if __name__ == "__main__":
    print(json.dumps({key: round(value, 3) for key, value in measure().items()}))
