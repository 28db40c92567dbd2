"""The BentoML service: processes, workers and their life are BentoML's, every answer is ours.

BentoML's own middleware costs a request more than the prediction does, has no body limit and no
keys, and its system routes know nothing of champions. So the service's ASGI app is ours from the
outside, guard first, and BentoML's app inside it is told of the worker's start and stop only.

    TOKUI_LIVE=PROJECT/live bentoml serve serving.service:service     is the bare form of `tokui serve`
"""

import asyncio
import ipaddress
import logging
import os
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

# Before bentoml is imported, which reads it then: a server in a customer's house tells nobody of itself.
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import bentoml
import uvicorn.config
from _bentoml_sdk import Service  # type: ignore[import-untyped]  # bentoml has no types here
from bentoml._internal.context import server_context

from features.errors import SettingsError
from serving.api.door import Limits
from serving.api.guard import Guard
from serving.api.hosts import Hosts
from serving.api.keys import KEYS_FILE, KEYS_VARIABLE, KeyFile, Keys
from serving.api.metrics import FOLDER, Metrics
from serving.api.protocol import guarded
from serving.api.routes import Routes
from serving.api.wire import App, Message, Receive, Scope, Send
from serving.log import AccessLog, log
from serving.parent import end_with_parent, name_parent
from serving.predictor.champions import Champions, load_predictor
from serving.predictor.predictor import KEEP
from serving.state import copies_folder, server_state
from serving.stopping import GRACE_SECONDS, Stopping
from training.live import Live

LIVE, KEPT = "TOKUI_LIVE", "TOKUI_KEEP"
OPEN_TO_ALL, HOSTS, ACCESS_LOG = "TOKUI_OPEN", "TOKUI_HOSTS", "TOKUI_ACCESS_LOG"
"""Environment variables that workers read, besides the API keys: the folder of champions and snapshot, how
many predictions a worker remembers, whether to let everyone in while there is no key, the names the server
may be called by, and the folder of the access log."""

_OWN_FILES = 128
"""File handles that a worker keeps for models, snapshot, metrics and libraries."""

_LAST_SECONDS = 3
"""For uvicorn to close what is left, once everything was answered or given up."""

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
        self.stopping: Stopping | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live."""
        if scope["type"] != "lifespan":
            await self._routes(scope, receive, send)
            return

        async def watched() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self.stopping is not None:
                    self.stopping.listen()
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
        end_with_parent(GRACE_SECONDS)
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
        return application(Path(os.environ[LIVE]), keep, bento, metrics)


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


def application(live: Path, keep: int, bento: App, metrics: Metrics) -> App:
    """Guard, routes and champions put together; the rest is in the environment.

    Args:
        live: The folder of champions and snapshot.
        keep: Predictions to remember.
        bento: The app that is told of start and stop.
        metrics: Where requests are counted.
    """
    champions = Champions(Live(live), load=partial(load_predictor, keep=keep, copies=copies_folder()))
    routes = Routes(champions, metrics, live.parent)
    life = Life(routes, bento, champions)
    hosts = Hosts([name for name in os.environ.get(HOSTS, "").split(",") if name])
    folder = os.environ.get(ACCESS_LOG)
    # Workers that follow each other have one number; those that run at once never have.
    access = AccessLog(Path(folder) / f"access-{server_context.worker_index or 1}.jsonl") if folder else None
    keys = project_keys(live.parent, everyone=bool(os.environ.get(OPEN_TO_ALL)))
    guard = Guard(life, routes.table, keys, metrics, hosts=hosts, access=access)
    life.stopping = Stopping(guard, routes.jobs)
    return guard


def project_keys(folder: Path, *, everyone: bool) -> Keys:
    """The keys of the environment and of a project's file.

    Args:
        folder: The project's folder.
        everyone: Whether to let everyone in while there is none.

    Raises:
        SettingsError: A key could never be sent, or the file can be read by others or was altered.
    """
    return Keys.from_text(os.environ.get(KEYS_VARIABLE, ""), KeyFile(folder / KEYS_FILE), everyone=everyone)


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


_ALLOCATOR = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""What glibc is told before a worker starts: large bodies go back to the system once they are answered. By itself it
learns to keep such pieces, and each worker kept some 45 MB after the first flood."""


def run_server(
    folder: Path,
    host: str = "127.0.0.1",
    port: int = 3000,
    workers: int = 1,
    *,
    open_to_all: bool = False,
    hosts: Sequence[str] = (),
    access_log: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; then all workers are gone.

    Args:
        folder: The project's folder; champions and snapshot lie in its ``live``.
        host: IP address to listen on.
        port: Port to listen on.
        workers: Processes that answer.
        open_to_all: Whether to answer others than this machine without any API key.
        hosts: Names the server may be called by, besides this machine's.
        access_log: Whether to write a line a request into the folder ``logs``.

    Raises:
        SettingsError: The address cannot be listened on, there are no workers, or strangers would be
            let in and nobody said so.
    """
    if workers < 1:
        raise SettingsError(f"workers is {workers}; give 1 or more")
    if not os.environ.get(KEPT, "0").isdecimal():
        raise SettingsError(f"{KEPT} is {os.environ[KEPT]!r}; give a number of predictions, 0 for none")
    host = "127.0.0.1" if host == "localhost" else host
    _check_keys(folder, host, open_to_all=open_to_all)
    _probe(host, port)
    os.environ[OPEN_TO_ALL] = "1" if open_to_all or _is_loopback(host) else ""
    os.environ[HOSTS] = ",".join(filter(None, (os.environ.get(HOSTS), *hosts)))
    if access_log:
        os.environ[ACCESS_LOG] = str((folder / "logs").resolve())
    os.environ[LIVE] = str((folder / "live").resolve())
    # Workers are started as `python -m`, and BentoML searches its working folder before all others: a folder
    # called features where the user stands would be taken for ours.
    service.working_dir = root = str(Path(__file__).resolve().parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    os.environ["PYTHONSAFEPATH"] = "1"
    for name, value in _ALLOCATOR.items():
        os.environ.setdefault(name, value)
    name_parent()
    with server_state(Path(os.environ[LIVE])) as state:
        home = str(state)
        from _bentoml_impl.server import serve_http  # type: ignore[import-untyped]  # bentoml has no types here
        from bentoml._internal.configuration.containers import BentoMLContainer

        BentoMLContainer.bentoml_home.set(home)
        BentoMLContainer.prometheus_multiproc_dir.set(os.environ[FOLDER])
        service.config["workers"] = workers
        service.inject_config()
        # Without it a worker waits a day for a client that keeps its connection.
        serve_http(service, host=host, port=port, timeout_graceful_shutdown=_LAST_SECONDS)


def _check_keys(folder: Path, host: str, *, open_to_all: bool) -> None:
    """Refuse to let strangers in unless somebody insists."""
    keys = project_keys(folder, everyone=True)
    if keys or open_to_all or _is_loopback(host):
        return
    raise SettingsError(
        f"{host} can be reached from other machines and there is no API key; run `tokui keys add NAME` first, "
        "or serve everyone with `--open`"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise SettingsError(
            f"{host!r} is no IP address to listen on, such as 127.0.0.1 or 0.0.0.0"
        ) from error


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
