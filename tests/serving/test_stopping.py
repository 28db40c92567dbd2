"""Contract: readiness goes first, what was taken is answered within the grace, and the rest is told to go elsewhere."""

import asyncio
import json
import os
import signal
import threading

import pytest

from serving.api.guard import Guard
from serving.api.jobs import Jobs
from serving.api.keys import Keys
from serving.api.metrics import Metrics
from serving.api.wire import reply
from serving.stopping import Stopping
from tests.serving.api.test_fuzz import answer_of


class House:
    """A guard before an app whose /predict takes as long as it is told to."""

    def __init__(self, grace):
        self.go, self.jobs, self.ended = threading.Event(), Jobs(), asyncio.Event()
        self.guard = Guard(self, ["/predict", "/readyz", "/metrics"], Keys(), Metrics())
        self.stopping = Stopping(self.guard, self.jobs, notice=0.2, grace=grace)

    async def __call__(self, scope, receive, send):
        if scope["path"] == "/predict":
            await self.jobs.long(self.go.wait)
        await reply(send, 200, b"{}")

    async def ask(self, path):
        start, body = await answer_of(self.guard, "GET", path, [], [b""])
        code = json.loads(body["body"]).get("error", {}).get("code")
        return start["status"], code, (b"connection", b"close") in start["headers"]


def test_what_was_taken_is_answered_and_the_rest_turned_away():
    async def live():
        house = House(grace=5.0)
        taken = [asyncio.ensure_future(house.ask("/predict")) for _ in range(5)]
        await asyncio.sleep(0.05)
        house.guard.leaving = True
        house.stopping._begin(house.ended.set)
        assert await house.ask("/readyz") == (503, "stopping", True)
        late = asyncio.ensure_future(house.ask("/predict"))
        await asyncio.sleep(0.3)
        assert await house.ask("/predict") == (503, "stopping", True)
        assert await house.ask("/metrics") == (200, None, True)
        assert not house.ended.is_set()
        house.go.set()
        assert await asyncio.gather(*taken, late) == [(200, None, True)] * 6
        await asyncio.wait_for(house.ended.wait(), 2)

    asyncio.run(live())


def test_what_is_not_answered_in_time_is_told_so():
    async def live():
        house = House(grace=0.3)
        waiting = [asyncio.ensure_future(house.ask("/predict")) for _ in range(5)]
        await asyncio.sleep(0.05)
        house.guard.leaving = True
        house.stopping._begin(house.ended.set)
        assert await asyncio.gather(*waiting) == [(503, "stopping", True)] * 5
        await asyncio.wait_for(house.ended.wait(), 2)
        house.go.set()

    asyncio.run(live())


def test_a_request_that_is_cut_off_is_no_500():
    async def live():
        house = House(grace=1.0)
        waiting = asyncio.ensure_future(house.ask("/predict"))
        await asyncio.sleep(0.05)
        waiting.cancel()
        assert await waiting == (503, "stopping", True)
        house.go.set()

    asyncio.run(live())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_begins_and_the_second_does_not_wait(number):
    heard = []
    before = signal.signal(number, lambda got, frame: heard.append(got))
    kept = {other: signal.getsignal(other) for other in (signal.SIGTERM, signal.SIGINT)}

    async def live():
        house = House(grace=5.0)
        house.stopping.listen()
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.05)
        assert house.guard.leaving
        assert not heard
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.3)

    try:
        asyncio.run(live())
    finally:
        for other, handler in kept.items():
            signal.signal(other, handler)
        signal.signal(number, before)
    assert heard[0] == number
