"""Lifetime value beyond the horizon, by the account's own retention curve."""

import numpy as np
from numpy.typing import ArrayLike

from features.errors import DefinitionError
from features.types import Floats

_YEAR = 365.0


def lifetime_value(
    value: ArrayLike, leaves: ArrayLike, *, horizon_days: float, discount_rate: float
) -> Floats:
    """Expected value of the horizon and all time after it, [n].

    With z = (1 + discount_rate) ** (-horizon_days / 365) and the account's own probability p of
    leaving within a horizon, V the horizon's value, every later horizon is worth V x (share still
    there) x z:

        V * sum over k >= 0 of (1 - p)^k z^k  =  V / (1 - (1 - p) z)

    the geometric lifetime of Gupta, Lehmann and Stuart (2004, "Valuing customers", equation 3),
    here with the first period certain. It keeps an account's risk as it is; that those who stay are
    the loyal ones (Fader and Hardie 2010) would make the sum somewhat larger.

    Args:
        value: Expected money over the horizon [n], as the LTV model predicts it (discounted within
            the horizon already, if at all).
        leaves: P(gone by the end of the horizon) [n].
        horizon_days: Days of the horizon.
        discount_rate: Yearly.

    Raises:
        DefinitionError: A probability outside 0 to 1, or a sum that has no end: no discount, and
            customers who never leave.
    """
    value, p = np.asarray(value, dtype=np.float64), np.asarray(leaves, dtype=np.float64)
    if ((p < 0) | (p > 1) | np.isnan(p)).any():
        raise DefinitionError("probabilities of leaving must be between 0 and 1")
    if horizon_days <= 0 or discount_rate < 0:
        raise DefinitionError(
            f"horizon {horizon_days:g} days must be positive, discount rate {discount_rate:g} not negative"
        )
    z = (1 + discount_rate) ** (-horizon_days / _YEAR)
    if z >= 1 and (p == 0).any():
        raise DefinitionError(
            "without a discount rate the lifetime value of customers who never leave has no end; "
            "set ltv.discount_rate above 0"
        )
    return np.asarray(value / (1 - (1 - p) * z))


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
