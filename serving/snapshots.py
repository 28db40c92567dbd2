"""Taking the snapshot: all customers' features as of one moment, where servers read."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from features.binding.parents import belongings
from features.binding.tables import Tables
from features.catalogue.more import features_with
from features.catalogue.tables import PEOPLE
from features.engine.observations import moment, wall_clock
from features.engine.snapshot import write_snapshot
from features.engine.store import bound_columns
from features.types import DAY
from training.live import Live, live_folder


@dataclass(frozen=True)
class Taken:
    """What was taken.

    Args:
        path: The file.
        customers: How many there are in it.
        as_of: The moment, microseconds on the project's wall clock.
        as_of_text: The same with its zone, ISO.
    """

    path: Path
    customers: int
    as_of: int
    as_of_text: str


def newest_moment(tables: Tables) -> int:
    """Midnight after the last order or the end of what contracts tell, or the last midnight if that is earlier, microseconds.

    A history that ends last month is looked at from its end: seen from today, everyone would seem
    to have fallen silent.
    """
    last = tables.last_moment(
        tables.connection.execute("SELECT epoch_us(max(occurred_at)) FROM orders").fetchall()[0][0]
    )
    today = datetime.now(ZoneInfo(tables.settings.timezone)).replace(tzinfo=None)
    now = moment(today)
    return int(min(last - last % DAY + DAY, now - now % DAY))


def take_snapshot(tables: Tables, as_of: int | None = None, *, threads: int = 1) -> Taken:
    """Compute and write the snapshot that servers and scoring read.

    Args:
        tables: The bound tables.
        as_of: The moment, microseconds; :func:`newest_moment` if not given.
        threads: Worker threads.

    Raises:
        DefinitionError: No customer was known by then.
    """
    settings = tables.settings
    when = newest_moment(tables) if as_of is None else as_of
    text = wall_clock(when).replace(tzinfo=ZoneInfo(settings.timezone)).isoformat()
    bound = bound_columns(tables.connection)
    path = Live(live_folder(settings)).snapshot
    facts: dict[str, Any] = {
        "currency": settings.currency,
        "timezone": settings.timezone,
        "bound": bound,
        "data_fingerprint": tables.fingerprint,
    }
    groups = belongings(tables.connection, wall_clock(when))
    if groups is not None:
        facts["groups"] = {account: [own.parent, own.group] for account, own in groups.items()}
    features = features_with(tables.more).bound_to(bound)
    customers = write_snapshot(path, tables.connection, features, PEOPLE, when, text, facts, threads=threads)
    return Taken(path, customers, when, text)
