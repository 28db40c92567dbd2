"""``tokui simulate``: a B2B world whose truth is known, as one Parquet file a table.

The mechanisms live in ``features/world``; docs/simulated-world.md tells them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from features.catalogue.tables import TABLES
from features.errors import SettingsError
from features.files import PARTIAL, write_text
from features.schema import Kind
from features.settings import load_settings
from features.world.accounts import Accounts, customers_table, draw_accounts
from features.world.arms import ARM_COSTS, ARMS, NO_EXPERIMENT, assignments_table
from features.world.arrays import Frame, generator, select_rows
from features.world.calendar import WorldCalendar, calendar
from features.world.contracts import contracts_table, fee_lines, invoices
from features.world.deals import deals_table
from features.world.lives import Lives, live
from features.world.purchases import Catalogue, draw_catalogue, order_lines
from features.world.signals import costs, engagement, surveys, tickets, usage
from features.world.truth import Truth
from features.world.writing import TableFile

TRUTH = ("truth", "truth_effects")
"""Files beside the tables that no model may see."""

_NOT_WRITTEN = frozenset(
    (
        "contracts.billing_months",
        "contracts.renews",
        "invoices.invoice_id",
        "deals.deal_id",
        "deals.product_id",
    )
)
_KNOWN_LATER = frozenset({"customers", "orders", "invoices", "costs"})
_SETTINGS = "tokui.toml"
_WHOLE_UNIT = frozenset({"JPY", "KRW", "VND"})
"""Currencies without a minor unit in use; their prices have two more digits."""


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """What was written.

    Args:
        folder: Where.
        settings: The ``tokui.toml`` that binds the tables.
        first: First day of the world.
        end: First instant after it.
        customers: Number of accounts.
        experiments: Ids of the randomised experiments, oldest first.
        rows: Rows by table, truth files included.
    """

    folder: Path
    settings: Path
    first: datetime
    end: datetime
    customers: int
    experiments: tuple[str, ...]
    rows: dict[str, int]


def simulate_world(
    folder: Path,
    *,
    customers: int,
    years: float,
    seed: int,
    end: datetime = datetime(2026, 1, 1),  # noqa: DTZ001 - a naive local time, as in all tables
    currency: str = "JPY",
    timezone: str = "Asia/Tokyo",
    progress: Callable[[str], None] | None = None,
) -> WorldSummary:
    """Write a simulated world: eleven tables, the truth about it, and a ``tokui.toml`` that binds the tables.

    The same arguments give the same files. Every file appears whole; ``tokui.toml`` comes last.

    Args:
        folder: Empty, absent, or holding a previous world, which is replaced.
        customers: Number of accounts.
        years: Length, rounded to months; randomised experiments need 19 months.
        seed: Of everything random.
        end: First instant after the world, midnight on the first of a month.
        currency: ISO 4217 code of all money.
        timezone: IANA zone of the naive local times.
        progress: Is told what has been done, a line at a time.

    Raises:
        SettingsError: An argument says something that cannot be, or the folder holds other files.
    """
    if customers < 1:
        raise SettingsError(f"customers is {customers}; a world needs at least one")
    if seed < 0:
        raise SettingsError(f"seed is {seed}; it must not be negative")
    months = calendar(end, years)
    tell = progress or (lambda _: None)
    _prepare(folder)
    text = _settings_text(currency, timezone, customers, seed)
    world = _draw(months, customers, seed, currency)
    tell(f"{customers:,} accounts lived {months.months} months")
    names = (*TABLES, *TRUTH)
    files = {name: TableFile(folder / f"{name}.parquet", _flags(name)) for name in names}
    try:
        for name, frame in world.frames(seed, tell):
            files[name].append(_in_books(name, frame, months) if name in TABLES else frame)
        for file in files.values():
            file.close()
        # A mixture of two worlds must not be taken for one.
        (folder / _SETTINGS).unlink(missing_ok=True)
        for file in files.values():
            file.publish()
    finally:
        for file in files.values():
            file.discard()
    write_text(folder / _SETTINGS, text)
    load_settings(folder / _SETTINGS)
    return WorldSummary(
        folder=folder,
        settings=folder / _SETTINGS,
        first=datetime.fromisoformat(str(months.start_of(0))),
        end=end,
        customers=customers,
        experiments=tuple(e.experiment_id for e in world.lives.experiments),
        rows={name: file.rows for name, file in files.items()},
    )


@dataclass(frozen=True, slots=True)
class _World:
    calendar: WorldCalendar
    accounts: Accounts
    lives: Lives
    catalogue: Catalogue
    unit: float
    digits: int

    def frames(self, seed: int, tell: Callable[[str], None]) -> Iterator[tuple[str, Frame]]:
        """The rows of all tables, those of the large ones month by month."""
        when, who, lives, unit, digits = self.calendar, self.accounts, self.lives, self.unit, self.digits
        rng = {name: generator(seed, name) for name in TABLES}
        yield "customers", customers_table(rng["customers"], when, who, unit)
        yield "contracts", contracts_table(rng["contracts"], when, who, lives, digits)
        yield "deals", deals_table(rng["deals"], when, who, lives, unit)
        yield "assignments", assignments_table(when, lives.experiments)
        first_id = 0
        for month in range(when.months):
            yield "orders", fee_lines(when, who, lives, self.catalogue, month, digits)
            lines = order_lines(rng["orders"], when, who, lives, self.catalogue, month, first_id, digits)
            first_id += int(lives.orders[:, month].sum())
            yield "orders", lines
            yield "usage", usage(rng["usage"], when, who, lives, month)
            cases, opened = tickets(rng["tickets"], when, who, lives, month)
            yield "tickets", cases
            yield "costs", costs(rng["costs"], when, lives, month, opened, unit)
            yield "invoices", invoices(rng["invoices"], when, who, lives, month, digits)
            yield "engagement", engagement(rng["engagement"], when, who, lives, month)
            yield "surveys", surveys(rng["surveys"], when, who, lives, month)
            if month % 6 == 5:
                tell(f"{month + 1} of {when.months} months written")
        truth = Truth(when, who, lives, self.catalogue, unit)
        yield "truth", truth.table()
        for experiment in lives.experiments or (NO_EXPERIMENT,):
            yield "truth_effects", truth.effects(experiment)


def _draw(months: WorldCalendar, customers: int, seed: int, currency: str) -> _World:
    whole = currency in _WHOLE_UNIT
    unit, digits = (100.0, 0) if whole else (1.0, 2)
    accounts = draw_accounts(generator(seed, "accounts"), months, customers, unit)
    catalogue = draw_catalogue(generator(seed, "catalogue"), unit)
    return _World(months, accounts, live(months, accounts, seed), catalogue, unit, digits)


def _in_books(name: str, frame: Frame, months: WorldCalendar) -> Frame:
    """The rows an extract made at the world's end holds, by time."""
    time = np.asarray(frame[TABLES[name].time])
    known = np.asarray(frame.get("known_at", time))
    rows = np.argsort(time, kind="stable")
    kept = np.less(time, months.end) & ~np.greater_equal(known, months.end)
    return select_rows(frame, rows[kept[rows]])


def _flags(name: str) -> frozenset[str]:
    if name in TABLES:
        return frozenset(c.name for c in TABLES[name].columns if c.kind is Kind.FLAG)
    return frozenset({"alive_at_end", "assigned"})


def _prepare(folder: Path) -> None:
    ours = {f"{name}.parquet" for name in (*TABLES, *TRUTH)} | {_SETTINGS}
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is a file; a world needs a folder")
    folder.mkdir(parents=True, exist_ok=True)
    other = sorted(entry.name for entry in folder.iterdir() if entry.name.removesuffix(PARTIAL) not in ours)
    if other:
        raise SettingsError(
            f"{folder} holds {other[0]!r}, which no simulated world has; name an empty or absent folder"
        )


def _settings_text(currency: str, timezone: str, customers: int, seed: int) -> str:
    lines = [
        f"# A simulated world of {customers:,} customers, seed {seed}. docs/simulated-world.md tells its rules.",
        "# The truth about it lies in truth.parquet and truth_effects.parquet; do not bind them.",
        'name = "simulated world"',
        f'currency = "{currency}"',
        f'timezone = "{timezone}"',
        "",
        "[ltv]",
        "horizon_days = 365",
        "",
        "[churn]",
        "horizons_days = [30, 60, 90]",
        "silence_days = 180",
        "",
        "[uplift.costs]",
        *(f"{arm} = {cost}" for arm, cost in zip(ARMS[1:], ARM_COSTS, strict=True)),
        "",
        "[training]",
        "step_days = 30",
        "max_cutoffs = 12",
    ]
    for name, table in TABLES.items():
        lines += ["", f"[tables.{name}]", f'source = "{name}.parquet"', f"[tables.{name}.columns]"]
        have = [
            c.name
            for c in table.columns
            if c.name != "currency"
            and f"{name}.{c.name}" not in _NOT_WRITTEN
            and (c.name != "known_at" or name in _KNOWN_LATER)
        ]
        lines += [f'{column} = "{column}"' for column in have]
    return "\n".join(lines) + "\n"
