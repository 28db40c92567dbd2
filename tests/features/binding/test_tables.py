"""Contract: bound tables hold what the sources say, typed and in order, whatever they come from."""

import os
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from features.binding.tables import bind
from features.errors import SettingsError, SourceError
from features.settings import TableSettings
from tests.features.binding.binds import (
    NOW,
    failed,
    findings,
    lines,
    make,
    needs_shared,
    rows_of,
    write,
)
from tests.places import SHARED


def test_tables_hold_bound_columns_in_schema_order_with_canonical_types(tmp_path):
    write(tmp_path, lines("x,5,2024-01-05,a", header="note,AMOUNT,occurred_at,Customer_ID"))
    with bind(make(tmp_path), now=NOW) as tables:
        described = tables.connection.execute("DESCRIBE orders").fetchall()
        assert [row[:2] for row in described] == [
            ("customer_id", "VARCHAR"), ("occurred_at", "TIMESTAMP"), ("amount", "DOUBLE"),
        ]  # fmt: skip
        assert rows_of(tables) == [("a", datetime(2024, 1, 5), 5.0)]  # noqa: DTZ001
        assert tables.connection.execute("SHOW TABLES").fetchall() == [("customers",), ("orders",)]
        assert tables.names == ("customers", "orders")
        assert tables.report("orders").unused_columns == ("note",)


def test_rows_keep_the_order_of_the_source(tmp_path):
    write(tmp_path, lines(*[f"c,2024-01-01,{i * 37 % 1009}" for i in range(5000)]))
    with bind(make(tmp_path), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables, columns="amount")] == [i * 37 % 1009 for i in range(5000)]


def test_closing_removes_every_file_and_may_be_repeated(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    tables = bind(make(tmp_path), now=NOW)
    scratch = Path(tables.scratch.name)
    assert scratch.exists()
    tables.close()
    tables.close()
    assert not scratch.exists()


def test_a_failed_bind_leaves_nothing_behind(tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    write(tmp_path, lines("a,never,5"))
    failed(make(tmp_path))
    assert os.listdir(tmp_path / "scratch") == []  # noqa: PTH208


def test_only_binds_what_is_asked_for_and_what_that_is_derived_from(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    write(tmp_path, "customer_id,occurred_at,score\na,2024-01-06,9\n", "surveys.csv")
    settings = make(tmp_path, tables={"surveys": TableSettings(source="surveys.csv")})
    with bind(settings, now=NOW, only=["surveys"]) as tables:
        assert tables.names == ("surveys",)
    with bind(settings, now=NOW, only=["customers"]) as tables:
        assert tables.names == ("customers", "orders")
    assert "usage" in failed(settings, SettingsError, only=["usage"])


def test_ids_that_are_written_differently_in_two_tables_are_fatal(tmp_path):
    write(tmp_path, lines("00001,2024-01-05,5"))
    write(tmp_path, "customer_id\n1\n", "customers.csv")
    said = failed(make(tmp_path, customers=TableSettings(source="customers.csv")))
    assert "none of 1 ids is in customers" in said
    assert "'00001'" in said


def test_accounts_derived_from_orders_know_the_first_order_only(tmp_path):
    rows = [
        "b,2024-03-01,1,JP",
        "a,2024-02-01,1,later",
        "a,2024-01-05,1,first",
        "a,2024-01-05,1,tie",
        ",2024-01-01,1,none",
    ]
    write(tmp_path, lines(*rows, header="customer_id,occurred_at,amount,Land"))
    customers = TableSettings(derive="orders", columns={"country": "Land", "region": "upper(Land)"})
    with bind(make(tmp_path, customers=customers), now=NOW) as tables:
        assert rows_of(tables, "customers") == [
            ("b", datetime(2024, 3, 1), "JP", "JP"),  # noqa: DTZ001
            ("a", datetime(2024, 1, 5), "first", "FIRST"),  # noqa: DTZ001
        ]
        assert "Land" not in tables.report("orders").unused_columns
        assert [row[0] for row in tables.connection.execute("DESCRIBE orders").fetchall()] == [
            "customer_id", "occurred_at", "amount",
        ]  # fmt: skip


def test_every_problem_of_every_table_is_found_in_one_run(tmp_path):
    write(tmp_path, lines("a,never,N/A"))
    write(tmp_path, "customer_id\n", "customers.csv")
    settings = make(
        tmp_path,
        customers=TableSettings(source="customers.csv"),
        tables={"surveys": TableSettings(source="none.csv"), "costs": TableSettings(source="orders.csv")},
    )
    message = failed(settings, SourceError)
    # surveys: no file; costs: dates; orders: dates; customers: no rows.
    assert "none.csv is not there" in message
    assert message.endswith("(and 3 more problems)")


def test_a_truncated_parquet_file(tmp_path):
    frame = pd.DataFrame(
        {"customer_id": ["a"] * 1000, "occurred_at": pd.Timestamp("2024-01-05"), "amount": 1.0}
    )
    frame.to_parquet(tmp_path / "o.parquet")
    whole = (tmp_path / "o.parquet").read_bytes()
    (tmp_path / "o.parquet").write_bytes(whole[: len(whole) // 2])
    assert "not a whole Parquet file" in failed(
        make(tmp_path, orders=TableSettings(source="o.parquet")), SourceError
    )


def test_the_same_rows_bind_alike_from_every_kind_of_file(tmp_path):
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b", "a"],
            "occurred_at": pd.to_datetime(["2024-01-05 10:00", "2024-01-06 11:30", "2024-01-07 00:00"]),
            "amount": [1.5, -2.0, 1e6],
        }
    )
    frame.to_csv(tmp_path / "o.csv", index=False)
    frame.to_csv(tmp_path / "o.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "o.parquet")
    frame.to_excel(tmp_path / "o.xlsx", index=False)
    with duckdb.connect(str(tmp_path / "o.duckdb")) as file:
        file.execute(f"CREATE TABLE o AS SELECT * FROM '{tmp_path / 'o.parquet'}'")
    prints = set()
    for name in ("o.csv", "o.tsv", "o.parquet", "o.xlsx", "o.duckdb"):
        with bind(make(tmp_path, orders=TableSettings(source=name)), now=NOW) as tables:
            assert rows_of(tables) == [tuple(row) for row in frame.itertuples(index=False)]
            prints.add(tables.fingerprint)
    assert len(prints) == 1
    with duckdb.connect(str(tmp_path / "o.duckdb")) as file:  # the file was let go of
        file.execute("DROP TABLE o")


def test_fingerprint_follows_the_content_and_not_the_order(tmp_path):
    def fingerprint(*rows: str) -> str:
        write(tmp_path, lines(*rows))
        with bind(make(tmp_path), now=NOW, only=["orders"]) as tables:
            return tables.fingerprint

    a, b, c = "a,2024-01-05,5", "b,2024-01-05,5", "b,2024-01-05,6"
    assert fingerprint(a, b) == fingerprint(b, a)
    assert (
        len({fingerprint(a, b), fingerprint(a, c), fingerprint(a), fingerprint(a, a), fingerprint(a, b, b)})
        == 5
    )


def test_more_than_memory_spills_and_binds(tmp_path):
    # 3 M lines are some 150 MB of values, twice what DuckDB is given.
    with duckdb.connect() as maker:
        maker.execute(
            "COPY (SELECT 'customer ' || (i % 200000) AS customer_id, 'order number ' || i AS order_id, "
            "TIMESTAMP '2020-01-01' + to_minutes(i // 10) AS occurred_at, i * 0.25 AS amount FROM range(3000000) t(i)) "
            f"TO '{tmp_path / 'o.parquet'}'"
        )
    settings = make(tmp_path, orders=TableSettings(source="o.parquet"), memory_gib=0.08)
    with bind(settings, now=NOW) as tables:
        assert tables.report("orders").rows_kept == 3_000_000
        assert tables.report("customers").rows_kept == 200_000


@needs_shared
def test_online_retail(tmp_path):
    source = SHARED / "online_retail.parquet"
    columns = {
        "customer_id": "CustomerID", "occurred_at": "InvoiceDate", "order_id": "InvoiceNo",
        "product_id": "StockCode", "quantity": "Quantity", "amount": "Quantity * UnitPrice",
    }  # fmt: skip
    settings = make(
        tmp_path,
        customers=TableSettings(derive="orders", columns={"country": "Country"}),
        orders=TableSettings(source=str(source), columns=columns),
    )
    raw = pd.read_parquet(source)
    bought = raw[raw["CustomerID"].notna()]
    with bind(settings, now=NOW) as tables:
        report = tables.report("orders")
        assert (report.rows_read, report.rows_kept) == (541_909, len(bought))
        assert [(f.column, f.count) for f in report.dropped] == [("customer_id", 135_080)]
        assert report.customers == bought["CustomerID"].nunique()
        assert report.unused_columns == ("Description",)
        amounts = tables.connection.execute("SELECT amount FROM orders").fetchnumpy()["amount"]
        np.testing.assert_array_equal(amounts, (bought["Quantity"] * bought["UnitPrice"]).to_numpy())
        assert findings(tables)["amount", "cancellations or returns, kept"] == (bought["Quantity"] < 0).sum()
        first = bought.sort_values("InvoiceDate", kind="stable").drop_duplicates("CustomerID")
        countries = dict(rows_of(tables, "customers", "customer_id, country"))
        assert countries == dict(
            zip(first["CustomerID"].astype(int).astype(str), first["Country"], strict=True)
        )


@needs_shared
def test_cdnow(tmp_path):
    columns = {
        "customer_id": "customer_id", "occurred_at": "date", "quantity": "number_of_cds", "amount": "dollar_value",
    }  # fmt: skip
    orders = TableSettings(source=str(SHARED / "cdnow_master.txt"), columns=columns, dates="%Y%m%d")
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        report = tables.report("orders")
        assert (report.rows_kept, report.customers) == (69_659, 23_570)
        assert (report.first, report.last) == (datetime(1997, 1, 1), datetime(1998, 6, 30))  # noqa: DTZ001
        assert rows_of(tables)[0] == ("00001", datetime(1997, 1, 1), 1.0, 11.77)  # noqa: DTZ001
