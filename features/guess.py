"""Guess: look at a user's files and write a commented tokui.toml for them."""

import json
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.errors import TableError, TokuiError
from features.horizons import fit_horizons
from features.looks import Look, look_at
from features.schema import ORDERS, TABLES, Kind, Table
from features.settings import Settings
from features.tables import bind
from features.textfiles import quote
from features.vocabulary import TABLE_WORDS, UNIT_PRICE, likeness, normalise

_REASONS = {
    4: "same name",
    3: "by its name",
    2: "a date, by its general name",
    1: "by part of its name; check this",
}
_CHECK = "check this"
_FROM_ORDERS = ("customer_id", "created_at", "known_at")
"""What derived customers have from their first order anyway."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One column of a binding: the expression, and why it."""

    column: str
    expression: str
    reason: str
    strength: int


@dataclass(frozen=True, slots=True)
class _Match:
    look: Look
    table: Table
    lines: tuple[_Line, ...]
    dates: str | None
    score: int


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
        matches, left = _choose(looks)
        if "orders" not in matches:
            raise TableError(_no_orders(looks))
        suggestion = _suggest_where(connection, matches["orders"])
    japanese = any(not normalise(name).isascii() for match in matches.values() for name in match.look.kinds)
    head = _head(home, currency, timezone, japanese=japanese)
    tables = _tables(matches, suggestion) + _leftovers(left)
    return head + _pace(head + tables, home) + tables


def _choose(looks: list[Look]) -> tuple[dict[str, _Match], list[tuple[Look, str]]]:
    """The best file for each table, and what is left with the reason."""
    best = [(look, max(_candidates(look), key=lambda match: match.score, default=None)) for look in looks]
    matches: dict[str, _Match] = {}
    left: list[tuple[Look, str]] = []
    for look, match in sorted(best, key=lambda pair: -pair[1].score if pair[1] else 0):
        if match is None:
            left.append((look, "no canonical table fits: it has no columns like customer_id and a date"))
        elif match.table.name in matches:
            taken = matches[match.table.name].look.label
            left.append(
                (look, f"looks like {match.table.name} as {taken} does; put them together, or bind one")
            )
        else:
            matches[match.table.name] = match
    return matches, left


def _no_orders(looks: Sequence[Look]) -> str:
    """What is missing for orders in the file that comes nearest, and how to write it by hand."""
    needed = [column for column in ORDERS.columns if column.required]
    nearest = max(
        looks, key=lambda look: len({line.column for line in _lines(look, ORDERS)} & {c.name for c in needed})
    )
    found = {line.column: line.expression for line in _lines(nearest, ORDERS)}
    missing = " or ".join(f"{c.name} ({c.meaning})" for c in needed if c.name not in found)
    has = ", ".join(f"{column} = {expression}" for column, expression in found.items()) or "nothing"
    source = nearest.settings.source
    return (
        f"{nearest.label}: no column looks like {missing} among {', '.join(nearest.kinds)}; recognised: {has}. Rename "
        f"the heading, or write tokui.toml by hand: currency, [tables.customers] derive = 'orders', [tables.orders] "
        f"source = '{source}', columns.customer_id, columns.occurred_at and columns.amount"
    )


def _candidates(look: Look) -> list[_Match]:
    found = []
    for table in TABLES.values():
        lines = _lines(look, table)
        bound = {line.column for line in lines}
        if any(column.required and column.name not in bound for column in table.columns):
            continue
        if len(lines) == 1:
            continue  # an id alone speaks for nothing
        lines, dates = _with_dates(look, table, lines)
        named = any(word in normalise(look.label) for word in TABLE_WORDS[table.name].split())
        score = sum(line.strength for line in lines) + (5 if named else 0)
        found.append(_Match(look, table, tuple(lines), dates, score))
    return found


def _lines(look: Look, table: Table, without: frozenset[str] = frozenset()) -> list[_Line]:
    """The likeliest source column for each canonical one; no source column twice."""
    likely = sorted(
        (
            (-likeness(name, table.name, column.name), place, position, name)
            for place, column in enumerate(table.columns)
            for position, name in enumerate(look.kinds)
            if look.may_be(name, column.kind) and column.name not in without
        ),
        key=lambda item: item[:3],
    )
    chosen: dict[int, _Line] = {}
    taken: set[str] = set()
    price = _unit_price(look, table)
    if price is not None:
        quantity, unit = price
        place = [column.name for column in table.columns].index("amount")
        expression = f"{look.sql(quantity)} * {look.sql(unit)}"
        chosen[place] = _Line("amount", expression, "quantity and unit price, no amount", 3)
        taken.add(unit)
    for negative, place, _, name in likely:
        if negative and place not in chosen and name not in taken:
            column = table.columns[place]
            chosen[place] = _Line(column.name, name, _REASONS[-negative], -negative)
            taken.add(name)
    return [chosen[place] for place in sorted(chosen)]


def _unit_price(look: Look, table: Table) -> tuple[str, str] | None:
    """Quantity and unit price, where orders have those and nothing that is surely an amount."""
    if table.name != "orders":
        return None
    numbers = [name for name in look.kinds if look.may_be(name, Kind.NUMBER)]
    prices = [name for name in numbers if normalise(name) in UNIT_PRICE.split()]
    quantities = [name for name in numbers if likeness(name, "orders", "quantity") >= 3]
    amounts = [name for name in numbers if likeness(name, "orders", "amount") >= 3 and name not in prices]
    return (quantities[0], prices[0]) if prices and quantities and not amounts else None


def _with_dates(look: Look, table: Table, lines: list[_Line]) -> tuple[list[_Line], str | None]:
    """Give the table its date format; columns of another format get an expression."""
    times = [line.column for line in lines if table.column(line.column).kind is Kind.TIME]
    formats = {line.column: look.formats.get(line.expression) for line in lines if line.column in times}
    given = next((found for found in formats.values() if found is not None), None)
    if given is None:
        return lines, None
    changed = []
    for line in lines:
        found = formats.get(line.column)
        name = look.sql(line.expression) if line.column in times else ""
        if line.column not in times or found == given or look.is_typed(line.expression):
            changed.append(line)
        elif found is None:
            changed.append(_Line(line.column, f"TRY_CAST({name} AS TIMESTAMP)", line.reason, line.strength))
        else:
            parsed = f"try_strptime(CAST({name} AS VARCHAR), {quote(found)})"
            changed.append(_Line(line.column, parsed, line.reason, line.strength))
    return changed, given


def _suggest_where(connection: duckdb.DuckDBPyConnection, orders: _Match) -> str | None:
    """A condition that leaves out postage, fees and the like: product codes that have no digit among many that do."""
    product = next((line.expression for line in orders.lines if line.column == "product_id"), None)
    if product is None:
        return None
    column = '"' + product.replace('"', '""') + '"'
    rows = connection.execute(
        f"SELECT code, count(*) AS n FROM (SELECT trim(CAST({column} AS VARCHAR)) AS code FROM {orders.look.relation}) "
        "WHERE code <> '' GROUP BY code ORDER BY n DESC, code"
    ).fetchall()
    without = [(code, count) for code, count in rows if not any(character.isdigit() for character in code)]
    if not without or sum(count for _, count in without) > 0.1 * sum(count for _, count in rows):
        return None
    codes = ", ".join(quote(code) for code, _ in without[:20])
    return f"{orders.look.sql(product)} NOT IN ({codes})"


def _head(home: Path, currency: str | None, timezone: str | None, *, japanese: bool) -> str:
    money = currency or ("JPY" if japanese else "USD")
    zone = timezone or ("Asia/Tokyo" if japanese else "UTC")
    guessed = f"  # {_CHECK}: " + ("headers are Japanese" if japanese else "nothing in the files says it")
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
        trouble = f"\n# {_CHECK}: {' '.join(str(error).split())}\n"
    fit = fit_horizons(days)
    if not fit.enough:
        note += f"; too few to train on, {_CHECK}"
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


def _tables(matches: dict[str, _Match], suggestion: str | None) -> str:
    first = [] if "customers" in matches else _derived_lines(matches["orders"])
    parts = []
    for name in TABLES:
        if name == "orders":
            parts.append(_table(matches[name], suggestion, {line.expression for line in first}))
        elif name in matches:
            parts.append(_table(matches[name], None, set()))
        elif name == "customers":
            parts.append(_derived(first))
    return "".join(parts)


def _table(match: _Match, suggestion: str | None, also: set[str]) -> str:
    look, table = match.look, match.table
    lines = [f"\n[tables.{table.name}]  # {table.row} a row", f"source = {_toml(look.settings.source or '')}"]
    if look.settings.table is not None:
        lines.append(f"table = {_toml(look.settings.table)}")
    if look.settings.encoding != "utf-8":
        lines.append(f"encoding = {_toml(look.settings.encoding)}  # {_CHECK}: what the bytes look like")
    if match.dates is not None:
        doubt = (
            f"{_CHECK}: day and month could be the other way round"
            if look.ambiguous
            else "fits every value seen"
        )
        lines.append(f"dates = {_toml(match.dates)}  # {doubt}")
    if suggestion is not None:
        lines.append(
            f"# where = {_toml(suggestion)}  # codes without digits: postage, fees, adjustments? {_CHECK}"
        )
    lines += [f"\n[tables.{table.name}.columns]", *_columns(table, match.lines)]
    used = " ".join(line.expression for line in match.lines)
    unused = [name for name in look.kinds if name not in used and name not in also]
    if unused:
        lines.append(f"# not used: {', '.join(' '.join(name.split()) for name in unused)}")
    return "\n".join(lines) + "\n"


def _derived_lines(orders: _Match) -> list[_Line]:
    """What an order line says about its account, where its name leaves no doubt."""
    used = {line.expression for line in orders.lines}
    lines = _lines(orders.look, TABLES["customers"], frozenset(_FROM_ORDERS))
    return [line for line in lines if line.strength >= 3 and line.expression not in used]


def _derived(lines: list[_Line]) -> str:
    head = '\n[tables.customers]  # no file of accounts: one for each customer\'s first order\nderive = "orders"\n'
    body = "\n".join(_columns(TABLES["customers"], tuple(lines), without=_FROM_ORDERS))
    return f"{head}\n[tables.customers.columns]\n{body}\n"


def _columns(table: Table, lines: tuple[_Line, ...], without: tuple[str, ...] = ()) -> list[str]:
    by_column = {line.column: line for line in lines}
    written = []
    for column in table.columns:
        line = by_column.get(column.name)
        if line is not None:
            written.append(f"{column.name} = {_toml(line.expression)}  # {line.reason}")
        elif column.name not in without:
            written.append(f'# {column.name} = ""  # {column.meaning}')
    return written


def _leftovers(left: list[tuple[Look, str]]) -> str:
    return "".join(f"\n# {look.label}: {reason}\n" for look, reason in left)


def _toml(text: str) -> str:
    # A JSON string is a TOML basic string but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
