"""Estimates with their intervals, and two compared on the same rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval.

    Args:
        value: On the data as they are.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """A metric of two predictions of the same rows.

    Args:
        a: Metric of prediction a.
        b: Metric of prediction b.
        difference: a - b, with its interval; where closeness to 1 is better, the interval is of the
            difference in |log|, b's less a's, so that more is always in favour of a there.
        p_worse: One-sided p value of the hypothesis that a is no worse than b: small means that a
            is worse.
    """

    a: float
    b: float
    difference: Estimate
    p_worse: float
