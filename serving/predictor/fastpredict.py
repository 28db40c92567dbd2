"""One row through a booster without Booster.predict's Python: LightGBM's FastSingleRow handles.

A handle fixes booster, threads and row length once, so that a prediction is one C call on a buffer
that never moves. The numbers are Booster.predict's to the bit; tests and canary rows hold it.
"""

import ctypes
import threading
import weakref
from collections.abc import Mapping

import numpy as np
from lightgbm import Booster, basic

from features.errors import ChecksumError
from features.types import Floats
from training.models.boosting import raw_score
from training.models.servable import PartsModel

FEW_ROWS = 8
"""Up to so many rows the handles are faster than Booster.predict, which then shares its overhead."""

_RAW_SCORE, _FLOAT64 = 1, 1  # C_API_PREDICT_RAW_SCORE and C_API_DTYPE_FLOAT64 of LightGBM's c_api.h

# The same library, loaded so that calls keep the interpreter lock: a row takes some ten
# microseconds, and giving the lock away for that long lets a loading thread hold it for milliseconds.
_KEEPS_LOCK = ctypes.PyDLL(basic._LIB._name)  # noqa: SLF001 - lightgbm has no public name for its library


def _check(status: int) -> None:
    if status != 0:
        _KEEPS_LOCK.LGBM_GetLastError.restype = ctypes.c_char_p
        raise ChecksumError(f"LightGBM refuses the model: {_KEEPS_LOCK.LGBM_GetLastError().decode()}")


class FastRow:
    """A booster's raw score of one row in a buffer.

    Args:
        booster: The booster; kept alive by this.
        buffer: float64 [p], C-contiguous; written by the caller before each call.

    Raises:
        ChecksumError: The booster wants rows of another length.
    """

    def __init__(self, booster: Booster, buffer: Floats) -> None:
        self._booster, self._buffer = booster, buffer
        config = ctypes.c_void_p()
        # The row is buffer[:p]; the buffer may be longer because boosters of one model share it.
        _check(
            _KEEPS_LOCK.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster._handle,  # noqa: SLF001 - the C API needs the handle, and lightgbm keeps it private
                ctypes.c_int(_RAW_SCORE),
                ctypes.c_int(0),
                ctypes.c_int(-1),
                ctypes.c_int(_FLOAT64),
                ctypes.c_int32(len(buffer)),
                ctypes.c_char_p(b"num_threads=1"),
                ctypes.byref(config),
            )
        )
        # A finalizer runs before the booster it holds on to is freed.
        weakref.finalize(self, _free, config, booster)
        self._score = ctypes.c_double()
        self._length = ctypes.c_int64()
        self._arguments = (
            config,
            ctypes.c_void_p(buffer.ctypes.data),
            ctypes.byref(self._length),
            ctypes.byref(self._score),
        )

    def __call__(self) -> float:
        """The raw score of what the buffer holds now."""
        if _KEEPS_LOCK.LGBM_BoosterPredictForMatSingleRowFast(*self._arguments):
            _check(-1)
        return self._score.value


def _free(config: ctypes.c_void_p, booster: Booster) -> None:
    _KEEPS_LOCK.LGBM_FastConfigFree(config)
    del booster


class FastModel:
    """A model's raw outputs, by handles for few rows and by Booster.predict for many.

    Handles share one buffer and are not for two threads at once, so a lock is held over a row.

    Args:
        model: The model.

    Raises:
        ChecksumError: A booster wants rows of another length than the model feeds it.
    """

    def __init__(self, model: PartsModel) -> None:
        self.model = model
        self._lock = threading.Lock()
        widths = {booster.num_feature() for booster in model.boosters.values()}
        if len(widths) > 1:
            raise ChecksumError(
                f"the boosters of one model want rows of {sorted(widths)} numbers; train again"
            )
        self._buffer = np.empty(widths.pop() if widths else 0)
        rows = {name: FastRow(booster, self._buffer) for name, booster in model.boosters.items()}
        self._calls = [(call, rows[name]) for call, name in model.calls.items()]

    def raw(self, fed: Mapping[str, Floats]) -> dict[str, Floats]:
        """Raw outputs by call, [n] each, as `PartsModel.raw` gives them.

        Args:
            fed: What each call's booster is fed, [n, p] by call.
        """
        rows = max((len(values) for values in fed.values()), default=0)
        if rows > FEW_ROWS:
            boosters, calls = self.model.boosters, self.model.calls
            return {call: raw_score(boosters[calls[call]], values) for call, values in fed.items()}
        scores = {call: np.empty(rows) for call, _ in self._calls}
        with self._lock:
            for k in range(rows):
                held: Floats | None = None
                for call, score in self._calls:
                    values = fed[call]
                    # Calls mostly share one table; the buffer then holds the row already.
                    if values is not held:
                        self._buffer[:] = values[k]
                        held = values
                    scores[call][k] = score()
        return scores
