"""Before against after a campaign without a control group, from bound tables. Not causal."""

from typing import get_args

import numpy as np

from evaluation.experiments.beforeafter import BeforeAfter, PeriodKind, compare_periods
from features.binding.tables import Tables
from features.catalogue.orders import ORDERS_BOOKED
from features.errors import ExperimentError, SettingsError
from features.history import History


def compare_seasons(
    tables: Tables,
    history: History,
    start: int,
    period: str,
    *,
    span: int | None = None,
    campaign: str | None = None,
) -> BeforeAfter:
    """Margin by period before and after a day.

    Args:
        tables: The bound tables.
        history: Of the same tables.
        start: First day of the campaign, microseconds.
        period: ``day``, ``week``, ``month`` or ``year``.
        span: Periods on each side.
        campaign: Only accounts touched by this campaign.

    Raises:
        SettingsError: No such period.
        ExperimentError: Nobody was touched by the campaign, or there is nothing on one side.
    """
    kinds: tuple[PeriodKind, ...] = get_args(PeriodKind)
    kind = next((known for known in kinds if known == period), None)
    if kind is None:
        raise SettingsError(f"--period {period!r} is not one of {', '.join(kinds)}")
    events = history.happened[ORDERS_BOOKED.name]
    customers = np.repeat(np.arange(len(events.offsets) - 1), np.diff(events.offsets))
    keep = np.ones(len(customers), bool)
    if campaign is not None:
        keep = np.isin(customers, _touched(tables, history, campaign))
    return compare_periods(
        events.times[keep], events.numbers["margin"][keep], customers[keep], start, period=kind, span=span,
        covers=(history.start, history.end),
    )  # fmt: skip


def _touched(tables: Tables, history: History, campaign: str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    if "campaign_id" not in history.bound.get("engagement", ()):
        raise ExperimentError("engagement binds no campaign_id; bind it, or leave --campaign out")
    rows = tables.connection.execute(
        "SELECT DISTINCT customer_id FROM engagement WHERE campaign_id = ?", [campaign]
    ).fetchall()
    if not rows:
        raise ExperimentError(f"nobody in engagement was touched by campaign {campaign!r}; check the id")
    place = {name: k for k, name in enumerate(history.store.ids.to_pylist())}
    return np.array([place[name] for (name,) in rows if name in place], np.intp)
