"""From bound tables to the events a feature set reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from features.engine.events import Events, customer_codes, sort_events
from features.engine.streams import Stream
from features.engine.windows import ALWAYS
from features.errors import DefinitionError
from features.types import Times

PART_ROWS = 20_000_000
"""Rows of the largest table that are held in memory at once."""

NEVER = np.iinfo(np.int64).max
"""When a customer without any dated row is first seen."""

Streams = Mapping[str, tuple[Stream, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Store:
    """Customers and their events, sorted.

    Args:
        ids: Customer ids, ascending; a customer's position is its code everywhere else.
        streams: Events by stream name, dated by when they were known.
        first_seen: int64 [customers], the first date of the streams that tell who is a customer, as known.
    """

    ids: pa.Array
    streams: dict[str, Events]
    first_seen: Times


def bound_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """The canonical tables that are bound and their columns."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns ORDER BY table_name, ordinal_position"
    ).fetchall()
    bound: dict[str, tuple[str, ...]] = {}
    for table, column in rows:
        bound[table] = (*bound.get(table, ()), column)
    return bound


def load_store(
    connection: duckdb.DuckDBPyConnection,
    streams: Streams,
    people: Sequence[Stream],
    *,
    known: bool = True,
    part: int = 0,
    parts: int = 1,
) -> Store:
    """Read and sort what these streams need.

    Args:
        connection: Holds the bound canonical tables.
        streams: Stream and columns by name, as ``FeatureSet.streams`` gives them.
        people: The streams that tell who is a customer, and since when.
        known: Date rows by when they were known; labels pass False.
        part: Which part of the customers.
        parts: Of how many.
    """
    bound = bound_columns(connection)
    mine = "" if parts == 1 else f" WHERE hash(customer_id) % {parts} = {part}"
    everyone = " UNION ".join(
        f"SELECT customer_id FROM {stream.table}{mine}" for stream in people if stream.table in bound
    )
    index = connection.sql(f"SELECT customer_id FROM ({everyone}) ORDER BY 1").to_arrow_table()
    ids = index["customer_id"].combine_chunks()
    # Who exists, and since when, is always asked of all of them.
    wanted = {stream.name: (stream, ()) for stream in people} | dict(streams)
    events: dict[str, Events] = {}
    for table in dict.fromkeys(stream.table for stream, _ in wanted.values()):
        here = [entry for entry in wanted.values() if entry[0].table == table]
        columns = _columns_of(here, bound.get(table, ()))
        rows = connection.sql(f"SELECT {', '.join(columns)} FROM {table}{mine}").to_arrow_table()
        customers = customer_codes(rows["customer_id"], ids)
        for stream, read in here:
            events[stream.name] = sort_events(stream, rows, customers, len(ids), read, known=known)
    first = np.minimum.reduce([_first_dated(events[stream.name]) for stream in people])
    return Store(ids, events, first)


def _columns_of(wanted: list[tuple[Stream, tuple[str, ...]]], bound: tuple[str, ...]) -> list[str]:
    columns = {"customer_id"}
    for stream, read in wanted:
        if not stream.is_in(bound):
            raise DefinitionError(f"{stream.name} needs {stream.table}.{stream.time}, which is not bound")
        columns |= {stream.time} | ({stream.where.column} if stream.where else set())
        columns |= {need for column in read for need in stream.needs(column)}
    # Optional columns are taken where they are; the rest must be there.
    missing = columns - set(bound) - {stream.time for stream, _ in wanted if stream.undated_always}
    if missing:
        table = wanted[0][0].table
        raise DefinitionError(
            f"table {table} binds no {', '.join(sorted(missing))}; bind it or drop the view"
        )
    return [column for column in bound if column in columns or column == "known_at"]


def _first_dated(events: Events) -> Times:
    first = np.full(len(events.offsets) - 1, NEVER)
    some = np.diff(events.offsets) > 0
    first[some] = events.times[events.offsets[:-1][some]]
    # An account without a date is seen from its first order on, not since the beginning of time.
    first[first == ALWAYS] = NEVER
    return first


def parts_needed(connection: duckdb.DuckDBPyConnection) -> int:
    """Into how many parts the customers are split so that one fits in memory."""
    bound = bound_columns(connection)
    rows = [len(connection.table(table)) for table in bound]
    return max(1, -(-max(rows, default=0) // PART_ROWS))


def load_parts(
    connection: duckdb.DuckDBPyConnection, streams: Streams, people: Sequence[Stream]
) -> Iterator[Store]:
    """The store part by part, customers split by a hash of their id, for histories beyond memory."""
    parts = parts_needed(connection)
    for part in range(parts):
        yield load_store(connection, streams, people, part=part, parts=parts)
