"""Lifetime value beyond the horizon, by the retention curve."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import betaln

from features.errors import DefinitionError, TrainingDataError
from features.types import Floats

_YEAR = 365.0


@dataclass(frozen=True)
class RetentionCurve:
    """Shifted-beta-geometric retention (Fader and Hardie 2007, "How to project customer retention").

    Each customer leaves at the end of a period with a probability of its own, Beta(alpha, beta)
    among customers. So the share kept rises from period to period, because those likely to leave
    go first.

    Args:
        alpha: First parameter.
        beta: Second parameter.
    """

    alpha: float
    beta: float

    @property
    def concentration(self) -> float:
        """Sum of alpha and beta: the larger, the more alike customers are."""
        return self.alpha + self.beta

    @classmethod
    def fit(cls, surviving: ArrayLike) -> Self:
        """Fit by maximum likelihood.

        Args:
            surviving: Share (or number) of customers still there after 0, 1, 2 … equal periods;
                three entries or more, not increasing. A churn model's mean 1 - P(left by h) at
                equally spaced horizons, with 1 put in front, will do.

        Raises:
            TrainingDataError: Fewer than three entries, increasing ones, or nobody leaves.
        """
        shares = np.asarray(surviving, dtype=np.float64)
        if len(shares) < 3 or (np.diff(shares) > 0).any() or shares[-1] < 0 or shares[0] <= shares[-1]:
            raise TrainingDataError(
                f"a retention curve needs three or more shares that do not increase, and someone who left; "
                f"got {shares.tolist()}"
            )
        shares = shares / shares[0]
        lost, period = -np.diff(shares), np.arange(1, len(shares))

        def negative(logs: Floats) -> float:
            a, b = np.exp(logs)
            left = betaln(a + 1, b + period - 1) - betaln(a, b)
            stayed = betaln(a, b + period[-1]) - betaln(a, b)
            return -float(lost @ left + shares[-1] * stayed)

        start = np.log([max(float(lost[0]), 0.01), max(1 - float(lost[0]), 0.01)])
        found = minimize(negative, start, method="L-BFGS-B", bounds=[(-9, 9)] * 2, options={"ftol": 1e-13})
        alpha, beta = (float(v) for v in np.exp(found.x))
        return cls(alpha, beta)

    def survival(self, periods: ArrayLike) -> Floats:
        """Expected share still there after so many periods."""
        periods = np.asarray(periods, dtype=np.float64)
        return np.asarray(np.exp(betaln(self.alpha, self.beta + periods) - betaln(self.alpha, self.beta)))


def lifetime_value(
    value: ArrayLike,
    leaves: ArrayLike,
    *,
    horizon_days: float,
    discount_rate: float,
    concentration: float = np.inf,
) -> Floats:
    """Expected value of the horizon and all time after it, [n].

    With z = (1 + discount_rate) ** (-horizon_days / 365) and the customer's own probability p of
    leaving within a horizon, V the horizon's value, every later horizon is worth V x (share still
    there) x z:

        V * sum over k >= 0 of S(k) z^k

    where S(k) = (1 - p)^k if customers of equal p are alike (concentration infinite), so that the
    sum is 1 / (1 - (1 - p) z), the geometric lifetime; and where they are not, p is Beta(p c,
    (1 - p) c) with concentration c, S(k) is sBG survival and the sum is 2F1(1, (1 - p) c; c; z)
    (Fader and Hardie 2010, "Customer-base valuation in a contractual setting", equation 6, here
    with the first period certain).

    Args:
        value: Expected money over the horizon [n], as the LTV model predicts it (discounted within
            the horizon already, if at all).
        leaves: P(gone by the end of the horizon) [n].
        horizon_days: Days of the horizon.
        discount_rate: Yearly.
        concentration: alpha + beta of a `RetentionCurve` with periods of this horizon.

    Raises:
        DefinitionError: A probability outside 0 to 1, or a sum that has no end: no discount, and
            customers who never leave.
    """
    value, p = np.asarray(value, dtype=np.float64), np.asarray(leaves, dtype=np.float64)
    if ((p < 0) | (p > 1) | np.isnan(p)).any():
        raise DefinitionError("probabilities of leaving must be between 0 and 1")
    if horizon_days <= 0 or discount_rate < 0 or concentration <= 0:
        raise DefinitionError(
            f"horizon {horizon_days:g} days and concentration {concentration:g} must be positive, "
            f"discount rate {discount_rate:g} not negative"
        )
    z = (1 + discount_rate) ** (-horizon_days / _YEAR)
    endless = p == 0 if np.isinf(concentration) else p * concentration <= 1
    if z >= 1 and endless.any():
        raise DefinitionError(
            "without a discount rate the lifetime value of customers who hardly ever leave has no end; "
            "set ltv.discount_rate above 0"
        )
    if np.isinf(concentration):
        return np.asarray(value / (1 - (1 - p) * z))
    if z >= 1:
        return np.asarray(value * (concentration - 1) / (p * concentration - 1))
    return np.asarray(value * _horizons((1 - p) * concentration, concentration, z))


def _horizons(b: Floats, c: float, z: float, terms: int = 300) -> Floats:
    """2F1(1, b; c; z) by Gauss's continued fraction.

    scipy's gives NaN for customers who are much alike (c from about 200). Good to 1e-12 for
    horizons from a month at 10 % discount, 0 < b < c.
    """
    rest = np.ones_like(b)
    for k in range(terms, 0, -1):
        rest = 1 - (b + k) * (c + k - 1) / ((c + 2 * k - 1) * (c + 2 * k)) * z / rest
        rest = 1 - k * (c - b + k - 1) / ((c + 2 * k - 2) * (c + 2 * k - 1)) * z / rest
    return np.asarray(1 / (1 - b / c * z / rest))


def leaves_by(left: ArrayLike, horizons_days: tuple[float, ...], days: float) -> Floats:
    """P(gone by some day) [n] from P(gone by each horizon).

    Between two horizons the hazard is constant per day, and beyond the last it stays what it was
    in the last interval. With the cumulative hazard H(t) = -log(1 - P(gone by t)), H(0) = 0:

        P(gone by d) = 1 - exp(-H(d)),  H linear between horizons, and for d > h_K
        H(d) = H(h_K) + (d - h_K) * (H(h_K) - H(h_K-1)) / (h_K - h_K-1)

    Certainty has no finite hazard and counts as 1 - 2^-53.

    Args:
        left: P(gone by each horizon) [n, K], never falling along a row.
        horizons_days: The horizons, increasing, K of them.
        days: The day asked for, positive.
    """
    ends = (0.0, *horizons_days)
    # The interval the day is in; the last one goes on for ever.
    k = next((i for i, end in enumerate(ends) if end >= days), len(ends) - 1)
    share = (days - ends[k - 1]) / (ends[k] - ends[k - 1])
    # Contiguous rows a horizon, so that one customer gets the bits that a table gets.
    gone = np.ascontiguousarray(np.asarray(left, dtype=np.float64)[:, max(k - 2, 0) : k].T)
    hazard = -np.log1p(-np.minimum(gone, 1 - 2.0**-53))
    before = hazard[0] if k > 1 else 0.0
    return np.asarray(-np.expm1(-(before + share * (hazard[-1] - before))))
