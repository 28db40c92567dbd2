"""Jobs: work that would hold up the event loop, done beside it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from serving.api.wire import busy, stopping

T = TypeVar("T")

MOST_WAITING = 128
"""Long jobs that may wait for each other: some seconds of work."""


class Jobs:
    """Threads for what takes long, and for what must never wait behind it.

    Args:
        most: Long jobs under way and waiting.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most, self._given_up = most, False
        # Long jobs wait for each other here, so that single rows keep the event loop to themselves.
        self._long = ThreadPoolExecutor(1, "tokui-long")
        self._futures: set[asyncio.Future[Any]] = set()
        self._aside = ThreadPoolExecutor(1, "tokui-aside")

    async def long(self, work: Callable[[], T]) -> T:
        """Do what takes long, one after the other.

        Raises:
            HttpError: Too much is waiting already, or the server stops.
        """
        if len(self._futures) >= self._most:
            raise busy("long requests are waiting already")
        future = asyncio.get_running_loop().run_in_executor(self._long, work)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        try:
            return await future
        except asyncio.CancelledError:
            if self._given_up:
                raise stopping() from None
            raise

    async def aside(self, work: Callable[[], T]) -> T:
        """Do what takes a few milliseconds, and must be answered while long jobs wait."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, work)

    def give_up(self) -> None:
        """Tell all who wait that the server stops."""
        self._given_up = True
        for future in list(self._futures):
            future.cancel()
