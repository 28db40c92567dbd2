"""Contract: nothing reaches the app without a key where keys are set, nor above the size, and strangers cannot grow memory."""

import asyncio
import json
import random
import string

import pytest

from serving.api.guard import Guard
from serving.api.hosts import Hosts
from serving.api.keys import KEY_SCOPES, KeyFile, Keys
from serving.api.metrics import Metrics
from serving.log import AccessLog
from tests.serving.conftest import Asked


@pytest.fixture(scope="module")
def locked(world):
    return Asked(world.live, keys="alpha, beta,", most_bytes=2000)


@pytest.mark.parametrize("path", ["/predict", "/metrics", "/docs", "/openapi.json", "/nowhere"])
def test_without_a_key_nothing_is_said(locked, path):
    for headers in ({}, {"x-api-key": "gamma"}, {"authorization": "Bearer alph"}, {"x-api-key": ""}):
        response = locked("GET", path, headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "unauthorized"
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers", [{"x-api-key": "alpha"}, {"authorization": "Bearer beta"}, {"authorization": "bearer alpha"}]
)
def test_with_a_key_the_door_is_open(locked, headers):
    assert locked("GET", "/docs", headers=headers).status_code == 200


def test_life_and_readiness_need_no_key(locked):
    assert locked("GET", "/livez").status_code == 200
    assert locked("GET", "/readyz").status_code == 200


def test_a_large_body_is_refused_announced_or_not(locked):
    key = {"x-api-key": "alpha"}

    async def pieces():
        for _ in range(30):
            yield b"x" * 100

    for content in (b"x" * 2001, pieces()):
        response = locked("POST", "/predict", content=content, headers=key)
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "too_large"
    assert locked("POST", "/predict", content=b"x" * 2000, headers=key).status_code == 422


def test_random_paths_and_methods_make_no_new_series(world):
    asked = Asked(world.live)
    letters = random.Random(0)

    def series():
        return {line.rpartition(" ")[0] for line in asked("GET", "/metrics").text.splitlines()}

    asked("GET", "/first-of-its-kind")
    series()
    before = series()
    for _ in range(200):
        path = "/" + "".join(letters.choices(string.ascii_letters + "/é%20", k=12))
        asked(letters.choice(["GET", "POST", "PUT", "BREW"]), path)
    assert series() - before <= {line for line in series() if 'route="other"' in line}
    assert len(series()) <= len(before) + 4
    assert 'tokui_requests_total{route="other",status="404"} 201.0' in asked("GET", "/metrics").text


def test_a_defect_is_a_500_that_tells_no_secrets(caplog):
    async def broken(scope, receive, send):
        raise RuntimeError("the password is swordfish")

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/predict", "headers": []}
    guard = Guard(broken, ["/predict"], Keys([]), Metrics())
    asyncio.run(guard(scope, None, send))
    assert sent[0]["status"] == 500
    assert b"swordfish" not in sent[1]["body"]
    assert "swordfish" in caplog.text


def test_large_bodies_share_a_bounded_room_and_small_ones_need_none(world):
    asked = Asked(world.live)
    guard = Guard(asked.app._app, asked.app._routes, Keys([]), asked.metrics, most_held=200_000)
    held = []

    async def ask():
        go = asyncio.Event()

        async def slow(size, announced):
            given = iter([{"body": b"x" * size, "more_body": True}, {"body": b"", "more_body": False}])

            async def receive():
                message = next(given)
                if not message["more_body"]:
                    held.append(guard._held)
                    await go.wait()
                return {"type": "http.request", **message}

            sent = []

            async def send(message):
                sent.append(message)

            headers = [(b"content-length", str(size).encode())] if announced else []
            scope = {"type": "http", "method": "POST", "path": "/predict_history", "headers": headers}
            await guard(scope, receive, send)
            return sent[0]["status"], dict(sent[0]["headers"])

        waiting = [asyncio.ensure_future(slow(90_000, announced)) for announced in (True, False)]
        await asyncio.sleep(0.01)
        status, headers = await slow(90_000, True)
        assert status == 503
        assert headers[b"retry-after"] == b"1"
        assert headers[b"connection"] == b"close"
        small = asyncio.ensure_future(slow(60_000, True))
        await asyncio.sleep(0.01)
        go.set()
        assert [status for status, _ in await asyncio.gather(*waiting, small)] == [422] * 3

    asyncio.run(ask())
    assert max(held) == 180_000
    assert guard._held == 0


@pytest.fixture(scope="module")
def scoped(world, tmp_path_factory):
    file = KeyFile(tmp_path_factory.mktemp("keys") / "keys.json")
    secrets = {scope: file.add(scope, [scope]) for scope in KEY_SCOPES}
    asked = Asked(world.live)
    asked.app._keys = Keys(file=file)
    return asked, secrets


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/predict", "predict"),
        ("/recommend", "predict"),
        ("/predict_history", "history"),
        ("/metrics", "console"),
    ],
)
def test_a_key_opens_what_it_was_made_for(scoped, path, scope):
    asked, secrets = scoped
    for name, secret in secrets.items():
        response = asked(
            "GET" if path == "/metrics" else "POST", path, headers={"x-api-key": secret}, content=b"{"
        )
        assert (response.status_code == 403) == (name not in {scope, "admin"})
        if response.status_code == 403:
            assert response.json()["error"]["code"] == "forbidden"
            assert scope in response.json()["error"]["message"]
        assert asked("GET", "/docs", headers={"x-api-key": secret}).status_code == 200


def test_who_is_refused_is_counted_and_logged_without_the_key(world, caplog):
    asked = Asked(world.live, keys="alpha")
    for _ in range(20):
        asked("POST", "/predict", headers={"authorization": "Bearer swordfish"}, content=b"{}")
    assert len(caplog.records) == 1
    assert "/predict" in caplog.text
    assert "swordfish" not in caplog.text
    assert 'status="401"} 20.0' in asked("GET", "/metrics", headers={"x-api-key": "alpha"}).text


@pytest.mark.parametrize(
    ("path", "status"), [("/livez", 200), ("/docs", 200), ("/nothing", 404), ("/predict", 405)]
)
def test_every_answer_has_its_id_and_is_safe_to_look_at(asked, path, status):
    response = asked("GET", path)
    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-request-id"] != asked("GET", path).headers["x-request-id"]


def test_a_request_id_is_taken_if_it_is_one(asked):
    assert (
        asked("GET", "/livez", headers={"x-request-id": "abc.DEF_1-2"}).headers["x-request-id"]
        == "abc.DEF_1-2"
    )
    for bad in ("a b", "x" * 65, "\x1b[1m", "", '"'):
        assert asked("GET", "/livez", headers={"x-request-id": bad}).headers["x-request-id"] != bad


def test_head_is_get_without_its_body(asked):
    for path in ("/livez", "/readyz", "/docs", "/openapi.json", "/metrics"):
        response = asked("HEAD", path)
        assert response.status_code == 200
        assert response.content == b""
        assert int(response.headers["content-length"]) > 0
    assert asked("HEAD", "/predict").status_code == 405
    assert asked("DELETE", "/livez").headers["allow"] == "GET, HEAD"


def test_another_name_is_refused_before_anything_else(world):
    asked = Asked(world.live, keys="alpha")
    asked.app._hosts = Hosts()
    response = asked("GET", "/readyz", headers={"host": "evil.example", "x-api-key": "alpha"})
    assert response.status_code == 421
    assert response.json()["error"]["code"] == "wrong_host"
    assert "--allow-host" in response.json()["error"]["message"]
    assert asked("GET", "/readyz", headers={"host": "127.0.0.1:3000"}).status_code == 200


def test_the_access_log_has_a_line_a_request_and_no_customer(world, tmp_path):
    asked = Asked(world.live)
    asked.app._access = AccessLog(tmp_path / "access-1.jsonl")
    asked("POST", "/predict", json={"customer_ids": ["A-SECRET"]}, headers={"x-request-id": "mine"})
    asked("GET", "/A-SECRET?q=A-SECRET")
    asked.app._access.close()
    text = (tmp_path / "access-1.jsonl").read_text()
    assert "A-SECRET" not in text
    first, second = map(json.loads, text.splitlines())
    assert (first["id"], first["route"], first["status"]) == ("mine", "/predict", 404)
    assert (second["route"], second["status"]) == ("other", 404)


def test_strangers_are_not_told_where_files_lie(world, live_copy):
    asked = Asked(live_copy)
    (live_copy.folder / "ltv-1" / "bundle.json").write_text("{}")
    (live_copy.folder / "other").write_bytes(b"x" * 100)
    (live_copy.folder / "other").replace(live_copy.snapshot)
    asked.champions.look()
    fresh = Asked(live_copy)
    for one in (asked, fresh):
        for response in (one("GET", "/readyz"), one("POST", "/predict", json={"customer_ids": ["A"]})):
            assert str(live_copy.folder.parent) not in response.text
            assert str(live_copy.folder.parent.parent.name) not in response.text
    assert fresh("GET", "/readyz").status_code == 503
    assert asked("GET", "/readyz").json()["warning"]
