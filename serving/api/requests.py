"""What the API takes: the bodies of its requests, read and refused."""

import json
import re
from typing import Annotated

import msgspec

from features.values.text import tidy
from serving.api.guard import ErrorDetail, Message, Receive
from serving.predictor.account import FieldError
from serving.predictor.recommender import check_budget

MOST_IDS = 1_000
MOST_EXPLAINED = 100
"""Customers of one request, and with drivers, which take a hundred times as long."""


class PredictRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for customers of the snapshot.

    Args:
        customer_ids: Who, text or whole numbers.
        explain: Whether to say what drives each prediction.
    """

    customer_ids: Annotated[list[str | int], msgspec.Meta(min_length=1, max_length=MOST_IDS)]
    explain: bool = False


class RecommendRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks what to do about customers of the snapshot.

    Args:
        customer_ids: Who, text or whole numbers.
        budget: Most that all chosen actions may cost together, in the project's currency.
        arms: The arms to choose from; all of the model if not given.
        capacity: Most customers by arm; arms that are not named have no limit.
    """

    customer_ids: Annotated[list[str | int], msgspec.Meta(min_length=1, max_length=MOST_IDS)]
    budget: Annotated[float, msgspec.Meta(ge=0)] | None = None
    arms: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None
    capacity: dict[str, Annotated[int, msgspec.Meta(ge=0)]] | None = None


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


def texts_of(ids: list[str | int]) -> list[str]:
    """Customer ids as text, without what nobody sees, as the tables' ids are.

    Raises:
        FieldError: A number has more digits than any id.
    """
    try:
        return [tidy(name) if isinstance(name, str) else str(name) for name in ids]
    except ValueError as error:
        # Python writes no number of more than some thousand digits.
        raise FieldError("customer_ids", "has a number that is too long; send ids as text") from error


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request.

    Raises:
        ClientGone: The client went away before it was sent.
    """
    message: Message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
    return b"".join(parts)


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
