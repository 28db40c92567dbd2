"""Contract: the answer is the models' own on the customer's row, to the bit, whichever way it was reached."""

import dataclasses

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import expit

from features.errors import UnknownCustomerError
from serving.predictor.admission import Champion
from serving.predictor.predictor import Predictor
from tests.serving.conftest import make_bundle
from training.models.lifetime import leaves_by
from training.models.ltv import LTV_MODELS
from training.value.tasks import TASKS


def with_ltv(world, bundle):
    return Predictor(Champion(bundle, 2), Champion(world.bundles["churn"], 1), world.predictor.snapshot)


def test_every_customer_one_by_one_is_the_models_prediction(world):
    predictor = world.predictor
    matrix = predictor.snapshot.matrix(slice(None))
    value = world.bundles["ltv"].model.predict(matrix)
    left = world.bundles["churn"].model.predict(matrix)
    ids = predictor.snapshot.customer_ids(slice(None))
    ordered = matrix.column("orders_count_ever") > 0
    assert 0 < ordered.sum() < len(ids)
    anew = Predictor(predictor.ltv, predictor.churn, predictor.snapshot, keep=0)
    for k, name in enumerate(ids):
        (one,) = anew.predict([name]).predictions
        assert one.customer_id == name
        if ordered[k]:
            assert one.ltv.value == value[k]
            assert [each.probability for each in one.churn] == left[k].tolist()
            assert one.ltv.low <= one.ltv.value <= one.ltv.high
        else:
            assert (one.status, one.ltv, one.churn, one.tier) == ("no orders yet", None, None, None)


def test_many_at_once_are_the_same_as_one_by_one(world):
    ids = world.predictor.snapshot.customer_ids(slice(0, 40))
    together = world.predictor.predict(ids).predictions
    anew = Predictor(world.predictor.ltv, world.predictor.churn, world.predictor.snapshot, keep=0)
    assert together == tuple(anew.predict([name]).predictions[0] for name in ids)


def test_what_is_remembered_is_what_was_computed(world):
    ids = world.predictor.snapshot.customer_ids(slice(0, 30))
    anew = Predictor(world.predictor.ltv, world.predictor.churn, world.predictor.snapshot, keep=0)
    few = Predictor(world.predictor.ltv, world.predictor.churn, world.predictor.snapshot, keep=7)
    want = anew.predict(ids)
    for asked in (ids[:3], ids[2:9], ids, ids[::-1], [ids[4], ids[4], ids[5]]):
        right = tuple(want.predictions[ids.index(name)] for name in asked)
        assert few.predict(asked).predictions == right
        assert few.predict(asked).predictions == right
    assert not anew._kept


def test_the_boosters_own_text_gives_the_churn_by_hand(world):
    booster = lgb.Booster(model_file=world.live.bundle("churn", 1) / "hazard.txt")
    model = world.bundles["churn"].model
    ids = world.predictor.snapshot.customer_ids(slice(None))
    for name in ids[:60]:
        row = model.view(
            world.predictor.snapshot.matrix(slice(*(ids.index(name) + k for k in (0, 1))))
        ).values[0]
        (one,) = world.predictor.predict([name]).predictions
        if one.churn is None:
            continue
        staying = 1.0
        for k, (shift, slope) in enumerate(model.parameters["calibration"]):
            raw = booster.predict([[*row, k]], raw_score=True, num_threads=1)[0]
            staying *= 1 - expit(shift + slope * raw)
            assert one.churn[k].probability == pytest.approx(1 - staying, abs=1e-12)


@pytest.mark.parametrize("kind", LTV_MODELS)
def test_every_kind_of_champion_can_serve(world, kind):
    bundle = make_bundle(TASKS["ltv"](world.settings), world.history, kind, rounds=5)
    predictor = with_ltv(world, bundle)
    names = predictor.snapshot.customer_ids(slice(0, 30))
    value = bundle.model.predict(predictor.snapshot.matrix(slice(0, 30)))
    for name, each, own in zip(names, predictor.predict(names, explain=True).predictions, value, strict=True):
        assert each.customer_id == name
        if each.status == "ok":
            assert each.ltv.value == own
            assert each.drivers is not None


@pytest.mark.parametrize("kind", ["bgnbd", "base_rate"])
def test_every_kind_of_churn_champion_can_serve(world, kind):
    bundle = make_bundle(TASKS["churn"](world.settings), world.history, kind)
    predictor = Predictor(Champion(world.bundles["ltv"], 1), Champion(bundle, 2), world.predictor.snapshot)
    left = bundle.model.predict(predictor.snapshot.matrix(slice(0, 10)))
    names = predictor.snapshot.customer_ids(slice(0, 10))
    for each, own in zip(predictor.predict(names, explain=True).predictions, left, strict=True):
        if each.status == "ok":
            assert [one.probability for one in each.churn] == own.tolist()


def test_unknown_customers_are_all_named(world):
    known = world.predictor.snapshot.customer_ids(slice(0, 1))[0]
    with pytest.raises(UnknownCustomerError) as caught:
        world.predictor.predict(["nobody", known, "", "no one", "nobody"])
    assert caught.value.customer_ids == ["nobody", "", "no one"]


def test_without_discount_a_life_without_end_has_no_value(world):
    bundle = world.bundles["ltv"]
    free = dataclasses.replace(bundle, facts={**bundle.facts, "discount_rate": 0.0})
    predictor = with_ltv(world, free)
    stays = np.array([[0.0, 0.0, 0.0], [0.1, 0.2, 0.3]])
    value = predictor._lifetime(np.array([100.0, 100.0]), stays)
    leaves = leaves_by(stays, (30, 60, 90), 365)[1]
    assert np.isnan(value[0])
    assert value[1] == pytest.approx(100 / leaves)


def test_tiers_and_time(world):
    answer = world.predictor.predict(world.predictor.snapshot.customer_ids(slice(None)))
    tiers = [each.tier for each in answer.predictions if each.tier]
    assert set(tiers) == {"A", "B", "C", "D"}
    assert answer.as_of.endswith("+09:00")
    assert answer.models == {"ltv": 1, "churn": 1}
