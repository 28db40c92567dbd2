"""Contract: only files that are whole, unaltered and of one kind come to serve; the previous stay until then."""

import dataclasses
import json
import random

import pytest

from features.engine.snapshot import open_snapshot
from features.errors import ChecksumError, ModelError
from serving.predictor.champions import Champions, load_predictor
from serving.predictor.recommender import Uplift
from tests.serving.conftest import promote_uplift, take
from training.models.bundle import write_bundle


def test_any_altered_byte_of_a_model_is_refused(live_copy):
    dice = random.Random(1)
    files = [path for task in ("ltv", "churn") for path in sorted(live_copy.bundle(task, 1).iterdir())]
    assert len(files) >= 8
    for path in files:
        whole = path.read_bytes()
        for _ in range(6):
            at = dice.randrange(len(whole))
            spoilt = bytearray(whole)
            spoilt[at] ^= 1 << dice.randrange(8)
            path.write_bytes(spoilt)
            with pytest.raises(ModelError):
                load_predictor(live_copy)
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ModelError):
            load_predictor(live_copy)
        path.write_bytes(whole)
    load_predictor(live_copy)


def test_any_altered_byte_of_the_snapshots_rows_is_refused(live_copy):
    dice = random.Random(2)
    whole = live_copy.snapshot.read_bytes()
    begin = 16 + int.from_bytes(whole[8:16], "little")
    for _ in range(40):
        at = dice.randrange(begin, len(whole))
        spoilt = bytearray(whole)
        spoilt[at] ^= 1 << dice.randrange(8)
        live_copy.snapshot.write_bytes(spoilt)
        try:
            opened = open_snapshot(live_copy.snapshot)
        except ChecksumError:
            continue
        # The padding between ids and rows carries nothing.
        assert opened.rows.tobytes() == open_snapshot(_put(live_copy, whole)).rows.tobytes()


def _put(live, content):
    live.snapshot.write_bytes(content)
    return live.snapshot


def test_a_new_champion_takes_over_and_a_bad_one_does_not(world, live_copy, tmp_path):
    champions = Champions(live_copy)
    champions.look()
    first = champions.state.predictor
    assert champions.state.reason is None
    champions.look()
    assert champions.state.predictor is first

    write_bundle(tmp_path / "next", world.bundles["ltv"])
    live_copy.publish("ltv", 2, tmp_path / "next")
    champions.look()
    second = champions.state.predictor
    assert second.models == {"ltv": 2, "churn": 1}

    live_copy.publish("ltv", 3, tmp_path / "next")
    spoilt = live_copy.bundle("ltv", 3) / "model.json"
    spoilt.write_bytes(spoilt.read_bytes() + b" ")
    champions.look()
    assert champions.state.predictor is second
    assert "model.json is not the file that was written" in champions.state.reason

    live_copy.publish("ltv", 4, tmp_path / "next")
    champions.look()
    assert champions.state.predictor.models["ltv"] == 4
    assert champions.state.reason is None


def test_a_new_uplift_champion_takes_over_and_a_bad_one_does_not(world, uplifts, live_copy):
    champions = Champions(live_copy)
    champions.look()
    first = champions.state.predictor
    assert champions.state.uplift == Uplift()
    assert champions.state.warning is None

    promote_uplift(live_copy, 1, uplifts["s_learner"])
    champions.look()
    good = champions.state.uplift.recommender
    assert (good.number, champions.state.warning) == (1, None)

    elsewhere = world.history.features.bound_to({"orders": ("customer_id", "occurred_at", "amount")})
    bound = {"orders": ("customer_id", "occurred_at", "amount")}
    misfits = (
        dataclasses.replace(uplifts["linear"], features=elsewhere, bound=bound),
        dataclasses.replace(uplifts["linear"], facts={**uplifts["linear"].facts, "currency": "USD"}),
        dataclasses.replace(uplifts["linear"], expected=uplifts["linear"].expected + 1),
    )
    for number, (bundle, why) in enumerate(zip(misfits, ("features", "USD", "canary"), strict=True), 2):
        promote_uplift(live_copy, number, bundle)
        champions.look()
        assert champions.state.uplift.recommender is good
        assert why in champions.state.warning
        assert champions.state.reason is None
        assert champions.state.predictor.models == first.models
        # Whoever starts now has nothing older to keep, and predicts all the same.
        fresh = Champions(live_copy)
        fresh.look()
        assert fresh.state.uplift.recommender is None
        assert why in fresh.state.uplift.reason
        assert fresh.state.predictor is not None

    promote_uplift(live_copy, 5, uplifts["constant"])
    champions.look()
    assert (champions.state.uplift.recommender.number, champions.state.warning) == (5, None)


def test_uplift_that_mends_itself_is_seen_and_the_others_keep_what_they_remember(
    world, uplifts, live_copy, monkeypatch
):
    monkeypatch.setattr("serving.predictor.champions.RETRY_SECONDS", 0.0)
    promote_uplift(live_copy, 1, uplifts["linear"])
    model = live_copy.bundle("uplift", 1) / "model.json"
    whole = model.read_bytes()
    model.write_bytes(whole[:100])
    loads = []

    def load(live):
        loads.append(live)
        return load_predictor(live)

    champions = Champions(live_copy, load=load)
    champions.look()
    assert "not the file that was written" in champions.state.warning
    champions.state.predictor.predict(world.predictor.snapshot.customer_ids(slice(0, 9)))
    kept = champions.state.predictor._kept
    assert kept
    champions.look()
    model.write_bytes(whole)
    champions.look()
    assert (champions.state.uplift.recommender.number, champions.state.warning) == (1, None)
    assert champions.state.predictor._kept is kept
    champions.look()
    assert len(loads) == 1


def test_recommendations_go_on_when_another_model_is_bad(uplifts, live_copy):
    promote_uplift(live_copy, 1, uplifts["linear"])
    champions = Champions(live_copy)
    champions.look()
    live_copy.pointer.write_text(json.dumps({"ltv": 9, "churn": 1, "uplift": 1}))
    champions.look()
    assert "ltv-9" in champions.state.warning
    assert champions.state.uplift.ready().number == 1


def test_a_new_snapshot_is_seen(world, uplifts, live_copy):
    promote_uplift(live_copy, 1, uplifts["constant"])
    champions = Champions(live_copy)
    champions.look()
    before = champions.state.predictor.snapshot.as_of
    take(world.tables, world.history, live_copy.snapshot, world.history.end - 86_400_000_000)
    champions.look()
    assert champions.state.predictor.snapshot.as_of < before
    assert champions.state.uplift.recommender.snapshot is champions.state.predictor.snapshot


def test_what_does_not_belong_together_is_not_ready_with_the_reason(world, live_copy, tmp_path):
    bare = dataclasses.replace(
        world.history,
        features=world.history.features.bound_to({"orders": ("customer_id", "occurred_at", "amount")}),
    )
    take(world.tables, bare, live_copy.snapshot, world.history.end)
    champions = Champions(live_copy)
    champions.look()
    assert champions.state.predictor is None
    assert "trained on features" in champions.state.reason
    live_copy.pointer.write_text("[")
    champions.look()
    assert "champions.json" in champions.state.reason
    live_copy.pointer.write_text(json.dumps({"ltv": 1, "churn": 9}))
    champions.look()
    assert "churn-9" in champions.state.reason


def test_a_defect_in_loading_does_not_end_the_watch(live_copy):
    import time

    calls = []

    def load(live):
        calls.append(live)
        if len(calls) == 1:
            raise ZeroDivisionError
        return load_predictor(live)

    champions = Champions(live_copy, 0.01, load)
    champions.start()
    until = time.monotonic() + 20
    while not calls or "unexpectedly" not in (champions.state.reason or ""):
        assert time.monotonic() < until
        time.sleep(0.01)
    live_copy.pointer.write_text(json.dumps({"churn": 1, "ltv": 1}))
    while champions.state.predictor is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    champions.stop()
