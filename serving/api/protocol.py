"""The protocol: what a connection may cost before anybody knows who it is.

uvicorn parses HTTP, but whoever connects may send headers without end, one byte a minute, or nothing
at all, and hold memory and a file handle meanwhile. Here every connection has a size and deadlines, and
`serving.api.door` says which goes when there are too many.
"""

import asyncio
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.api.door import FULL, Doorkeeper, Limits, Refusal
from serving.api.wire import SAFE_HEADERS, ErrorDetail, error_json

_NO_HTTP = Refusal(400, "bad_request", "this is not HTTP/1.1")
_LATE = Refusal(408, "too_slow", "the request did not arrive in time; send it again")


class _Stop(Exception):  # noqa: N818 - not an error: ends the parsing of one connection
    """Nothing more of this connection is read."""


class _Gentle:
    """A transport whose ``close`` lets the client read the answer first.

    Closing a socket that still has unread bytes resets the connection, and the answer is lost.
    """

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write, self.is_closing = transport.write, transport.is_closing
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.get_extra_info = transport.get_extra_info
        self.close = close


class GuardedProtocol(HttpToolsProtocol):
    """HTTP/1.1 within limits; use a subclass that has a `door`."""

    door: Doorkeeper
    cycle: Any
    """The newest request's; None before the first."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """A client is here."""
        self._wire = transport
        self._limits = self.door.limits
        self._refusal: Refusal | None = None
        self._deaf = False
        self._begun = self._in_head = self._whole = False
        self._loose = self._size = self._count = 0
        self._until = self.loop.time() + self._limits.head_seconds
        self._stuck = math.inf
        # Not even where a library for websockets happens to be installed.
        self.ws_protocol_class = None
        super().connection_made(_Gentle(transport, self._finish))  # type: ignore[arg-type]  # what of it is used
        if not self.door.enter(self):
            self._refuse(FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self.door.leave(self)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, of several, or of anything."""
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        if not self._begun:
            self._begun = True
            self._until = self.loop.time() + self._limits.head_seconds
        # Bytes that become nothing: an unfinished header, a trailer, the extension of a chunk.
        self._loose += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # There is nothing to upgrade to; what was asked is answered, and what follows is not HTTP.
            self._last()
        except httptools.HttpParserError:
            if self._deaf:
                return
            self._refuse(self._refusal or _NO_HTTP)
        else:
            if self._loose > self._limits.head_bytes:
                self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= self._limits.pipelined:
            self._last()
            raise _Stop
        super().on_message_begin()
        self._in_head, self._whole = True, False
        self._size = self._count = 0
        if self._until == math.inf:
            self._until = self.loop.time() + self._limits.head_seconds

    def on_url(self, url: bytes) -> None:
        """A part of the request's target."""
        self._size += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or one of the trailers behind a body, which nobody reads."""
        self._count += 1
        self._size += len(name) + len(value)
        if self._count > self._limits.headers or self._size > self._limits.head_bytes:
            self._refusal = self._too_large()
            raise _Stop
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All headers are here."""
        super().on_headers_complete()
        self._in_head = False
        self._until = self.loop.time() + self._limits.body_seconds

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._loose = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._loose, self._until, self._whole = 0, math.inf, True
        self.door.waiting.pop(self, None)
        super().on_message_complete()
        if self.cycle.response_complete:
            self._rest()

    def on_response_complete(self) -> None:
        """An answer was given."""
        super().on_response_complete()
        if self.cycle.response_complete:
            if self._whole:
                self._rest()
            else:
                self.door.waiting[self] = None

    def pause_writing(self) -> None:
        """The client does not take its answer."""
        self._stuck = self.loop.time() + self._limits.send_seconds
        super().pause_writing()

    def resume_writing(self) -> None:
        """It does again."""
        self._stuck = math.inf
        super().resume_writing()

    @property
    def unsent(self) -> int:
        """Bytes of answers that the client has not taken."""
        return self._wire.get_write_buffer_size()

    def check(self, now: float) -> None:
        """End what has taken too long."""
        if self._wire.is_closing():
            # Closed, and still here: what was written last is not taken.
            if self._stuck == math.inf:
                self._stuck = now + self._limits.send_seconds
        elif now > self._until:
            self.expel(_LATE)
        if now > self._stuck:
            self.drop()

    def drop(self) -> None:
        """End a connection and forget what was to be sent."""
        self._wire.abort()

    def expel(self, refusal: Refusal) -> None:
        """End a connection that only waits, with a word if a request had begun."""
        if self._earlier():
            self._last()
            return
        if self._begun and not self._deaf and not self.pipeline:
            self._say(refusal)
        self._deaf = True
        self._wire.close()

    def _rest(self) -> None:
        """Wait for the next request."""
        self._begun, self._until = False, math.inf
        self.door.waiting[self] = None

    def _earlier(self) -> bool:
        """Whether a whole request is being answered, before whose answer nothing may come."""
        return self.cycle is not None and not self.cycle.response_complete and (self._in_head or self._whole)

    def _too_large(self) -> Refusal:
        limits = self._limits
        return Refusal(
            431,
            "headers_too_large",
            f"a request may have {limits.headers} headers and {limits.head_bytes:,} bytes of them and its address",
        )

    def _last(self) -> None:
        """Read nothing more; answer what was asked, and close."""
        self._deaf = True
        self._whole = True
        if self.cycle is None or (self.cycle.response_complete and not self.pipeline):
            self._finish()
        else:
            self.cycle.keep_alive = False

    def _refuse(self, refusal: Refusal) -> None:
        if self._earlier():
            self._last()
        elif self.pipeline:
            self.drop()
        else:
            self._say(refusal)
            self._finish()

    def _say(self, refusal: Refusal) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # Its body never becomes whole: whoever waits for it need not.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.door.count(refusal.status)
        body = error_json(ErrorDetail(refusal.code, refusal.message))
        lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}".encode()]
        more = [(b"retry-after", b"1")] if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE else []
        for name, value in (
            (b"content-type", b"application/json"),
            *SAFE_HEADERS,
            *more,
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ):
            lines.append(name + b": " + value)
        self._wire.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def _finish(self) -> None:
        """Close, but let a client that is still sending read the answer first."""
        if self._wire.is_closing():
            return
        if self._whole and not self._deaf:
            self._wire.close()
            return
        self._deaf = True
        self._until = self.loop.time() + self._limits.linger_seconds
        self.door.waiting[self] = None
        if self._wire.can_write_eof():
            self._wire.write_eof()
        self._wire.resume_reading()


def guarded(limits: Limits, refused: Callable[[int], None]) -> type[GuardedProtocol]:
    """The protocol of a worker.

    Args:
        limits: What its connections may cost.
        refused: Told the status of every answer to what is no request.
    """
    kept: dict[str, Any] = {"door": Doorkeeper(limits, refused)}
    return type("WorkerProtocol", (GuardedProtocol,), kept)
