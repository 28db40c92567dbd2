"""Planning an experiment from the user's own history: how many accounts, how sure, how long."""

from dataclasses import dataclass

import numpy as np

from evaluation.effects.welch import welch
from evaluation.effects.winsor import winsorise
from evaluation.experiments.measures import with_ones
from evaluation.planning.aacheck import AACheck, aa_check
from evaluation.planning.duration import Duration, estimate_duration
from evaluation.planning.power import PowerAt, multiplicative, plan_by_resampling
from evaluation.planning.sizes import Design, Plan, minimum_detectable_effect, plan_mean, ratio_sd
from features.catalogue.orders import ORDERS_BOOKED, ORDERS_PLACED
from features.engine.labels import money_ahead
from features.engine.observations import Observations
from features.engine.store import NEVER
from features.errors import ExperimentError
from features.history import History
from features.types import DAY, Floats, Progress

_FEWEST = 100
_SIZES = (0.25, 0.5, 1.0)
_YEAR = 365


@dataclass(frozen=True)
class MeasurePlan:
    """What one measure takes.

    Args:
        name: ``margin`` or ``order_value``.
        mean: In the history.
        sd: Of an account (of its share in a ratio).
        correlation: With the same measure in as many days before.
        plain: Accounts needed by a comparison of means.
        adjusted: Accounts needed by one adjusted for what was before.
        detectable: Smallest relative effect that all accounts there are would show, unadjusted.
        detectable_adjusted: The same, adjusted.
    """

    name: str
    mean: float
    sd: float
    correlation: float
    plain: Plan
    adjusted: Plan
    detectable: float
    detectable_adjusted: float


@dataclass(frozen=True)
class ExperimentPlan:
    """A planned experiment.

    Args:
        accounts: Accounts that have ordered, and could be assigned today.
        horizon_days: Days of outcome.
        relative: The effect planned for, as a share of the mean.
        design: Level, power, arms and clusters.
        measures: By measure.
        curve: Power on margin at several numbers of accounts, by resampling the history, unadjusted.
        waiting: How long it takes if only new accounts are assigned; None where too few arrive.
        check: A/A check of the unadjusted comparison on the history.
    """

    accounts: int
    horizon_days: int
    relative: float
    design: Design
    measures: tuple[MeasurePlan, ...]
    curve: tuple[PowerAt, ...]
    waiting: Duration | None
    check: AACheck


def plan_experiment(
    history: History,
    relative: float,
    *,
    days: int,
    design: Design,
    draws: int = 300,
    progress: Progress = lambda _: None,
) -> ExperimentPlan:
    """Plan an experiment on margin, and on the value of an order beside it.

    The newest stretch of the horizon's length stands for the experiment, the one before it for
    what will be adjusted by.

    Args:
        history: Of the user.
        relative: Effect to be found, .05 is 5 % of the mean.
        days: Days of outcome.
        design: Level, power, arms, clusters.
        draws: Resamples a point of the power curve.
        progress: Told each step.

    Raises:
        ExperimentError: The history is too short or has too few accounts.
    """
    cutoff = history.end - days * DAY
    first = history.store.first_seen
    who = np.flatnonzero(first < cutoff).astype(np.int32)
    placed = with_ones(history.happened[ORDERS_PLACED.name])
    now, earlier = (Observations(who, np.full(len(who), at)) for at in (cutoff, cutoff - days * DAY))
    ever = Observations(who, np.full(len(who), history.start))
    ordered = money_ahead(placed, "one", ever, max(1, (cutoff - history.start) // DAY)) > 0
    if cutoff - days * DAY < history.start or ordered.sum() < _FEWEST:
        have = (history.end - history.start) // DAY
        raise ExperimentError(
            f"{int(ordered.sum())} accounts had ordered {days} days before the end of a history of {have} days; a plan "
            f"needs {_FEWEST} accounts and {2 * days} days, so give a smaller --days"
        )
    margin, before = (winsorise(history.money(at, days)[ordered]).value for at in (now, earlier))
    measures = [_measure("margin", margin, before, relative, design)]
    booked = history.happened[ORDERS_BOOKED.name]
    amount, orders = (
        money_ahead(booked, "amount", now, days)[ordered],
        money_ahead(placed, "one", now, days)[ordered],
    )
    if orders.sum() > 0:
        measures.append(_ratio("order_value", winsorise(amount).value, orders, relative, design))
    accounts = int((np.diff(placed.offsets) > 0).sum())
    progress("power by resampling")
    needed = sum(measures[0].plain.units)
    sizes = sorted({max(20, round(share * accounts)) for share in _SIZES} | {min(needed, 4 * accounts)})
    curve = plan_by_resampling(margin, sizes, change=multiplicative(relative), design=design, draws=draws)
    progress("A/A check")
    return ExperimentPlan(
        accounts, days, relative, design, tuple(measures), curve,
        _waiting(history, sum(measures[0].adjusted.units), days), aa_check(margin, welch),
    )  # fmt: skip


def _measure(name: str, value: Floats, before: Floats, relative: float, design: Design) -> MeasurePlan:
    alike = before.std() == 0 or value.std() == 0
    correlation = 0.0 if alike else float(np.clip(np.corrcoef(value, before)[0, 1], -0.999, 0.999))
    return _planned(
        name, float(value.mean()), float(value.std(ddof=1)), correlation, len(value), relative, design
    )


def _ratio(name: str, value: Floats, per: Floats, relative: float, design: Design) -> MeasurePlan:
    covariance = np.cov(value, per)
    sd = ratio_sd(
        float(value.mean()),
        float(per.mean()),
        float(covariance[0, 0]),
        float(covariance[1, 1]),
        float(covariance[0, 1]),
    )
    return _planned(name, float(value.sum() / per.sum()), sd, 0.0, len(value), relative, design)


def _planned(
    name: str, mean: float, sd: float, correlation: float, accounts: int, relative: float, design: Design
) -> MeasurePlan:
    if mean <= 0:
        raise ExperimentError(
            f"the mean of {name} is {mean:g}; a relative effect needs a positive one, so check the bound amounts"
        )
    adjusting = Design(**{**vars(design), "correlation": correlation})
    return MeasurePlan(
        name, mean, sd, correlation,
        plan_mean(sd, mean, relative=relative, design=design),
        plan_mean(sd, mean, relative=relative, design=adjusting),
        minimum_detectable_effect(sd, accounts / design.cluster_size, design=design) / mean,
        minimum_detectable_effect(sd, accounts / design.cluster_size, design=adjusting) / mean,
    )  # fmt: skip


def _waiting(history: History, units: int, days: int) -> Duration | None:
    first = history.store.first_seen
    end = history.end // DAY
    arrived = first[(first < NEVER)] // DAY
    arrivals = np.bincount(np.clip(arrived - (end - _YEAR), -1, _YEAR) + 1, minlength=_YEAR + 2)[
        1 : _YEAR + 1
    ]
    try:
        return estimate_duration(units, arrivals, outcome_days=days)
    except ExperimentError:
        # So few arrive that it would take years: the plan has to use the accounts there are.
        return None
