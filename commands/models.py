"""Verbs of models: train, list, promote."""

from typing import Annotated

import typer
from rich.markup import escape

from commands.shared import THREADS, TOML, Config, Json, bound, out, progress, say, tracker_of


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
    from commands.show import models as show
    from features.history import read_history
    from training.jobs import USUAL, job_of

    jobs = [job_of(name) for name in tasks or USUAL]
    documents = []
    with bound(config, quiet=as_json) as tables:
        tracker = tracker_of(tables.settings)
        tracker.check_writable()
        history = read_history(tables)
        for job in jobs:
            with progress(job.name) as step:
                made = job.train(
                    tables, history, experiment=experiment, trials=trials,
                    journals=tracker.folder / "tuning", threads=THREADS, progress=step,
                )  # fmt: skip
                step("registering")
                version = job.register(tracker, made)
            documents.append(show.document(made, version))
            if not as_json:
                out.print(show.trained(made, version))
                if unasked := version.tags.get("champion_unasked"):
                    out.print(escape(unasked), soft_wrap=True)
                if (card := tracker.artifact(version, "card.html")).exists():
                    out.print(f"model card: {card}", soft_wrap=True)
    say(documents, as_json, lambda: out.print("next: [bold]tokui promote[/]"))


def models(config: Config = TOML, as_json: Json = False) -> None:
    """List model versions, their aliases and out-of-time metrics."""
    from commands.show import models as show
    from features.settings import load_settings
    from training.jobs import JOBS

    tracker = tracker_of(load_settings(config))
    versions = [version for task in JOBS for version in tracker.versions(task)]

    documents = [show.version_document(version) for version in versions]
    say(documents, as_json, lambda: out.print(show.versions(versions)))


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
    from commands.show import models as show
    from features.settings import load_settings
    from training.jobs import JOBS, USUAL, job_of
    from training.live import Live, live_folder
    from training.promotion import promote_version

    settings = load_settings(config)
    tracker, live = tracker_of(settings), Live(live_folder(settings))
    waiting = [task for task in JOBS if tracker.holding(task, "challenger")]
    names = tasks or (USUAL if version or not waiting else waiting)
    done = []
    for name in names:
        job = job_of(name)
        done.append(promote_version(settings, tracker, live, job.name, number=version, force=force))
        if not as_json:
            out.print(show.promoted(done[-1]))
    say(
        [{"task": d.version.task, "version": d.version.number, "forced": d.forced} for d in done],
        as_json,
        lambda: None,
    )
