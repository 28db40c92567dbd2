"""`tokui experiment`: plan one, read it, report it; and before against after where there was none."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.shared import THREADS, TOML, Config, Json, bound, moment_of, out, progress, say, tracker_of

if TYPE_CHECKING:
    from evaluation.experiments.records import Readout
    from features.language import Language

experiment_app = typer.Typer(no_args_is_help=True, help="Plan an experiment, read it out, and report it.")

ExperimentId = Annotated[
    str | None, typer.Argument(help="The experiment's id; may be left out where there is only one.")
]
Lang = Annotated[str, typer.Option(help="en or ja.")]


@experiment_app.command(name="list")
def listed(config: Config = TOML, as_json: Json = False) -> None:
    """List the experiments in assignments, and what is odd about them."""
    from commands.show import experiments as show
    from evaluation.experiments.overview import assigned, costs_of_nobody
    from evaluation.jsonable import jsonable

    with bound(config, quiet=as_json) as tables:
        experiments = assigned(tables)
        strange = costs_of_nobody(tables)
    say(
        jsonable(experiments),
        as_json,
        lambda: out.print(show.experiments_shown(experiments, strange), highlight=False),
    )


@experiment_app.command()
def plan(
    effect: Annotated[float, typer.Option(help="Effect to be found, as a share: 0.05 is 5 %.")] = 0.05,
    config: Config = TOML,
    days: Annotated[
        int | None, typer.Option(min=7, help="Days of outcome; the horizon if not given.")
    ] = None,
    power: Annotated[float, typer.Option(help="Chance of finding the effect.")] = 0.8,
    arms: Annotated[int, typer.Option(min=1, help="Treatments besides control.")] = 1,
    control_share: Annotated[
        float | None, typer.Option(help="Share left alone; as many as in each arm if not given.")
    ] = None,
    cluster_size: Annotated[
        float, typer.Option(min=1, help="Mean accounts that are randomised together.")
    ] = 1.0,
    icc: Annotated[float, typer.Option(help="Correlation of accounts randomised together.")] = 0.0,
    as_json: Json = False,
) -> None:
    """How many accounts an experiment takes, what it can show, and how long it lasts."""
    from commands.show import experiments as show
    from evaluation.experiments.enrolment import horizon_days
    from evaluation.experiments.plan import plan_experiment
    from evaluation.jsonable import jsonable
    from evaluation.planning.sizes import Design
    from features.history import read_history

    design = Design(
        power=power, treatments=arms, control_share=control_share, cluster_size=cluster_size, icc=icc
    )
    with bound(config, quiet=as_json) as tables, progress("plan") as step:
        settings = tables.settings
        planned = plan_experiment(
            read_history(tables), effect, days=days or horizon_days(settings), design=design, progress=step
        )
    say(jsonable(planned), as_json, lambda: out.print(show.plan_shown(planned, settings.currency)))


@experiment_app.command()
def readout(experiment: ExperimentId = None, config: Config = TOML, as_json: Json = False) -> None:
    """What an experiment did to clicks, orders, margin and LTV, with intervals; and what it earned."""
    from commands.show import experiments as show

    measured = _read(config, experiment, "readout", quiet=as_json)
    say(measured.to_dict(), as_json, lambda: out.print(show.readout_shown(measured)))


@experiment_app.command()
def report(
    experiment: ExperimentId = None,
    config: Config = TOML,
    path: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The HTML file to write; EXPERIMENT.LANG.html if not given."),
    ] = None,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """The readout as one HTML file with pictures, and as JSON beside it."""
    import json

    from evaluation.reports.readout.page import render_experiment
    from features.errors import SettingsError
    from features.files import write_text

    language = _language(lang)
    if path is not None and path.suffix.lower() == ".json":
        raise SettingsError(f"--output {path} is where the JSON goes; give the name of an HTML file")
    measured = _read(config, experiment, "report", quiet=as_json)
    # An id may hold anything; a file's name had better not.
    name = re.sub(r"[^\w.-]+", "-", measured.experiment)
    html = path or Path(f"{name}.{lang}.html")
    data = html.with_suffix(".json")
    write_text(html, render_experiment(measured, language))
    write_text(data, json.dumps(measured.to_dict(), ensure_ascii=False, indent=1))
    say(
        {"html": str(html), "json": str(data), "verdict": measured.verdict.code},
        as_json,
        lambda: out.print(f"wrote [bold]{html}[/] and {data}", soft_wrap=True),
    )


@experiment_app.command(name="before-after")
def before_after(
    start: Annotated[str, typer.Argument(help="First day of the campaign, such as 2026-04-01.")],
    config: Config = TOML,
    period: Annotated[str, typer.Option(help="day, week, month or year.")] = "month",
    span: Annotated[
        int | None, typer.Option(min=1, help="Periods on each side; as many as there are.")
    ] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Only accounts touched by this campaign_id of engagement.")
    ] = None,
    path: Annotated[Path | None, typer.Option("--output", "-o", help="An HTML file to write.")] = None,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Margin before and after a campaign without a control group. This is no proof of an effect."""
    from commands.show import experiments as show
    from evaluation.experiments.campaigns import compare_seasons
    from evaluation.jsonable import jsonable
    from evaluation.reports.readout.beforeafter import period_sides, render_before_after
    from features.engine.observations import wall_clock
    from features.files import write_text
    from features.history import read_history

    language = _language(lang)
    begin = moment_of(start, "START") or 0
    with bound(config, quiet=as_json) as tables, progress("before and after"):
        settings = tables.settings
        comparison = compare_seasons(
            tables, read_history(tables), begin, period, span=span, campaign=campaign
        )
        if path is not None:
            write_text(
                path,
                render_before_after(
                    comparison, settings.name, settings.currency, settings.timezone, language
                ),
            )
    document = jsonable(comparison)
    document["campaign_start"] = wall_clock(comparison.campaign_start).isoformat()
    for row, side in zip(document["periods"], period_sides(comparison), strict=True):
        row |= {end: wall_clock(row[end]).isoformat() for end in ("start", "end")}
        row["compared"] = side != "none"
    document |= {"causal": False, "written": None if path is None else str(path)}
    say(document, as_json, lambda: out.print(show.before_after_shown(comparison, settings.currency)))


def _read(config: Path, experiment: str | None, verb: str, *, quiet: bool) -> "Readout":
    from features.history import read_history
    from training.readout import read_experiment

    with bound(config, quiet=quiet) as tables, progress(verb) as step:
        return read_experiment(
            tables, read_history(tables), tracker_of(tables.settings), experiment,
            threads=THREADS, progress=step,
        )  # fmt: skip


def _language(lang: str) -> "Language":
    from features.errors import SettingsError
    from features.language import LANGUAGES

    for known in LANGUAGES:
        if lang == known:
            return known
    raise SettingsError(f"--lang {lang!r} is not one of {', '.join(LANGUAGES)}")
