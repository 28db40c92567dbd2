"""Buy-till-you-die models by maximum likelihood: BG/NBD for purchases, Gamma-Gamma for money.

They see nothing of a customer but how often, how recently and for how much it has bought, and are
the yardstick of every other model here, as well as a source of features for them.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln, hyp2f1

from features.catalogue.orders import ORDER_DAYS, RETURNED, SINCE_FIRST_ORDER, SINCE_LAST_ORDER, SPENT
from features.engine.matrix import FeatureMatrix
from features.errors import TrainingDataError
from features.types import Floats
from training.models.quadrature import NODES, beta_nodes

PURCHASE_COLUMNS = (ORDER_DAYS, SINCE_FIRST_ORDER, SINCE_LAST_ORDER, SPENT)
"""What the models here need: purchase days so far, days since the first and the last, money so far."""

_MIN_CUSTOMERS = 20
_LOG_BOUND = 12.0
_SLACK = 1e-6
"""How far, relatively, a rounded series may lie beyond the bounds it must keep."""


@dataclass(frozen=True)
class Purchases:
    """Purchase histories in the terms of Fader, Hardie and Lee; each array is float64 [n].

    Args:
        x: Repeat purchase days (purchase days less one); NaN for a customer without purchase.
        t_x: Days from the first to the last purchase day.
        age: Days from the first purchase day to the cutoff (T in the papers).
        spend: Mean money of a purchase day, first one included.
    """

    x: Floats
    t_x: Floats
    age: Floats
    spend: Floats

    @classmethod
    def from_matrix(cls, matrix: FeatureMatrix) -> Self:
        """Read the histories off the feature columns `PURCHASE_COLUMNS`.

        Raises:
            DefinitionError: One of the columns is not there.
        """
        # Contiguous copies: numpy's strided and contiguous loops may differ in the last bit, and
        # one row must give what a batch gives.
        days, age, silence, money = (np.ascontiguousarray(matrix.column(c)) for c in PURCHASE_COLUMNS)
        if RETURNED in matrix:  # taken into account where it is known
            # Who bought for a fortune and sent it all back has bought for nothing.
            money = np.maximum(money + np.nan_to_num(np.ascontiguousarray(matrix.column(RETURNED))), 0.0)
        bought = (days >= 1) & np.isfinite(age) & np.isfinite(silence)
        days = np.where(bought, days, np.nan)
        # Times of day may leave a sliver below zero or beyond the age; the likelihood has neither.
        age = np.maximum(age, 0.0)
        t_x = np.where(days > 1, np.clip(age - silence, 0.0, age), 0.0)
        return cls(days - 1, np.where(bought, t_x, np.nan), np.where(bought, age, np.nan), money / days)

    @property
    def bought(self) -> NDArray[np.bool_]:
        """Which customers have bought at all, [n]."""
        return np.isfinite(self.x)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Some of the histories."""
        return type(self)(self.x[rows], self.t_x[rows], self.age[rows], self.spend[rows])


def _maximise(name: str, negative: Callable[[Floats], tuple[float, Floats]], start: Floats) -> list[float]:
    """Minimise a (value, gradient) function of log-parameters."""
    optimum = minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_LOG_BOUND, _LOG_BOUND)] * len(start),
        options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-8},
    )
    if not np.all(np.isfinite(optimum.x)) or not np.isfinite(optimum.fun):
        raise TrainingDataError(f"{name} has no finite likelihood on this history; give it more customers")
    return [float(v) for v in np.exp(optimum.x)]


@dataclass(frozen=True)
class BgNbd:
    """BG/NBD (Fader, Hardie and Lee 2005, "Counting your customers the easy way").

    While alive a customer buys at rate lambda ~ Gamma(r, alpha); after each purchase it leaves with
    probability p ~ Beta(a, b).

    Args:
        r: Shape of the purchase rate.
        alpha: Scale of the purchase rate, in days (a week-based alpha times 7).
        a: First parameter of the dropout probability.
        b: Second parameter of the dropout probability.
    """

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, purchases: Purchases) -> Self:
        """Fit by maximum likelihood with its analytic gradient.

        Raises:
            TrainingDataError: Fewer than 20 customers have bought, or none has bought twice.
        """
        history = purchases.take(purchases.bought & (purchases.age > 0))
        if len(history.x) < _MIN_CUSTOMERS or not (history.x > 0).any():
            raise TrainingDataError(
                f"BG/NBD needs {_MIN_CUSTOMERS} customers with a purchase before the cutoff and one who came "
                f"back; there are {len(history.x)} and {int((history.x > 0).sum())}"
            )
        unit = float(history.age.mean())
        triples = np.column_stack([history.x, history.t_x / unit, history.age / unit])
        distinct, counts = np.unique(triples, axis=0, return_counts=True)
        x, t_x, age = np.ascontiguousarray(distinct.T)
        total = counts.sum()

        def negative(logs: Floats) -> tuple[float, Floats]:
            value, gradient = _bgnbd_likelihood(np.exp(logs), x, t_x, age)
            return -float(value @ counts) / total, -(gradient @ counts) * np.exp(logs) / total

        r, alpha, a, b = _maximise("BG/NBD", negative, np.log([0.5, 0.3, 0.8, 2.5]))
        return cls(r, alpha * unit, a, b)

    def alive(self, purchases: Purchases) -> Floats:
        """P(still a customer at the cutoff) [n]; NaN without any purchase.

        Fader, Hardie and Lee 2008, "Computing P(alive) using the BG/NBD model".
        """
        x, t_x, age = purchases.x, purchases.t_x, purchases.age
        odds = (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
        # max keeps the unused branch x = 0 away from log(b - 1).
        odds = odds + np.log(self.a / (self.b + np.maximum(x, 1) - 1))
        return np.where(x > 0, expit(-odds), np.where(np.isnan(x), np.nan, 1.0))

    def expected_purchases(self, purchases: Purchases, days: float | Floats) -> Floats:
        """Expected purchase days in the next days [n]; 0 without any purchase.

        Equation (10) of the paper, with Euler's transformation of 2F1: its arguments then no longer
        grow with x, where the form as printed overflows. Where customers hardly differ, the likelihood
        has its best at the end of some parameter (regular buyers: all at one rate, r and alpha without
        end; most bought once: all leave with one probability, a and b without end) and the series is lost.
        The same mean is then taken as the integral it came from, which has these limits.

        Args:
            purchases: Histories.
            days: Days ahead, one number or [n].
        """
        # The formula is 0/0 at a = 1; the step aside costs a relative error of about 1e-7.
        a = self.a if abs(self.a - 1) > 1e-7 else 1 + 1e-7
        x, age = purchases.x, purchases.age
        rest = (self.alpha + age) / (self.alpha + age + days)
        c = a + self.b + x - 1
        with np.errstate(invalid="ignore", over="ignore"):
            series = rest ** (a - 1) * hyp2f1(a + self.b - 1 - self.r, a - 1, c, 1 - rest)
            expected = c / (a - 1) * (1 - series)
        shape, ratio = self.r + x, days / (self.alpha + age)
        # The mean of a convex falling function of p lies above its value at the mean of p, and below that at 0.
        low, high = _bought_by(self.a / (self.a + self.b + x), shape, ratio), shape * ratio
        lost = ~((expected >= low * (1 - _SLACK)) & (expected <= high * (1 + _SLACK))) & purchases.bought
        if lost.any():
            ratio = np.broadcast_to(ratio, x.shape)
            expected[lost] = self._integrated(x[lost], shape[lost], ratio[lost])
        return np.where(purchases.bought, np.maximum(expected * self.alive(purchases), 0.0), 0.0)

    def _integrated(self, x: Floats, shape: Floats, ratio: Floats) -> Floats:
        """Expected purchase days of customers who are there, by the mean over p ~ Beta(a, b + x), [n]."""
        distinct, row = np.unique(x, return_inverse=True)
        nodes = np.array([beta_nodes(self.a, self.b + repeats) for repeats in distinct.tolist()])
        expected = np.zeros(len(x))
        # Node by node, so that one customer gets the bits that a table gets.
        for k in range(NODES):
            p, weight = nodes[row, :, k].T.copy()
            expected += weight * _bought_by(p, shape, ratio)
        return expected

    def to_dict(self) -> dict[str, float]:
        """The four parameters by name."""
        return asdict(self)


def _bought_by(p: Floats, shape: Floats, ratio: Floats) -> Floats:
    """Expected purchase days of who leaves with probability p after each, the rate ~ Gamma(shape) left to average."""
    return np.asarray(-np.expm1(-shape * np.log1p(p * ratio)) / p)


def _bgnbd_likelihood(theta: Floats, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
    """Log-likelihood [n] and its gradient [4, n] (equation 6 of the paper, in logs throughout)."""
    r, alpha, a, b = theta
    gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
    stayed = -(r + x) * np.log(alpha + age)
    gone = np.where(x > 0, gone, -np.inf)
    either = np.logaddexp(stayed, gone)
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + either
    value = value + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    left = np.exp(gone - either)
    here = 1 - left
    both = digamma(a + b) - digamma(a + b + x)
    gradient = np.stack([
        digamma(r + x) - digamma(r) + np.log(alpha) - here * np.log(alpha + age) - left * np.log(alpha + t_x),
        r / alpha - (r + x) * (here / (alpha + age) + left / (alpha + t_x)),
        both + left / a,
        both + digamma(b + x) - digamma(b) - left / (b + np.maximum(x, 1) - 1),
    ])  # fmt: skip
    return value, gradient


@dataclass(frozen=True)
class GammaGamma:
    """Gamma-Gamma spend (Fader and Hardie 2013, "The Gamma-Gamma model of monetary value").

    The money of a purchase day is Gamma(p, nu) with nu ~ Gamma(q, gamma), independent of how often
    the customer buys.

    Args:
        p: Shape of spend within a customer.
        q: Shape of the rate between customers.
        gamma: Scale of the rate between customers, in money.
    """

    p: float
    q: float
    gamma: float

    @classmethod
    def fit(cls, spend: Floats, days: Floats) -> Self:
        """Fit by maximum likelihood.

        Args:
            spend: Mean money of a purchase day [n]; rows that are not positive are left out.
            days: Purchase days it is the mean of [n].

        Raises:
            TrainingDataError: Fewer than 20 customers have positive spend.
        """
        use = np.isfinite(spend) & (spend > 0) & (days > 0)
        if use.sum() < _MIN_CUSTOMERS:
            raise TrainingDataError(
                f"Gamma-Gamma needs {_MIN_CUSTOMERS} customers with positive spend; there are {use.sum()}"
            )
        unit = float(np.median(spend[use]))
        m, n = spend[use] / unit, days[use]

        def negative(logs: Floats) -> tuple[float, Floats]:
            value, gradient = _gamma_gamma_likelihood(np.exp(logs), m, n)
            return -float(value.mean()), -gradient.mean(axis=1) * np.exp(logs)

        p, q, gamma = _maximise("Gamma-Gamma", negative, np.log([2.0, 3.0, 2.0]))
        return cls(p, q, gamma * unit)

    def expected_spend(self, spend: Floats, days: Floats) -> Floats:
        """Expected money of a future purchase day [n]; 0 without any purchase.

        A negative mean (more returned than bought) counts as zero. With q <= 1 the prior mean does
        not exist; the denominator is then kept at what q = 1.05 gives.
        """
        known = np.isfinite(spend) & (days > 0)
        with np.errstate(invalid="ignore"):
            money = self.p * (self.gamma + np.maximum(spend, 0.0) * days)
            expected = money / (self.p * days + max(self.q - 1, 0.05))
        return np.where(known, expected, 0.0)

    def to_dict(self) -> dict[str, float]:
        """The three parameters by name."""
        return asdict(self)


def _gamma_gamma_likelihood(theta: Floats, m: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Log-likelihood [n] and its gradient [3, n] (equation 1a of the note)."""
    p, q, gamma = theta
    whole = gamma + m * n
    value = gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(gamma)
    value = value + (p * n - 1) * np.log(m) + p * n * np.log(n) - (p * n + q) * np.log(whole)
    gradient = np.stack([
        n * (digamma(p * n + q) - digamma(p * n) + np.log(m) + np.log(n) - np.log(whole)),
        digamma(p * n + q) - digamma(q) + np.log(gamma) - np.log(whole),
        q / gamma - (p * n + q) / whole,
    ])  # fmt: skip
    return value, gradient


def last_period_spend(matrix: FeatureMatrix, column: str, window_days: float, horizon_days: float) -> Floats:
    """Naive forecast: what was spent in the last window, at the same rate over the horizon, [n].

    Args:
        matrix: Features with the column.
        column: Money of the last window, such as ``orders_amount_sum_365d``; NaN counts as nothing.
        window_days: Days of that window; customers younger than it are not scaled up.
        horizon_days: Days ahead.
    """
    return np.nan_to_num(np.ascontiguousarray(matrix.column(column))) * (horizon_days / window_days)
