"""The guard: outermost around every request. Hosts, keys, body size, request ids, metrics and the log."""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Collection

from serving.api.hosts import Hosts
from serving.api.keys import SCOPE_OF, Keys
from serving.api.metrics import Metrics
from serving.api.wire import (
    CLOSE,
    JSON_TYPE,
    MOST_BYTES,
    App,
    ErrorDetail,
    HttpError,
    Message,
    Receive,
    Scope,
    Send,
    busy,
    error_json,
    reply,
    stopping,
    too_large,
)
from serving.log import AccessLog, Seldom, log

OPEN = frozenset({"/livez", "/readyz"})
"""Paths that need no key: what watches a server must not need its secrets."""

WATCHED = OPEN | {"/metrics"}
"""Paths that answer while a server stops."""

FREE_BYTES = 64 * 1024
"""A body up to this size is taken however many large ones are held; connections are counted anyway."""

MOST_HELD = 64 * 1024 * 1024
"""Bytes that all larger bodies of a worker together may take in memory."""

_MOST_DIGITS = 18
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Guard:
    """ASGI middleware around the whole service.

    Args:
        app: What answers; it may raise `HttpError`.
        routes: The paths it knows. Every other path is counted as ``other``, so that strangers
            cannot grow the metrics.
        keys: Who is let in.
        metrics: Where requests are counted.
        most_bytes: Bytes a body may have.
        most_held: Bytes that all bodies above `FREE_BYTES` together may take in memory.
        hosts: Names the server may be called by; any if not given.
        access: Where every request leaves a line, if anywhere.
    """

    def __init__(
        self,
        app: App,
        routes: Collection[str],
        keys: Keys,
        metrics: Metrics,
        most_bytes: int = MOST_BYTES,
        most_held: int = MOST_HELD,
        hosts: Hosts | None = None,
        access: AccessLog | None = None,
    ) -> None:
        self._app, self._keys, self._metrics, self.most_bytes = app, keys, metrics, most_bytes
        self._routes = frozenset(routes)
        self._held, self._most_held = 0, most_held
        self._hosts, self._access = hosts, access
        self._ids = map(f"{secrets.token_hex(4)}-{{:x}}".format, itertools.count(1))
        self._denied = Seldom(
            "refused %d requests without a key that opens what they asked; the last: %s from %s"
        )
        self.under_way = 0
        self.leaving = self.closed = False
        """Whether the server is about to stop, and whether it takes no new requests any more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass the server's life on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            if scope["type"] == "lifespan" and self._access is not None:
                self._access.close()
            return
        begin = time.perf_counter()
        route = scope["path"] if scope["path"] in self._routes else "other"
        headers = dict(scope["headers"])
        answer = _Answer(self, send, self._request_id(headers), head=scope["method"] == "HEAD")
        body = _Body(self, receive)
        self.under_way += 1
        try:
            await self._app(scope, self._admit(scope, headers, body), answer.send)
        except HttpError as error:
            await reply(answer.send, error.status, error_json(error.detail), (JSON_TYPE, *error.headers))
        except asyncio.CancelledError:
            # The server stops, and this was not answered in time.
            if answer.status:
                raise
            late = stopping()
            await reply(answer.send, late.status, error_json(late.detail), (JSON_TYPE, *late.headers))
        except Exception:
            log.exception("%s %s failed (request %s)", scope["method"][:16], route, answer.request_id)
            if answer.status:
                raise
            detail = ErrorDetail("internal", "the server failed; its log says why")
            await reply(answer.send, 500, error_json(detail))
        finally:
            self.under_way -= 1
            self._held -= body.held
            seconds = time.perf_counter() - begin
            self._metrics.count(route, answer.status, seconds)
            if self._access is not None:
                self._access.write(
                    answer.request_id, scope["method"], route, answer.status, seconds, answer.size
                )

    def _admit(self, scope: Scope, headers: dict[bytes, bytes], body: "_Body") -> Receive:
        path = scope["path"]
        if self._hosts is not None and not self._hosts.accept(headers.get(b"host", b"localhost")):
            detail = ErrorDetail(
                "wrong_host", "this server is not known by that name; start it with `--allow-host NAME`"
            )
            raise HttpError(421, detail)
        if self.closed and path not in WATCHED:
            raise stopping()
        if path not in OPEN:
            self._check_key(scope, headers)
        elif self.leaving and path == "/readyz":
            raise stopping()
        length = headers.get(b"content-length")
        if length is None:
            return body.measured
        if not length.isdigit() or len(length) > _MOST_DIGITS or int(length) > self.most_bytes:
            raise too_large(self.most_bytes)
        # The server cuts a body at its announced length.
        return body.receive if int(length) <= FREE_BYTES else body.measured

    def _check_key(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        given = headers.get(b"x-api-key")
        if given is None:
            bearer = headers.get(b"authorization", b"")
            given = bearer[7:].strip() if bearer[:7].lower() == b"bearer " else b""
        opened = self._keys.scopes(given)
        needed = SCOPE_OF.get(scope["path"])
        if opened is not None and (needed is None or needed in opened):
            return
        client = scope.get("client") or ("somewhere",)
        self._denied.note(scope["path"] if scope["path"] in self._routes else "other", client[0])
        if opened is not None:
            raise HttpError(
                403,
                ErrorDetail(
                    "forbidden",
                    f"this key does not open {scope['path']}; it takes one with the scope {needed}",
                ),
            )
        if not self._keys:
            text = "no API key is set; run `tokui keys add NAME`, or start with `--open`"
        else:
            text = "send an API key as `authorization: Bearer KEY` or `x-api-key: KEY`"
        raise HttpError(401, ErrorDetail("unauthorized", text), ((b"www-authenticate", b"Bearer"),))

    def _request_id(self, headers: dict[bytes, bytes]) -> str:
        given = headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given.decode()
        return next(self._ids)

    def hold(self, size: int) -> None:
        """Take room for a part of a body.

        Raises:
            HttpError: There is none.
        """
        if self._held + size > self._most_held:
            raise busy("large bodies are being read already", CLOSE)
        self._held += size


class _Answer:
    """The answer to one request, on its way out."""

    __slots__ = ("_guard", "_head", "_send", "request_id", "size", "status")

    def __init__(self, guard: Guard, send: Send, request_id: str, *, head: bool) -> None:
        self._guard, self._send, self.request_id, self._head = guard, send, request_id, head
        self.status = self.size = 0

    async def send(self, message: Message) -> None:
        """Send a part, with what every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"].append((b"x-request-id", self.request_id.encode()))
            if self._guard.leaving and CLOSE not in message["headers"]:
                message["headers"].append(CLOSE)
        elif self._head:
            message["body"] = b""
        else:
            self.size += len(message.get("body", b""))
        await self._send(message)


class _Body:
    """The body of one request, measured as it arrives."""

    __slots__ = ("_guard", "held", "receive")

    def __init__(self, guard: Guard, receive: Receive) -> None:
        self._guard, self.receive, self.held = guard, receive, 0

    async def measured(self) -> Message:
        """The next part."""
        message = await self.receive()
        size = len(message.get("body", b""))
        if self.held + size > self._guard.most_bytes:
            raise too_large(self._guard.most_bytes)
        self._guard.hold(size)
        self.held += size
        return message
