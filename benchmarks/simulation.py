"""Simulated repetitions of a statistical promise: how often an interval covers, or a test cries wolf."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

Once = Callable[[np.random.Generator], bool]


@dataclass(frozen=True)
class Case:
    """One promise.

    Args:
        name: What is promised.
        low: Least share of repetitions that may be true.
        high: Greatest share.
        once: Simulates data anew and says whether the interval covered (or the test rejected); a
            function of a module, so that another process can run it.
        count: Repetitions in `benchmarks.coverage`; the tests take fewer.
    """

    name: str
    low: float
    high: float
    once: Once
    count: int = 1000

    def __str__(self) -> str:
        return self.name


def rate(case: Case, count: int | None = None, seed: int = 7, workers: int = 1) -> tuple[float, float]:
    """Share of repetitions that were true, and its standard error.

    Args:
        case: What is repeated.
        count: How often; the case's own number if not given.
        seed: Repetition i depends on the seed and i only.
        workers: Processes.
    """
    count = case.count if count is None else count
    seeds = np.random.SeedSequence(seed).spawn(count)
    one = partial(_once, case.once)
    if workers == 1:
        found = [one(each) for each in seeds]
    else:
        with ProcessPoolExecutor(workers) as pool:
            found = list(pool.map(one, seeds, chunksize=max(1, count // (8 * workers))))
    share = float(np.mean(found))
    return share, float(np.sqrt(max(share * (1 - share), 1 / count) / count))


def _once(once: Once, seed: np.random.SeedSequence) -> bool:
    return bool(once(np.random.default_rng(seed)))
