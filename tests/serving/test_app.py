"""Contract: every answer and every error says what it is, in one shape, on every route."""

import json
from datetime import datetime

import jsonschema
import pytest

from features.errors import NoChampionError
from serving.app import MOST_IDS
from serving.champions import load_predictor

from .conftest import Asked


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
@pytest.mark.parametrize("route", ["/predict", "/predict_history"])
def test_what_is_not_json_is_a_422(asked, raw, route):
    response = asked("POST", route, content=raw)
    assert response.status_code == 422
    assert error(response)["field"]


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


def resolved(document, schema):
    """A schema that stands alone."""
    return {**schema, "components": document["components"]}


def test_openapi_is_complete_and_its_examples_work(asked):
    document = asked("GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    routes = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert routes == {(path, entry[0].lower()) for path, entry in asked.app._app.table.items()}
    jsonschema.Draft202012Validator.check_schema({"$defs": document["components"]["schemas"]})
    for path, method in routes:
        operation = document["paths"][path][method]
        assert operation["summary"]
        for answer in operation["responses"].values():
            assert answer["description"]
            for kind in answer["content"].values():
                jsonschema.validate(kind["example"], resolved(document, kind["schema"]))
        options = {}
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            jsonschema.validate(content["example"], resolved(document, content["schema"]))
            options["json"] = content["example"]
        response = asked(method.upper(), path, **options)
        assert response.status_code == 200, (path, response.text)
        good = operation["responses"]["200"]["content"]
        assert response.headers["content-type"].split(";")[0] in good
        if "application/json" in good:
            jsonschema.validate(response.json(), resolved(document, good["application/json"]["schema"]))
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}:
        assert reference in document["components"]["schemas"]


def test_docs_need_no_network(asked):
    page = asked("GET", "/docs").text
    assert "http://" not in page
    assert "https://" not in page
    for path in asked.app._app.table:
        assert path in page


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
