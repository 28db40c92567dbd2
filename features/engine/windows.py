"""The time rule, written once.

A feature at cutoff c sees times in [c − window, c). A label covers [c, c + horizon). A row dated
on the cutoff itself belongs to the future. Nothing outside this module compares a row's time with
a cutoff: everything else asks for index ranges and works on those.

Times are int64 microseconds of the project's wall clock since 1970-01-01; NaT-like rows never get
here.
"""

from dataclasses import dataclass

import numpy as np

from features.errors import DefinitionError
from features.kernel import kernel
from features.types import Index, Times

ALWAYS = np.iinfo(np.int64).min
"""The time of a row that has no date and counts as known since ever."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time that ends at the cutoff.

    Args:
        days: Its length; None reaches back to the customer's first row.

    Raises:
        DefinitionError: The length is not positive.
    """

    days: int | None

    def __post_init__(self) -> None:
        if self.days is not None and self.days < 1:
            raise DefinitionError(f"a window of {self.days} days holds nothing; give 1 or more, or EVER")

    @property
    def label(self) -> str:
        """How column names call it: ``90d`` or ``ever``."""
        return "ever" if self.days is None else f"{self.days}d"


EVER = Window(None)
"""All of the customer's history before the cutoff."""


def days(*lengths: int | Window) -> tuple[Window, ...]:
    """Windows from their lengths in days, for example ``days(30, 90, EVER)``.

    >>> [window.label for window in days(30, EVER)]
    ['30d', 'ever']
    """
    return tuple(length if isinstance(length, Window) else Window(length) for length in lengths)


@kernel
def first_at_or_after(
    offsets: Index, times: Times, obs_offsets: Index, cutoffs: Times, shift: int, out: Index
) -> None:
    """For every observation, the index of its customer's first event at or after cutoff + shift.

    A two-pointer sweep: one pass over the events and the observations of a customer, because both
    ascend in time. All that the time rule needs is this function with three shifts: −window for
    the beginning of a feature window, 0 for its end and a label's beginning, +horizon for a
    label's end.

    Args:
        offsets: [customers + 1], where each customer's events begin.
        times: [events], ascending within a customer.
        obs_offsets: [customers + 1], where each customer's observations begin.
        cutoffs: [observations], ascending within a customer.
        shift: Microseconds added to every cutoff.
        out: [observations], written: index into ``times``, at most the customer's end.
    """
    for customer in range(len(offsets) - 1):
        event = offsets[customer]
        end = offsets[customer + 1]
        for obs in range(obs_offsets[customer], obs_offsets[customer + 1]):
            moment = cutoffs[obs] + shift
            while event < end and times[event] < moment:
                event += 1
            out[obs] = event
