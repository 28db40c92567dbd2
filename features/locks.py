"""Locks: whoever makes something holds it, so what nobody holds was left behind by a kill.

A lock ends with its process, however that ends, and no other process can take it for granted. Where a
file system keeps no locks nothing is ever proven dead, and everything stays.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file, which is made where it is not there; waits for whoever holds it.

    Raises:
        OSError: It cannot be made.
    """
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def hold(handle: int, path: Path) -> bool:
    """Hold what has just been made, until its handle is closed.

    Args:
        handle: Of the open file or folder.
        path: Its name.

    Returns:
        Whether it is still there: somebody who clears up may have come first.
    """
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Take what nobody holds any more.

    Yields:
        Whether its maker is dead. It is held meanwhile, so that nobody else takes it for alive.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield False
        return
    try:
        yield _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.ENOLCK, errno.EBADF, errno.EOPNOTSUPP, errno.EINTR}:
            return False
        raise
    return True
