"""What can predict churn over several horizons: the candidates as models, ready to be served."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from scipy.special import expit

from features.engine.matrix import FeatureMatrix
from features.errors import ChecksumError
from features.types import Floats
from training.models.buytilldie import BgNbd, Purchases
from training.models.servable import Parts, PartsModel

HAZARD = "hazard"
"""Name of the one booster."""

INTERVAL = "interval"
"""Name of the feature added for it: number of the interval, from 0."""


class ChurnModel(PartsModel):
    """P(left by each horizon), [n, K], never falling from one horizon to the next."""

    @property
    def horizons_days(self) -> tuple[int, ...]:
        """Days by which the account may have left, increasing."""
        return tuple(self.parameters["horizons_days"])


class HazardChurn(ChurnModel):
    """The discrete-time hazard model on LightGBM, with a shift and a slope for each interval's log-odds."""

    kind: ClassVar[str] = "hazard"

    @property
    def calls(self) -> dict[str, str]:
        """One call an interval, all of the one booster."""
        return {f"{HAZARD}_{k}": HAZARD for k in range(len(self.horizons_days))}

    def inputs(self, matrix: FeatureMatrix) -> dict[str, Floats]:
        """The columns and the interval's number, [n, p + 1] by call."""
        values = self.view(matrix).values
        return {
            call: np.hstack([values, np.full((len(values), 1), float(k))])
            for k, call in enumerate(self.calls)
        }

    def combine(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """P(left by each horizon) [n, K] from the raw hazards."""
        left = np.empty((len(matrix), len(self.horizons_days)))
        staying = np.ones(len(matrix))
        for k, (call, (shift, slope)) in enumerate(
            zip(self.calls, self.parameters["calibration"], strict=True)
        ):
            staying = staying * expit(-(shift + slope * raw[call]))
            left[:, k] = 1 - staying
        return left


class SilenceChurn(ChurnModel):
    """BG/NBD's answer: 1 - P(alive) x P(buys between the horizon and the end of the silence | alive).

    Given alive, the rate is Gamma(r + x, alpha + T), so P(no purchase in s days) is
    ((alpha + T) / (alpha + T + s)) ** (r + x); dropout in those days is left out of account.
    """

    kind: ClassVar[str] = "bgnbd"

    def combine(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:  # noqa: ARG002
        """P(left by each horizon) [n, K]; 1 for a customer that never bought."""
        model = BgNbd(**self.parameters["bgnbd"])
        purchases = Purchases.from_matrix(matrix)
        alive, base = model.alive(purchases), model.alpha + purchases.age
        horizons = self.horizons_days
        end = horizons[-1] + self.parameters["silence_days"]
        left = np.empty((len(matrix), len(horizons)))
        for k, days in enumerate(horizons):
            quiet = np.exp((model.r + purchases.x) * (np.log(base) - np.log(base + (end - days))))
            left[:, k] = np.where(purchases.bought, 1 - alive * (1 - quiet), 1.0)
        return left


class BaseRateChurn(ChurnModel):
    """The same share for everyone."""

    kind: ClassVar[str] = "base_rate"

    def combine(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:  # noqa: ARG002
        """P(left by each horizon) [n, K]."""
        return np.tile(np.asarray(self.parameters["rates"], dtype=np.float64), (len(matrix), 1))


CHURN_MODELS: dict[str, type[ChurnModel]] = {c.kind: c for c in (HazardChurn, SilenceChurn, BaseRateChurn)}
"""Candidates by kind."""


def churn_from_parts(parts: Parts) -> ChurnModel:
    """Any churn model from its parts.

    Raises:
        ChecksumError: The kind is not known, or the parts are not complete.
    """
    kind = parts.document.get("kind")
    if kind not in CHURN_MODELS:
        raise ChecksumError(f"{kind!r} is not a churn model; those are {', '.join(CHURN_MODELS)}")
    return CHURN_MODELS[kind].from_parts(parts)
