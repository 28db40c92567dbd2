"""What all verbs of the command line share: output, progress, options, bound tables."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from features.binding.tables import Tables
    from features.settings import Settings
    from training.tracking import Tracker

_NARROWEST = 120
"""Columns of output that goes to a file or another program, where nothing may be lost to a narrow window."""

out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _NARROWEST)
err = Console(stderr=True)
THREADS = os.cpu_count() or 1
TOML = Path("tokui.toml")

Config = Annotated[Path, typer.Option("--config", "-c", help="The tokui.toml to use.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


def one_line(text: str) -> str:
    """A message on one line, its brackets not taken for markup."""
    return " ".join(text.split()).replace("[", "\\[")


def say(document: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Print a document as JSON, or show it."""
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))
    else:
        show()


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """A line that tells the step and the time; gone when done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda step: bars.update(bar, description=f"{what}: {step}")


@contextmanager
def bound(config: Path, *, quiet: bool, lossy: bool = False) -> "Iterator[Tables]":
    """The tables of a tokui.toml, checked; what was left out is told on the way.

    Args:
        config: The tokui.toml.
        quiet: Whether nothing is to be told, because a machine reads along.
        lossy: Whether to go on where more is lost than the user has accepted.
    """
    from features.binding.tables import bind
    from features.settings import load_settings

    settings = load_settings(config)
    clear_up(settings)
    with progress("reading tables"):
        tables = bind(settings)
    with tables:
        if not lossy:
            tables.refuse_losses()
            # Machines read one document a stream; they ask `check --json`.
            for report in () if quiet else tables.reports:
                if report.lost is not None:
                    err.print(f"[yellow]note[/] {one_line(report.lost)}", highlight=False, soft_wrap=True)
        yield tables


def clear_up(settings: "Settings") -> None:
    """Clear away what commands that were killed left in a project."""
    from features.files import clear_dead
    from training.database import end_dead_runs

    mlruns = settings.folder / settings.mlruns
    clear_dead(settings.folder, settings.folder / "live", mlruns, Path(tempfile.gettempdir()))
    end_dead_runs(mlruns.resolve())


def tracker_of(settings: "Settings") -> "Tracker":
    """Where a project's models are kept."""
    from training.tracking import Tracker

    clear_up(settings)
    return Tracker(settings.folder / settings.mlruns)


def moment_of(text: str | None, what: str) -> int | None:
    """A date given as an option, in microseconds.

    Raises:
        SettingsError: It is not one.
    """
    from features.engine.observations import moment
    from features.errors import SettingsError

    if text is None:
        return None
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError as error:
        raise SettingsError(f"{what} {text!r} is not a date such as 2026-04-01, without a zone") from error
