"""A world of CSV files in which salespeople, each with all their accounts, were put in an arm together."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from features.binding.tables import Tables, bind
from features.history import History, read_history
from features.settings import UpliftSettings, load_settings

BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001 - naive local time, as in all tables
DAYS, DAY_OF_TRIAL, HORIZON = 330, 240, 60
OWNERS, ACCOUNTS, ALONE = 80, 6, 24
"""Salespeople, accounts of each, and accounts of nobody."""

TOML = """
name = "owners"
currency = "JPY"
timezone = "Asia/Tokyo"
[ltv]
horizon_days = 60
discount_rate = 0.0
[uplift]
cluster = "owner"
[uplift.costs]
visit = 30
[tables.customers]
source = "customers.csv"
[tables.customers.columns]
customer_id = "id"
created_at = "opened"
industry = "industry"
owner = "rep"
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
propensity = "share"
"""

Account = tuple[str, str | None]
"""Its id and its salesperson."""


@dataclass(frozen=True)
class Owners:
    """The world, bound and read."""

    folder: Path
    tables: Tables
    history: History

    def clustered_by(self, column: str | None) -> "Owners":
        """The same world with another ``uplift.cluster``."""
        settings = self.history.settings
        uplift = UpliftSettings.model_validate({**settings.uplift.model_dump(), "cluster": column})
        changed = settings.model_copy(update={"uplift": uplift})
        return Owners(
            self.folder, replace(self.tables, settings=changed), replace(self.history, settings=changed)
        )


def account(owner: int, k: int) -> str:
    return f"ACC-{owner:02d}-{k}"


def single(k: int) -> str:
    return f"ONE-{k:02d}"


def accounts() -> list[Account]:
    owned: list[Account] = [(account(j, k), f"rep {j:02d}") for j in range(OWNERS) for k in range(ACCOUNTS)]
    return [*owned, *((single(k), None) for k in range(ALONE))]


def industry(number: int) -> str:
    """Of the account with that place among all."""
    return ("steel", "food", "paper")[number % 3]


def arm_of(number: int) -> str:
    """The arm of a salesperson, or of an account of nobody."""
    return ("control", "visit")[number % 2]


@cache
def orders() -> tuple[tuple[str, int, float], ...]:
    """Rows (account, day, amount), an order every 20 days but for one in twenty.

    From the day of the trial on, each salesperson has a good season or a bad one, whatever the arm, and
    visited steel works buy half as much again. Accounts of nobody have seasons of their own.
    """
    rng = np.random.default_rng(7)
    usual = np.append(np.repeat(rng.normal(200, 40, OWNERS), ACCOUNTS), rng.normal(200, 40, ALONE))
    season = np.append(np.repeat(rng.normal(0, 40, OWNERS), ACCOUNTS), rng.normal(0, 40, ALONE))
    unit = np.append(np.repeat(np.arange(OWNERS), ACCOUNTS), np.arange(ALONE))
    rows = []
    for number, (who, _) in enumerate(accounts()):
        for day in range(number % 20, DAYS, 20):
            if rng.random() < 0.05:
                continue
            amount = usual[number] + rng.normal(0, 20)
            if day >= DAY_OF_TRIAL:
                gained = industry(number) == "steel" and arm_of(int(unit[number])) == "visit"
                amount += season[number] + (100 if gained else 0)
            rows.append((who, day, round(float(amount), 2)))
    return tuple(rows)


def money(who: Iterable[str], first: int = DAY_OF_TRIAL, days: int = HORIZON) -> np.ndarray:
    """What accounts brought in so many days, added up from the rows."""
    found = dict.fromkeys((name for name, _ in accounts()), 0.0)
    for name, day, amount in orders():
        if first <= day < first + days:
            found[name] += amount
    return np.array([found[each] for each in who])


def assignments() -> list[tuple[str, str, str]]:
    """Rows (experiment, account, arm), all drawn with a probability of a half."""
    rows: list[tuple[str, str, str]] = []

    def put(experiment: str, owners: Iterable[int], arm: str | None = None, count: int = ACCOUNTS) -> None:
        for j in owners:
            rows.extend((experiment, account(j, k), arm or arm_of(j)) for k in range(count))

    # Of equal size, and of unequal size with accounts of nobody among them.
    put("equal", range(OWNERS))
    for j in range(OWNERS):
        put("mixed", [j], count=1 + (j // 2) % ACCOUNTS)
    rows += [("mixed", single(k), arm_of(k)) for k in range(ALONE)]
    # As many accounts in each arm, of 30 and of 74 units; and as many salespeople, of 240 and of 80 accounts.
    put("packed", range(30), "control", 3)
    put("packed", range(30, 64), "visit", 1)
    put("packed", range(64, OWNERS), "visit", 2)
    rows += [("packed", single(k), "visit") for k in range(ALONE)]
    put("large", range(0, OWNERS, 2))
    put("large", range(1, OWNERS, 2), count=2)
    # One account of a salesperson was visited, the others were not.
    put("torn", range(OWNERS))
    rows[rows.index(("torn", account(4, 0), "control"))] = ("torn", account(4, 0), "visit")
    # Accounts enough in each arm, of twenty salespeople.
    put("twenty", range(40))
    return rows


def write(folder: Path, toml: str = TOML) -> Path:
    """Write the world's files; returns where its tokui.toml is."""

    def table(stem: str, heading: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
        with (folder / f"{stem}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([heading, *rows])

    table("customers", ("id", "opened", "industry", "rep"), (
        (who, BEGIN, industry(number), owner or "") for number, (who, owner) in enumerate(accounts())
    ))  # fmt: skip
    table("orders", ("id", "at", "number", "amount"), (
        (who, BEGIN + timedelta(days=day, hours=9), f"O{k}", amount)
        for k, (who, day, amount) in enumerate(orders())
    ))  # fmt: skip
    at = BEGIN + timedelta(days=DAY_OF_TRIAL, hours=8)
    table("assignments", ("experiment", "id", "at", "arm", "share"), (
        (experiment, who, at, arm, 0.5) for experiment, who, arm in assignments()
    ))  # fmt: skip
    path = folder / "tokui.toml"
    path.write_text(toml, encoding="utf-8")
    return path


def opened(folder: Path, toml: str = TOML) -> Owners:
    """Write, bind and read; close its tables afterwards."""
    tables = bind(load_settings(write(folder, toml)))
    return Owners(folder, tables, read_history(tables))
