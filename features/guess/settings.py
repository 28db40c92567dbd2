"""Guess: look at a user's files and write a commented tokui.toml for them."""

import json
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import duckdb

from features.binding.tables import bind
from features.catalogue.tables import TABLES
from features.errors import TableError, TokuiError
from features.guess.columns import FileLook, look_at
from features.guess.horizons import fit_horizons
from features.guess.matches import (
    CHECK,
    FROM_ORDERS,
    Line,
    Match,
    choose_matches,
    derived_lines,
    no_orders,
    suggest_where,
)
from features.schema import Table
from features.settings import Settings
from features.values.text import normalise


def guess_settings(
    files: Sequence[Path],
    *,
    currency: str | None = None,
    timezone: str | None = None,
    folder: Path | None = None,
) -> str:
    """Write a tokui.toml for some files.

    Every line says why it was chosen; what wants a person's eye carries ``# check this``.

    Args:
        files: Data files, or folders of them.
        currency: ISO 4217 code, where it is known.
        timezone: IANA zone, where it is known.
        folder: Where the tokui.toml will lie; default is the current folder.

    Returns:
        The text of the file. It loads and binds as it is, unless a comment at its top says otherwise.

    Raises:
        SourceError: A file cannot be read.
        TableError: None of the files looks like orders.
    """
    home = (folder or Path.cwd()).resolve()
    with (
        tempfile.TemporaryDirectory(prefix="tokui-", ignore_cleanup_errors=True) as scratch,
        duckdb.connect(str(Path(scratch) / "looks.duckdb")) as connection,
    ):
        looks = look_at(connection, files, home, Path(scratch))
        matches, left = choose_matches(looks)
        if "orders" not in matches:
            raise TableError(no_orders(looks))
        suggestion = suggest_where(connection, matches["orders"])
    japanese = any(not normalise(name).isascii() for match in matches.values() for name in match.look.kinds)
    head = _head(home, currency, timezone, japanese=japanese)
    tables = _tables(matches, suggestion) + _leftovers(left)
    return head + _pace(head + tables, home) + tables


def _head(home: Path, currency: str | None, timezone: str | None, *, japanese: bool) -> str:
    money = currency or ("JPY" if japanese else "USD")
    zone = timezone or ("Asia/Tokyo" if japanese else "UTC")
    guessed = f"  # {CHECK}: " + ("headers are Japanese" if japanese else "nothing in the files says it")
    return (
        "# Written by `tokui init`. The right-hand side of a column is a SQL expression over your own columns.\n\n"
        f"name = {_toml(home.name or 'tokui')}\n"
        f"currency = {_toml(money)}{'' if currency else guessed}\n"
        f"timezone = {_toml(zone)}{'' if timezone else guessed}\n"
    )


def _pace(text: str, home: Path) -> str:
    """Horizons that fit the orders' history, found by binding them."""
    try:
        settings = Settings(**tomllib.loads(text), path=home / "tokui.toml")
        with bind(settings, only=("orders",)) as tables:
            report = tables.report("orders")
            days = (report.last - report.first).days if report.first and report.last else 0
        note = f"orders span {days:,} days"
        trouble = ""
    except TokuiError as error:
        days, note = 0, "the orders could not be read"
        trouble = f"\n# {CHECK}: {' '.join(str(error).split())}\n"
    fit = fit_horizons(days)
    if not fit.enough:
        note += f"; too few to train on, {CHECK}"
    return (
        f"{trouble}\n[ltv]\nhorizon_days = {fit.ltv}  # {note}\n"
        f"# margin_rate = 1.0  # margin as a share of amount, where orders carry no margin\n"
        f"\n[churn]\nhorizons_days = {list(fit.churn)}  # {note}\n"
        f"silence_days = {fit.silence}  # without contracts: days without an order that mean gone\n"
        f"\n[training]\nstep_days = {fit.step}\nmin_history_days = {fit.min_history}\n"
        f"{_uplift(fit.ltv)}"
    )


def _uplift(days: int) -> str:
    """Settings of experiments, which no file says; they hold once the marks before them are taken away."""
    return (
        "\n# For experiments, once [tables.assignments] is bound; take away the # of what you need.\n"
        "# [uplift]\n"
        f"# horizon_days = {days}  # days of margin that arms are judged by; those of [ltv] if left out\n"
        '# control = "control"  # the arm that was left alone, as assignments write it\n'
        "# observational = false  # true where nobody drew the arms by chance\n"
        '# cluster = "owner"  # only where all accounts of an owner, industry, country or region got an arm together\n'
        "#\n"
        "# [uplift.costs]  # what one treatment costs, in your currency, by arm as assignments write it\n"
        "# cross-sell = 6000\n"
        '# "renewal call" = 12000\n'
    )


def _tables(matches: dict[str, Match], suggestion: str | None) -> str:
    first = [] if "customers" in matches else derived_lines(matches["orders"])
    parts = []
    for name in TABLES:
        if name == "orders":
            parts.append(_table(matches[name], suggestion, {line.expression for line in first}))
        elif name in matches:
            parts.append(_table(matches[name], None, set()))
        elif name == "customers":
            parts.append(_derived(first))
    return "".join(parts)


def _table(match: Match, suggestion: str | None, also: set[str]) -> str:
    look, table = match.look, match.table
    lines = [f"\n[tables.{table.name}]  # {table.row} a row", f"source = {_toml(look.settings.source or '')}"]
    if look.settings.table is not None:
        lines.append(f"table = {_toml(look.settings.table)}")
    if look.settings.encoding != "utf-8":
        lines.append(f"encoding = {_toml(look.settings.encoding)}  # {CHECK}: what the bytes look like")
    if match.dates is not None:
        doubts = "; ".join(
            look.doubts[line.expression] for line in match.lines if line.expression in look.doubts
        )
        lines.append(f"dates = {_toml(match.dates)}  # {CHECK}: {doubts}")
    if suggestion is not None:
        lines.append(
            f"# where = {_toml(suggestion)}  # codes without digits: postage, fees, adjustments? {CHECK}"
        )
    lines += [f"\n[tables.{table.name}.columns]", *_columns(table, match.lines)]
    used = " ".join(line.expression for line in match.lines)
    unused = [name for name in look.kinds if name not in used and name not in also]
    if unused:
        lines.append(f"# not used: {', '.join(' '.join(name.split()) for name in unused)}")
    return "\n".join(lines) + "\n"


def _derived(lines: list[Line]) -> str:
    head = '\n[tables.customers]  # no file of accounts: one for each customer\'s first order\nderive = "orders"\n'
    body = "\n".join(_columns(TABLES["customers"], tuple(lines), without=FROM_ORDERS))
    return f"{head}\n[tables.customers.columns]\n{body}\n"


def _columns(table: Table, lines: tuple[Line, ...], without: tuple[str, ...] = ()) -> list[str]:
    by_column = {line.column: line for line in lines}
    written = []
    for column in table.columns:
        line = by_column.get(column.name)
        if line is not None:
            written.append(f"{column.name} = {_toml(line.expression)}  # {line.reason}")
        elif column.name not in without:
            written.append(f'# {column.name} = ""  # {column.meaning}')
    return written


def _leftovers(left: list[tuple[FileLook, str]]) -> str:
    return "".join(f"\n# {look.label}: {reason}\n" for look, reason in left)


def _toml(text: str) -> str:
    # A JSON string is a TOML basic string but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
