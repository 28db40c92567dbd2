"""Contracts term by term, their monthly fees as order lines, and their invoices."""

import numpy as np

from features.types import Floats
from features.world.accounts import ANNUAL, Accounts
from features.world.arrays import Frame, Ids, Text
from features.world.calendar import WorldCalendar
from features.world.lives import Lives
from features.world.purchases import PLAN_MARGIN, PLANS, Catalogue, late

_INVOICES_LATE = 0.04


def contracts_table(
    rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives, digits: int
) -> Frame:
    """The ``contracts`` table: a row a term, by its first day.

    A running term keeps its planned end. Notice shows in ``cancelled_at``; the account stays until the
    term ends and no further term follows.
    """
    who, begins = [], []
    for month in range(-11, calendar.months):
        seen = max(month, 0)
        there = accounts.contracted & (accounts.begin <= seen) & (seen < lives.gone_month)
        starts = there & accounts.term_begins(month) & ((month >= 0) | (accounts.kind == ANNUAL))
        # Terms from before the world are those still running on its first day.
        starts &= (month >= 0) | accounts.established
        those = np.flatnonzero(starts)
        who.append(those)
        begins.append(np.full(len(those), month))
    account, begin = np.concatenate(who), np.concatenate(begins)
    length = np.where(accounts.kind[account] == ANNUAL, 12, 1)
    given = lives.notice_month[account]
    noticed = (given >= begin) & (given < begin + length)
    seconds = rng.integers(9 * 3600, 18 * 3600, len(account)).astype("timedelta64[s]")
    notice = lives.notice_days(calendar)[account].astype("datetime64[s]") + seconds
    seats = lives.seats[account, np.maximum(begin, 0)].astype(np.float64)
    return {
        "customer_id": Ids("A", account),
        "contract_id": Ids("C", account),
        "product_id": Text(accounts.plan[account], PLANS),
        "starts_at": calendar.start_of(begin),
        "ends_at": calendar.start_of(begin + length),
        "cancelled_at": np.where(noticed, notice, np.datetime64("NaT")),
        "monthly_amount": fees(accounts, seats, digits, account),
        "seats": seats,
    }


def fees(accounts: Accounts, seats: Floats, digits: int, account: np.ndarray) -> Floats:
    """Money a month of the given accounts."""
    return np.asarray(np.round(seats * np.round(accounts.seat_price[account], digits), digits))


def fee_lines(
    calendar: WorldCalendar, accounts: Accounts, lives: Lives, catalogue: Catalogue, month: int, digits: int
) -> Frame:
    """The month's plan fees as order lines, dated on its first day: subscriptions are purchases too."""
    account = np.flatnonzero(lives.seats[:, month])
    amount = fees(accounts, lives.seats[account, month].astype(np.float64), digits, account)
    n = len(account)
    return {
        "customer_id": Ids("A", account),
        "occurred_at": np.repeat(calendar.start_of(month) + np.timedelta64(7, "h"), n),
        "order_id": Ids("F", account * 1000 + month),
        "product_id": Text(accounts.plan[account] + len(catalogue.names) - len(PLANS), catalogue.names),
        "quantity": lives.seats[account, month].astype(np.float64),
        "amount": amount,
        "margin": np.round(amount * PLAN_MARGIN, digits + 1),
        "known_at": np.full(n, np.datetime64("NaT"), dtype="datetime64[s]"),
    }


def invoices(
    rng: np.random.Generator,
    calendar: WorldCalendar,
    accounts: Accounts,
    lives: Lives,
    month: int,
    digits: int,
) -> Frame:
    """The month's invoices for contracts, due at the end of the next month; unwell accounts pay late."""
    account = np.flatnonzero(lives.seats[:, month])
    n, day = len(account), 86_400
    issued = calendar.start_of(month) + (np.sort(rng.random(n)) * 2 * day + 9 * 3600).astype("timedelta64[s]")
    account = rng.permutation(account)
    due = calendar.start_of(month + 2)
    health = lives.health[account, month].astype(np.float64)
    # A habit of the house, the account's state, and chance; most pay a few days early.
    overdue = rng.gamma(0.8, 9.0, n) * np.exp(-0.7 * health - 0.6) * (rng.random(n) < 0.45)
    paid = due + ((accounts.pays_after[account] + overdue + 1.5 * rng.standard_normal(n)) * day).astype(
        np.int64
    ).astype("timedelta64[s]")
    paid = np.where(
        rng.random(n) < 0.002 * np.exp(-0.8 * health), np.datetime64("NaT"), np.maximum(paid, issued + 3600)
    )
    known = late(rng, issued, _INVOICES_LATE)
    return {
        "customer_id": Ids("A", account),
        "issued_at": issued,
        "due_at": np.repeat(due, n),
        "paid_at": calendar.until_end(paid),
        "amount": fees(accounts, lives.seats[account, month].astype(np.float64), digits, account),
        "known_at": known,
    }
