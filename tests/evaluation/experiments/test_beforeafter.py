"""Before and after compare complete calendar periods only, cover, and never call themselves causal."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.experiments.beforeafter import compare_periods
from features.engine.observations import wall_clock
from features.errors import ExperimentError
from features.types import DAY


def at(text):
    return int(np.datetime64(text, "us").astype(np.int64))


START = at("2026-03-02")  # a Monday
LONG_AGO = at("2024-01-01")


def _orders(days, customers=50, seed=0, first=LONG_AGO):
    """One order of each customer a day, on average worth 10."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), customers)
    who = np.tile(np.arange(customers), days)
    size = rng.gamma(4, 2.5, customers)
    amounts = size[who] * rng.gamma(2, 0.5, len(who))
    return first + day * DAY + rng.integers(0, DAY, len(day)), amounts, who


@pytest.mark.parametrize(
    ("period", "alias"), [("day", "D"), ("week", "W-SUN"), ("month", "M"), ("year", "Y")]
)
def test_periods_are_those_of_the_calendar_as_pandas_has_it(period, alias):
    times, amounts, who = _orders(1200, customers=5)
    start = at("2026-01-01") if period == "year" else START
    found = compare_periods(times, amounts, who, start, period=period, draws=20)
    calendar = pd.Series(times.astype("datetime64[us]")).dt.to_period(alias)
    totals = pd.Series(amounts).groupby(calendar).sum()
    for row in found.periods:
        label = pd.Period(wall_clock(row.start), alias)
        assert wall_clock(row.start) == label.start_time
        assert wall_clock(row.end) - timedelta(microseconds=1) == label.end_time.floor("us").to_pydatetime()
        assert row.total.value == pytest.approx(totals[label])
        assert row.buyers == 5
        assert row.per_buyer.value == pytest.approx(totals[label] / 5)


def test_means_change_and_ratio_are_plain_sums():
    times, amounts, who = _orders(900)
    found = compare_periods(times, amounts, who, START, period="week", span=4, draws=50)
    week = 7 * DAY
    before = amounts[(times >= START - 4 * week) & (times < START)].sum() / 4
    after = amounts[(times >= START) & (times < START + 4 * week)].sum() / 4
    assert found.count == 4
    assert found.before.value == pytest.approx(before)
    assert found.after.value == pytest.approx(after)
    assert found.change.value == pytest.approx(after - before)
    assert found.relative.value == pytest.approx(after / before - 1)
    sides = [row.side for row in found.periods]
    assert sides == ["before"] * 5 + ["after"] * 5


def test_it_is_never_causal_and_says_so():
    times, amounts, who = _orders(900)
    found = compare_periods(times, amounts, who, START, draws=50)
    assert found.causal is False
    assert "not causal" in found.sentence
    assert "12 weeks after 2026-03-02" in found.sentence
    assert "a year earlier" in found.sentence


def test_the_period_of_the_start_and_incomplete_ones_are_marked_and_left_out():
    first, start = at("2026-01-10"), at("2026-03-18T12")
    times, amounts, who = _orders(110, first=first)  # until 29 April
    with pytest.raises(ExperimentError, match=r"complete month on both sides of 2026-03-18.*shorter period"):
        compare_periods(times, amounts, who, start, period="month", draws=20)
    times, amounts, who = _orders(111, first=first)  # all of April
    found = compare_periods(times, amounts, who, start, period="month", draws=20)
    state = [(wall_clock(row.start).month, row.side, row.complete) for row in found.periods]
    assert state == [(1, "before", False), (2, "before", True), (3, "during", True), (4, "after", True)]
    assert found.count == 1
    # Data that are said to reach further hold days without orders, not days without data.
    covers = at("2025-12-01"), at("2026-06-01")
    longer = compare_periods(times, amounts, who, start, period="month", covers=covers, draws=20)
    assert longer.count == 2
    assert longer.after.value == pytest.approx(found.after.value / 2)


@settings(max_examples=15, deadline=None)
@given(st.integers(-40, 40), st.integers(1, 20), st.sampled_from(["day", "week"]))
def test_nothing_of_the_future_counts_as_before(shift, span, period):
    times, amounts, who = _orders(200, customers=4, first=at("2025-11-01"))
    start = START + shift * DAY // 2
    found = compare_periods(times, amounts, who, start, period=period, span=span, draws=5)
    compared = [row for row in found.periods if row.complete]
    assert all(row.end <= start for row in compared if row.side == "before")
    assert all(row.start >= start for row in compared if row.side == "after")
    assert found.count <= span
    if period == "day" and span >= 7:
        assert found.count % 7 == 0
    later = times >= start
    louder = compare_periods(
        times, np.where(later, 9 * amounts, amounts), who, start, period=period, span=span, draws=5
    )
    assert louder.before == found.before
    assert louder.after.value == pytest.approx(9 * found.after.value)


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_a_season_of_every_year_goes_out_of_the_comparison(period):
    times, amounts, who = _orders(1100, customers=30)
    spring = np.isin(times.astype("datetime64[us]").astype("datetime64[M]").astype(int) % 12, [2, 3, 4])
    amounts = amounts * np.where(spring, 2.0, 1.0)
    found = compare_periods(
        times, amounts, who, START, period=period, span=2 if period == "month" else None, draws=100
    )
    assert found.relative.low > 0.3
    assert found.last_year.low > 0.3
    assert found.beyond_season.value == pytest.approx(
        (1 + found.relative.value) / (1 + found.last_year.value) - 1
    )
    assert abs(found.beyond_season.value) < 0.15
    raised = np.where(times >= START, 1.5 * amounts, amounts)
    lifted = compare_periods(
        times, raised, who, START, period=period, span=2 if period == "month" else None, draws=100
    )
    assert lifted.beyond_season.value == pytest.approx(1.5 * (1 + found.beyond_season.value) - 1)
    assert lifted.beyond_season.low > 0


def test_short_histories_and_years_have_no_season():
    times, amounts, who = _orders(200, first=at("2025-11-01"))
    found = compare_periods(times, amounts, who, START, draws=20)
    assert found.last_year is None
    assert found.beyond_season is None
    assert "a year earlier" not in found.sentence
    times, amounts, who = _orders(1200, customers=5)
    years = compare_periods(times, amounts, who, at("2025-01-01"), period="year", draws=20)
    assert years.last_year is None
    assert years.count == 1
    assert "In the year after 2025-01-01" in years.sentence


def test_intervals_cover_what_more_customers_would_show():
    rng = np.random.default_rng(5)
    hits = 0
    for trial in range(100):
        n = 120
        size, growth = rng.gamma(2, 50, n), rng.lognormal(0.1, 0.5, n)
        times = np.concatenate([np.full(n, START - 3 * DAY), np.full(n, START + 3 * DAY)])
        amounts, who = np.concatenate([size, size * growth]), np.tile(np.arange(n), 2)
        covers = START - 7 * DAY, START + 7 * DAY
        found = compare_periods(times, amounts, who, START, covers=covers, draws=200, seed=trial)
        hits += found.relative.low <= np.exp(0.1 + 0.125) - 1 <= found.relative.high
    assert 0.87 <= hits / 100 <= 0.99


def test_returns_alone_have_no_ratio():
    times = START + np.array([-3, -2, 3, 4]) * DAY
    covers = START - 7 * DAY, START + 7 * DAY
    found = compare_periods(times, [-5, -6, 7, 8], ["a", "b", "a", "b"], START, covers=covers)
    assert found.change.value == 26
    assert np.isnan(found.relative.value)
    assert "not comparable" in found.sentence
    assert compare_periods(times, [5, 6, 7, 8], ["a", "b", "a", "b"], START, covers=covers).relative.low > 0


def test_seed_repeats():
    times, amounts, who = _orders(120, first=at("2026-01-05"))
    first, again = (compare_periods(times, amounts, who, START, draws=20) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"period": "quarter"}, "'quarter'.*day, week, month, year"),
        ({"amounts": [1.0, np.nan, 3]}, "1 that are not numbers"),
        ({"customers": ["a"]}, "one of each"),
        ({"span": 0}, "span = 0"),
        ({"level": 0}, "level = 0"),
        ({"customers": ["a", "a", "a"]}, "1 customers"),
        ({"campaign_start": START + 400 * DAY}, "both sides"),
    ],
)
def test_errors(change, match):
    times = START + np.array([-9, 0, 9]) * DAY
    given_ = {
        "times": times,
        "amounts": [1.0, 2, 3],
        "customers": ["a", "b", "a"],
        "campaign_start": START,
    } | change
    with pytest.raises(ExperimentError, match=match):
        compare_periods(**given_)
