"""Learning lifetime value over a horizon: rows to learn from and the candidates' fits.

A history may be shorter than the horizon. So the money learnt from may cover fewer days than the
money predicted: every `LtvRows` says how many, and a model may learn from several lengths at once.
Short labels give many cutoffs, recent ones among them; long labels see who stays. Which lengths are
learnt from is said by `training.value.tasks.LtvTask.label_days`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lightgbm import Booster
from numpy.typing import NDArray

from features.catalogue.orders import RETURNED, SPENT_WITHIN
from features.catalogue.phrases import DERIVED
from features.engine.matrix import FeatureMatrix
from features.errors import TrainingDataError
from features.types import Floats
from training.models.boosting import TrainingRows, Trees, fit_booster, raw_score
from training.models.buytilldie import PURCHASE_COLUMNS, BgNbd, GammaGamma, Purchases
from training.models.ltv import LTV_MODELS, BuyTillYouDie, LastPeriod, LtvModel, Tweedie, TwoPart, design
from training.models.servable import unsound

DEFAULT_LTV = TwoPart.kind
"""The candidate that won out of time."""

_MIN_ROWS = 50
_MIN_NEGATIVE = 200
_MIN_PAID = 20


@dataclass(frozen=True, eq=False)
class LtvRows:
    """Observations and the money that followed.

    Args:
        matrix: Features, n rows.
        money: Money in the days after the cutoff [n]; may be zero or negative.
        cutoffs: Cutoff of each row [n], whole days on any common count.
        days: Days the money covers.

    Raises:
        TrainingDataError: Arrays do not fit together, or money is not finite.
    """

    matrix: FeatureMatrix
    money: Floats
    cutoffs: NDArray[np.int64]
    days: float

    def __post_init__(self) -> None:
        money = np.ascontiguousarray(self.money, dtype=np.float64)
        object.__setattr__(self, "money", money)
        object.__setattr__(self, "cutoffs", np.asarray(self.cutoffs, dtype=np.int64))
        if money.shape != (len(self.matrix),) or self.cutoffs.shape != money.shape or self.days <= 0:
            raise TrainingDataError(
                f"{len(self.matrix)} rows of features go with money {money.shape}, cutoffs "
                f"{self.cutoffs.shape} and {self.days:g} days; all must be of one length and days positive"
            )
        if not np.isfinite(money).all():
            bad = int((~np.isfinite(money)).sum())
            raise TrainingDataError(f"{bad} of {len(money)} labels are not finite; drop or mend those rows")

    def newest(self) -> FeatureMatrix:
        """Features at the newest cutoff: each customer once."""
        return self.matrix.take(self.cutoffs == self.cutoffs.max())


def fit_ltv(
    train: LtvRows | Sequence[LtvRows],
    *,
    horizon_days: float,
    kind: str = DEFAULT_LTV,
    history: FeatureMatrix | None = None,
    trees: Trees | None = None,
) -> LtvModel:
    """Fit one candidate.

    Args:
        train: Rows to learn from; several sets where their money covers several lengths of days.
        horizon_days: Days to predict for.
        kind: One of `LTV_MODELS`.
        history: Features at the newest cutoff, labels not needed, for ``bgnbd``; the newest
            training rows where not given.
        trees: How boosters are grown.

    Raises:
        TrainingDataError: The rows cannot support the fit.
    """
    sets = [train] if isinstance(train, LtvRows) else list(train)
    if kind not in LTV_MODELS:
        raise TrainingDataError(f"{kind!r} is not an LTV candidate; those are {', '.join(LTV_MODELS)}")
    _check(sets)
    fit = _Fit(sets, float(horizon_days), trees or Trees())
    if kind == BuyTillYouDie.kind:
        return fit.bgnbd(history)
    if kind == LastPeriod.kind:
        return fit.last_period()
    return fit.two_part() if kind == TwoPart.kind else fit.tweedie()


def _check(sets: Sequence[LtvRows]) -> None:
    if not sets or min(len(s.matrix) for s in sets) < _MIN_ROWS:
        least = min((len(s.matrix) for s in sets), default=0)
        raise TrainingDataError(
            f"an LTV model needs {_MIN_ROWS} rows in each set and one has {least}; use more cutoffs"
        )
    for one, other in itertools.pairwise(sets):
        if one.matrix.names != other.matrix.names or one.matrix.categories != other.matrix.categories:
            raise TrainingDataError("sets of rows have different columns; build them by one feature set")


@dataclass(frozen=True, eq=False)
class _Fit:
    """One fit: what is learnt from and how."""

    sets: list[LtvRows]
    horizon_days: float
    trees: Trees

    @property
    def matrix(self) -> FeatureMatrix:
        return self.sets[0].matrix

    def purchasing(self, days: float, history: FeatureMatrix | None = None) -> dict[str, Any]:
        """Purchase models of the newest training cutoff, as parameters."""
        newest = max(self.sets, key=lambda rows: int(rows.cutoffs.max())).newest()
        purchases = Purchases.from_matrix(newest if history is None else history)
        bgnbd = BgNbd.fit(purchases)
        gamma = GammaGamma.fit(purchases.spend, purchases.x + 1)
        expected = bgnbd.expected_purchases(purchases, days)
        if why := unsound(expected * gamma.expected_spend(purchases.spend, purchases.x + 1)):
            ended = {**bgnbd.to_dict(), **gamma.to_dict()}
            where = ", ".join(f"{name} = {value:.4g}" for name, value in ended.items())
            raise TrainingDataError(f"BG/NBD and Gamma-Gamma ended at {where}, where {why}")
        return {"bgnbd": bgnbd.to_dict(), "gamma": gamma.to_dict(), "days": days}

    def bgnbd(self, history: FeatureMatrix | None) -> BuyTillYouDie:
        parameters = self._parameters(purchasing=self.purchasing(self.horizon_days, history))
        known = (RETURNED,) if RETURNED in self.matrix else ()
        return BuyTillYouDie((*PURCHASE_COLUMNS, *known), parameters=parameters)

    def last_period(self) -> LastPeriod:
        windows = {days: name for days, name in SPENT_WITHIN.items() if name in self.matrix}
        if not windows:
            raise TrainingDataError(f"last_period needs a column such as {SPENT_WITHIN[365]}; there is none")
        # Of two windows equally far from the horizon the longer, on the log scale.
        window = min(windows, key=lambda d: (abs(np.log(d / self.horizon_days)), -d))
        return LastPeriod((windows[window],), parameters=self._parameters(window_days=float(window)))

    def two_part(self) -> TwoPart:
        purchasing, spans = self._purchase_features(), []
        boosters: dict[str, Booster] = {}
        for rows in self.sets:
            name, money = f"{rows.days:g}", rows.money
            values = design(rows.matrix, purchasing)
            paid = money > 0
            if paid.sum() < _MIN_PAID:
                raise TrainingDataError(
                    f"{int(paid.sum())} of {len(money)} rows have money in the {rows.days:g} days after the "
                    f"cutoff and {_MIN_PAID} are needed; use more cutoffs or a longer horizon"
                )
            if (~paid).sum() >= _MIN_PAID:
                boosters[f"event_{name}"] = self._grow("binary", values, paid.astype(float))
            amount = self._grow("regression", values[paid], np.log(money[paid]))
            boosters[f"amount_{name}"] = amount
            smear = money[paid].sum() / np.exp(raw_score(amount, values[paid], self.trees.num_threads)).sum()
            lost = money < 0
            loss = float(np.minimum(money, 0).mean())
            if lost.sum() >= _MIN_NEGATIVE:
                boosters[f"loss_{name}"] = self._grow("binary", values, lost.astype(float))
                loss = float(money[lost].mean())
            spans.append({
                "name": name, "days": float(rows.days), "paid": float(paid.mean()),
                "smear": float(smear), "loss": loss,
            })  # fmt: skip
        return TwoPart(*self._described(), boosters, self._parameters(spans=spans, purchasing=purchasing))

    def tweedie(self) -> Tweedie:
        purchasing, boosters, spans = self._purchase_features(), {}, []
        for rows in self.sets:
            name, values = f"{rows.days:g}", design(rows.matrix, purchasing)
            booster = self._grow("tweedie", values, np.maximum(rows.money, 0))
            boosters[f"money_{name}"] = booster
            scale = rows.money.sum() / np.exp(raw_score(booster, values, self.trees.num_threads)).sum()
            spans.append({"name": name, "days": float(rows.days), "scale": float(max(scale, 0.0))})
        return Tweedie(*self._described(), boosters, self._parameters(spans=spans, purchasing=purchasing))

    def _parameters(self, **more: Any) -> dict[str, Any]:
        return {"horizon_days": self.horizon_days, "total": 1.0, **more}

    def _described(self) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        return self.matrix.names, dict(self.matrix.categories)

    def _purchase_features(self) -> dict[str, Any] | None:
        if any(name not in self.matrix for name in PURCHASE_COLUMNS):
            return None
        try:
            return self.purchasing(max(rows.days for rows in self.sets))
        except TrainingDataError:
            # Nobody came back yet, or the fit ran away: the boosters do without.
            return None

    def _grow(self, objective: str, values: Floats, label: Floats) -> Booster:
        added = DERIVED if values.shape[1] > len(self.matrix.names) else ()
        return fit_booster(
            objective,
            TrainingRows(values, label),
            (*self.matrix.names, *added),
            self.trees,
            categorical=tuple(self.matrix.categories),
        )
