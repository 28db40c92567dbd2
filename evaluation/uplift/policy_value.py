"""What a policy brings, by doubly robust scores: its gain at every budget, and against another.

All gains are per customer, net of the cost of actions, over leaving everyone alone. Whom to treat is read
from predictions and what it brought from scores; the two must not come from the same model fit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.estimate import Comparison
from evaluation.uplift.curves import Curve, band
from evaluation.uplift.halfsamples import (
    Bits,
    HalfSamples,
    along,
    cluster_codes,
    compared,
    drawn,
    everything,
    finite,
    row_weights,
    standard_error,
)
from evaluation.uplift.policy import NOBODY, chosen_arms, net_values, steps
from features.errors import ExperimentError
from features.types import Floats, Index


def policy_test(
    scores: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    cost: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Comparison:
    """Does policy a bring less per customer than policy b, on the same customers?

    The difference is a mean, so its half-sample error has a closed form: the cluster-robust one.

    Args:
        scores: Doubly robust scores of each arm's effect on margin [n, K].
        a: One policy's choice [n].
        b: The other's [n].
        cost: What each arm costs, [K] or [n, K].
        weight: How many customers each row stands for [n].
        clusters: What was randomised as a whole [n].
        level: Nominal coverage of the interval of a - b.

    Raises:
        ExperimentError: Arrays that do not fit or are not finite, or fewer than 20 clusters.
    """
    gain_a, gain_b = _gain(scores, a, cost), _gain(scores, b, cost)
    w, code = row_weights(weight, len(gain_a)), cluster_codes(clusters, len(gain_a))
    value_a, value_b = (_mean(gain, w, code)[0] for gain in (gain_a, gain_b))
    return compared(value_a, value_b, _mean(gain_a - gain_b, w, code)[1], level)


def _gain(scores: ArrayLike, choice: ArrayLike, cost: ArrayLike) -> Floats:
    net, _ = net_values(scores, cost)
    chosen = chosen_arms(choice, *net.shape)
    return np.where(chosen >= 0, net[np.arange(len(net)), chosen], 0.0)


def _mean(value: Floats, w: Floats, code: Index) -> tuple[float, float]:
    mean = float((value * w).sum() / w.sum())
    influence = np.bincount(code, w * (value - mean))
    k = len(influence)
    return mean, float(np.sqrt(k / (k - 1) * (influence**2).sum()) / w.sum())


@dataclass(frozen=True, eq=False)
class GainCurve:
    """Gain per customer at every budget, net of what was spent, over leaving everyone alone.

    Args:
        policy: The best choice by predicted uplift; ``at`` are budgets in total money.
        constant: Customers in random order, all with the arm that predictions find best at the
            budget. Predictions know the mean effects on these very customers, so the best of K arms is
            partly the luckiest, and its band is as wide as K arms need (Bonferroni).
        random: Customers in random order, an arm drawn evenly.
        best: That arm at each budget [m]; `NOBODY` where none is expected to bring more than it costs.
        spent: What the policy spends at each budget, in total money [m]; less than the budget once
            nothing is left that is worth its cost.
        customers: How many customers (total weight) the gain is a mean over.
    """

    policy: Curve
    constant: Curve
    random: Curve
    best: NDArray[np.intp]
    spent: Floats
    customers: float

    @property
    def total(self) -> Curve:
        """The policy's gain in total money."""
        curve, n = self.policy, self.customers
        return Curve(curve.at, curve.value * n, curve.low * n, curve.high * n)


def gain_curve(
    uplift: ArrayLike,
    cost: ArrayLike,
    scores: ArrayLike,
    budgets: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    samples: HalfSamples | None = None,
    level: float = 0.95,
) -> GainCurve:
    """What the best policy brings at every budget, with half-sample intervals.

    A budget is an amount per customer times their number: a half-sample has half of it, and is cut
    where its own spending reaches that. Customers at the cut are treated in part, as if by lot.

    Args:
        uplift: Calibrated uplift in margin of each arm [n, K], which decides; in money.
        cost: What each arm costs, [K] or [n, K].
        scores: Doubly robust scores of each arm's effect on margin [n, K], which judge.
        budgets: Total money, ascending [m]; 21 from 0 to all that is worth spending if not given.
        weight: How many customers each row stands for [n]; one if not given.
        samples: Of the n rows; see `HalfSamples`.
        level: Nominal coverage at each budget, not of the whole curve.

    Raises:
        ExperimentError: Arrays that do not fit or are not finite, budgets that do not ascend from 0
            or more, fewer than 20 rows, or samples of other rows.
    """
    expected, costs = net_values(uplift, cost)
    n, arms = expected.shape
    judged = finite("scores", scores, (n, arms)) - costs
    w = row_weights(weight, n)
    samples = drawn(samples, n)
    plan = steps(expected, costs)
    before = np.where(plan.before >= 0, judged[plan.row, plan.before], 0.0)
    ends = np.append(np.diff(plan.group) > 0, True)[: len(plan.group)]
    policy = _Path(plan.row, judged[plan.row, plan.after] - before, plan.spend, ends)
    worth = float((plan.spend * w[plan.row]).sum())
    at = np.linspace(0, worth, 21) if budgets is None else finite("budgets", budgets, (None,))
    if (np.diff(at) < 0).any() or at[0] < 0:
        raise ExperimentError("budgets must ascend from 0 or more")

    everyone, mixed = np.arange(n, dtype=np.int32), np.full(arms, 1 / arms)
    last = np.arange(n) == n - 1
    best = _best_single(expected, costs, w, at)
    curves = [
        path.gains(at, w, samples)
        for path in (
            policy,
            _Path(everyone, judged @ mixed, costs @ mixed, last),
            *(_Path(everyone, judged[:, k], costs[:, k], last) for k in range(arms)),
        )
    ]
    # Nobody at all is the last of the single arms, which is where the index -1 points.
    nothing = (np.zeros(len(at)), np.zeros_like(curves[0][1]))
    singles, budget = [*curves[2:], nothing], np.arange(len(at))
    constant = (
        np.stack([whole for whole, _ in singles])[best, budget],
        np.stack([halves for _, halves in singles])[best, :, budget].T,
    )
    among = 1 - (1 - level) / arms
    policy_curve, constant_curve, random_curve = (
        band(at, whole, standard_error(halves), coverage)
        for (whole, halves), coverage in ((curves[0], level), (constant, among), (curves[1], level))
    )
    return GainCurve(policy_curve, constant_curve, random_curve, best, np.minimum(at, worth), float(w.sum()))


@dataclass(frozen=True, eq=False)
class _Path:
    """Things to buy in order: whose they are, what each brings and costs, and where equals end."""

    row: Index
    gain: Floats
    spend: Floats
    ends: NDArray[np.bool_]

    def gains(self, at: Floats, w: Floats, samples: HalfSamples) -> tuple[Floats, Floats]:
        """Gain per customer at each budget, on the whole [m] and on each half [draws, m]."""
        gain, spend = self.gain * w[self.row], self.spend * w[self.row]
        steps, total = len(gain), float(w.sum())

        def evaluate(keep: Bits, bit: np.uint8) -> tuple[float, ...]:
            mass = float(w[keep[steps:] & bit > 0].sum())
            return tuple(along(gain, spend, self.ends, keep[:steps], bit, at * (mass / total)) / mass)

        # The customers themselves come behind their steps, to say how large the half is.
        code = np.concatenate([samples.code[self.row], samples.code])
        whole = np.array(evaluate(*everything(len(code))))
        return whole, samples.evaluate(code, evaluate, len(at))


def _best_single(expected: Floats, cost: Floats, w: Floats, at: Floats) -> NDArray[np.intp]:
    """The arm that predictions find best at each budget if all customers get the same, or nobody, [m]."""
    brings, costs = w @ expected, w @ cost
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(costs > 0, np.minimum(1, at[:, None] / costs), 1.0)
    gains = reach * brings
    return np.where(gains.max(axis=1) > 0, gains.argmax(axis=1), NOBODY)
