"""The accounts' lives month by month: health, arms, departures, numbers of orders, seats."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.types import Floats
from features.world.accounts import ANNUAL, PURCHASE_ONLY, Accounts
from features.world.arms import WorldExperiment, assign, experiment_months
from features.world.arrays import Flags, Instants, Ints, generator
from features.world.calendar import WorldCalendar
from features.world.expectation import timing
from features.world.health import RATE_SLOPE, first_health, hazard, next_health, seat_growth

NEVER_MONTH = 1_000_000
"""Month of what does not happen in the world."""

_CLUMPING = 8.0  # shape of the monthly gamma noise on the purchase rate
_FIRST_ORDER = 0.8  # of those who walk in order on the day they open their account


@dataclass(frozen=True, slots=True)
class Lives:
    """What happened to every account; arrays (account,) or (account, month).

    Args:
        health: Health, with one month more than the world has: the state at its end.
        hazard: True probability of deciding to leave in the month; NaN where that was not open.
        orders: Orders placed.
        seats: Contracted seats; 0 where no contract runs.
        notice_month: Month in which the decision to leave fell; NEVER_MONTH if none did.
        notice_share: Business time of the decision in its month.
        gone_month: First month at whose beginning the account is gone; may lie beyond the world.
        first_order: Whether the account ordered on the day it was opened.
        experiments: What was randomised.
    """

    health: npt.NDArray[np.float32]
    hazard: npt.NDArray[np.float32]
    orders: Ints
    seats: Ints
    notice_month: Ints
    notice_share: Floats
    gone_month: Ints
    first_order: Flags
    experiments: tuple[WorldExperiment, ...]

    def presence(self, accounts: Accounts, month: int) -> tuple[Floats, Floats]:
        """Business times of the month between which each account is there; equal where it is not."""
        return _presence(accounts, self.notice_month, self.notice_share, self.gone_month, month)

    def shift(self, month: int, name: str) -> Floats:
        """The arms' shift ``hazard``, ``rate`` or ``basket`` in force in the month, one an account."""
        return _shift(self.experiments, len(self.health), month, name)

    def churned_at(self, calendar: WorldCalendar, accounts: Accounts) -> Instants:
        """When the account was gone for good, missing if it is there at the world's end, ``datetime64[s]``."""
        churned = np.where(
            self.gone_month <= calendar.months, calendar.start_of(self.gone_month), np.datetime64("NaT")
        )
        # Who buys without contract is gone on the day after the last that could have seen an order.
        days = self.notice_days(calendar) + np.timedelta64(1, "D")
        return np.where(accounts.kind == PURCHASE_ONLY, days.astype("datetime64[s]"), churned)

    def notice_days(self, calendar: WorldCalendar) -> Instants:
        """Day of the decision to leave, ``datetime64[D]``."""
        days = np.full(len(self.notice_month), np.datetime64("NaT"), dtype="datetime64[D]")
        for month in range(calendar.months):
            those = self.notice_month == month
            days[those] = calendar.days(month, self.notice_share[those])
        return days


def live(calendar: WorldCalendar, accounts: Accounts, seed: int) -> Lives:
    """Let the accounts live from the first month to the last."""
    n, months = len(accounts), calendar.months
    rng = {part: generator(seed, part) for part in ("health", "leaving", "orders", "seats")}
    health = np.zeros((n, months + 1), dtype=np.float32)
    risk = np.full((n, months), np.nan, dtype=np.float32)
    orders, seats = np.zeros((n, months), dtype=np.int32), np.zeros((n, months), dtype=np.int32)
    notice_month, gone_month = np.full(n, NEVER_MONTH), np.full(n, NEVER_MONTH)
    notice_share, last_order = np.zeros(n), np.full(n, -np.inf)
    first_order = ~accounts.established & (accounts.kind == PURCHASE_ONLY)
    first_order &= rng["orders"].random(n) < _FIRST_ORDER
    state, held = first_health(rng["health"], accounts.established), accounts.seats.copy()
    experiments: tuple[WorldExperiment, ...] = ()

    for month in range(months):
        health[:, month] = state
        there = (accounts.begin <= month) & (month < gone_month)
        free = there & (notice_month == NEVER_MONTH)
        if month in experiment_months(calendar):
            quiet = month - last_order
            reachable = np.where(accounts.contracted, free, quiet <= 12)
            draw = generator(seed, f"experiment {month}")
            experiments = (*experiments, assign(draw, calendar, accounts, month, state, quiet, reachable))

        begins = there & accounts.term_begins(month)
        held = np.where(begins, _adjusted(rng["seats"], held, state, accounts.kind == ANNUAL), held)
        seats[:, month] = np.where(there, held, 0)

        left = accounts.months_left(month)
        log_hazard = accounts.risk + _shift(experiments, n, month, "hazard")
        # Nobody leaves in the month of opening an account.
        at_risk = free & (accounts.established | accounts.contracted | (accounts.begin < month))
        chance = hazard(log_hazard, state, timing(accounts.kind, left))
        risk[at_risk, month] = chance[at_risk]
        decides = at_risk & (rng["leaving"].random(n) < chance)
        notice_month[decides] = month
        notice_share[decides] = rng["leaving"].random(n)[decides]
        gone_month[decides] = (month + np.where(accounts.kind == ANNUAL, left, 1))[decides]

        low, high = _presence(accounts, notice_month, notice_share, gone_month, month)
        rate = accounts.rate * np.exp(RATE_SLOPE * state + _shift(experiments, n, month, "rate"))
        clump = rng["orders"].gamma(_CLUMPING, 1 / _CLUMPING, n)
        placed = rng["orders"].poisson(rate * calendar.season(month) * clump * (high - low))
        placed += first_order & (accounts.begin == month)
        orders[:, month] = placed
        last_order[placed > 0] = month

        # A life begins with the health drawn for it.
        state = np.where(accounts.begin <= month, next_health(rng["health"], state), state)
    health[:, months] = state
    return Lives(
        health=health,
        hazard=risk,
        orders=orders,
        seats=seats,
        notice_month=notice_month,
        notice_share=notice_share,
        gone_month=gone_month,
        first_order=first_order,
        experiments=experiments,
    )


def _presence(
    accounts: Accounts, notice_month: Ints, notice_share: Floats, gone_month: Ints, month: int
) -> tuple[Floats, Floats]:
    there = (accounts.begin <= month) & (month < gone_month)
    low = np.where(accounts.begin == month, accounts.opened_share, 0.0)
    leaves = (accounts.kind == PURCHASE_ONLY) & (notice_month == month)
    high = np.where(leaves, notice_share, 1.0)
    return np.where(there, low, 0.0), np.where(there, high, 0.0)


def _shift(experiments: tuple[WorldExperiment, ...], n: int, month: int, name: str) -> Floats:
    total = np.zeros(n)
    for experiment in experiments:
        if experiment.in_force(month):
            total += experiment.realised(n, getattr(experiment.shifts, name))
    return total


def _adjusted(rng: np.random.Generator, seats: Ints, health: Floats, yearly: Flags) -> Ints:
    added, given_up = seat_growth(health, yearly)
    adjusted = seats + rng.poisson(seats * added) - rng.binomial(seats, given_up)
    return np.where(seats > 0, np.maximum(1, adjusted), 0)
