"""The best plan under a budget and capacities when customers may be split between arms.

A linear program with one row a customer: slow as it stands (half a minute for 100,000 customers and three arms), and
nearly all of it idle. At the right prices, of money and of a place in each arm, every customer simply takes
what is worth most to them, and only the few for whom two things are worth nearly the same need the
program. So prices are taken from a sample, the undecided are solved for exactly, and whoever would choose
otherwise at the new prices joins them, until nobody would: then the plan is optimal for all.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from features.errors import ExperimentError
from features.types import Floats

_AT_ONCE = 4000
"""Customers that are solved for directly."""

_SAMPLE = 8
"""One in so many gives the first prices."""


def relaxed(net: Floats, cost: Floats, limits: Floats) -> Floats:
    """Share of each customer in each arm, all but K + 1 customers being whole.

    Args:
        net: Net value of each arm [n, K].
        cost: Its cost [n, K].
        limits: Customers in each of the K arms, then money [K + 1]; infinity is no limit.

    Returns:
        float64 [n, K], rows summing to at most 1; the total of shares × net is the greatest.
    """
    return _solve(net, cost, limits)[0]


def _solve(net: Floats, cost: Floats, limits: Floats) -> tuple[Floats, Floats]:
    """Shares [n, K], and prices of a place in each arm and of money [K + 1]."""
    n, arms = net.shape
    if n <= _AT_ONCE:
        return _program(net, cost, limits)
    some = np.random.default_rng(n).permutation(n)[: n // _SAMPLE]
    _, prices = _solve(net[some], cost[some], limits * len(some) / n)
    choice, gap = _best(net, cost, prices)
    # A sample's spending is off by some √n customers, so at least so many must be free to move.
    free = np.argsort(gap, kind="stable")
    open_ = np.zeros(n, dtype=np.bool_)
    open_[free[: int(16 * np.sqrt(n))]] = True
    tolerance = 1e-9 * float(np.abs(net).max())
    while True:
        left = limits - _used(choice[~open_], cost[~open_])
        if (left < 0).any():
            # The others ask for too much already: let twice as many move.
            open_[free[: 2 * int(open_.sum())]] = True
            continue
        shares = np.zeros((n, arms))
        shares[open_], prices = _program(net[open_], cost[open_], left)
        worth = _worth(net, cost, prices)
        rows = np.arange(n)
        regret = worth.max(axis=1) - worth[rows, choice]
        wrong = ~open_ & (regret > tolerance)
        if not wrong.any():
            kept = ~open_ & (choice < arms)
            shares[rows[kept], choice[kept]] = 1
            return shares, prices
        open_ |= wrong


def _worth(net: Floats, cost: Floats, prices: Floats) -> Floats:
    """What each arm, and lastly nothing, is worth at the prices, [n, K + 1]."""
    worth = np.zeros((len(net), net.shape[1] + 1))
    worth[:, :-1] = net - cost * prices[-1] - prices[:-1]
    return worth


def _best(net: Floats, cost: Floats, prices: Floats) -> tuple[NDArray[np.intp], Floats]:
    """What each customer takes at the prices (K for nothing), and by how much it beats the next."""
    worth = _worth(net, cost, prices)
    top = np.partition(worth, -2, axis=1)
    return worth.argmax(axis=1), top[:, -1] - top[:, -2]


def _used(choice: NDArray[np.intp], cost: Floats) -> Floats:
    """Places taken in each arm, and money spent, [K + 1]."""
    arms = cost.shape[1]
    treated = choice < arms
    spent = cost[treated, choice[treated]].sum()
    return np.append(np.bincount(choice[treated], minlength=arms), spent).astype(np.float64)


def _program(net: Floats, cost: Floats, limits: Floats) -> tuple[Floats, Floats]:
    row, arm = np.nonzero(net > 0)
    shares, prices = np.zeros(net.shape), np.zeros(len(limits))
    if not len(row):
        return shares, prices
    column, gain, spend = np.arange(len(row)), net[row, arm], cost[row, arm]
    # Of the order of 1, which the solver's tolerances are made for.
    dear, unit = gain.max(), spend.max() or 1.0
    tight = np.isfinite(limits)
    slot = np.cumsum(tight) - 1 + len(net)
    placed, money = tight[arm], tight[-1]
    rows = np.concatenate([row, slot[arm[placed]], np.full(len(row) * money, slot[-1])])
    columns = np.concatenate([column, column[placed], column[: len(row) * money]])
    values = np.concatenate([np.ones(len(row) + placed.sum()), spend[: len(row) * money] / unit])
    scale = np.append(np.ones(len(limits) - 1), unit)
    bounds = np.concatenate([np.ones(len(net)), (limits / scale)[tight]])
    matrix = csr_array((values, (rows, columns)), shape=(len(bounds), len(row)))
    # The simplex method ends in a corner, where all but K + 1 customers are whole.
    solution = linprog(-gain / dear, A_ub=matrix, b_ub=bounds, bounds=(0, 1), method="highs-ds")  # type: ignore[call-overload] # its stubs know no sparse matrix
    if solution.x is None:
        raise ExperimentError(f"no plan was found under limits {limits.tolist()}: {solution.message}")
    shares[row, arm] = solution.x
    prices[tight] = -solution.ineqlin.marginals[len(net) :] * dear / scale[tight]
    return shares, prices
