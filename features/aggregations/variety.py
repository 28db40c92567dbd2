"""How many different things, and how much of one: sweeps by previous and next occurrence."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from features.engine.aggregation import Aggregation
from features.engine.batch import Batch
from features.engine.windows import Window
from features.kernel import kernel
from features.types import Floats, Index


@kernel
def _occurrences(
    offsets: Index, codes: Index, distinct: int, previous: Index, following: Index, first: Index
) -> None:
    seen = np.full(distinct, -1, np.int32)
    for customer in range(len(offsets) - 1):
        begin = offsets[customer]
        count = 0
        for i in range(begin, offsets[customer + 1]):
            following[i] = np.iinfo(np.int32).max
            code = codes[i]
            previous[i] = np.iinfo(np.int32).max
            if code >= 0:
                last = seen[code]
                if last >= begin:
                    previous[i] = last
                    following[last] = i
                else:
                    previous[i] = -1
                    count += 1
                seen[code] = i
            first[i] = count


@kernel
def _distinct(
    codes: Index,
    previous: Index,
    following: Index,
    first: Index,
    obs_offsets: Index,
    lo: Index,
    hi: Index,
    start: Index,
    out: Floats,
) -> None:
    for w in range(lo.shape[0]):
        for customer in range(len(obs_offsets) - 1):
            # The window [a, b) slides. A row that enters is new if its like came before a; a row
            # that leaves takes its like along if the next one is not yet inside.
            a = -1
            b = -1
            count = 0
            for k in range(obs_offsets[customer], obs_offsets[customer + 1]):
                if lo[w, k] == start[k]:
                    # Nothing has left yet: the count so far is known without sliding.
                    a = start[k]
                    b = hi[k]
                    count = first[b - 1] if b > a else 0
                    out[w, k] = count
                    continue
                if a < 0 or lo[w, k] >= b:
                    a = lo[w, k]
                    b = a
                    count = 0
                while b < hi[k]:
                    if previous[b] < a:
                        count += 1
                    b += 1
                while a < lo[w, k]:
                    if codes[a] >= 0 and following[a] >= b:
                        count -= 1
                    a += 1
                out[w, k] = count


@kernel
def _top_share(codes: Index, distinct: int, obs_offsets: Index, lo: Index, hi: Index, out: Floats) -> None:
    rows_of = np.zeros(distinct, np.int32)
    # codes_with[n]: how many codes have n rows inside. Only the top can vanish, one step at a time.
    codes_with = np.zeros(len(codes) + 2, np.int32)
    for w in range(lo.shape[0]):
        for customer in range(len(obs_offsets) - 1):
            a = -1
            b = -1
            top = 0
            rows = 0
            for k in range(obs_offsets[customer], obs_offsets[customer + 1]):
                if a < 0:
                    a = lo[w, k]
                    b = a
                while b < hi[k]:
                    code = codes[b]
                    b += 1
                    if code >= 0:
                        n = rows_of[code]
                        rows_of[code] = n + 1
                        codes_with[n] -= 1
                        codes_with[n + 1] += 1
                        top = max(top, n + 1)
                        rows += 1
                while a < lo[w, k]:
                    code = codes[a]
                    a += 1
                    if code >= 0:
                        n = rows_of[code]
                        rows_of[code] = n - 1
                        codes_with[n] -= 1
                        codes_with[n - 1] += 1
                        if n == top and codes_with[n] == 0:
                            top -= 1
                        rows -= 1
                out[w, k] = top / rows if rows > 0 else np.nan
            for i in range(a, b):
                code = codes[i]
                if code >= 0:
                    codes_with[rows_of[code]] -= 1
                    rows_of[code] -= 1
                    codes_with[rows_of[code]] += 1


@dataclass(frozen=True, slots=True)
class DistinctCount(Aggregation):
    """Number of different values of a text column.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import days
        >>> batch = Batch.of_days([40, 90, 95], cutoff=100, product_id=["a", "b", "b"])
        >>> DistinctCount("product_id").over(batch, days(30, 90)).ravel().tolist()
        [1.0, 2.0]
    """

    word: ClassVar[str] = "distinct"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        codes, distinct = batch.compact_codes(self.column)
        previous, following, first = np.empty((3, len(codes)), np.int32)
        _occurrences(batch.offsets, codes, distinct, previous, following, first)
        lo = batch.lo(windows)
        _distinct(codes, previous, following, first, batch.obs_offsets, lo, batch.hi, batch.start, out)


@dataclass(frozen=True, slots=True)
class TopShare(Aggregation):
    """Share of the rows that the most frequent value of a text column has, 0 to 1.

    Examples:
        >>> from features.engine.batch import Batch
        >>> from features.engine.windows import days
        >>> batch = Batch.of_days([40, 90, 95], cutoff=100, product_id=["a", "b", "b"])
        >>> TopShare("product_id").over(batch, days(30, 90)).ravel().round(3).tolist()
        [1.0, 0.667]
    """

    word: ClassVar[str] = "top_share"
    column: str

    def compute(self, batch: Batch, windows: tuple[Window, ...], out: Floats) -> None:  # noqa: D102
        codes, distinct = batch.compact_codes(self.column)
        _top_share(codes, distinct, batch.obs_offsets, batch.lo(windows), batch.hi, out)
