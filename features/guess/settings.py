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
from features.catalogue.orders import ORDERS
from features.catalogue.tables import TABLES
from features.counted import counted
from features.errors import TableError, TokuiError
from features.files import Scratch
from features.guess.columns import FileLook, identifier_of, look_at
from features.guess.conditions import Exclusion, sales_only
from features.guess.credits import credits_turned
from features.guess.horizons import fit_horizons
from features.guess.layout import layout_lines
from features.guess.lines import CHECK, Line
from features.guess.matches import (
    FROM_ORDERS,
    Match,
    Understanding,
    derived_lines,
    nearest_lines,
    understand,
)
from features.guess.questions import Ask, Question, agreed, settle_columns
from features.guess.suggestions import suggest_margin, suggest_where
from features.schema import Table
from features.settings import Settings


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
    ask: Ask | None = None,
) -> Guess:
    """Write a tokui.toml for some files, all of them looked at together.

    Every line says why it was chosen; what wants a person's eye carries ``# check this``.

    Args:
        files: Data files, or folders of them.
        currency: ISO 4217 code, where it is known.
        timezone: IANA zone, where it is known.
        folder: Where the tokui.toml will lie; default is the current folder.
        ask: Puts what is open to a person; it stays a guess where there is nobody to ask.

    Raises:
        SourceError: A file cannot be read.
    """
    home = (folder or Path.cwd()).resolve()
    with (
        Scratch() as scratch,
        duckdb.connect(str(scratch / "looks.duckdb")) as connection,
    ):
        looks, unread = look_at(connection, files, home, scratch)
        seen = understand(connection, looks)
        wheres: dict[str, list[str]] = {}
        for name, match in list(seen.matches.items()):
            settled = match if ask is None else settle_columns(match, ask)
            settled, conditions = sales_only(connection, credits_turned(connection, settled))
            if ask is not None:
                conditions = agreed(settled, conditions, ask)
            seen.matches[name] = settled
            wheres[name] = _wheres(connection, settled, conditions)
    japanese = any(_JAPANESE.search(name) for match in seen.matches.values() for name in match.look.kinds)
    missing = _missing(seen, looks)
    if ask is not None:
        money, zone = _units(japanese=japanese)
        currency = currency or ask(
            Question("currency", "in which currency is your money?", ((money, None),), free=True)
        )
        timezone = timezone or ask(
            Question("timezone", "in which zone are your times?", ((zone, None),), free=True)
        )
    head = _head(home, currency, timezone, japanese=japanese)
    tables = _files(seen.matches) + _tables(seen, wheres) + _leftovers(seen.left, unread)
    told = "".join(f"\n# MISSING: {what}\n" for what in missing)
    text = head + told + _pace(head + tables, home, whole=not missing) + tables
    told_files = [_told(look, seen) for look in looks]
    told_files += [{"file": label, "table": None, "why": why, "columns": []} for label, why in unread]
    return Guess(text, tuple(told_files), seen.ledger, tuple(missing))


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


def _wheres(
    connection: duckdb.DuckDBPyConnection, match: Match, conditions: Sequence[Exclusion]
) -> list[str]:
    """Lines of ``where``: what is no sale as it is, what may be none as a suggestion."""
    lines = []
    if conditions:
        sql = " AND ".join(condition.sql for condition in conditions)
        why = "; ".join(condition.why for condition in conditions)
        count = sum(condition.rows for condition in conditions)
        lines.append(
            f"where = {_toml(sql)}  # no sales, {counted(count, 'row')} of those looked at: {why}; {CHECK}"
        )
    codes = suggest_where(connection, match) if match.table is ORDERS.table else None
    if codes is not None:
        lines.append(f"# where = {_toml(codes)}  # codes without digits: postage, fees, adjustments? {CHECK}")
    return lines


def _told(look: FileLook, seen: Understanding) -> dict[str, Any]:
    """What a file was taken for, for machines and the terminal."""
    match = next(
        (m for m in seen.matches.values() if look.sample in {m.look.sample, *(a.sample for a in m.also)}),
        None,
    )
    if match is not None and match.look.sample != look.sample:
        why = f"put together with {match.look.label}"
        return {"file": look.label, "table": match.table.name, "why": why, "columns": []}
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
            "check": not line.sure,
            "runner_up": next(iter(line.others), None),
        }
        for line in match.lines
    ]
    why = f"{len(match.lines)} columns" + ("" if match.via is None else f", {match.via}")
    return {"file": look.label, "table": match.table.name, "why": why, "columns": columns}


_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_CONFIDENCE = {4: "high", 3: "high", 2: "fair", 1: "low"}
"""How sure a line is, in words: shares would be figures that nobody measured."""


def _head(home: Path, currency: str | None, timezone: str | None, *, japanese: bool) -> str:
    money, zone = _units(japanese=japanese)
    money, zone = currency or money, timezone or zone
    guessed = f"  # {CHECK}: " + ("headers are Japanese" if japanese else "nothing in the files says it")
    return (
        "# Written by `tokui init`. The right-hand side of a column is a SQL expression over your own columns.\n\n"
        f"name = {_toml(home.name or 'tokui')}\n"
        f"currency = {_toml(money)}{'' if currency else guessed}\n"
        f"timezone = {_toml(zone)}{'' if timezone else guessed}\n"
    )


def _units(*, japanese: bool) -> tuple[str, str]:
    return ("JPY", "Asia/Tokyo") if japanese else ("USD", "UTC")


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
        if match.via is not None or match.also:
            others = (*match.also, *(() if match.via is None else (match.via.to,)))
            named |= {file_name(look): look for look in (match.look, *others)}
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


def _tables(seen: Understanding, wheres: dict[str, list[str]]) -> str:
    matches = seen.matches
    origin = seen.ledger[0] if seen.ledger else None
    first = [] if "customers" in matches or origin is None else derived_lines(matches[origin])
    parts = []
    for name in TABLES:
        if name in matches:
            parts.append(
                _table(
                    matches[name],
                    wheres[name],
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


def _table(match: Match, wheres: list[str], also: set[str]) -> str:
    look, table = match.look, match.table
    lines = [f"\n[tables.{table.name}]  # {table.row} a row"]
    if match.via is None and not match.also:
        lines.append(f"source = {_toml(look.settings.source or '')}")
        notes = {"encoding": f"  # {CHECK}: what the bytes look like"}
        lines += [f"{key} = {_toml(value)}{notes.get(key, '')}" for key, value in _opening(look).items()]
        lines += layout_lines(look.settings)
    else:
        why = _together(match) if match.via is None else str(match.via)
        lines.append(f"query = {_toml(_query(match))}  # {why}")
    if match.dates is not None:
        doubts = "; ".join(
            look.doubts[line.expression] for line in match.lines if line.expression in look.doubts
        )
        lines.append(f"dates = {_toml(match.dates)}  # {CHECK}: {doubts}")
    lines += wheres
    lines += [f"\n[tables.{table.name}.columns]", *_columns(table, match.lines)]
    margin = suggest_margin(match) if table.name == "orders" else None
    if margin is not None:
        lines.append(f"# margin = {_toml(margin)}  # a column of costs is there; {CHECK}")
    used = " ".join(line.expression for line in match.lines)
    unused = [name for name in look.kinds if name not in used and name not in also]
    if unused:
        lines.append(f"# not used: {', '.join(' '.join(name.split()) for name in unused)}")
    return "\n".join(lines) + "\n"


def _query(match: Match) -> str:
    """SQL of the rows of several files, or of a file's rows with the account that another file knows.

    Rows whose account the other file does not know stay, without one.
    """
    own, via = file_name(match.look), match.via
    if via is None:
        columns = ", ".join(identifier_of(name) for name in match.look.kinds) if match.shared else "*"
        query = f"SELECT {columns} FROM {own}"
        for look in match.also:
            more = f"SELECT {columns} FROM {file_name(look)}"
            # What the one has as the other does was exported twice; what one of them has twice was not.
            query += (
                f" UNION ALL ({more} EXCEPT ALL ({query}))" if match.shared else f" UNION ALL BY NAME {more}"
            )
        return query
    other = file_name(via.to)
    owner = next(line.expression for line in match.lines if line.column == "customer_id")
    column, key, account = (identifier_of(name) for name in (via.column, via.key, owner))
    return f"SELECT {own}.*, {other}.{account} FROM {own} LEFT JOIN {other} ON {own}.{column} = {other}.{key}"


def _together(match: Match) -> str:
    both = f", {counted(match.shared, 'row')} are in both and counted once" if match.shared else ""
    return f"{1 + len(match.also)} files of one kind{both}; {CHECK}"


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
            other = f"; or {line.others[0]}?" if line.others else ""
            written.append(f"{column.name} = {_toml(line.expression)}  # {line.reason}{other}")
        elif column.name not in without:
            written.append(f'# {column.name} = ""  # {column.meaning}')
    return written


def _leftovers(left: list[tuple[FileLook, str]], unread: list[tuple[str, str]]) -> str:
    reasons = [*((look.label, reason) for look, reason in left), *unread]
    return "".join(f"\n# {label}: {' '.join(reason.split())}\n" for label, reason in reasons)


def _toml(text: str) -> str:
    # A JSON string is a TOML basic string but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
