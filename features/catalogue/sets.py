"""The feature views tokui comes with."""

from features.aggregations.extremes import Max, Min
from features.aggregations.moments import Count, Mean, Std, Sum
from features.aggregations.recency import (
    ActiveDays,
    DaysSinceFirst,
    DaysSinceLast,
    First,
    Last,
    MeanGap,
    StdGap,
)
from features.aggregations.trends import Ratio, Slope, Trend
from features.aggregations.variety import DistinctCount, TopShare
from features.engine.streams import CUSTOMERS_KNOWN, ORDERS_PLACED, ORDERS_RETURNED
from features.engine.views import Calendar, FeatureSet, FeatureView
from features.engine.windows import EVER, days

ACCOUNT = FeatureView(
    stream=CUSTOMERS_KNOWN,
    aggregations=(
        DaysSinceFirst(),
        Last("industry"),
        Last("country"),
        Last("region"),
        Last("employees"),
        Last("acquisition_cost"),
    ),
)
ORDERS = FeatureView(
    stream=ORDERS_PLACED,
    aggregations=(
        Count(),
        ActiveDays(),
        DistinctCount("order_id"),
        DistinctCount("product_id"),
        TopShare("product_id"),
        Sum("amount"),
        Mean("amount"),
        Std("amount"),
        Min("amount"),
        Max("amount"),
        Sum("quantity"),
        Sum("margin"),
        MeanGap(),
        StdGap(),
    ),
    windows=days(30, 90, 180, 365, EVER),
)
ORDERS_HISTORY = FeatureView(
    stream=ORDERS_PLACED,
    aggregations=(DaysSinceFirst(), DaysSinceLast(), First("amount"), Last("amount")),
)
ORDERS_DIRECTION = FeatureView(
    stream=ORDERS_PLACED,
    aggregations=(
        Trend("amount"),
        Slope("amount"),
        Ratio(Count(), *days(30, 180)),
        Ratio(Sum("amount"), *days(30, 180)),
        Ratio(Count(), *days(90, 365)),
        Ratio(Sum("amount"), *days(90, 365)),
    ),
    windows=days(90, 180, 365),
)
RETURNS = FeatureView(
    stream=ORDERS_RETURNED,
    aggregations=(Count(), Sum("amount"), Sum("quantity"), DaysSinceLast()),
    windows=days(90, 365, EVER),
    prefix="returns",
)

PURCHASES = FeatureSet("purchases", (ACCOUNT, ORDERS, ORDERS_HISTORY, ORDERS_DIRECTION, RETURNS, Calendar()))
"""What customers and orders tell; the tables every user has."""
