"""Contract: the files that companies export are put to the right table and column, or it is said what is missing."""

import tomllib
from datetime import datetime

import pytest

from features.binding.tables import bind
from features.guess.settings import guess_settings
from features.settings import load_settings
from tests.features.guess import businesses

NOW = datetime(2026, 1, 1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("make", "ledger", "tables"),
    [
        (businesses.saas, ("contracts",), {"accounts.csv": "customers", "subscriptions.csv": "contracts",
                                           "feature_usage.csv": "usage", "support_tickets.csv": "tickets"}),
        (businesses.pipeline, ("deals",), {"accounts.csv": "customers", "sales_pipeline.csv": "deals"}),
        (businesses.reseller, ("orders",), {"DimReseller.csv": "customers", "FactResellerSales.csv": "orders"}),
    ],
)  # fmt: skip
def test_a_business_is_bound_whole_and_its_money_is_that_of_the_books(tmp_path, make, ledger, tables):
    files, money = make(tmp_path)
    guess = guess_settings(files, folder=tmp_path, currency="USD")
    assert guess.ledger == ledger
    assert guess.missing == ()
    assert {file["file"]: file["table"] for file in guess.files} == tables
    (tmp_path / "tokui.toml").write_text(guess.text, encoding="utf-8")
    with bind(load_settings(tmp_path / "tokui.toml"), now=NOW) as bound:
        assert bound.report("orders").totals["amount"] == pytest.approx(money, abs=0.005)
        assert all(report.rows_read == report.rows_kept for report in bound.reports)
        bound.refuse_losses()


def test_a_table_that_names_a_subscription_is_joined_through_the_file_that_knows_the_account(tmp_path):
    files, _ = businesses.saas(tmp_path)
    text = guess_settings(files, folder=tmp_path).text
    usage = tomllib.loads(text)["tables"]["usage"]
    assert "LEFT JOIN subscriptions ON" in usage["query"]
    assert usage["columns"] == {
        "customer_id": "account_id",
        "occurred_at": "usage_date",
        "feature": "feature_name",
        "events": "usage_count",
    }
    assert "100% of subscription_id are subscription_id of subscriptions.csv" in text


def test_a_key_is_never_money(tmp_path):
    files, _ = businesses.reseller(tmp_path)
    orders = tomllib.loads(guess_settings(files, folder=tmp_path).text)["tables"]["orders"]["columns"]
    assert orders["amount"] == "SalesAmount"
    assert "Key" not in orders["quantity"]
    text = guess_settings(files, folder=tmp_path).text
    assert '# margin = "SalesAmount - TotalProductCost"' in text


def test_files_without_money_end_in_a_file_that_names_all_that_is_missing(tmp_path):
    (tmp_path / "people.csv").write_text("account_id,industry\na,x\nb,y\n", encoding="utf-8")
    (tmp_path / "notes.csv").write_text("text,when\nhello,2024-01-05\n", encoding="utf-8")
    guess = guess_settings([tmp_path / "people.csv", tmp_path / "notes.csv"], folder=tmp_path)
    assert guess.ledger == ()
    (missing,) = guess.missing
    assert "no file tells money" in missing
    assert "people.csv lacks occurred_at, amount" in missing
    assert f"# MISSING: {missing}" in guess.text
    assert tomllib.loads(guess.text)["tables"]["customers"]["source"] == "people.csv"
    assert "# notes.csv: no canonical table fits" in guess.text


def rows(*values: str, count: int = 40) -> list[str]:
    """The same row over and over, ``{k}`` counting and ``{d}`` a day of the month."""
    return [",".join(values).format(k=k, d=k % 28 + 1, c=k % 9) for k in range(count)]


EXPORTS = {
    "salesforce opportunities": (
        "Opportunity.csv", "Id,AccountId,Name,StageName,Amount,CloseDate,Type,CreatedDate,IsClosed,IsWon,OwnerId",
        ("006{k:04d}", "001{c:04d}", "Deal {k}", "Closed Won", "1200.5", "2024-03-{d:02d}", "New", "2024-01-{d:02d}T09:00:00.000Z",
         "true", "true", "005A"), "deals",
        {"customer_id": "AccountId", "deal_id": "Id", "opened_at": "CreatedDate", "closed_at": "CloseDate", "stage": "StageName",
         "amount": "Amount", "won": "IsWon", "kind": "Type"}),
    "hubspot deals": (
        "hubspot-deals.csv", "Record ID,Deal Name,Deal Stage,Close Date,Create Date,Amount,Associated Company IDs,Deal owner",
        ("9{k:05d}", "Deal {k}", "Closed Won", "2024-03-{d:02d} 09:00", "2024-01-{d:02d} 09:00", "500", "77{c}", "Mika"), "deals",
        {"customer_id": "Associated Company IDs", "deal_id": "Record ID", "opened_at": "Create Date", "closed_at": "Close Date",
         "stage": "Deal Stage", "amount": "Amount", "won": "\"Deal Stage\" IN ('Closed Won')"}),
    "stripe charges": (
        "unified_payments.csv", "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Customer ID,Status,Fee",
        ("ch_{k}", "2024-01-{d:02d} 20:00:00", "12.50", "0", "usd", "true", "cus_{c}", "Paid", "0.5"), "orders",
        {"customer_id": "Customer ID", "occurred_at": "Created date (UTC)", "amount": "Amount", "currency": "Currency"}),
    "stripe invoices": (
        "invoices.csv", "id,Amount Due,Customer,Date (UTC),Due Date (UTC),Currency,Number,Paid",
        ("in_{k}", "99.00", "cus_{c}", "2024-01-{d:02d} 20:00", "2024-02-{d:02d} 20:00", "usd", "A-{k}", "true"), "invoices",
        {"customer_id": "Customer", "issued_at": "Date (UTC)", "due_at": "Due Date (UTC)", "amount": "Amount Due"}),
    "shopify orders": (
        "orders_export.csv", "Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Customer ID",
        ("#1{k:03d}", "a@x.test", "paid", "2024-01-{d:02d} 09:00:00 +0900", "USD", "20.00", "22.00", "2024-01-{d:02d} 09:00:00 +0900",
         "2", "Cap", "10.00", "CAP-{c}", "55{c}"), "orders",
        {"customer_id": "Customer ID", "occurred_at": "Created at", "order_id": "Name", "quantity": "Lineitem quantity",
         "product_id": "Lineitem sku"}),
    "zendesk tickets": (
        "tickets.csv", "Ticket ID,Subject,Organization ID,Created at,Solved at,Priority,Satisfaction Score",
        ("{k}", "Help", "org{c}", "2024-01-{d:02d} 09:00", "2024-01-{d:02d} 19:00", "High", "4"), "tickets",
        {"customer_id": "Organization ID", "opened_at": "Created at", "closed_at": "Solved at"}),
    "quickbooks invoices": (
        "invoice_list.csv", "Date,Num,Customer,Due Date,Amount,Open Balance,Transaction type",
        ("01/{d:02d}/2024", "10{k:02d}", "Acme {c}", "02/{d:02d}/2024", '"1,234.50"', "0.00", "Invoice"), "invoices",
        {"customer_id": "Customer", "invoice_id": "Num", "issued_at": "Date", "due_at": "Due Date", "amount": "Amount"}),
    "yayoi sales": (
        "売上明細.csv", "売上日付,伝票番号,得意先コード,得意先名,商品コード,商品名,数量,単価,金額,粗利",
        ("2024/01/{d:02d}", "{k:05d}", "{c:04d}", "山田商店", "P{c}", "部品", "2", "500", "1000", "300"), "orders",
        {"customer_id": "得意先コード", "occurred_at": "売上日付", "order_id": "伝票番号", "product_id": "商品コード", "quantity": "数量",
         "amount": "金額", "margin": "粗利"}),
    "eccube orders": (
        "受注CSV.csv", "注文番号,会員ID,注文日,対応状況,商品コード,価格,数量,お支払い合計",
        ("{k}", "{c}", "2024/01/{d:02d} 09:00:00", "発送済み", "P{c}", "500", "2", "1000"), "orders",
        {"customer_id": "会員ID", "occurred_at": "注文日", "order_id": "注文番号", "product_id": "商品コード", "quantity": "数量"}),
    "freee invoices": (
        "freee_請求書.csv", "請求書番号,取引先名,請求日,支払期日,合計金額,入金日",
        ("INV-{k:04d}", "株式会社{c}", "2024-01-{d:02d}", "2024-02-{d:02d}", '"11,000円"', ""), "invoices",
        {"customer_id": "取引先名", "invoice_id": "請求書番号", "issued_at": "請求日", "due_at": "支払期日", "amount": "合計金額"}),
    "moneyforward invoices": (
        "マネーフォワード請求書.csv", "請求書番号,取引先コード,取引先名,請求日,お支払期限,請求合計金額",
        ("{k:04d}", "C{c}", "株式会社{c}", "2024/01/{d:02d}", "2024/02/{d:02d}", '"11,000"'), "invoices",
        {"customer_id": "取引先コード", "invoice_id": "請求書番号", "issued_at": "請求日", "due_at": "お支払期限", "amount": "請求合計金額"}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_headings_of_exports(tmp_path, name):
    file, header, values, table, expected = EXPORTS[name]
    encoding = "cp932" if not header.isascii() else "utf-8"
    (tmp_path / file).write_bytes("\r\n".join([header, *rows(*values), ""]).encode(encoding))
    guess = guess_settings(
        [tmp_path / file], folder=tmp_path, currency="JPY" if encoding == "cp932" else "USD"
    )
    tables = tomllib.loads(guess.text)["tables"]
    assert table in tables, guess.text
    columns = tables[table]["columns"]
    assert {column: columns.get(column) for column in expected} == expected
    if guess.ledger:
        (tmp_path / "tokui.toml").write_text(guess.text, encoding="utf-8")
        with bind(load_settings(tmp_path / "tokui.toml"), now=NOW) as bound:
            assert bound.report("orders").rows_kept > 0


def test_a_condition_leaves_out_what_is_no_sale_by_its_status(tmp_path):
    lines = [
        f"{k},c{k % 7},2024-01-{k % 28 + 1:02d},{'wc-cancelled' if k % 9 == 0 else 'wc-completed'},10"
        for k in range(60)
    ]
    (tmp_path / "wc_orders.csv").write_text(
        "order_id,customer_id,order_date,status,order_total\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    guess = guess_settings([tmp_path / "wc_orders.csv"], folder=tmp_path)
    assert (
        "where = \"coalesce(status, '') NOT IN ('wc-cancelled')\"  # no sales: wc-cancelled; check this"
        in guess.text
    )
    (tmp_path / "tokui.toml").write_text(guess.text, encoding="utf-8")
    with bind(load_settings(tmp_path / "tokui.toml"), now=NOW) as bound:
        assert bound.report("orders").totals == {"amount": 10.0 * sum(k % 9 != 0 for k in range(60))}


def test_the_orders_total_on_each_line_is_recognised(tmp_path):
    lines = [
        f"{k // 2},c{k % 7},2024/01/{k % 28 + 1:02d},P{k},{100 + k // 2},{k % 2 + 1},{3 * (100 + k // 2)}"
        for k in range(60)
    ]
    (tmp_path / "受注.csv").write_text(
        "注文番号,顧客ID,受注日,商品コード,価格,個数,合計\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    guess = guess_settings([tmp_path / "受注.csv"], folder=tmp_path)
    assert tomllib.loads(guess.text)["tables"]["orders"]["columns"]["amount"] == '"個数" * "価格"'
    assert "合計 is the whole order's on each line" in guess.text
