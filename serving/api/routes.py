"""The routes: a few lines each over the predictor, as bare ASGI because they are the hot path."""

import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from features.catalogue.more import tables_of
from features.catalogue.tables import TABLES
from features.errors import NoChampionError, UnknownCustomerError
from serving.api.jobs import Jobs
from serving.api.metrics import CONTENT_TYPE, Metrics
from serving.api.openapi import openapi_document, page
from serving.api.requests import (
    MOST_ASKED_BYTES,
    MOST_EXPLAINED,
    QUICK_BYTES,
    ClientGone,
    PredictRequest,
    Ready,
    RecommendRequest,
    bad_body,
    body_of,
    check_sent_budget,
    places_of,
    rows_of,
    texts_of,
)
from serving.api.wire import ErrorDetail, HttpError, Receive, Scope, Send, reply
from serving.predictor.account import FieldError, read_account
from serving.predictor.champions import Champions
from serving.predictor.fastpredict import FEW_ROWS
from serving.predictor.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is sent.

    Args:
        body: What is sent.
        kind: Its content type.
    """

    body: bytes
    kind: bytes = b"application/json"


_PATH = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?(?:[/\\][^\s/\\:;,'\"()`]+)+[/\\]([^\s/\\:;,'\"()`]*)")
"""An absolute path, and the name at its end."""

Handler = Callable[[Receive], Awaitable[Reply]]


class Routes:
    """Every route of the service.

    Args:
        champions: What answers.
        metrics: What /metrics prints.
        root: The folder that answers do not tell of.
    """

    def __init__(self, champions: Champions, metrics: Metrics, root: Path | None = None) -> None:
        self._root = "" if root is None else f"{root}{os.sep}"
        self._champions, self._metrics = champions, metrics
        self._request = msgspec.json.Decoder(PredictRequest)
        self._recommend = msgspec.json.Decoder(RecommendRequest)
        self._encode = msgspec.json.Encoder().encode
        self.jobs = Jobs()
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
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        if scope["method"] not in methods:
            allowed = ", ".join(methods)
            detail = ErrorDetail("wrong_method", f"{scope['path']} takes {allowed}")
            raise HttpError(405, detail, ((b"allow", allowed.encode()),))
        try:
            answer = await handler(receive)
        except UnknownCustomerError as error:
            detail = ErrorDetail("unknown_customer", str(error), "customer_ids", error.customer_ids)
            raise HttpError(404, detail) from error
        except NoChampionError as error:
            raise HttpError(409, ErrorDetail("no_uplift", self._told(str(error)))) from error
        except FieldError as error:
            raise HttpError(422, ErrorDetail("bad_field", str(error), error.field)) from error
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise HttpError(422, bad_body(error)) from error
        except ClientGone:
            return
        await reply(send, 200, answer.body, ((b"content-type", answer.kind),))

    async def predict(self, receive: Receive) -> Reply:
        """POST /predict."""
        body = await body_of(receive, MOST_ASKED_BYTES)
        if len(body) > QUICK_BYTES:
            return Reply(await self.jobs.long(lambda: self._predicted(self._request.decode(body))))
        request = self._request.decode(body)
        if len(request.customer_ids) <= FEW_ROWS and not request.explain:
            return Reply(self._predicted(request))
        return Reply(await self.jobs.long(lambda: self._predicted(request)))

    def _predicted(self, request: PredictRequest) -> bytes:
        predictor = self._ready()
        ids = texts_of(request.customer_ids)
        if request.explain and len(ids) > MOST_EXPLAINED:
            raise FieldError("explain", f"is for {MOST_EXPLAINED} customers a request; there are {len(ids)}")
        return self._encode(predictor.predict(ids, explain=request.explain))

    async def predict_history(self, receive: Receive) -> Reply:
        """POST /predict_history."""
        body = await body_of(receive)
        predictor = self._ready()

        def long() -> bytes:
            document = rows_of(body)
            explain = document.pop("explain", False)
            if not isinstance(explain, bool):
                raise FieldError("explain", "must be true or false")
            bundle = predictor.ltv.bundle
            facts, schemas = bundle.facts, tables_of(bundle.features)
            account = read_account(
                document, facts["timezone"], facts["currency"], schemas, facts.get("ledger", ())
            )
            matrix = account.features(bundle.features, bundle.bound)
            return self._encode(
                predictor.predict_rows([account.customer_id], matrix, account.as_of_text, explain=explain)
            )

        return Reply(await self.jobs.long(long))

    async def recommend(self, receive: Receive) -> Reply:
        """POST /recommend."""
        body = await body_of(receive, MOST_ASKED_BYTES)
        if len(body) > QUICK_BYTES:
            return Reply(await self.jobs.long(lambda: self._recommended(self._wanted(body))))
        request = self._wanted(body)
        # Capacities take a linear program, however few the customers.
        if len(request.customer_ids) <= FEW_ROWS and not request.capacity:
            return Reply(self._recommended(request))
        return Reply(await self.jobs.long(lambda: self._recommended(request)))

    def _wanted(self, body: bytes) -> RecommendRequest:
        try:
            return self._recommend.decode(body)
        except (msgspec.MsgspecError, UnicodeError):
            # msgspec says what it expected but not what was sent, and takes NaN for no JSON at all.
            check_sent_budget(body)
            raise

    def _recommended(self, request: RecommendRequest) -> bytes:
        recommender = self._ready().uplift.ready()
        ids = texts_of(request.customer_ids)
        return self._encode(
            recommender.recommend(
                ids, budget=request.budget, arms=request.arms, capacity=places_of(request.capacity)
            )
        )

    async def readyz(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /readyz."""
        predictor = self._ready()
        warning = self._champions.state.warning
        ready = Ready(
            True,
            predictor.models | predictor.uplift.models,
            predictor.snapshot.as_of,
            len(predictor.snapshot),
            None if warning is None else self._told(warning),
        )
        return Reply(self._encode(ready))

    async def livez(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /livez."""
        return Reply(b'{"live":true}')

    async def metrics(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /metrics."""
        return Reply(await self.jobs.aside(self._metrics.text), CONTENT_TYPE)

    async def openapi(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /openapi.json."""
        return Reply(await self.jobs.aside(lambda: self._encode(self._document())))

    async def docs(self, receive: Receive) -> Reply:  # noqa: ARG002
        """GET /docs."""
        return Reply(
            await self.jobs.aside(lambda: page(self._document()).encode()), b"text/html; charset=utf-8"
        )

    def _document(self) -> dict[str, object]:
        state = self._champions.state
        known = state.predictor.snapshot.customer_ids(slice(0, 1)) if state.predictor else ["A-1001"]
        arms = state.uplift.recommender.arms if state.uplift.recommender else ()
        schemas = tables_of(state.predictor.ltv.bundle.features) if state.predictor else TABLES
        return openapi_document(PredictRequest, RecommendRequest, Ready, known[0], arms, schemas)

    def _told(self, reason: str) -> str:
        """A reason as strangers may read it: files without where they lie, which the log says."""
        return _PATH.sub(r"\1", reason.replace(self._root, "") if self._root else reason)

    def _ready(self) -> Predictor:
        state = self._champions.state
        if state.predictor is None:
            raise HttpError(503, ErrorDetail("not_ready", self._told(state.reason or "not ready")))
        return state.predictor
