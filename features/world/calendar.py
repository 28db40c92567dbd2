"""The world's months, its seasons and its quiet days."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from features.errors import SettingsError
from features.types import Floats
from features.world.arrays import Instants, Ints

SEASON = np.array([0.90, 1.00, 1.30, 0.95, 0.90, 1.05, 1.00, 0.80, 1.22, 1.00, 1.03, 0.95])
"""Purchase rate by month of the year: fiscal year ends in March, half-year in September, Obon in August."""

_WEEKDAY = np.array([1.0, 1.05, 1.05, 1.0, 0.95, 0.10, 0.04])
_NEVER = np.datetime64("NaT", "s")


@dataclass(frozen=True, slots=True)
class WorldCalendar:
    """Whole months from the world's first day to its end.

    A place within a month is given in *business time*, 0 to 1, in which a Sunday is short: whatever is
    uniform in business time avoids weekends and holidays by itself.

    Args:
        first: First month, ``datetime64[M]``.
        months: How many months the world lasts.
        cumulative: For every month, the share of its business time passed by the end of each day.
    """

    first: np.datetime64
    months: int
    cumulative: tuple[Floats, ...]

    @property
    def end(self) -> np.datetime64:
        """The first instant after the world."""
        return np.datetime64(str(self.first + np.timedelta64(self.months, "M")), "s")

    def start_of(self, month: Ints | int) -> Instants:
        """First instant of the months, also of months before or after the world, ``datetime64[s]``."""
        offset = np.asarray(month, dtype=np.int64).astype("timedelta64[M]")
        return np.asarray(self.first + offset).astype("datetime64[s]")

    def season(self, month: int) -> float:
        """Purchase rate of the month relative to an average one."""
        return float(SEASON[(int(self.first.astype(int)) + month) % 12])

    def days(self, month: int, share: Floats) -> Instants:
        """Days at the given business times, ``datetime64[D]``."""
        edges = self.cumulative[month]
        index = np.minimum(np.searchsorted(edges, share, side="right"), len(edges) - 1)
        return np.asarray(self.start_of(month).astype("datetime64[D]") + index.astype("timedelta64[D]"))

    def instants(self, month: int, share: Floats, rng: np.random.Generator) -> Instants:
        """The days at the given business times with an hour between 8 and 19 drawn to each."""
        seconds = rng.triangular(8 * 3600, 13 * 3600, 19 * 3600, len(share)).astype("timedelta64[s]")
        return np.asarray(self.days(month, share).astype("datetime64[s]") + seconds)

    def until_end(self, times: Instants) -> Instants:
        """The times, missing where they lie at or after the world's end and so are not known in it."""
        return np.where(times < self.end, times, _NEVER)


def calendar(end: datetime, years: float) -> WorldCalendar:
    """Lay out the months before ``end``.

    Args:
        end: The first instant after the world: midnight on the first of a month.
        years: Length; rounded to whole months.

    Raises:
        SettingsError: ``end`` is not the beginning of a month, or the span is shorter than half a year.
    """
    if end != datetime(end.year, end.month, 1):  # noqa: DTZ001 - all times of the world are naive local ones
        raise SettingsError(
            f"end is {end.isoformat()}; it must be midnight on the first of a month, without zone"
        )
    months = round(years * 12)
    if not 6 <= months <= 240:
        raise SettingsError(f"years is {years}; a world lasts from 0.5 to 20 years")
    first = np.datetime64(end, "M") - np.timedelta64(months, "M")
    return WorldCalendar(
        first, months, tuple(_business_time(first + np.timedelta64(m, "M")) for m in range(months))
    )


def _business_time(month: np.datetime64) -> Floats:
    days = np.arange(np.datetime64(str(month), "D"), np.datetime64(str(month + np.timedelta64(1, "M")), "D"))
    # 1970-01-01 was a Thursday, weekday 3.
    weight = _WEEKDAY[(days.astype(int) + 3) % 7].copy()
    of_year, day = int(month.astype(int)) % 12 + 1, np.arange(1, len(days) + 1)
    if of_year == 1:
        weight[day <= 3] *= 0.05
    elif of_year == 5:
        weight[(day >= 3) & (day <= 5)] *= 0.2
    elif of_year == 8:
        weight[(day >= 12) & (day <= 16)] *= 0.3
    elif of_year == 12:
        weight[day >= 29] *= 0.2
    weight[-3:] *= 1.3  # month's closing
    passed = np.cumsum(weight)
    return np.asarray(passed / passed[-1])
