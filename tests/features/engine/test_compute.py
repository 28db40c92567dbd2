"""The engine's contract: the oracle's numbers, one row per observation, nothing from the future."""

import math

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.aggregations.trends import Ratio
from features.catalogue.orders import ORDERS_PLACED, ORDERS_RETURNED
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import PEOPLE
from features.engine.compute import compute
from features.engine.observations import Observations
from features.engine.store import load_store
from features.engine.views import Calendar, FeatureSet, FeatureView
from features.engine.windows import days
from tests.features import oracle
from tests.features.worlds import DAY, EPOCH, customers_table, orders_table, random_orders

WORDS = {
    "count": oracle.count, "sum": oracle.total, "mean": oracle.mean, "std": oracle.std, "min": oracle.least,
    "max": oracle.greatest, "first": oracle.first, "last": oracle.last, "distinct": oracle.distinct,
    "top_share": oracle.top_share, "active_days": oracle.active_days, "slope": oracle.slope,
    "days_since_last": oracle.days_since_last, "days_since_first": oracle.days_since_first,
    "gap_mean": oracle.gap_mean, "gap_std": oracle.gap_std,
}  # fmt: skip


def connect(customers, orders):
    connection = duckdb.connect()
    connection.register("c", customers)
    connection.register("o", orders)
    connection.execute("CREATE TABLE customers AS SELECT * FROM c")
    connection.execute("CREATE TABLE orders AS SELECT * FROM o")
    return connection


def rows_of(table, time, *, keep=lambda row: True):
    """Plain rows by customer: (effective time, values), in source order."""
    histories = {}
    for row in table.to_pylist():
        if not keep(row):
            continue
        when = None if row[time] is None else int(np.datetime64(row[time], "us").astype(np.int64))
        if row.get("known_at") is not None:
            late = int(np.datetime64(row["known_at"], "us").astype(np.int64))
            when = late if when is None else max(when, late)
        histories.setdefault(row["customer_id"], []).append((-math.inf if when is None else when, row))
    return histories


def expected(view, aggregation, window, rows, cutoff):
    picked = oracle.inside(rows, cutoff, window.days)
    if aggregation.word == "trend":
        return oracle.trend(picked, cutoff, *aggregation.columns, window.days)
    return WORDS[aggregation.word](picked, cutoff, *aggregation.columns)


def assert_like_oracle(features, connection, observations, ids, tables):
    store = load_store(connection, features.streams, PEOPLE)
    matrix = compute(features, store.streams, observations)
    assert len(matrix) == len(observations)
    for view in features.views:
        if isinstance(view, Calendar):
            continue
        keep = {
            ORDERS_PLACED.name: lambda row: row["amount"] >= 0,
            ORDERS_RETURNED.name: lambda row: row["amount"] < 0,
        }.get(view.stream.name, lambda row: True)
        rows = rows_of(tables[view.stream.table], view.stream.time, keep=keep)
        for aggregation in view.aggregations:
            for name, window in zip(view.names_of(aggregation), view.windows, strict=False):
                column = matrix.column(name)
                for k in range(len(observations)):
                    mine = rows.get(ids[observations.customers[k]], [])
                    cutoff = int(observations.cutoffs[k])
                    if isinstance(aggregation, Ratio):
                        short = expected(view, aggregation.of, aggregation.short, mine, cutoff)
                        long = expected(view, aggregation.of, aggregation.long, mine, cutoff)
                        want = short / long if long else math.nan
                    else:
                        want = expected(view, aggregation, window, mine, cutoff)
                    got = column[k]
                    if name in matrix.categories:
                        got = math.nan if np.isnan(got) else matrix.categories[name][int(got)]
                        assert got == want or (got != got and want != want), (name, k, got, want)
                        continue
                    if want in (math.inf, -math.inf):  # an undated account has no age
                        want = math.nan
                    assert np.isclose(got, want, rtol=1e-9, atol=1e-12, equal_nan=True), (name, k, got, want)
                    if aggregation.word in {"count", "distinct", "active_days"}:
                        assert got == want


@pytest.mark.parametrize("seed", range(6))
def test_every_feature_equals_the_oracle_on_random_histories(seed):
    rng = np.random.default_rng(seed)
    tables = {"customers": customers_table(14, rng), "orders": random_orders(rng, 12, 260)}
    connection = connect(**tables)
    ids = load_store(connection, {}, PEOPLE).ids.to_pylist()
    base = int(EPOCH.astype(np.int64))
    # Midnights and odd moments, before, inside and after the history.
    cutoffs = [base + int(d * DAY) for d in (-10, 60, 61, 90.37, 200, 399, 800)]
    observations = Observations(
        np.repeat(np.arange(len(ids), dtype=np.int32), len(cutoffs)), np.tile(cutoffs, len(ids))
    )
    assert_like_oracle(PURCHASES, connection, observations, ids, tables)


times = st.integers(0, 40).map(lambda k: int(EPOCH.astype(np.int64)) + k * DAY // 4)
money = st.one_of(
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 2)),
    st.just(0.0),
    st.just(100.0),
    st.just(1e-7),
)
lines = st.lists(st.tuples(st.integers(0, 3), times, money, st.sampled_from(["A", "B", None])), max_size=25)


@settings(max_examples=120, deadline=None)
@given(lines)
def test_every_feature_equals_the_oracle_on_hostile_histories(rows):
    orders = orders_table(
        [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[2] for r in rows],
        [r[3] for r in rows], [r[3] for r in rows],
    )  # fmt: skip
    tables = {"customers": customers_table(5, np.random.default_rng(0)), "orders": orders}
    connection = connect(**tables)
    ids = load_store(connection, {}, PEOPLE).ids.to_pylist()
    base = int(EPOCH.astype(np.int64))
    cutoffs = [base, base + 5 * DAY, base + 5 * DAY + 1, base + 30 * DAY]
    observations = Observations(np.repeat(np.arange(len(ids), dtype=np.int32), 4), np.tile(cutoffs, len(ids)))
    narrow = FeatureSet("narrow", tuple(
        view if isinstance(view, Calendar) else FeatureView(view.stream, view.aggregations, days(5, 8), view.prefix)
        for view in PURCHASES.views
    ))  # fmt: skip
    assert_like_oracle(narrow, connection, observations, ids, tables)
    connection.close()
