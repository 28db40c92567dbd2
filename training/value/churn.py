"""Churn over several horizons in one model that cannot contradict itself.

A discrete-time hazard model (Singer and Willett 1993, "It's about time"): each account is one row
for every interval between horizons it enters, with the interval's number among the features, and
one booster learns P(leaves in the interval | still there). P(left by a horizon) is then
1 - product of (1 - hazard), which cannot fall from one horizon to the next.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.engine.matrix import FeatureMatrix
from features.errors import TrainingDataError
from features.types import Floats
from training.models.boosting import TrainingRows, Trees, fit_booster
from training.models.buytilldie import PURCHASE_COLUMNS, BgNbd, Purchases
from training.models.churn import (
    CHURN_MODELS,
    HAZARD,
    INTERVAL,
    BaseRateChurn,
    ChurnModel,
    HazardChurn,
    SilenceChurn,
)

DEFAULT_CHURN = HazardChurn.kind
"""The candidate to beat."""

_MIN_ROWS = 50


@dataclass(frozen=True, eq=False)
class ChurnRows:
    """Observations and by when the account had left.

    Args:
        matrix: Features, n rows.
        left: [n, K]: 1 where the account had left by horizon k, 0 where it had not, NaN where that
            is not known yet (from some horizon on). Once left, left for good.
        cutoffs: Cutoff of each row [n], whole days on any common count.

    Raises:
        TrainingDataError: Arrays do not fit together, values other than 0, 1 and NaN, an account
            that comes back, or a gap before a known label.
    """

    matrix: FeatureMatrix
    left: Floats
    cutoffs: NDArray[np.int64]

    def __post_init__(self) -> None:
        left = np.ascontiguousarray(self.left, dtype=np.float64)
        object.__setattr__(self, "left", left)
        object.__setattr__(self, "cutoffs", np.asarray(self.cutoffs, dtype=np.int64))
        n = len(self.matrix)
        if left.ndim != 2 or left.shape[0] != n or self.cutoffs.shape != (n,):
            raise TrainingDataError(
                f"{n} rows of features go with labels {left.shape} and cutoffs {self.cutoffs.shape}; "
                f"they must be [{n}, horizons] and [{n}]"
            )
        known = ~np.isnan(left)
        if not np.isin(left[known], (0.0, 1.0)).all():
            raise TrainingDataError("churn labels must be 0, 1 or NaN where not known yet")
        if (known[:, 1:] & ~known[:, :-1]).any():
            raise TrainingDataError(
                "a churn label is missing before a known one; only later ones may be missing"
            )
        if (left[:, 1:] < left[:, :-1]).any():
            raise TrainingDataError(
                "an account left by one horizon is back at the next; the label must be for good, so count an "
                "account as gone only if it stays away from the horizon to the end of the silence period"
            )


def _person_periods(left: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Row, interval and event of every account in every interval it enters with a known end."""
    before = np.hstack([np.zeros((len(left), 1)), left[:, :-1]])
    row, interval = np.nonzero((before == 0) & ~np.isnan(left))
    return row, interval, left[row, interval]


def fit_churn(
    train: ChurnRows,
    *,
    horizons_days: Sequence[int],
    kind: str = DEFAULT_CHURN,
    silence_days: int = 180,
    history: FeatureMatrix | None = None,
    trees: Trees | None = None,
) -> ChurnModel:
    """Fit one candidate.

    Args:
        train: Rows to learn from.
        horizons_days: The K horizons of the labels, increasing.
        kind: One of `CHURN_MODELS`.
        silence_days: Days of silence after the last horizon that the labels look at.
        history: For ``bgnbd``: features at the newest cutoff; the newest training rows if not given.
        trees: How the booster is grown.

    Raises:
        TrainingDataError: The rows cannot support the fit.
    """
    horizons = [int(days) for days in horizons_days]
    if kind not in CHURN_MODELS:
        raise TrainingDataError(f"{kind!r} is not a churn candidate; those are {', '.join(CHURN_MODELS)}")
    if not horizons or horizons[0] < 1 or any(a >= b for a, b in itertools.pairwise(horizons)):
        raise TrainingDataError(f"horizons are {horizons}; they must be positive and increasing")
    if train.left.shape[1] != len(horizons):
        raise TrainingDataError(f"labels have {train.left.shape[1]} columns for {len(horizons)} horizons")
    if len(train.matrix) < _MIN_ROWS:
        raise TrainingDataError(f"a churn model needs {_MIN_ROWS} rows and there are {len(train.matrix)}")
    parameters: dict[str, Any] = {"horizons_days": horizons, "silence_days": silence_days}
    if kind == BaseRateChurn.kind:
        return BaseRateChurn((), parameters=parameters | {"rates": _base_rates(train.left)})
    if kind == SilenceChurn.kind:
        newest = train.matrix.take(train.cutoffs == train.cutoffs.max()) if history is None else history
        fitted = BgNbd.fit(Purchases.from_matrix(newest)).to_dict()
        return SilenceChurn(PURCHASE_COLUMNS, parameters=parameters | {"bgnbd": fitted})
    return _fit_hazard(train, parameters, trees or Trees())


def _base_rates(left: Floats) -> list[float]:
    """Share left by each horizon by the life table, so that rows of unknown end take part."""
    _, interval, event = _person_periods(left)
    size = np.bincount(interval, minlength=left.shape[1])
    hazard = np.bincount(interval, event, left.shape[1]) / np.maximum(size, 1)
    return [float(v) for v in 1 - np.cumprod(1 - hazard)]


def _fit_hazard(train: ChurnRows, parameters: dict[str, Any], trees: Trees) -> HazardChurn:
    values = train.matrix.values
    # The interval's number varies by design; the account's own columns must, too.
    TrainingRows(values, np.zeros(len(values))).check()
    row, interval, event = _person_periods(train.left)
    booster = fit_booster(
        "binary",
        TrainingRows(np.column_stack([values[row], interval]), event),
        (*train.matrix.names, INTERVAL),
        trees,
        categorical=tuple(train.matrix.categories),
        first=(INTERVAL,),
    )
    # Shift and slope of each interval: a correction learnt on one season made the next one worse.
    plain = [[0.0, 1.0]] * len(parameters["horizons_days"])
    return HazardChurn(
        train.matrix.names,
        dict(train.matrix.categories),
        {HAZARD: booster},
        parameters | {"calibration": plain},
    )
