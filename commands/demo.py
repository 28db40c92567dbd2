"""The demo: from nothing to an answer over HTTP, as a user would go, and what it looks like."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import singledispatch
from pathlib import Path
from typing import Any

import httpx
from rich.console import RenderableType
from rich.table import Table

from commands.show import experiments as showexperiments
from commands.show import models as show
from evaluation.experiments.overview import experiments
from evaluation.reports.readout.page import render_experiment
from features.binding.tables import Tables, bind
from features.catalogue.orders import SPENT_WITHIN
from features.errors import SourceError
from features.files import write_text
from features.history import History, read_history
from features.language import LANGUAGES
from features.settings import load_settings
from features.world.simulate import simulate_world
from serving.snapshots import take_snapshot
from training.jobs import JOBS
from training.live import Live, live_folder
from training.promotion import promote_version
from training.readout import read_experiment
from training.tracking import Tracker, Version
from training.value.train import Training

PATIENCE = 90.0
"""Seconds a server may take to be ready."""

Say = Callable[[Any], None]


def run_demo(folder: Path, customers: int, *, say: Say, threads: int = 1) -> dict[str, Any]:
    """Simulate, train, promote, read an experiment, snapshot, serve, and ask for three customers.

    Args:
        folder: Where the world is written; MLflow's folder is ``mlruns`` beside it.
        customers: Accounts of the world.
        say: Shows one thing to the user.
        threads: Worker threads.

    Returns:
        What was found, JSON-able: metrics by model, the experiment, uplift, and the answers.
    """
    begin = time.perf_counter()

    def step(text: str) -> None:
        say(f"[dim]{time.perf_counter() - begin:5.0f} s[/]  {text}")

    step(f"simulating {customers:,} B2B customers over three years, eleven tables, into {folder}/")
    _simulate(folder, customers)
    settings = load_settings(folder / "tokui.toml")
    tracker, live = Tracker(settings.folder / settings.mlruns), Live(live_folder(settings))
    document: dict[str, Any] = {}
    with bind(settings) as tables:
        step(f"bound {len(tables.names)} tables, {sum(r.rows_kept for r in tables.reports):,} rows")
        history = read_history(tables)
        experiment = next(iter(experiments(tables)))
        for job in JOBS.values():
            of = f" from the experiment {experiment}" if job.needs_experiment else ""
            step(f"training {job.name}{of}: {job.contest}")
            made = job.train(tables, history, experiment=experiment, threads=threads)
            version = job.register(tracker, made)
            # A second demo in the same folder meets a world of the same seed and must not stop here.
            promote_version(settings, tracker, live, job.name, force=True)
            document[job.name] = _told(made, version)
            say(_shown(made, version))
        document["experiment"] = _experiment(tables, history, tracker, experiment, step, say, threads)
        step("taking the snapshot: every customer's features as of the last day")
        taken = take_snapshot(tables, threads=threads)
    step("starting the REST API and asking it for three customers")
    document["answers"], document["recommendations"] = _ask(settings.path, live, step)
    say(_answers(document["answers"], settings.currency))
    say(_recommended(document["recommendations"]))
    page = os.path.relpath(settings.folder / f"{document['experiment']['experiment']}.en.html")
    card = os.path.relpath(tracker.artifact(tracker.champion("ltv"), "card.html"))
    step(f"done; {taken.customers:,} customers can be asked for")
    for title, what in (
        ("model card", card),
        ("experiment", f"{page}, in Japanese .ja.html"),
        (
            "MLflow",
            f".venv/bin/mlflow ui --backend-store-uri sqlite:///{os.path.relpath(tracker.folder)}/mlflow.db",
        ),
        ("REST API", f".venv/bin/tokui serve --config {settings.path}"),
        ("everyone", f".venv/bin/tokui score scores.csv --config {settings.path}"),
    ):
        say(f"  {title:11s} {what}")
    return document


def _simulate(folder: Path, customers: int) -> None:
    toml = folder / "tokui.toml"
    # A demo's own leavings are no reason to stop; anybody else's files are.
    simulate_world(folder / "world", customers=customers, years=3, seed=7)
    text = (folder / "world" / "tokui.toml").read_text(encoding="utf-8")
    text = text.replace('source = "', 'source = "world/')
    write_text(toml, text.replace('name = "simulated world"', 'name = "demo"\nmlruns = "../mlruns"', 1))


def _experiment(
    tables: Tables,
    history: History,
    tracker: Tracker,
    name: str,
    step: Callable[[str], None],
    say: Say,
    threads: int,
) -> dict[str, Any]:
    """Read the newest experiment, and write its report."""
    step("reading the experiment: what each arm did, and what it earned")
    readout = read_experiment(tables, history, tracker, name, threads=threads)
    say(showexperiments.summary(readout))
    for lang in LANGUAGES:
        write_text(tables.settings.folder / f"{name}.{lang}.html", render_experiment(readout, lang))
    return readout.to_dict()


@singledispatch
def _told(made: Any, version: Version) -> dict[str, Any]:
    """A training for machines: as a rule what `tokui train` tells."""
    return show.document(made, version)


@_told.register
def _(made: Training, version: Version) -> dict[str, Any]:
    judged = {
        kind: {name: vars(estimate) for name, estimate in candidate.metrics.items()}
        for kind, candidate in made.backtest.candidates.items()
    }
    return {"version": version.number, "chosen": made.backtest.chosen, **judged}


@singledispatch
def _shown(made: Any, version: Version) -> RenderableType:
    """A training for people: as a rule what `tokui train` shows."""
    return show.trained(made, version)


@_shown.register
def _(made: Training, version: Version) -> RenderableType:
    return show.contest_shown(f"{version.task}, {len(made.backtest.actual):,} customers", made)


def _ask(
    config: Path, live: Live, step: Callable[[str], None]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from features.engine.snapshot import open_snapshot

    snapshot = open_snapshot(live.snapshot)
    ordered = snapshot.rows[:, snapshot.names.index(SPENT_WITHIN[365])].argsort()[::-1]
    # A great, a middling and a small account.
    picks = [int(ordered[int(share * (len(ordered) - 1))]) for share in (0.01, 0.25, 0.5)]
    wanted = [snapshot.customer_ids(slice(row, row + 1))[0] for row in picks]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tokui", "serve", "--config", str(config), "--port", str(port)]
    server = subprocess.Popen(  # noqa: S603  # our own command
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, server)
        step(f"POST {address}/predict")
        body = {"customer_ids": wanted, "explain": True}
        answer = httpx.post(f"{address}/predict", json=body, timeout=30)
        answer.raise_for_status()
        predictions: list[dict[str, Any]] = answer.json()["predictions"]
        step(f"POST {address}/recommend")
        answer = httpx.post(f"{address}/recommend", json={"customer_ids": wanted}, timeout=30)
        answer.raise_for_status()
        recommended: dict[str, Any] = answer.json()
        return predictions, recommended
    finally:
        # The server leads its own session, so this ends its workers too.
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        if server.stderr:
            server.stderr.close()


def _wait(address: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE
    reason = "it never answered"
    while time.monotonic() < end:
        if server.poll() is not None:
            said = server.stderr.read().decode(errors="replace").strip() if server.stderr else ""
            raise SourceError(f"the server stopped with status {server.returncode}: {said[-500:]}")
        try:
            answer = httpx.get(f"{address}/readyz", timeout=2)
            if answer.status_code == httpx.codes.OK:
                return
            reason = answer.text
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SourceError(f"the server was not ready after {PATIENCE:.0f} s: {reason}")


def _answers(answers: list[dict[str, Any]], currency: str) -> Table:
    grid = show.grid("customer", f"LTV, {currency}", "has left by", "why", title="three customers, over HTTP")
    for answer in answers:
        ltv = answer["ltv"]
        value = f"[bold]{ltv['value']:,.0f}[/], tier {answer['tier']}\n[dim]{ltv['low']:,.0f} to {ltv['high']:,.0f}[/]"
        risk = "\n".join(
            f"{leaving['days']} days: {leaving['probability']:.0%}" for leaving in answer["churn"]
        )
        why = "\n".join(driver["text"] for driver in answer["drivers"]["churn"][:2])
        grid.add_row(answer["customer_id"], value, risk, why)
    return grid


def _recommended(answer: dict[str, Any]) -> Table:
    made = show.grid("customer", "do", f"brings, {answer['currency']}", "cost", "net", title=answer["note"])
    for recommendation in answer["recommendations"]:
        best = recommendation["actions"][0]
        gain = best["incremental_ltv"]
        brings = f"{gain['value']:+,.0f}\n[dim]{gain['low']:+,.0f} to {gain['high']:+,.0f}[/]"
        chosen = recommendation["chosen"] or f"nothing; best would be {best['arm']}"
        made.add_row(
            recommendation["customer_id"],
            chosen,
            brings,
            f"{best['cost']:,.0f}",
            f"{best['net_value']:+,.0f}",
        )
    return made
