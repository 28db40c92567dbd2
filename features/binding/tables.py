"""Tables: everything tokui.toml binds, checked, typed and held in one DuckDB connection."""

import hashlib
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from features.binding.casts import Clock
from features.binding.checks import Rules, clear, fill
from features.binding.databases import detach_files
from features.binding.functions import add_functions
from features.binding.mapping import Binding, resolve
from features.binding.report import Finding, TableReport
from features.binding.sources import Source, column_types, open_source
from features.catalogue.tables import BINDABLE, TABLES
from features.errors import SettingsError, TableError, TokuiError
from features.settings import Settings, TableSettings

_FIRST = "first_orders"
_EARLY = {"fx": 0, "orders": 1}


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
    """

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    reports: tuple[TableReport, ...]
    fingerprint: str
    scratch: "tempfile.TemporaryDirectory[str]"

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

    def refuse_losses(self) -> None:
        """Stop where more is lost than tokui.toml accepts.

        Raises:
            TableError: More than ``max_loss`` of a table's rows, money or values is lost, and not accepted.
        """
        refused = [report.refusal for report in self.reports if report.refusal is not None]
        if refused:
            raise TableError(" | ".join(refused))

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
        only: Canonical tables to bind; orders is added where customers are derived from it.

    Returns:
        The open tables.

    Raises:
        SourceError: A source cannot be read.
        TableError: A table breaks the canonical schema, or too many of its rows do.
        SettingsError: A time zone does not exist, or ``only`` names a table that is not bound.
    """
    names = _selected(settings, only)
    zone = ZoneInfo(settings.timezone)
    moment = now or datetime.now(zone)
    wall = moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)
    scratch = tempfile.TemporaryDirectory(prefix="tokui-", ignore_cleanup_errors=True)
    folder = Path(scratch.name)
    connection = duckdb.connect(
        str(folder / "tables.duckdb"),
        config={"memory_limit": f"{settings.memory_gib}GiB", "temp_directory": str(folder / "spill")},
    )
    try:
        add_functions(connection)
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(f"SET TimeZone = '{settings.timezone}'")
        connection.execute("SET enable_progress_bar = false")
        work = _Work(settings, connection, folder, wall, names)
        work.bind_all()
        detach_files(connection)
        connection.execute("DROP TABLE IF EXISTS fx")
        reports = tuple(work.reports[name] for name in names if name in TABLES)
        return Tables(settings, connection, reports, _fingerprint(connection, reports), scratch)
    except BaseException:
        connection.close()
        scratch.cleanup()
        raise


def _selected(settings: Settings, only: Collection[str] | None) -> tuple[str, ...]:
    if only is None:
        return tuple(name for name in BINDABLE if name in settings.tables)
    wanted = set(only)
    for name in only:
        if name not in settings.tables:
            raise SettingsError(
                f"table {name!r} is not bound in {settings.path}; bound are {', '.join(settings.tables)}"
            )
    if "customers" in wanted and settings.tables["customers"].derive is not None:
        wanted.add("orders")
    if "fx" in settings.tables:
        wanted.add("fx")
    return tuple(name for name in BINDABLE if name in wanted)


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

    def bind_all(self) -> None:
        """Bind every table; raise the first problem and say how many more there are."""
        # Orders come first: customers may be derived from them.
        for name in sorted(self.names, key=lambda name: _EARLY.get(name, len(_EARLY))):
            try:
                self._bind(name)
            except TokuiError as error:
                self.problems.append(error)
        if not self.problems and "customers" in self.names:
            for name in self.names:
                if name in TABLES:
                    self._check_accounts(name)
        if self.problems:
            first, *others = self.problems
            more = "" if not others else f" (and {len(others)} more problem{'s' if len(others) > 1 else ''})"
            raise type(first)(f"{first}{more}") from first

    def _bind(self, name: str) -> None:
        table = self.settings.tables[name]
        if table.derive is not None:
            return  # bound together with orders
        customers = self.settings.tables["customers"]
        derived = name == "orders" and customers.derive == "orders" and "customers" in self.names
        carried = (
            {f"customers.{column}": text for column, text in customers.columns.items()} if derived else {}
        )
        if "customers.customer_id" in carried:
            raise TableError(
                "customers.customer_id comes from orders where customers are derived; leave it out"
            )
        source = open_source(
            self.connection, table, folder=self.settings.folder, scratch=self.folder, staging=f"staged_{name}"
        )
        binding = self._fill(name, table, source, carried)
        self.connection.execute(f"DROP TABLE IF EXISTS staged_{name}")
        if binding is None:
            return
        if derived:
            self._derive(binding)
        clear(self.connection, binding)

    def _fill(
        self, name: str, table: TableSettings, source: Source, carried: dict[str, str]
    ) -> Binding | None:
        clock = Clock(self.settings.timezone, _zone(name, table, self.settings.timezone), table.dates)
        binding, problems = resolve(self.connection, BINDABLE[name], table, source, carried, self.now)
        if binding is not None:
            report, wrong = fill(self.connection, binding, clock, self._rules(table))
            problems += wrong
            if report is not None:
                self.reports[name] = report
            else:
                binding = None
        self.problems += problems
        return binding

    def _rules(self, table: TableSettings) -> Rules:
        settings = self.settings
        keep = table.strays == "keep"
        return Rules(self.now, settings.currency, settings.until, keep, settings.max_loss, table.accept)

    def _derive(self, orders: Binding) -> None:
        """Make one account of each customer's first order, by time and then by row."""
        bound = {column.name for column in orders.columns}
        carried = [column.name for column in orders.columns if column.column is None]
        zone = self.settings.timezone
        # Already on the project's wall clock; as instants they are not moved there a second time.
        moved = self.settings.tables["orders"].timezone is not None
        occurred, recorded = (
            f"timezone('{zone}', o.{name})" if moved else f"o.{name}" for name in ("occurred_at", "known_at")
        )
        known = (
            f", {recorded} AS known_at" if "known_at" in bound and "customers.known_at" not in carried else ""
        )
        extra = "".join(f', o."{name}" AS "{name.removeprefix("customers.")}"' for name in carried)
        created = "" if "customers.created_at" in carried else f", {occurred} AS created_at"
        self.connection.execute(
            f"CREATE TABLE {_FIRST} AS WITH earliest AS (SELECT customer_id, min(occurred_at) AS moment FROM orders "
            "GROUP BY customer_id), line AS (SELECT min(_row) AS _row FROM orders JOIN earliest USING (customer_id) "
            f"WHERE occurred_at = moment GROUP BY customer_id) SELECT o.customer_id{created}{extra}{known} "
            "FROM orders AS o JOIN line USING (_row) ORDER BY _row"
        )
        columns = column_types(self.connection, _FIRST, "first orders")
        text = {name for name in columns if f"customers.{name}" in carried and columns[name] == "VARCHAR"}
        source = Source(f"{orders.source.name} (first orders)", _FIRST, columns, frozenset(text))
        settings = self.settings.tables["orders"].model_copy(update={"columns": {}, "where": None})
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
