"""The command line: one verb per step, nothing else.

Rooms are imported inside the verbs, so that ``tokui --help`` answers at once.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from features.errors import TokuiError

if TYPE_CHECKING:
    from features.settings import Settings
    from features.tables import Tables
    from training.tracking import Tracker

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="B2B customer value: from purchase history to lifetime value and churn, as a REST answer.",
)
out = Console()
err = Console(stderr=True)
THREADS = os.cpu_count() or 1

Config = Annotated[Path, typer.Option("--config", "-c", help="The tokui.toml to use.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Task = Annotated[str, typer.Argument(help="ltv or churn.")]
TOML = Path("tokui.toml")


def main() -> None:
    """Run the command line; what a user can mend ends in one line and status 2."""
    debug = "--debug" in sys.argv
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        app(args=arguments, prog_name="tokui")
    except (TokuiError, OSError) as error:
        if debug:
            raise
        if "--json" in arguments:
            typer.echo(
                json.dumps({"error": str(error), "kind": type(error).__name__}, ensure_ascii=False), err=True
            )
        else:
            err.print(f"[bold red]error[/] {_plain(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every verb. The entry point has taken --debug already, wherever it stood."""
    del debug


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("[", "\\[")


def _say(document: Any, as_json: bool, show: Callable[[], None]) -> None:
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))
    else:
        show()


@contextmanager
def _progress(what: str) -> Iterator[Callable[[str], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda step: bars.update(bar, description=f"{what}: {step}")


@contextmanager
def _bound(config: Path) -> "Iterator[Tables]":
    from features.settings import load_settings
    from features.tables import bind

    settings = load_settings(config)
    with _progress("reading tables"):
        tables = bind(settings)
    with tables:
        yield tables


def _tracker(settings: "Settings") -> "Tracker":
    from training.tracking import Tracker

    return Tracker(settings.folder / settings.mlruns)


def _task(name: str) -> None:
    from features.errors import SettingsError
    from training.tasks import TASKS

    if name not in TASKS:
        raise SettingsError(f"{name!r} is not a task; those are {', '.join(TASKS)}")


def _moment(text: str | None, what: str) -> int | None:
    from features.errors import SettingsError
    from features.observations import moment

    if text is None:
        return None
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError as error:
        raise SettingsError(f"{what} {text!r} is not a date such as 2026-04-01, without a zone") from error


@app.command()
def init(
    files: Annotated[list[Path], typer.Argument(help="The files your history is in.")],
    config: Config = TOML,
    currency: Annotated[str | None, typer.Option(help="ISO 4217 code of your money.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of your times, such as Asia/Tokyo.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a tokui.toml that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Look at files and write a commented tokui.toml with the best guess of the mapping."""
    from features.errors import SettingsError
    from features.files import write_text
    from features.guess import guess_settings

    if config.exists() and not force:
        raise SettingsError(f"{config} is there already; give --force to replace it, or another --config")
    text = guess_settings(files, currency=currency, timezone=timezone, folder=config.resolve().parent)
    write_text(config, text)
    _say(
        {"written": str(config), "toml": text},
        as_json,
        lambda: out.print(f"wrote [bold]{config}[/]; read its comments, then run [bold]tokui check[/]"),
    )


@app.command()
def check(config: Config = TOML, as_json: Json = False) -> None:
    """Bind all tables, validate every row, and report what was found and what was dropped."""
    from serving import show

    with _bound(config) as tables:
        reports = [report.to_dict() for report in tables.reports]

        document = {"tables": reports, "fingerprint": tables.fingerprint}
        _say(document, as_json, lambda: out.print(show.reports(tables.reports), highlight=False))


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Where the world is written.")],
    customers: Annotated[int, typer.Option(min=10)] = 5000,
    years: Annotated[float, typer.Option(min=0.5, max=20)] = 3,
    seed: int = 7,
    as_json: Json = False,
) -> None:
    """Write a simulated B2B world: eleven tables, their truth, and a tokui.toml."""
    from features.simulate import simulate as make

    with _progress("simulating") as step:
        world = make(folder, customers=customers, years=years, seed=seed, progress=step)
    rows = dict(world.rows)
    _say(
        {"folder": str(folder), "rows": rows},
        as_json,
        lambda: out.print(
            f"wrote {sum(rows.values()):,} rows in {len(rows)} files and tokui.toml to [bold]{folder}[/]"
        ),
    )


@app.command()
def features(
    path: Annotated[Path, typer.Argument(help="The Parquet file to write.")] = Path("training-set.parquet"),
    config: Config = TOML,
    first: Annotated[str | None, typer.Option(help="First cutoff, a date.")] = None,
    last: Annotated[
        str | None, typer.Option(help="Last cutoff, a date; the end of the data if not given.")
    ] = None,
    step_days: Annotated[int | None, typer.Option(min=1, help="Days between cutoffs.")] = None,
    as_json: Json = False,
) -> None:
    """Write a training set, features and outcomes, for a grid of cutoffs."""
    from features.errors import SettingsError
    from features.observations import cutoff_grid, wall_clock
    from features.windows import DAY
    from training.export import write_training_set
    from training.history import read_history

    with _bound(config) as tables, _progress("features") as step:
        training = tables.settings.training
        history = read_history(tables)
        begin = _moment(first, "--first") or history.start + training.min_history_days * DAY
        begin = max(begin, history.start)
        grid = cutoff_grid(
            begin,
            min(_moment(last, "--last") or history.end, history.end),
            step_days or training.step_days,
            10_000,
        )
        if not grid:
            raise SettingsError(
                "no cutoff lies between --first and --last; the history begins "
                f"{wall_clock(history.start):%Y-%m-%d} and ends {wall_clock(history.end):%Y-%m-%d}"
            )
        rows = write_training_set(
            tables, grid, path, threads=THREADS, progress=lambda done, of: step(f"{done:,} of {of:,} rows")
        )
    _say(
        {"path": str(path), "rows": rows, "cutoffs": [wall_clock(c).isoformat() for c in grid]},
        as_json,
        lambda: out.print(f"wrote {rows:,} rows at {len(grid)} cutoffs to [bold]{path}[/]"),
    )


@app.command()
def train(
    tasks: Annotated[list[str] | None, typer.Argument(help="ltv, churn, or both if not given.")] = None,
    config: Config = TOML,
    trials: Annotated[int, typer.Option(min=0, help="Tuning trials a candidate; resumes after a kill.")] = 0,
    as_json: Json = False,
) -> None:
    """Train models, judge them out of time against baselines, and register the best as challenger."""
    from serving import show
    from training.history import read_history
    from training.register import register
    from training.tasks import TASKS
    from training.train import train as fit

    names = tasks or list(TASKS)
    for name in names:
        _task(name)
    found = []
    with _bound(config) as tables:
        tracker = _tracker(tables.settings)
        history = read_history(tables)
        for name in names:
            with _progress(name) as step:
                made = fit(
                    TASKS[name](tables.settings), history, trials=trials,
                    journals=tracker.folder / "tuning", threads=THREADS, progress=step,
                )  # fmt: skip
                step("registering")
                version = register(tracker, made)
            found.append(show.version_document(version) | {"refused": made.backtest.refused})
            if not as_json:
                judged = {kind: each.metrics for kind, each in made.backtest.candidates.items()}
                title = f"{name} {version.number}, {len(made.backtest.actual):,} customers from {version.judged_at[:10]} on"
                out.print(show.compared(title, version.kind, judged, made.backtest.refused))
                out.print(f"model card: {tracker.artifact(version, 'card.html')}", soft_wrap=True)
    _say(found, as_json, lambda: out.print("next: [bold]tokui promote[/]"))


@app.command()
def models(config: Config = TOML, as_json: Json = False) -> None:
    """List model versions, their aliases and out-of-time metrics."""
    from features.settings import load_settings
    from serving import show
    from training.tasks import TASKS

    tracker = _tracker(load_settings(config))
    versions = [version for task in TASKS for version in tracker.versions(task)]

    documents = [show.version_document(version) for version in versions]
    _say(documents, as_json, lambda: out.print(show.versions(versions)))


@app.command()
def promote(
    tasks: Annotated[list[str] | None, typer.Argument(help="ltv, churn, or both if not given.")] = None,
    config: Config = TOML,
    version: Annotated[int | None, typer.Option(help="A version instead of the challenger.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote even if worse; a tag will say so.")] = False,
    as_json: Json = False,
) -> None:
    """Make the challenger champion, unless it is worse out of time than the champion."""
    from features.settings import load_settings
    from serving import show
    from training.live import Live, live_folder
    from training.promotion import promote as crown
    from training.tasks import TASKS

    settings = load_settings(config)
    tracker, live = _tracker(settings), Live(live_folder(settings))
    waiting = [task for task in TASKS if version or tracker.holding(task, "challenger")]
    names = tasks or waiting or list(TASKS)
    done = []
    for name in names:
        _task(name)
        done.append(crown(settings, tracker, live, name, number=version, force=force))
        if not as_json:
            out.print(show.promoted(done[-1]))
    _say(
        [{"task": d.version.task, "version": d.version.number, "forced": d.forced} for d in done],
        as_json,
        lambda: None,
    )


@app.command()
def snapshot(
    config: Config = TOML,
    as_of: Annotated[
        str | None, typer.Option(help="A date; the day after the last order if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute every customer's features as of now, for the server and for scoring."""
    from serving.take import take_snapshot

    with _bound(config) as tables, _progress("snapshot"):
        taken = take_snapshot(tables, _moment(as_of, "--as-of"), threads=THREADS)
    _say(
        {"path": str(taken.path), "customers": taken.customers, "as_of": taken.as_of_text},
        as_json,
        lambda: out.print(
            f"wrote {taken.customers:,} customers as of [bold]{taken.as_of_text[:10]}[/] to {taken.path}"
        ),
    )


@app.command()
def serve(
    config: Config = TOML,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 1,
    as_json: Json = False,
) -> None:
    """Start the REST API with the champions."""
    from features.settings import load_settings
    from serving.service import serve as start
    from training.live import Live, live_folder
    from training.promotion import sync

    settings = load_settings(config)
    sync(_tracker(settings), Live(live_folder(settings)))
    url = f"http://{host}:{port}"
    _say({"url": url, "workers": workers}, as_json, lambda: out.print(f"{url}/docs  (stop with Ctrl-C)"))
    start(settings.folder, host, port, workers)


@app.command()
def score(
    path: Annotated[Path, typer.Argument(help="The .parquet or .csv file to write.")] = Path(
        "scores.parquet"
    ),
    config: Config = TOML,
    as_json: Json = False,
) -> None:
    """Write the champions' predictions for all customers of the snapshot."""
    from features.settings import load_settings
    from serving.batch import score as write
    from serving.champions import load_predictor
    from training.live import Live, live_folder
    from training.promotion import sync

    settings = load_settings(config)
    live = Live(live_folder(settings))
    sync(_tracker(settings), live)
    with _progress("scoring") as step:
        rows = write(load_predictor(live), path, progress=step)
    _say(
        {"path": str(path), "rows": rows},
        as_json,
        lambda: out.print(f"wrote {rows:,} customers to [bold]{path}[/]"),
    )


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo's world is written.")] = Path("demo"),
    customers: Annotated[int, typer.Option(min=500)] = 4000,
    as_json: Json = False,
) -> None:
    """Simulate a world, train, promote, serve, and ask for three customers."""
    from serving.demo import run_demo

    found = run_demo(folder, customers, say=err.print if as_json else out.print, threads=THREADS)
    _say(found, as_json, lambda: None)


if __name__ == "__main__":
    main()
