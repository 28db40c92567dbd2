"""How sweeps are compiled, and where what was compiled is kept.

It is kept beside the source where that may be written, otherwise in a folder of this user's among the
system's temporary files, or where ``NUMBA_CACHE_DIR`` says; never in the home folder. Where there is no such
place, or no room in it, sweeps are compiled anew by each process.
"""

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from numba import config, njit
from numba.core.caching import FunctionCache

_FOLDER = "NUMBA_CACHE_DIR"


def _place() -> str | None:
    """Where numba is to keep things besides its usual place, or nothing if it need not."""
    beside = Path(__file__).resolve().parent
    if os.environ.get(_FOLDER) or os.access(
        beside / "__pycache__" if (beside / "__pycache__").exists() else beside, os.W_OK
    ):
        return None
    folder = Path(tempfile.gettempdir()) / f"tokui-numba-{os.geteuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        # What is read from there is run: a folder that somebody else has put there is not used.
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077:
            return str(folder)
    return ""


def _prepared() -> bool:
    """Whether there is a place, which numba is told of."""
    try:
        place = _place()
    except FileNotFoundError:
        # There is no folder for temporary files.
        place = ""
    if place:
        # For processes that are started from here; numba itself may have been imported before.
        os.environ[_FOLDER] = config.CACHE_DIR = place
    return place != ""


_KEPT = _prepared()

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Cache(FunctionCache):  # type: ignore[misc]  # untyped base
    """Numba's, which a full disk or a damaged file does not stop."""

    def load_overload(self, *what: Any) -> Any:
        try:
            return super().load_overload(*what)
        except OSError:
            return None
        except Exception:  # noqa: BLE001  # whatever a damaged file makes of reading it
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, *what: Any) -> None:
        with contextlib.suppress(OSError):
            super().save_overload(*what)


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a sweep at its first call, keep it on disk where that can be, and release the interpreter lock in it."""
    compiled = njit(nogil=True)(function)
    if _KEPT:
        # A place that can be written for one folder of ours may not be for another.
        with contextlib.suppress(RuntimeError):
            compiled._cache = _Cache(function)  # noqa: SLF001  # what enable_caching does, with ours
    return cast("Callable[_P, _R]", compiled)
