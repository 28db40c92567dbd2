"""What the API takes: the bodies of its requests, read and refused."""

import json
import re
from typing import Annotated, Any

import msgspec

from features.catalogue.tables import TABLES
from features.values.text import tidy
from serving.api.wire import MOST_BYTES, ErrorDetail, Message, Receive, too_large
from serving.predictor.account import MOST_ROWS, FieldError, no_table, too_many_rows
from serving.predictor.recommender import check_budget

QUICK_BYTES = 16 * 1024
"""A body up to this size is read where it arrives, within a millisecond; a larger one beside the event loop."""

MOST_ASKED_BYTES = 256 * 1024
"""A body that only names customers, arms and limits: a thousand ids of 256 bytes."""

MOST_ROW_BYTES = 64 * 1024
MOST_ROWS_MARKED = 20 * MOST_ROWS
"""Opening braces in a table of rows: far more than rows could have, braces in their texts included."""

MOST_CAPACITY = 10**9

MOST_IDS = 1_000
MOST_EXPLAINED = 100
"""Customers of one request, and with drivers, which take a hundred times as long."""


LEAST_ID, MOST_ID = -(2**63), 2**63 - 1
CustomerNumber = Annotated[int, msgspec.Meta(ge=LEAST_ID, le=MOST_ID)]
"""A customer id that is a number. To JSON 7.0 is the same number as 7, so that both are taken where 7 is."""


class PredictRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for customers of the snapshot.

    Args:
        customer_ids: Who, text or whole numbers.
        explain: Whether to say what drives each prediction.
    """

    customer_ids: Annotated[
        list[str | CustomerNumber | float], msgspec.Meta(min_length=1, max_length=MOST_IDS)
    ]
    explain: bool = False


class RecommendRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks what to do about customers of the snapshot.

    Args:
        customer_ids: Who, text or whole numbers.
        budget: Most that all chosen actions may cost together, in the project's currency.
        arms: The arms to choose from; all of the model if not given.
        capacity: Most customers by arm; arms that are not named have no limit.
    """

    customer_ids: Annotated[
        list[str | CustomerNumber | float], msgspec.Meta(min_length=1, max_length=MOST_IDS)
    ]
    budget: Annotated[float, msgspec.Meta(ge=0)] | None = None
    arms: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None
    capacity: dict[str, Annotated[float, msgspec.Meta(ge=0, le=MOST_CAPACITY)]] | None = None


class Ready(msgspec.Struct, frozen=True):
    """What a ready server says of itself.

    Args:
        ready: True; a server that is not ready answers 503 with the reason.
        models: Version of each model that answers; ``uplift`` only where one recommends.
        as_of: The snapshot's moment.
        customers: Customers in the snapshot.
        warning: Why the newest models or snapshot are not the ones that answer; null if they are.
    """

    ready: bool
    models: dict[str, int]
    as_of: str
    customers: int
    warning: str | None = None


class ClientGone(Exception):  # noqa: N818 - not an error: the client went away
    """Nobody waits for the answer any more."""


def texts_of(ids: list[str | int | float]) -> list[str]:
    """Customer ids as text, without what nobody sees, as the tables' ids are.

    Raises:
        FieldError: One is a fraction.
    """
    return [
        tidy(name) if isinstance(name, str) else str(_whole(name, f"customer_ids[{k}]"))
        for k, name in enumerate(ids)
    ]


def places_of(capacity: dict[str, float] | None) -> dict[str, int] | None:
    """Most customers by arm, as whole numbers.

    Raises:
        FieldError: One is a fraction.
    """
    if capacity is None:
        return None
    return {arm: _whole(most, "capacity[...]") for arm, most in capacity.items()}


def _whole(number: float, field: str) -> int:
    if number != int(number):
        raise FieldError(field, f"must be a whole number, not {number}")
    return int(number)


async def body_of(receive: Receive, most: int = MOST_BYTES) -> bytes:
    """The whole body of a request.

    Args:
        receive: Gives the body in parts.
        most: Bytes it may have.

    Raises:
        ClientGone: The client went away before it was sent.
        HttpError: It is larger.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise too_large(most)
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def rows_of(body: bytes) -> dict[str, Any]:
    """The tables of a request, decoded row by row.

    Decoding holds Python's lock, and with it every other request of the worker, so that no single
    piece of it may be long.

    Raises:
        FieldError: There are too many rows, or one is too large.
        MsgspecError: The body is not a JSON object.
    """
    try:
        parts = msgspec.structs.asdict(_HISTORY.decode(body))
    except msgspec.ValidationError as error:
        # Found out before the rest is read, and said as it is of rows.
        if unknown := _UNKNOWN.search(str(error)):
            raise no_table(unknown[1]) from error
        raise
    return {name: _part(name, bytes(raw)) for name, raw in parts.items() if raw is not msgspec.UNSET}


_HISTORY = msgspec.json.Decoder(
    msgspec.defstruct(
        "_History",
        [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in ("as_of", "explain", *TABLES)],
        forbid_unknown_fields=True,
    )
)
_UNKNOWN = re.compile("unknown field `([^`]*)`")


def _part(name: str, raw: bytes) -> Any:
    if not raw.startswith(b"["):
        if len(raw) > MOST_ROW_BYTES:
            raise FieldError(name, f"is larger than {MOST_ROW_BYTES:,} bytes")
        return msgspec.json.decode(raw)
    if raw.count(b"{") > MOST_ROWS_MARKED:
        raise too_many_rows(name)
    rows = msgspec.json.decode(raw, type=list[msgspec.Raw])
    if len(rows) > MOST_ROWS:
        raise too_many_rows(name)
    for k, row in enumerate(rows):
        if len(memoryview(row)) > MOST_ROW_BYTES:
            raise FieldError(f"{name}[{k}]", f"is larger than {MOST_ROW_BYTES:,} bytes")
    return [msgspec.json.decode(row) for row in rows]


def bad_body(error: Exception) -> ErrorDetail:
    """What msgspec found wrong, with the field it found it in."""
    if isinstance(error, RecursionError):
        return ErrorDetail("bad_body", "the body is nested too deeply", "body")
    if isinstance(error, UnicodeError):
        return ErrorDetail("bad_body", f"the body is not UTF-8: {error}", "body")
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return ErrorDetail("bad_body", f"the body is not JSON: {text}", "body")
    path = re.search(r" - at `\$\.?([^`]*)`$", text)
    named = re.search(r"field `([^`]*)`", text)
    parts = [part for part in (path and path[1], named and named[1]) if part]
    return ErrorDetail("bad_field", text, ".".join(parts) or "body")


def check_sent_budget(body: bytes) -> None:
    """Whether it is the budget that is wrong with a body that could not be read.

    Reads what is not quite JSON as well, because the likeliest of it is a budget of NaN.

    Raises:
        FieldError: It is.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(document, dict):
        check_budget(document.get("budget"))
