"""POST /predict for one random customer: tokui beside an empty app, bare ASGI, a plain BentoML API and MLflow.

    python -m benchmarks.serving [--customers 2000] [--seconds 5] [--connections 1 16 64] [--workers 1 2]

All but the empty app answer from the same champions and snapshot: bare ASGI by tokui's predictor, the
BentoML API and the MLflow model by the models' own predict, as one would write them. ``tokui`` is as it
ships and remembers predictions; ``anew`` is tokui told to remember none, and what bare ASGI is fairly
compared with. The client is wrk on the
same machine (an asyncio client where there is no wrk), so requests a second are those of a machine
that also asks; CPU per request is the servers' own, from /proc. A line a measurement, and one JSON
object last: ``figures``, and ``ratios`` of tokui to mlflow (requests a second, higher is better)
and to bare ASGI (CPU, lower is better), each at every setting and at its worst.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from benchmarks.serving_peers import MLFLOW_MODEL
from features.binding.tables import bind
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import PEOPLE
from features.engine.snapshot import open_snapshot, write_snapshot
from features.engine.store import bound_columns
from features.history import read_history
from features.settings import load_settings
from features.world.simulate import simulate_world
from training.live import Live
from training.models.bundle import write_bundle
from training.value.tasks import TASKS
from training.value.train import train_value

ROOT = Path(__file__).resolve().parents[1]
SERVERS = ("tokui", "anew", "empty", "bare", "bentoml", "mlflow")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figure:
    """One measurement.

    Args:
        server: Who answered.
        connections: Requests under way at once.
        workers: Processes that answered.
        requests_s: Requests a second.
        p50_ms: Median latency.
        p99_ms: 99th percentile.
        cpu_us: Server CPU microseconds a request.
        failed: Answers that were not 2xx.
    """

    server: str
    connections: int
    workers: int
    requests_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    failed: int


def build(folder: Path, customers: int) -> Live:
    """Simulate a world, train both models and put them where servers read."""
    world = simulate_world(folder / "world", customers=customers, years=3, seed=1)
    settings = load_settings(world.settings)
    live = Live(folder / "live")
    with bind(settings, only=("customers", "orders")) as tables:
        history = read_history(tables)
        for name, task in TASKS.items():
            write_bundle(folder / name, train_value(task(settings), history).bundle)
            live.publish(name, 1, folder / name)
        facts = {"currency": settings.currency, "timezone": settings.timezone}
        features = PURCHASES.bound_to(bound_columns(tables.connection))
        text = f"{np.datetime64(history.end, 'us')}+09:00"
        write_snapshot(live.snapshot, tables.connection, features, PEOPLE, history.end, text, facts)
    return live


def command(server: str, folder: Path, port: int, workers: int) -> list[str]:
    """How a server is started."""
    python = [sys.executable, "-m"]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    if server in {"tokui", "anew"}:
        code = "import sys; from pathlib import Path; from serving.service import run_server; run_server(Path(sys.argv[1]), '127.0.0.1', int(sys.argv[2]), int(sys.argv[3]))"
        return [sys.executable, "-c", code, str(folder), str(port), str(workers)]
    if server in {"empty", "bare"}:
        app = f"benchmarks.serving_peers:{server}"
        return [
            *python,
            "uvicorn",
            app,
            *where,
            "--workers",
            str(workers),
            "--no-access-log",
            "--log-level",
            "warning",
        ]
    if server == "bentoml":
        return [*python, "bentoml", "serve", "benchmarks.serving_peers:Plain", *where]
    model = folder / "mlflow"
    if not model.exists():
        import mlflow

        (folder / "peer.py").write_text(MLFLOW_MODEL)
        mlflow.pyfunc.save_model(model, python_model=folder / "peer.py", pip_requirements=[])
    local = ["--env-manager", "local", "--workers", str(workers)]
    return [*python, "mlflow", "models", "serve", "-m", str(model), *where, *local]


def asked(server: str, customer: str) -> tuple[str, str]:
    """Path and body of one request."""
    if server == "mlflow":
        return "/invocations", json.dumps(
            {"dataframe_split": {"columns": ["customer_id"], "data": [[customer]]}}
        )
    return "/predict", json.dumps({"customer_ids": [customer]})


def answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether a server answers before it ends, or two minutes have passed."""
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        try:
            with urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.2)
    return False


@contextmanager
def running(server: str, folder: Path, workers: int) -> Iterator[tuple[int, int]]:
    """A server that is ready; gives its process and port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        # MLflow starts uvicorn by its name.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TOKUI_LIVE": str(folder / "live"),
        "PEER_WORKERS": str(workers),
        # A server that remembers answers most of these requests from memory; its rivals do not.
        "TOKUI_KEEP": "50000" if server == "tokui" else "0",
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
    }
    with (folder / f"{server}.log").open("w") as log:
        process = subprocess.Popen(
            command(server, folder, port, workers),
            cwd=folder if server != "bentoml" else ROOT,
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        path = {"empty": "/", "bare": "/", "mlflow": "/ping"}.get(server, "/readyz")
        if not answers(f"http://127.0.0.1:{port}{path}", process):
            raise SystemExit(f"{server} did not start:\n{(folder / f'{server}.log').read_text()[-2000:]}")
        # Every worker gets to load its models.
        time.sleep(3)
        yield process.pid, port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def cpu_seconds(root: int) -> float:
    """CPU seconds of a process and all below it."""
    parents, used = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = (int(fields[11]) + int(fields[12])) / _TICK
    total, wanted = 0.0, [root]
    while wanted:
        process = wanted.pop()
        total += used.get(process, 0.0)
        wanted += [child for child, parent in parents.items() if parent == process]
    return total


_LUA = """
local bodies = %s
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
request = function() return wrk.format(nil, "%s", nil, bodies[math.random(#bodies)]) end
done = function(s, l)
  io.write(string.format("\\nDONE %%d %%d %%f %%f %%d\\n", s.requests, s.duration, l:percentile(50), l:percentile(99), s.errors.status + s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout))
end
"""


def ask_wrk(
    url: str, path: str, bodies: list[str], connections: int, seconds: float, folder: Path
) -> list[float]:
    """Requests, seconds, median and 99th percentile in ms, failures: by wrk."""
    script = folder / "ask.lua"
    script.write_text(_LUA % ("{" + ",".join(f"[==[{body}]==]" for body in bodies) + "}", path))
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script), url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    requests, micros, p50, p99, failed = (float(each) for each in said.partition("DONE ")[2].split())
    return [requests, micros / 1e6, p50 / 1e3, p99 / 1e3, failed]


async def ask_asyncio(
    port: int, path: str, bodies: list[str], connections: int, seconds: float
) -> list[float]:
    """The same by this process, whose own cost then counts in."""
    begin = time.perf_counter()
    took: list[float] = []
    failed = 0

    async def one(first: int) -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        k = first
        while time.perf_counter() - begin < seconds:
            body = bodies[k % len(bodies)]
            k += connections
            start = time.perf_counter()
            writer.write(
                f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length:" in head:
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
            else:
                await reader.readuntil(b"0\r\n\r\n")
            took.append(time.perf_counter() - start)
            failed += b" 200 " not in head[:16]
        writer.close()

    await asyncio.gather(*(one(k) for k in range(connections)))
    p50, p99 = np.percentile(took, [50, 99]) * 1e3
    return [float(len(took)), time.perf_counter() - begin, float(p50), float(p99), float(failed)]


def measure(
    server: str, folder: Path, ids: list[str], connections: list[int], workers: int, seconds: float
) -> Iterator[Figure]:
    """One server at every number of connections."""
    path, _ = asked(server, "")
    bodies = [asked(server, name)[1] for name in ids]
    with running(server, folder, workers) as (process, port):

        def ask(count: int, long: float) -> list[float]:
            if shutil.which("wrk"):
                return ask_wrk(f"http://127.0.0.1:{port}", path, bodies, count, long, folder)
            return asyncio.run(ask_asyncio(port, path, bodies, count, long))

        ask(8, 1)
        for count in connections:
            before = cpu_seconds(process)
            requests, took, p50, p99, failed = ask(count, seconds)
            cpu = cpu_seconds(process) - before
            yield Figure(
                server, count, workers, round(requests / took, 1), round(p50, 3), round(p99, 3),
                round(cpu / requests * 1e6, 1), int(failed),
            )  # fmt: skip


def ratios(figures: list[Figure]) -> dict[str, float]:
    """Tokui against MLflow and bare ASGI, setting by setting, and the worst of each."""
    at = {(f.server, f.connections, f.workers): f for f in figures}
    found: dict[str, float] = {}
    for mine in ("tokui", "anew"):
        settings = [(connections, workers) for server, connections, workers in at if server == mine]
        faster = {
            f"c{c}_w{w}": round(at[mine, c, w].requests_s / at["mlflow", c, w].requests_s, 2)
            for c, w in settings
            if ("mlflow", c, w) in at
        }
        dearer = {
            f"c{c}_w{w}": round(at[mine, c, w].cpu_us / at["bare", c, w].cpu_us, 2)
            for c, w in settings
            # Bare ASGI remembers nothing either; beside a server that does it would look bad.
            if ("bare", c, w) in at and mine == "anew"
        }
        found |= {f"{mine}_requests_s_to_mlflow_{setting}": value for setting, value in faster.items()}
        found |= {f"{mine}_cpu_to_bare_{setting}": value for setting, value in dearer.items()}
        if faster:
            found[f"{mine}_requests_s_to_mlflow_least"] = min(faster.values())
        if dearer:
            found[f"{mine}_cpu_to_bare_most"] = max(dearer.values())
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--servers", nargs="+", default=list(SERVERS), choices=SERVERS)
    options = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="tokui-serving-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        live = build(folder, options.customers)
        snapshot = open_snapshot(live.snapshot)
        ids = snapshot.customer_ids(slice(None))
        chosen = np.random.default_rng(0).choice(len(ids), min(500, len(ids)), replace=False)
        for workers in options.workers:
            for server in options.servers:
                for figure in measure(
                    server, folder, [ids[k] for k in chosen], options.connections, workers, options.seconds
                ):
                    figures.append(figure)
                    print(figure, flush=True)
        customers = len(snapshot)
    print(json.dumps({
        "benchmark": "serving", "customers": customers, "seconds": options.seconds,
        "figures": [asdict(each) for each in figures], "ratios": ratios(figures),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
