"""What `benchmarks.serving` measures tokui against, on the same champions and snapshot.

Bare ASGI has tokui's predictor; the BentoML API and the MLflow model are written as one would write
them: look the row up, call the models, answer the numbers.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from serving.predictor.champions import load_predictor
from serving.predictor.predictor import Predictor
from training.live import Live

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}


@cache
def predictor() -> Predictor:
    """The champions in the folder that TOKUI_LIVE names."""
    return load_predictor(Live(Path(os.environ["TOKUI_LIVE"])), int(os.environ["TOKUI_KEEP"]))


def plainly(customer_ids: list[str]) -> list[dict[str, Any]]:
    """The numbers by the models' own predict, one call a model."""
    snapshot, ltv, churn = predictor().snapshot, predictor().ltv.bundle, predictor().churn.bundle
    matrix = snapshot.matrix(np.array([snapshot.position(name) for name in customer_ids]))
    value, left = ltv.model.predict(matrix), churn.model.predict(matrix)
    low, high = ltv.intervals.interval(value, ltv.facts["interval"]) if ltv.intervals else (value, value)
    rows = zip(customer_ids, value.tolist(), low.tolist(), high.tolist(), left.tolist(), strict=True)
    return [dict(zip(("customer_id", "ltv", "low", "high", "churn"), row, strict=True)) for row in rows]


async def empty(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """An app that answers nothing: what uvicorn itself costs."""
    if scope["type"] != "http":
        return
    await receive()
    await send(_START)
    await send({"type": "http.response.body", "body": b"{}"})


async def bare(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """The predictor with nothing around it."""
    if scope["type"] != "http":
        predictor()
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = predictor().predict(msgspec.json.decode(body)["customer_ids"]) if body else None
    await send(_START)
    await send({"type": "http.response.body", "body": msgspec.json.encode(answer)})


def __getattr__(name: str) -> Any:
    """The BentoML service, made when it is asked for: the other peers need no bentoml."""
    if name != "Plain":
        raise AttributeError(name)
    import bentoml

    @bentoml.service(workers=int(os.environ["PEER_WORKERS"]))
    class Plain:
        """A service as BentoML's own introduction writes it."""

        def __init__(self) -> None:
            predictor()

        @bentoml.api  # type: ignore[untyped-decorator]  # bentoml has no types here
        def predict(self, customer_ids: list[str]) -> list[dict[str, Any]]:
            return plainly(customer_ids)

    globals()["Plain"] = Plain
    return Plain


MLFLOW_MODEL = """
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Peer(PythonModel):
    def load_context(self, context):
        from benchmarks.serving_peers import plainly
        self.plainly = plainly

    def predict(self, context, model_input, params=None):
        return self.plainly(model_input["customer_id"].tolist())


set_model(Peer())
"""
"""The same as MLflow's models-from-code."""
