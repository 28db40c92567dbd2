"""The time rule's contract: nothing at or after the cutoff, by own date or by when it was known,
changes one bit of any feature; and whoever is asked for gets exactly one row."""

from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue.orders import ORDERS_BOOKED, ORDERS_PLACED
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import PEOPLE
from features.engine.compute import compute, compute_runs
from features.engine.labels import ChurnLabel, days_to_last, money_ahead
from features.engine.observations import Observations, cutoff_grid, moment, wall_clock
from features.engine.store import load_store
from features.engine.windows import Window
from features.errors import DefinitionError
from tests.features.worlds import DAY, EPOCH, customers_table, random_orders

BASE = int(EPOCH.astype(np.int64))


def stores(tables, streams, *, known=True):
    connection = duckdb.connect()
    for name, table in tables.items():
        connection.register("incoming", table)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    store = load_store(connection, streams, PEOPLE, known=known)
    connection.close()
    return store


def spelled(matrix):
    """Every feature bit for bit, categories by what they say rather than by code."""
    columns = []
    for name in matrix.names:
        column = matrix.column(name)
        if name in matrix.categories:
            words = (*matrix.categories[name], None)
            columns.append([words[-1 if np.isnan(c) else int(c)] for c in column])
        else:
            columns.append(column.tobytes())
    return columns


def features_at(tables, cutoff, ids):
    store = stores(tables, PURCHASES.streams)
    position = {c: k for k, c in enumerate(store.ids.to_pylist())}
    observations, back = Observations.of([position[c] for c in ids], [cutoff] * len(ids))
    return compute(PURCHASES, store.streams, observations).take(back)


def effective(table, time):
    own = table[time].cast(pa.int64()).to_pylist()
    known = table["known_at"].to_pylist() if "known_at" in table.column_names else [None] * len(own)
    late = [None if k is None else int(np.datetime64(k, "us").astype(np.int64)) for k in known]
    return np.array([max(o, k if k is not None else o) for o, k in zip(own, late, strict=True)])


def mutated(table, rng, cutoff):
    """The same past; the future deleted, rewritten, added to and shuffled into the file."""
    future = effective(table, "occurred_at") >= cutoff
    past = table.filter(pa.array(~future))
    kept = table.filter(pa.array(future & (rng.random(len(table)) < 0.5)))
    added = random_orders(rng, 12, int(rng.integers(1, 60)), start=np.datetime64(cutoff, "us"), span_days=90)
    # Rows that happened before the cutoff but were only known from it on.
    late = random_orders(rng, 12, 20, span_days=200)
    late = late.set_column(
        late.column_names.index("known_at"), "known_at",
        pa.array(cutoff + rng.integers(0, 50 * DAY, 20)).cast(pa.timestamp("us")),
    )  # fmt: skip
    rewritten = kept.set_column(
        kept.column_names.index("amount"),
        "amount",
        pa.array(rng.lognormal(9, 3, len(kept)) * rng.choice([-1, 1], len(kept))),
    )
    extra = pa.concat_tables([rewritten, added, late])
    both = pa.concat_tables([past, extra])
    # Interleave at random while each half keeps its own order.
    order = np.argsort(
        np.concatenate([np.sort(rng.random(len(past))), rng.random(len(extra))]), kind="stable"
    )
    return both.take(pa.array(order))


def unlike(table, rng, cutoff):
    """Customers' attributes rewritten in rows that are known from the cutoff on."""
    later = customers_table(14, rng)
    known = pa.array(cutoff + rng.integers(0, 50 * DAY, 14)).cast(pa.timestamp("us"))
    extra = later.append_column("known_at", known)
    return pa.concat_tables(
        [table.append_column("known_at", pa.nulls(len(table), pa.timestamp("us"))), extra]
    )


@pytest.mark.parametrize("block", range(8))
def test_no_bit_of_any_feature_depends_on_the_future(block):
    for case in range(25):
        rng = np.random.default_rng([block, case])
        tables = {
            "customers": customers_table(12, rng),
            "orders": random_orders(rng, 12, int(rng.integers(0, 150))),
        }
        cutoff = BASE + int(rng.integers(-10, 420) * DAY + rng.choice([0, rng.integers(0, DAY)]))
        ids = [str(c) for c in range(12)]
        before = spelled(features_at(tables, cutoff, ids))
        other = {
            "customers": unlike(tables["customers"], rng, cutoff),
            "orders": mutated(tables["orders"], rng, cutoff),
        }
        assert spelled(features_at(other, cutoff, ids)) == before


def test_a_row_on_the_cutoff_belongs_to_the_label_and_not_to_the_feature():
    rng = np.random.default_rng(0)
    orders = random_orders(rng, 1, 1, ties=0, late=0)
    when = int(effective(orders, "occurred_at")[0])
    tables = {"customers": customers_table(1, rng), "orders": orders}
    store = stores(tables, {ORDERS_BOOKED.name: (ORDERS_BOOKED, ("amount",))}, known=False)
    events = store.streams[ORDERS_BOOKED.name]
    observations, _ = Observations.of([0, 0, 0], [when, when + 1, when - 7 * DAY])
    label = money_ahead(events, "amount", observations, 7)
    # In order of time: horizon ends on the row (out), begins on it (in), begins after it (out).
    assert (label != 0).tolist() == [False, True, False]
    last = days_to_last(events, observations, 7)
    assert last.tolist() == [-1.0, 0.0, -1.0]
    store = stores(tables, PURCHASES.streams)
    matrix = compute(PURCHASES, store.streams, observations)
    seen = matrix.column("orders_count_ever") + matrix.column("returns_count_ever")
    assert seen.tolist() == [0.0, 0.0, 1.0]


def test_one_row_per_observation_with_or_without_history():
    rng = np.random.default_rng(1)
    tables = {"customers": customers_table(40, rng), "orders": random_orders(rng, 5, 30)}
    store = stores(tables, PURCHASES.streams)
    who = rng.integers(0, 40, 500)
    when = BASE + rng.integers(-50, 500, 500) * DAY
    observations, back = Observations.of(who, when)
    matrix = compute(PURCHASES, store.streams, observations).take(back)
    assert matrix.values.shape == (500, len(PURCHASES.names))
    strangers = np.array([int(store.ids[int(c)].as_py()) >= 5 for c in who])
    assert (matrix.column("orders_count_ever")[strangers] == 0).all()
    assert np.isnan(matrix.column("orders_amount_mean_ever")[strangers]).all()
    # Asked one by one, the same rows come back.
    for k in range(0, 500, 97):
        one, _ = Observations.of([who[k]], [when[k]])
        alone = compute(PURCHASES, store.streams, one)
        assert alone.values.tobytes() == matrix.values[k : k + 1].tobytes()


def test_threads_and_runs_change_no_bit():
    rng = np.random.default_rng(2)
    tables = {"customers": customers_table(300, rng), "orders": random_orders(rng, 300, 30_000)}
    store = stores(tables, PURCHASES.streams)
    observations = Observations.grid(np.full(300, -1), [BASE + d * DAY for d in range(0, 400, 2)])
    alone = compute(PURCHASES, store.streams, observations)
    together = compute(PURCHASES, store.streams, observations, threads=2)
    assert len(list(compute_runs(PURCHASES, store.streams, observations))) > 1
    assert alone.values.tobytes() == together.values.tobytes()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 0.5), st.integers(7, 200))
def test_money_ahead_equals_the_plain_discounted_sum(seed, rate, horizon):
    rng = np.random.default_rng(seed)
    tables = {"customers": customers_table(6, rng), "orders": random_orders(rng, 6, 60)}
    store = stores(tables, {ORDERS_BOOKED.name: (ORDERS_BOOKED, ("amount",))}, known=False)
    cutoffs = BASE + rng.integers(-20, 380, 12) * DAY
    observations, _ = Observations.of(rng.integers(0, 6, 12), cutoffs)
    got = money_ahead(store.streams[ORDERS_BOOKED.name], "amount", observations, horizon, rate)
    orders = tables["orders"].to_pylist()
    for k in range(12):
        customer, cutoff = store.ids[int(observations.customers[k])].as_py(), int(observations.cutoffs[k])
        want = 0.0
        for row in orders:
            t = int(np.datetime64(row["occurred_at"], "us").astype(np.int64))
            if row["customer_id"] == customer and cutoff <= t < cutoff + horizon * DAY:
                want += row["amount"] * (1 + rate) ** (-(t - cutoff) / DAY / 365.25)
        assert np.isclose(got[k], want, rtol=1e-9, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_whoever_has_left_by_one_horizon_has_left_by_the_next(seed):
    rng = np.random.default_rng(seed)
    tables = {"customers": customers_table(6, rng), "orders": random_orders(rng, 6, 60)}
    store = stores(tables, {ORDERS_PLACED.name: (ORDERS_PLACED, ())}, known=False)
    observations, _ = Observations.of(rng.integers(0, 6, 20), BASE + rng.integers(0, 380, 20) * DAY)
    label = ChurnLabel((30, 60, 90), 45)
    left = label.of(store.streams[ORDERS_PLACED.name], observations)
    assert (left[:, 0] <= left[:, 1]).all()
    assert (left[:, 1] <= left[:, 2]).all()
    for k in range(20):
        customer, cutoff = store.ids[int(observations.customers[k])].as_py(), int(observations.cutoffs[k])
        placed = [
            int(np.datetime64(r["occurred_at"], "us").astype(np.int64))
            for r in tables["orders"].to_pylist()
            if r["customer_id"] == customer and r["amount"] >= 0
        ]
        for j, horizon in enumerate((30, 60, 90)):
            orders_again = any(cutoff + horizon * DAY <= t < cutoff + 135 * DAY for t in placed)
            assert left[k, j] == (not orders_again)


def test_customers_split_in_parts_are_the_same_customers():
    rng = np.random.default_rng(3)
    tables = {"customers": customers_table(50, rng), "orders": random_orders(rng, 50, 2000)}
    connection = duckdb.connect()
    for name, table in tables.items():
        connection.register("incoming", table)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    whole = load_store(connection, PURCHASES.streams, PEOPLE)
    sums = {}
    for part in range(3):
        store = load_store(connection, PURCHASES.streams, PEOPLE, part=part, parts=3)
        observations = Observations.grid(np.full(len(store.ids), -1), [BASE + 200 * DAY])
        matrix = compute(PURCHASES, store.streams, observations)
        for name, row in zip(store.ids.to_pylist(), matrix.values, strict=True):
            sums[name] = row[matrix.position("orders_amount_sum_90d")]
    observations = Observations.grid(np.full(len(whole.ids), -1), [BASE + 200 * DAY])
    matrix = compute(PURCHASES, whole.streams, observations)
    want = dict(zip(whole.ids.to_pylist(), matrix.column("orders_amount_sum_90d"), strict=True))
    assert sums == want


def test_grids_hold_customers_from_their_first_day_on():
    grid = Observations.grid(np.array([BASE, BASE + 40 * DAY]), cutoff_grid(BASE, BASE + 95 * DAY, 30, 3))
    assert [(int(c), wall_clock(t).date().isoformat()) for c, t in zip(grid.customers, grid.cutoffs, strict=True)] == [
        (0, "2024-02-05"), (0, "2024-03-06"), (0, "2024-04-05"), (1, "2024-03-06"), (1, "2024-04-05"),
    ]  # fmt: skip
    assert cutoff_grid(BASE, BASE - 1, 30, 3) == []
    assert wall_clock(moment(wall_clock(BASE + 5))) == wall_clock(BASE + 5)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Window(0), "holds nothing"),
        (lambda: Observations(np.array([1, 0], np.int32), np.array([0, 0])), "ascend by customer"),
        (lambda: replace(ORDERS_PLACED, time="amount"), "amount is a number column"),
        (lambda: replace(ORDERS_PLACED, name="parcels.sent"), "canonical table"),
        (
            lambda: ORDERS_PLACED.needs("colour"),
            "no column 'colour'",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_reason(make, says):
    with pytest.raises(DefinitionError, match=says):
        make()
