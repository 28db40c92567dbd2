"""The predictor: champions and a snapshot in, answers out. Knows nothing of the web."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.catalogue.orders import ORDERED
from features.engine.matrix import FeatureMatrix
from features.engine.snapshot import Snapshot
from features.types import Floats
from serving.predictor.admission import Champion, admitted, agree
from serving.predictor.answers import Answer, Drivers, Leaving, Money, Prediction, Tier
from serving.predictor.drivers import Explainer
from serving.predictor.inputs import Feed, TrustedMatrix, positions
from serving.predictor.recommender import Uplift
from training.models.lifetime import leaves_by, lifetime_value

KEEP = 50_000
"""Predictions a predictor remembers, some 35 MB."""

Fed = dict[str, Floats]


@dataclass(frozen=True, eq=False)
class Numbers:
    """What is predicted for n customers that have ordered.

    Args:
        ltv: Money over the horizon [n].
        low: Lower ends of its interval [n]; NaN without one.
        high: Upper ends [n].
        lifetime: Lifetime value [n]; NaN where it has no end.
        left: P(left by each horizon) [n, K].
        tiers: Value tiers, n of them.
    """

    ltv: Floats
    low: Floats
    high: Floats
    lifetime: Floats
    left: Floats
    tiers: list[Tier]


class Predictor:
    """Answers for customers of a snapshot, or for any rows of its features.

    One event loop, or any number of threads, may use it at once.

    Args:
        ltv: The champion of lifetime value.
        churn: The champion of churn.
        snapshot: Features of all customers.
        keep: Predictions that are remembered, because accounts are looked at again and again
            between two snapshots; 0 computes each anew.
        uplift: What recommends actions, if anything does; the predictor only carries it, so that
            both are put in place at once.

    Raises:
        FingerprintError: The three were not made by the same definitions, or not in one currency.
        ChecksumError: A model does not answer its canary rows as when it was made.
    """

    def __init__(
        self,
        ltv: Champion,
        churn: Champion,
        snapshot: Snapshot,
        keep: int = KEEP,
        uplift: Uplift | None = None,
    ) -> None:
        for champion in (ltv, churn):
            agree(champion.bundle, snapshot)
        self.uplift = uplift or Uplift()
        self.snapshot = snapshot
        self.ltv, self.churn = ltv, churn
        self.models = {"ltv": ltv.number, "churn": churn.number}
        self.facts = ltv.bundle.facts
        self.currency = str(self.facts["currency"])
        self.horizons = tuple(int(days) for days in churn.bundle.facts["horizons_days"])
        self._interval, self._days = float(self.facts["interval"]), int(self.facts["horizon_days"])
        self._fast_ltv, self._fast_churn = admitted(ltv.bundle), admitted(churn.bundle)
        self._feed_ltv = Feed(ltv.bundle.model, snapshot)
        self._feed_churn = Feed(churn.bundle.model, snapshot)
        self._ordered = snapshot.names.index(ORDERED)
        self._keep, self._kept = keep, dict[int, Prediction]()
        self._explainer = Explainer(ltv.bundle, churn.bundle)

    def with_uplift(self, uplift: Uplift) -> "Predictor":
        """The same predictor, with all it remembers, beside another recommender."""
        made = copy.copy(self)
        made.uplift = uplift
        return made

    def predict(self, customer_ids: Sequence[str], *, explain: bool = False) -> Answer:
        """Answer for customers of the snapshot, in the order asked for.

        Raises:
            UnknownCustomerError: Some are not in it.
        """
        rows = positions(self.snapshot, customer_ids)
        if explain or not self._keep:
            predictions = self._computed(customer_ids, rows, explain=explain)
        else:
            predictions = self._remembered(customer_ids, rows)
        return Answer(predictions, self.snapshot.as_of, self.currency, self.models)

    def _remembered(self, names: Sequence[str], rows: list[int]) -> tuple[Prediction, ...]:
        """Predictions that were given before, and the others computed.

        Models and snapshot of a predictor never change, so neither does a customer's prediction.
        """
        predictions = {row: self._kept.get(row) for row in rows}
        fresh = {row: name for row, name in zip(rows, names, strict=True) if predictions[row] is None}
        if fresh:
            made = dict(
                zip(fresh, self._computed(list(fresh.values()), list(fresh), explain=False), strict=True)
            )
            if len(self._kept) + len(made) > self._keep:
                self._kept.clear()
            self._kept.update(made)
            predictions |= made
        return tuple(predictions[row] for row in rows)  # type: ignore[misc]  # none is None any more

    def _computed(self, names: Sequence[str], rows: list[int], *, explain: bool) -> tuple[Prediction, ...]:
        some = np.array(rows, np.intp)
        ordered = self.snapshot.rows[some, self._ordered] > 0
        here = some[ordered]
        fed = (self._feed_ltv.rows(here), self._feed_churn.rows(here))
        return self._predictions(names, ordered, self.matrix(here), fed, explain=explain)

    def predict_rows(
        self, names: Sequence[str | None], matrix: FeatureMatrix, as_of: str, *, explain: bool = False
    ) -> Answer:
        """Answer for rows of features that are in no snapshot.

        Args:
            names: Whose they are, n of them.
            matrix: The features, n rows.
            as_of: The moment they are of, ISO with zone offset.
            explain: Whether to say why.
        """
        ordered = np.ascontiguousarray(matrix.column(ORDERED)) > 0
        here = matrix.take(ordered)
        fed = (self.ltv.bundle.model.inputs(here), self.churn.bundle.model.inputs(here))
        predictions = self._predictions(names, ordered, here, fed, explain=explain)
        return Answer(predictions, as_of, self.currency, self.models)

    def numbers(self, rows: npt.NDArray[np.intp]) -> Numbers:
        """Predictions for rows of the snapshot that have ordered."""
        return self._numbers(self.matrix(rows), self._feed_ltv.rows(rows), self._feed_churn.rows(rows))

    def ordered(self, rows: slice) -> npt.NDArray[np.bool_]:
        """Which customers of some rows of the snapshot have ordered."""
        has_orders: npt.NDArray[np.bool_] = self.snapshot.rows[rows, self._ordered] > 0
        return has_orders

    def matrix(self, rows: npt.NDArray[np.intp]) -> FeatureMatrix:
        """Rows of the snapshot as a feature matrix."""
        return TrustedMatrix.of(self.snapshot, rows)

    def _numbers(self, matrix: FeatureMatrix, fed_ltv: Fed, fed_churn: Fed) -> Numbers:
        ltv = self.ltv.bundle.model.combine(matrix, self._fast_ltv.raw(fed_ltv))
        left = self.churn.bundle.model.combine(matrix, self._fast_churn.raw(fed_churn))
        intervals = self.ltv.bundle.intervals
        if intervals is None:
            low = high = np.full(len(ltv), np.nan)
        else:
            low, high = intervals.interval(ltv, self._interval)
        return Numbers(ltv, low, high, self._lifetime(ltv, left), left, [self._tier(v) for v in ltv.tolist()])

    def _lifetime(self, ltv: Floats, left: Floats) -> Floats:
        days, rate = self._days, float(self.facts["discount_rate"])
        leaves = leaves_by(left, self.horizons, days)
        if rate > 0:
            return lifetime_value(ltv, leaves, horizon_days=days, discount_rate=rate)
        # Without discounting, the value of an account that never leaves has no end.
        ends = leaves > 0
        lifetimes = np.full(len(ltv), np.nan)
        lifetimes[ends] = lifetime_value(ltv[ends], leaves[ends], horizon_days=days, discount_rate=rate)
        return lifetimes

    def _tier(self, value: float) -> Tier:
        tiers: dict[Tier, float] = self.facts["tiers"]
        for tier, least in tiers.items():
            if value >= least:
                return tier
        return "D"

    def _predictions(
        self,
        names: Sequence[str | None],
        ordered: npt.NDArray[np.bool_],
        matrix: FeatureMatrix,
        fed: tuple[Fed, Fed],
        *,
        explain: bool,
    ) -> tuple[Prediction, ...]:
        has = ordered.tolist()
        some = [name for name, ok in zip(names, has, strict=True) if ok]
        predictions = iter(self._told(some, matrix, fed, explain=explain) if some else ())
        return tuple(
            next(predictions) if ok else Prediction(name, "no orders yet")
            for name, ok in zip(names, has, strict=True)
        )

    def _told(
        self, names: Sequence[str | None], matrix: FeatureMatrix, fed: tuple[Fed, Fed], *, explain: bool
    ) -> Iterator[Prediction]:
        numbers = self._numbers(matrix, *fed)
        drivers: Sequence[Drivers | None] = [None] * len(names)
        if explain:
            drivers = self._explainer.drivers(matrix, *fed)
        low, high, lifetime = numbers.low.tolist(), numbers.high.tolist(), numbers.lifetime.tolist()
        left = numbers.left.tolist()
        for k, value in enumerate(numbers.ltv.tolist()):
            yield Prediction(
                names[k],
                "ok",
                Money(value, _known(low[k]), _known(high[k]), self._interval, self._days),
                _known(lifetime[k]),
                tuple(map(Leaving, self.horizons, left[k])),
                numbers.tiers[k],
                drivers[k],
            )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
