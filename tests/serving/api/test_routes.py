"""Contract: every answer and every error says what it is, in one shape, on every route."""

import dataclasses
import itertools
from datetime import datetime

import msgspec
import pytest

from features.errors import NoChampionError
from serving.api.requests import MOST_IDS
from serving.predictor.champions import load_predictor
from serving.predictor.recommender import NO_UPLIFT
from tests.serving.conftest import Asked, promote_uplift


def error(response):
    assert response.headers["content-type"] == "application/json"
    (one,) = response.json().values()
    assert {"code", "message"} <= one.keys()
    return one


def known(world, count=3):
    return world.predictor.snapshot.customer_ids(slice(0, count))


def test_predict_answers_in_the_order_asked_for(world, asked):
    ids = known(world)[::-1]
    answer = asked("POST", "/predict", json={"customer_ids": ids}).json()
    assert [each["customer_id"] for each in answer["predictions"]] == ids
    assert answer["currency"] == "JPY"
    assert answer["models"] == {"ltv": 1, "churn": 1}
    assert datetime.fromisoformat(answer["as_of"]).utcoffset() is not None
    want = world.predictor.predict(ids).predictions
    for got, own in zip(answer["predictions"], want, strict=True):
        if own.ltv:
            assert got["ltv"]["value"] == own.ltv.value
            assert got["drivers"] is None


def test_predict_explains_and_takes_many(world, asked):
    few = asked("POST", "/predict", json={"customer_ids": known(world), "explain": True}).json()
    assert all(each["drivers"]["churn"] for each in few["predictions"] if each["status"] == "ok")
    many = known(world, 100)
    answer = asked("POST", "/predict", json={"customer_ids": many}).json()
    assert [each["customer_id"] for each in answer["predictions"]] == many


def test_unknown_customers_are_a_404_that_names_them(world, asked):
    response = asked("POST", "/predict", json={"customer_ids": ["nobody", *known(world), 77]})
    assert response.status_code == 404
    assert error(response)["customer_ids"] == ["nobody", "77"]
    assert "nobody" in error(response)["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "customer_ids"),
        ({"customer_ids": []}, "customer_ids"),
        ({"customer_ids": ["a"] * (MOST_IDS + 1)}, "customer_ids"),
        ({"customer_ids": "a"}, "customer_ids"),
        ({"customer_ids": ["a", None]}, "customer_ids[1]"),
        ({"customer_ids": ["a"], "explain": "yes"}, "explain"),
        ({"customer_ids": ["a"] * 101, "explain": True}, "explain"),
        ({"customer_ids": ["a"], "horizon": 3}, "horizon"),
        ([], "body"),
    ],
)
def test_a_bad_question_is_a_422_that_names_the_field(asked, body, field):
    response = asked("POST", "/predict", json=body)
    assert response.status_code == 422
    # msgspec writes [...] where any entry is meant.
    assert error(response)["field"].replace("[...]", "[1]") == field


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"customer_ids": ["\\ud800"]}'])
@pytest.mark.parametrize("route", ["/predict", "/predict_history", "/recommend"])
def test_what_is_not_json_is_a_422(asked, raw, route):
    response = asked("POST", route, content=raw)
    assert response.status_code == 422
    assert error(response)["field"]


def test_recommend_is_the_recommenders_answer(world, advised):
    recommender = advised.champions.state.uplift.ready()
    body = {
        "customer_ids": known(world, 40)[::-1],
        "budget": 9000,
        "arms": ["upsell"],
        "capacity": {"upsell": 5},
    }
    for count, options in itertools.product((2, 40), ([], ["budget"], ["budget", "arms", "capacity"])):
        asked = {name: body[name] for name in options}
        ids = body["customer_ids"][:count]
        response = advised("POST", "/recommend", json={"customer_ids": ids, **asked})
        assert response.status_code == 200
        assert response.content == msgspec.json.encode(recommender.recommend(ids, **asked))
    first = response.json()["recommendations"][0]
    assert first.keys() == {"customer_id", "status", "chosen", "actions"}
    assert first["actions"][0].keys() == {"arm", "incremental_ltv", "cost", "net_value", "proven"}
    assert first["actions"][0]["incremental_ltv"].keys() == {"value", "low", "high", "level", "horizon_days"}
    nulls = {"budget": None, "arms": None, "capacity": None}
    assert advised("POST", "/recommend", json={"customer_ids": ids, **nulls}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "customer_ids"),
        ({"customer_ids": []}, "customer_ids"),
        ({"customer_ids": ["a"] * (MOST_IDS + 1)}, "customer_ids"),
        ({"customer_ids": ["a"], "budget": -1}, "budget"),
        ({"customer_ids": ["a"], "budget": "1"}, "budget"),
        ({"customer_ids": ["a"], "arms": []}, "arms"),
        ({"customer_ids": ["a"], "arms": "upsell"}, "arms"),
        ({"customer_ids": ["a"], "arms": ["upsell", "fax"]}, "arms"),
        ({"customer_ids": ["a"], "arms": ["control"]}, "arms"),
        ({"customer_ids": ["a"], "capacity": {"upsell": -1}}, "capacity[1]"),
        ({"customer_ids": ["a"], "capacity": {"upsell": 1.5}}, "capacity[1]"),
        ({"customer_ids": ["a"], "capacity": {"fax": 1}}, "capacity"),
        ({"customer_ids": ["a"], "explain": True}, "explain"),
    ],
)
def test_a_bad_wish_is_a_422_that_names_the_field(advised, body, field):
    response = advised("POST", "/recommend", json=body)
    assert response.status_code == 422
    assert error(response)["code"] == "bad_field"
    assert error(response)["field"].replace("[...]", "[1]") == field
    if "fax" in str(body):
        assert "its arms are upsell, renewal call" in error(response)["message"]


def test_numbers_without_measure_are_no_defect(world, advised):
    ids = known(world)
    for capacity in (10**18, 10**30, 10**400):
        raw = f'{{"customer_ids": ["{ids[0]}"], "capacity": {{"upsell": {capacity}}}}}'
        assert advised("POST", "/recommend", content=raw).status_code in {200, 422}
    for budget, status in (("1e308", 200), ("0", 200), ("1e999", 422), ("NaN", 422), ("1" * 400, 422)):
        raw = f'{{"customer_ids": ["{ids[0]}"], "budget": {budget}}}'
        assert advised("POST", "/recommend", content=raw).status_code == status


@pytest.mark.parametrize("budget", ["-1", '"9,000"', "NaN", "-Infinity", "1e999", "true", "{}"])
def test_a_bad_budget_is_told_as_it_was_sent(world, advised, budget):
    raw = f'{{"customer_ids": ["{known(world)[0]}"], "budget": {budget}}}'
    response = advised("POST", "/recommend", content=raw)
    found = error(response)
    assert (response.status_code, found["code"], found["field"]) == (422, "bad_field", "budget")
    assert found["message"].startswith(f"budget: {budget.replace('1e999', 'Infinity')} is ")
    assert "leave it out for no limit" in found["message"]
    other = advised(
        "POST", "/recommend", content=raw.replace(f'"budget": {budget}', '"budget": 1, "arms": 3')
    )
    assert error(other)["field"] == "arms"


def test_recommend_names_unknown_customers_and_wants_a_key(advised_live, advised):
    response = advised("POST", "/recommend", json={"customer_ids": ["nobody", 77]})
    assert (response.status_code, error(response)["customer_ids"]) == (404, ["nobody", "77"])
    locked = Asked(advised_live, keys="secret", most_bytes=100)
    assert locked("POST", "/recommend", json={"customer_ids": ["a"]}).status_code == 401
    key = {"x-api-key": "secret"}
    large = locked("POST", "/recommend", json={"customer_ids": ["a" * 100]}, headers=key)
    assert large.status_code == 413
    assert 'route="/recommend",status="401"' in locked("GET", "/metrics", headers=key).text


def test_without_an_uplift_champion_all_else_is_as_it_was(world, asked, advised):
    ids = known(world, 20)
    response = asked("POST", "/recommend", json={"customer_ids": ids})
    assert (response.status_code, error(response)["code"]) == (409, "no_uplift")
    assert error(response)["message"] == NO_UPLIFT
    assert "uplift" not in asked("GET", "/readyz").json()["models"]
    same = [each("POST", "/predict", json={"customer_ids": ids}).content for each in (asked, advised)]
    assert same[0] == same[1]
    assert advised("GET", "/readyz").json()["models"] == {"ltv": 1, "churn": 1, "uplift": 1}


def test_an_uplift_model_that_does_not_fit_stops_recommend_alone_and_says_why(world, uplifts, live_copy):
    other = dataclasses.replace(uplifts["linear"], facts={**uplifts["linear"].facts, "currency": "USD"})
    promote_uplift(live_copy, 1, other)
    spoilt = Asked(live_copy)
    response = spoilt("POST", "/recommend", json={"customer_ids": known(world)})
    assert response.status_code == 409
    assert "currency USD" in error(response)["message"]
    ready = spoilt("GET", "/readyz").json()
    assert ready["models"] == {"ltv": 1, "churn": 1}
    assert "currency USD" in ready["warning"]
    assert spoilt("POST", "/predict", json={"customer_ids": known(world)}).status_code == 200


def test_predict_history_answers_for_an_account_of_its_own(world, asked):
    orders = [
        {"occurred_at": "2025-03-01T10:00:00+00:00", "amount": 100, "customer_id": 12},
        {"occurred_at": "2025-09-01", "amount": 250.5, "product_id": "P1"},
    ]
    body = {"as_of": "2026-01-01T00:00:00+00:00", "orders": orders, "explain": True}
    answer = asked("POST", "/predict_history", json=body).json()
    (one,) = answer["predictions"]
    assert (one["customer_id"], one["status"]) == ("12", "ok")
    assert answer["as_of"] == "2026-01-01T09:00:00+09:00"
    assert one["drivers"]["ltv"]
    empty = asked("POST", "/predict_history", json={"orders": []}).json()["predictions"][0]
    assert (empty["customer_id"], empty["status"], empty["ltv"]) == (None, "no orders yet", None)


def test_not_ready_says_why(world, tmp_path, live_copy):
    from training.live import Live

    bare = Asked(Live(tmp_path / "none"))
    for ask in (("GET", "/readyz"), ("POST", "/predict", {"customer_ids": ["a"]})):
        response = bare(ask[0], ask[1], json=ask[2] if len(ask) > 2 else None)
        assert response.status_code == 503
        assert "tokui train ltv" in error(response)["message"]
    assert bare("GET", "/livez").status_code == 200
    live_copy.snapshot.unlink()
    assert "tokui snapshot" in error(Asked(live_copy)("GET", "/readyz"))["message"]
    with pytest.raises(NoChampionError):
        load_predictor(live_copy)


def test_readyz_says_what_serves(asked, world):
    ready = asked("GET", "/readyz").json()
    assert ready == {
        "ready": True,
        "models": {"ltv": 1, "churn": 1},
        "as_of": world.predictor.snapshot.as_of,
        "customers": len(world.predictor.snapshot),
        "warning": None,
    }


def test_wrong_method_and_no_route(asked):
    response = asked("GET", "/predict")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert asked("GET", "/nowhere").status_code == 404
    assert asked("GET", "/schema.json").status_code == 404


def test_a_client_that_goes_away_is_not_an_error(asked):
    import asyncio

    async def receive():
        return {"type": "http.disconnect"}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
    asyncio.run(asked.app(scope, receive, send))
    assert not sent
