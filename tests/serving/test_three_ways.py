"""Contract: offline, snapshot and online give the same numbers, over 10,000 pairs of customer and time."""

from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
import pytest

from features.engine.compute import compute
from features.engine.observations import Observations, moment
from serving.predictor.account import features_at, read_account
from serving.predictor.admission import Champion
from serving.predictor.predictor import Predictor
from tests.serving.conftest import take

PARTS, TIMES, PAIRS = 4, 10, 10_000
END = datetime.fromisoformat("2026-01-01")


@pytest.fixture(scope="module")
def accounts(world):
    """Every customer's rows as a client would send them, read as the server reads them."""
    bodies = defaultdict(lambda: {"customers": [], "orders": []})
    for table in ("customers", "orders"):
        for row in world.tables.connection.sql(f"SELECT * FROM {table}").to_arrow_table().to_pylist():
            said = {
                k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items() if v is not None
            }
            bodies[row["customer_id"]][table].append(said)
    features, bound = world.history.features, world.history.bound
    return {
        name: read_account(body, "Asia/Tokyo", "JPY").streams(features, bound)
        for name, body in bodies.items()
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_offline_snapshot_and_online_agree_on_10_000_pairs(world, accounts, tmp_path, part):
    store, features = world.history.store, world.history.features
    ids = store.ids.to_pylist()
    pairs = 0
    for k in range(part, PARTS * TIMES, PARTS):
        # Midnights and any other times of day.
        when = END - timedelta(days=17 * k, hours=7 * k % 24, minutes=13 * k % 60)
        as_of = moment(when)
        snapshot = take(world.tables, world.history, tmp_path / "at.tokui", as_of)
        observations = Observations.grid(store.first_seen, [as_of])
        offline = compute(features, store.streams, observations)
        words = dict(offline.categories)
        names = [ids[customer] for customer in observations.customers.tolist()]
        assert snapshot.customer_ids(slice(None)) == names
        np.testing.assert_array_equal(snapshot.matrix(slice(None)).recode(words).values, offline.values)

        one_by_one = [features_at(when, features, accounts[name]) for name in names]
        for row, online in enumerate(one_by_one):
            # An account's own vocabulary has one word at the most.
            for name in words:
                (word,) = online.categories[name] or (None,)
                at = offline.column(name)[row]
                assert (None if np.isnan(at) else words[name][int(at)]) == word
        plain = [j for j, name in enumerate(features.names) if name not in words]
        online = np.vstack([each.values for each in one_by_one])
        np.testing.assert_array_equal(online[:, plain], offline.values[:, plain])
        pairs += len(names)

        predictor = Predictor(
            Champion(world.bundles["ltv"], 1), Champion(world.bundles["churn"], 1), snapshot
        )
        value = world.bundles["ltv"].model.predict(offline)
        for row in range(k % 7, len(names), 7):
            (served,) = predictor.predict(names[row : row + 1]).predictions
            (sent,) = predictor.predict_rows(
                names[row : row + 1], one_by_one[row], snapshot.as_of
            ).predictions
            assert served == sent
            assert served.ltv is None or served.ltv.value == value[row]
    assert pairs * PARTS >= PAIRS
