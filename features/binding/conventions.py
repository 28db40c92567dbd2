"""The conventions of a source's text columns: seen from their values, settled by the file, or asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from features.binding.casts import Conventions
from features.binding.report import Finding
from features.binding.sources import Source
from features.errors import TableError
from features.values.conventions import DECIMALS, Evidence, both_readings, decimals_in, orders_in
from features.values.numbers import Decimal
from features.values.times import DATE_ORDERS, Order

SAMPLE_ROWS = 20_000
"""Rows that mostly decide; a column whose first rows leave it open is looked through whole."""

_TELLING = 100_000
"""Different values of a whole column that are looked at, at most."""


@dataclass(frozen=True)
class SourceConventions:
    """How the texts of one source are meant.

    Args:
        by_column: Of each column that was looked at.
        default: Of all others.
        notes: Columns whose numbers could be meant otherwise.
        problems: Columns that nothing can settle.
    """

    by_column: dict[str, Conventions] = field(default_factory=dict)
    default: Conventions = field(default_factory=Conventions)
    notes: tuple[Finding, ...] = ()
    problems: tuple[TableError, ...] = ()

    def of(self, column: str) -> Conventions:
        """The conventions of a column."""
        return self.by_column.get(column, self.default)


def source_conventions(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    table: str,
    numbers: Sequence[str],
    times: Mapping[str, str],
    decimal: Decimal | None,
) -> SourceConventions:
    """Find how a source writes its numbers and dates.

    Args:
        connection: Where the source is.
        source: The source.
        table: The canonical table, for messages.
        numbers: Its text columns that are read as numbers.
        times: Its text columns that are read as times, each with the ISO day after which none of it can lie.
        decimal: The character before the fraction, where tokui.toml says it.
    """
    decimals, notes, problems = _decimals(connection, source, table, numbers, decimal)
    orders, more = _orders(connection, source, table, times)
    usual = decimal or _of_file(source, list(decimals.values())) or "."
    return SourceConventions(
        {name: Conventions(decimals.get(name, usual), orders.get(name)) for name in {*numbers, *times}},
        Conventions(usual),
        tuple(notes),
        (*problems, *more),
    )


def _of_file(source: Source, decided: Collection[Decimal]) -> Decimal | None:
    """The convention that all decided columns share, or else the one that goes with semicolons."""
    shared = set(decided)
    if len(shared) == 1:
        return shared.pop()
    return "," if not shared and source.separator == ";" else None


def _decimals(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    table: str,
    columns: Sequence[str],
    told: Decimal | None,
) -> tuple[dict[str, Decimal], list[Finding], list[TableError]]:
    if told is not None:
        return dict.fromkeys(columns, told), [], []
    evidence: dict[str, Evidence[Decimal]] = {}
    for name, values in _sampled(connection, source, columns).items():
        evidence[name] = decimals_in(values)
        if evidence[name].decided is None and evidence[name].fitting:
            separated = f"contains({_sql(name)}, '.') OR contains({_sql(name)}, ',')"
            evidence[name] = decimals_in(_whole(connection, source, name, separated))
    decided = {name: said.decided for name, said in evidence.items() if said.decided is not None}
    usual = _of_file(source, list(decided.values()))
    chosen: dict[str, Decimal] = dict(decided)
    notes, problems = [], []
    for name, said in evidence.items():
        if not said.fitting:
            problems.append(_mixed_numbers(table, name, said))
        elif name not in decided:
            chosen[name] = usual or "."
            example = said.open_example()
            if example is not None and usual is None:
                point, comma = both_readings(example, DECIMALS)
                sighting = said.seen[DECIMALS]
                reason = f'could also be meant as {comma}, read as {point}: say decimal = "." or "," in [tables.{table}]'
                notes.append(Finding(reason, name, sighting.count, sighting.example, sighting.row))
    return chosen, notes, problems


def _mixed_numbers(table: str, column: str, said: Evidence[Decimal]) -> TableError:
    point, comma = said.seen[(".",)], said.seen[(",",)]
    return TableError(
        f"{table}: column {column!r} writes {point.count:,} numbers with a decimal point ({point.example!r} in row "
        f"{point.row:,}) and {comma.count:,} with a decimal comma ({comma.example!r} in row {comma.row:,}), so that none "
        f'of them is certain; mend the file, or say decimal = "." or "," in [tables.{table}] and the others are left out'
    )


def _orders(
    connection: duckdb.DuckDBPyConnection, source: Source, table: str, latest: Mapping[str, str]
) -> tuple[dict[str, Order], list[TableError]]:
    evidence: dict[str, Evidence[Order]] = {}
    for name, values in _sampled(connection, source, list(latest)).items():
        evidence[name] = orders_in(values, latest[name])
        if evidence[name].seen and evidence[name].decided is None:
            evidence[name] = orders_in(_whole(connection, source, name, "true"), latest[name])
    decided = {name: said.decided for name, said in evidence.items() if said.decided is not None}
    chosen: dict[str, Order] = dict(decided)
    problems = []
    for name, said in evidence.items():
        if not said.fitting:
            problems.append(_mixed_dates(table, name, said))
        elif name not in decided and said.seen:
            of_file = {order for order in decided.values() if order in said.fitting}
            if len(of_file) == 1:
                chosen[name] = of_file.pop()
            else:
                problems.append(_open_dates(table, name, said))
    return chosen, problems


def _mixed_dates(table: str, column: str, said: Evidence[Order]) -> TableError:
    ranked = sorted(DATE_ORDERS, key=lambda order: -sum(s.count for r, s in said.seen.items() if order in r))
    most = ranked[0]
    against = said.against(most)
    like = next(sighting for readers, sighting in said.seen.items() if most in readers)
    if against is None:  # pragma: no cover - some value is against every order, or one would fit
        raise AssertionError("mixed dates without a value against the commonest order")
    return TableError(
        f"{table}: column {column!r} mixes orders of day, month and year: most dates are like {like.example!r} in row "
        f"{like.row:,} ({_NAMES[most]}), and {against.count:,} like {against.example!r} in row {against.row:,} are not, so "
        "that others may be read with day and month swapped; mend the file, or leave the rows that are written otherwise "
        "out with where"
    )


def _open_dates(table: str, column: str, said: Evidence[Order]) -> TableError:
    example = said.open_example() or next(iter(said.seen.values())).example
    first, second = both_readings(example, said.fitting)
    formats = " or ".join(f'"{date_format(example, order)}"' for order in said.fitting[:2])
    return TableError(
        f"{table}: column {column!r} can be read in two ways, and no value decides: {example!r} is {first} or {second}; "
        f"say which in [tables.{table}] with dates = {formats}"
    )


_NAMES = {"ymd": "year first", "dmy": "day first", "mdy": "month first"}


def date_format(example: str, order: Order) -> str:
    """The strptime format of a date of numbers in some order, as far as day, month, year and a clock go."""
    separator = next((character for character in example if character in "/-."), "/")
    year = (
        "%y"
        if len(example.split(" ", maxsplit=1)[0].split(separator)[2 if order != "ymd" else 0]) == 2
        else "%Y"
    )
    parts = {"ymd": (year, "%m", "%d"), "dmy": ("%d", "%m", year), "mdy": ("%m", "%d", year)}[order]
    clock = ("", "", " %H:%M", " %H:%M:%S")[min(example.count(":") + 1, 3)] if ":" in example else ""
    return separator.join(parts) + clock


def _sampled(
    connection: duckdb.DuckDBPyConnection, source: Source, columns: Sequence[str]
) -> dict[str, list[tuple[str, int, int]]]:
    """The different values of the first rows, with how often and in which row first."""
    if not columns:
        return {}
    names = ", ".join(_sql(name) for name in columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE looked_at AS SELECT row_number() OVER () AS _looked_row, {names} "
        f"FROM (SELECT {names} FROM {source.relation} LIMIT {SAMPLE_ROWS})"
    )
    values = {}
    for name in columns:
        values[name] = connection.execute(
            f"SELECT {_sql(name)}, count(*), min(_looked_row) FROM looked_at WHERE {_sql(name)} IS NOT NULL "
            "GROUP BY 1 ORDER BY 3"
        ).fetchall()
    connection.execute("DROP TABLE looked_at")
    return values


def _whole(
    connection: duckdb.DuckDBPyConnection, source: Source, name: str, telling: str
) -> list[tuple[str, int, int]]:
    return connection.execute(
        f"SELECT {_sql(name)}, count(*), min(_looked_row) FROM (SELECT row_number() OVER () AS _looked_row, {_sql(name)} "
        f"FROM {source.relation}) WHERE {_sql(name)} IS NOT NULL AND ({telling}) GROUP BY 1 ORDER BY 3 LIMIT {_TELLING}"
    ).fetchall()


def _sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
