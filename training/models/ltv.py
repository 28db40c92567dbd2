"""What can predict lifetime value: the candidates as models, ready to be served."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import expit

from features.engine.matrix import FeatureMatrix
from features.errors import ChecksumError
from features.types import Floats
from training.models.buytilldie import BgNbd, GammaGamma, Purchases, last_period_spend
from training.models.servable import Parts, PartsModel


def purchase_models(purchasing: Mapping[str, Any]) -> tuple[BgNbd, GammaGamma]:
    """The purchase models from a model's parameters."""
    return BgNbd(**purchasing["bgnbd"]), GammaGamma(**purchasing["gamma"])


def design(matrix: FeatureMatrix, purchasing: Mapping[str, Any] | None) -> Floats:
    """The matrix with the columns `DERIVED` appended, or as it is without a purchase model.

    Args:
        matrix: Features, `PURCHASE_COLUMNS` among them where there is a purchase model.
        purchasing: Parameters of the purchase models and the days to look ahead.
    """
    if purchasing is None:
        return matrix.values
    purchases = Purchases.from_matrix(matrix)
    bgnbd, gamma = purchase_models(purchasing)
    expected = bgnbd.expected_purchases(purchases, purchasing["days"])
    spend = gamma.expected_spend(purchases.spend, purchases.x + 1)
    share = purchases.t_x / np.maximum(purchases.age, 1.0)
    added = np.column_stack([expected, spend, expected * spend, bgnbd.alive(purchases), share])
    return np.hstack([matrix.values, added])


class LtvModel(PartsModel):
    """Expected money over the horizon.

    ``parameters`` always has ``horizon_days`` and ``total``, the factor that made a baseline's predicted
    and actual totals agree (1 for what learnt the money itself).
    """

    @property
    def horizon_days(self) -> float:
        """Days predicted for."""
        return float(self.parameters["horizon_days"])

    def combine(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """Expected money over the horizon [n]."""
        return self.value(matrix, raw, self.horizon_days) * float(self.parameters["total"])

    @abstractmethod
    def value(self, matrix: FeatureMatrix, raw: Mapping[str, Floats], days: float) -> Floats:
        """Expected money over so many days [n], before the total is put right."""

    def total_factor(self, matrix: FeatureMatrix, money: Floats, days: float) -> float:
        """What the predicted total must be multiplied with to be the actual one.

        Args:
            matrix: Observations.
            money: Their money [n].
            days: Days the money covers.
        """
        predicted = float(self.value(matrix, self.raw(matrix), days).sum())
        actual = float(money.sum())
        return actual / predicted if predicted > 0 and actual > 0 else 1.0

    def with_parameters(self, **changes: Any) -> Self:
        """The same model with some parameters changed, such as ``total``."""
        return type(self)(self.columns, self.categories, self.boosters, {**self.parameters, **changes})


class BoostedLtv(LtvModel):
    """Shared by the boosted candidates: purchase-model features beside the columns."""

    def inputs(self, matrix: FeatureMatrix) -> dict[str, Floats]:
        """Columns, and what the purchase model derives from them, [n, p] by call."""
        return dict.fromkeys(self.calls, design(self.view(matrix), self.parameters["purchasing"]))


class TwoPart(BoostedLtv):
    """P(money > 0) x E[money | > 0] + P(money < 0) x E[money | < 0], averaged over label lengths.

    The positive part is learnt as log money and brought back by a smearing factor (Duan 1983,
    taken as the ratio of totals, which a single huge customer sways less than a squared error
    in money does).
    """

    kind: ClassVar[str] = "two_part"

    def value(self, matrix: FeatureMatrix, raw: Mapping[str, Floats], days: float) -> Floats:
        """Expected money over so many days [n]."""
        money = np.zeros(len(matrix))
        spans = self.parameters["spans"]
        for span in spans:
            name = span["name"]
            # Where (nearly) everyone pays there is nothing to learn about who does.
            event = expit(raw[f"event_{name}"]) if f"event_{name}" in self.boosters else span["paid"]
            part = event * np.exp(raw[f"amount_{name}"]) * span["smear"]
            if f"loss_{name}" in self.boosters:
                part = part + expit(raw[f"loss_{name}"]) * span["loss"]
            else:
                part = part + span["loss"]
            money = money + part * (days / span["days"])
        return money / len(spans)


class Tweedie(BoostedLtv):
    """Tweedie LightGBM on money, negative money counted as none; averaged over label lengths.

    The log link is not the canonical one, so the sum of predictions drifts; ``scale`` puts it back.
    """

    kind: ClassVar[str] = "tweedie"

    def value(self, matrix: FeatureMatrix, raw: Mapping[str, Floats], days: float) -> Floats:
        """Expected money over so many days [n]."""
        money = np.zeros(len(matrix))
        spans = self.parameters["spans"]
        for span in spans:
            money = money + np.exp(raw[f"money_{span['name']}"]) * (span["scale"] * days / span["days"])
        return money / len(spans)


class BuyTillYouDie(LtvModel):
    """BG/NBD purchases x Gamma-Gamma spend."""

    kind: ClassVar[str] = "bgnbd"

    def value(self, matrix: FeatureMatrix, raw: Mapping[str, Floats], days: float) -> Floats:  # noqa: ARG002
        """Expected money over so many days [n]."""
        purchases = Purchases.from_matrix(matrix)
        bgnbd, gamma = purchase_models(self.parameters["purchasing"])
        spend = gamma.expected_spend(purchases.spend, purchases.x + 1)
        return bgnbd.expected_purchases(purchases, days) * spend


class LastPeriod(LtvModel):
    """The last window's money again, at the same rate."""

    kind: ClassVar[str] = "last_period"

    def value(self, matrix: FeatureMatrix, raw: Mapping[str, Floats], days: float) -> Floats:  # noqa: ARG002
        """Expected money over so many days [n]."""
        return last_period_spend(matrix, self.columns[0], self.parameters["window_days"], days)


LTV_MODELS: dict[str, type[LtvModel]] = {c.kind: c for c in (TwoPart, Tweedie, BuyTillYouDie, LastPeriod)}
"""Candidates by kind."""


def ltv_from_parts(parts: Parts) -> LtvModel:
    """Any candidate from its parts.

    Raises:
        ChecksumError: The kind is not known, or the parts are not complete.
    """
    kind = parts.document.get("kind")
    if kind not in LTV_MODELS:
        raise ChecksumError(f"{kind!r} is not an LTV model; those are {', '.join(LTV_MODELS)}")
    return LTV_MODELS[kind].from_parts(parts)
