"""Verbs of data: look at files, check tables, simulate a world, write a training set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from commands.shared import THREADS, TOML, Config, Json, bound, moment_of, out, progress, say
from features.counted import counted

if TYPE_CHECKING:
    from features.binding.tables import Tables


def init(
    files: Annotated[list[Path], typer.Argument(help="The files your history is in.")],
    config: Config = TOML,
    currency: Annotated[str | None, typer.Option(help="ISO 4217 code of your money.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of your times, such as Asia/Tokyo.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a tokui.toml that is there.")] = False,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Ask where the files leave something open.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at files and write a commented tokui.toml with the best guess of the mapping."""
    from commands.show import data as show
    from features.errors import SettingsError
    from features.files import write_text
    from features.guess.settings import guess_settings

    if config.exists() and not force:
        raise SettingsError(f"{config} is there already; give --force to replace it, or another --config")
    if interactive and as_json:
        raise SettingsError("--interactive asks a person and --json answers a machine; give one of them")
    ask = show.ask if interactive else None
    home = config.resolve().parent
    guess = guess_settings(files, currency=currency, timezone=timezone, folder=home, ask=ask)
    write_text(config, guess.text)
    document = {
        "written": str(config), "toml": guess.text, "files": guess.files, "ledger": guess.ledger,
        "missing": guess.missing,
    }  # fmt: skip

    def shown() -> None:
        out.print(show.guessed(guess), highlight=False)
        out.print(f"wrote [bold]{config}[/]; read its comments, then run [bold]tokui check[/]")

    say(document, as_json, shown)


def check(config: Config = TOML, as_json: Json = False) -> None:
    """Bind all tables, validate every row, and report what was found and what was dropped."""
    from commands.show import experiments as showexperiments
    from commands.show import models as show
    from evaluation.experiments.overview import assigned, costs_of_nobody
    from evaluation.jsonable import jsonable
    from features.oddities import oddities

    with bound(config, quiet=as_json, lossy=True) as tables:
        reports = [report.to_dict() for report in tables.reports]
        same = _told_again(tables)
        there = "assignments" in tables.names
        experiments, strange = (assigned(tables), costs_of_nobody(tables)) if there else ([], None)
        history = oddities(tables)
    document = {
        "tables": reports,
        "experiments": jsonable(experiments),
        "warnings": [*([strange] if strange else []), *(odd.message for odd in history)],
        "notes": same,
        "fingerprint": tables.fingerprint,
    }

    def shown() -> None:
        shown_reports = show.reports(tables.reports, tables.settings.currency)
        out.print(shown_reports, show.oddities_shown(history), highlight=False)
        for note in same:
            out.print(escape(f"noted: {note}"), highlight=False)
        if experiments:
            out.print(showexperiments.experiments_shown(experiments, strange), highlight=False)

    say(document, as_json, shown)
    tables.refuse_losses()


def _told_again(tables: "Tables") -> list[str]:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from features.binding.ledger import data_end
    from features.binding.samemoney import money_told_again

    settings = tables.settings
    now = datetime.now(ZoneInfo(settings.timezone)).replace(tzinfo=None)
    until = tables.told_until or settings.until or data_end(tables.connection, tables.names, now)
    return money_told_again(tables.connection, settings.tables["orders"].derived_from, until)


def simulate(
    folder: Annotated[Path, typer.Argument(help="Where the world is written.")],
    customers: Annotated[int, typer.Option(min=10)] = 5000,
    years: Annotated[float, typer.Option(min=0.5, max=20)] = 3,
    seed: int = 7,
    as_json: Json = False,
) -> None:
    """Write a simulated B2B world: eleven tables, their truth, and a tokui.toml."""
    from features.world.simulate import simulate_world

    with progress("simulating") as step:
        world = simulate_world(folder, customers=customers, years=years, seed=seed, progress=step)
    rows = dict(world.rows)
    say(
        {"folder": str(folder), "rows": rows},
        as_json,
        lambda: out.print(
            f"wrote {counted(sum(rows.values()), 'row')} in {counted(len(rows), 'file')} and tokui.toml to [bold]{folder}[/]"
        ),
    )


def features(
    path: Annotated[Path, typer.Argument(help="The Parquet file to write.")] = Path("training-set.parquet"),
    config: Config = TOML,
    first: Annotated[str | None, typer.Option(help="First cutoff, a date.")] = None,
    last: Annotated[
        str | None, typer.Option(help="Last cutoff, a date; the end of the data if not given.")
    ] = None,
    step_days: Annotated[int | None, typer.Option(min=1, help="Days between cutoffs.")] = None,
    experiment: Annotated[
        str | None, typer.Option(help="Write the customers of this experiment instead, with arms and margin.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a training set, features and outcomes, for a grid of cutoffs or of an experiment."""
    from features.engine.observations import wall_clock
    from features.errors import SettingsError
    from training.jobs import JOBS

    if experiment is not None and (first, last, step_days) != (None, None, None):
        raise SettingsError(
            "--first, --last and --step-days are of a grid of cutoffs; an experiment has its own, so leave them out"
        )
    job = next(job for job in JOBS.values() if job.needs_experiment == (experiment is not None))
    with bound(config, quiet=as_json) as tables, progress("features") as step:
        grid = [] if job.needs_experiment else _grid(tables, first, last, step_days)
        rows = job.export(tables, path, cutoffs=grid, experiment=experiment, threads=THREADS, progress=step)
    where = f"of {experiment}" if job.needs_experiment else f"at {counted(len(grid), 'cutoff')}"
    said = {"experiment": experiment} if job.needs_experiment else {}
    say(
        {"path": str(path), "rows": rows, "cutoffs": [wall_clock(c).isoformat() for c in grid]} | said,
        as_json,
        lambda: out.print(f"wrote {counted(rows, 'row')} {where} to [bold]{path}[/]"),
    )


def _grid(tables: "Tables", first: str | None, last: str | None, step_days: int | None) -> list[int]:
    from features.engine.observations import cutoff_grid, wall_clock
    from features.errors import SettingsError
    from features.history import read_history
    from features.types import DAY

    training, history = tables.settings.training, read_history(tables)
    begin = moment_of(first, "--first") or history.start + training.min_history_days * DAY
    begin = max(begin, history.start)
    end = min(moment_of(last, "--last") or history.end, history.end)
    grid = cutoff_grid(begin, end, step_days or training.step_days, 10_000)
    if not grid:
        raise SettingsError(
            "no cutoff lies between --first and --last; the history begins "
            f"{wall_clock(history.start):%Y-%m-%d} and ends {wall_clock(history.end):%Y-%m-%d}"
        )
    return grid
