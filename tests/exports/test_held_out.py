"""Contract: exports held out are the same everywhere, and their totals are those of their own files."""

import csv
import io
from decimal import Decimal

import pytest

from tests.exports.held_out import HELD_OUT

SUMS = {
    "invox": ("請求データ.csv", "utf-8-sig", lambda r: r["得意先コード"] != "", ("明細数量", "明細単価")),
    "pipedrive": ("deals-15032025.csv", "utf-8", lambda r: r["Deal - Won time"] != "", ("Deal - Value",)),
    "bigcommerce": (
        "orders-2025-03-15.csv",
        "utf-8",
        lambda r: r["Order Status"] not in {"Cancelled", "Refunded"},
        ("Order Total (ex tax)",),
    ),
    "xero": (
        "SalesInvoices.csv",
        "utf-8",
        lambda r: r["Status"] not in {"Voided", "Draft"},
        ("Quantity", "UnitAmount"),
    ),
    "wholesaler": ("売上明細.csv", "cp932", lambda r: r["伝票区分"] in {"売上", "返品"}, ("数量", "単価")),
}


def rows_of(export, file, encoding):
    return list(csv.DictReader(io.StringIO(export.files[file].decode(encoding))))


@pytest.mark.parametrize("make", HELD_OUT, ids=lambda make: make.__name__)
def test_an_export_is_the_same_each_time_and_its_truth_is_about_its_files(make):
    export = make()
    assert make() == export
    assert {table.file for table in export.tables} == set(export.files)
    for table in export.tables:
        named = {
            name
            for sources in table.columns.values()
            for source in sources
            for name in ([source] if isinstance(source, str) else source)
        }
        assert named <= set(table.headings)


@pytest.mark.parametrize(
    "make", [make for make in HELD_OUT if make.__name__ in SUMS], ids=lambda m: m.__name__
)
def test_a_total_is_that_of_the_rows_that_are_sales(make):
    export = make()
    file, encoding, is_sale, factors = SUMS[export.name]
    total = Decimal(0)
    for row in rows_of(export, file, encoding):
        if is_sale(row):
            worth = Decimal(1)
            for factor in factors:
                worth *= Decimal(row[factor].replace(",", "").replace("△", "-"))
            total += worth
    assert export.totals == {"orders.amount": total}


def test_invoices_of_the_wholesaler_tell_the_money_of_its_slips_again():
    (export,) = (make() for make in HELD_OUT if make.__name__ == "wholesaler")
    billed = [
        row["今回売上額"].replace(",", "").replace("△", "-")
        for row in rows_of(export, "請求一覧.csv", "cp932")
    ]
    assert sum(map(Decimal, billed)) == export.totals["orders.amount"]
