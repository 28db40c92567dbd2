"""The BentoML service: processes, workers and their life are BentoML's, every answer is ours.

BentoML's own middleware costs a request more than the prediction does, has no body limit and no
keys, and its system routes know nothing of champions. So the service's ASGI app is ours from the
outside, guard first, and BentoML's app inside it is told of the worker's start and stop only.

    TOKUI_LIVE=PROJECT/live bentoml serve serving.service:service     is the bare form of `tokui serve`
"""

import asyncio
import logging
import os
import socket
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

# Before bentoml is imported, which reads it then: a server in a customer's house tells nobody of itself.
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import bentoml
import uvicorn.config
from _bentoml_sdk import Service  # type: ignore[import-untyped]  # bentoml has no types here

from features.errors import SettingsError
from serving.api.door import Limits
from serving.api.guard import App, Guard, Keys, Message, Receive, Scope, Send
from serving.api.metrics import Metrics
from serving.api.protocol import guarded
from serving.api.routes import Routes
from serving.log import log
from serving.predictor.champions import Champions, load_predictor
from serving.predictor.predictor import KEEP
from training.live import Live

LIVE, KEYS, KEPT = "TOKUI_LIVE", "TOKUI_API_KEYS", "TOKUI_KEEP"
"""Environment variables that workers read: the folder of champions and snapshot, the API keys, and
how many predictions a worker remembers."""

_OWN_FILES = 128
"""File handles that a worker keeps for models, snapshot, metrics and libraries."""

_GRACE_SECONDS = 10
_LOAD_SECONDS = 60


class Life:
    """ASGI: requests to our routes; the worker's start and stop to BentoML, and to the champions' watch.

    Args:
        routes: Our app.
        bento: BentoML's.
        champions: Watched from start to stop.
    """

    def __init__(self, routes: App, bento: App, champions: Champions) -> None:
        self._routes, self._bento, self._champions = routes, bento, champions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live."""
        if scope["type"] != "lifespan":
            await self._routes(scope, receive, send)
            return

        async def watched() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._champions.start()
                # Workers share one port: one that answered before its models are loaded would turn away
                # requests that the others could take.
                await asyncio.to_thread(self._champions.wait, _LOAD_SECONDS)
            else:
                self._champions.stop()
            return message

        await self._bento(scope, watched, send)


class TokuiService(Service[Any]):  # type: ignore[misc]  # untyped base
    """A BentoML service whose requests are answered by our guard and routes."""

    def to_asgi(self, is_main: bool = True) -> App:
        """The app a worker runs."""
        # uvicorn writes a line a request to whatever handler it finds; the metrics count them instead.
        access = logging.getLogger("uvicorn.access")
        access.handlers, access.propagate = [], False
        log.setLevel(logging.INFO)
        bento: App = super().to_asgi(is_main=is_main)
        keep = int(os.environ.get(KEPT, KEEP))
        metrics = Metrics()
        # BentoML's worker gives uvicorn no protocol, so what uvicorn takes by itself is ours.
        limits = Limits(connections=most_connections())
        protocol = guarded(limits, lambda status: metrics.count("other", status, 0.0))
        uvicorn.config.HTTP_PROTOCOLS["auto"] = protocol  # type: ignore[assignment]  # it takes classes as well
        return application(Path(os.environ[LIVE]), os.environ.get(KEYS, ""), keep, bento, metrics)


def most_connections() -> int:
    """Connections a worker can have at once and still open its own files."""
    # Where there is no such module there is no such limit either.
    import resource

    most = Limits().connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, soft - _OWN_FILES))


def application(live: Path, keys: str, keep: int, bento: App, metrics: Metrics) -> App:
    """Guard, routes and champions put together.

    Args:
        live: The folder of champions and snapshot.
        keys: API keys, separated by commas; none lets everyone in.
        keep: Predictions to remember.
        bento: The app that is told of start and stop.
        metrics: Where requests are counted.
    """
    champions = Champions(Live(live), load=partial(load_predictor, keep=keep))
    routes = Routes(champions, metrics)
    return Guard(Life(routes, bento, champions), routes.table, Keys.from_text(keys), metrics)


@bentoml.service(
    name="tokui",
    service_class=TokuiService,
    workers=1,
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    metrics={"enabled": False},
)
class Predictions:
    """Lifetime value, churn and their drivers, one business customer at a time."""


service: Any = Predictions


def run_server(folder: Path, host: str = "127.0.0.1", port: int = 3000, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT; then all workers are gone.

    Args:
        folder: The project's folder; champions and snapshot lie in its ``live``.
        host: IP address to listen on.
        port: Port to listen on.
        workers: Processes that answer.

    Raises:
        SettingsError: The address cannot be listened on, or there are no workers.
    """
    if workers < 1:
        raise SettingsError(f"workers is {workers}; give 1 or more")
    if not os.environ.get(KEPT, "0").isdecimal():
        raise SettingsError(f"{KEPT} is {os.environ[KEPT]!r}; give a number of predictions, 0 for none")
    host = "127.0.0.1" if host == "localhost" else host
    _probe(host, port)
    os.environ[LIVE] = str((folder / "live").resolve())
    # Workers are started as `python -m`, and BentoML searches its working folder before all others: a folder
    # called features where the user stands would be taken for ours.
    service.working_dir = root = str(Path(__file__).resolve().parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    os.environ["PYTHONSAFEPATH"] = "1"
    with tempfile.TemporaryDirectory(prefix="tokui-bentoml-") as home:
        # BentoML keeps a model store and metrics files at home; nothing of ours belongs there.
        os.environ["BENTOML_HOME"] = home
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(Path(home) / "metrics")
        from _bentoml_impl.server import serve_http  # type: ignore[import-untyped]  # bentoml has no types here
        from bentoml._internal.configuration.containers import BentoMLContainer

        BentoMLContainer.bentoml_home.set(home)
        BentoMLContainer.prometheus_multiproc_dir.set(os.environ["PROMETHEUS_MULTIPROC_DIR"])
        service.config["workers"] = workers
        service.inject_config()
        # Service.serve_http does not pass the grace period on, and without it a worker waits a day
        # for a client that keeps its connection.
        serve_http(service, host=host, port=port, timeout_graceful_shutdown=_GRACE_SECONDS)


def _probe(host: str, port: int) -> None:
    """Say plainly that an address is taken, before processes are started on it."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"cannot listen on {host}:{port} ({error}); choose another --host or --port"
        ) from error
