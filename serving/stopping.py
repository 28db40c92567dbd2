"""Stopping: what is said and done between the signal and the end."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from serving.api.guard import Guard
from serving.api.jobs import Jobs
from serving.log import log

NOTICE_SECONDS = 1.0
"""How long readiness says no before requests are refused: what watches a server needs a moment to see it."""

GRACE_SECONDS = 10.0
"""How long requests that were taken may still need."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Puts itself between the signal and uvicorn, which would close its door at once.

    First readiness says no, and every answer ends its connection. Then new requests are turned away,
    and those that were taken are answered. What is not answered at the end of the grace is told so.

    Args:
        guard: Turns requests away.
        jobs: What is waiting there is given up at the end.
        notice: Seconds of the first phase.
        grace: Seconds of both phases.
    """

    def __init__(
        self, guard: Guard, jobs: Jobs, notice: float = NOTICE_SECONDS, grace: float = GRACE_SECONDS
    ) -> None:
        self._guard, self._jobs, self._notice, self._grace = guard, jobs, notice, grace
        self._task: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Take the signals over; for the event loop's thread, which has to be the main one."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            before = signal.getsignal(number)
            if callable(before):
                signal.signal(number, self._handler(loop, before))

    def _handler(
        self, loop: asyncio.AbstractEventLoop, before: Callable[[int, FrameType | None], Any]
    ) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            if self._guard.leaving:
                # Whoever asks twice does not want to wait.
                before(number, frame)
                return
            self._guard.leaving = True
            loop.call_soon_threadsafe(self._begin, lambda: before(number, None))

        return handle

    def _begin(self, end: Callable[[], None]) -> None:
        self._task = asyncio.ensure_future(self._drain(end))

    async def _drain(self, end: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._grace
        await asyncio.sleep(self._notice)
        self._guard.closed = True
        while self._guard.under_way and loop.time() < until:  # noqa: ASYNC110 - an event would cost every request
            await asyncio.sleep(0.05)
        if self._guard.under_way:
            log.warning("stopping with %d requests not answered in time", self._guard.under_way)
            self._jobs.give_up()
            # They say so to their clients.
            await asyncio.sleep(0.2)
        end()
