"""Aggregations: what a feature view computes over its windows."""

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

__all__ = [
    "ActiveDays",
    "Count",
    "DaysSinceFirst",
    "DaysSinceLast",
    "DistinctCount",
    "First",
    "Last",
    "Max",
    "Mean",
    "MeanGap",
    "Min",
    "Ratio",
    "Slope",
    "Std",
    "StdGap",
    "Sum",
    "TopShare",
    "Trend",
]
