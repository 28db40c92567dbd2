"""A small simulated world, two models fitted on it, and a folder that servers read: once a session."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from features.binding.tables import bind
from features.catalogue.tables import PEOPLE
from features.engine.snapshot import open_snapshot, write_snapshot
from features.history import read_history
from features.settings import load_settings
from features.types import DAY
from features.world.simulate import simulate_world
from serving.api.guard import Guard
from serving.api.keys import Keys
from serving.api.metrics import Metrics
from serving.api.routes import Routes
from serving.predictor.admission import Champion
from serving.predictor.champions import Champions
from serving.predictor.predictor import Predictor
from tests.places import ROOT
from training.live import Live
from training.models.boosting import Trees
from training.models.bundle import Bundle, write_bundle
from training.models.conformal import ConformalIntervals
from training.uplift.crossfit import cross_fit
from training.uplift.rows import UpliftRows, UpliftTrees
from training.uplift.served import fit_served
from training.value.tasks import TASKS

with warnings.catch_warnings():
    # BentoML calls a name that its dependency pathspec has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import serving.service  # noqa: F401 - imported once, before warnings are errors

ZONE = "+09:00"


@dataclass(frozen=True)
class World:
    folder: Path
    settings: object
    tables: object
    history: object
    bundles: dict
    live: Live
    predictor: Predictor


def make_bundle(task, history, kind, rounds=30, scale=1.0):
    """A bundle without the whole backtest: the model, honest facts, canaries and intervals."""
    cutoffs = [history.end - k * 60 * DAY for k in range(14, 0, -1)]
    panel = history.panel(cutoffs)
    model = task.fit(kind, history, panel, history.end, Trees(rounds=rounds))
    newest = history.panel([history.end])
    if task.name == "ltv":
        model = model.with_parameters(total=model.parameters["total"] * scale)
    canary = newest.matrix.take(np.arange(0, len(newest.matrix), max(1, len(newest.matrix) // 16)))
    facts = {"currency": "JPY", "timezone": "Asia/Tokyo"}
    intervals = None
    if task.name == "ltv":
        value = model.predict(newest.matrix)
        facts |= {
            "horizon_days": task.span_days,
            "discount_rate": 0.1,
            "interval": 0.9,
            "tiers": {t: float(np.quantile(value, q)) for t, q in (("A", 0.9), ("B", 0.7), ("C", 0.4))},
        }
        noise = np.random.default_rng(0).normal(0, np.abs(value).mean(), len(value))
        intervals = ConformalIntervals.fit(value + noise, value)
    else:
        facts |= {"horizons_days": list(task.label.horizons_days), "silence_days": task.label.silence_days}
    return Bundle(
        task.name,
        model,
        history.features,
        dict(history.bound),
        facts,
        canary,
        model.predict(canary),
        intervals,
    )


def take(tables, history, path, as_of):
    facts = {"currency": "JPY", "timezone": "Asia/Tokyo"}
    text = f"{np.datetime64(as_of, 'us').astype(object).isoformat()}{ZONE}"
    write_snapshot(path, tables.connection, history.features, PEOPLE, as_of, text, facts)
    return open_snapshot(path)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    made = simulate_world(folder / "world", customers=320, years=3, seed=1)
    settings = load_settings(made.settings)
    tables = bind(settings, only=("customers", "orders"))
    history = read_history(tables)
    live = Live(folder / "live")
    bundles = {}
    for name, kind in (("ltv", "two_part"), ("churn", "hazard")):
        bundles[name] = make_bundle(TASKS[name](settings), history, kind)
        write_bundle(folder / "made" / name, bundles[name])
        live.publish(name, 1, folder / "made" / name)
    snapshot = take(tables, history, live.snapshot, history.end)
    predictor = Predictor(Champion(bundles["ltv"], 1), Champion(bundles["churn"], 1), snapshot)
    yield World(folder, settings, tables, history, bundles, live, predictor)
    tables.close()


ARMS = ("control", "upsell", "renewal call")
COSTS = {"upsell": 500.0, "renewal call": 4000.0}
UPLIFT_KINDS = ("x_learner", "s_learner", "linear", "constant")


@pytest.fixture(scope="session")
def uplifts(world):
    """A bundle of uplift for each kind of learner, fitted on arms and effects that were drawn up."""
    cutoffs = [world.history.end - k * 90 * DAY for k in range(6)]
    matrix = world.history.panel(cutoffs).matrix
    rng = np.random.default_rng(5)
    arm = rng.integers(0, len(ARMS), len(matrix))
    size = np.argsort(np.argsort(matrix.column("orders_amount_sum_365d"))) / len(matrix)
    effect = np.choose(arm, [0, 9000 * size - 3000, 12_000 * (1 - size)])
    money = np.maximum(rng.lognormal(9, 0.5, len(matrix)) * (rng.random(len(matrix)) < 0.8) + effect, 0)
    rows = UpliftRows(matrix, arm, np.full((len(matrix), len(ARMS)), 1 / len(ARMS)), money, ARMS)
    trees = UpliftTrees(Trees(rounds=10), Trees(rounds=10, leaves=4))
    cross = cross_fit(rows, [kind for kind in UPLIFT_KINDS if kind != "constant"], trees, folds=2, repeats=1)
    assert not cross.refused
    made = {}
    for kind in UPLIFT_KINDS:
        model = fit_served(rows, cross, kind, trees)
        facts = {
            "currency": "JPY",
            "timezone": "Asia/Tokyo",
            "outputs": list(ARMS[1:]),
            "span_days": 120,
            "level": 0.95,
            "experiment": "spring",
            "control": ARMS[0],
            "observational": False,
            "proven": model.proven,
            "costs": COSTS,
        }
        canary = matrix.take(np.linspace(0, len(matrix) - 1, 16).astype(int))
        bound = dict(world.history.bound)
        made[kind] = Bundle(
            "uplift", model, world.history.features, bound, facts, canary, model.predict(canary)
        )
    return made


def promote_uplift(live, number, bundle):
    """Put a bundle of uplift where servers read it."""
    folder = live.folder.parent / f"made-uplift-{number}"
    write_bundle(folder, bundle)
    live.publish("uplift", number, folder)


@pytest.fixture(scope="session")
def advised_live(world, uplifts, tmp_path_factory):
    """The world's folder with an uplift champion."""
    folder = tmp_path_factory.mktemp("advised")
    shutil.copytree(world.live.folder, folder / "live")
    promote_uplift(Live(folder / "live"), 1, uplifts["x_learner"])
    return Live(folder / "live")


@pytest.fixture(scope="session")
def advised(advised_live):
    return Asked(advised_live)


@pytest.fixture
def live_copy(world, tmp_path):
    """The world's folder, to be spoilt."""
    shutil.copytree(world.live.folder, tmp_path / "live")
    return Live(tmp_path / "live")


class Asked:
    """The guarded app in process: one request after the other."""

    def __init__(self, live, keys="", most_bytes=8 * 1024 * 1024):
        self.champions, self.metrics = Champions(live), Metrics()
        self.champions.look()
        routes = Routes(self.champions, self.metrics)
        self.app = Guard(routes, routes.table, Keys.from_text(keys), self.metrics, most_bytes)

    def __call__(self, method, path, **options):
        async def ask():
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://tokui") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@pytest.fixture(scope="session")
def asked(world):
    return Asked(world.live)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """`tokui serve` in a process of its own."""

    def __init__(self, folder, workers=1, **environment):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        code = (
            "import sys; from pathlib import Path; from serving.service import run_server; "
            "run_server(Path(sys.argv[1]), '127.0.0.1', int(sys.argv[2]), int(sys.argv[3]))"
        )
        self.log = (folder / "server.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder), str(self.port), str(workers)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            cwd=folder,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def wait(self, seconds=120):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)
        raise AssertionError(self.said())

    def said(self):
        self.log.flush()
        return Path(self.log.name).read_text()

    def workers(self):
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if int(parent) == self.process.pid:
                    found.append(int(entry.name))
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.log.close()
