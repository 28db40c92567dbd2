"""The accounts: who they are, when they came, and the hidden traits they act by."""

from dataclasses import dataclass

import numpy as np

from features.types import Floats
from features.world.arrays import Flags, Frame, Ids, Instants, Ints, Text
from features.world.calendar import SEASON, WorldCalendar

PURCHASE_ONLY, MONTHLY, ANNUAL = 0, 1, 2
"""Kinds of relationship."""

INDUSTRIES = (
    "manufacturing",
    "wholesale",
    "retail",
    "construction",
    "it",
    "healthcare",
    "logistics",
    "services",
)
_INDUSTRY_SHARE = np.array([0.20, 0.17, 0.16, 0.11, 0.12, 0.08, 0.07, 0.09])
_INDUSTRY_RISK = np.array([-0.20, 0.05, 0.25, 0.10, 0.15, -0.30, 0.00, 0.10])

# Country, region, weight. Japanese weights go by the number of establishments, roughly.
_PLACES = (
    ("JP", "Tokyo", 14.0), ("JP", "Osaka", 9.0), ("JP", "Aichi", 6.5), ("JP", "Kanagawa", 6.0),
    ("JP", "Saitama", 5.0), ("JP", "Hokkaido", 4.5), ("JP", "Hyogo", 4.5), ("JP", "Fukuoka", 4.5),
    ("JP", "Chiba", 4.0), ("JP", "Shizuoka", 3.5), ("JP", "Hiroshima", 2.8), ("JP", "Kyoto", 2.5),
    ("JP", "Ibaraki", 2.5), ("JP", "Niigata", 2.2), ("JP", "Miyagi", 2.2), ("JP", "Nagano", 2.2),
    ("JP", "Gifu", 2.0), ("JP", "Gunma", 1.9), ("JP", "Okayama", 1.7), ("JP", "Kumamoto", 1.6),
    ("JP", "Okinawa", 1.4), ("JP", "Ishikawa", 1.3), ("JP", "Ehime", 1.3), ("JP", "Kagoshima", 1.3),
    ("TW", "Taipei", 2.5), ("KR", "Seoul", 2.5), ("SG", "Singapore", 1.8), ("TH", "Bangkok", 1.6),
    ("VN", "Ho Chi Minh", 1.2), ("US", "California", 1.2), ("US", "Texas", 0.7), ("DE", "Bavaria", 0.8),
)  # fmt: skip

_ESTABLISHED_SHARE = 0.45
_CONTRACT_SHARE = 0.45
_KEY_ACCOUNT_SHARE = 0.008


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts, one element an account. Money is in the world's currency.

    Args:
        created_at: When the account was opened, ``datetime64[s]``.
        begin: Month in which purchases and use begin: of opening, or of the first contract day.
        opened_share: Business time of the opening within ``begin``; 0 for contracts and established accounts.
        established: Whether it was there before the world's first day.
        kind: PURCHASE_ONLY, MONTHLY or ANNUAL.
        anchor: A month in which a term of the contract begins; negative before the world.
        industry: Index into INDUSTRIES.
        place: Index into the places.
        employees: Number of employees.
        size: Standardised log of employees.
        engaged: Standardised liking for e-mails, seminars and visits.
        breadth: Share of lines bought outside the home category.
        home: Home category of products.
        rate: Orders a month at health 0 in an average month.
        lines: Mean lines an order.
        units: Mean quantity a line.
        risk: Log monthly hazard of deciding to leave, at health 0.
        tickets: Support cases a month at health 0.
        seats: Seats when the contract, or the world, begins; 0 without contract.
        seat_price: Money a seat and month.
        plan: Index of the plan; negative without contract.
        usage: Log habit of use.
        pays_after: Days after the due date on which invoices are habitually paid; mostly negative.
    """

    created_at: Instants
    begin: Ints
    opened_share: Floats
    established: Flags
    kind: Ints
    anchor: Ints
    industry: Ints
    place: Ints
    employees: Floats
    size: Floats
    engaged: Floats
    breadth: Floats
    home: Ints
    rate: Floats
    lines: Floats
    units: Floats
    risk: Floats
    tickets: Floats
    seats: Ints
    seat_price: Floats
    plan: Ints
    usage: Floats
    pays_after: Floats

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def contracted(self) -> Flags:
        """Whether the account lives by contract."""
        return np.asarray(self.kind != PURCHASE_ONLY)

    def months_left(self, month: int) -> Ints:
        """Months until the running yearly term ends: 12 in its first month, 1 in its last; 0 otherwise."""
        return np.where(self.kind == ANNUAL, 12 - (month - self.anchor) % 12, 0)

    def term_begins(self, month: int) -> Flags:
        """Whether a term of the contract begins with the month, if the account is still there."""
        return np.asarray((self.kind == MONTHLY) | (self.months_left(month) == 12))


def draw_accounts(rng: np.random.Generator, calendar: WorldCalendar, n: int, unit: float) -> Accounts:
    """Draw the accounts.

    Args:
        rng: The part's own stream.
        calendar: The months.
        n: How many.
        unit: Money that buys about what a dollar buys; scales all prices.
    """
    size = rng.standard_normal(n)
    employees = np.maximum(1.0, np.round(np.exp(np.log(80) + 1.3 * size)))
    industry = rng.choice(len(INDUSTRIES), n, p=_INDUSTRY_SHARE)
    weights = np.array([place[2] for place in _PLACES])
    place = rng.choice(len(_PLACES), n, p=weights / weights.sum())
    engaged = rng.standard_normal(n)

    contracted = rng.random(n) < _CONTRACT_SHARE + 0.08 * np.clip(size, -2, 2)
    kind = np.where(
        contracted, np.where(rng.random(n) < 0.5 + 0.1 * np.clip(size, -2, 2), ANNUAL, MONTHLY), 0
    )
    established, begin, opened_share, anchor, created_at = _arrivals(rng, calendar, kind)

    plan = np.clip(np.searchsorted([-0.3, 0.9], size + 0.8 * rng.standard_normal(n)), 0, 2)
    price_level = 0.12 * rng.standard_normal(n)
    seats = np.maximum(3, np.round(0.35 * employees**0.72 * np.exp(0.5 * rng.standard_normal(n)))).astype(
        np.int64
    )
    seat_price = np.array([6.0, 10.0, 16.0])[plan] * unit * np.exp(price_level)

    risk = np.log(np.where(contracted, 0.0055, 0.0085)) + _INDUSTRY_RISK[industry] + 0.8 * price_level
    risk += -0.12 * size - 0.2 * engaged + 0.4 * rng.standard_normal(n)
    key = rng.random(n) < _KEY_ACCOUNT_SHARE * np.exp(np.clip(size, -2, 2))
    rate = (
        0.21 * rng.gamma(0.8, 1 / 0.8, n) * np.exp(0.15 * size + 0.1 * engaged) * np.where(key, 2.5, 1.0)
        + 0.015
    )
    units = 1 + 4.0 * np.exp(0.40 * size + 0.60 * rng.standard_normal(n)) * np.where(key, 9.0, 1.0)
    return Accounts(
        created_at=created_at,
        begin=begin,
        opened_share=opened_share,
        established=established,
        kind=kind,
        anchor=anchor,
        industry=industry,
        place=place,
        employees=employees,
        size=size,
        engaged=engaged,
        breadth=rng.beta(1.6, 2.4, n),
        home=rng.integers(0, 12, n),
        rate=rate,
        lines=1 + 2.4 * rng.gamma(2.0, 0.5, n),
        units=units,
        risk=risk,
        tickets=np.where(contracted, 0.28, 0.05) * rng.gamma(2.0, 0.5, n) * np.exp(0.15 * size),
        seats=np.where(contracted, seats, 0),
        seat_price=seat_price,
        plan=np.where(contracted, plan, -1),
        usage=0.4 * rng.standard_normal(n),
        pays_after=-4.0 + 2.5 * rng.standard_normal(n),
    )


def _arrivals(
    rng: np.random.Generator, calendar: WorldCalendar, kind: Ints
) -> tuple[Flags, Ints, Floats, Ints, Instants]:
    n, months = len(kind), calendar.months
    established = rng.random(n) < _ESTABLISHED_SHARE
    # Slow growth with the seasons; a contract account may still be a prospect at the world's end.
    m = np.arange(months)
    weight = (1 + 0.5 * m / months) * SEASON[(int(calendar.first.astype(int)) + m) % 12]
    opened = rng.choice(months, n, p=weight / weight.sum())
    begin = np.where(established, 0, np.where(kind == PURCHASE_ONLY, opened, opened + 1))
    share = np.where(established | (kind != PURCHASE_ONLY), 0.0, rng.random(n))
    anchor = np.where(established, -rng.integers(0, 12, n), begin)

    # A contract account is opened with the first talk, and a life before the world is long.
    before = np.where(established, 30 + rng.exponential(900.0, n), rng.uniform(20, 75, n))
    first_day = calendar.start_of(np.where(kind == ANNUAL, anchor, begin))
    created_at: Instants = (first_day - before.astype("timedelta64[D]")).astype("datetime64[s]")
    walked_in = ~established & (kind == PURCHASE_ONLY)
    for month in range(months):
        those = walked_in & (begin == month)
        created_at[those] = calendar.days(month, share[those])
    # Opened before the working day begins, so that no order of the day comes first.
    early = rng.integers(6 * 3600, 8 * 3600, n).astype("timedelta64[s]")
    return established, begin, share, anchor, created_at + early


def customers_table(
    rng: np.random.Generator, calendar: WorldCalendar, accounts: Accounts, unit: float
) -> Frame:
    """The ``customers`` table; 3 % of the accounts reach the books days after they were opened."""
    n = len(accounts)
    countries = tuple(dict.fromkeys(place[0] for place in _PLACES))
    regions = tuple(place[1] for place in _PLACES)
    country = np.array([countries.index(place[0]) for place in _PLACES])[accounts.place]
    cost = np.round(unit * 250 * np.exp(0.4 * accounts.size + 0.6 * rng.standard_normal(n)))
    cost[rng.random(n) < 0.1] = np.nan
    owners = tuple(f"sales-{i + 1:02d}" for i in range(40))
    late = rng.integers(86_400, 20 * 86_400, n).astype("timedelta64[s]")
    known = np.where(rng.random(n) < 0.03, accounts.created_at + late, np.datetime64("NaT"))
    return {
        "customer_id": Ids("A", np.arange(n)),
        "created_at": accounts.created_at,
        "industry": Text(accounts.industry, INDUSTRIES),
        "country": Text(country, countries),
        "region": Text(accounts.place, regions),
        "employees": accounts.employees,
        "acquisition_cost": cost,
        "owner": Text((accounts.place + rng.integers(0, 9, n)) % len(owners), owners),
        # An account the books do not know yet has rows nevertheless; it must not vanish from the extract.
        "known_at": calendar.until_end(known),
    }
