"""Drivers: which features moved a customer's predictions most, in plain words.

Contributions are LightGBM's TreeSHAP (Lundberg and others 2020): they add up to the difference of
the raw score from the average customer's.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import expit

from features.catalogue.phrases import DERIVED, Phrase, phrases
from features.engine.matrix import FeatureMatrix
from features.types import Floats
from serving.predictor.answers import Driver, DriverEffect, Drivers
from training.models.bundle import Bundle
from training.models.buytilldie import PURCHASE_COLUMNS
from training.models.churn import HAZARD, HazardChurn
from training.models.ltv import BoostedLtv, TwoPart

MOST = 5
"""Drivers that are told of each prediction."""


class Explainer:
    """Explains the answers of two champions.

    A champion without boosters weighs no features one by one: of it is told what it uses, in a
    fixed order, and the effect against the middle of its canary rows.

    Args:
        ltv: The champion of lifetime value.
        churn: The champion of churn.
    """

    def __init__(self, ltv: Bundle, churn: Bundle) -> None:
        self._ltv, self._churn = ltv, churn
        self._phrases = phrases(ltv.features)
        self._currency = str(ltv.facts["currency"])

    def drivers(
        self, matrix: FeatureMatrix, ltv: Mapping[str, Floats], churn: Mapping[str, Floats]
    ) -> list[Drivers]:
        """The drivers of n customers.

        Args:
            matrix: Their features.
            ltv: What the LTV model's boosters are fed.
            churn: What the churn model's boosters are fed.
        """
        of_ltv = self._told(self._ltv, matrix, *_weights_of_ltv(self._ltv, matrix, ltv), "the expected value")
        of_churn = self._told(
            self._churn, matrix, *_weights_of_churn(self._churn, matrix, churn), "the risk of leaving"
        )
        return [Drivers(a, b) for a, b in zip(of_ltv, of_churn, strict=True)]

    def _told(
        self,
        bundle: Bundle,
        matrix: FeatureMatrix,
        names: Sequence[str],
        values: Floats,
        weights: Floats,
        what: str,
    ) -> list[tuple[Driver, ...]]:
        told = []
        for row in range(len(matrix)):
            order = np.argsort(-np.abs(weights[row]), kind="stable")[:MOST]
            told.append(
                tuple(
                    self._driver(bundle, names[k], float(values[row, k]), float(weights[row, k]), what)
                    for k in order.tolist()
                    if weights[row, k] != 0
                )
            )
        return told

    def _driver(self, bundle: Bundle, name: str, number: float, weight: float, what: str) -> Driver:
        value: float | str | None = None if np.isnan(number) else number
        words = bundle.model.categories.get(name)
        if words is not None and value is not None:
            value = words[int(number)]
        phrase: Phrase = self._phrases[name]
        effect: DriverEffect = "raises" if weight > 0 else "lowers"
        text = f"{phrase.say(value, self._currency)} ({effect} {what})"
        return Driver(name, value, effect, phrase.group, text)


def _contributions(bundle: Bundle, booster: str, values: Floats) -> Floats:
    """TreeSHAP contributions of each column to the raw score [n, p], without the average."""
    contributions = bundle.model.boosters[booster].predict(values, pred_contrib=True, num_threads=1)
    return np.asarray(contributions, np.float64)[:, :-1]


def _weights_of_ltv(
    bundle: Bundle, matrix: FeatureMatrix, fed: Mapping[str, Floats]
) -> tuple[Sequence[str], Floats, Floats]:
    """Names, values and weights [n, p] on the logarithm of the expected money.

    Of the spans the longest is told. In the two-part model log money is log P(pays) + log amount,
    and a contribution c to the log odds of paying changes log P by (1 − P) c to first order.
    """
    model = bundle.model
    if not isinstance(model, BoostedLtv):
        return _used(bundle, matrix, model.columns[:1] if model.kind == "last_period" else PURCHASE_COLUMNS)
    names = (*model.columns, *(DERIVED if model.parameters["purchasing"] is not None else ()))
    span = max(model.parameters["spans"], key=lambda window: float(window["days"]))["name"]
    first = f"amount_{span}" if isinstance(model, TwoPart) else f"money_{span}"
    weights = _contributions(bundle, first, fed[first])
    event = f"event_{span}"
    if event in model.boosters:
        odds = model.boosters[event].predict(fed[event], raw_score=True, num_threads=1)
        weights = weights + (1 - expit(np.asarray(odds)))[:, None] * _contributions(bundle, event, fed[event])
    return names, fed[first], weights


def _weights_of_churn(
    bundle: Bundle, matrix: FeatureMatrix, fed: Mapping[str, Floats]
) -> tuple[Sequence[str], Floats, Floats]:
    """Names, values and weights [n, p] on the log odds of leaving in the last interval."""
    model = bundle.model
    if not isinstance(model, HazardChurn):
        # More silence raises the risk; more purchases, money and age make silence tell more or less.
        return _used(bundle, matrix, PURCHASE_COLUMNS[:3] if model.kind == "bgnbd" else (), sign=(-1, -1, 1))
    last = list(model.calls)[-1]
    values = fed[last]
    # The number of the interval is no property of the customer.
    slope = float(model.parameters["calibration"][-1][1])
    weights = np.sign(slope) * _contributions(bundle, HAZARD, values)[:, : len(model.columns)]
    return model.columns, values, weights


def _used(
    bundle: Bundle, matrix: FeatureMatrix, names: Sequence[str], sign: Sequence[int] = (1, 1, -1, 1)
) -> tuple[Sequence[str], Floats, Floats]:
    """What a model without boosters uses, and on which side of the middle customer it lies."""
    values = np.column_stack([matrix.column(name) for name in names]) if names else np.empty((len(matrix), 0))
    middle = np.array([np.nanmedian(bundle.canary.column(name)) for name in names])
    side = np.sign(np.nan_to_num(values - middle)) * np.array(sign[: len(names)], np.float64)
    return names, values, side
