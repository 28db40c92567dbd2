"""Contract: what is long waits in one bounded queue; what must answer never waits behind it."""

import asyncio
import threading

import pytest

from serving.api.guard import HttpError
from serving.api.jobs import Jobs


def test_long_jobs_are_done_one_after_the_other_up_to_a_number():
    async def ask():
        jobs, go = Jobs(most=3), threading.Event()
        first = [asyncio.ensure_future(jobs.long(lambda k=k: go.wait() and k)) for k in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(HttpError) as refused:
            await jobs.long(lambda: None)
        assert (refused.value.status, refused.value.detail.code) == (503, "busy")
        assert (b"retry-after", b"1") in refused.value.headers
        assert await jobs.aside(lambda: "at once") == "at once"
        # What is given up before it has begun makes room, and is never done.
        first.pop().cancel()
        await asyncio.sleep(0.01)
        last = asyncio.ensure_future(jobs.long(lambda: "room again"))
        go.set()
        assert await asyncio.gather(*first, last) == [0, 1, "room again"]

    asyncio.run(ask())
