"""Whom to treat, and how, with a budget and so many places in each arm.

What an arm is worth for a customer is the uplift in margin less the arm's cost. Choosing at most one arm
for each customer is the multiple-choice knapsack problem. Without capacities it is solved along the
concave hull of each customer's (cost, net value) points: all hull segments of all customers sorted by net
value per money spent give the best choice at every budget at once (Sinha and Zoltners 1979; Zemel 1980;
Sverdrup, Wu, Athey and Wager 2025, "Qini curves for multi-armed treatment rules").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.uplift.allocation import relaxed
from evaluation.uplift.halfsamples import finite
from features.errors import ExperimentError
from features.kernel import kernel
from features.types import Floats, Index

NOBODY = -1
"""The choice that leaves a customer alone."""

_ROUNDING = 1e-12
"""A sum of costs may pass the budget by this share of it."""


@dataclass(frozen=True, eq=False)
class Steps:
    """Hull segments of all customers, best value for money first: what to buy next with more budget.

    Args:
        row: Customer of each step, [m].
        before: The customer's arm before it, −1 for none, [m].
        after: The customer's arm after it, [m].
        spend: What the step costs, [m].
        group: Code of the steps that are worth the same for the money, ascending, [m].
    """

    row: Index
    before: Index
    after: Index
    spend: Floats
    group: Index


@kernel
def _hulls(net: Floats, cost: Floats, order: NDArray[np.intp]) -> tuple[Index, Index, Index, Floats]:
    n, arms = net.shape
    row = np.empty(n * arms, np.int32)
    before = np.empty(n * arms, np.int32)
    after = np.empty(n * arms, np.int32)
    worth = np.empty(n * arms)
    stack = np.empty(arms + 1, np.int32)
    spent = np.zeros(arms + 1)
    value = np.zeros(arms + 1)
    stack[0] = -1
    count = 0
    for i in range(n):
        top = 0
        for arm in order[i]:
            v = net[i, arm]
            c = cost[i, arm]
            if v <= value[top]:
                continue
            while top > 0 and (v - value[top]) * (spent[top] - spent[top - 1]) >= (
                value[top] - value[top - 1]
            ) * (c - spent[top]):
                top -= 1
            top += 1
            stack[top] = arm
            spent[top] = c
            value[top] = v
        slope = np.inf
        for t in range(1, top + 1):
            more = spent[t] - spent[t - 1]
            # The least of both, so that rounding cannot turn the order within a customer.
            if more > 0:
                slope = min(slope, (value[t] - value[t - 1]) / more)
            row[count] = i
            before[count] = stack[t - 1]
            after[count] = stack[t]
            worth[count] = slope
            count += 1
    return row[:count], before[:count], after[:count], worth[:count]


def steps(net: Floats, cost: Floats) -> Steps:
    """The order in which money is best spent.

    Args:
        net: Net value of each arm for each customer [n, K]; an arm at or below 0 is never taken.
        cost: Its cost [n, K]; a useful arm that costs nothing comes before all others.
    """
    row, before, after, worth = _hulls(net, cost, np.lexsort((-net, cost), axis=1))
    order = np.argsort(-worth, kind="stable")
    row, before, after, worth = row[order], before[order], after[order], worth[order]
    spend = cost[row, after] - np.where(before >= 0, cost[row, before], 0.0)
    group = np.cumsum(worth[1:] != worth[:-1], dtype=np.int32) if len(worth) else np.empty(0, np.int32)
    return Steps(row, before, after, spend, np.append(np.zeros(min(len(worth), 1), np.int32), group))


def net_values(uplift: ArrayLike, cost: ArrayLike) -> tuple[Floats, Floats]:
    """Uplift less cost, and cost, both [n, K].

    Args:
        uplift: Calibrated uplift in margin of each arm [n, K].
        cost: What each arm costs, [K] or [n, K].

    Raises:
        ExperimentError: Shapes that do not fit, values that are not finite, or a cost below 0.
    """
    gain = finite("uplift", uplift, (None, None))
    costs = np.asarray(cost, dtype=np.float64)
    costs = finite("cost", costs, gain.shape if costs.ndim == 2 else gain.shape[1:])
    if (costs < 0).any():
        raise ExperimentError(f"cost {costs.min():g} is below 0; put what an arm saves into its uplift")
    costs = np.ascontiguousarray(np.broadcast_to(costs, gain.shape))
    return gain - costs, costs


@kernel
def _fill(
    row: Index, before: Index, after: Index, spend: Floats, limit: float, places: Floats, choice: Index
) -> None:
    spent = 0.0
    for i in range(len(row)):
        arm = after[i]
        if choice[row[i]] == before[i] and spent + spend[i] <= limit and places[arm] >= 1:
            choice[row[i]] = arm
            spent += spend[i]
            places[arm] -= 1


def choose(
    uplift: ArrayLike, cost: ArrayLike, *, budget: float | None = None, capacity: ArrayLike | None = None
) -> NDArray[np.intp]:
    """Choose at most one arm for each customer so that the total of uplift − cost is greatest.

    Without capacities, steps of best value for money are taken as long as the budget allows, and
    those that no longer fit are passed over: less than one customer's net value short of the best.
    With capacities, the linear relaxation is solved exactly; all but K + 1 customers come out
    whole, and those are placed where they still fit: short by at most their net value.

    Args:
        uplift: Calibrated uplift in margin of each arm [n, K], in money.
        cost: What each arm costs, [K] or [n, K], in the same money.
        budget: Most that all actions may cost together; no limit if not given.
        capacity: Most customers in each arm [K]; infinity, or no capacity at all, is no limit.

    Returns:
        The arm of each customer, 0 … K − 1, or −1 for those to leave alone, [n].

    Raises:
        ExperimentError: Arrays that do not fit or are not finite, or a cost, budget or capacity
            below 0.

    Example:
        >>> choose([[5.0, 9.0], [4.0, 2.0]], [1.0, 4.0], budget=4.5).tolist()
        [0, 0]
    """
    net, costs = net_values(uplift, cost)
    n, arms = net.shape
    limit = np.inf
    if budget is not None:
        if not budget >= 0:
            raise ExperimentError(f"budget {budget} must be 0 or more; leave it out for no limit")
        limit = float(budget) * (1 + _ROUNDING)
    # Whoever costs more than all there is cannot be treated, and must not stand before those who can.
    net = np.where(costs <= limit, net, -1.0)
    choice = np.full(n, NOBODY, np.int32)
    places = np.full(arms, np.inf)
    if capacity is None:
        path = steps(net, costs)
        _fill(path.row, path.before, path.after, path.spend, limit, places, choice)
    else:
        places[:] = np.asarray(capacity, dtype=np.float64)
        if np.shape(capacity) != (arms,) or not (places >= 0).all():
            raise ExperimentError(f"capacity {capacity} must be {arms} numbers, one an arm, of 0 or more")
        useful = np.flatnonzero((net > 0).any(axis=1))
        share = relaxed(net[useful], costs[useful], np.append(np.floor(places), limit))
        row, arm = (index.astype(np.int32) for index in np.nonzero(net[useful] > 0))
        order = np.lexsort((-net[useful[row], arm], -np.round(share[row, arm], 6)))
        row, arm = useful[row[order]].astype(np.int32), arm[order]
        _fill(row, np.full_like(row, NOBODY), arm, costs[row, arm], limit, places, choice)
    return choice.astype(np.intp)


@dataclass(frozen=True)
class Threshold:
    """What a policy does in one segment with one arm, as a rule of thumb.

    Args:
        segment: The segment.
        arm: Name of the arm.
        customers: Customers in the segment.
        treated: Those of them who get the arm.
        lowest_uplift: Lowest predicted uplift among them.
        followed: Share of the segment's customers at or above it who get the arm; below 1 where
            costs differ, another arm pays better, or money or places ran out.
        cost: Total cost.
        net: Expected total of uplift − cost.
    """

    segment: str
    arm: str
    customers: int
    treated: int
    lowest_uplift: float
    followed: float
    cost: float
    net: float

    def __str__(self) -> str:
        return (
            f"{self.segment}: {self.arm} for {self.treated:,} of {self.customers:,} customers, those with a "
            f"predicted uplift of {self.lowest_uplift:,.2f} or more ({self.followed:.0%} of whom get it); "
            f"costs {self.cost:,.2f}, expected to leave {self.net:,.2f}"
        )


def thresholds(
    choice: ArrayLike,
    uplift: ArrayLike,
    cost: ArrayLike,
    segments: ArrayLike | None = None,
    arms: tuple[str, ...] | None = None,
) -> tuple[Threshold, ...]:
    """The rule behind a choice for every segment and arm that it uses.

    Args:
        choice: Arm of each customer, −1 for none [n].
        uplift: Calibrated uplift in margin of each arm [n, K].
        cost: What each arm costs, [K] or [n, K].
        segments: Segment of each customer [n]; all in one if not given.
        arms: Names of the K arms, without control; "arm 1" and so on if not given.

    Raises:
        ExperimentError: Arrays that do not fit together.
    """
    net, costs = net_values(uplift, cost)
    n, k = net.shape
    chosen = chosen_arms(choice, n, k)
    names = tuple(f"arm {a + 1}" for a in range(k)) if arms is None else arms
    labels = np.full(n, "all") if segments is None else np.asarray(segments)
    if labels.shape != (n,) or len(names) != k:
        raise ExperimentError(
            f"{labels.shape} segments and {len(names)} names do not go with {n} customers in {k} arms"
        )
    gain = net + costs
    rules = []
    for segment in np.unique(labels):
        inside = labels == segment
        for arm, name in enumerate(names):
            treated = inside & (chosen == arm)
            if not treated.any():
                continue
            lowest = float(gain[treated, arm].min())
            rules.append(
                Threshold(
                    segment=str(segment),
                    arm=name,
                    customers=int(inside.sum()),
                    treated=int(treated.sum()),
                    lowest_uplift=lowest,
                    followed=float(treated.sum() / (inside & (gain[:, arm] >= lowest)).sum()),
                    cost=float(costs[treated, arm].sum()),
                    net=float(net[treated, arm].sum()),
                )
            )
    return tuple(rules)


def chosen_arms(choice: ArrayLike, n: int, arms: int) -> NDArray[np.intp]:
    """A choice as intp [n].

    Raises:
        ExperimentError: Not [n], not whole numbers, or an arm that does not exist.
    """
    chosen = np.asarray(choice)
    if chosen.shape != (n,) or not np.issubdtype(chosen.dtype, np.integer):
        raise ExperimentError(
            f"a choice must be whole numbers [{n}]; got {chosen.dtype} of shape {list(chosen.shape)}"
        )
    if n and (chosen.min() < NOBODY or chosen.max() >= arms):
        raise ExperimentError(
            f"a choice runs from {chosen.min()} to {chosen.max()}; arms are 0 to {arms - 1}, and -1 is nobody"
        )
    return chosen.astype(np.intp)
