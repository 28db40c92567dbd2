"""What was really so: hazards, expected margins and the arms' effects, for judging models against."""

import numpy as np

from features.types import Floats
from features.world.accounts import ANNUAL, PURCHASE_ONLY, Accounts
from features.world.arms import ARMS, WorldExperiment
from features.world.arrays import Flags, Frame, Ids, Ints, Text
from features.world.calendar import WorldCalendar
from features.world.expectation import Outlook, outlook, timing
from features.world.health import hazard
from features.world.lives import Lives
from features.world.purchases import PLAN_MARGIN, Catalogue
from features.world.signals import COST_PER_MONTH, COST_PER_ORDER, COST_PER_TICKET

LOOK_BACK = 13
"""Months before the end at which the truth is told a second time; the newest experiment's date."""


class Truth:
    """Expectations over the year ahead, computed from the intensities and the state at a date.

    Args:
        calendar: The months.
        accounts: The accounts.
        lives: Their lives.
        catalogue: The products.
        unit: Scale of money.
    """

    def __init__(
        self, calendar: WorldCalendar, accounts: Accounts, lives: Lives, catalogue: Catalogue, unit: float
    ) -> None:
        self.calendar, self.accounts, self.lives, self.unit = calendar, accounts, lives, unit
        self._per_order = catalogue.margin_per_order(accounts)

    def table(self) -> Frame:
        """The truth, a row a customer: departures, and expectations at two dates."""
        churned = self.lives.churned_at(self.calendar, self.accounts)
        begun = self.accounts.begin < self.calendar.months
        frame: Frame = {
            "customer_id": Ids("A", np.arange(len(self.accounts))),
            "alive_at_end": (begun & np.isnat(churned)).astype(np.float64),
            "decided_at": self.lives.notice_days(self.calendar).astype("datetime64[s]"),
            "churned_at": churned,
        }
        for suffix, month in (
            ("at_end", self.calendar.months),
            ("13m_before", self.calendar.months - LOOK_BACK),
        ):
            frame |= {f"{name}_{suffix}": column for name, column in self._at(month).items()}
        return frame

    def effects(self, experiment: WorldExperiment) -> Frame:
        """The arms' true effects on each member over the year from the assignment; a row a member and arm."""
        who, month = experiment.members, experiment.month
        ahead, there = outlook(self.calendar, month), self._there(month)[who]
        shifts = experiment.shifts
        margin, cost = np.zeros((len(ARMS), len(who))), np.zeros((len(ARMS), len(who)))
        for arm in range(len(ARMS)):
            of_orders = shifts.rate[arm], shifts.basket[arm]
            _, margin[arm], cost[arm] = self._expected(ahead, month, who, shifts.hazard[arm], *of_orders)
        margin, cost = np.where(there, margin, 0.0).T, np.where(there, cost, 0.0).T
        flat = {
            "expected_margin_12m": margin.ravel(),
            "effect_margin_12m": (margin - margin[:, :1]).ravel(),
            "expected_cost_12m": cost.ravel(),
            "effect_cost_12m": (cost - cost[:, :1]).ravel(),
        }
        arms = np.tile(np.arange(len(ARMS)), len(who))
        drawn = np.equal(arms, np.repeat(experiment.arm, len(ARMS))).astype(np.float64)
        return {
            "experiment_id": Text(np.zeros(len(arms), dtype=np.int64), (experiment.experiment_id,)),
            "customer_id": Ids("A", np.repeat(who, len(ARMS))),
            "arm": Text(arms, ARMS),
            "assigned": drawn,
            **flat,
        }

    def _there(self, month: int) -> Flags:
        return np.asarray((self.accounts.begin < month) & (month < self.lives.gone_month))

    def _at(self, month: int) -> dict[str, Floats]:
        names = ("hazard", "churn_3m", "churn_12m", "expected_margin_12m", "expected_cost_12m")
        columns = {name: np.full(len(self.accounts), np.nan) for name in names}
        if month < 0:
            return columns
        who = np.flatnonzero(self._there(month))
        # Arms drawn on this very day are in force; their experiments end with the outlook's year.
        shift = {name: self.lives.shift(month, name)[who] for name in ("hazard", "rate", "basket")}
        seen, margin, cost = self._expected(outlook(self.calendar, month), month, who, **shift)
        free = self.lives.notice_month[who] >= month
        kind, left = self.accounts.kind[who], self.accounts.months_left(month)[who]
        risk = self.accounts.risk[who] + shift["hazard"]
        chance = hazard(risk, self.lives.health[who, month].astype(np.float64), timing(kind, left))
        values = (np.where(free, chance, np.nan), 1 - seen["stays_3m"], 1 - seen["stays_12m"], margin, cost)
        for name, value in zip(names, values, strict=True):
            columns[name][who] = value
        return columns

    def _expected(
        self, ahead: Outlook, month: int, who: Ints, hazard: Floats, rate: Floats, basket: Floats
    ) -> tuple[dict[str, Floats], Floats, Floats]:
        """Expectations, margin and cost of accounts given shifts that hold for the whole year."""
        accounts, lives = self.accounts, self.lives
        kind, health = accounts.kind[who], lives.health[who, month].astype(np.float64)
        noticed = (kind == ANNUAL) & (lives.notice_month[who] < month)
        seen = ahead.read(
            kind, accounts.months_left(month)[who], noticed, health, accounts.risk[who] + hazard
        )
        # Seats before the adjustment that a term beginning now brings, for the outlook holds that one.
        before = np.where(accounts.begin[who] < month, lives.seats[who, month - 1], accounts.seats[who])
        orders = accounts.rate[who] * np.exp(rate) * seen["orders"]
        fees = PLAN_MARGIN * accounts.seat_price[who] * before * seen["fees"]
        margin = orders * np.exp(basket) * self._per_order[who] + fees
        contract_months = np.where(kind == PURCHASE_ONLY, 0.0, seen["months"])
        support = accounts.tickets[who] * seen["tickets"]
        cost = COST_PER_MONTH * contract_months + COST_PER_ORDER * orders + COST_PER_TICKET * support
        return seen, margin, self.unit * cost
