"""Sealed: a file's content mapped from a verified copy that nobody else writes to.

A map of the file itself would show whatever is written over it later, and a file that is cut short ends every
process that touches the rest. So it is read once, from begin to end; what was read is what is summed up and
what is mapped.
"""

import contextlib
import hashlib
import mmap
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from features.errors import ChecksumError
from features.locks import alone

_PIECE = 1 << 22
_HEAD = 64

Expected = Callable[[Path, bytes, int], tuple[int, bytes]]
"""From a path, its first bytes and its size to where what is summed up begins, and its SHA-256."""


def sealed(path: Path, expected: Expected, copies: Path | None = None) -> mmap.mmap:
    """Map a verified copy of a file.

    Args:
        path: The file.
        expected: What it must sum up to; may refuse it.
        copies: A private folder, in which processes find one another's copies; those of other content are
            removed from it. Without one, or without room in it, the copy has no name, and where there is no
            room on disk either it lies in memory.

    Raises:
        OSError: It cannot be opened.
        ChecksumError: It is not what it must sum up to.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD)
        begin, digest = expected(path, head, size)

        def copied(take: Callable[[bytes], object]) -> None:
            file.seek(0)
            _copy(file, path, take, begin, digest)

        if copies is not None:
            with contextlib.suppress(OSError):
                return _shared(copies, f"{digest.hex()[:32]}.{path.name}", copied)
        with contextlib.suppress(OSError), tempfile.TemporaryFile(prefix="tokui-") as own:
            copied(own.write)
            own.flush()
            return mmap.mmap(own.fileno(), 0, access=mmap.ACCESS_READ)
        memory = mmap.mmap(-1, size)
        try:
            copied(memory.write)
        except ValueError as error:
            raise _altered(path) from error
        return memory


def _copy(file: BinaryIO, path: Path, take: Callable[[bytes], object], begin: int, digest: bytes) -> None:
    total = hashlib.sha256()
    at = 0
    while piece := file.read(_PIECE):
        total.update(memoryview(piece)[max(0, begin - at) :])
        at += len(piece)
        take(piece)
    if total.digest() != digest:
        raise _altered(path)


def _shared(copies: Path, name: str, copied: Callable[[Callable[[bytes], object]], None]) -> mmap.mmap:
    """The copy of that name, made if need be; the original is read to its end in any case."""
    path = copies / name
    with alone(copies / ".lock"):
        if path.exists():
            copied(len)
        else:
            for older in copies.glob(f"*.{name.partition('.')[2]}"):
                # Whoever has mapped it keeps it.
                older.unlink()
            # Nothing here outlives the processes that share it, so it need not be forced to disk.
            with (copies / "new").open("wb") as made:
                copied(made.write)
            (copies / "new").replace(path)
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _altered(path: Path) -> ChecksumError:
    return ChecksumError(f"{path} is cut short or was altered; run `tokui snapshot` again")
