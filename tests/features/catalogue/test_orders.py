"""Contract: features that models ask for by name are there, and asking for one that is not is refused."""

import pytest

from features.aggregations.moments import Mean
from features.aggregations.recency import DaysSinceLast
from features.catalogue import orders
from features.catalogue.sets import PURCHASES
from features.engine.windows import EVER, Window
from features.errors import DefinitionError


def test_names_that_models_and_commands_ask_for():
    assert orders.ORDERED == "orders_count_ever"
    assert orders.ORDER_DAYS == "orders_active_days_ever"
    assert orders.SINCE_FIRST_ORDER == "orders_days_since_first_ever"
    assert orders.SINCE_LAST_ORDER == "orders_days_since_last_ever"
    assert orders.SPENT == "orders_amount_sum_ever"
    assert orders.RETURNED == "returns_amount_sum_ever"
    assert {days: f"orders_amount_sum_{days}d" for days in (30, 90, 180, 365)} == orders.SPENT_WITHIN
    assert set(orders.SPENT_WITHIN.values()) <= set(PURCHASES.names)


def test_a_feature_that_no_view_computes_has_no_name():
    placed = orders.ORDERS.views[0]
    assert placed.name_of(Mean("amount"), Window(30)) == "orders_amount_mean_30d"
    for aggregation, window in (
        (DaysSinceLast(), EVER),
        (Mean("quantity"), EVER),
        (Mean("amount"), Window(7)),
    ):
        with pytest.raises(DefinitionError, match="computes no"):
            placed.name_of(aggregation, window)
