"""Verbs of models: train, list, promote."""

from typing import Annotated

import typer

from commands.shared import THREADS, TOML, Config, Json, bound, out, progress, say, tracker_of
from features.counted import counted


def _task(name: str) -> None:
    from features.errors import SettingsError
    from training.promotion import ALL

    if name not in ALL:
        raise SettingsError(f"{name!r} is not a task; those are {', '.join(ALL)}")


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
    from training.uplift.register import register_uplift
    from training.uplift.train import UPLIFT, train_uplift
    from training.value.register import register
    from training.value.tasks import TASKS
    from training.value.train import train as fit

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
                    out.print(show.uplift_shown(version, learnt))
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
                out.print(show.candidates_shown(title, version.kind, judged, made.backtest.refused))
                out.print(f"model card: {tracker.artifact(version, 'card.html')}", soft_wrap=True)
    say(found, as_json, lambda: out.print("next: [bold]tokui promote[/]"))


def models(config: Config = TOML, as_json: Json = False) -> None:
    """List model versions, their aliases and out-of-time metrics."""
    from commands.show import models as show
    from features.settings import load_settings
    from training.promotion import ALL

    tracker = tracker_of(load_settings(config))
    versions = [version for task in ALL for version in tracker.versions(task)]

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
    from training.live import Live, live_folder
    from training.promotion import ALL
    from training.promotion import promote as crown
    from training.value.tasks import TASKS

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
