"""How customers buy, in the few numbers a simulated world is held against a real one with."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

ONLINE_RETAIL = """
    SELECT CAST(CustomerID AS BIGINT) AS customer_id, InvoiceDate AS occurred_at, InvoiceNo AS order_id,
           Quantity * UnitPrice AS amount
    FROM '{path}' WHERE CustomerID IS NOT NULL
"""
SIMULATED = """
    SELECT customer_id, occurred_at, order_id, amount
    FROM '{path}' WHERE product_id NOT LIKE 'PLAN-%'
      AND occurred_at >= (SELECT max(occurred_at) FROM '{path}') - INTERVAL {days} DAY
"""

_STATISTICS = """
    WITH lines AS ({lines}),
    spend AS (SELECT customer_id, sum(amount) AS amount FROM lines GROUP BY ALL),
    ranked AS (SELECT amount, row_number() OVER (ORDER BY amount DESC) AS place, count(*) OVER () AS n FROM spend),
    days AS (SELECT DISTINCT customer_id, CAST(occurred_at AS DATE) AS day FROM lines WHERE amount > 0),
    gaps AS (
        SELECT day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days
        QUALIFY gap IS NOT NULL
    ),
    often AS (SELECT count(*) AS n FROM days GROUP BY customer_id),
    orders AS (SELECT sum(amount) AS amount FROM lines WHERE amount > 0 GROUP BY customer_id, order_id)
    SELECT
        (SELECT count(*) FROM often),
        (SELECT sum(amount) FILTER (place <= 0.01 * n) / sum(amount) FROM ranked),
        (SELECT sum(amount) FILTER (place <= 0.1 * n) / sum(amount) FROM ranked),
        (SELECT quantile_cont(gap, [0.1, 0.25, 0.5, 0.75, 0.9]) FROM gaps),
        (SELECT avg(CAST(n = 1 AS DOUBLE)) FROM often),
        (SELECT avg(n) FROM often),
        (SELECT quantile_cont(n, 0.99) FROM often),
        (SELECT quantile_cont(amount, 0.9) / quantile_cont(amount, 0.5) FROM orders),
        (SELECT sum(amount) FILTER (amount < 0) / sum(amount) FILTER (amount > 0) FROM lines),
"""


@dataclass(frozen=True, slots=True)
class PurchaseStatistics:
    """How customers bought within a window.

    Args:
        customers: Customers with a purchase.
        top_1_percent: Share of net spend by the 1 % who spent most.
        top_10_percent: Share of net spend by the 10 % who spent most.
        gap_days: 10 %, 25 %, 50 %, 75 % and 90 % quantiles of the days between two purchase days.
        one_time: Share of customers with a single purchase day.
        purchase_days: Mean purchase days a customer.
        purchase_days_99: 99 % quantile of them.
        order_spread: 90 % quantile of an order's amount over its median.
        returned: Money of returns over money of purchases, negative.
    """

    customers: int
    top_1_percent: float
    top_10_percent: float
    gap_days: tuple[float, ...]
    one_time: float
    purchase_days: float
    purchase_days_99: float
    order_spread: float
    returned: float


def purchase_statistics(lines: str) -> PurchaseStatistics:
    """Measure order lines.

    Args:
        lines: A DuckDB query for customer_id, occurred_at, order_id and amount; a purchase day is one with
            a positive amount.
    """
    with duckdb.connect() as connection:
        row = connection.execute(_STATISTICS.format(lines=lines)).fetchall()[0]
    customers, top_1, top_10, gaps, one_time, days, days_99, spread, returned = row
    return PurchaseStatistics(
        customers, top_1, top_10, tuple(float(gap) for gap in gaps), one_time, days, days_99, spread, returned
    )


def of_online_retail(path: Path) -> PurchaseStatistics:
    """Measure the UCI file Online Retail (Chen, 2015): lines that carry a customer number, 373 days."""
    return purchase_statistics(ONLINE_RETAIL.format(path=path))


def of_world(folder: Path, days: int = 373) -> PurchaseStatistics:
    """Measure a simulated world's last days; plan fees, which the real file has nothing like, left out."""
    return purchase_statistics(SIMULATED.format(path=folder / "orders.parquet", days=days))
