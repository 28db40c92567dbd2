"""Events of one stream, sorted by customer and time: the form every sweep runs over."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.engine.streams import Stream
from features.engine.windows import ALWAYS
from features.errors import DefinitionError
from features.kernel import kernel
from features.types import Floats, Index, Times


@kernel
def _places(customers: Index, offsets: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> None:
    # A stable counting sort, so rows of the same time keep the order in which the source gave them.
    for customer in customers:
        if customer >= 0:
            offsets[customer + 1] += 1
    for k in range(len(offsets) - 1):
        offsets[k + 1] += offsets[k]
    cursor = offsets[:-1].copy()
    for row in range(len(customers)):
        customer = customers[row]
        if customer >= 0:
            places[row] = cursor[customer]
            cursor[customer] += 1
        else:
            places[row] = -1


@kernel
def _scatter(places: npt.NDArray[np.int64], values: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
    # Reading in order and writing at random is cheaper than the reverse: writes need not be waited for.
    for row in range(len(places)):
        if places[row] >= 0:
            out[places[row]] = values[row]


@kernel
def _is_sorted(offsets: npt.NDArray[np.int64], times: Times) -> bool:
    for customer in range(len(offsets) - 1):
        for i in range(offsets[customer] + 1, offsets[customer + 1]):
            if times[i] < times[i - 1]:
                return False
    return True


@kernel
def _sort_runs(offsets: npt.NDArray[np.int64], times: Times, places: npt.NDArray[np.int64]) -> None:
    # Histories mostly arrive in time order; only a customer whose rows do not is sorted.
    moved = np.arange(len(times))
    for customer in range(len(offsets) - 1):
        a = offsets[customer]
        b = offsets[customer + 1]
        for i in range(a + 1, b):
            if times[i] < times[i - 1]:
                by_time = np.argsort(times[a:b], kind="mergesort")
                times[a:b] = times[a:b][by_time]
                for k in range(b - a):
                    moved[a + by_time[k]] = a + k
                break
    for row in range(len(places)):
        if places[row] >= 0:
            places[row] = moved[places[row]]


@dataclass(frozen=True, slots=True)
class Events:
    """A stream's rows as arrays.

    Args:
        offsets: [customers + 1], where each customer's rows begin.
        times: int64 [rows], ascending within a customer.
        numbers: float64 [rows] by column; NaN means missing.
        codes: int32 [rows] by text column; −1 means missing. Equal text has equal codes; what the
            codes are carries no meaning.
        texts: What each code of a column says, by column.
    """

    offsets: npt.NDArray[np.int64] | Index
    times: Times
    numbers: dict[str, Floats]
    codes: dict[str, Index]
    texts: dict[str, pa.Array]

    def slice(self, first: int, last: int) -> "Events":
        """Rows of the customers in [first, last), as views, offsets starting at 0.

        Raises:
            DefinitionError: They are too many for 32-bit positions.
        """
        a, b = int(self.offsets[first]), int(self.offsets[last])
        if b - a >= np.iinfo(np.int32).max:
            raise DefinitionError(f"{b - a:,} rows in one batch; 2,147,483,647 is the most")
        return Events(
            (self.offsets[first : last + 1] - a).astype(np.int32),
            self.times[a:b],
            {name: values[a:b] for name, values in self.numbers.items()},
            {name: codes[a:b] for name, codes in self.codes.items()},
            self.texts,
        )


def customer_codes(ids: pa.ChunkedArray | pa.Array, index: pa.Array) -> Index:
    """Positions of customer ids in an index of them, int32 [rows]; −1 where not in it."""
    # Unique ids are looked up once, not once a row.
    encoded = _combined(ids).dictionary_encode()
    places = pc.index_in(encoded.dictionary, index).fill_null(-1).to_numpy(zero_copy_only=False)
    codes = encoded.indices.fill_null(len(places)).to_numpy(zero_copy_only=False)
    positions: Index = np.append(places, -1).astype(np.int32)
    customers: Index = np.take(positions, codes)
    return customers


def sort_events(
    stream: Stream,
    rows: pa.Table,
    customers: Index,
    count: int,
    columns: Collection[str],
    *,
    known: bool = True,
) -> Events:
    """Sort the rows of a canonical table that belong to a stream.

    Args:
        stream: Which rows take part, and what dates them.
        rows: The canonical table, in source order.
        customers: int32 [rows], each row's customer; −1 leaves the row out.
        count: Number of customers.
        columns: Columns of the stream to carry.
        known: Date a row by when it was known, as features must; labels ask what happened, and
            pass False.
    """
    times = stream.times(rows, known=known)
    out = np.zeros(len(times), np.bool_)
    keep = stream.keeps(rows)
    if keep is not None:
        out |= ~keep
    if not stream.undated_always:
        out |= times == ALWAYS
    if out.any():
        customers = np.where(out, np.int32(-1), customers)
    offsets = np.zeros(count + 1, np.int64)
    places = np.empty(len(customers), np.int64)
    _places(customers, offsets, places)

    def placed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        out = np.empty(offsets[-1], values.dtype)
        _scatter(places, values, out)
        return out

    sorted_times = placed(times)
    if not _is_sorted(offsets, sorted_times):
        _sort_runs(offsets, sorted_times, places)
    numbers, codes, texts = {}, {}, {}
    for name in columns:
        if stream.is_text(name):
            encoded = _combined(rows[name]).dictionary_encode()
            codes[name] = placed(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False))
            texts[name] = encoded.dictionary
        else:
            numbers[name] = placed(stream.number(rows, name))
    return Events(offsets, sorted_times, numbers, codes, texts)


def _combined(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
