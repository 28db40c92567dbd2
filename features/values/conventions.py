"""Conventions: what a column's values, taken together, say about how each of them is meant.

``05/06/2024`` is two days and ``2,493`` two numbers. One value cannot tell; the others of its column mostly
can, since no month is the 13th. What they leave open the file, or tokui.toml, decides, and it is said.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from features.values.numbers import Decimal, decimal_of, read_number
from features.values.times import DATE_ORDERS, Order, orders_of, read_time

Way = TypeVar("Way", bound=str)

DECIMALS: tuple[Decimal, ...] = (".", ",")


@dataclass(frozen=True, slots=True)
class Sighting:
    """Values that can be read in the same ways: how many, and the first of them with its row."""

    count: int
    example: str
    row: int


@dataclass(frozen=True, slots=True)
class Evidence(Generic[Way]):
    """What values say about the convention they are written in.

    Args:
        ways: All conventions there are.
        seen: By the conventions that can read them: values that tell, none of which every convention reads alike.
    """

    ways: tuple[Way, ...]
    seen: dict[tuple[Way, ...], Sighting] = field(default_factory=dict)

    @property
    def fitting(self) -> tuple[Way, ...]:
        """The conventions that read all values; all of them where no value tells."""
        return tuple(way for way in self.ways if all(way in readers for readers in self.seen))

    @property
    def decided(self) -> Way | None:
        """The only convention that reads all values, where there is one."""
        return self.fitting[0] if len(self.fitting) == 1 else None

    def against(self, way: Way) -> Sighting | None:
        """The most numerous values that other conventions read and this one does not."""
        others = [sighting for readers, sighting in self.seen.items() if way not in readers]
        return max(others, key=lambda sighting: sighting.count, default=None)

    def together(self, other: "Evidence[Way]") -> "Evidence[Way]":
        """What both say."""
        seen = dict(self.seen)
        for readers, new in other.seen.items():
            old = seen.get(readers)
            seen[readers] = new if old is None else Sighting(old.count + new.count, old.example, old.row)
        return Evidence(self.ways, seen)

    def open_example(self) -> str | None:
        """A value that several of the fitting conventions read, each as another one."""
        for readers, sighting in self.seen.items():
            if len(set(readers) & set(self.fitting)) > 1:
                return sighting.example
        return None


Counted = Iterable[tuple[str, int, int]]
"""Values with how often and in which row first they appear."""


# What most files write, told without reading it.
_POINTED = re.compile(r"-?[0-9]+[.]([0-9]{1,2}|[0-9]{4,})", re.ASCII)
_YEAR_FIRST = re.compile(
    r"[0-9]{4}([-/])(0?[1-9]|1[0-2])\1(0?[1-9]|[12][0-9]|3[01])([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?Z?"
)


def decimals_in(values: Counted) -> Evidence[Decimal]:
    """What numbers say about the character before the fraction.

    Examples:
        >>> decimals_in([("2,493", 1, 1), ("1.000,5", 1, 2)]).decided
        ','
        >>> decimals_in([("2,493", 1, 1)]).fitting
        ('.', ',')
    """

    def readers(text: str) -> tuple[Decimal, ...]:
        if text.isdecimal() and text.isascii():
            return ()
        if _POINTED.fullmatch(text):
            return (".",)
        says = decimal_of(text)
        return () if says is None else DECIMALS if says == "either" else (says,)

    return _gather(DECIMALS, values, readers)


def orders_in(values: Counted, latest: str = "9999") -> Evidence[Order]:
    """What dates say about the order of day, month and year.

    Args:
        values: The dates.
        latest: ISO day after which none can lie: an order that puts one there is not meant where another does not.

    Examples:
        >>> orders_in([("05/06/2024", 1, 1), ("13/06/2024", 1, 2)]).decided
        'dmy'
        >>> orders_in([("13/06/2024", 1, 1), ("06/14/2024", 1, 2)]).fitting
        ()
    """

    def readers(text: str) -> tuple[Order, ...]:
        if _YEAR_FIRST.fullmatch(text):
            return ()
        orders = orders_of(text)
        times = {order: str(read_time(text, order)) for order in orders}
        if len(orders) == len(DATE_ORDERS) and len(set(times.values())) == 1:
            return ()
        return tuple(order for order in orders if times[order] <= latest) or orders

    return _gather(DATE_ORDERS, values, readers)


def both_readings(text: str, ways: Sequence[str]) -> tuple[str, str]:
    """What a value would be in the first two of some conventions, to be shown to a person."""
    first, second = (
        read_time(text, way) if way in DATE_ORDERS else f"{read_number(text, way):,.12g}" for way in ways[:2]
    )
    return str(first), str(second)


def _gather(
    ways: tuple[Way, ...], values: Counted, readers_of: Callable[[str], tuple[Way, ...]]
) -> Evidence[Way]:
    seen: dict[tuple[Way, ...], Sighting] = {}
    for text, count, row in values:
        readers = readers_of(text)
        if not readers:
            continue
        old = seen.get(readers)
        if old is None:
            seen[readers] = Sighting(count, text, row)
        else:
            first = old if old.row <= row else Sighting(count, text, row)
            seen[readers] = Sighting(old.count + count, first.example, first.row)
    return Evidence(ways, seen)
