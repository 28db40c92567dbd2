"""Sales opportunities: new contracts, renewals of yearly ones, upsell and cross-sell."""

import numpy as np

from features.types import Floats
from features.world.accounts import ANNUAL, PURCHASE_ONLY, Accounts
from features.world.arrays import Frame, Ids, Instants, Ints, Text, sigmoid
from features.world.calendar import WorldCalendar
from features.world.lives import Lives

DEAL_KINDS = ("new", "renewal", "upsell", "cross-sell")
STAGES = ("qualification", "proposal")
_DAY = 86_400


def deals_table(
    rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives, unit: float
) -> Frame:
    """The ``deals`` table. ``stage`` is the one in which a deal entered the books: it is dated ``opened_at``."""
    parts = [
        _won_new(rng, calendar, accounts),
        _lost_new(rng, calendar, accounts, lives),
        _renewals(rng, calendar, accounts, lives),
        _growth(rng, calendar, accounts, lives),
    ]
    account, opened, closed, kind, won = _joined(parts)
    closed = calendar.until_end(np.maximum(closed, opened + np.timedelta64(1, "h")))
    seats = np.maximum(lives.seats[account].max(axis=1), accounts.seats[account])
    yearly = 12 * seats * accounts.seat_price[account]
    one_off = 250 * unit * accounts.units[account] ** 0.7
    share = np.where(kind >= 2, 0.2, 1.0)
    amount = np.where((accounts.kind[account] == PURCHASE_ONLY) | (kind == 3), one_off, yearly * share)
    rows = np.flatnonzero(opened < calendar.end)
    rows = rows[np.argsort(opened[rows], kind="stable")]
    return {
        "customer_id": Ids("A", account[rows]),
        "opened_at": opened[rows],
        "closed_at": closed[rows],
        "stage": Text((rng.random(len(rows)) < 0.4).astype(np.int64), STAGES),
        "kind": Text(kind[rows], DEAL_KINDS),
        "amount": np.round(amount[rows] * np.exp(0.25 * rng.standard_normal(len(rows))), -1),
        "won": np.where(np.isnat(closed[rows]), np.nan, won[rows]),
    }


_Part = tuple[Ints, Instants, Instants, Ints, Floats]


def _won_new(rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts) -> _Part:
    """The deal behind every contract that began within the world; it opens with the account."""
    who = np.flatnonzero(accounts.contracted & ~accounts.established)
    opened = accounts.created_at[who] + _seconds(rng.uniform(0.05, 2.0, len(who)))
    closed = calendar.start_of(accounts.begin[who]) - _seconds(rng.uniform(1.0, 14.0, len(who)))
    return who, opened, closed, np.zeros(len(who), dtype=np.int64), np.ones(len(who))


def _lost_new(rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives) -> _Part:
    """Contracts offered to those who only purchase, and declined."""
    month = rng.integers(0, calendar.months, len(accounts))
    there = (accounts.begin < month) & (month < lives.gone_month)
    who = np.flatnonzero((accounts.kind == PURCHASE_ONLY) & there & (rng.random(len(accounts)) < 0.25))
    opened = calendar.start_of(month[who]) + _seconds(rng.uniform(0.4, 27.0, len(who)))
    closed = opened + _seconds(rng.uniform(15.0, 90.0, len(who)))
    return who, opened, closed, np.zeros(len(who), dtype=np.int64), np.zeros(len(who))


def _renewals(rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives) -> _Part:
    """One for each yearly term that ends; lost with the notice, won in the last weeks."""
    notice = lives.notice_days(calendar).astype("datetime64[s]")
    parts: list[_Part] = []
    for month in range(1, calendar.months + 3):
        there = (accounts.kind == ANNUAL) & (accounts.begin < month) & (month <= lives.gone_month)
        who = np.flatnonzero(there & ((month - accounts.anchor) % 12 == 0))
        over = calendar.start_of(month)
        opened = over - _seconds(rng.uniform(60.0, 88.0, len(who)))
        leaves = lives.gone_month[who] == month
        decided = over - _seconds(rng.uniform(1.0, 25.0, len(who)))
        closed = np.where(leaves, notice[who] + np.timedelta64(19, "h"), decided)
        # Notice given before anyone spoke of renewal leaves no deal to lose.
        kept = ~leaves | (closed > opened)
        parts.append(
            (
                who[kept],
                opened[kept],
                closed[kept],
                np.ones(kept.sum(), dtype=np.int64),
                np.where(leaves[kept], 0.0, 1.0),
            )
        )
    return _joined(parts)


def _growth(rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives) -> _Part:
    """Upsell and cross-sell talks: more often begun and won with healthy accounts."""
    decided = lives.notice_days(calendar)
    parts: list[_Part] = []
    for month in range(calendar.months):
        there = (accounts.begin < month) & (month < np.minimum(lives.gone_month, lives.notice_month))
        health = lives.health[:, month].astype(np.float64)
        who = np.flatnonzero(
            there & (rng.random(len(accounts)) < 0.02 * np.exp(0.3 * np.clip(health, -3, 3)))
        )
        opened = calendar.start_of(month) + _seconds(rng.uniform(0.4, 27.0, len(who)))
        closed = opened + _seconds(rng.uniform(10.0, 120.0, len(who)))
        upsell = accounts.contracted[who] & (rng.random(len(who)) < 0.5)
        # Talks die with the decision to leave, not before it: a lost deal must not tell the future.
        survived = ~(decided[who] <= closed)
        won = (rng.random(len(who)) < sigmoid(-0.6 + 0.5 * health[who])) & survived
        parts.append((who, opened, closed, np.where(upsell, 2, 3), won.astype(np.float64)))
    return _joined(parts)


def _joined(parts: list[_Part]) -> _Part:
    account, opened, closed, kind, won = zip(*parts, strict=True)
    return (
        np.concatenate(account),
        np.concatenate(opened),
        np.concatenate(closed),
        np.concatenate(kind),
        np.concatenate(won),
    )


def _seconds(days: Floats) -> np.ndarray:
    return (days * _DAY).astype(np.int64).astype("timedelta64[s]")
