"""Guess: look at a user's files and write a commented tokui.toml for them."""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from features.binding.tables import bind
from features.catalogue.tables import TABLES
from features.errors import TableError, TokuiError
from features.files import Scratch
from features.guess.columns import FileLook, identifier_of, look_at
from features.guess.horizons import fit_horizons
from features.guess.layout import layout_lines
from features.guess.matches import (
    CHECK,
    FROM_ORDERS,
    Line,
    Match,
    Understanding,
    derived_lines,
    nearest_lines,
    understand,
)
from features.guess.suggestions import suggest_margin, suggest_status, suggest_where
from features.schema import Table
from features.settings import Settings
from features.values.text import normalise


@dataclass(frozen=True, slots=True)
class Guess:
    """What `tokui init` made of some files.

    Args:
        text: The tokui.toml. It loads and binds as it is where nothing is missing.
        files: For each file its table, and for each of its columns the expression, an example, how sure it is.
        ledger: The tables that money is taken from; empty where none tells it.
        missing: Everything that a person has to add before it can be bound.
    """

    text: str
    files: tuple[dict[str, Any], ...]
    ledger: tuple[str, ...]
    missing: tuple[str, ...]


def guess_settings(
    files: Sequence[Path],
    *,
    currency: str | None = None,
    timezone: str | None = None,
    folder: Path | None = None,
) -> Guess:
    """Write a tokui.toml for some files, all of them looked at together.

    Every line says why it was chosen; what wants a person's eye carries ``# check this``.

    Args:
        files: Data files, or folders of them.
        currency: ISO 4217 code, where it is known.
        timezone: IANA zone, where it is known.
        folder: Where the tokui.toml will lie; default is the current folder.

    Raises:
        SourceError: A file cannot be read.
    """
    home = (folder or Path.cwd()).resolve()
    with (
        Scratch() as scratch,
        duckdb.connect(str(scratch / "looks.duckdb")) as connection,
    ):
        looks = look_at(connection, files, home, scratch)
        seen = understand(connection, looks)
        conditions = {name: _conditions(connection, match) for name, match in seen.matches.items()}
    japanese = any(
        not normalise(name).isascii() for match in seen.matches.values() for name in match.look.kinds
    )
    missing = _missing(seen, looks)
    head = _head(home, currency, timezone, japanese=japanese)
    tables = _files(seen.matches) + _tables(seen, conditions) + _leftovers(seen.left)
    told = "".join(f"\n# MISSING: {what}\n" for what in missing)
    text = head + told + _pace(head + tables, home, whole=not missing) + tables
    return Guess(text, tuple(_told(look, seen) for look in looks), seen.ledger, tuple(missing))


def _missing(seen: Understanding, looks: Sequence[FileLook]) -> list[str]:
    """Everything that keeps the files from being bound, at once."""
    if seen.ledger:
        return []
    needed = [column for column in TABLES["orders"].columns if column.required]
    lacks = []
    for look in looks:
        lines = nearest_lines(look)
        without = [column.name for column in needed if column.name not in lines]
        has = ", ".join(f"{column} = {expression}" for column, expression in lines.items()) or "nothing"
        lacks.append(f"{look.label} lacks {', '.join(without)} (it has {has})")
    what = (
        "no file tells money: orders need customer_id, occurred_at and amount, or invoices, contracts or won deals to "
        f"derive them from; {'; '.join(lacks[:6])}"
    )
    return [what]


def _conditions(connection: duckdb.DuckDBPyConnection, match: Match) -> list[str]:
    """Lines of ``where``: by status as it is, by product codes as a suggestion."""
    table = match.table
    # A term that was cancelled was a term: leaving it out would leave only those who stayed.
    if not any(column.money for column in table.columns) or table.column(table.time).planned:
        return []
    lines = []
    status = suggest_status(connection, match)
    if status is not None:
        lines.append(f"where = {_toml(status[0])}  # no sales: {', '.join(status[1][:5])}; {CHECK}")
    codes = suggest_where(connection, match) if match.table.name == "orders" else None
    if codes is not None:
        lines.append(f"# where = {_toml(codes)}  # codes without digits: postage, fees, adjustments? {CHECK}")
    return lines


def _told(look: FileLook, seen: Understanding) -> dict[str, Any]:
    """What a file was taken for, for machines and the terminal."""
    match = next((match for match in seen.matches.values() if match.look is look), None)
    if match is None:
        why = next((reason for left, reason in seen.left if left is look), "")
        return {"file": look.label, "table": None, "why": why, "columns": []}
    columns = [
        {
            "column": line.column,
            "expression": line.expression,
            "example": look.examples.get(line.expression),
            "confidence": _CONFIDENCE[line.strength],
            "why": line.reason,
            "check": line.strength < 3,
            "runner_up": line.runner_up,
        }
        for line in match.lines
    ]
    why = f"{len(match.lines)} columns" + ("" if match.via is None else f", {match.via}")
    return {"file": look.label, "table": match.table.name, "why": why, "columns": columns}


_CONFIDENCE = {4: "high", 3: "high", 2: "fair", 1: "low"}
"""How sure a line is, in words: shares would be figures that nobody measured."""


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


def _pace(text: str, home: Path, *, whole: bool) -> str:
    """Horizons that fit the orders' history, found by binding them."""
    try:
        if not whole:
            raise TableError("there are no orders yet")
        settings = Settings(**tomllib.loads(text), path=home / "tokui.toml")
        with bind(settings, only=("orders",)) as tables:
            report = tables.report("orders")
            days = (report.last - report.first).days if report.first and report.last else 0
        note = f"orders span {days:,} days"
        trouble = "" if report.refusal is None else f"\n# {CHECK}: {' '.join(report.refusal.split())}\n"
    except TokuiError as error:
        days, note = 0, "the orders could not be read"
        trouble = f"\n# {CHECK}: {' '.join(str(error).split())}\n" if whole else ""
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


def _files(matches: dict[str, Match]) -> str:
    """The files that queries join, by name."""
    named: dict[str, FileLook] = {}
    for match in matches.values():
        if match.via is not None:
            named |= {file_name(look): look for look in (match.look, match.via.to)}
    parts = []
    for name, look in named.items():
        lines = [f"\n[files.{name}]", f"source = {_toml(look.settings.source or '')}"]
        lines += [f"{key} = {_toml(value)}" for key, value in _opening(look).items()]
        lines += layout_lines(look.settings)
        parts.append("\n".join(lines) + "\n")
    return "".join(parts)


def _opening(look: FileLook) -> dict[str, str]:
    """How a file is opened, as far as that is not the usual way."""
    given = {"table": look.settings.table, "encoding": look.settings.encoding}
    return {key: value for key, value in given.items() if value is not None and value != "utf-8"}


def file_name(look: FileLook) -> str:
    """The name a query calls a file by."""
    stem = re.sub(r"\W+", "_", look.label.rsplit(".", 1)[0], flags=re.ASCII).strip("_").lower()
    return stem if re.match(r"[a-z]", stem) else f"file_{stem or 'a'}"


def _tables(seen: Understanding, conditions: dict[str, list[str]]) -> str:
    matches = seen.matches
    origin = seen.ledger[0] if seen.ledger else None
    first = [] if "customers" in matches or origin is None else derived_lines(matches[origin])
    parts = []
    for name in TABLES:
        if name in matches:
            parts.append(
                _table(
                    matches[name],
                    conditions[name],
                    {line.expression for line in first} if name == origin else set(),
                )
            )
        elif name == "customers" and origin is not None:
            parts.append(_derived(first, origin))
        elif name == "orders" and origin is not None:
            parts.append(
                f'\n[tables.orders]  # no file of order lines: made of {origin}\nderive = "{origin}"\n'
            )
    return "".join(parts)


def _table(match: Match, conditions: list[str], also: set[str]) -> str:
    look, table = match.look, match.table
    lines = [f"\n[tables.{table.name}]  # {table.row} a row"]
    if match.via is None:
        lines.append(f"source = {_toml(look.settings.source or '')}")
        notes = {"encoding": f"  # {CHECK}: what the bytes look like"}
        lines += [f"{key} = {_toml(value)}{notes.get(key, '')}" for key, value in _opening(look).items()]
        lines += layout_lines(look.settings)
    else:
        lines.append(f"query = {_toml(_join(match))}  # {match.via}")
    if match.dates is not None:
        doubts = "; ".join(
            look.doubts[line.expression] for line in match.lines if line.expression in look.doubts
        )
        lines.append(f"dates = {_toml(match.dates)}  # {CHECK}: {doubts}")
    lines += conditions
    lines += [f"\n[tables.{table.name}.columns]", *_columns(table, match.lines)]
    margin = suggest_margin(match) if table.name == "orders" else None
    if margin is not None:
        lines.append(f"# margin = {_toml(margin)}  # a column of costs is there; {CHECK}")
    used = " ".join(line.expression for line in match.lines)
    unused = [name for name in look.kinds if name not in used and name not in also]
    if unused:
        lines.append(f"# not used: {', '.join(' '.join(name.split()) for name in unused)}")
    return "\n".join(lines) + "\n"


def _join(match: Match) -> str:
    """SQL of a file's rows with the account that another file knows; rows that it does not know stay, without one."""
    via = match.via
    if via is None:
        return ""
    own, other = file_name(match.look), file_name(via.to)
    owner = next(line.expression for line in match.lines if line.column == "customer_id")
    column, key, account = (identifier_of(name) for name in (via.column, via.key, owner))
    return f"SELECT {own}.*, {other}.{account} FROM {own} LEFT JOIN {other} ON {own}.{column} = {other}.{key}"


def _derived(lines: list[Line], origin: str) -> str:
    head = f"\n[tables.customers]  # no file of accounts: one for each customer's first row of {origin}\nderive = {_toml(origin)}\n"
    body = "\n".join(_columns(TABLES["customers"], tuple(lines), without=FROM_ORDERS))
    return f"{head}\n[tables.customers.columns]\n{body}\n"


def _columns(table: Table, lines: tuple[Line, ...], without: tuple[str, ...] = ()) -> list[str]:
    by_column = {line.column: line for line in lines}
    written = []
    for column in table.columns:
        line = by_column.get(column.name)
        if line is not None:
            other = "" if line.runner_up is None else f"; or {line.runner_up}?"
            written.append(f"{column.name} = {_toml(line.expression)}  # {line.reason}{other}")
        elif column.name not in without:
            written.append(f'# {column.name} = ""  # {column.meaning}')
    return written


def _leftovers(left: list[tuple[FileLook, str]]) -> str:
    return "".join(f"\n# {look.label}: {reason}\n" for look, reason in left)


def _toml(text: str) -> str:
    # A JSON string is a TOML basic string but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
