"""Feature views and feature sets: what is computed, declared so that an analyst can read it."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from features.engine.aggregation import Aggregation
from features.engine.streams import Stream
from features.engine.windows import EVER, Window
from features.errors import DefinitionError
from features.types import Floats, Times

KERNEL_VERSION = 1
"""Raised whenever a sweep's numbers change, so that old models refuse new features."""


@dataclass(frozen=True)
class FeatureView:
    """Aggregations of one stream over the same windows.

    Args:
        stream: What is aggregated.
        aggregations: What is computed.
        windows: Over which stretches of time before the cutoff.
        prefix: First word of the column names; the stream's table where not given.

    Raises:
        DefinitionError: Nothing to compute, or an aggregation reads a column the stream lacks.
    """

    stream: Stream
    aggregations: tuple[Aggregation, ...]
    windows: tuple[Window, ...] = (EVER,)
    prefix: str | None = None

    def __post_init__(self) -> None:
        if not self.aggregations or not self.windows:
            raise DefinitionError(f"a view of {self.stream.name} needs aggregations and windows")
        for column in self.columns:
            self.stream.needs(column)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the stream that are read, each once."""
        return tuple(dict.fromkeys(c for aggregation in self.aggregations for c in aggregation.columns))

    def names_of(self, aggregation: Aggregation) -> tuple[str, ...]:
        """Column names of one aggregation, for example ``orders_amount_sum_90d``."""
        prefix = self.prefix or self.stream.table
        return tuple(f"{prefix}_{name}" for name in aggregation.names(self.windows))

    def name_of(self, aggregation: Aggregation, window: Window = EVER) -> str:
        """Column name of one aggregation over one window.

        Raises:
            DefinitionError: The view does not compute that.
        """
        if aggregation not in self.aggregations or window not in self.windows:
            raise DefinitionError(
                f"a view of {self.stream.name} computes no {aggregation.word} over {window.label}"
            )
        return self.names_of(aggregation)[self.windows.index(window)]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All column names, in order."""
        return tuple(name for aggregation in self.aggregations for name in self.names_of(aggregation))

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """How many columns each aggregation makes."""
        return tuple(len(self.names_of(aggregation)) for aggregation in self.aggregations)

    @cached_property
    def text_columns(self) -> dict[str, str]:
        """The stream's text column whose values a feature holds, by feature; numbers are not here."""
        return {
            name: column
            for aggregation in self.aggregations
            if aggregation.keeps_values
            for column in aggregation.columns
            if self.stream.is_text(column)
            for name in self.names_of(aggregation)
        }

    def bound_to(self, columns: Collection[str]) -> "FeatureView | None":
        """The view over a table with these canonical columns only; None if nothing remains."""
        if not self.stream.is_in(columns):
            return None
        possible = tuple(
            aggregation
            for aggregation in self.aggregations
            if all(need in columns for column in aggregation.columns for need in self.stream.needs(column))
        )
        return replace(self, aggregations=possible) if possible else None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The cutoff's own place in the year, for seasonal trade."""

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return ("cutoff_month", "cutoff_quarter", "cutoff_weekday")

    def compute(self, cutoffs: Times, out: Floats) -> None:
        """Write month (1–12), quarter (1–4) and weekday (1 is Monday) into ``out`` [3, observations]."""
        moments = cutoffs.astype("datetime64[us]")
        month = moments.astype("datetime64[M]").astype(np.int64) % 12 + 1
        out[0] = month
        out[1] = (month + 2) // 3
        out[2] = (moments.astype("datetime64[D]").astype(np.int64) + 3) % 7 + 1


@dataclass(frozen=True)
class FeatureSet:
    """An ordered list of views.

    Args:
        name: What models call it.
        views: The views.

    Raises:
        DefinitionError: Two views make a column of the same name.
    """

    name: str
    views: tuple[FeatureView | Calendar, ...]

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DefinitionError(f"feature set {self.name} makes {twice} twice; give one view a prefix")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All column names, in order."""
        return tuple(name for view in self.views for name in view.names)

    @cached_property
    def streams(self) -> dict[str, tuple[Stream, tuple[str, ...]]]:
        """The streams that are read and the columns read of each, by stream name."""
        streams: dict[str, tuple[Stream, tuple[str, ...]]] = {}
        for view in self.views:
            if isinstance(view, FeatureView):
                _, columns = streams.get(view.stream.name, (view.stream, ()))
                streams[view.stream.name] = (view.stream, tuple(dict.fromkeys((*columns, *view.columns))))
        return streams

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the definitions and the kernel's version, 16 hex digits."""
        text = f"kernel {KERNEL_VERSION}\n{self.views!r}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def bound_to(self, tables: Mapping[str, Collection[str]]) -> "FeatureSet":
        """What can be computed where only these canonical tables and columns are bound.

        Args:
            tables: Bound columns by canonical table.
        """
        views: list[FeatureView | Calendar] = []
        for view in self.views:
            if isinstance(view, Calendar):
                views.append(view)
            elif view.stream.table in tables:
                bound = view.bound_to(tables[view.stream.table])
                if bound is not None:
                    views.append(bound)
        return replace(self, views=tuple(views))
