"""What the arms of an experiment are compared by: from clicks to what an account is worth."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from evaluation.effects.winsor import winsorise
from evaluation.experiments.enrolment import Enrolment
from evaluation.experiments.records import (
    Measure,
    MeasureFacts,
    Role,
)
from features.binding.tables import Tables
from features.catalogue.engagement import ENGAGEMENT_TOUCHED
from features.catalogue.more import traits_of
from features.catalogue.orders import ORDERS_BOOKED, ORDERS_PLACED
from features.catalogue.tables import PEOPLE
from features.engine.events import Events
from features.engine.labels import money_ahead
from features.engine.observations import Observations
from features.engine.store import load_store
from features.history import History
from features.types import DAY, Floats

PRIMARY = "margin"
SHORT_DAYS = 30
CLICK = "email_clicked"
_POINTS = 12


def measures(
    tables: Tables, history: History, enrolment: Enrolment, days: int, expected: Floats
) -> list[Measure]:
    """Clicks and conversions, orders and their size, and margin over the horizon.

    Each comes with the same thing before the assignment, to adjust by; margin also with what a model
    that has not seen the customer expects from features before the assignment.

    Args:
        tables: The bound tables.
        history: Of the same tables.
        enrolment: The experiment's customers.
        days: The horizon.
        expected: Margin that a model which has not seen the customer expects of it [n].
    """
    now, short = enrolment.observations, min(SHORT_DAYS, days)
    placed = with_ones(history.happened[ORDERS_PLACED.name])
    booked = history.happened[ORDERS_BOOKED.name]
    measured = []
    if ENGAGEMENT_TOUCHED.table in history.bound:
        events = {ENGAGEMENT_TOUCHED.name: (ENGAGEMENT_TOUCHED, ("kind",))}
        store = load_store(tables.connection, events, PEOPLE, known=False, part=0, parts=history.parts)
        clicks = _clicks(store.streams[ENGAGEMENT_TOUCHED.name])
        if clicks is not None:
            measured.append(_share("clicked", clicks, now, short))
    measured.append(_share("ordered", placed, now, short))
    orders, before = _count(placed, now, days), _count(placed, _earlier(now, days), days)
    measured.append(Measure("orders", "count", Role.HORIZON, days, orders, before=before[:, None]))
    amount, amount_before = (money_ahead(booked, "amount", at, days) for at in (now, _earlier(now, days)))
    both = np.column_stack([calm(amount_before), before])
    measured.append(Measure("order_value", "ratio", Role.HORIZON, days, amount, orders, before=both))
    measured.append(margin(history, enrolment, days, expected))
    return measured


def margin(history: History, enrolment: Enrolment, days: int, expected: Floats) -> Measure:
    """Margin over the horizon, with margin before and what was expected [n] to adjust by."""
    money = history.money(enrolment.observations, days)
    return Measure(
        PRIMARY, "money", Role.HORIZON, days, money, before=_known(history, enrolment, expected, days)
    )


def margin_before(history: History, enrolment: Enrolment, days: int) -> Measure:
    """Margin in as many days before the assignment, in which arms cannot differ but by chance."""
    money = history.money(_earlier(enrolment.observations, days), days)
    return Measure(PRIMARY, "money", Role.HORIZON, -days, money)


def grown(history: History, enrolment: Enrolment, days: int) -> dict[int, Floats]:
    """Margin until each of some days after the assignment, by days."""
    at = np.unique(np.linspace(days / _POINTS, days, _POINTS).round().astype(int))
    return {int(day): history.money(enrolment.observations, int(day)) for day in at}


def segments(history: History, enrolment: Enrolment, expected: Floats) -> dict[str, npt.NDArray[np.str_]]:
    """Segments to look at: traits of the account as known before, and thirds by expected margin."""
    matrix, labels = enrolment.matrix, {}
    for trait, name in traits_of(history.features).items():
        if name in matrix.categories:
            words = np.array([*matrix.categories[name], "unknown"], dtype=np.str_)
            codes = matrix.column(name)
            labels[trait] = words[np.where(np.isnan(codes), len(words) - 1, codes).astype(int)]
    third = np.searchsorted(np.quantile(expected, [1 / 3, 2 / 3]), expected)
    labels["value"] = np.array(["low", "middle", "high"], dtype=np.str_)[third]
    return labels


def _known(history: History, enrolment: Enrolment, expected: Floats, days: int) -> Floats:
    """Margin before, and margin expected from all features, [n, 2]."""
    return np.column_stack([calm(history.money(_earlier(enrolment.observations, days), days)), expected])


def calm(money: Floats) -> Floats:
    """Money with its largest outcomes brought in, [n]."""
    return winsorise(money).value


def _earlier(observations: Observations, days: int) -> Observations:
    return replace(observations, cutoffs=observations.cutoffs - days * DAY)


def with_ones(events: Events) -> Events:
    """The same events with a number column ``one``, to be summed."""
    return replace(events, numbers={"one": np.ones(len(events.times))}, codes={}, texts={})


def _clicks(events: Events) -> Events | None:
    """Clicks only; None where nobody ever clicked, because clicks are then not recorded."""
    words = events.texts["kind"].to_pylist()
    if CLICK not in words:
        return None
    ones = (events.codes["kind"] == words.index(CLICK)).astype(np.float64)
    return replace(events, numbers={"one": ones}, codes={}, texts={})


def _count(events: Events, at: Observations, days: int) -> Floats:
    return np.rint(money_ahead(events, "one", at, days))


def _share(name: str, events: Events, at: Observations, days: int) -> Measure:
    now, before = _count(events, at, days) > 0, _count(events, _earlier(at, days), days) > 0
    return Measure(name, "share", Role.SHORT, days, now.astype(float), before=before.astype(float)[:, None])


def facts(measure: Measure) -> tuple[Measure, MeasureFacts]:
    """A measure as it is read, money winsorised at both tails, and what is said about it."""
    missing = float(np.mean(~np.isfinite(measure.value)))
    low, high, beyond, value = None, None, 0, measure.value
    known = np.isfinite(value)
    if measure.unit == "money" and known.any():
        winsorised = winsorise(value[known])
        low, high, beyond = winsorised.low, winsorised.high, winsorised.n_low + winsorised.n_high
        value = value.copy()
        value[known] = winsorised.value
    told = MeasureFacts(measure.name, measure.unit, measure.role, measure.days, missing, low, high, beyond)
    return replace(measure, value=value), told
