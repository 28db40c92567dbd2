"""Contract: gains are the model's own to the bit, the choice is the policy's, and what a model cannot vouch for is said."""

import dataclasses
import itertools
import math
import random

import numpy as np
import pytest

from evaluation.uplift.policy import choose
from features.errors import ChecksumError, FingerprintError, NoChampionError, UnknownCustomerError
from serving.predictor.account import FieldError
from serving.predictor.admission import Champion
from serving.predictor.recommender import NO_UPLIFT, Recommender, Uplift, load_uplift
from tests.serving.conftest import ARMS, COSTS, UPLIFT_KINDS, promote_uplift


@pytest.fixture(scope="module", params=UPLIFT_KINDS)
def recommender(request, world, uplifts):
    return Recommender(Champion(uplifts[request.param], 3), world.predictor.snapshot)


@pytest.fixture(scope="module")
def learner(world, uplifts):
    return Recommender(Champion(uplifts["x_learner"], 3), world.predictor.snapshot)


def own_bands(recommender):
    matrix = recommender.snapshot.matrix(slice(None))
    return recommender.model.bands(matrix, recommender.model.raw(matrix))


def everyone(recommender):
    return recommender.snapshot.customer_ids(slice(None))


def altered(bundle, **facts):
    return dataclasses.replace(bundle, facts={**bundle.facts, **facts})


def test_gains_are_the_models_to_the_bit_one_by_one_and_together(recommender):
    own = own_bands(recommender)
    total = len(recommender.snapshot)
    every = recommender.options(np.arange(total)).bands
    for part in ("value", "low", "high"):
        want = getattr(own, part)
        assert getattr(every, part).tobytes() == want.tobytes()
        for row in range(0, total, 7):
            one = getattr(recommender.options(np.array([row])).bands, part)
            assert one.tobytes() == want[row : row + 1].tobytes()


def test_an_answer_has_every_arm_ranked_by_what_it_leaves(recommender):
    own, ids = own_bands(recommender), everyone(recommender)
    answer = recommender.recommend(ids[::-1])
    assert [each.customer_id for each in answer.recommendations] == ids[::-1]
    for row, each in enumerate(answer.recommendations[::-1]):
        assert each.status == "ok"
        assert {action.arm for action in each.actions} == set(ARMS[1:])
        nets = [action.net_value for action in each.actions]
        assert nets == sorted(nets, reverse=True)
        assert each.chosen == (each.actions[0].arm if nets[0] > 0 else None)
        for action in each.actions:
            k, gain = recommender.arms.index(action.arm), action.incremental_ltv
            assert gain.value == own.value[row, k]
            assert (gain.low, gain.high) == (own.low[row, k], own.high[row, k])
            assert (gain.level, gain.horizon_days) == (0.95, 120)
            assert action.cost == COSTS[action.arm]
            assert action.net_value == gain.value - action.cost
    assert (answer.currency, answer.as_of) == ("JPY", recommender.snapshot.as_of)
    assert (answer.models, answer.experiment, answer.control) == ({"uplift": 3}, "spring", "control")
    assert not answer.observational


def test_the_world_of_these_tests_has_different_choices(learner):
    chosen = {each.chosen for each in learner.recommend(everyone(learner)).recommendations}
    assert {"upsell", "renewal call"} <= chosen


@pytest.mark.parametrize(
    ("budget", "capacity"),
    list(itertools.product([None, 0.0, 499.0, 12_345.0, 1e12], [None, {}, {"upsell": 9}, {"renewal call": 0, "upsell": 3}])),
)  # fmt: skip
def test_the_choice_is_the_policys_and_keeps_its_limits(learner, budget, capacity):
    ids = everyone(learner)[:150]
    answer = learner.recommend(ids, budget=budget, capacity=capacity)
    own = learner.options(np.arange(150))
    places = [capacity.get(arm, math.inf) for arm in learner.arms] if capacity else None
    want = choose(own.bands.value, own.cost, budget=budget, capacity=places)
    assert [each.chosen for each in answer.recommendations] == [
        None if k < 0 else learner.arms[k] for k in want
    ]
    taken = [each.chosen for each in answer.recommendations if each.chosen]
    assert answer.spent == sum(COSTS[arm] for arm in taken)
    assert answer.spent <= (math.inf if budget is None else budget)
    for arm, most in (capacity or {}).items():
        assert taken.count(arm) <= most
    net = own.net[np.arange(150), want][want >= 0]
    assert answer.expected_net == pytest.approx(net.sum(), rel=1e-12, abs=1e-9)


def test_no_budget_is_ever_passed(learner):
    dice, ids = random.Random(3), everyone(learner)
    for _ in range(200):
        budget = dice.choice([1.0, 1e3, 1e5]) * dice.random()
        asked = dice.sample(ids, dice.randrange(1, 60))
        assert learner.recommend(asked, budget=budget).spent <= budget


def test_only_the_arms_asked_for_take_part(learner):
    ids = everyone(learner)[:40]
    answer = learner.recommend(ids, arms=["renewal call", "renewal call"], capacity={"upsell": 0})
    for each in answer.recommendations:
        assert [action.arm for action in each.actions] == ["renewal call"]
        assert each.chosen in {"renewal call", None}
    backwards = learner.recommend(ids, arms=list(reversed(learner.arms)))
    assert backwards == learner.recommend(ids)


def test_a_customer_asked_for_twice_is_treated_once(learner):
    name = next(
        each.customer_id for each in learner.recommend(everyone(learner)).recommendations if each.chosen
    )
    once, thrice = learner.recommend([name]), learner.recommend([name] * 3)
    assert thrice.recommendations == once.recommendations * 3
    assert (thrice.spent, thrice.expected_net) == (once.spent, once.expected_net)
    assert learner.recommend([name] * 3, budget=once.spent).recommendations[2].chosen is not None


def test_customers_without_orders_are_answered(learner, world):
    ids = everyone(learner)
    ordered = world.predictor.ordered(slice(0, len(ids)))
    silent = [name for name, has in zip(ids, ordered, strict=True) if not has]
    assert silent
    assert all(each.status == "ok" and each.actions for each in learner.recommend(silent).recommendations)


def test_unknown_arms_and_customers_are_named(learner):
    name = everyone(learner)[0]
    for options in ({"arms": ["upsell", "fax"]}, {"capacity": {"fax": 2}}):
        with pytest.raises(FieldError, match="'fax'; its arms are upsell, renewal call") as caught:
            learner.recommend([name], **options)
        assert caught.value.field == next(iter(options))
    with pytest.raises(UnknownCustomerError) as unknown:
        learner.recommend(["nobody", name, "no one"])
    assert unknown.value.customer_ids == ["nobody", "no one"]


@pytest.mark.parametrize(
    ("budget", "says"),
    [
        (-5, "-5"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (10**400, f"1{'0' * 39}…"),
        (True, "true"),
        ("9,000", '"9,000"'),
        ([1], "[1]"),
    ],
)
def test_a_bad_budget_is_said_with_its_field_and_its_mend(learner, budget, says):
    with pytest.raises(FieldError) as caught:
        learner.recommend(everyone(learner)[:1], budget=budget)
    assert caught.value.field == "budget"
    assert str(caught.value).startswith(f"budget: {says} is no finite number of 0 or more; give one")
    assert str(caught.value).endswith("or leave it out for no limit")
    assert learner.recommend(everyone(learner)[:1], budget=np.int64(5)).spent <= 5


def test_not_proven_is_one_answer_for_everyone_and_says_so(world, uplifts):
    recommender = Recommender(Champion(uplifts["constant"], 1), world.predictor.snapshot)
    answer = recommender.recommend(everyone(recommender))
    assert not answer.proven
    assert answer.note.startswith("not proven: in spring no model")
    assert "mean effect" in answer.note
    effects = dict(zip(recommender.arms, recommender.model.parameters["effects"], strict=True))
    best = max(effects, key=lambda arm: effects[arm] - COSTS[arm])
    assert {each.chosen for each in answer.recommendations} == {best}
    for action in answer.recommendations[0].actions:
        assert action.incremental_ltv.value == pytest.approx(effects[action.arm])
        assert action.proven == (action.incremental_ltv.low > 0)


def test_proven_is_said_of_the_ranking_and_of_each_arms_gain(world, uplifts, learner):
    answer = learner.recommend(everyone(learner)[:1])
    assert answer.proven
    assert (
        answer.note
        == "proven: in spring the order of customers was better than chance, so gains differ by customer"
    )
    assert all(a.proven == (a.incremental_ltv.low > 0) for a in answer.recommendations[0].actions)
    flat = dict(learner.model.parameters["calibration"])
    flat["upsell"] = {"score": [0.0], "value": [10.0], "low": [-1.0], "high": [20.0], "kept": 0.0}
    flat["renewal call"] = {"score": [0.0], "value": [10.0], "low": [1.0], "high": [20.0], "kept": 0.0}
    model = learner.model.with_parameters(calibration=flat)
    bundle = uplifts["x_learner"]
    bundle = dataclasses.replace(bundle, model=model, expected=model.predict(bundle.canary))
    one = Recommender(Champion(bundle, 4), world.predictor.snapshot).recommend(everyone(learner)[:1])
    assert {a.arm: a.proven for a in one.recommendations[0].actions} == {
        "upsell": False,
        "renewal call": True,
    }


def test_observational_is_said(world, uplifts):
    bundle = altered(uplifts["x_learner"], observational=True)
    answer = Recommender(Champion(bundle, 1), world.predictor.snapshot).recommend(
        world.predictor.snapshot.customer_ids(slice(0, 1))
    )
    assert answer.observational
    assert "; observational: arms had been chosen, not drawn" in answer.note


def test_before_calibration_there_is_no_interval(world, uplifts):
    bundle = uplifts["x_learner"]
    model = bundle.model.with_parameters(calibration=None)
    bundle = dataclasses.replace(bundle, model=model, expected=model.predict(bundle.canary))
    recommender = Recommender(Champion(bundle, 1), world.predictor.snapshot)
    (one,) = recommender.recommend(everyone(recommender)[:1]).recommendations
    assert {(a.incremental_ltv.low, a.incremental_ltv.high, a.proven) for a in one.actions} == {
        (None, None, False)
    }


def test_what_does_not_belong_together_is_refused(world, uplifts):
    bundle, snapshot = uplifts["x_learner"], world.predictor.snapshot
    with pytest.raises(FingerprintError, match="uplift model was trained on features"):
        Recommender(Champion(bundle, 1), dataclasses.replace(snapshot, fingerprint="0" * 16))
    with pytest.raises(FingerprintError, match="currency USD"):
        Recommender(Champion(altered(bundle, currency="USD"), 1), snapshot)
    spoilt = dataclasses.replace(bundle, expected=np.nextafter(bundle.expected, np.inf))
    with pytest.raises(ChecksumError, match="canary"):
        Recommender(Champion(spoilt, 1), snapshot)
    with pytest.raises(ChecksumError, match="model of ltv"):
        Recommender(Champion(world.bundles["ltv"], 1), snapshot)


def test_loading_never_raises_and_says_what_is_wrong(world, uplifts, live_copy, caplog):
    snapshot = world.predictor.snapshot
    assert load_uplift(live_copy, snapshot) == Uplift()
    with pytest.raises(NoChampionError, match="tokui train uplift --experiment ID"):
        Uplift().ready()
    promote_uplift(live_copy, 1, uplifts["linear"])
    assert load_uplift(live_copy, snapshot).ready().number == 1
    model = live_copy.bundle("uplift", 1) / "model.json"
    model.write_bytes(model.read_bytes() + b" ")
    assert "not the file that was written" in load_uplift(live_copy, snapshot).reason
    # A document that is whole and says nonsense is a defect, and still no reason to stop.
    promote_uplift(live_copy, 2, altered(uplifts["linear"], costs=None))
    assert "train and promote it again" in load_uplift(live_copy, snapshot).reason
    with pytest.raises(NoChampionError, match="train and promote it again"):
        load_uplift(live_copy, snapshot).ready()
    live_copy.pointer.write_text("[")
    assert "champions.json" in load_uplift(live_copy, snapshot).reason
    assert NO_UPLIFT not in caplog.text
