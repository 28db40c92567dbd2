"""Verbs of what is live: take the snapshot, serve, score, and the demo."""

from pathlib import Path
from typing import Annotated

import typer

from commands.shared import THREADS, TOML, Config, Json, bound, err, moment_of, out, progress, say, tracker_of
from features.counted import counted


def snapshot(
    config: Config = TOML,
    as_of: Annotated[
        str | None, typer.Option(help="A date; the day after the last order if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute every customer's features as of now, for the server and for scoring."""
    from serving.snapshots import take_snapshot

    with bound(config, quiet=as_json) as tables, progress("snapshot"):
        taken = take_snapshot(tables, moment_of(as_of, "--as-of"), threads=THREADS)
    say(
        {"path": str(taken.path), "customers": taken.customers, "as_of": taken.as_of_text},
        as_json,
        lambda: out.print(
            f"wrote {counted(taken.customers, 'customer')} as of [bold]{taken.as_of_text[:10]}[/] to {taken.path}"
        ),
    )


def serve(
    config: Config = TOML,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 1,
    open_to_all: Annotated[
        bool, typer.Option("--open", help="Let everyone in where there is no API key, other machines too.")
    ] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name the server may be called by; * for any. Repeat for more.")
    ] = None,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Write a line of JSON a request into the folder logs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Start the REST API with the champions."""
    from features.settings import load_settings
    from serving.service import run_server
    from training.live import Live, live_folder
    from training.promotion import sync_live

    settings = load_settings(config)
    sync_live(tracker_of(settings), Live(live_folder(settings)))
    url = f"http://{host}:{port}"
    say({"url": url, "workers": workers}, as_json, lambda: out.print(f"{url}/docs  (stop with Ctrl-C)"))
    run_server(
        settings.folder,
        host,
        port,
        workers,
        open_to_all=open_to_all,
        hosts=allow_host or (),
        access_log=access_log,
    )


def score(
    path: Annotated[Path, typer.Argument(help="The .parquet or .csv file to write.")] = Path(
        "scores.parquet"
    ),
    config: Config = TOML,
    groups: Annotated[
        Path | None,
        typer.Option(help="Also write each group's values, a company and its subsidiaries, to this file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the champions' predictions for all customers of the snapshot."""
    from features.settings import load_settings
    from serving.grouping import write_groups
    from serving.predictor.champions import load_predictor
    from serving.scoring import write_scores
    from training.live import Live, live_folder
    from training.promotion import sync_live

    settings = load_settings(config)
    live = Live(live_folder(settings))
    sync_live(tracker_of(settings), live)
    with progress("scoring") as step:
        predictor = load_predictor(live)
        # Groups first: if there are none, that is said before everyone is scored.
        together = None if groups is None else write_groups(predictor, groups)
        rows = write_scores(predictor, path, progress=step)
    written: dict[str, object] = {"path": str(path), "rows": rows}
    if together is not None:
        written |= {"groups_path": str(groups), "groups": together}

    def shown() -> None:
        out.print(f"wrote {counted(rows, 'customer')} to [bold]{path}[/]")
        if together is not None:
            out.print(f"wrote {counted(together, 'group')} to [bold]{groups}[/]")

    say(written, as_json, shown)


def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo's world is written.")] = Path("demo"),
    customers: Annotated[int, typer.Option(min=1500)] = 4000,
    as_json: Json = False,
) -> None:
    """Simulate a world, train, promote, serve, and ask for three customers."""
    from commands.demo import run_demo

    document = run_demo(folder, customers, say=err.print if as_json else out.print, threads=THREADS)
    say(document, as_json, lambda: None)
