"""Observations: which customers are looked at, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from features.errors import DefinitionError
from features.types import DAY, Index, Times


def moment(when: datetime) -> int:
    """A wall-clock time as microseconds since 1970-01-01.

    Raises:
        DefinitionError: It carries a zone; convert it to the project's first.
    """
    if when.tzinfo is not None:
        raise DefinitionError(
            f"{when.isoformat()} carries a zone; cutoffs are wall-clock times of the project"
        )
    return int(np.datetime64(when, "us").astype(np.int64))


def wall_clock(microseconds: int) -> datetime:
    """The inverse of :func:`moment`.

    >>> wall_clock(moment(datetime(2026, 1, 31)))
    datetime.datetime(2026, 1, 31, 0, 0)
    """
    return np.datetime64(int(microseconds), "us").astype(datetime)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Observations:
    """Pairs of customer and cutoff, customer by customer, cutoffs ascending.

    Args:
        customers: int32 [observations], positions in the customer index, ascending.
        cutoffs: int64 [observations], microseconds, ascending within a customer.

    Raises:
        DefinitionError: They are not in that order.
    """

    customers: Index
    cutoffs: Times

    def __post_init__(self) -> None:
        if len(self.customers) != len(self.cutoffs):
            raise DefinitionError(f"{len(self.customers)} customers but {len(self.cutoffs)} cutoffs")
        step = np.diff(self.customers)
        if (step < 0).any() or ((step == 0) & (np.diff(self.cutoffs) < 0)).any():
            raise DefinitionError("observations must ascend by customer, then cutoff; see Observations.of")

    def __len__(self) -> int:
        return len(self.customers)

    @classmethod
    def of(
        cls, customers: npt.ArrayLike, cutoffs: npt.ArrayLike
    ) -> "tuple[Observations, npt.NDArray[np.int64]]":
        """Observations from pairs in any order.

        Returns:
            The observations, and for every pair given its position among them.
        """
        who, when = np.asarray(customers, np.int32), np.asarray(cutoffs, np.int64)
        order = np.lexsort((when, who))
        position = np.empty(len(order), np.int64)
        position[order] = np.arange(len(order))
        return cls(who[order], when[order]), position

    @classmethod
    def grid(cls, first_seen: Times, cutoffs: Sequence[int]) -> "Observations":
        """Every customer at every cutoff at which it had been seen.

        Args:
            first_seen: int64 [customers], when each was first known; see ``Store.first_seen``.
            cutoffs: Microseconds.
        """
        ascending = np.array(sorted(cutoffs), np.int64)
        seen = first_seen[:, None] < ascending[None, :]
        who, which = np.nonzero(seen)
        return cls(who.astype(np.int32), ascending[which])


def cutoff_grid(first: int, last: int, step_days: int, most: int) -> list[int]:
    """Midnights from the last backwards, in steps, ascending.

    Args:
        first: No cutoff earlier than this, microseconds.
        last: The last cutoff, at or before this moment.
        step_days: Days between two cutoffs.
        most: So many at the most.
    """
    end = last - last % DAY
    count = 0 if end < first else min(most, (end - first) // (step_days * DAY) + 1)
    return [end - k * step_days * DAY for k in range(count - 1, -1, -1)]
