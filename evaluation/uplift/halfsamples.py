"""Half-sample intervals: the spread of a statistic over random halves of the customers.

A half drawn without replacement has sampling variance s²/(n/2) · (1 - 1/2) = s²/n about the whole:
just the variance of the whole about the truth. So the standard deviation over halves is the standard
error as it stands, without a factor of √2 (Yadlowsky and others 2025, "Evaluating treatment
prioritization rules via rank-weighted average treatment effects"; McCarthy 1969). Unlike a resample
with replacement, a half makes no ties among distinct customers, so rankings stay rankings.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from evaluation.estimate import Comparison, Estimate
from features.errors import ExperimentError
from features.kernel import kernel
from features.types import Floats, Index

Bits = NDArray[np.uint8]
Evaluate = Callable[[Bits, np.uint8], tuple[float, ...]]
"""Takes a byte per item and the bit that says whether the item is in the half."""

MINIMUM = 20
"""Fewest customers (clusters) with an interval: below, the spread over halves says too little."""

DRAWS = 200
_FEWEST_DRAWS = 20


@dataclass(frozen=True, eq=False)
class HalfSamples:
    """The same random halves of the clusters for every statistic that is to be compared.

    Functions that take ``samples`` draw their own where none are given: 200 (`select` 500), each row by
    itself. Draw them here for what was randomised as a whole, for more halves, or to share them.

    Args:
        code: Cluster of each row, [n].
        bits: uint8 [blocks, clusters]; bit b of ``bits[i, c]`` says whether cluster c is in half 8 i + b.
        draws: Number of halves.
        threads: How many statistics are computed at a time, at most.
    """

    code: Index
    bits: Bits
    draws: int
    threads: int

    @classmethod
    def draw(
        cls, n: int, clusters: ArrayLike | None = None, *, draws: int = DRAWS, seed: int = 7, threads: int = 2
    ) -> Self:
        """Draw the halves.

        Args:
            n: Rows.
            clusters: What was randomised as a whole, [n]; each row by itself if not given.
            draws: Halves.
            seed: Of the draws.
            threads: At most so many at a time; results do not depend on it.

        Raises:
            ExperimentError: Fewer than 20 clusters or draws, or clusters not [n].
        """
        code = cluster_codes(clusters, n)
        k = int(code.max()) + 1
        if draws < _FEWEST_DRAWS:
            raise ExperimentError(f"draws = {draws}: an interval needs {_FEWEST_DRAWS} half-samples or more")
        generator = np.random.default_rng(seed)
        bits = np.empty((-(-draws // 8), k), np.uint8)
        for block in bits:
            # One of each pair of clusters: exactly half of them (of an odd number one more or less),
            # and by symmetry any half is as likely as any other. Eight draws share a pairing.
            pairs = generator.permutation(k)
            coins = generator.integers(0, 256, (k + 1) // 2, dtype=np.uint8)
            block[pairs[: len(coins)]] = coins
            block[pairs[len(coins) :]] = ~coins[: k // 2]
        return cls(code, bits, draws, threads)

    def evaluate(self, code: Index, evaluate: Evaluate, width: int) -> Floats:
        """A statistic of several numbers on every half.

        Args:
            code: Cluster of each item, in the order in which the statistic wants them.
            evaluate: The statistic; it runs in several threads at once.
            width: How many numbers it gives.

        Returns:
            float64 [draws, width].
        """
        out = np.empty((self.draws, width))

        def one(block: int) -> None:
            items = self.bits[block][code]
            for bit in range(min(8, self.draws - 8 * block)):
                out[8 * block + bit] = evaluate(items, np.uint8(1 << bit))

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(one, range(len(self.bits))))
        return out


def drawn(samples: HalfSamples | None, n: int, draws: int = DRAWS) -> HalfSamples:
    """The half-samples given, or so many of n rows each by itself.

    Raises:
        ExperimentError: Those given are of another number of rows, or fewer than 20 rows.
    """
    if samples is None:
        return HalfSamples.draw(n, draws=draws)
    if len(samples.code) != n:
        raise ExperimentError(
            f"half-samples of {len(samples.code)} rows do not go with {n} rows; draw them for these"
        )
    return samples


def everything(n: int) -> tuple[Bits, np.uint8]:
    """What `Evaluate` takes for the whole sample of n items."""
    return np.ones(n, np.uint8), np.uint8(1)


def cluster_codes(clusters: ArrayLike | None, n: int) -> Index:
    """Clusters as codes 0, 1 … [n].

    Raises:
        ExperimentError: Not one a row, or fewer than 20 of them.
    """
    if clusters is None:
        code, k = np.arange(n, dtype=np.int32), n
    else:
        labels = np.asarray(clusters)
        if labels.shape != (n,):
            raise ExperimentError(f"clusters have shape {labels.shape}; they must be [{n}], one a row")
        known, inverse = np.unique(labels, return_inverse=True)
        code, k = inverse.astype(np.int32), len(known)
    if k < MINIMUM:
        raise ExperimentError(
            f"{k} independent customers (clusters): an interval needs {MINIMUM} or more; wait for more data"
        )
    return code


def row_weights(weight: ArrayLike | None, n: int) -> Floats:
    """Weights as float64 [n], ones where not given.

    Raises:
        ExperimentError: Not [n], negative, not finite or all 0.
    """
    if weight is None:
        return np.ones(n)
    w = np.asarray(weight, dtype=np.float64)
    if w.shape != (n,) or not (np.isfinite(w).all() and (w >= 0).all() and w.any()):
        raise ExperimentError(f"weights {w.shape} must be [{n}], finite, not negative and not all 0")
    return w


def finite(name: str, values: ArrayLike, shape: tuple[int | None, ...]) -> Floats:
    """Values as float64 of a shape in which None stands for any length above 0.

    Raises:
        ExperimentError: Another shape, or values that are not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    fits = array.ndim == len(shape) and all(
        got == want if want is not None else got > 0 for got, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        raise ExperimentError(f"{name} has shape {list(array.shape)}; it must be [{wanted}]")
    bad = ~np.isfinite(array)
    if bad.any():
        where = np.argwhere(bad)[0].tolist()
        raise ExperimentError(
            f"{name} has {int(bad.sum())} values that are NaN or infinite, the first at {where}; "
            "leave those customers out"
        )
    return array


def standard_error(draws: Floats) -> Floats:
    """Standard deviation over halves, column by column."""
    return np.asarray(draws.std(axis=0, ddof=1))


def normal(value: float, error: float, level: float) -> Estimate:
    """Normal interval around the estimate of the whole sample.

    Raises:
        ExperimentError: A level outside (0, 1).
    """
    if not 0 < level < 1:
        raise ExperimentError(f"level = {level} must be between 0 and 1, such as 0.95")
    reach = float(ndtri((1 + level) / 2)) * error
    return Estimate(float(value), float(value - reach), float(value + reach))


def compared(a: float, b: float, error: float, level: float) -> Comparison:
    """Two values and the standard error of their difference; the normal p value of "a is no worse"."""
    seen = a - b
    p_worse = float(ndtr(seen / error)) if error > 0 else float(seen >= 0)
    return Comparison(float(a), float(b), normal(seen, error, level), p_worse)


@kernel
def along(
    value: Floats, length: Floats, ends: NDArray[np.bool_], keep: Bits, bit: np.uint8, at: Floats
) -> Floats:
    """Cumulative value where the cumulative length reaches each of ``at`` (ascending).

    Items of one group (up to and with the next of ``ends``) are interchangeable: a straight line.
    Behind the last item the value stays. Items outside the half are passed over.
    """
    out = np.empty(len(at))
    x = 0.0
    y = 0.0
    group_x = 0.0
    group_y = 0.0
    j = 0
    for i in range(len(value)):
        # A product and no branch: halves are random, and a wrong guess costs more than the sums.
        inside = (keep[i] & bit) != 0
        group_x += length[i] * inside
        group_y += value[i] * inside
        if ends[i]:
            while j < len(at) and at[j] < x + group_x:
                out[j] = y + group_y * (at[j] - x) / group_x
                j += 1
            if j == len(at):
                return out
            x += group_x
            y += group_y
            group_x = 0.0
            group_y = 0.0
    out[j:] = y
    return out
