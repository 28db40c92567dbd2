"""Feed: what a model's boosters are fed for rows of the snapshot, with nothing done twice."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.engine.matrix import FeatureMatrix
from features.engine.snapshot import Snapshot
from features.errors import UnknownCustomerError
from features.types import Floats
from training.models.servable import PartsModel

_CHUNK = 16_384


class TrustedMatrix(FeatureMatrix):
    """Rows of a snapshot whose codes and columns were checked when it was opened.

    Checking a vocabulary costs more than predicting a row, so it is not done again for each.
    """

    def __post_init__(self) -> None:
        """Nothing is left to check."""

    @classmethod
    def of(cls, snapshot: Snapshot, rows: npt.NDArray[np.intp]) -> "TrustedMatrix":
        """Rows of a snapshot."""
        return cls(snapshot.names, snapshot.rows[rows], snapshot.categories)


def positions(snapshot: Snapshot, customer_ids: Sequence[str]) -> list[int]:
    """Where customers stand in a snapshot, in the order asked for.

    Raises:
        UnknownCustomerError: Some are not in it; all of them are named.
    """
    rows = [snapshot.position(name) for name in customer_ids]
    if -1 in rows:
        unknown = [name for name, row in zip(customer_ids, rows, strict=True) if row < 0]
        raise UnknownCustomerError(list(dict.fromkeys(unknown)))
    return rows


class Feed:
    """What `PartsModel.inputs` would give for rows of one snapshot, assembled from lookups.

    A model's inputs are its columns in its own vocabulary, followed by what it derives from them
    (the purchase model's expectations, the number of the interval). The columns are gathered row by
    row; what is derived is computed once for all customers, by the model itself.

    Args:
        model: The model.
        snapshot: The snapshot; must have the model's columns.

    Raises:
        DefinitionError: A column is missing, or a code is not in its vocabulary.
    """

    def __init__(self, model: PartsModel, snapshot: Snapshot) -> None:
        self._rows = snapshot.rows
        position = {name: k for k, name in enumerate(snapshot.names)}
        self._gather: npt.NDArray[np.intp] | slice = np.array(
            [position[name] for name in model.columns if name in position], np.intp
        )
        if model.columns == snapshot.names:
            self._gather = slice(None)
        self._width = len(model.columns)
        self._recode = [
            (model.columns.index(name), _lookup(snapshot.categories[name], words))
            for name, words in model.categories.items()
            if snapshot.categories[name] != words
        ]
        self._owner, self._derived = _derive(model, snapshot)

    def rows(self, rows: npt.NDArray[np.intp]) -> dict[str, Floats]:
        """The inputs of some rows, C-contiguous float64 [n, p] by call, equal to the model's own."""
        if not self._owner:
            return {}
        columns = self._rows[rows][:, self._gather]
        for column, table in self._recode:
            codes = columns[:, column]
            known = np.where(np.isnan(codes), len(table) - 1, codes)
            columns[:, column] = table[known.astype(np.intp)]
        made: dict[str, Floats] = {}
        for call, derived in self._derived.items():
            values = np.empty((len(rows), self._width + derived.shape[1]))
            values[:, : self._width] = columns
            values[:, self._width :] = derived if len(derived) == 1 else derived[rows]
            made[call] = values
        return {call: made[owner] for call, owner in self._owner.items()}


def _derive(model: PartsModel, snapshot: Snapshot) -> tuple[dict[str, str], dict[str, Floats]]:
    """The call whose table each call shares, and each table's derived columns, [n, q] or [1, q] if all agree."""
    width = len(model.columns)
    first: dict[int, list[str]] = {}
    probe = model.inputs(snapshot.matrix(slice(0, 1)))
    for call, values in probe.items():
        first.setdefault(id(values), []).append(call)
    owner = {call: calls[0] for calls in first.values() for call in calls}
    parts: dict[str, list[Floats]] = {calls[0]: [] for calls in first.values()}
    for begin in range(0, len(snapshot), _CHUNK):
        fed = model.inputs(snapshot.matrix(slice(begin, begin + _CHUNK)))
        for call, pieces in parts.items():
            pieces.append(fed[call][:, width:].copy())
    derived = {call: np.concatenate(pieces) for call, pieces in parts.items()}
    return owner, {call: v[:1] if (v == v[0]).all() else v for call, v in derived.items()}


def _lookup(words: tuple[str, ...], wanted: tuple[str, ...]) -> Floats:
    """Code in ``wanted`` of each code of ``words``; the last entry is for missing values."""
    code = {word: float(k) for k, word in enumerate(wanted)}
    return np.array([*(code.get(word, np.nan) for word in words), np.nan])
