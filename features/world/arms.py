"""Randomised recommendation arms, and what each really does to an account."""

from dataclasses import dataclass

import numpy as np

from features.types import Floats
from features.world.accounts import PURCHASE_ONLY, Accounts
from features.world.arrays import Frame, Ids, Ints, Text
from features.world.calendar import WorldCalendar
from features.world.expectation import HORIZON

ARMS = ("control", "cross-sell", "upsell", "renewal-call", "onboarding-emails")
ARM_COSTS = (6000, 9000, 12000, 300)
"""What one treatment costs in JPY, control aside: half a day of sales, an offer, a call, some e-mails. Only
tokui.toml knows; no table does."""

PROPENSITY = np.array([0.28, 0.18, 0.18, 0.18, 0.18])

_HISTORY = 6  # months an experiment needs behind it
_TENURE = 90  # days an account must have been open


@dataclass(frozen=True, slots=True)
class Shifts:
    """What an arm does for a year from the assignment on, arrays (arm, account); zeros for control.

    Args:
        hazard: Added to the log hazard.
        rate: Added to the log purchase rate.
        basket: Added to the log quantity of a line.
    """

    hazard: Floats
    rate: Floats
    basket: Floats


@dataclass(frozen=True, slots=True)
class WorldExperiment:
    """One randomisation.

    Args:
        experiment_id: Its name.
        month: The month on whose first day the arms were drawn.
        members: Indices of the eligible accounts.
        arm: Index into ARMS, one a member.
        shifts: What each arm would do to each member.
    """

    experiment_id: str
    month: int
    members: Ints
    arm: Ints
    shifts: Shifts

    def in_force(self, month: int) -> bool:
        """Whether the arms act in the month."""
        return self.month <= month < self.month + HORIZON

    def realised(self, n: int, shifts: Floats) -> Floats:
        """The shift of the arm really drawn, for all ``n`` accounts; 0 outside the experiment."""
        drawn = np.zeros(n)
        drawn[self.members] = shifts[self.arm, np.arange(len(self.members))]
        return drawn


_NOBODY = np.zeros((len(ARMS), 0))
NO_EXPERIMENT = WorldExperiment(
    "none", 0, np.zeros(0, np.int64), np.zeros(0, np.int64), Shifts(_NOBODY, _NOBODY, _NOBODY)
)
"""Stands for the experiments of a world too short for any, so that its files have their columns."""


def experiment_months(calendar: WorldCalendar) -> tuple[int, ...]:
    """Months of the experiments: 13 before the end, and 25 where the history reaches that far.

    Thirteen, so that a whole year of outcome lies before the end with a month to spare for late rows.
    """
    return tuple(m for m in (calendar.months - 25, calendar.months - 13) if m >= _HISTORY)


def assign(
    rng: np.random.Generator,
    calendar: WorldCalendar,
    accounts: Accounts,
    month: int,
    health: Floats,
    quiet: Floats,
    reachable: np.ndarray,
) -> WorldExperiment:
    """Put every eligible account in an arm.

    Args:
        rng: The experiment's own stream.
        calendar: The months.
        accounts: All accounts.
        month: The experiment's month.
        health: Health in the month.
        quiet: Months since the last order; infinite without any.
        reachable: Whether sales counts the account as active: a running contract without notice or, where
            there is no contract, an order in the last year. Whether it silently left plays no part.
    """
    today = calendar.start_of(month)
    tenure = (today - accounts.created_at) / np.timedelta64(1, "D")
    members = np.flatnonzero(reachable & (tenure >= _TENURE))
    n = len(members)
    u = rng.random(n)
    arm = np.minimum(np.searchsorted(np.cumsum(PROPENSITY), u, side="right"), len(ARMS) - 1)
    hidden = rng.standard_normal((len(ARMS), 2, n))

    size, breadth, well = (
        accounts.size[members],
        accounts.breadth[members],
        np.clip(health[members], -2.5, 2.5),
    )
    contract = accounts.kind[members] != PURCHASE_ONLY
    fresh = np.exp(-tenure[members] / 270)
    recent = np.exp(-np.minimum(quiet[members], 24) / 3)
    hazard, rate, basket = np.zeros((len(ARMS), n)), np.zeros((len(ARMS), n)), np.zeros((len(ARMS), n))

    # Cross-sell: most for narrow baskets of those who bought lately; a nuisance to the others.
    rate[1] = -0.05 + 0.6 * (0.5 - breadth) + 0.4 * recent + 0.1 * hidden[1, 0]
    # Upsell: large and healthy accounts trade up; small ones feel pushed and leave sooner.
    basket[2] = 0.10 + 0.14 * size + 0.08 * well + 0.08 * hidden[2, 0]
    hazard[2] = 0.10 - 0.15 * size + 0.08 * hidden[2, 1]
    # Renewal call: saves contracts in trouble; wakes the healthy ones to the thought of leaving.
    hazard[3] = np.where(contract, -0.5 + 0.4 * well, 0.06) + 0.12 * hidden[3, 0]
    # Onboarding e-mails: help new accounts, bore the rest; about nothing on average.
    hazard[4] = 0.05 - 0.45 * fresh + 0.06 * hidden[4, 0]
    rate[4] = -0.03 + 0.22 * fresh + 0.04 * hidden[4, 1]
    name = f"recommendations-{today.astype('datetime64[Y]')}"
    return WorldExperiment(name, month, members, arm, Shifts(hazard, rate, basket))


def assignments_table(calendar: WorldCalendar, experiments: tuple[WorldExperiment, ...]) -> Frame:
    """The ``assignments`` table, oldest experiment first."""
    sizes = [len(e.members) for e in experiments]
    names = tuple(e.experiment_id for e in experiments)
    arm = _joined([e.arm for e in experiments])
    return {
        "customer_id": Ids("A", _joined([e.members for e in experiments])),
        "experiment_id": Text(np.repeat(np.arange(len(names)), sizes), names),
        "assigned_at": np.repeat(calendar.start_of(np.array([e.month for e in experiments])), sizes),
        "arm": Text(arm, ARMS),
        "propensity": PROPENSITY[arm],
    }


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
