"""What a year ahead holds in expectation, given an account's state, before anything of it is drawn.

Leaving, buying, paying seats and opening tickets all hang on one hidden state, health, so the expectation
is a backward recursion over a grid of health (rows) and log hazard (columns), once for every place in a
contract's term; accounts then read their values off by bilinear interpolation.
"""

from dataclasses import dataclass

import numpy as np

from features.types import Floats
from features.world.accounts import ANNUAL, MONTHLY, PURCHASE_ONLY
from features.world.arrays import Flags, Ints
from features.world.calendar import WorldCalendar
from features.world.health import RATE_SLOPE, TICKET_SLOPE, hazard, seat_growth, transition

HORIZON = 12
"""Months an outlook covers."""

CHANNELS = ("orders", "fees", "tickets", "months", "stays_3m", "stays_12m")
"""What is expected: order intensity, seat-months, ticket intensity (each relative to the account's own
level), months of relationship, and the probability of still being there."""

_HEALTH = np.linspace(-7.0, 4.5, 93)
_RISK = np.linspace(-11.0, 1.0, 97)
_PHASES = 14  # purchase-only, monthly, and a yearly term with 1 … 12 months left


def timing(kind: Ints, months_left: Ints) -> Floats:
    """Hazard factor by place in the term: notice of a yearly contract is mostly given in its last quarter."""
    return np.where(kind == ANNUAL, np.where(months_left <= 3, 3.0, 0.15), 1.0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Expectations of the year from the beginning of one month.

    Args:
        values: Array (channel, phase, notice given, health, risk).
    """

    values: Floats

    def read(
        self, kind: Ints, months_left: Ints, noticed: Flags, health: Floats, risk: Floats
    ) -> dict[str, Floats]:
        """Expectations of accounts that are there at the beginning of the month.

        Args:
            kind: PURCHASE_ONLY, MONTHLY or ANNUAL.
            months_left: Of a yearly term.
            noticed: Whether notice has been given.
            health: Health in the month.
            risk: Log hazard at health 0, including what an arm does to it.
        """
        phase = np.where(kind == ANNUAL, 1 + months_left, kind)
        given = noticed.astype(np.int64)
        i, x = _locate(_HEALTH, health)
        j, y = _locate(_RISK, risk)
        table = self.values
        corner = [table[:, phase, given, i + a, j + b] for a, b in ((0, 0), (0, 1), (1, 0), (1, 1))]
        mixed = (1 - x) * ((1 - y) * corner[0] + y * corner[1]) + x * ((1 - y) * corner[2] + y * corner[3])
        return dict(zip(CHANNELS, mixed, strict=True))


def outlook(calendar: WorldCalendar, month: int) -> Outlook:
    """Compute the expectations from the beginning of ``month``.

    Args:
        calendar: The months; the year may reach beyond the world's end.
        month: 0 to ``calendar.months``.
    """
    move = transition(_HEALTH)
    kind = np.array([PURCHASE_ONLY, MONTHLY] + [ANNUAL] * 12)
    left = np.array([0, 0, *range(1, 13)])
    follows = np.where(kind == ANNUAL, np.where(left == 1, 13, left), kind)  # phase a month later
    leaving = hazard(
        _RISK[None, None, :], _HEALTH[None, :, None], timing(kind, left)[:, None, None]
    )  # (phase, health, risk)
    presence = np.where((kind == PURCHASE_ONLY)[:, None, None], 1 - leaving / 2, 1.0)
    growth = [1 + np.subtract(*seat_growth(_HEALTH, yearly)) for yearly in (False, True)]

    value = np.zeros((len(CHANNELS), _PHASES, 2, len(_HEALTH), len(_RISK)))
    for ahead in reversed(range(HORIZON)):
        if ahead + 1 == HORIZON:
            value[5] = 1.0
        if ahead + 1 == 3:
            value[4] = 1.0
        value[:, 13, 1] = 0.0  # notice was given and the term is over
        later = move @ value[:, follows]
        now = np.empty_like(value)
        now[:, :, 1] = later[:, :, 1]
        stays = (1 - leaving) * later[:, :, 0]
        # Only a yearly contract outlives its notice, until the term ends.
        now[:, :, 0] = stays + np.where((kind == ANNUAL)[:, None, None], leaving * later[:, :, 1], 0.0)
        reward = {
            0: calendar.season(month + ahead) * np.exp(RATE_SLOPE * _HEALTH)[:, None],
            1: np.ones((1, 1)),
            2: np.exp(-TICKET_SLOPE * _HEALTH)[:, None],
            3: np.ones((1, 1)),
        }
        for channel, gain in reward.items():
            share = presence if channel in {0, 2} else 1.0
            now[channel, :, 0] += gain * share
            now[channel, :, 1] += gain
        # Seats are adjusted when a term begins, and all later fees with them.
        now[1, 1] *= growth[0][:, None]
        now[1, 13] *= growth[1][:, None]
        if ahead + 1 > 3:
            now[4] = 0.0
        now[:, 13, 1] = 0.0
        value = now
    return Outlook(value)


def _locate(grid: Floats, x: Floats) -> tuple[Ints, Floats]:
    place = np.clip((x - grid[0]) / (grid[1] - grid[0]), 0, len(grid) - 1 - 1e-9)
    below = place.astype(np.int64)
    return below, place - below
