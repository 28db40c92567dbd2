"""Contract: nothing reaches the app without a key where keys are set, nor above the size, and strangers cannot grow memory."""

import asyncio
import random
import string

import pytest

from serving.api.guard import Guard, Keys
from serving.api.metrics import Metrics
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
