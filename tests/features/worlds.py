"""Small random histories for the engine's tests, as canonical Arrow tables."""

import datetime as dt

import numpy as np
import pyarrow as pa

EPOCH = np.datetime64("2024-01-01", "us")
DAY = 86_400_000_000


def orders_table(customers, micros, amount, quantity, product, order, known=None):
    columns = {
        "customer_id": pa.array([str(c) for c in customers], pa.string()),
        "occurred_at": pa.array(np.asarray(micros, np.int64)).cast(pa.timestamp("us")),
        "order_id": pa.array(order, pa.string()),
        "product_id": pa.array(product, pa.string()),
        "quantity": pa.array(quantity, pa.float64()),
        "amount": pa.array(amount, pa.float64()),
        "margin": pa.array([None if a is None else a * 0.4 for a in amount], pa.float64()),
    }
    if known is not None:
        columns["known_at"] = pa.array(known, pa.int64()).cast(pa.timestamp("us"))
    return pa.table(columns)


def random_orders(rng, customers, rows, *, start=None, span_days=400, ties=0.3, missing=0.05, late=0.1):
    """Order lines with ties, same-moment rows, returns, missing values and late-known rows."""
    begin = int((start or EPOCH).astype(np.int64))
    who = np.minimum(rng.geometric(0.35, rows) - 1, customers - 1)
    when = begin + rng.integers(0, span_days * DAY, rows)
    snap = rng.random(rows) < ties
    when[snap] = begin + (when[snap] - begin) // (7 * DAY) * (7 * DAY)
    amount = np.round(rng.lognormal(3, 2, rows) * np.where(rng.random(rows) < 0.1, -1, 1), 2)
    quantity = [None if rng.random() < missing else float(q) for q in rng.integers(-3, 40, rows)]
    product = [None if rng.random() < missing else f"P{p}" for p in rng.zipf(1.6, rows) % 12]
    order = [f"O{o}" for o in rng.integers(0, max(rows // 3, 1), rows)]
    known = [int(w + rng.integers(0, 20 * DAY)) if rng.random() < late else None for w in when]
    return orders_table(who, when, amount.tolist(), quantity, product, order, known)


def customers_table(count, rng):
    created = EPOCH.astype(np.int64) + rng.integers(-300 * DAY, 100 * DAY, count)
    return pa.table(
        {
            "customer_id": pa.array([str(c) for c in range(count)]),
            "created_at": pa.array(
                [None if rng.random() < 0.1 else int(c) for c in created], pa.int64()
            ).cast(pa.timestamp("us")),
            "industry": pa.array([["steel", "food", None][i] for i in rng.integers(0, 3, count)]),
            "country": pa.array(["JP"] * count),
            "region": pa.array([f"R{i}" for i in rng.integers(0, 4, count)]),
            "employees": pa.array(rng.lognormal(3, 1, count)),
            "acquisition_cost": pa.array(rng.lognormal(3, 1, count)),
        }
    )


def day(text):
    return int(np.datetime64(dt.date.fromisoformat(text), "us").astype(np.int64))
