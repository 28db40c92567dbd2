"""The command line: one verb per step, nothing else.

Rooms are imported inside the verbs, so that ``tokui --help`` answers at once.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from features.counted import counted
from features.errors import TokuiError
from serving import experiments
from serving.terminal import (
    THREADS,
    TOML,
    Config,
    Json,
    bound,
    err,
    moment_of,
    one_line,
    out,
    progress,
    say,
    tracker_of,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="B2B customer value: from purchase history to lifetime value, churn and uplift, as a REST answer.",
)
app.add_typer(experiments.app, name="experiment")


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
            err.print(f"[bold red]error[/] {one_line(str(error))}", soft_wrap=True, highlight=False)
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


def _task(name: str) -> None:
    from features.errors import SettingsError
    from training.promotion import ALL

    if name not in ALL:
        raise SettingsError(f"{name!r} is not a task; those are {', '.join(ALL)}")


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
    say(
        {"written": str(config), "toml": text},
        as_json,
        lambda: out.print(f"wrote [bold]{config}[/]; read its comments, then run [bold]tokui check[/]"),
    )


@app.command()
def check(config: Config = TOML, as_json: Json = False) -> None:
    """Bind all tables, validate every row, and report what was found and what was dropped."""
    from evaluation.experiment import plain
    from serving import show, showexperiments
    from training.assigned import assigned
    from training.enrolment import costs_of_nobody

    with bound(config) as tables:
        reports = [report.to_dict() for report in tables.reports]
        there = "assignments" in tables.names
        found, strange = (assigned(tables), costs_of_nobody(tables)) if there else ([], None)
    document = {
        "tables": reports,
        "experiments": plain(found),
        "warnings": [strange] if strange else [],
        "fingerprint": tables.fingerprint,
    }

    def shown() -> None:
        out.print(show.reports(tables.reports), highlight=False)
        if found:
            out.print(showexperiments.experiments(found, strange), highlight=False)

    say(document, as_json, shown)


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

    with progress("simulating") as step:
        world = make(folder, customers=customers, years=years, seed=seed, progress=step)
    rows = dict(world.rows)
    say(
        {"folder": str(folder), "rows": rows},
        as_json,
        lambda: out.print(
            f"wrote {counted(sum(rows.values()), 'row')} in {counted(len(rows), 'file')} and tokui.toml to [bold]{folder}[/]"
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

    with bound(config) as tables, progress("features") as step:
        training = tables.settings.training
        history = read_history(tables)
        begin = moment_of(first, "--first") or history.start + training.min_history_days * DAY
        begin = max(begin, history.start)
        grid = cutoff_grid(
            begin,
            min(moment_of(last, "--last") or history.end, history.end),
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
    say(
        {"path": str(path), "rows": rows, "cutoffs": [wall_clock(c).isoformat() for c in grid]},
        as_json,
        lambda: out.print(
            f"wrote {counted(rows, 'row')} at {counted(len(grid), 'cutoff')} to [bold]{path}[/]"
        ),
    )


@app.command()
def train(
    tasks: Annotated[
        list[str] | None, typer.Argument(help="ltv, churn or uplift; the first two if not given.")
    ] = None,
    config: Config = TOML,
    trials: Annotated[int, typer.Option(min=0, help="Tuning trials a candidate; resumes after a kill.")] = 0,
    experiment: Annotated[
        str | None, typer.Option(help="The experiment uplift is learnt from; needed where there are several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train models, judge them on what they have not seen, and register the best as challenger."""
    from serving import show
    from training.history import read_history
    from training.register import register
    from training.tasks import TASKS
    from training.train import train as fit
    from training.uplift_register import register_uplift
    from training.uplift_train import UPLIFT, train_uplift

    names = tasks or list(TASKS)
    for name in names:
        _task(name)
    found = []
    with bound(config) as tables:
        tracker = tracker_of(tables.settings)
        history = read_history(tables)
        for name in names:
            if name == UPLIFT:
                with progress(name) as step:
                    learnt = train_uplift(
                        tables, history, experiment, trials=trials,
                        journals=tracker.folder / "tuning", threads=THREADS, progress=step,
                    )  # fmt: skip
                    step("registering")
                    version = register_uplift(tracker, learnt)
                found.append(show.uplift_document(version, learnt))
                if not as_json:
                    out.print(show.uplift(version, learnt))
                continue
            with progress(name) as step:
                made = fit(
                    TASKS[name](tables.settings), history, trials=trials,
                    journals=tracker.folder / "tuning", threads=THREADS, progress=step,
                )  # fmt: skip
                step("registering")
                version = register(tracker, made)
            found.append(show.version_document(version) | {"refused": made.backtest.refused})
            if not as_json:
                judged = {kind: each.metrics for kind, each in made.backtest.candidates.items()}
                judged_on = counted(len(made.backtest.actual), "customer")
                title = f"{name} {version.number}, {judged_on} from {version.judged_at[:10]} on"
                out.print(show.compared(title, version.kind, judged, made.backtest.refused))
                out.print(f"model card: {tracker.artifact(version, 'card.html')}", soft_wrap=True)
    say(found, as_json, lambda: out.print("next: [bold]tokui promote[/]"))


@app.command()
def models(config: Config = TOML, as_json: Json = False) -> None:
    """List model versions, their aliases and out-of-time metrics."""
    from features.settings import load_settings
    from serving import show
    from training.promotion import ALL

    tracker = tracker_of(load_settings(config))
    versions = [version for task in ALL for version in tracker.versions(task)]

    documents = [show.version_document(version) for version in versions]
    say(documents, as_json, lambda: out.print(show.versions(versions)))


@app.command()
def promote(
    tasks: Annotated[
        list[str] | None, typer.Argument(help="ltv, churn or uplift; all with a challenger if not given.")
    ] = None,
    config: Config = TOML,
    version: Annotated[int | None, typer.Option(help="A version instead of the challenger.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote even if worse; a tag will say so.")] = False,
    as_json: Json = False,
) -> None:
    """Make the challenger champion, unless it is worse out of time than the champion."""
    from features.settings import load_settings
    from serving import show
    from training.live import Live, live_folder
    from training.promotion import ALL
    from training.promotion import promote as crown
    from training.tasks import TASKS

    settings = load_settings(config)
    tracker, live = tracker_of(settings), Live(live_folder(settings))
    waiting = [task for task in ALL if tracker.holding(task, "challenger")]
    names = tasks or (list(TASKS) if version or not waiting else waiting)
    done = []
    for name in names:
        _task(name)
        done.append(crown(settings, tracker, live, name, number=version, force=force))
        if not as_json:
            out.print(show.promoted(done[-1]))
    say(
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

    with bound(config) as tables, progress("snapshot"):
        taken = take_snapshot(tables, moment_of(as_of, "--as-of"), threads=THREADS)
    say(
        {"path": str(taken.path), "customers": taken.customers, "as_of": taken.as_of_text},
        as_json,
        lambda: out.print(
            f"wrote {counted(taken.customers, 'customer')} as of [bold]{taken.as_of_text[:10]}[/] to {taken.path}"
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
    sync(tracker_of(settings), Live(live_folder(settings)))
    url = f"http://{host}:{port}"
    say({"url": url, "workers": workers}, as_json, lambda: out.print(f"{url}/docs  (stop with Ctrl-C)"))
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
    sync(tracker_of(settings), live)
    with progress("scoring") as step:
        rows = write(load_predictor(live), path, progress=step)
    say(
        {"path": str(path), "rows": rows},
        as_json,
        lambda: out.print(f"wrote {counted(rows, 'customer')} to [bold]{path}[/]"),
    )


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo's world is written.")] = Path("demo"),
    customers: Annotated[int, typer.Option(min=1500)] = 4000,
    as_json: Json = False,
) -> None:
    """Simulate a world, train, promote, serve, and ask for three customers."""
    from serving.demo import run_demo

    found = run_demo(folder, customers, say=err.print if as_json else out.print, threads=THREADS)
    say(found, as_json, lambda: None)


if __name__ == "__main__":
    main()
