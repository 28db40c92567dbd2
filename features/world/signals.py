"""What an account shows of its health: product use, support cases, touches, survey answers; and its cost."""

import numpy as np

from features.types import Floats
from features.world.accounts import Accounts
from features.world.arrays import Frame, Ids, Instants, Ints, Text, sigmoid
from features.world.calendar import WorldCalendar
from features.world.health import TICKET_SLOPE
from features.world.lives import Lives

FEATURES = ("core", "reports", "integrations", "api")
TICKET_CATEGORIES = ("how-to", "delivery", "billing", "defect", "outage")
TOUCH_KINDS = ("email_sent", "email_opened", "email_clicked", "seminar", "web_visit")

COST_PER_MONTH, COST_PER_ORDER, COST_PER_TICKET = 8.0, 4.0, 30.0
"""Cost to serve in units of money: of a running contract, an order and a support case."""

_EVENTS_PER_USER = 6.0


def usage(
    rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives, month: int
) -> Frame:
    """The month's ``usage`` of contract accounts.

    Every account reports one meter day a week, the same weekday always, so that 100,000 customers make
    millions of rows and not tens of millions. A meter day without any use has no row.
    """
    running = np.flatnonzero(lives.seats[:, month])
    length = len(calendar.cumulative[month])
    days = calendar.start_of(month).astype("datetime64[D]") + np.arange(length).astype("timedelta64[D]")
    weekday = (days.astype(int) + 3) % 7
    # The meter day hangs on the row number, which means nothing, so no stream is spent on it.
    pairs = [(running[running % 5 == weekday[d]], d) for d in range(len(days)) if weekday[d] < 5]
    account = np.concatenate([part for part, _ in pairs])
    day = np.concatenate([np.full(len(part), d) for part, d in pairs])

    mood = lives.health[:, month] * 0.8 + accounts.usage + 0.25 * rng.standard_normal(len(accounts))
    level = mood[account] + 0.25 * rng.standard_normal(len(account))
    seats = lives.seats[account, month]
    # Holidays are quiet for users as they are for buyers; 1.3 undoes the month's closing.
    weight = np.diff(calendar.cumulative[month], prepend=0.0)
    working = np.minimum(1.0, 1.3 * weight[day] / weight[weekday < 5].max())
    users = rng.binomial(seats, sigmoid(0.1 + 0.9 * level) * working)
    events = rng.poisson(users * _EVENTS_PER_USER * np.exp(0.35 * level))
    wide = rng.random(len(account)) < sigmoid(-0.4 + 0.5 * level)
    feature = np.where(wide, rng.integers(1, len(FEATURES), len(account)), 0)
    used = users > 0
    return {
        "customer_id": Ids("A", account[used]),
        "occurred_at": days[day[used]].astype("datetime64[s]"),
        "feature": Text(feature[used], FEATURES),
        "events": events[used].astype(np.float64),
        "active_users": users[used].astype(np.float64),
        "quota_share": np.round(events[used] / (seats[used] * _EVENTS_PER_USER * 0.8), 3),
    }


def tickets(
    rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives, month: int
) -> tuple[Frame, Ints]:
    """The month's ``tickets``, and how many each account opened."""
    low, high = lives.presence(accounts, month)
    health = lives.health[:, month].astype(np.float64)
    count = rng.poisson(accounts.tickets * np.exp(-TICKET_SLOPE * health) * (high - low))
    who = np.repeat(np.arange(len(accounts)), count)
    opened = calendar.instants(month, low[who] + (high - low)[who] * rng.random(len(who)), rng)
    unwell = -health[who]
    severity = 1 + (rng.random((3, len(who))) < sigmoid(-1.0 + 0.3 * unwell)).sum(axis=0)
    complaint = rng.random(len(who)) < sigmoid(-3.2 + 0.6 * unwell + 0.5 * severity)
    hours = np.exp(2.4 + 0.25 * severity + 0.15 * unwell + 0.9 * rng.standard_normal(len(who)))
    closed = calendar.until_end(opened + (3600 * np.maximum(0.1, hours)).astype("timedelta64[s]"))
    rating = np.round(
        4.0 - 0.45 * unwell - 0.8 * complaint - 0.1 * hours / 24 + 0.8 * rng.standard_normal(len(who))
    )
    rated = (rng.random(len(who)) < 0.55) & ~np.isnat(closed)
    category = np.minimum(
        rng.integers(0, 3, len(who)) + (severity > 2) + (severity > 3), len(TICKET_CATEGORIES) - 1
    )
    frame: Frame = {
        "customer_id": Ids("A", who),
        "opened_at": opened,
        "closed_at": closed,
        "severity": severity.astype(np.float64),
        "category": Text(category, TICKET_CATEGORIES),
        "complaint": complaint.astype(np.float64),
        "satisfaction": np.where(rated, np.clip(rating, 1, 5), np.nan),
    }
    return frame, count


def engagement(
    rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives, month: int
) -> Frame:
    """The month's ``engagement``: one newsletter with its responses, web visits, a seminar each quarter.

    Newsletters go on to those who left silently, for nobody knows; they hardly open them.
    """
    n = len(accounts)
    low, high = lives.presence(accounts, month)
    share = high - low
    health = lives.health[:, month].astype(np.float64)
    known_gone = accounts.contracted & (month >= lives.gone_month)
    listed = np.flatnonzero(
        (accounts.begin < month) & ~known_gone & (np.arange(n) % 7 > 0)
    )  # one in seven opted out
    month_name = str(calendar.start_of(month).astype("datetime64[M]"))

    sent = calendar.start_of(month) + (86_400 * 9 + 36_000 + rng.integers(0, 3600, len(listed))).astype(
        "timedelta64[s]"
    )
    eager = sigmoid(-1.3 + 0.8 * accounts.engaged[listed] + 0.7 * health[listed])
    opens = rng.random(len(listed)) < eager * np.where(share[listed] > 0, 1.0, 0.05)
    clicks = opens & (
        rng.random(len(listed)) < sigmoid(-1.2 + 0.5 * accounts.engaged[listed] + 0.2 * health[listed])
    )
    opened = sent + (60 + rng.exponential(36_000.0, len(listed))).astype("timedelta64[s]")
    clicked = opened + rng.integers(5, 600, len(listed)).astype("timedelta64[s]")

    visits = rng.poisson(0.7 * np.exp(0.5 * accounts.engaged + 0.5 * health) * share)
    visitor = np.repeat(np.arange(n), visits)
    visited = calendar.instants(month, low[visitor] + share[visitor] * rng.random(len(visitor)), rng)
    holds_seminar = (month % 3 == 1) & (
        rng.random(n) < 0.03 * np.exp(0.7 * accounts.engaged + 0.2 * health) * share
    )
    guest = np.flatnonzero(holds_seminar)
    seminar = np.repeat(calendar.start_of(month) + np.timedelta64(19 * 24 + 14, "h"), len(guest))

    parts: list[tuple[Ints, Instants, int]] = [
        (listed, sent, 0),
        (listed[opens], opened[opens], 0),
        (listed[clicks], clicked[clicks], 0),
        (guest, seminar, 1),
        (visitor, visited, -1),
    ]
    sizes = [len(who) for who, _, _ in parts]
    return {
        "customer_id": Ids("A", np.concatenate([who for who, _, _ in parts])),
        "occurred_at": np.concatenate([time for _, time, _ in parts]),
        "kind": Text(np.repeat(np.arange(len(parts)), sizes), TOUCH_KINDS),
        "campaign_id": Text(
            np.repeat([code for _, _, code in parts], sizes),
            (f"newsletter-{month_name}", f"seminar-{month_name}"),
        ),
    }


def surveys(
    rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, lives: Lives, month: int
) -> Frame:
    """Answers to the NPS question, asked every May and November."""
    low, high = lives.presence(accounts, month)
    asked = str(calendar.start_of(month).astype("datetime64[M]"))[5:] in {"05", "11"}
    chance = asked * sigmoid(-1.3 + 0.6 * accounts.engaged) * (high - low)
    who = np.flatnonzero(rng.random(len(accounts)) < chance)
    score = 7.0 + 1.3 * lives.health[who, month] + 1.5 * rng.standard_normal(len(who))
    return {
        "customer_id": Ids("A", who),
        "occurred_at": calendar.instants(month, low[who] + (high - low)[who] * rng.random(len(who)), rng),
        "score": np.clip(np.round(score), 0, 10),
    }


def costs(
    rng: np.random.Generator,
    calendar: WorldCalendar,
    lives: Lives,
    month: int,
    opened: Ints,
    unit: float,
) -> Frame:
    """The month's cost to serve, dated on its first day and known a few days after its last.

    An account without contract that neither ordered nor asked for help has no row, so that the table
    does not tell who left silently.

    Args:
        rng: The part's own stream.
        calendar: The months.
        lives: Their lives.
        month: The month.
        opened: Support cases of each account in the month.
        unit: Scale of money.
    """
    running = lives.seats[:, month] > 0
    expected: Floats = (
        COST_PER_MONTH * running + COST_PER_ORDER * lives.orders[:, month] + COST_PER_TICKET * opened
    ) * unit
    who = np.flatnonzero(expected)
    # Mean one, so that the expected cost is the expectation of the counts.
    noise = np.exp(0.3 * rng.standard_normal(len(who)) - 0.045)
    closing = rng.integers(2 * 86_400, 6 * 86_400, len(who)).astype("timedelta64[s]")
    return {
        "customer_id": Ids("A", who),
        "occurred_at": np.repeat(calendar.start_of(month), len(who)),
        "amount": np.round(expected[who] * noise, 2),
        "known_at": calendar.start_of(month + 1) + closing,
    }
