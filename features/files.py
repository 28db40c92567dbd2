"""Files that appear whole: a temporary name that its maker holds, fsync, rename.

What a kill leaves behind is held by nobody, and whoever writes beside it next clears it away.
"""

import contextlib
import ctypes
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from features.locks import claimed, hold

PARTIAL = ".partial"
_MARK = ".tokui-"
_OURS = re.compile(rf".+{re.escape(_MARK)}[a-z0-9_]{{8}}{re.escape(PARTIAL)}")
_HERE, _EXCHANGE = -100, 2
"""Of Linux's renameat2: a path relative to the current folder, and two names change places."""

_SCRATCH = re.compile(r"tokui-[a-z0-9_]{8}\.scratch")


def sync(path: Path) -> None:
    """Force a file's or folder's content to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def file_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; on success it takes the name, on failure it is gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_dead(path.parent)
    partial, handle = _made_file(path)
    try:
        yield partial
        sync(partial)
        # Temporary files are made for their owner only; results are for whoever may read the folder.
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(path)
        sync(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


@contextmanager
def folder_whole(path: Path) -> Iterator[Path]:
    """The same for a folder; one of that name is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_dead(path.parent)
    partial, handle = _made_folder(path.parent, f"{path.name}{_MARK}", PARTIAL)
    try:
        yield partial
        partial.chmod(0o755)
        for inside in (*partial.rglob("*"), partial):
            sync(inside)
        _replace_folder(partial, path)
        sync(path.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text file, UTF-8, that appears whole."""
    with file_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


class Scratch:
    """A folder for what nobody needs afterwards; a context, or to be cleaned up.

    Args:
        parent: Where; where the system keeps temporary files if not given.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, parent: Path | None = None) -> None:
        where = Path(tempfile.gettempdir()) if parent is None else parent
        clear_dead(where)
        path, handle = _made_folder(where, "tokui-", ".scratch")
        self.name = str(path)
        self._remove = weakref.finalize(self, _remove, path, handle)

    def cleanup(self) -> None:
        """Remove it. A second time does nothing."""
        self._remove()

    def __enter__(self) -> Path:
        return Path(self.name)

    def __exit__(self, *_error: object) -> None:
        self.cleanup()


def clear_dead(*folders: Path, deep: bool = False) -> list[Path]:
    """Remove what killed processes left in folders: unfinished files and folders, and scratch folders.

    Only what bears our mark, belongs to this user and is held by nobody. What cannot be removed stays.

    Args:
        folders: Where to look; those that are not there are passed over.
        deep: Whether to look in folders within them too.

    Returns:
        What was removed.
    """
    gone = []
    for path in (path for folder in folders for path in _marked(folder, deep=deep)):
        with claimed(path) as dead:
            if not dead:
                continue
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                gone.append(path)
                # A database in the making has a journal beside it.
                path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    return gone


def _marked(folder: Path, *, deep: bool) -> Iterable[Path]:
    names = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if _OURS.fullmatch(entry.name) or _SCRATCH.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                        names.append(Path(entry.path))
            elif deep and entry.is_dir(follow_symlinks=False):
                names += _marked(Path(entry.path), deep=True)
    return names


def _replace_folder(partial: Path, path: Path) -> None:
    if not path.exists():
        partial.rename(path)
        return
    # One step where the system has it: a kill between two would leave neither.
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if exchange is None or exchange(_HERE, bytes(partial), _HERE, bytes(path), _EXCHANGE):
        aside = partial.with_name(f"{partial.name}{PARTIAL}")
        path.rename(aside)
        partial.rename(path)
        aside.rename(partial)
    shutil.rmtree(partial)


def _remove(folder: Path, handle: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(handle)


def _made_file(path: Path) -> tuple[Path, int]:
    while True:
        handle, name = tempfile.mkstemp(prefix=f"{path.name}{_MARK}", suffix=PARTIAL, dir=path.parent)
        if hold(handle, Path(name)):
            return Path(name), handle
        os.close(handle)


def _made_folder(parent: Path, prefix: str, suffix: str) -> tuple[Path, int]:
    while True:
        made = Path(tempfile.mkdtemp(prefix=prefix, suffix=suffix, dir=parent))
        try:
            handle = os.open(made, os.O_RDONLY)
        except FileNotFoundError:
            continue
        if hold(handle, made):
            return made, handle
        os.close(handle)
