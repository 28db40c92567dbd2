"""Order lines: what is bought, how much of it, for how much, and what comes back."""

from dataclasses import dataclass

import numpy as np

from features.types import Floats
from features.world.accounts import Accounts
from features.world.arrays import Frame, Ids, Instants, Ints, Text
from features.world.calendar import WorldCalendar
from features.world.lives import Lives

PRODUCT_CATEGORIES, PER_CATEGORY = 12, 40
PLANS = ("PLAN-BASIC", "PLAN-TEAM", "PLAN-ENTERPRISE")
PLAN_MARGIN = 0.7

_RETURN_SHARE = 0.02
_RETURN_DAYS = 14
_LATE_SHARE = 0.03
_ORDER_SIZE_SD = 0.4


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be bought; ``PRODUCT_CATEGORIES * PER_CATEGORY`` products, then the plans.

    Args:
        names: Product ids.
        price: List price.
        margin_rate: Margin as a share of the amount.
        popularity: Probability of a category, for what is bought outside the home category.
        rank: Probability of the products within a category, by Zipf's law.
    """

    names: tuple[str, ...]
    price: Floats
    margin_rate: Floats
    popularity: Floats
    rank: Floats

    def margin_per_order(self, accounts: Accounts) -> Floats:
        """Expected margin of one order of each account, less returns and before what an arm adds."""
        unit_margin = (
            (self.price * self.margin_rate).reshape(PRODUCT_CATEGORIES, PER_CATEGORY) * self.rank
        ).sum(axis=1)
        abroad = float(self.popularity @ unit_margin)
        of_unit = (1 - accounts.breadth) * unit_margin[accounts.home] + accounts.breadth * abroad
        return np.asarray((1 - _RETURN_SHARE) * accounts.lines * accounts.units * of_unit)


def draw_catalogue(rng: np.random.Generator, unit: float) -> Catalogue:
    """Draw prices and margins."""
    n = PRODUCT_CATEGORIES * PER_CATEGORY
    level = np.repeat(0.15 * rng.standard_normal(PRODUCT_CATEGORIES), PER_CATEGORY)
    price = np.maximum(1.0, np.round(unit * 26 * np.exp(level + 0.6 * rng.standard_normal(n))))
    names = [f"P-{c + 1:02d}-{k + 1:02d}" for c in range(PRODUCT_CATEGORIES) for k in range(PER_CATEGORY)]
    return Catalogue(
        names=(*names, *PLANS),
        price=price,
        margin_rate=rng.uniform(0.18, 0.50, n),
        popularity=_zipf(PRODUCT_CATEGORIES, 0.7),
        rank=_zipf(PER_CATEGORY, 1.0),
    )


def order_lines(
    rng: np.random.Generator,
    calendar: WorldCalendar,
    accounts: Accounts,
    lives: Lives,
    catalogue: Catalogue,
    month: int,
    first_id: int,
    digits: int,
) -> Frame:
    """The order lines of one month, returns among them; plan fees are not.

    Args:
        rng: The part's own stream.
        calendar: The months.
        accounts: The accounts.
        lives: Their lives.
        catalogue: The products.
        month: The month.
        first_id: Number of the month's first order.
        digits: Decimal places of the currency.
    """
    count = lives.orders[:, month]
    low, high = lives.presence(accounts, month)
    who = np.repeat(np.arange(len(accounts)), count)
    share = low[who] + (high - low)[who] * rng.random(len(who))
    opening = np.flatnonzero(lives.first_order & (accounts.begin == month))
    share[(np.cumsum(count) - count)[opening]] = low[opening]
    time = calendar.instants(month, share, rng)
    by_time = np.argsort(time, kind="stable")
    who, time, share = who[by_time], time[by_time], share[by_time]
    known = late(rng, time, _LATE_SHARE)
    arm = np.exp(lives.shift(month, "basket"))
    size = np.exp(_ORDER_SIZE_SD * rng.standard_normal(len(who)) - _ORDER_SIZE_SD**2 / 2)

    lines = 1 + rng.poisson(accounts.lines[who] - 1)
    of = np.repeat(np.arange(len(who)), lines)
    account = who[of]
    product = _products(rng, accounts, catalogue, account)
    # Mean units times the arm's factor, exactly: the truth of the effects relies on it.
    quantity = _counts(rng, (accounts.units * arm)[account], size[of])
    sign = np.ones(len(of))
    back = np.flatnonzero(rng.random(len(of)) < _RETURN_SHARE)
    returned = _return_times(rng, calendar, month, time[of[back]], high[account[back]])

    of, product = np.concatenate([of, of[back]]), np.concatenate([product, product[back]])
    quantity = np.concatenate([quantity, quantity[back]])
    sign = np.concatenate([sign, -np.ones(len(back))])
    occurred = np.concatenate([time[of[: len(sign) - len(back)]], returned])
    amount = np.round(quantity * catalogue.price[product], digits)
    return {
        "customer_id": Ids("A", who[of]),
        "occurred_at": occurred,
        "order_id": Ids("O", first_id + of),
        "product_id": Text(product, catalogue.names),
        "quantity": sign * quantity,
        "amount": sign * amount,
        "margin": sign * np.round(amount * catalogue.margin_rate[product], digits + 1),
        "known_at": np.where(known[of] > occurred, known[of], np.datetime64("NaT")),
    }


def late(rng: np.random.Generator, times: Instants, share: float) -> Instants:
    """When rows reach the books: a few days to weeks later for the given share, missing for the rest."""
    delay = np.minimum(45 * 86_400, 5 * 86_400 * np.exp(0.8 * rng.standard_normal(len(times))))
    known = times + (3600 + delay).astype("timedelta64[s]")
    return np.where(rng.random(len(times)) < share, known, np.datetime64("NaT"))


def _products(rng: np.random.Generator, accounts: Accounts, catalogue: Catalogue, account: Ints) -> Ints:
    abroad = rng.random(len(account)) < accounts.breadth[account]
    other = np.searchsorted(np.cumsum(catalogue.popularity), rng.random(len(account)), side="right")
    category = np.where(abroad, np.minimum(other, PRODUCT_CATEGORIES - 1), accounts.home[account])
    rank = np.searchsorted(np.cumsum(catalogue.rank), rng.random(len(account)), side="right")
    return np.asarray(category * PER_CATEGORY + np.minimum(rank, PER_CATEGORY - 1))


def _counts(rng: np.random.Generator, mean: Floats, noise: Floats) -> Floats:
    """Whole quantities of at least one with the given means; the noise has mean one."""
    return np.asarray(1 + rng.poisson(np.maximum(mean - 1, 0) * noise), dtype=np.float64)


def _return_times(
    rng: np.random.Generator, calendar: WorldCalendar, month: int, time: Instants, high: Floats
) -> Instants:
    # Within the month and before a departure, so that the month's expected margin is net of returns.
    day = np.timedelta64(1, "D")
    last = np.minimum(calendar.days(month, high) + day, calendar.start_of(month + 1)).astype("datetime64[s]")
    room = np.minimum((last - time).astype(np.int64), _RETURN_DAYS * 86_400)
    return np.asarray(time + (rng.random(len(time)) * room).astype("timedelta64[s]"))


def _zipf(n: int, exponent: float) -> Floats:
    weight = 1.0 / np.arange(1, n + 1) ** exponent
    return np.asarray(weight / weight.sum())
