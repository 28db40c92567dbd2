"""Array types and random streams that every part of the world shares."""

import zlib
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from features.types import Floats

Ints: TypeAlias = npt.NDArray[np.integer]
Flags: TypeAlias = npt.NDArray[np.bool_]
Instants: TypeAlias = npt.NDArray[np.datetime64]
"""Naive local times of the world; NaT means missing."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text column as numbers and the names they stand for.

    Args:
        codes: One number a row; negative where the text is missing.
        names: What 0, 1, 2 … mean.
    """

    codes: Ints
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ids:
    """An id column such as ``O000000017``: a prefix and a number a row."""

    prefix: str
    numbers: Ints


Frame: TypeAlias = dict[str, npt.NDArray[np.generic] | Text | Ids]
"""Rows of one table by canonical column name; NaN and NaT mean missing."""


def generator(seed: int, part: str) -> np.random.Generator:
    """A random stream of one part's own, so that a new part never shifts the others."""
    return np.random.default_rng([seed, zlib.crc32(part.encode())])


def sigmoid(x: Floats) -> Floats:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-x))


def select_rows(frame: Frame, rows: Ints | Flags) -> Frame:
    """The given rows of a frame, in the given order."""
    picked: Frame = {}
    for name, column in frame.items():
        if isinstance(column, Text):
            picked[name] = Text(column.codes[rows], column.names)
        elif isinstance(column, Ids):
            picked[name] = Ids(column.prefix, column.numbers[rows])
        else:
            picked[name] = column[rows]
    return picked
