"""Horizons: how far ahead a history of a given length lets one look."""

from dataclasses import dataclass

_LTV = (365, 180, 120, 90, 60, 30)
_CHURN: tuple[tuple[tuple[int, ...], int], ...] = (
    ((30, 60, 90), 180),
    ((30, 60, 90), 90),
    ((30, 60), 60),
    ((30, 60), 45),
    ((14, 28), 32),
    ((7, 14), 16),
)
_PACES = ((90, 30), (60, 30), (30, 14), (14, 7))


@dataclass(frozen=True, slots=True)
class Horizons:
    """What a history supports, in days.

    Args:
        ltv: Horizon of lifetime value.
        churn: Horizons of churn.
        silence: Days without an order after a churn horizon.
        step: Between two cutoffs.
        min_history: Before the first cutoff.
        enough: Whether the history is long enough even for these.
    """

    ltv: int
    churn: tuple[int, ...]
    silence: int
    step: int
    min_history: int
    enough: bool


def fit_horizons(days: int) -> Horizons:
    """Choose the longest horizons a history supports.

    A label of length H needs the first cutoff's history, H for the last training label, H for the test's
    label behind the gap, and two steps so that there are cutoffs to learn from:
    ``min_history + 2 H + 2 step <= days``.

    Args:
        days: From the first order to the last.

    Examples:
        >>> fit_horizons(373).ltv, fit_horizons(545).ltv
        (90, 180)
    """
    for min_history, step in _PACES:
        room = days - min_history - 2 * step
        ltv = [horizon for horizon in _LTV if 2 * horizon <= room]
        churn = [pair for pair in _CHURN if 2 * (pair[0][-1] + pair[1]) <= room]
        if ltv and churn:
            return Horizons(ltv[0], churn[0][0], churn[0][1], step, min_history, enough=True)
    (min_history, step), (horizons, silence) = _PACES[-1], _CHURN[-1]
    return Horizons(_LTV[-1], horizons, silence, step, min_history, enough=False)
