"""The serving snapshot: features of all customers as of one moment, in one memory-mapped file.

    8 bytes     TOKUI001
    8 bytes     length of the header
    32 bytes    SHA-256 of all that follows
    header      JSON: names, vocabularies, fingerprint, as of, counts, facts
    ids         ascending, UTF-8, padded with zeros to one width
    rows        float64, row by row, aligned to 64 bytes

Whoever reads it maps a copy of its own, see `features.engine.sealed`, and touches only the rows it is asked
for; many workers share one copy.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from features.engine.compute import compute_runs, vocabularies
from features.engine.matrix import FeatureMatrix
from features.engine.observations import Observations
from features.engine.sealed import sealed
from features.engine.store import load_parts
from features.engine.streams import Stream
from features.engine.views import FeatureSet
from features.errors import ChecksumError, DefinitionError
from features.files import file_whole
from features.types import Floats

MAGIC = b"TOKUI001"
_ALIGN = 64
_BEGIN = 48


@dataclass(frozen=True, eq=False)
class Snapshot:
    """An open snapshot.

    Args:
        path: Its file.
        as_of: The moment, ISO date and time on the project's wall clock.
        names: Feature names, p of them.
        categories: Vocabulary of each categorical feature.
        fingerprint: Of the feature set.
        facts: JSON-able: currency, time zone, bound columns, data fingerprint; where accounts belong to others,
            ``groups``: parent and head of the group, by account.
        ids: Customer ids as padded bytes, ascending, [n].
        rows: float64 [n, p], mapped.
    """

    path: Path
    as_of: str
    names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    fingerprint: str
    facts: dict[str, Any]
    ids: npt.NDArray[np.bytes_]
    rows: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def position(self, customer_id: str) -> int:
        """A customer's row, or -1."""
        name = customer_id.encode()
        if len(name) > self.ids.dtype.itemsize or not name:
            return -1
        at = int(np.searchsorted(self.ids, np.bytes_(name)))
        return at if at < len(self.ids) and self.ids[at] == name else -1

    def matrix(self, rows: slice | npt.NDArray[np.int64]) -> FeatureMatrix:
        """Some rows as a feature matrix."""
        return FeatureMatrix(self.names, self.rows[rows], self.categories)

    def customer_ids(self, rows: slice) -> list[str]:
        """Ids of some rows."""
        return [customer_id.decode() for customer_id in self.ids[rows].tolist()]


def write_snapshot(
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    features: FeatureSet,
    people: Sequence[Stream],
    as_of: int,
    as_of_text: str,
    facts: Mapping[str, Any],
    *,
    threads: int = 1,
) -> int:
    """Compute all customers' features as of a moment and write them; the file appears whole.

    Args:
        path: Where to.
        connection: Holds the bound tables.
        features: What to compute, bound to them.
        people: The streams that tell who is a customer, and since when.
        as_of: The cutoff, microseconds.
        as_of_text: The same for people, ISO.
        facts: Kept in the header.
        threads: Worker threads.

    Returns:
        The number of customers.

    Raises:
        DefinitionError: No customer was known by then.
    """
    ids: list[bytes] = []
    blocks: list[Floats] = []
    words: dict[str, list[str]] = {}
    for store in load_parts(connection, features.streams, people):
        observations = Observations.grid(store.first_seen, [as_of])
        names = store.ids.to_pylist()
        ids += [names[k].encode() for k in observations.customers.tolist()]
        texts = vocabularies(features, store.streams)
        recode = {
            features.names.index(name): _extend(words.setdefault(name, []), t.to_pylist())
            for name, t in texts.items()
        }
        for _, block in compute_runs(features, store.streams, observations, threads=threads):
            for row, codes in recode.items():
                known = ~np.isnan(block[row])
                block[row, known] = codes[block[row, known].astype(np.intp)]
            blocks.append(np.ascontiguousarray(block.T))
    if not ids:
        raise DefinitionError(f"no customer was known by {as_of_text}; give a later --as-of")
    order = np.argsort(np.array(ids), kind="stable")
    index = np.array(ids)[order]
    rows = np.concatenate(blocks)[order]
    header = {
        "as_of": as_of_text,
        "names": list(features.names),
        "categories": words,
        "fingerprint": features.fingerprint,
        "facts": dict(facts),
        "customers": len(index),
        "id_width": index.dtype.itemsize,
    }
    text = json.dumps(header, ensure_ascii=False).encode()
    padding = b"\0" * (-(_BEGIN + len(text) + index.nbytes) % _ALIGN)
    body = (text, index.tobytes(), padding, rows.view(np.uint8).data)
    digest = hashlib.sha256()
    for piece in body:
        digest.update(piece)
    with file_whole(path) as partial, partial.open("wb") as file:
        file.write(MAGIC + len(text).to_bytes(8, "little") + digest.digest())
        for piece in body:
            file.write(piece)
    return len(index)


def _extend(words: list[str], texts: Iterable[str]) -> Floats:
    """Codes of one part's vocabulary in the vocabulary of all."""
    known = {word: k for k, word in enumerate(words)}
    codes = []
    for text in texts:
        if text not in known:
            known[text] = len(words)
            words.append(text)
        codes.append(float(known[text]))
    return np.array(codes)


def open_snapshot(path: Path, copies: Path | None = None) -> Snapshot:
    """Map a verified copy of a snapshot, so that nothing done to the file afterwards can reach its readers.

    Args:
        path: The file.
        copies: A private folder in which several processes share a copy; one of its own if not given.

    Raises:
        FileNotFoundError: There is none.
        ChecksumError: It is not a snapshot, is cut short or was altered.
    """
    whole = sealed(path, _checked, copies)
    size = int.from_bytes(whole[8:16], "little")
    try:
        header = json.loads(whole[_BEGIN : _BEGIN + size])
        count, width, names = header["customers"], header["id_width"], tuple(header["names"])
        begin = _BEGIN + size
        middle = begin + count * width
        middle += -middle % _ALIGN
        ids = np.frombuffer(whole, f"S{width}", count, begin)
        rows = np.frombuffer(whole, np.float64, count * len(names), middle).reshape(count, len(names))
        return Snapshot(
            path=path,
            as_of=header["as_of"],
            names=names,
            categories={name: tuple(words) for name, words in header["categories"].items()},
            fingerprint=header["fingerprint"],
            facts=header["facts"],
            ids=ids,
            rows=rows,
        )
    except (KeyError, ValueError) as error:
        raise ChecksumError(
            f"{path} is cut short or was altered ({error}); run `tokui snapshot` again"
        ) from error


def _checked(path: Path, head: bytes, size: int) -> tuple[int, bytes]:
    """Where what is summed up begins, and the sum."""
    if size == 0:
        raise ChecksumError(f"{path} is empty; run `tokui snapshot` again")
    if head[:8] != MAGIC or _BEGIN + int.from_bytes(head[8:16], "little") > size:
        raise ChecksumError(f"{path} is not a tokui snapshot; run `tokui snapshot` again")
    return _BEGIN, head[16:_BEGIN]
