"""Order histories that are odd, as a company might have them: small, written as CSV with a tokui.toml."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

Line = tuple[str, date, float]
"""Customer, day and amount of an order line."""

FIRST = date(2023, 1, 1)

TOML = """currency = "JPY"

[ltv]
horizon_days = 120

[churn]
horizons_days = [30, 60]
silence_days = 60

[training]
step_days = 30
max_cutoffs = 4

[tables.customers]
derive = "orders"

[tables.orders]
source = "orders.csv"
columns = {customer_id = "customer", occurred_at = "day", order_id = "number", product_id = "product", amount = "amount"}
"""


def write_ledger(folder: Path, lines: Iterable[Line], *, products: int = 7, toml: str = TOML) -> Path:
    """Write orders of so many products, and settings; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        f"{who},{day},{number},P-{number % products},{amount:.2f}"
        for number, (who, day, amount) in enumerate(lines)
    ]
    text = "\n".join(["customer,day,number,product,amount", *rows, ""])
    (folder / "orders.csv").write_text(text, encoding="utf-8")
    (folder / "tokui.toml").write_text(toml, encoding="utf-8")
    return folder


def after(days: float) -> date:
    """So many days after the first."""
    return FIRST + timedelta(days=int(days))


def ordinary(customers: int = 200, days: int = 730, seed: int = 5) -> Iterator[Line]:
    """Customers who come at some time, buy at a rate of their own, and leave at some time."""
    rng = np.random.default_rng(seed)
    for k in range(customers):
        day, rate, size = rng.uniform(0, days * 0.6), rng.gamma(2, 1 / 60), rng.lognormal(5, 0.8)
        leaves = day + rng.exponential(days)
        while day < min(days, leaves):
            yield f"C-{k:04}", after(day), size * rng.gamma(5, 0.2)
            day += 1 + rng.exponential(1 / rate)


def regular(customers: int = 200, days: int = 730, seed: int = 5) -> Iterator[Line]:
    """Everyone buys every 30 days, give or take two, and a tenth stops at some time."""
    rng = np.random.default_rng(seed)
    for k in range(customers):
        day, size = rng.uniform(0, 60), rng.lognormal(5, 0.8)
        leaves = rng.uniform(200, days) if rng.random() < 0.1 else days
        while day < leaves:
            yield f"C-{k:04}", after(day), size * rng.gamma(5, 0.2)
            day += 30 + rng.integers(-2, 3)


def mostly_once(customers: int = 800, days: int = 730, seed: int = 5) -> Iterator[Line]:
    """Of all customers 85 % buy once and 15 % stay for good."""
    rng = np.random.default_rng(seed)
    for k in range(customers):
        day, loyal = rng.uniform(0, days), rng.random() < 0.15
        while day < days:
            yield f"C-{k:04}", after(day), rng.gamma(5, 60)
            day = day + 1 + rng.exponential(40) if loyal else days


def alike(customers: int = 150, days: int = 730) -> Iterator[Line]:
    """All customers have the very same history."""
    for k in range(customers):
        for day in range(0, days, 30):
            yield f"C-{k:04}", after(day), 100.0


def one_day(customers: int = 200) -> Iterator[Line]:
    """Everything happened on one day."""
    for k in range(customers):
        yield f"C-{k:04}", FIRST, 100.0 + k


def never_again(customers: int = 400, days: int = 730, seed: int = 5) -> Iterator[Line]:
    """Nobody has bought twice."""
    rng = np.random.default_rng(seed)
    for k in range(customers):
        yield f"C-{k:04}", after(rng.uniform(0, days)), rng.gamma(5, 60)


def only_returns(customers: int = 200, days: int = 730) -> Iterator[Line]:
    """Everything was sent back, and nothing was bought."""
    for who, day, amount in ordinary(customers, days):
        yield who, day, -amount


def one_giant(customers: int = 200, days: int = 730) -> Iterator[Line]:
    """One customer has nine tenths of all money."""
    lines = list(ordinary(customers, days))
    yield from lines
    share = 9 * sum(amount for _, _, amount in lines) / (days // 7)
    for day in range(0, days, 7):
        yield "GIANT", after(day), share


def few_customers(customers: int = 40) -> Iterator[Line]:
    """Fewer customers than a training can be judged on."""
    yield from ordinary(customers)


def few_rows() -> Iterator[Line]:
    """Thirty order lines in all."""
    for k in range(30):
        yield f"C-{k:04}", after(20 * k), 100.0 + k


def twenty_thousand_days() -> Iterator[Line]:
    """Ordinary lately, and one order 20,000 days before the last."""
    lines = list(ordinary())
    last = max(day for _, day, _ in lines)
    yield "C-0000", last - timedelta(days=20_000), 100.0
    yield from lines


def long_history(customers: int = 300, days: int = 20_000, seed: int = 5) -> Iterator[Line]:
    """Trade over all of 20,000 days."""
    rng = np.random.default_rng(seed)
    for k in range(customers):
        for day in np.sort(rng.uniform(0, days, rng.poisson(60))):
            yield f"C-{k:04}", after(day - days + 730), rng.gamma(5, 60)
