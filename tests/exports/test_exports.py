"""Contract: exports are the same everywhere, have the documented headings, and their totals are those of their own files."""

import csv
import io
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from tests.exports.billing import BILLING
from tests.exports.companies import COMPANIES, END
from tests.exports.crm import CRM
from tests.exports.shops import SHOPS

MAKERS = (*CRM, *BILLING, *SHOPS, *COMPANIES)


@pytest.fixture(scope="module")
def exports():
    return {export.name: export for export in (make() for make in MAKERS)}


def read(export, file, *, above=0, below=0):
    """Rows of a file as its vendor's users would read them, by the plain csv module."""
    raw = export.files[file]
    for encoding in ("utf-8-sig", "cp932", "latin-1"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    lines = [row for row in csv.reader(io.StringIO(text)) if row]
    lines = lines[above : len(lines) - below]
    header, *rows = lines
    return header, rows


LAYOUTS = {"salesforce report": {"below": 5}, "quickbooks": {"above": 3, "below": 2}}


def number(text):
    return Decimal(text.replace(",", "").replace("$", "").replace("¥", "").replace("△", "-") or "0")


def product(first, second):
    return lambda row: number(row[first]) * number(row[second])


def of(column):
    return lambda row: number(row[column])


# By hand, a second time: which rows are sales, and what each of them is worth.
SUMS = {
    "salesforce report": ("report1718262000000.csv", lambda r: r["Stage"] == "Closed Won", of("Amount")),
    "salesforce objects": (
        "Opportunity.csv",
        lambda r: r["IsWon"] == "true" and r["IsDeleted"] == "false",
        of("Amount"),
    ),
    "hubspot": (
        "hubspot-crm-exports-all-deals-2025-03-28.csv",
        lambda r: r["Deal Stage"] == "Closed won",
        of("Amount"),
    ),
    "kintone": ("案件管理.csv", lambda r: r["確度"] == "受注", product("単価", "ユーザー数")),
    "stripe payments": (
        "unified_payments.csv",
        lambda r: r["Captured"] == "true",
        lambda r: number(r["Amount"]) - number(r["Amount Refunded"]),
    ),
    "stripe invoices": ("invoices.csv", lambda r: r["Status"] not in {"void", "draft"}, of("Amount Due")),
    "stripe subscriptions": (
        "subscriptions.csv",
        lambda r: r["Status"] != "incomplete_expired",
        product("Amount", "Quantity"),
    ),
    "chargebee": ("Subscriptions.csv", lambda _: True, of("MRR")),
    "quickbooks": ("Invoice List.csv", lambda _: True, of("Amount")),
    "freee": ("freee_請求書一覧.csv", lambda _: True, lambda r: number(r["小計"]) + number(r["消費税"])),
    "moneyforward": ("invoice_マネーフォワード.csv", lambda r: r["行形式"] == "請求書", of("合計金額")),
    "woocommerce": (
        "orders-export.csv",
        lambda r: r["status"] not in {"wc-cancelled", "wc-refunded", "wc-failed"},
        of("order_total"),
    ),
    "magento": (
        "export.csv",
        lambda r: r["Status"] not in {"Canceled", "Closed"},
        of("Grand Total (Purchased)"),
    ),
    "eccube": ("order_20250401.csv", lambda r: r["対応状況(名称)"] == "発送済み", product("価格", "個数")),
    "yayoi": ("売上明細表.csv", lambda r: r["得意先コード"] != "", product("単価", "数量")),
    "pipeline": ("sales_pipeline.csv", lambda r: r["deal_stage"] == "Won", of("close_value")),
    "reseller": (
        "FactResellerSales.csv",
        lambda _: True,
        lambda r: number(r["ExtendedAmount"]) - number(r["DiscountAmount"]),
    ),
}


@pytest.mark.parametrize("name", SUMS)
def test_a_total_is_that_of_the_rows_that_are_sales(exports, name):
    export = exports[name]
    file, is_sale, worth = SUMS[name]
    header, rows = read(export, file, **LAYOUTS.get(name, {}))
    records = [dict(zip(header, row, strict=True)) for row in rows]
    total = sum((worth(record) for record in records if is_sale(record)), Decimal(0))
    assert total in export.totals.values()


def test_a_voided_order_of_many_lines_is_no_sale_on_any_of_them(exports):
    header, rows = read(exports["shopify"], "orders_export_1.csv")
    records = [dict(zip(header, row, strict=True)) for row in rows]
    # What was paid stands on an order's first line; what was ordered on each.
    paid = sum(number(record["Total"]) for record in records if record["Financial Status"] == "paid")
    assert exports["shopify"].totals == {"orders.amount": paid}
    voided = {record["Name"] for record in records if record["Financial Status"] == "voided"}
    assert (
        sum(record["Name"] in voided for record in records)
        == exports["shopify"].tables[0].left_out
        > len(voided)
    )


def test_totals_on_each_line_are_the_order_s(exports):
    header, rows = read(exports["eccube"], "order_20250401.csv")
    assert header.count("送料") == 2
    orders = defaultdict(list)
    for row in rows:
        record = dict(zip(header, row, strict=True))
        orders[record["注文番号"]].append(record)
    for lines in orders.values():
        assert {line["合計"] for line in lines} == {
            str(sum(number(line["価格"]) * number(line["個数"]) for line in lines))
        }


def test_subscriptions_are_billed_in_full_while_they_run(exports):
    saas = exports["saas"]
    header, rows = read(saas, "subscriptions.csv")
    money = Decimal(0)
    for row in rows:
        record = dict(zip(header, row, strict=True))
        begin = date.fromisoformat(record["start_date"])
        end = date.fromisoformat(record["end_date"]) if record["end_date"] else None
        step = 12 if record["billing_frequency"] == "annual" else 1
        # Counted in whole months from the first day, a short month's last day standing for the days it lacks.
        for month in range(0, 12 * 4, step):
            year, number_of_month = divmod(begin.month - 1 + month, 12)
            due = (begin.year + year, number_of_month + 1, begin.day)
            if due > (END.year, END.month, END.day) or (end and due >= (end.year, end.month, begin.day)):
                break
            money += number(record["mrr_amount"]) * step
    assert money == saas.totals["orders.amount"]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_an_export_is_the_same_each_time_and_its_truth_is_about_its_files(make, tmp_path):
    export = make()
    assert make() == export
    assert [path.read_bytes() for path in export.write(tmp_path)] == list(export.files.values())
    assert {table.file for table in export.tables} | set(export.unused) == set(export.files)
    assert set(export.customer_key) <= set(export.files)
    for table in export.tables:
        header, rows = read(export, table.file, **LAYOUTS.get(export.name, {}))
        assert tuple(header) == table.headings
        assert len(rows) == table.rows
        for sources in table.columns.values():
            named = {name for source in sources for name in ([source] if isinstance(source, str) else source)}
            assert named <= set(header) | {"account_id"}


@pytest.mark.parametrize(
    ("name", "file", "headings"),
    [
        ("shopify", "orders_export_1.csv", "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing"),
        ("magento", "export.csv", "ID,Purchase Point,Purchase Date,Bill-to Name,Ship-to Name,Grand Total (Base)"),
        ("stripe payments", "unified_payments.csv", "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured"),
        ("eccube", "order_20250401.csv", "注文ID,注文番号,会員ID,お名前(姓),お名前(名)"),
        ("moneyforward", "invoice_マネーフォワード.csv", "csv_type(変更不可),行形式,取引先名称,件名,請求日,お支払期限,請求書番号,売上計上日"),
        ("saas", "feature_usage.csv", "usage_id,subscription_id,usage_date,feature_name,usage_count,usage_duration_secs"),
        ("pipeline", "sales_pipeline.csv", "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"),
        ("reseller", "FactResellerSales.csv", "ProductKey,OrderDateKey,DueDateKey,ShipDateKey,ResellerKey"),
    ],
)  # fmt: skip
def test_headings_are_the_documented_ones(exports, name, file, headings):
    header, _ = read(exports[name], file)
    assert ",".join(header).startswith(headings)


def test_keys_of_accounts_are_distinct(exports):
    for name, file, key in (
        ("saas", "accounts.csv", 0),
        ("saas", "subscriptions.csv", 0),
        ("pipeline", "accounts.csv", 0),
    ):
        _, rows = read(exports[name], file)
        assert len({row[key] for row in rows}) == len(rows)
