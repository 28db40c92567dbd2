"""A table of features as numbers: one row an observation, one column a feature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from features.errors import DefinitionError
from features.types import Floats


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """Features of n observations.

    A categorical column holds codes into its vocabulary as floats; NaN is a missing value, in
    categorical and numeric columns alike.

    Args:
        names: Column names, p of them, without repeats.
        values: float64 [n, p], C-contiguous (converted if it is not).
        categories: Vocabulary of every categorical column by its name; code i means entry i.

    Raises:
        DefinitionError: Names, shape and vocabularies do not fit together, or a code has no entry.
    """

    names: tuple[str, ...]
    values: Floats
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = tuple(self.names)
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "values", values)
        # Frozen means frozen: the vocabulary cannot be swapped behind the codes.
        vocabulary = {name: tuple(words) for name, words in self.categories.items()}
        object.__setattr__(self, "categories", MappingProxyType(vocabulary))
        if values.ndim != 2 or values.shape[1] != len(names):
            raise DefinitionError(
                f"values have shape {values.shape} for {len(names)} names; they must be [n, {len(names)}]"
            )
        if len(self._index) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise DefinitionError(f"column {twice[0]!r} is there more than once; names must be unique")
        for name, words in vocabulary.items():
            self._check_codes(name, words)

    def _check_codes(self, name: str, words: tuple[str, ...]) -> None:
        if len(set(words)) != len(words):
            raise DefinitionError(f"the vocabulary of {name!r} repeats an entry; entries must be unique")
        codes = self.column(name)
        codes = codes[~np.isnan(codes)]
        wrong = (codes < 0) | (codes >= len(words)) | (codes != np.floor(codes))
        if wrong.any():
            raise DefinitionError(
                f"column {name!r} holds code {codes[wrong][0]:g}, but its vocabulary has the "
                f"{len(words)} codes from 0; recode the matrix or extend the vocabulary"
            )

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def position(self, name: str) -> int:
        """Position of a column.

        Raises:
            DefinitionError: There is no such column.
        """
        try:
            return self._index[name]
        except KeyError:
            have = ", ".join(self.names[:8]) + (" …" if len(self.names) > 8 else "")
            raise DefinitionError(f"the matrix has no column {name!r}; it has {have}") from None

    def column(self, name: str) -> Floats:
        """One column as a view, float64 [n].

        Raises:
            DefinitionError: There is no such column.
        """
        return self.values[:, self.position(name)]

    def take(self, rows: ArrayLike) -> Self:
        """The observations at some positions, or where a mask holds.

        Args:
            rows: Integer positions or a boolean mask [n].
        """
        return type(self)(self.names, self.values[np.asarray(rows)], self.categories)

    def select(self, names: Sequence[str]) -> Self:
        """Some columns, in the order asked for.

        Raises:
            DefinitionError: A column is not there.
        """
        names = tuple(names)
        if names == self.names:
            return self
        values = self.values[:, [self.position(name) for name in names]]
        return type(self)(names, values, {k: v for k, v in self.categories.items() if k in set(names)})

    def recode(self, categories: Mapping[str, tuple[str, ...]]) -> Self:
        """The same matrix in another vocabulary, such as the one a model was trained with.

        Args:
            categories: New vocabularies. A word they do not have becomes NaN. Categorical columns
                that are not mentioned stay as they are.

        Raises:
            DefinitionError: A column is not there, or not categorical.
        """
        changed = {name: tuple(words) for name, words in categories.items()}
        if all(self.categories.get(name) == words for name, words in changed.items()):
            return self
        values = self.values.copy()
        for name, words in changed.items():
            position = self.position(name)
            if name not in self.categories:
                raise DefinitionError(f"column {name!r} is numeric; only a categorical column can be recoded")
            code = {word: float(i) for i, word in enumerate(words)}
            table = np.array([code.get(word, np.nan) for word in self.categories[name]] + [np.nan])
            old = values[:, position]
            values[:, position] = table[np.where(np.isnan(old), len(table) - 1, old).astype(np.intp)]
        return type(self)(self.names, values, {**self.categories, **changed})
