"""The server's log, and a line a request where it is asked for; neither can fill a disk."""

import contextlib
import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

log = logging.getLogger("tokui.serving")

_SELDOM_SECONDS = 10.0
_RETRY_SECONDS = 10.0


class Seldom:
    """A warning that is said at most every ten seconds, however often there is reason to.

    Args:
        text: The message, with a place for the number of times and for what is noted.
    """

    def __init__(self, text: str) -> None:
        self._text, self._times, self._next = text, 0, 0.0

    def note(self, *what: str) -> None:
        """Count one more, and say it if it is time."""
        self._times += 1
        now = time.monotonic()
        if now >= self._next:
            log.warning(self._text, self._times, *what)
            self._times, self._next = 0, now + _SELDOM_SECONDS


class AccessLog:
    """A line of JSON a request: when, which, what was answered, how long it took. No customer is in it.

    A full file is put aside and the oldest is removed, so that all together stay below ``files`` times
    ``most_bytes``. What cannot be written is counted and left out: a full disk must not stop answers.

    Args:
        path: The file; no other process may write it.
        most_bytes: Size at which it is put aside.
        files: How many are kept.
    """

    def __init__(self, path: Path, most_bytes: int = 16 * 1024 * 1024, files: int = 4) -> None:
        self._path, self._most, self._files = path, most_bytes, files
        self._encode = msgspec.json.Encoder().encode
        self._lost, self._again = 0, 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, request_id: str, method: str, route: str, status: int, seconds: float, size: int) -> None:
        """Note one request; status 0 means that the client went away."""
        if self._lost and time.monotonic() < self._again:
            self._lost += 1
            return
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": request_id,
            "method": method[:16],
            "route": route,
            "status": status,
            "ms": round(seconds * 1e3, 3),
            "bytes": size,
        }
        if self._lost:
            line["lost"] = self._lost
        try:
            if self._size > self._most:
                self._turn()
            self._size += self._file.write(self._encode(line) + b"\n")
            self._lost = 0
        except OSError as error:
            if not self._lost:
                log.warning("the access log cannot be written: %s", error)
            self._lost += 1
            self._again = time.monotonic() + _RETRY_SECONDS

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def _turn(self) -> None:
        names = [self._path, *(self._path.with_suffix(f".{k}.jsonl") for k in range(1, self._files))]
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)
        fresh = self._path.open("ab", buffering=0)
        self._file.close()
        self._file, self._size = fresh, 0
