"""Expected outcome from features: yes or no, money that is mostly zero, or a plain mean.

Used inside uplift models, where an outcome is learnt many times over: by arm, by fold, for all arms
together. A fitted outcome is a few boosters under names with a common prefix and a small document
of numbers, so that it can be part of a servable model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from lightgbm import Booster
from scipy.special import expit

from features.errors import TrainingDataError
from features.types import Floats
from training.models.boosting import TrainingRows, Trees, fit_booster, raw_score

_MIN_EACH = 20
"""Rows of each of two kinds that a classifier between them needs."""

_MIN_NEGATIVE = 200
_HEAVY = 6.0
"""Largest |outcome| in standard deviations beyond which money is learnt by its logarithm."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A fitted outcome.

    Args:
        boosters: Boosters by name, without a prefix: ``event``, ``amount``, ``loss`` or ``mean``.
        numbers: JSON-able: ``form`` and what it needs.
    """

    boosters: Mapping[str, Booster]
    numbers: Mapping[str, Any]

    def predict(self, values: Floats) -> Floats:
        """Expected outcome of rows [n, p], in the outcome's own unit, [n]."""
        raw = {name: raw_score(booster, values) for name, booster in self.boosters.items()}
        return expected(self.numbers, raw, len(values))


def expected(numbers: Mapping[str, Any], raw: Mapping[str, Floats], n: int) -> Floats:
    """Expected outcome from raw booster outputs, [n].

    Args:
        numbers: Of the fitted `Outcome`.
        raw: Raw outputs [n] by booster name.
        n: Rows.
    """
    form = numbers["form"]
    if form == "constant":
        return np.full(n, float(numbers["mean"]))
    if form == "binary":
        return np.asarray(expit(raw["event"]))
    if form == "mean":
        return raw["mean"] + 0.0
    event = expit(raw["event"]) if "event" in raw else numbers["paid"]
    money = event * np.exp(raw["amount"]) * numbers["smear"]
    lost = expit(raw["loss"]) if "loss" in raw else numbers["lost"]
    return np.asarray(money + lost * numbers["loss"])


def form_of(outcome: Floats) -> str:
    """How an outcome [n] is best learnt: ``binary``, ``two_part`` or ``mean``.

    Money is learnt in two parts where a twentieth of it or more is zero, or where its tail is so
    heavy that a squared error would learn the few largest rows.
    """
    if np.isin(outcome, (0.0, 1.0)).all():
        return "binary"
    spread = float(outcome.std())
    heavy = spread > 0 and float(np.abs(outcome - outcome.mean()).max()) > _HEAVY * spread
    zero = float((outcome == 0).mean())
    return "two_part" if (heavy or zero >= 0.05) and (outcome > 0).sum() >= _MIN_EACH else "mean"


def fit_outcome(
    values: Floats,
    outcome: Floats,
    names: tuple[str, ...],
    categorical: tuple[str, ...],
    trees: Trees,
    form: str,
) -> Outcome:
    """Learn an outcome.

    Args:
        values: Features [n, p].
        outcome: What happened [n]; finite, of either sign.
        names: Names of the p columns.
        categorical: Columns that hold codes.
        trees: How boosters are grown.
        form: See `form_of`; decided once for all arms, so that they are comparable.

    Raises:
        TrainingDataError: Too few rows (see `TrainingRows.check`).
    """

    def grow(objective: str, label: Floats, rows: Any = slice(None)) -> Booster:
        return fit_booster(
            objective, TrainingRows(values[rows], label[rows]), names, trees, categorical=categorical
        )

    if len(outcome) < _MIN_EACH:
        raise TrainingDataError(
            f"there are {len(outcome)} rows to learn an outcome from and {_MIN_EACH} are needed"
        )
    constant = Outcome({}, {"form": "constant", "mean": float(outcome.mean())})
    if outcome.min() == outcome.max():
        return constant
    if form == "mean":
        return Outcome({"mean": grow("regression", outcome)}, {"form": form})
    paid, lost = outcome > 0, outcome < 0
    both = min(paid.sum(), (~paid).sum()) >= _MIN_EACH
    if form == "binary":
        return Outcome({"event": grow("binary", outcome)}, {"form": form}) if both else constant
    if paid.sum() < _MIN_EACH:
        return constant
    boosters = {"event": grow("binary", paid.astype(float))} if both else {}
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(outcome)
    boosters["amount"] = grow("regression", logs, paid)
    # The mean of exp(log money) is too low; the ratio of totals brings it back (Duan 1983).
    smear = outcome[paid].sum() / np.exp(raw_score(boosters["amount"], values[paid])).sum()
    if lost.sum() >= _MIN_NEGATIVE and (~lost).sum() >= _MIN_NEGATIVE:
        boosters["loss"] = grow("binary", lost.astype(float))
    numbers = {
        "form": form, "paid": float(paid.mean()), "smear": float(smear), "lost": float(lost.mean()),
        "loss": float(outcome[lost].mean()) if lost.any() else 0.0,
    }  # fmt: skip
    return Outcome(boosters, numbers)


def held_out(
    values: Floats,
    outcome: Floats,
    names: tuple[str, ...],
    categorical: tuple[str, ...],
    trees: Trees,
    form: str,
    *,
    folds: int = 3,
    seed: int = 7,
    clusters: npt.NDArray[np.intp] | None = None,
) -> Floats:
    """Expected outcome of every row by a model that has not seen it, [n]; arguments are those of `fit_outcome`.

    Clusters [n] were put in an arm as a whole, and a model that has seen one half of a cluster has
    seen the arm's effect on the other: they stay whole.
    """
    fold = whole(np.arange(len(outcome)) if clusters is None else clusters, folds, seed)
    predictions = np.empty(len(outcome))
    for k in range(folds):
        model = fit_outcome(values[fold != k], outcome[fold != k], names, categorical, trees, form)
        predictions[fold == k] = model.predict(values[fold == k])
    return predictions


def whole(units: npt.NDArray[np.intp], folds: int, seed: int) -> npt.NDArray[np.intp]:
    """A fold for every row [n], the same for all rows of one of the units, whose codes 0, 1 … are given [n]."""
    fold = np.random.default_rng(seed).permutation(int(units.max()) + 1) % folds
    return np.asarray(fold[units], np.intp)
