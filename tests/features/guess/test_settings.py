"""Contract: what init writes loads and binds without an edit, and says why it chose each line."""

import tomllib
from datetime import datetime
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest

from features.binding.tables import Tables, bind
from features.catalogue.tables import TABLES
from features.errors import SourceError
from features.guess.horizons import fit_horizons
from features.guess.settings import guess_settings
from features.guess.synonyms import likeness
from features.settings import Settings, UpliftSettings, load_settings
from tests.places import SHARED

NOW = datetime(2026, 1, 1)  # noqa: DTZ001

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="real data of ../shared is not here")


def guessed(folder: Path, *files: Path, **given: str) -> tuple[str, Settings]:
    text = guess_settings(files, folder=folder, **given).text
    (folder / "tokui.toml").write_text(text, encoding="utf-8")
    return text, load_settings(folder / "tokui.toml")


def test_settings_of_experiments_are_there_and_hold_without_their_marks(tmp_path):
    days = pd.date_range("2024-01-01", periods=800, freq="D")
    file = tmp_path / "orders.csv"
    pd.DataFrame({"customer_id": "a", "date": days, "amount": 1.0}).to_csv(file, index=False)
    text, settings = guessed(tmp_path, file)
    assert settings.uplift == UpliftSettings()
    start = text.index("# [uplift]\n")
    section, rest = text[start:].split("\n\n", 1)
    plain = "\n".join(line.removeprefix("#").removeprefix(" ") for line in section.splitlines())
    (tmp_path / "tokui.toml").write_text(f"{text[:start]}{plain}\n\n{rest}", encoding="utf-8")
    uplift = load_settings(tmp_path / "tokui.toml").uplift
    assert uplift.model_fields_set == set(UpliftSettings.model_fields)
    assert uplift.horizon_days == settings.ltv.horizon_days
    assert (uplift.control, uplift.observational, uplift.cluster) == ("control", False, "owner")
    assert uplift.costs == {"cross-sell": 6000, "renewal call": 12000}


def bound(settings: Settings) -> Tables:
    return bind(settings, now=NOW)


@needs_shared
def test_online_retail(tmp_path):
    text, settings = guessed(tmp_path, SHARED / "online_retail.parquet", currency="GBP")
    assert settings.currency == "GBP"
    assert settings.tables["customers"].derive == "orders"
    assert settings.tables["customers"].columns == {"country": "Country"}
    assert settings.tables["orders"].columns == {
        "customer_id": "CustomerID",
        "occurred_at": "InvoiceDate",
        "order_id": "InvoiceNo",
        "product_id": "StockCode",
        "quantity": "Quantity",
        "amount": "Quantity * UnitPrice",
    }
    assert "# where = \"StockCode NOT IN ('POST', 'DOT', 'M'" in text
    assert "'BANK CHARGES'" in text
    assert "# not used: Description\n" in text
    assert settings.ltv.horizon_days == 90
    with bound(settings) as tables:
        assert tables.report("orders").rows_kept == 406_829


@needs_shared
def test_online_retail_with_the_suggested_condition(tmp_path):
    text, _ = guessed(tmp_path, SHARED / "online_retail.parquet")
    (tmp_path / "tokui.toml").write_text(text.replace("# where = ", "where = "), encoding="utf-8")
    with bound(load_settings(tmp_path / "tokui.toml")) as tables:
        left = tables.connection.execute(
            "SELECT count(*) FROM orders WHERE NOT regexp_matches(product_id, '[0-9]')"
        ).fetchall()
        assert left == [(0,)]


@needs_shared
def test_cdnow(tmp_path):
    text, settings = guessed(tmp_path, SHARED / "cdnow_master.txt")
    orders = settings.tables["orders"]
    assert orders.dates is None
    assert orders.columns == {
        "customer_id": "customer_id",
        "occurred_at": "date",
        "quantity": "number_of_cds",
        "amount": "dollar_value",
    }
    assert 'currency = "USD"  # check this' in text
    assert "# where" not in text
    assert settings.ltv.horizon_days == 180
    with bound(settings) as tables:
        assert tables.report("customers").rows_kept == 23_570


@needs_shared
def test_a_file_nothing_fits_is_named_and_left_out(tmp_path):
    text, _ = guessed(tmp_path, SHARED / "cdnow_master.txt", SHARED / "hillstrom.csv")
    assert "# hillstrom.csv: no canonical table fits" in text
    (missing,) = guess_settings([SHARED / "hillstrom.csv"]).missing
    assert "hillstrom.csv lacks customer_id, occurred_at (it has amount = spend" in missing


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_folder_of_canonical_files_is_bound_whole(tmp_path, suffix):
    folder = tmp_path / "data"
    folder.mkdir()
    days = pd.date_range("2024-01-01", periods=40, freq="10D")
    values = {"id": "a", "text": "word", "time": days, "number": range(40), "flag": [True, False] * 20}
    for table in TABLES.values():
        frame = pd.DataFrame(
            {column.name: values[column.kind.value] for column in table.columns}, index=range(40)
        )
        if "currency" in frame:
            frame["currency"] = "USD"
        if table.key:
            frame[table.key[0]] = ["a", *(f"id{i}" for i in range(1, 40))]
        path = folder / f"{table.name}.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    text, settings = guessed(tmp_path, folder)
    assert list(settings.tables) == list(TABLES)
    for name, table in TABLES.items():
        assert settings.tables[name].source == f"data/{name}.{suffix}"
        assert settings.tables[name].columns == {column.name: column.name for column in table.columns}
    assert "# same name" in text
    with bind(settings, now=datetime(2026, 1, 1)) as tables:  # noqa: DTZ001
        assert tables.names == tuple(TABLES)


def japanese(folder: Path) -> list[Path]:
    orders = ["顧客コード,受注番号,受注日,商品コード,数量,単価,担当"]
    orders += [
        f'{i % 7:05d},J{i},2024年{1 + i % 12}月{1 + i % 28}日,P{i % 5},{i % 9},"1,{i % 900:03d}",x'
        for i in range(300)
    ]
    customers = ["顧客コード,顧客名,業種,都道府県,従業員数,登録日"]
    customers += [f"{i:05d},会社{i},製造業,東京都,{i * 10},2023/01/{i + 1:02d}" for i in range(7)]
    for name, rows in (("受注明細.csv", orders), ("顧客マスタ.csv", customers)):
        (folder / name).write_bytes("\r\n".join(rows).encode("cp932"))
    return [folder / "受注明細.csv", folder / "顧客マスタ.csv"]


def test_japanese_files_in_cp932(tmp_path):
    text, settings = guessed(tmp_path, *japanese(tmp_path))
    assert settings.tables["customers"].columns == {
        "customer_id": "顧客コード",
        "created_at": "登録日",
        "industry": "業種",
        "region": "都道府県",
        "employees": "従業員数",
    }
    assert settings.tables["orders"].columns == {
        "customer_id": "顧客コード",
        "occurred_at": "受注日",
        "order_id": "受注番号",
        "product_id": "商品コード",
        "quantity": "数量",
        "amount": '"数量" * "単価"',
    }
    assert settings.tables["orders"].encoding == "cp932"
    assert (settings.currency, settings.timezone) == ("JPY", "Asia/Tokyo")
    assert 'currency = "JPY"  # check this' in text
    with bound(settings) as tables:
        assert tables.report("orders").rows_kept == 300
        assert tables.connection.execute("SELECT min(customer_id), max(amount) FROM orders").fetchall() == [
            ("00000", max((i % 9) * (1000 + i % 900) for i in range(300)))
        ]


def test_ambiguous_dates_are_flagged_and_unmistakable_ones_not(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,date,amount\n" + "".join(f"a,0{i}/02/2024,1\n" for i in range(1, 9)), encoding="utf-8"
    )
    text, _ = guessed(tmp_path, path)
    assert 'dates = "%d/%m/%Y"  # check this: 01/02/2024 could be 2024-02-01 or 2024-01-02' in text
    path.write_text(
        "customer_id,date,amount\n" + "".join(f"a,02/{i}/2024,1\n" for i in range(10, 29)), encoding="utf-8"
    )
    text, settings = guessed(tmp_path, path)
    assert "dates =" not in text
    with bound(settings) as tables:
        assert tables.report("orders").rows_kept == 19


def test_dates_in_two_formats_in_one_table(tmp_path):
    rows = "".join(f"a,{i}/02/2024,2024-03-{i},5\n" for i in range(13, 29))
    (tmp_path / "orders.csv").write_text("customer_id,order_date,known_at,amount\n" + rows, encoding="utf-8")
    _, settings = guessed(tmp_path, tmp_path / "orders.csv")
    with bound(settings) as tables:
        row = tables.connection.execute("SELECT occurred_at, known_at FROM orders LIMIT 1").fetchall()
    assert row == [(datetime(2024, 2, 13), datetime(2024, 3, 13))]  # noqa: DTZ001


def test_part_of_a_name_is_a_guess_to_check(tmp_path):
    rows = "".join(f"a,2024-01-{i},5\n" for i in range(10, 29))
    (tmp_path / "x.csv").write_text("customer_id_hashed,order_date,amount_jpy\n" + rows, encoding="utf-8")
    text, _ = guessed(tmp_path, tmp_path / "x.csv")
    assert 'amount = "amount_jpy"  # by part of its name; check this' in text


def test_files_of_one_kind_are_put_together(tmp_path):
    for year in (2023, 2024):
        rows = "".join(f"a,{year}-01-{i},5\n" for i in range(10, 29))
        (tmp_path / f"orders_{year}.csv").write_text(
            "customer_id,order_date,amount\n" + rows, encoding="utf-8"
        )
    text, settings = guessed(tmp_path, tmp_path)
    assert (
        settings.tables["orders"].query
        == "SELECT * FROM orders_2023 UNION ALL BY NAME SELECT * FROM orders_2024"
    )
    assert "2 files of one kind; check this" in text
    with bound(settings) as tables:
        assert tables.report("orders").totals == {"amount": 2 * 19 * 5}


def test_rows_that_two_files_of_one_kind_share_are_counted_once(tmp_path):
    rows = [f"a,2024-01-{i},5\n" for i in range(10, 29)]
    # The second export begins before the first one ends, and one order was really placed twice.
    for name, part in (("orders_q1", [rows[0], *rows[:12]]), ("orders_q2", rows[8:])):
        (tmp_path / f"{name}.csv").write_text(
            "customer_id,order_date,amount\n" + "".join(part), encoding="utf-8"
        )
    text, settings = guessed(tmp_path, tmp_path)
    assert "4 rows are in both" in text
    with bound(settings) as tables:
        assert tables.report("orders").totals == {"amount": 20 * 5}


def test_a_file_like_another_with_other_columns_is_told(tmp_path):
    rows = "".join(f"a,2024-01-{i},5\n" for i in range(10, 29))
    (tmp_path / "orders_a.csv").write_text("customer_id,order_date,amount\n" + rows, encoding="utf-8")
    (tmp_path / "orders_b.csv").write_text("client,date,revenue\n" + rows, encoding="utf-8")
    text, settings = guessed(tmp_path, tmp_path)
    assert settings.tables["orders"].source == "orders_a.csv"
    assert "# orders_b.csv: looks like orders as orders_a.csv does, with other columns" in text


def test_sheets_and_duckdb_tables_are_looked_at_one_by_one(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Orders"
    book.active.append(["Customer", "Order Date", "Amount"])
    for i in range(1, 20):
        book.active.append([f"c{i % 3}", datetime(2024, 1, i), i])  # noqa: DTZ001
    notes = book.create_sheet("Notes")
    notes.append(["free text"])
    notes.append(["hello"])
    book.save(tmp_path / "book.xlsx")
    _, settings = guessed(tmp_path, tmp_path / "book.xlsx")
    assert settings.tables["orders"].table == "Orders"
    with bound(settings) as tables:
        assert tables.report("orders").rows_kept == 19
    (tmp_path / "other").mkdir()
    with duckdb.connect(str(tmp_path / "other" / "a.duckdb")) as file:
        file.execute("CREATE TABLE sales AS SELECT 'c' AS client, DATE '2024-01-05' AS day, 5.0 AS revenue")
        file.execute("CREATE TABLE clients AS SELECT 'c' AS client, 'retail' AS industry")
    _, settings = guessed(tmp_path, tmp_path / "other")
    assert settings.tables["orders"].table == "sales"
    assert settings.tables["customers"].table == "clients"


def test_an_empty_sheet_and_a_broken_file_do_not_stop_the_others(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Orders"
    book.active.append(["Customer", "Order Date", "Amount"])
    for i in range(1, 20):
        book.active.append([f"c{i % 3}", datetime(2024, 1, i), i])  # noqa: DTZ001
    book.create_sheet("Cover")
    book.save(tmp_path / "book.xlsx")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    text, settings = guessed(tmp_path, tmp_path / "book.xlsx", tmp_path / "broken.xlsx")
    assert settings.tables["orders"].table == "Orders"
    assert "# book.xlsx (Cover): " in text
    assert "# broken.xlsx: " in text
    guess = guess_settings([tmp_path / "book.xlsx", tmp_path / "broken.xlsx"], folder=tmp_path)
    assert [file["table"] for file in guess.files] == ["orders", None, None]
    with pytest.raises(SourceError, match=r"broken\.xlsx"):
        guess_settings([tmp_path / "broken.xlsx"], folder=tmp_path)


def test_orders_that_do_not_bind_are_told_at_the_top(tmp_path):
    rows = "".join(f"a,{'1900' if i % 2 else '2024'}-01-{i},5\n" for i in range(10, 29))
    (tmp_path / "orders.csv").write_text("customer_id,order_date,amount\n" + rows, encoding="utf-8")
    text, _ = guessed(tmp_path, tmp_path / "orders.csv")
    assert "# check this: orders.occurred_at: 9 of 19 values are before 1970" in text


def test_names_with_quotes_and_line_ends_cannot_break_out_of_the_file(tmp_path):
    header = 'customer_id,order_date,"unit price","qty","evil""]\nname = ""x"'
    rows = "".join(f"a,2024-01-{i},5,2,z\n" for i in range(10, 29))
    (tmp_path / "orders.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    text, settings = guessed(tmp_path, tmp_path / "orders.csv")
    assert tomllib.loads(text)["name"] == tmp_path.name
    assert settings.tables["orders"].columns["amount"] == 'qty * "unit price"'


def test_nothing_to_look_at(tmp_path):
    with pytest.raises(SourceError, match="no data file"):
        guess_settings([tmp_path])
    with pytest.raises(SourceError, match="is not there"):
        guess_settings([tmp_path / "none.csv"])


@pytest.mark.parametrize("days", [0, 50, 89, 100, 150, 200, 273, 373, 545, 739, 900, 3000])
def test_horizons_fit_the_history_and_are_the_longest_that_do(days):
    fit = fit_horizons(days)
    room = days - fit.min_history - 2 * fit.step
    label = fit.churn[-1] + fit.silence
    assert fit.enough == (2 * fit.ltv <= room and 2 * label <= room)
    if fit.enough:
        longer = [horizon for horizon in (365, 180, 120, 90, 60, 30) if horizon > fit.ltv]
        assert all(2 * horizon > room for horizon in longer)


@pytest.mark.parametrize(
    ("days", "ltv", "churn", "silence"),
    [
        (373, 90, (30, 60), 45),
        (545, 180, (30, 60, 90), 90),
        (900, 365, (30, 60, 90), 180),
        (270, 60, (14, 28), 32),
        (210, 30, (7, 14), 16),
    ],
)
def test_horizons_of_known_histories(days, ltv, churn, silence):
    fit = fit_horizons(days)
    assert (fit.ltv, fit.churn, fit.silence) == (ltv, churn, silence)


@pytest.mark.parametrize(
    ("name", "table", "column", "expected"),
    [
        ("customer_id", "orders", "customer_id", 4),
        ("Customer ID", "orders", "customer_id", 4),
        ("顧客ＩＤ", "orders", "customer_id", 3),
        ("Invoice No.", "orders", "order_id", 3),
        ("日付", "orders", "occurred_at", 2),
        ("受注金額 [税込]", "orders", "amount", 3),
        ("Description", "orders", "amount", 0),
    ],
)
def test_likeness_of_names(name, table, column, expected):
    assert likeness(name, TABLES[table], TABLES[table].column(column)) == expected


@pytest.mark.parametrize("bad", ["不明", "2023/13/40", "0000/00/00"])
def test_a_few_values_that_are_no_dates_do_not_hide_the_column(tmp_path, bad):
    rows = [f"{k % 9 + 1},2023/{k % 12 + 1:02d}/{k % 28 + 1:02d},{100 + k}" for k in range(200)]
    rows.insert(57, f"3,{bad},90")
    path = tmp_path / "orders.csv"
    path.write_text("顧客ID,受注日,金額\n" + "\n".join(rows) + "\n", encoding="utf-8")
    text = guess_settings([path], folder=tmp_path).text
    (tmp_path / "tokui.toml").write_text(text, encoding="utf-8")
    with bind(load_settings(tmp_path / "tokui.toml")) as tables:
        report = tables.report("orders")
    assert (report.rows_read, report.rows_kept) == (201, 200)
    assert [(finding.column, finding.count, finding.example) for finding in report.dropped] == [
        ("occurred_at", 1, bad)
    ]
