"""The guard: outermost around every request. Keys, body size, metrics, and errors of one shape."""

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

import msgspec

from serving.api.metrics import Metrics
from serving.log import log

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 8 * 1024 * 1024
"""Bytes a request's body may have."""

FREE_BYTES = 64 * 1024
"""A body up to this size is taken however many large ones are held; connections are counted anyway."""

MOST_HELD = 64 * 1024 * 1024
"""Bytes that all larger bodies of a worker together may take in memory."""

OPEN = frozenset({"/livez", "/readyz"})
"""Paths that need no key: what watches a server must not need its secrets."""

_MOST_SAID, _MOST_FIELD = 2_000, 200
"""Letters of an error's message and of the name of its field."""

_MOST_DIGITS = 18

SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""Headers of every answer: nothing of it is guessed, framed, run or kept."""

CLOSE = (b"connection", b"close")
"""Ends the connection after the answer: what else the client sends is not worth reading."""

_JSON = (b"content-type", b"application/json")


class ErrorDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong.

    Args:
        code: For programs.
        message: For people.
        field: The part of the request that is meant.
        customer_ids: The ids that are meant.
    """

    code: str
    message: str
    field: str | None = None
    customer_ids: list[str] | None = None


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every error answer.

    Args:
        error: What went wrong.
    """

    error: ErrorDetail


def error_json(detail: ErrorDetail) -> bytes:
    """The body of an error answer, whatever was sent and is said again in it.

    Half of a surrogate pair is no text that could be sent, and a megabyte of a name helps nobody.
    """

    def said(text: str | None, most: int) -> str | None:
        if text is None:
            return None
        text = text.encode(errors="replace").decode()
        return text if len(text) <= most else f"{text[:most]}…"

    return msgspec.json.encode(
        ErrorBody(
            ErrorDetail(
                detail.code,
                said(detail.message, _MOST_SAID) or "",
                said(detail.field, _MOST_FIELD),
                detail.customer_ids,
            )
        )
    )


class HttpError(Exception):
    """Ends a request with an error answer.

    Args:
        status: HTTP status.
        detail: What is said.
        headers: Besides the usual ones.
    """

    def __init__(
        self, status: int, detail: ErrorDetail, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        self.status, self.detail, self.headers = status, detail, headers
        super().__init__(detail.message)


async def reply(
    send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = (_JSON,)
) -> None:
    """Send a whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, *SAFE_HEADERS, length]}
    )
    await send({"type": "http.response.body", "body": body})


def too_large(most: int) -> HttpError:
    """The answer to a body above its size."""
    detail = ErrorDetail("too_large", f"the body may have {most:,} bytes; send fewer rows or ids")
    return HttpError(413, detail, (CLOSE,))


def busy(why: str, *headers: tuple[bytes, bytes]) -> HttpError:
    """The answer to a request for which there is no room now."""
    detail = ErrorDetail("busy", f"too many {why}; try again in a second")
    return HttpError(503, detail, ((b"retry-after", b"1"), *headers))


class Keys:
    """API keys, compared in constant time.

    Args:
        keys: The keys that are let in; none lets everyone in.
    """

    def __init__(self, keys: Collection[str]) -> None:
        # Digests are of one length, so that a comparison tells nothing of the key's.
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    @classmethod
    def from_text(cls, text: str) -> "Keys":
        """Keys separated by commas."""
        return cls([key.strip() for key in text.split(",") if key.strip()])

    def let_in(self, headers: Collection[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers may go on."""
        if not self._digests:
            return True
        given = b""
        for name, value in headers:
            if name == b"x-api-key":
                given = value
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                given = value[7:].strip()
        digest = hashlib.sha256(given).digest()
        # All are compared, whichever fits.
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


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
    """

    def __init__(
        self,
        app: App,
        routes: Collection[str],
        keys: Keys,
        metrics: Metrics,
        most_bytes: int = MOST_BYTES,
        most_held: int = MOST_HELD,
    ) -> None:
        self._app, self._keys, self._metrics, self.most_bytes = app, keys, metrics, most_bytes
        self._routes = frozenset(routes)
        self._held, self._most_held = 0, most_held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass the server's life on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        path = scope["path"]
        status = 0
        body = _Body(self, receive)

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, self._admit(scope, body), counted)
        except HttpError as error:
            await reply(
                counted,
                error.status,
                error_json(error.detail),
                (_JSON, *error.headers),
            )
        except Exception:
            log.exception("%s %s failed", scope["method"], path if path in self._routes else "other")
            if status:
                raise
            detail = ErrorDetail("internal", "the server failed; its log says why")
            await reply(counted, 500, error_json(detail))
        finally:
            self._held -= body.held
            route = path if path in self._routes else "other"
            self._metrics.count(route, status, time.perf_counter() - begin)

    def _admit(self, scope: Scope, body: "_Body") -> Receive:
        headers = scope["headers"]
        if scope["path"] not in OPEN and not self._keys.let_in(headers):
            raise HttpError(
                401,
                ErrorDetail(
                    "unauthorized", "send an API key as `authorization: Bearer KEY` or `x-api-key: KEY`"
                ),
                ((b"www-authenticate", b"Bearer"),),
            )
        for name, value in headers:
            if name == b"content-length":
                if not value.isdigit() or len(value) > _MOST_DIGITS or int(value) > self.most_bytes:
                    raise too_large(self.most_bytes)
                # The server cuts a body at its announced length.
                return body.receive if int(value) <= FREE_BYTES else body.measured
        return body.measured

    def hold(self, size: int) -> None:
        """Take room for a part of a body.

        Raises:
            HttpError: There is none.
        """
        if self._held + size > self._most_held:
            raise busy("large bodies are being read already", CLOSE)
        self._held += size


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
