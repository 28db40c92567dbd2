"""The history a training reads: features as they were known, outcomes as they happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.binding.tables import Tables
from features.catalogue.costs import COSTS_BOOKED
from features.catalogue.orders import ORDERED, ORDERS_BOOKED, ORDERS_PLACED
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import PEOPLE
from features.counted import counted
from features.engine.compute import compute
from features.engine.events import Events
from features.engine.labels import money_ahead
from features.engine.matrix import FeatureMatrix
from features.engine.observations import Observations, cutoff_grid
from features.engine.store import Store, bound_columns, load_store, parts_needed
from features.engine.streams import Stream
from features.engine.views import FeatureSet
from features.errors import TrainingDataError
from features.guess.horizons import fit_horizons
from features.oddities import oddities
from features.settings import Settings
from features.types import DAY, Floats, Times

_MOST_CUTOFFS = 10_000


@dataclass(frozen=True, eq=False)
class Panel:
    """Customers that have ordered, at cutoffs, with their features.

    Args:
        observations: n of them.
        matrix: Their features, n rows.
    """

    observations: Observations
    matrix: FeatureMatrix

    @property
    def cutoffs(self) -> Times:
        """int64 [n], microseconds."""
        return self.observations.cutoffs

    def where(self, rows: npt.NDArray[np.bool_]) -> "Panel":
        """The rows where a mask [n] holds."""
        kept = Observations(self.observations.customers[rows], self.observations.cutoffs[rows])
        return Panel(kept, self.matrix.take(rows))


@dataclass(frozen=True, eq=False)
class History:
    """Everything bound, ready to be looked at from any cutoff.

    Args:
        settings: tokui.toml.
        features: The feature set, as far as the bound tables support it.
        bound: Bound columns by canonical table.
        fingerprint: SHA-256 of the data.
        store: Events by when they were known.
        happened: Events by when they happened, by stream name.
        start: Day of the first order, microseconds.
        end: Midnight after the last order: outcomes before it have been observed.
        parts: Into how many parts the customers were split; this is one of them.
    """

    settings: Settings
    features: FeatureSet
    bound: Mapping[str, Sequence[str]]
    fingerprint: str
    store: Store
    happened: Mapping[str, Events]
    start: int
    end: int
    parts: int = 1

    def panel(self, cutoffs: Sequence[int], threads: int = 1) -> Panel:
        """Everyone who has ordered by each cutoff, with features as of then.

        Raises:
            TrainingDataError: Nobody has.
        """
        observations = Observations.grid(self.store.first_seen, cutoffs)
        matrix = compute(self.features, self.store.streams, observations, threads=threads)
        ordered = matrix.column(ORDERED) > 0
        if not ordered.any():
            raise TrainingDataError("no customer had ordered by any of the cutoffs; see `tokui check`")
        return Panel(observations, matrix).where(ordered)

    def money(self, observations: Observations, days: int) -> Floats:
        """Margin less cost to serve in so many days after each cutoff, discounted, [n]."""
        ltv = self.settings.ltv
        booked, rate = self.happened[ORDERS_BOOKED.name], ltv.discount_rate
        money = money_ahead(booked, "margin", observations, days, rate)
        if COSTS_BOOKED.name in self.happened:
            money -= money_ahead(self.happened[COSTS_BOOKED.name], "amount", observations, days, rate)
        return money

    def ids(self, observations: Observations) -> npt.NDArray[np.str_]:
        """Customer ids of the observations, [n]."""
        names = np.array(self.store.ids.to_pylist(), dtype=np.str_)
        return names[observations.customers]

    def cutoffs(self, span_days: int, shortest_days: int) -> tuple[int, list[int]]:
        """The cutoff to be judged at, and all cutoffs that something can be learnt from.

        The judged one is the newest whose outcome has been observed for the whole span. All others
        lie whole steps before and after it.

        Args:
            span_days: Days of outcome that judging needs.
            shortest_days: Days of outcome that learning needs at the least.

        Raises:
            TrainingDataError: The history is too short.
        """
        training, step = self.settings.training, self.settings.training.step_days * DAY
        judged = self.end - span_days * DAY
        judged -= judged % DAY
        # Of older cutoffs nothing is ever learnt, not by tuning's rehearsal one span earlier either: without
        # this bound a history of 20,000 days would be looked at from 20,000 days' cutoffs.
        needed = judged - 2 * span_days * DAY - (training.max_cutoffs + 1) * step
        first = max(self.start + training.min_history_days * DAY, needed)
        past = cutoff_grid(first, judged, training.step_days, _MOST_CUTOFFS)
        if not past or past[0] + shortest_days * DAY > judged:
            raise TrainingDataError(self._too_short(span_days, shortest_days))
        ahead = range(judged + step, self.end - shortest_days * DAY + 1, step)
        return judged, [*past, *ahead]

    def _too_short(self, span_days: int, shortest_days: int) -> str:
        training, days = self.settings.training, int((self.end - self.start) // DAY)
        need = training.min_history_days + span_days + shortest_days
        fit = fit_horizons(days)
        mend = (
            "bind a longer history, or shorten the horizons in tokui.toml to what it supports: "
            f"[ltv] horizon_days = {fit.ltv}; [churn] horizons_days = {list(fit.churn)}, silence_days = {fit.silence}; "
            f"[training] step_days = {fit.step}, min_history_days = {fit.min_history}"
            if fit.enough
            else "that is too short even for the shortest horizons, so bind a longer history"
        )
        return (
            f"the history covers {counted(days, 'day')} and at least {need:,} are needed: {training.min_history_days:,} "
            f"behind the first cutoff, {shortest_days:,} of outcome to learn from and {span_days:,} to be judged by; {mend}"
        )


def read_history(tables: Tables, part: int = 0) -> History:
    """Read what training needs from the bound tables.

    Where the largest table has more rows than fit in memory, the customers are split by a hash of
    their id and one part is read: whole histories of a fair sample.

    Args:
        tables: The bound tables.
        part: Which part; there is only part 0 where everything fits.

    Raises:
        TrainingDataError: There are no orders to learn from.
    """
    connection = tables.connection
    bound = bound_columns(connection)
    features = PURCHASES.bound_to(bound)
    parts = parts_needed(connection)
    store = load_store(connection, features.streams, PEOPLE, part=part, parts=parts)
    outcomes: dict[str, tuple[Stream, tuple[str, ...]]] = {
        ORDERS_BOOKED.name: (ORDERS_BOOKED, tuple(c for c in ("amount", "margin") if c in bound["orders"])),
        ORDERS_PLACED.name: (ORDERS_PLACED, ()),
    }
    if COSTS_BOOKED.table in bound:
        outcomes[COSTS_BOOKED.name] = (COSTS_BOOKED, ("amount",))
    happened = load_store(connection, outcomes, PEOPLE, known=False, part=part, parts=parts).streams
    booked = happened[ORDERS_BOOKED.name].numbers
    earned = booked["amount"] * tables.settings.ltv.margin_rate
    # A line without a margin is not one without value.
    booked["margin"] = (
        np.where(np.isnan(booked["margin"]), earned, booked["margin"]) if "margin" in booked else earned
    )
    first, last = connection.execute(
        "SELECT epoch_us(min(occurred_at)), epoch_us(max(occurred_at)) FROM orders WHERE amount >= 0"
    ).fetchall()[0]
    if first is None:
        raise TrainingDataError(oddities(tables)[0].message)
    return History(
        tables.settings, features, bound, tables.fingerprint, store, happened,
        first - first % DAY, last - last % DAY + DAY, parts,
    )  # fmt: skip
