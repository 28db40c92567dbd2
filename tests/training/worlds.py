"""Small simulated worlds whose truth is known."""

import numpy as np

from features.engine.matrix import FeatureMatrix
from training.models.buytilldie import PURCHASE_COLUMNS, Purchases


def buyers(n, r, alpha, a, b, age, ahead, seed=0, shape=6.0, q=4.0, gamma=45.0):
    """Purchase histories simulated by the BG/NBD and Gamma-Gamma story, with what happens next.

    Returns histories (one per customer), purchases and money in the days ahead.
    """
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    age = np.broadcast_to(np.asarray(age, dtype=float), (n,)).copy()
    x, t_x, future = np.zeros(n), np.zeros(n), np.zeros(n)
    clock, alive = np.zeros(n), np.ones(n, bool)
    while alive.any():
        clock = np.where(alive, clock + rng.exponential(1 / rate), clock)
        alive &= clock < age + ahead
        now = alive & (clock < age)
        x[now] += 1
        t_x[now] = clock[now]
        future += alive & (clock >= age)
        alive &= rng.random(n) >= leaves
    nu = rng.gamma(q, 1 / gamma, n)
    spend = rng.gamma(shape * (x + 1), 1 / nu) / (x + 1)
    money = np.where(future > 0, rng.gamma(np.maximum(shape * future, 1e-9), 1 / nu), 0.0)
    return Purchases(x, t_x, age, spend), future, money


def as_matrix(purchases, noise_columns=2, seed=0):
    """The feature columns the engine would give for these histories."""
    values = [
        purchases.x + 1,
        purchases.age,
        purchases.age - purchases.t_x,
        purchases.spend * (purchases.x + 1),
    ]
    noise = np.random.default_rng(seed).normal(size=(len(purchases.x), noise_columns))
    names = (*PURCHASE_COLUMNS, *(f"noise_{i}" for i in range(noise_columns)))
    return FeatureMatrix(names, np.column_stack([*values, noise]))
