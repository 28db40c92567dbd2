"""Labels: what came after the cutoff, in [cutoff, cutoff + horizon).

Labels ask what happened, so their events are dated by the row's own time, not by when it was known.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.engine.aggregation import between
from features.engine.batch import Batch
from features.engine.events import Events
from features.engine.observations import Observations
from features.kernel import kernel
from features.types import DAY, Floats, Index

_YEAR_DAYS = 365.25


@kernel
def _sums(total: Floats, error: Floats, lo: Index, hi: Index, start: Index, out: Floats) -> None:
    for k in range(len(lo)):
        s, e = between(total, error, lo[k], hi[k], start[k])
        out[k] = s + e


def _batch(events: Events, observations: Observations) -> Batch:
    count = len(events.offsets) - 1
    obs_offsets = np.searchsorted(observations.customers, np.arange(count + 1)).astype(np.int32)
    return Batch(events.slice(0, count), obs_offsets, observations.cutoffs)


def money_ahead(
    events: Events, column: str, observations: Observations, horizon_days: int, discount_rate: float = 0.0
) -> Floats:
    """Money in the horizon, discounted to the cutoff.

    A row t days after the cutoff counts (1 + rate)^(−t / 365.25) of its money.

    Args:
        events: Dated by what happened.
        column: Number column with the money.
        observations: For whom and from when.
        horizon_days: Length of the horizon.
        discount_rate: Yearly.

    Returns:
        float64 [observations]; 0 where nothing happened.
    """
    rate = np.log1p(discount_rate) / _YEAR_DAYS / DAY
    # Discounting to one common origin lets one running sum serve every cutoff.
    origin = int(observations.cutoffs.min()) if len(observations) else 0
    worth = events.numbers[column] * np.exp(-rate * (events.times - origin))
    batch = _batch(Events(events.offsets, events.times, {"worth": worth}, {}, {}), observations)
    out = np.empty(len(observations))
    _sums(*batch.running_sum("worth"), batch.hi, batch.bound(horizon_days * DAY), batch.start, out)
    out *= np.exp(rate * (observations.cutoffs - origin))
    return out


def days_to_last(events: Events, observations: Observations, horizon_days: int) -> Floats:
    """Days from the cutoff to the last event in the horizon, float64 [observations]; −1 if none."""
    batch = _batch(events, observations)
    end = batch.bound(horizon_days * DAY)
    some = end > batch.hi
    out = np.full(len(observations), -1.0)
    out[some] = (batch.times[end[some] - 1] - observations.cutoffs[some]) / DAY
    return out


@dataclass(frozen=True, slots=True)
class ChurnLabel:
    """Leaving by silence, at several horizons at once.

    An account has left by day h if no order falls in [cutoff + h, cutoff + h_max + silence): its
    last order is behind it and the silence afterwards is long enough to mean it. One common end
    makes the labels of the horizons agree: who has left by day 30 has left by day 60.

    Args:
        horizons_days: h, increasing.
        silence_days: Silence after the last horizon.
    """

    horizons_days: tuple[int, ...]
    silence_days: int

    @property
    def span_days(self) -> int:
        """Days after the cutoff that must have been observed."""
        return self.horizons_days[-1] + self.silence_days

    def of(self, events: Events, observations: Observations) -> npt.NDArray[np.bool_]:
        """Who has left by each horizon, bool [observations, horizons]."""
        last = days_to_last(events, observations, self.span_days)
        return last[:, None] < np.array(self.horizons_days, np.float64)
