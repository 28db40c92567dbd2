"""Jobs: work that would hold up the event loop, done beside it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.api.guard import busy

T = TypeVar("T")

MOST_WAITING = 128
"""Long jobs that may wait for each other: some seconds of work."""


class Jobs:
    """Threads for what takes long, and for what must never wait behind it.

    Args:
        most: Long jobs under way and waiting.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most, self._waiting = most, 0
        # Long jobs wait for each other here, so that single rows keep the event loop to themselves.
        self._long = ThreadPoolExecutor(1, "tokui-long")
        self._aside = ThreadPoolExecutor(1, "tokui-aside")

    async def long(self, work: Callable[[], T]) -> T:
        """Do what takes long, one after the other.

        Raises:
            HttpError: Too much is waiting already.
        """
        if self._waiting >= self._most:
            raise busy("long requests are waiting already")
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._long, work)
        future.add_done_callback(self._done)
        return await future

    async def aside(self, work: Callable[[], T]) -> T:
        """Do what takes a few milliseconds, and must be answered while long jobs wait."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, work)

    def _done(self, _future: object) -> None:
        self._waiting -= 1
