"""A small world of CSV files with many experiments, good and bad, whose every number the tests know."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from features.binding.tables import Tables, bind
from features.history import History, read_history
from features.settings import Settings, UpliftSettings, load_settings

BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001 - naive local time, as in all tables
DAYS, DAY_OF_TRIAL, HORIZON = 400, 240, 60
CUSTOMERS = 480
INDUSTRIES = ("steel", "food", "paper")

TOML = """
name = "trials"
currency = "JPY"
timezone = "Asia/Tokyo"
[ltv]
horizon_days = 120
discount_rate = 0.0
[churn]
horizons_days = [30, 60]
silence_days = 60
[uplift]
horizon_days = 60
[uplift.costs]
treated = 20
[tables.customers]
source = "customers.csv"
[tables.customers.columns]
customer_id = "id"
created_at = "opened"
industry = "industry"
[tables.orders]
source = "orders.csv"
[tables.orders.columns]
customer_id = "id"
occurred_at = "at"
order_id = "number"
amount = "amount"
[tables.assignments]
source = "assignments.csv"
[tables.assignments.columns]
customer_id = "id"
experiment_id = "experiment"
assigned_at = "at"
arm = "arm"
propensity = "propensity"
"""


Line = tuple[str, int, int, float]
"""An order: customer, day, hour, amount."""


@dataclass(frozen=True)
class Trials:
    """The world, bound and read."""

    folder: Path
    tables: Tables
    history: History

    def with_uplift(self, **changes: Any) -> "Trials":
        """The same world under other settings of uplift."""
        uplift = UpliftSettings(**{**self.history.settings.uplift.model_dump(), **changes})
        settings = self.history.settings.model_copy(update={"uplift": uplift})
        return Trials(
            self.folder, replace(self.tables, settings=settings), replace(self.history, settings=settings)
        )


def name(k: int) -> str:
    return f"ACC-{k:04d}"


def moment(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return BEGIN + timedelta(days=day, hours=hour, minutes=minute)


def industry(k: int) -> str:
    return INDUSTRIES[k % 3]


def arm_of(k: int) -> int:
    """Whether treated in the experiment ``plain``: every second one of each industry."""
    return (k // 3) % 2


def orders(seed: int = 1) -> list[Line]:
    """Rows (customer, day, hour, amount), treated steel works buying three times as much after the day."""
    rng = np.random.default_rng(seed)
    rows: list[Line] = []
    for k in range(CUSTOMERS):
        size = 100 * np.exp(rng.normal(0, 0.3))
        for day in np.flatnonzero(rng.random(DAYS) < 1 / 12).tolist():
            gained = arm_of(k) and industry(k) == "steel" and day >= DAY_OF_TRIAL
            amount = size * np.exp(rng.normal(0, 0.3)) * (3 if gained else 1)
            rows.append((name(k), day, int(rng.integers(8, 18)), round(float(amount), 2)))
    # Everyone has ordered before, and the last day of the world has an order.
    rows += [(name(k), 5, 9, 50.0) for k in range(CUSTOMERS)]
    return [*rows, (name(0), DAYS - 1, 9, 50.0)]


def chosen() -> list[tuple[str, int]]:
    """Confounded: two in three of the large accounts are visited, one in three of the small, nobody drew."""
    rng = np.random.default_rng(5)
    total: dict[str, float] = {}
    for who, day, _, amount in orders():
        if day < DAY_OF_TRIAL:
            total[who] = total.get(who, 0.0) + amount
    middle = np.median(list(total.values()))
    return [
        (name(k), int(rng.random() < (0.67 if total[name(k)] > middle else 0.33))) for k in range(CUSTOMERS)
    ]


def assignments() -> list[tuple[str, str, datetime, str, float | str]]:
    """Rows (experiment, customer, time, arm, propensity)."""
    usual = moment(DAY_OF_TRIAL, 10)
    rows: list[tuple[str, str, datetime, str, float | str]] = []

    def put(
        experiment: str, who: str, arm: str, at: datetime = usual, propensity: float | None = 0.5
    ) -> None:
        rows.append((experiment, who, at, arm, "" if propensity is None else propensity))

    def halves(
        experiment: str, count: int = 100, arms: tuple[str, ...] = ("control", "treated"), **more: Any
    ) -> None:
        for k in range(count):
            put(experiment, name(k), arms[k % len(arms)], **more)

    for k in range(CUSTOMERS):
        put("plain", name(k), ("control", "treated")[arm_of(k)])
        put("skewed", name(k), "treated" if k % 5 < 3 else "control")
        put("idle", name(k), ("control", "treated")[(k // 6) % 2])
        put("daily", name(k), ("control", "treated")[arm_of(k)], at=moment(DAY_OF_TRIAL + k % 12, 10))
    for who, treated in chosen():
        put("chosen", who, ("control", "treated")[treated], propensity=None)
    halves("two_arms")
    put("two_arms", name(3), "control", at=moment(DAY_OF_TRIAL + 1))
    put("two_arms", name(4), "treated", at=moment(DAY_OF_TRIAL - 1))
    halves("same_moment")
    put("same_moment", name(7), "control")
    for k in range(100):
        put("unfinished", name(k), ("control", "treated")[k % 2], at=moment(350 if k >= 80 else DAY_OF_TRIAL))
    halves("too_late", at=moment(DAYS - HORIZON + 1, 10))
    halves("just_in_time", at=moment(DAYS - HORIZON - 1, 23, 59), count=80)
    for k in range(80):
        put("just_in_time", name(k + 80), ("control", "treated")[k % 2], at=moment(DAYS - HORIZON))
    halves("no_control", arms=("ask", "bid"))
    halves("one_arm", arms=("control",))
    for k in range(125):
        put("five", name(k), "small" if k < 5 else ("control", "treated")[k % 2], propensity=None)
    halves("few", count=50)
    halves("outside")
    put("outside", name(200), "treated", propensity=1.0)
    put("outside", name(201), "treated", propensity=0.0)
    for k in range(100):
        put("sum", name(k), ("control", "treated")[k % 2], propensity=(0.5, 0.4)[k % 2])
        put("some", name(k), ("control", "treated")[k % 2], propensity=None if k < 3 else 0.5)
        share = 0.3 if k % 4 < 2 else 0.6
        put("varying", name(k), ("control", "treated")[k % 2], propensity=(1 - share, share)[k % 2])
        put("varying_three", name(k), ("control", "a", "b")[k % 3], propensity=0.3 if k < 50 else 0.4)
    halves("no_shares", propensity=None)
    halves("strangers", count=80)
    for k in range(3):
        put("strangers", f"NOBODY-{k}", "treated")
        put("aliens", f"NOBODY-{k}", ("control", "treated")[k % 2])
    halves("twice")
    halves("twice", count=4)
    return rows


def write(folder: Path, lines: list[Line] | None = None) -> Settings:
    """Write the world's files; other order lines if given."""

    def table(stem: str, heading: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
        with (folder / f"{stem}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([heading, *rows])

    table("customers", ("id", "opened", "industry"), [
        (name(k), moment(0), industry(k)) for k in range(CUSTOMERS)
    ])  # fmt: skip
    lines = orders() if lines is None else lines
    table("orders", ("id", "at", "number", "amount"), [
        (who, moment(day, hour), f"O{i}", amount) for i, (who, day, hour, amount) in enumerate(lines)
    ])  # fmt: skip
    table("assignments", ("experiment", "id", "at", "arm", "propensity"), [
        (experiment, who, at, arm, share) for experiment, who, at, arm, share in assignments()
    ])  # fmt: skip
    (folder / "tokui.toml").write_text(TOML, encoding="utf-8")
    return load_settings(folder / "tokui.toml")


def opened(folder: Path, lines: list[Line] | None = None) -> Trials:
    """Write, bind and read; close its tables afterwards."""
    tables = bind(write(folder, lines))
    return Trials(folder, tables, read_history(tables))
