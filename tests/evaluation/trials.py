"""Experiments as arrays, for readings: three arms, money that was much the same before, and what each arm added."""

import numpy as np

from evaluation.effects.trial import Trial
from evaluation.experiments.records import Measure, Role
from features.types import DAY

ARMS = ("control", "a", "b")


def trial(sizes=(200, 200, 200), *, days=1, clusters=None, vary=False, **more):
    n = sum(sizes)
    arm = np.repeat(np.arange(len(sizes)), sizes)[np.random.default_rng(0).permutation(n)]
    propensity = np.tile(np.array(sizes) / n, (n, 1))
    if vary:
        tilt = np.where(np.arange(n) % 2, 0.8, 1.2)[:, None]
        propensity = np.hstack(
            [1 - propensity[:, 1:].sum(axis=1, keepdims=True) * tilt, propensity[:, 1:] * tilt]
        )
    at = (20_000 + np.arange(n) % days) * DAY
    return Trial("t", ARMS[: len(sizes)], arm, propensity, at, clusters, **more)


def money(of, seed=1, lift=(0.0, 0.0, 0.0), name="margin", *, before=True):
    rng = np.random.default_rng(seed)
    known = rng.normal(100, 20, len(of))
    value = known + rng.normal(0, 20, len(of)) + np.array(lift)[of.arm]
    return Measure(name, "money", Role.HORIZON, 60, value, before=known[:, None] if before else None)


def pair(of, arm):
    return np.isin(of.arm, (0, arm))
