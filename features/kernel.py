"""How sweeps are compiled."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a sweep at its first call, keep it on disk, and release the interpreter lock in it."""
    return cast("Callable[_P, _R]", njit(cache=True, nogil=True)(function))
