"""How an account's health moves from month to month, and how likely it is to leave for it.

Health is the one hidden state: a first-order autoregression with rare setbacks (the champion leaves, a
competitor bids). Everything an account does or says depends on it, so its traces foretell a departure.
"""

import numpy as np

from features.types import Floats
from features.world.arrays import Flags

PERSISTENCE = 0.88
NOISE = 0.38
SETBACK_CHANCE = 0.02
SETBACK_MEAN = 1.8
SETBACK_SD = 0.5
_DRIFT = SETBACK_CHANCE * SETBACK_MEAN  # so that health is zero on average

HAZARD_SLOPE = 1.1
RATE_SLOPE = 0.5
TICKET_SLOPE = 0.6


def first_health(rng: np.random.Generator, established: np.ndarray) -> Floats:
    """Health in the first month: ordinary for established accounts, somewhat worse for new ones."""
    mean = np.where(established, 0.0, -0.4)
    return np.asarray(mean + 0.95 * rng.standard_normal(len(established)))


def next_health(rng: np.random.Generator, health: Floats) -> Floats:
    """Health a month later."""
    n = len(health)
    setback = (rng.random(n) < SETBACK_CHANCE) * (SETBACK_MEAN + SETBACK_SD * rng.standard_normal(n))
    return np.asarray(PERSISTENCE * health + _DRIFT + NOISE * rng.standard_normal(n) - setback)


def transition(grid: Floats) -> Floats:
    """Probability of moving from one point of an even grid to another within a month, rows summing to 1."""
    centre = PERSISTENCE * grid[:, None] + _DRIFT
    calm = _density(grid[None, :] - centre, NOISE)
    struck = _density(grid[None, :] - centre + SETBACK_MEAN, float(np.hypot(NOISE, SETBACK_SD)))
    weight = (1 - SETBACK_CHANCE) * calm + SETBACK_CHANCE * struck
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _density(x: Floats, sd: float) -> Floats:
    return np.asarray(np.exp(-0.5 * (x / sd) ** 2) / sd)


def hazard(risk: Floats, health: Floats, timing: Floats | float) -> Floats:
    """Probability of deciding within the month to leave.

    Args:
        risk: The account's log hazard at health 0.
        health: Health in the month.
        timing: Factor for where the month lies in the contract's term.
    """
    return np.asarray(-np.expm1(-timing * np.exp(risk - HAZARD_SLOPE * health)))


def seat_growth(health: Floats, yearly: Flags | bool) -> tuple[Floats, Floats]:
    """Expected shares of seats added and given up when a term begins.

    Args:
        health: Health in the term's first month.
        yearly: Whether the term is a year, so that there is more to adjust.
    """
    scale = np.where(yearly, 8.0, 1.0)
    added = np.minimum(0.5, scale * 0.010 * np.exp(0.35 * health))
    given_up = np.minimum(0.5, scale * 0.008 * np.exp(-0.35 * health))
    return np.asarray(added), np.asarray(given_up)
