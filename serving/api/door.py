"""The door: what connections may cost, and which of them has to go when there are too many."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from serving.log import log

_REPORT_SECONDS = 10.0


@dataclass(frozen=True)
class Limits:
    """What connections of one worker may cost.

    Args:
        head_bytes: Bytes of a request's line and headers together.
        headers: Number of headers.
        head_seconds: From the first byte, or the connection, to the end of the headers.
        body_seconds: From then to the end of the body.
        send_seconds: For a client to take its answer.
        linger_seconds: For a refused client to read why.
        connections: Connections open at once.
        pipelined: Requests of one connection that wait for the answer to the one before.
        unsent_bytes: Bytes of answers that clients have not taken yet, all together.
        sweep_seconds: How often all connections are looked at.
    """

    head_bytes: int = 32 * 1024
    headers: int = 100
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    send_seconds: float = 30.0
    linger_seconds: float = 2.0
    connections: int = 1000
    pipelined: int = 8
    unsent_bytes: int = 64 * 1024 * 1024
    sweep_seconds: float = 1.0


class Refusal(NamedTuple):
    """An answer to what is no request.

    Args:
        status: HTTP status.
        code: For programs.
        message: For people.
    """

    status: int
    code: str
    message: str


FULL = Refusal(503, "busy", "there are too many connections; try again in a second")


class Connection(Protocol):
    """What the door needs of a connection."""

    loop: asyncio.AbstractEventLoop

    @property
    def unsent(self) -> int:
        """Bytes of answers that the client has not taken."""

    def check(self, now: float) -> None:
        """End what has taken too long."""

    def drop(self) -> None:
        """End a connection and forget what was to be sent."""

    def expel(self, refusal: Refusal) -> None:
        """End a connection that only waits, with a word if a request had begun."""


class Doorkeeper:
    """Knows all connections of a worker, and which of them only wait.

    Args:
        limits: What they may cost.
        refused: Told the status of every answer given here.
    """

    def __init__(self, limits: Limits, refused: Callable[[int], None]) -> None:
        self.limits, self._refused = limits, refused
        # The one that has kept us waiting longest is first.
        self.waiting: OrderedDict[Connection, None] = OrderedDict()
        self._all: set[Connection] = set()
        self._counts: Counter[int] = Counter()
        self._said = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, connection: Connection) -> bool:
        """Let a connection in, and the one that waits longest out where there are too many.

        Returns:
            Whether there is room; every other connection may be at work.
        """
        self._all.add(connection)
        room = True
        if len(self._all) > self.limits.connections:
            room = bool(self.waiting)
            if room:
                self.waiting.popitem(last=False)[0].expel(FULL)
        self.waiting[connection] = None
        if self._timer is None:
            self._timer = connection.loop.call_later(self.limits.sweep_seconds, self._sweep, connection.loop)
        return room

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self._all.discard(connection)
        self.waiting.pop(connection, None)

    def count(self, status: int) -> None:
        """Note an answer to what is no request."""
        self._counts[status] += 1
        self._refused(status)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        unsent = 0
        for connection in list(self._all):
            connection.check(now)
            unsent += connection.unsent
        if unsent > self.limits.unsent_bytes:
            for connection in sorted(self._all, key=lambda one: -one.unsent):
                unsent -= connection.unsent
                connection.drop()
                if unsent <= self.limits.unsent_bytes:
                    break
        if self._counts and now > self._said + _REPORT_SECONDS:
            # One line for however many: a log must not grow with what strangers send.
            said = ", ".join(f"{number} × {status}" for status, number in sorted(self._counts.items()))
            log.warning("refused before there was a request: %s", said)
            self._counts.clear()
            self._said = now
        watched = self._all or self._counts
        self._timer = loop.call_later(self.limits.sweep_seconds, self._sweep, loop) if watched else None
