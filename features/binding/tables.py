"""Tables: everything tokui.toml binds, checked, typed and held in one DuckDB connection."""

import hashlib
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from features.binding.casts import Clock
from features.binding.checks import clear, fill
from features.binding.databases import detach_files
from features.binding.ledger import append_lines, data_end, ledger_report, lines_of, table_columns
from features.binding.mapping import Binding, resolve
from features.binding.report import Finding, TableReport
from features.binding.samemoney import refused_twice, same_money
from features.binding.sources import Source, column_types, open_source
from features.catalogue.tables import TABLES
from features.engine.observations import moment
from features.errors import SettingsError, TableError, TokuiError
from features.settings import Settings, TableSettings

_FIRST = "first_orders"


@dataclass(frozen=True, slots=True)
class Tables:
    """The bound tables; close them, or use them as a context, to give their disk space back.

    Args:
        settings: What was bound.
        connection: Holds one table for each bound canonical one, by its name, with the bound columns in
            schema order and the rows in the source's order: ids and text VARCHAR, times TIMESTAMP on the
            project's wall clock, numbers DOUBLE, flags BOOLEAN.
        reports: What was found, a report a table, in the order of the data dictionary.
        fingerprint: SHA-256 of the content of all tables, whatever the order of their rows.
        scratch: The folder of the connection's files.
        told_until: Last day that a ledger made of contracts tells about; None where its own rows say it.
    """

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    reports: tuple[TableReport, ...]
    fingerprint: str
    scratch: "tempfile.TemporaryDirectory[str]"
    told_until: date | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The bound canonical tables, in the order of the data dictionary."""
        return tuple(report.table for report in self.reports)

    def report(self, name: str) -> TableReport:
        """The report of one table.

        Raises:
            TableError: It is not bound.
        """
        for report in self.reports:
            if report.table == name:
                return report
        raise TableError(f"table {name!r} is not bound; bound are {', '.join(self.names)}")

    def last_moment(self, last: int) -> int:
        """The later of an order's time and the day until which a ledger made of contracts is told, microseconds."""
        if self.told_until is None:
            return last
        return max(last, moment(datetime.combine(self.told_until, datetime.min.time())))

    def close(self) -> None:
        """Close the connection and remove its files. A second time does nothing."""
        self.connection.close()
        self.scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def bind(settings: Settings, *, now: datetime | None = None, only: Collection[str] | None = None) -> Tables:
    """Bind the user's tables to the canonical ones and check every row.

    All tables are looked at before anything is refused, so that one run names every problem.

    Args:
        settings: What to bind.
        now: The moment nothing can be later than; naive means the project's wall clock. Default: now.
        only: Canonical tables to bind; those that they are derived from are added.

    Returns:
        The open tables.

    Raises:
        SourceError: A source cannot be read.
        TableError: A table breaks the canonical schema, or too many of its rows do.
        SettingsError: A time zone does not exist, or ``only`` names a table that is not bound.
    """
    names = _selected(settings, only)
    zone = ZoneInfo(settings.timezone)
    given = now or datetime.now(zone)
    wall = given if given.tzinfo is None else given.astimezone(zone).replace(tzinfo=None)
    scratch = tempfile.TemporaryDirectory(prefix="tokui-", ignore_cleanup_errors=True)
    folder = Path(scratch.name)
    connection = duckdb.connect(
        str(folder / "tables.duckdb"),
        config={"memory_limit": f"{settings.memory_gib}GiB", "temp_directory": str(folder / "spill")},
    )
    try:
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(f"SET TimeZone = '{settings.timezone}'")
        connection.execute("SET enable_progress_bar = false")
        work = _Work(settings, connection, folder, wall, names)
        work.bind_all()
        detach_files(connection)
        reports = tuple(work.reports[name] for name in names)
        fingerprint = _fingerprint(connection, reports)
        return Tables(settings, connection, reports, fingerprint, scratch, work.told_until)
    except BaseException:
        connection.close()
        scratch.cleanup()
        raise


def _selected(settings: Settings, only: Collection[str] | None) -> tuple[str, ...]:
    if only is None:
        return tuple(name for name in TABLES if name in settings.tables)
    wanted = set(only)
    for name in only:
        if name not in settings.tables:
            raise SettingsError(
                f"table {name!r} is not bound in {settings.path}; bound are {', '.join(settings.tables)}"
            )
    if "customers" in wanted:
        wanted.update(settings.tables["customers"].derived_from)
    if "orders" in wanted and settings.tables["orders"].derived_from:
        # Until when contracts run on, any table may tell.
        wanted.update(settings.tables)
    return tuple(name for name in TABLES if name in wanted)


class _Work:
    """One run of ``bind``: what has been bound so far and what was wrong."""

    def __init__(
        self,
        settings: Settings,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        now: datetime,
        names: tuple[str, ...],
    ) -> None:
        self.settings = settings
        self.connection = connection
        self.folder = folder
        self.now = now
        self.names = names
        self.reports: dict[str, TableReport] = {}
        self.problems: list[TokuiError] = []
        self.told_until: date | None = None

    def bind_all(self) -> None:
        """Bind every table; raise the first problem and say how many more there are."""
        derived = "orders" in self.names and self.settings.tables["orders"].derived_from
        own = None
        # Orders come first: customers may be derived from them.
        for name in sorted(self.names, key=lambda name: name != "orders"):
            try:
                binding = self._bind(name)
                if name == "orders" and derived:
                    own = binding
                elif binding is not None:
                    self._finish(name, binding)
            except TokuiError as error:
                self.problems.append(error)
        if derived and not self.problems:
            try:
                self._derive_orders(own)
            except TokuiError as error:
                self.problems.append(error)
        if not self.problems and "customers" in self.names:
            for name in self.names:
                self._check_accounts(name)
        if self.problems:
            first, *others = self.problems
            more = "" if not others else f" (and {len(others)} more problem{'s' if len(others) > 1 else ''})"
            raise type(first)(f"{first}{more}") from first

    def _bind(self, name: str) -> Binding | None:
        """Bind a table to its source; None where it has none or something is wrong with it."""
        table = self.settings.tables[name]
        if table.source is None:
            return None
        columns = self.settings.tables["customers"].columns if self._gives_accounts(name) else {}
        carried = {f"customers.{column}": text for column, text in columns.items()}
        if "customers.customer_id" in carried:
            raise TableError(
                f"customers.customer_id comes from {name} where customers are derived; leave it out"
            )
        source = open_source(
            self.connection, table, folder=self.settings.folder, scratch=self.folder, staging=f"staged_{name}"
        )
        binding = self._fill(name, table, source, carried)
        self.connection.execute(f"DROP TABLE IF EXISTS staged_{name}")
        return binding

    def _gives_accounts(self, name: str) -> bool:
        return "customers" in self.names and self.settings.tables["customers"].derived_from == (name,)

    def _finish(self, name: str, binding: Binding) -> None:
        """Derive customers from a bound table if they are, and leave it with its own columns."""
        if self._gives_accounts(name):
            carried = [column.name for column in binding.columns if column.column is None]
            self._derive(name, binding.source.name, carried)
        clear(self.connection, binding)

    def _derive_orders(self, own: Binding | None) -> None:
        """Put the lines that other tables give behind those of the orders' own source."""
        settings, origins = self.settings.tables["orders"], self.settings.tables["orders"].derived_from
        until = self.settings.until or data_end(self.connection, tuple(self.reports), self.now)
        ledger = [*(["orders"] if own is not None else []), *origins]
        if settings.same_money == "refuse":
            self.problems += refused_twice(same_money(self.connection, ledger, until), ledger)
        parts = [lines_of(self.connection, origin, until) for origin in origins]
        if self.problems:
            return
        counts = append_lines(self.connection, parts)
        before = self.reports.get("orders")
        self.reports["orders"] = ledger_report(self.connection, before, parts, counts)
        if self.reports["orders"].rows_kept == 0:
            raise TableError(
                f"orders: {', '.join(origins)} give no order line; see what their rows are dated by"
            )
        self.told_until = until if "contracts" in origins else None
        if own is not None:
            self._finish("orders", own)
            return
        if self._gives_accounts("orders"):
            if columns := self.settings.tables["customers"].columns:
                raise TableError(
                    f"customers are derived from orders, which have no source to take {', '.join(columns)} from; write "
                    f'derive = "{origins[0]}" in [tables.customers]'
                )
            self._derive("orders", self.reports["orders"].source, [])
        self.connection.execute("ALTER TABLE orders DROP COLUMN _row")

    def _fill(
        self, name: str, table: TableSettings, source: Source, carried: dict[str, str]
    ) -> Binding | None:
        clock = Clock(self.settings.timezone, _zone(name, table, self.settings.timezone), table.dates)
        binding, problems = resolve(self.connection, TABLES[name], table, source, carried)
        if binding is not None:
            report, problems = fill(self.connection, binding, clock, self.now)
            if report is not None:
                self.reports[name] = report
            else:
                binding = None
        self.problems += problems
        return binding

    def _derive(self, name: str, shown: str, carried: Sequence[str]) -> None:
        """Make one account of each customer's first row in a table, by time and then by row."""
        bound, time = table_columns(self.connection, name), TABLES[name].time
        zone = self.settings.timezone
        # Already on the project's wall clock; as instants they are not moved there a second time.
        moved = self.settings.tables[name].timezone is not None
        occurred, recorded = (
            f"timezone('{zone}', o.{column})" if moved else f"o.{column}" for column in (time, "known_at")
        )
        known = (
            f", {recorded} AS known_at" if "known_at" in bound and "customers.known_at" not in carried else ""
        )
        extra = "".join(f', o."{column}" AS "{column.removeprefix("customers.")}"' for column in carried)
        created = "" if "customers.created_at" in carried else f", {occurred} AS created_at"
        self.connection.execute(
            f"CREATE TABLE {_FIRST} AS WITH earliest AS (SELECT customer_id, min({time}) AS moment FROM {name} "
            f"GROUP BY customer_id), line AS (SELECT min(_row) AS _row FROM {name} JOIN earliest USING (customer_id) "
            f"WHERE {time} = moment GROUP BY customer_id) SELECT o.customer_id{created}{extra}{known} "
            f"FROM {name} AS o JOIN line USING (_row) ORDER BY _row"
        )
        columns = column_types(self.connection, _FIRST, f"first {name}")
        text = {col for col in columns if f"customers.{col}" in carried and columns[col] == "VARCHAR"}
        source = Source(f"{shown} (first {name})", _FIRST, columns, frozenset(text))
        settings = self.settings.tables[name].model_copy(update={"columns": {}, "where": None})
        binding = self._fill("customers", settings, source, {})
        self.connection.execute(f"DROP TABLE {_FIRST}")
        if binding is not None:
            clear(self.connection, binding)

    def _check_accounts(self, name: str) -> None:
        """Count the ids of a table that customers does not have."""
        if name == "customers":
            return
        count, example = self.connection.execute(
            f"SELECT count(*), min(customer_id) FROM (SELECT DISTINCT customer_id FROM {name} "
            "WHERE customer_id NOT IN (SELECT customer_id FROM customers))"
        ).fetchall()[0]
        if count == 0:
            return
        report = self.reports[name]
        if name == "orders" and count == report.customers:
            account = self.connection.execute("SELECT min(customer_id) FROM customers").fetchall()[0][0]
            self.problems.append(
                TableError(
                    f"orders.customer_id: none of {count:,} ids is in customers, for example {example!r} where "
                    f"customers has ids like {account!r}; bind the ids so that both write them alike"
                )
            )
        unknown_ids = Finding("ids are not in customers", "customer_id", count, example)
        self.reports[name] = replace(report, warnings=(*report.warnings, unknown_ids))


def _zone(name: str, table: TableSettings, default: str) -> str:
    zone = table.timezone or default
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(
            f"tables.{name}.timezone: {zone!r} is not an IANA zone such as Asia/Tokyo"
        ) from error
    return zone


def _fingerprint(connection: duckdb.DuckDBPyConnection, reports: tuple[TableReport, ...]) -> str:
    digest = hashlib.sha256()
    for report in reports:
        columns = ", ".join(report.columns)
        total = connection.execute(f"SELECT sum(hash({columns})) FROM {report.table}").fetchall()[0][0]
        digest.update(f"{report.table}({columns}):{report.rows_kept}:{total}\n".encode())
    return digest.hexdigest()
