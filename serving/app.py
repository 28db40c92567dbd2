"""The routes: a few lines each over the predictor, as bare ASGI because they are the hot path."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated

import msgspec

from features.errors import NoChampionError, UnknownCustomerError
from serving.champions import Champions
from serving.fastpredict import FEW_ROWS
from serving.guard import ErrorDetail, HttpError, Message, Receive, Scope, Send, reply
from serving.history import FieldError, read_account
from serving.metrics import CONTENT_TYPE, Metrics
from serving.openapi import describe, page
from serving.predictor import Predictor
from serving.recommend import check_sent_budget

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


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is sent.

    Args:
        body: What is sent.
        kind: Its content type.
    """

    body: bytes
    kind: bytes = b"application/json"


Handler = Callable[[Receive], Awaitable[Reply]]


class Routes:
    """Every route of the service.

    Args:
        champions: What answers.
        metrics: What /metrics prints.
    """

    def __init__(self, champions: Champions, metrics: Metrics) -> None:
        self._champions, self._metrics = champions, metrics
        self._request = msgspec.json.Decoder(PredictRequest)
        self._recommend = msgspec.json.Decoder(RecommendRequest)
        self._encode = msgspec.json.Encoder().encode
        # Long jobs wait for each other here, so that single rows keep the event loop to themselves.
        self._long = ThreadPoolExecutor(1, "tokui-long")
        self.table: dict[str, tuple[str, Handler]] = {
            "/predict": ("POST", self.predict),
            "/predict_history": ("POST", self.predict_history),
            "/recommend": ("POST", self.recommend),
            "/readyz": ("GET", self.readyz),
            "/livez": ("GET", self.livez),
            "/metrics": ("GET", self.metrics),
            "/openapi.json": ("GET", self.openapi),
            "/docs": ("GET", self.docs),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the route and answer.

        Raises:
            HttpError: There is none, or the request cannot be answered.
        """
        if scope["type"] != "http":
            # There are no websockets here.
            await send({"type": "websocket.close", "code": 1000})
            return
        method, handler = self.table.get(scope["path"], ("", None))
        if handler is None:
            known = ", ".join(self.table)
            raise HttpError(404, ErrorDetail("no_route", f"there is no such route; there are {known}"))
        if scope["method"] != method:
            raise HttpError(
                405,
                ErrorDetail("wrong_method", f"{scope['path']} takes {method}"),
                ((b"allow", method.encode()),),
            )
        try:
            answer = await handler(receive)
        except UnknownCustomerError as error:
            detail = ErrorDetail("unknown_customer", str(error), "customer_ids", error.customer_ids)
            raise HttpError(404, detail) from error
        except NoChampionError as error:
            raise HttpError(409, ErrorDetail("no_uplift", str(error))) from error
        except FieldError as error:
            raise HttpError(422, ErrorDetail("bad_field", str(error), error.field)) from error
        except (msgspec.MsgspecError, RecursionError) as error:
            raise HttpError(422, _bad_body(error)) from error
        except _Gone:
            return
        await reply(send, 200, answer.body, ((b"content-type", answer.kind),))

    async def predict(self, receive: Receive) -> Reply:
        """POST /predict."""
        request = self._request.decode(await _body(receive))
        predictor = self._ready()
        ids = _texts(request.customer_ids)
        if request.explain and len(ids) > MOST_EXPLAINED:
            raise FieldError("explain", f"is for {MOST_EXPLAINED} customers a request; there are {len(ids)}")
        if len(ids) <= FEW_ROWS and not request.explain:
            return Reply(self._encode(predictor.predict(ids)))

        def long() -> bytes:
            return self._encode(predictor.predict(ids, explain=request.explain))

        return Reply(await self._aside(long))

    async def predict_history(self, receive: Receive) -> Reply:
        """POST /predict_history."""
        body = await _body(receive)
        predictor = self._ready()

        def long() -> bytes:
            document = msgspec.json.decode(body)
            explain = document.pop("explain", False) if isinstance(document, dict) else False
            if not isinstance(explain, bool):
                raise FieldError("explain", "must be true or false")
            bundle = predictor.ltv.bundle
            account = read_account(document, bundle.facts["timezone"])
            matrix = account.features(bundle.features, bundle.bound)
            return self._encode(
                predictor.predict_rows([account.customer_id], matrix, account.as_of_text, explain=explain)
            )

        return Reply(await self._aside(long))

    async def recommend(self, receive: Receive) -> Reply:
        """POST /recommend."""
        body = await _body(receive)
        try:
            request = self._recommend.decode(body)
        except msgspec.MsgspecError:
            # msgspec says what it expected but not what was sent, and takes NaN for no JSON at all.
            check_sent_budget(body)
            raise
        recommender = self._ready().uplift.ready()
        ids = _texts(request.customer_ids)

        def answer() -> bytes:
            return self._encode(
                recommender.recommend(
                    ids, budget=request.budget, arms=request.arms, capacity=request.capacity
                )
            )

        # Capacities take a linear program, however few the customers.
        if len(ids) <= FEW_ROWS and not request.capacity:
            return Reply(answer())
        return Reply(await self._aside(answer))

    async def readyz(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /readyz."""
        predictor = self._ready()
        ready = Ready(
            True,
            predictor.models | predictor.uplift.models,
            predictor.snapshot.as_of,
            len(predictor.snapshot),
            self._champions.state.warning,
        )
        return Reply(self._encode(ready))

    async def livez(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /livez."""
        return Reply(b'{"live":true}')

    async def metrics(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /metrics."""
        return Reply(await self._aside(self._metrics.text), CONTENT_TYPE)

    async def openapi(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /openapi.json."""
        return Reply(self._encode(self._document()))

    async def docs(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /docs."""
        return Reply(page(self._document()).encode(), b"text/html; charset=utf-8")

    def _document(self) -> dict[str, object]:
        state = self._champions.state
        known = state.predictor.snapshot.customer_ids(slice(0, 1)) if state.predictor else ["A-1001"]
        arms = state.uplift.recommender.arms if state.uplift.recommender else ()
        return describe(PredictRequest, RecommendRequest, Ready, known[0], arms)

    def _ready(self) -> Predictor:
        state = self._champions.state
        if state.predictor is None:
            raise HttpError(503, ErrorDetail("not_ready", state.reason or "not ready"))
        return state.predictor

    async def _aside(self, work: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._long, work)


class _Gone(Exception):  # noqa: N818 - not an error: the client went away
    """Nobody waits for the answer any more."""


def _texts(ids: list[str | int]) -> list[str]:
    return [name if isinstance(name, str) else str(name) for name in ids]


async def _body(receive: Receive) -> bytes:
    message: Message = await receive()
    if message["type"] == "http.disconnect":
        raise _Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _bad_body(error: Exception) -> ErrorDetail:
    """What msgspec found wrong, with the field it found it in."""
    if isinstance(error, RecursionError):
        return ErrorDetail("bad_body", "the body is nested too deeply", "body")
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return ErrorDetail("bad_body", f"the body is not JSON: {text}", "body")
    path = re.search(r" - at `\$\.?([^`]*)`$", text)
    named = re.search(r"field `([^`]*)`", text)
    parts = [part for part in (path and path[1], named and named[1]) if part]
    return ErrorDetail("bad_field", text, ".".join(parts) or "body")
