"""Curves of a ranking for plots, with half-sample bands: TOC and Qini by the share of customers treated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evaluation.uplift.halfsamples import (
    Bits,
    HalfSamples,
    along,
    drawn,
    everything,
    finite,
    normal,
    row_weights,
    standard_error,
)
from evaluation.uplift.ranking import Ranking
from features.errors import ExperimentError
from features.types import Floats


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve with its pointwise band; all [m].

    Args:
        at: Where: shares of customers, or budgets.
        value: On the data as they are.
        low: Lower ends.
        high: Upper ends.
    """

    at: Floats
    value: Floats
    low: Floats
    high: Floats


def qini_curve(
    scores: ArrayLike,
    priority: ArrayLike,
    shares: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    samples: HalfSamples | None = None,
    level: float = 0.95,
) -> Curve:
    """Gain per customer of treating the top q, over treating as many at random: q TOC(q).

    Args:
        scores: Doubly robust scores of one arm's effect [n].
        priority: Predicted uplift [n].
        shares: Shares q of the customers in [0, 1], ascending [m]; 0, 0.01 … 1 if not given.
        weight: How many customers each row stands for [n].
        samples: Of the n rows; see `HalfSamples`.
        level: Nominal coverage at each point, not of the whole curve.

    Raises:
        ExperimentError: As `rate`, or shares that do not ascend in [0, 1].

    Examples:
        >>> uplift = np.linspace(0, 1, 1000)
        >>> qini_curve(uplift, uplift, [0.5]).value.round(3).tolist()
        [0.125]
    """
    gamma = finite("scores", scores, (None,))
    w = row_weights(weight, len(gamma))
    at = np.linspace(0, 1, 101) if shares is None else finite("shares", shares, (None,))
    if (np.diff(at) < 0).any() or at[0] < 0 or at[-1] > 1:
        raise ExperimentError("shares of customers must ascend from 0 or more to 1 or less")
    samples = drawn(samples, len(gamma))
    ranking = Ranking.sort(gamma, finite("priority", priority, (len(gamma),)))
    length = w[ranking.order]
    value = ranking.gamma * length
    ends = np.append(np.diff(ranking.group) > 0, True)

    def evaluate(keep: Bits, bit: np.uint8) -> tuple[float, ...]:
        inside = keep & bit > 0
        total = float(length[inside].sum())
        # The last stop lies behind the last row, where all of the value is gathered.
        stops = np.append(at * total, np.inf)
        reached = along(value, length, ends, keep, bit, stops)
        return tuple((reached[:-1] - at * reached[-1]) / total)

    whole = np.array(evaluate(*everything(len(gamma))))
    errors = standard_error(samples.evaluate(samples.code[ranking.order], evaluate, len(at)))
    return band(at, whole, errors, level)


def toc_curve(
    scores: ArrayLike,
    priority: ArrayLike,
    shares: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    samples: HalfSamples | None = None,
    level: float = 0.95,
) -> Curve:
    """By how much the mean effect among the top q exceeds the mean effect on all: TOC(q).

    Arguments and errors are those of `qini_curve`; shares must be above 0 (0.01, 0.02 … 1 if not
    given).

    Examples:
        >>> uplift = np.linspace(0, 1, 1000)
        >>> toc_curve(uplift, uplift, [0.5]).value.round(3).tolist()
        [0.25]
    """
    at = np.linspace(0.01, 1, 100) if shares is None else finite("shares", shares, (None,))
    if (at <= 0).any():
        raise ExperimentError(
            "the mean effect among the top 0 of the customers is not defined; leave share 0 out"
        )
    curve = qini_curve(scores, priority, at, weight=weight, samples=samples, level=level)
    return Curve(at, curve.value / at, curve.low / at, curve.high / at)


def band(at: Floats, value: Floats, errors: Floats, level: float) -> Curve:
    """A curve with a pointwise normal band."""
    points = [normal(v, e, level) for v, e in zip(value.tolist(), errors.tolist(), strict=True)]
    return Curve(at, value, np.array([p.low for p in points]), np.array([p.high for p in points]))
