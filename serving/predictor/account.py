"""History: one account's own rows, sent with the request, turned into features by the same kernel."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from features.catalogue.more import tables_of
from features.catalogue.tables import TABLES
from features.engine.compute import compute
from features.engine.events import Events, sort_events
from features.engine.matrix import FeatureMatrix
from features.engine.observations import Observations, moment
from features.engine.views import FeatureSet
from features.errors import TableError
from features.schema import Column, Kind, Table
from features.values.conventions import DECIMALS, Evidence, both_readings, decimals_in, orders_in
from features.values.numbers import Decimal, currency_of, decimal_of, is_currency, read_number
from features.values.text import tidy
from features.values.times import Order, orders_of, read_time
from serving.predictor.derived import derived_orders

MOST_ROWS = 20_000
"""Rows one request may bring, all tables together."""

MOST_NUMBER = 1e18
"""What no amount, count or share of one row goes beyond; sums and squares of such numbers are still numbers."""

_ARROW = {
    Kind.ID: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.TIME: pa.timestamp("us"),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
}


class FieldError(TableError):
    """A request says something that cannot be.

    Args:
        field: Where, for example ``orders[3].amount``.
        message: What is wrong, the rule, and the mend.
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


def no_table(name: str) -> FieldError:
    """What is said of a request that brings what is no table."""
    return FieldError(name, f"is not a table; those are {', '.join(TABLES)}")


def too_many_rows(table: str) -> FieldError:
    """What is said of a request with more rows than one may bring."""
    return FieldError(table, f"brings the request beyond {MOST_ROWS:,} rows; leave out the oldest")


@dataclass(frozen=True, eq=False)
class Account:
    """One account's rows.

    Args:
        customer_id: Who, where the rows say so.
        as_of: The moment to look from, wall clock of the project.
        zone: The project's time zone.
        tables: Canonical tables by name, columns as given.
    """

    customer_id: str | None
    as_of: datetime
    zone: ZoneInfo
    tables: Mapping[str, pa.Table]

    @property
    def as_of_text(self) -> str:
        """The moment with its zone offset, ISO."""
        return self.as_of.replace(tzinfo=self.zone).isoformat()

    def streams(self, features: FeatureSet, bound: Mapping[str, tuple[str, ...]]) -> dict[str, Events]:
        """The rows as the streams that a feature set reads, sorted.

        Args:
            features: What will be computed.
            bound: Columns the training's tables had; one that is not here is missing, one that
                training did not have plays no part.
        """
        events, tables = {}, tables_of(features)
        for name, (stream, columns) in features.streams.items():
            rows = _shaped(tables[stream.table], self.tables.get(stream.table), bound[stream.table])
            events[name] = sort_events(stream, rows, np.zeros(len(rows), np.int32), 1, columns)
        return events

    def features(self, features: FeatureSet, bound: Mapping[str, tuple[str, ...]]) -> FeatureMatrix:
        """The account's features, one row; see `streams`."""
        return features_at(self.as_of, features, self.streams(features, bound))


def features_at(as_of: datetime, features: FeatureSet, streams: Mapping[str, Events]) -> FeatureMatrix:
    """One account's features as of a moment, one row.

    Args:
        as_of: Wall clock of the project.
        features: What to compute.
        streams: The account's sorted rows.
    """
    observations = Observations(np.zeros(1, np.int32), np.array([moment(as_of)], np.int64))
    return compute(features, streams, observations)


def _shaped(table: Table, given: pa.Table | None, wanted: tuple[str, ...]) -> pa.Table:
    count = 0 if given is None else len(given)
    columns = {}
    # When a row was known is honoured wherever it is said; leaving it out could only leak.
    for name in dict.fromkeys((*wanted, "known_at")):
        if given is not None and name in given.column_names:
            columns[name] = given[name]
        elif name in wanted:
            columns[name] = pa.nulls(count, _ARROW[table.column(name).kind])
    return pa.table(columns)


def read_account(
    body: Any,
    timezone: str,
    currency: str,
    schemas: Mapping[str, Table] = TABLES,
    ledger: Sequence[str] = (),
) -> Account:
    """Check a request's rows and type them.

    Texts are read as bound tables are: dates and numbers however they are written, as long as the rows
    of the request leave no doubt of what they mean.

    Args:
        body: Decoded JSON: canonical tables by name, lists of rows; ``as_of`` where it is not now.
        timezone: IANA name of the project's zone. Times without an offset are of that zone.
        currency: ISO 4217 code of the project: what a number written as text may be marked with.
        schemas: Tables by name; more than the canonical columns where the project has some of its own.
        ledger: Tables that the project's orders are derived from. Where a request has no orders, its own are
            derived from these in the same way.

    Raises:
        FieldError: An unknown table or column, a wrong type, a missing value, too many rows, or
            rows of two customers.
    """
    zone = ZoneInfo(timezone)
    if not isinstance(body, dict):
        raise FieldError("body", 'must be a JSON object of tables, for example {"orders": [...]}')
    said = body.get("as_of")
    as_of = datetime.now(zone).replace(tzinfo=None) if said is None else _time(said, "as_of", zone, None)
    ids: set[str] = set()
    tables, rows = {}, 0
    for name, given in body.items():
        if name == "as_of":
            continue
        if name not in schemas:
            raise no_table(name)
        if not isinstance(given, list):
            raise FieldError(name, "must be a list of rows")
        rows += len(given)
        if rows > MOST_ROWS:
            raise too_many_rows(name)
        tables[name] = _table(schemas[name], given, zone, currency, ids)
        if len(ids) > 1:
            raise FieldError(name, f"has rows of {len(ids)} customers; send one customer a request")
    if "orders" not in tables:
        tables["orders"] = _derived(tables, ledger, as_of)
    return Account(next(iter(ids), None), as_of, zone, tables)


def _derived(tables: Mapping[str, pa.Table], ledger: Sequence[str], as_of: datetime) -> pa.Table:
    given = [name for name in ledger if name in tables]
    if not given:
        instead = f", or its {' and '.join(ledger)}" if ledger else ""
        raise FieldError(
            "orders", f"is missing; send the account's orders{instead}, an empty list if there are none"
        )
    try:
        return derived_orders(tables, given, as_of.date())
    except TableError as error:
        raise FieldError(given[0], str(error)) from error


def _table(table: Table, given: list[Any], zone: ZoneInfo, currency: str, ids: set[str]) -> pa.Table:
    columns = {column.name: column for column in table.columns}
    conventions = _conventions(table, given)
    values: dict[str, list[Any]] = {}
    for k, row in enumerate(given):
        where = f"{table.name}[{k}]"
        if not isinstance(row, dict):
            raise FieldError(where, "must be an object of columns")
        for name in row:
            if name not in columns:
                raise FieldError(
                    f"{where}.{name}", f"is not a column of {table.name}; those are {', '.join(columns)}"
                )
        for name, column in columns.items():
            value = row.get(name)
            if value is None:
                # The request is about one account; it need not repeat whose rows these are.
                if column.required and name != "customer_id":
                    raise FieldError(f"{where}.{name}", f"is required: {column.meaning}")
            else:
                value = _cell(value, column, f"{where}.{name}", zone, currency, conventions.get(name))
                if name == "customer_id":
                    ids.add(value)
            if name in values:
                values[name].append(value)
            elif value is not None:
                values[name] = [None] * k + [value]
    arrays = {name: pa.array(filled, _ARROW[columns[name].kind]) for name, filled in values.items()}
    # A table of rows without any value still has its rows.
    arrays.setdefault("customer_id", pa.nulls(len(given), pa.string()))
    return pa.table(arrays)


_Said = Evidence[Decimal] | Evidence[Order]


def _conventions(table: Table, given: list[Any]) -> dict[str, _Said]:
    """What the texts of each column, taken together, say about how they are meant."""
    said: dict[str, _Said] = {}
    for column in table.columns:
        if column.kind not in {Kind.TIME, Kind.NUMBER}:
            continue
        rows = [(row, row_.get(column.name)) for row, row_ in enumerate(given) if isinstance(row_, dict)]
        texts = [(value, 1, row) for row, value in rows if isinstance(value, str)]
        if texts:
            said[column.name] = orders_in(texts) if column.kind is Kind.TIME else decimals_in(texts)
    return said


def _cell(value: Any, column: Column, field: str, zone: ZoneInfo, currency: str, said: Any) -> Any:
    if column.kind is Kind.TIME:
        return _time(value, field, zone, said)
    if column.kind is Kind.NUMBER:
        return _number(value, field, currency, said)
    return _typed(value, column, field)


def _number(value: Any, field: str, currency: str, said: Any) -> float:
    if isinstance(value, str):
        read = read_number(value, said.decided or ".")
        if read is None or not math.isfinite(read):
            raise FieldError(field, f"must be a number, not {_shown(value)}")
        if said.decided is None and decimal_of(value) == "either":
            point, comma = both_readings(value, DECIMALS)
            raise FieldError(field, f"{_shown(value)} could be {point} or {comma}; send a JSON number")
        mark = currency_of(value)
        if mark is not None and not is_currency(mark, currency):
            raise FieldError(field, f"{_shown(value)} is not in {currency}, the currency of the models")
        return _measured(read, value, field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise FieldError(field, f"must be a number, not {_shown(value)}")
    return _measured(float(value), value, field)


def _measured(number: float, value: Any, field: str) -> float:
    if abs(number) > MOST_NUMBER:
        raise FieldError(field, f"{_shown(value)} is beyond all measure; numbers go to {MOST_NUMBER:.0e}")
    return number


def _typed(value: Any, column: Column, field: str) -> Any:
    if column.kind is Kind.FLAG:
        if not isinstance(value, bool):
            raise FieldError(field, f"must be true or false, not {_shown(value)}")
        return value
    if column.kind is Kind.ID and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise FieldError(field, f"must be text, not {_shown(value)}")
    return tidy(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _time(value: Any, field: str, zone: ZoneInfo, said: Any) -> datetime:
    text = None
    if isinstance(value, str):
        order = None if said is None else said.decided
        text = read_time(value, order)
        if text is None and len(ways := orders_of(value)) > 1:
            first, second = both_readings(value, ways)
            raise FieldError(
                field, f"{_shown(value)} could be {first} or {second}; send it year first, as 2026-01-31"
            )
    when = None if text is None else datetime.fromisoformat(text)
    # Columns hold 1677 to 2262; a date far outside is a slip of the pen anyway.
    if when is None or not 1700 <= when.year <= 2200:
        raise FieldError(
            field, f"must be an ISO 8601 date or time such as 2026-01-31T09:30:00, not {_shown(value)}"
        )
    return when if when.tzinfo is None else when.astimezone(zone).replace(tzinfo=None)


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:
        # Python writes no number of more than some thousand digits.
        text = "a number of thousands of digits"
    return text if len(text) <= 40 else f"{text[:37]}…"
