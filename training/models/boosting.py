"""LightGBM as tokui uses it: deterministic, and kept as LightGBM's own text, never as a pickle."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from lightgbm import Booster

from features.errors import ChecksumError, TrainingDataError
from features.types import Floats

_MIN_COLUMNS = 10
_NEWTON_STEPS = 5


@dataclass(frozen=True)
class Trees:
    """How boosters are grown.

    Args:
        rounds: Number of trees.
        learning_rate: Shrinkage of each tree.
        leaves: Leaves of a tree, at most. 7 ranked better than 15 on five
            rehearsals of five (three inside CDNOW's calibration period, two on Online Retail). 5 ranked
            LTV a little better still, and made churn's log loss worse on two data sets of three.
        min_rows: Rows a leaf needs, at most a hundredth of the training rows (but 5 at least).
        feature_share: Share of the features each tree may use, but 10 of them at least. The same
            money over several windows is many columns that say almost the same; .3 ranked better
            than .6 on rehearsals of CDNOW, Online Retail and the simulated world.
        row_share: Share of the rows each tree sees.
        l2: Ridge penalty on leaf values.
        num_threads: Threads of LightGBM; results do not depend on it.
        seed: Of the sampling.
    """

    rounds: int = 200
    learning_rate: float = 0.04
    leaves: int = 7
    min_rows: int = 200
    feature_share: float = 0.3
    row_share: float = 0.6
    l2: float = 10.0
    num_threads: int = 1
    seed: int = 7

    def params(self, objective: str, rows: int, columns: int) -> dict[str, Any]:
        """LightGBM's parameters for so many training rows and columns."""
        return {
            "objective": objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": max(5, min(self.min_rows, rows // 100)),
            "feature_fraction": min(1.0, max(self.feature_share, _MIN_COLUMNS / columns)),
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "lambda_l2": self.l2,
            "cat_smooth": 20.0,
            "seed": self.seed,
            "num_threads": self.num_threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows to learn from.

    Args:
        values: float64 [n, p].
        label: [n].
        weight: [n], or all alike.
    """

    values: Floats
    label: Floats
    weight: Floats | None = None

    def check(self) -> None:
        """Refuse what nothing can be learnt from.

        Raises:
            TrainingDataError: Fewer than 20 rows, labels that are not finite, or no column with two values.
        """
        if len(self.label) < 20:
            raise TrainingDataError(
                f"there are {len(self.label)} training rows and 20 are needed; use more customers or cutoffs"
            )
        if not np.isfinite(self.label).all():
            bad = int((~np.isfinite(self.label)).sum())
            raise TrainingDataError(
                f"{bad} of {len(self.label)} labels are not finite; drop or mend those rows"
            )
        # A column of one value and NaN still splits on being known.
        known = np.isfinite(self.values)
        low = np.where(known, self.values, np.inf).min(axis=0, initial=np.inf)
        high = np.where(known, self.values, -np.inf).max(axis=0, initial=-np.inf)
        if not ((low < high) | (known.any(axis=0) & ~known.all(axis=0))).any():
            raise TrainingDataError(
                f"all {self.values.shape[1]} feature columns are empty or constant; nothing can be learnt from them"
            )


def safe_names(names: Sequence[str]) -> list[str]:
    """Feature names LightGBM accepts: no JSON punctuation, no blanks, no repeats."""
    plain = [re.sub(r"\W", "_", name) for name in names]
    seen: dict[str, int] = {}
    result = []
    for name in plain:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}__{seen[name]}")
    return result


def fit_booster(
    objective: str,
    train: TrainingRows,
    names: Sequence[str],
    trees: Trees,
    *,
    categorical: Collection[str] = (),
    first: Sequence[str] = (),
) -> Booster:
    """Grow one booster.

    The booster returned has been through its own text, so it is the very model a server loads.

    Args:
        objective: LightGBM's name, such as ``binary``, ``regression``, ``tweedie``.
        train: Rows to learn from.
        names: Names of the p columns.
        trees: How to grow.
        categorical: Columns that hold codes.
        first: Columns of few values whose own effect is learnt before anything else, in trees of
            their own: a column that few trees may use would otherwise be learnt by half.

    Raises:
        TrainingDataError: Nothing can be learnt from the rows (see `TrainingRows.check`), or a binary
            label has one class.
    """
    train.check()
    if objective == "binary" and len(np.unique(train.label)) < 2:
        raise TrainingDataError(
            f"all {len(train.label)} training labels are {train.label[0]:g}; a classifier needs both classes, "
            "so use other horizons or more cutoffs"
        )
    params = trees.params(objective, *train.values.shape)
    plain = safe_names(names)
    codes = [plain[i] for i, name in enumerate(names) if name in categorical]
    data = lgb.Dataset(
        train.values,
        train.label,
        weight=train.weight,
        feature_name=plain,
        categorical_feature=codes,
        params={"verbose": -1, "num_threads": trees.num_threads},
    )
    try:
        begun = _own_effect(params, train, [names.index(name) for name in first], plain) if first else None
        booster = lgb.train(params, data, trees.rounds, init_model=begun)
    except lgb.basic.LightGBMError as error:
        raise TrainingDataError(f"LightGBM cannot learn {objective} from these rows: {error}") from error
    return load_booster(booster.model_to_string())


def _own_effect(
    params: Mapping[str, Any], train: TrainingRows, columns: Sequence[int], plain: Sequence[str]
) -> Booster:
    """What some columns tell by themselves: a few full Newton steps, nothing sampled or shrunk."""
    values = np.zeros_like(train.values)
    values[:, columns] = train.values[:, columns]
    data = lgb.Dataset(
        values,
        train.label,
        weight=train.weight,
        feature_name=list(plain),
        params={"verbose": -1, "num_threads": params["num_threads"]},
    )
    whole = {
        "learning_rate": 1.0,
        "num_leaves": 31,
        "feature_fraction": 1.0,
        "bagging_freq": 0,
        "lambda_l2": 0.0,
    }
    return lgb.train({**params, **whole}, data, _NEWTON_STEPS)


def load_booster(text: str) -> Booster:
    """A booster from LightGBM's text.

    Raises:
        ChecksumError: The text is not a LightGBM model.
    """
    try:
        return Booster(model_str=text)
    except lgb.basic.LightGBMError as error:
        raise ChecksumError(f"this is not a LightGBM model in text form: {error}") from error


def raw_score(booster: Booster, values: Floats, num_threads: int = 1) -> Floats:
    """Raw output (before any link function) of every row, float64 [n]."""
    if not len(values):
        return np.zeros(0)
    score = booster.predict(np.ascontiguousarray(values), raw_score=True, num_threads=num_threads)
    return np.asarray(score, dtype=np.float64)
