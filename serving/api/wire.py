"""The wire: ASGI's types, answers with their headers, and errors of one shape."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 8 * 1024 * 1024
"""Bytes a request's body may have."""

_MOST_SAID, _MOST_FIELD = 2_000, 200
"""Letters of an error's message and of the name of its field."""

SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""Headers of every answer: nothing of it is guessed, framed, run or kept."""

CLOSE = (b"connection", b"close")
"""Ends the connection after the answer: what else the client sends is not worth reading."""

JSON_TYPE = (b"content-type", b"application/json")


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
    send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = (JSON_TYPE,)
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


def stopping() -> HttpError:
    """The answer to a request for which there is no time any more."""
    return HttpError(
        503,
        ErrorDetail("stopping", "the server stops; ask another one, or again in a while"),
        ((b"retry-after", b"5"), CLOSE),
    )
