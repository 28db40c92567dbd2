"""Tables: everything tokui.toml binds, checked, typed and held in one DuckDB connection."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from features.binding.casts import Clock
from features.binding.checks import Rules, clear, fill
from features.binding.databases import detach_files
from features.binding.functions import add_functions
from features.binding.identities import id_notes, nobody_known, strange_ids
from features.binding.ledger import data_end, derive_lines
from features.binding.mapping import Binding, resolve
from features.binding.morecolumns import extend
from features.binding.parents import parent_notes
from features.binding.queries import open_query
from features.binding.report import TableReport
from features.binding.samemoney import refused_twice, same_money
from features.binding.sources import Source, column_types, open_source
from features.binding.statuses import status_columns
from features.binding.summary import derived_report, fingerprint_of
from features.catalogue.more import MORE, with_more
from features.catalogue.tables import BINDABLE, TABLES
from features.engine.observations import moment
from features.errors import SettingsError, TableError, TokuiError
from features.files import Scratch
from features.schema import Column
from features.settings import Settings, TableSettings

_FIRST = "first_orders"
_ORDER = {"fx": -1, "orders": 1, "customers": 2}
"""Rates come first; orders may be derived from other tables, and customers from any."""


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
        more: Columns of the user's own by table; tables without any are not here.
        told_until: Last day that a ledger made of contracts tells of; None where the last order says it.
    """

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    reports: tuple[TableReport, ...]
    fingerprint: str
    scratch: Scratch
    more: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)
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

    def refuse_losses(self) -> None:
        """Stop where more is lost than tokui.toml accepts.

        Raises:
            TableError: More than ``max_loss`` of a table's rows, money or values is lost, and not accepted.
        """
        refused = [report.refusal for report in self.reports if report.refusal is not None]
        if refused:
            raise TableError(" | ".join(refused))

    def last_moment(self, last: int) -> int:
        """The later of an order's time and the day until which contracts are billed, microseconds."""
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
    given = now or datetime.now(zone)
    wall = given if given.tzinfo is None else given.astimezone(zone).replace(tzinfo=None)
    scratch = Scratch()
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
        more = {name: columns for name, columns in work.more.items() if columns}
        fingerprint = fingerprint_of(connection, reports)
        return Tables(settings, connection, reports, fingerprint, scratch, more, work.told_until)
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
    if "customers" in wanted:
        wanted.update(settings.tables["customers"].derived_from)
    if "orders" in wanted and settings.tables["orders"].derived_from:
        # Terms without an end run on until the data end, which any table may tell.
        wanted.update(settings.tables)
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
        self.more: dict[str, tuple[Column, ...]] = {}
        self.told_until: date | None = None

    def bind_all(self) -> None:
        """Bind every table; raise the first problem and say how many more there are."""
        for name in sorted(self.names, key=lambda name: _ORDER.get(name, 0)):
            try:
                self._bind(name)
            except TokuiError as error:
                self.problems.append(error)
        if not self.problems and "customers" in self.names:
            origin = self.settings.tables["customers"].derive
            names = [name for name in self.names if name in TABLES]
            notes = id_notes(self.connection, names, str(origin))
            report = self.reports["customers"]
            try:
                notes += parent_notes(self.connection)
            except TableError as error:
                self.problems.append(error)
            self.reports["customers"] = replace(report, warnings=(*report.warnings, *notes))
            for name in names:
                if name != origin:
                    self._check_accounts(name)
        if self.problems:
            first, *others = self.problems
            more = "" if not others else f" (and {len(others)} more problem{'s' if len(others) > 1 else ''})"
            raise type(first)(f"{first}{more}") from first

    def _bind(self, name: str) -> None:
        table = self.settings.tables[name]
        if name == "customers" and table.derive is not None:
            return  # bound together with the table it is derived from
        own = table.source is not None or table.query is not None
        binding = self._bind_source(name, table) if own else None
        if name == "orders" and table.derived_from and not self.problems:
            self._derive_orders(table, binding)
        elif binding is not None:
            self._derive_customers(name, binding)
            clear(self.connection, binding)

    def _bind_source(self, name: str, table: TableSettings) -> Binding | None:
        customers = self.settings.tables["customers"]
        derived = customers.derive == name and "customers" in self.names
        given = customers.columns | {MORE + own: more.expression for own, more in customers.more.items()}
        carried = {f"customers.{column}": text for column, text in given.items()} if derived else {}
        if "customers.customer_id" in carried:
            raise TableError(
                f"customers.customer_id comes from {name} where customers are derived; leave it out"
            )
        folder, staging = self.settings.folder, f"staged_{name}"
        if table.source is None:
            source = open_query(
                self.connection,
                table.query or "",
                self.settings.files,
                folder=folder,
                scratch=self.folder,
                staging=staging,
            )
        else:
            source = open_source(self.connection, table, folder=folder, scratch=self.folder, staging=staging)
        binding = self._fill(name, table, source, carried)
        self.connection.execute(f"DROP TABLE IF EXISTS staged_{name}")
        return binding

    def _derive_orders(self, table: TableSettings, own: Binding | None) -> None:
        """Put the lines of other tables into orders, beside those of a source of its own."""
        if own is not None:
            self._derive_customers("orders", own)
        end = self.settings.until or data_end(self.connection, tuple(self.reports), self.now)
        if table.same_money == "refuse":
            ledger = [*(["orders"] if own is not None else []), *table.derived_from]
            twice = refused_twice(same_money(self.connection, ledger, end), ledger)
            if twice:
                self.problems += twice
                return
        self.told_until = end if "contracts" in table.derived_from else None
        findings, problems = derive_lines(self.connection, table.derived_from, end)
        self.problems += problems
        if problems:
            return
        origin = ", ".join([*([own.source.name] if own is not None else []), *table.derived_from])
        before = self.reports.get("orders")
        schema = with_more(BINDABLE["orders"], self.more.get("orders", ()))
        self.reports["orders"] = derived_report(self.connection, schema, origin, before, tuple(findings))
        customers = self.settings.tables["customers"]
        if own is None and customers.derive == "orders" and "customers" in self.names:
            if customers.columns or customers.more:
                raise TableError(
                    "customers are derived from orders, which are derived themselves and have no other columns; say derive = "
                    f'"{table.derived_from[0]}" in [tables.customers] to take {", ".join([*customers.columns, *customers.more])} from there'
                )
            self._first_rows("orders", "occurred_at", origin)
        if own is not None:
            clear(self.connection, own)
        else:
            self.connection.execute("ALTER TABLE orders DROP COLUMN _row")

    def _derive_customers(self, name: str, binding: Binding) -> None:
        if self.settings.tables["customers"].derive == name and "customers" in self.names:
            self._derive(binding)

    def _fill(
        self, name: str, table: TableSettings, source: Source, carried: dict[str, str]
    ) -> Binding | None:
        clock = Clock(self.settings.timezone, _zone(name, table, self.settings.timezone), table.dates)
        more = self.settings.tables[name].more
        if table is not self.settings.tables[name]:
            # Derived customers find them by their names among what was carried along.
            more = {own: column.model_copy(update={"expression": MORE + own}) for own, column in more.items()}
        schema, table, notes, problems = extend(
            self.connection, BINDABLE[name], table, more, source, self.now
        )
        if problems:
            self.problems += problems
            return None
        self.more[name] = tuple(column for column in schema.columns if column.name.startswith(MORE))
        carried = carried | status_columns(schema, table, source)
        binding, problems = resolve(self.connection, schema, table, source, carried, self.now)
        if binding is not None:
            report, wrong = fill(self.connection, binding, clock, self._rules(table))
            problems += wrong
            if report is not None:
                self.reports[name] = replace(report, warnings=(*report.warnings, *notes))
            else:
                binding = None
        self.problems += problems
        return binding

    def _rules(self, table: TableSettings) -> Rules:
        settings = self.settings
        keep = table.strays == "keep"
        return Rules(
            self.now, settings.currency, settings.until, keep, settings.max_loss, table.accept, settings.ids
        )

    def _derive(self, origin: Binding) -> None:
        """Make one account of each customer's first row, by time and then by row."""
        name, time = origin.table.name, origin.table.time
        bound = {column.name for column in origin.columns}
        if time not in bound:
            raise TableError(f"customers are derived from {name}, which binds no {time}; bind it")
        carried = [column.name for column in origin.columns if column.name.startswith("customers.")]
        zone = self.settings.timezone
        # Already on the project's wall clock; as instants they are not moved there a second time.
        moved = self.settings.tables[name].timezone is not None
        occurred, recorded = (
            f"timezone('{zone}', o.{at})" if moved else f"o.{at}" for at in (time, "known_at")
        )
        known = (
            f", {recorded} AS known_at" if "known_at" in bound and "customers.known_at" not in carried else ""
        )
        extra = "".join(f', o."{column}" AS "{column.removeprefix("customers.")}"' for column in carried)
        created = "" if "customers.created_at" in carried else f", {occurred} AS created_at"
        self._first_rows(name, time, origin.source.name, f"{created}{extra}{known}", carried)

    def _first_rows(
        self, name: str, time: str, shown: str, more: str | None = None, carried: Sequence[str] = ()
    ) -> None:
        """Bind customers to the first row of each in a table that still has its row numbers."""
        more = f", o.{time} AS created_at" if more is None else more
        self.connection.execute(
            f"CREATE TABLE {_FIRST} AS WITH earliest AS (SELECT customer_id, min({time}) AS moment FROM {name} "
            f"GROUP BY customer_id), line AS (SELECT min(_row) AS _row FROM {name} JOIN earliest USING (customer_id) "
            f"WHERE {time} = moment GROUP BY customer_id) SELECT o.customer_id{more} "
            f"FROM {name} AS o JOIN line USING (_row) ORDER BY _row"
        )
        columns = column_types(self.connection, _FIRST, "first rows")
        text = {
            column for column in columns if f"customers.{column}" in carried and columns[column] == "VARCHAR"
        }
        source = Source(f"{shown} (first {name})", _FIRST, columns, frozenset(text))
        settings = self.settings.tables[name].model_copy(
            update={"columns": {}, "where": None, "accept": None}
        )
        binding = self._fill("customers", settings, source, {})
        self.connection.execute(f"DROP TABLE {_FIRST}")
        if binding is not None:
            clear(self.connection, binding)

    def _check_accounts(self, name: str) -> None:
        """Count the ids of a table that customers does not have."""
        if name == "customers":
            return
        strange = strange_ids(self.connection, name)
        if strange is None:
            return
        report = self.reports[name]
        if name == "orders" and strange.count == report.customers:
            self.problems.append(nobody_known(self.connection, strange))
        self.reports[name] = replace(report, warnings=(*report.warnings, strange))


def _zone(name: str, table: TableSettings, default: str) -> str:
    zone = table.timezone or default
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(
            f"tables.{name}.timezone: {zone!r} is not an IANA zone such as Asia/Tokyo"
        ) from error
    return zone
