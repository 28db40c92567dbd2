"""What every servable model is made of: boosters as text, numbers as JSON, and a split prediction.

Predicting is two steps, so that a server can put its own single-row handles in place of the first
and still give the same bits: ``raw`` runs boosters over ``inputs``, ``combine`` does the rest.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from lightgbm import Booster

from features.engine.matrix import FeatureMatrix
from features.errors import ChecksumError, TrainingDataError
from features.types import Floats
from training.models.boosting import load_booster, raw_score

CANNOT_FIT = (TrainingDataError, ArithmeticError)
"""What makes a candidate drop out, so that the others go on; anything else is a defect."""


def unsound(prediction: Floats) -> str | None:
    """Why predictions [n] or [n, K] cannot be used; None if all of them are finite numbers.

    Examples:
        >>> unsound(np.array([1.0, np.nan, 3.0]))
        '1 of 3 predictions are not finite numbers'
    """
    lost = int((~np.isfinite(prediction)).sum())
    return f"{lost} of {prediction.size} predictions are not finite numbers" if lost else None


@dataclass(frozen=True)
class Parts:
    """A model taken apart for storage.

    Args:
        document: JSON-able: kind, columns, categories and parameters.
        boosters: LightGBM's text by booster name.
    """

    document: dict[str, Any]
    boosters: dict[str, str]


@dataclass(frozen=True, eq=False)
class PartsModel(ABC):
    """A model that predicts from a feature matrix.

    Args:
        columns: Columns it needs, in the order in which its boosters were trained.
        categories: Vocabulary of its categorical columns; a matrix is recoded into it.
        boosters: Boosters by name.
        parameters: Everything else, JSON-able.
    """

    columns: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    boosters: Mapping[str, Booster] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    kind: ClassVar[str]

    def view(self, matrix: FeatureMatrix) -> FeatureMatrix:
        """The matrix in the model's columns and vocabulary.

        Raises:
            DefinitionError: A column is missing.
        """
        return matrix.select(self.columns).recode(self.categories)

    @property
    def calls(self) -> dict[str, str]:
        """Booster of every raw output; by default each booster is run once under its own name."""
        return {name: name for name in self.boosters}

    def inputs(self, matrix: FeatureMatrix) -> dict[str, Floats]:
        """What each call feeds to its booster: C-contiguous float64 [n, p] by call."""
        values = self.view(matrix).values
        return dict.fromkeys(self.calls, values)

    def raw(self, matrix: FeatureMatrix, num_threads: int = 1) -> dict[str, Floats]:
        """Raw booster outputs (before any link function), [n] by call."""
        fed = self.inputs(matrix)
        return {
            call: raw_score(self.boosters[name], fed[call], num_threads) for call, name in self.calls.items()
        }

    @abstractmethod
    def combine(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """The prediction from raw outputs, [n] or [n, K].

        Args:
            matrix: The same matrix the raw outputs belong to.
            raw: Outputs by call, as `raw` gives them.
        """

    def predict(self, matrix: FeatureMatrix, num_threads: int = 1) -> Floats:
        """Both steps at once."""
        return self.combine(matrix, self.raw(matrix, num_threads))

    def to_parts(self) -> Parts:
        """Take the model apart."""
        document = {
            "kind": self.kind,
            "columns": list(self.columns),
            "categories": {name: list(words) for name, words in self.categories.items()},
            "parameters": dict(self.parameters),
        }
        return Parts(document, {name: b.model_to_string() for name, b in self.boosters.items()})

    @classmethod
    def from_parts(cls, parts: Parts) -> Self:
        """Put a model together again; its predictions are the same to the bit.

        Raises:
            ChecksumError: The parts are of another kind of model, or not complete.
        """
        document = parts.document
        if document.get("kind") != cls.kind:
            raise ChecksumError(f"these are parts of a {document.get('kind')!r} model, not of {cls.kind!r}")
        try:
            return cls(
                tuple(document["columns"]),
                {name: tuple(words) for name, words in document["categories"].items()},
                {name: load_booster(text) for name, text in parts.boosters.items()},
                document["parameters"],
            )
        except KeyError as error:
            raise ChecksumError(f"the model's document has no {error}; write the model again") from error
