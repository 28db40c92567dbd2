"""Binding in tests: small tables written, bound, and looked into."""

from datetime import datetime
from pathlib import Path

import pytest

from features.binding.tables import Tables, bind
from features.errors import TableError, TokuiError
from features.settings import Settings, TableSettings
from tests.places import SHARED

NOW = datetime(2026, 1, 1)  # noqa: DTZ001  wall-clock times are naive throughout
DERIVED = TableSettings(derive="orders")

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="real data of ../shared is not here")


def make(folder: Path, *, orders: TableSettings | None = None, **given: object) -> Settings:
    tables = {
        "customers": given.pop("customers", DERIVED),
        "orders": orders or TableSettings(source="orders.csv"),
        **given.pop("tables", {}),
    }
    return Settings(currency="JPY", tables=tables, path=folder / "tokui.toml", **given)


def write(folder: Path, text: str, name: str = "orders.csv", encoding: str = "utf-8") -> None:
    (folder / name).write_bytes(text.encode(encoding))


def lines(*rows: str, header: str = "customer_id,occurred_at,amount") -> str:
    return "\n".join([header, *rows]) + "\n"


def many(*rows: str, header: str = "customer_id,occurred_at,amount") -> str:
    """The rows among enough good ones for none to be fatal."""
    good = [f"g{i},2024-01-{1 + i % 28:02d},{i}" for i in range(1, 101)]
    return lines(*rows, *good, header=header)


def rows_of(tables: Tables, name: str = "orders", columns: str = "*") -> list[tuple]:
    return tables.connection.execute(f"SELECT {columns} FROM {name}").fetchall()


def findings(tables: Tables, name: str = "orders") -> dict[tuple[str, str], int]:
    report = tables.report(name)
    return {
        (finding.column, finding.reason): finding.count for finding in (*report.dropped, *report.warnings)
    }


def failed(settings: Settings, kind: type[TokuiError] = TableError, **given: object) -> str:
    with pytest.raises(kind) as caught:
        bind(settings, now=NOW, **given).close()
    assert "\n" not in str(caught.value)
    return str(caught.value)
