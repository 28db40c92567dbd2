"""Exports in tests: the headings that vendors document, with a few rows of our own making."""

from pathlib import Path

Export = tuple[str, str, tuple[str, ...], str, dict[str, str]]
"""File, heading, a row with ``{k}`` counting, ``{c}`` a customer and ``{d}`` a day, its table, its columns."""


def write_export(folder: Path, export: Export) -> tuple[Path, str, str, dict[str, str]]:
    """Write an export as its vendor does: Japanese ones in CP932. Gives path, currency, table and columns."""
    file, header, values, table, columns = export
    encoding = "utf-8" if header.isascii() else "cp932"
    path = folder / file
    path.write_bytes("\r\n".join([header, *rows(*values), ""]).encode(encoding))
    return path, "USD" if header.isascii() else "JPY", table, columns


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
    "chargebee subscriptions": (
        "Subscriptions.csv", "Subscription Id,Customer Id,Plan Id,Plan Quantity,Status,Start Date,Current Term Start,Current Term End,Next Billing At,Created At,Cancelled At,MRR,Currency",
        ("sub_{k}", "cust_{c}", "pro-monthly", "5", "Active", "2024-01-{d:02d} 09:00", "2024-03-{d:02d} 09:00", "2024-04-{d:02d} 09:00",
         "2024-04-{d:02d} 09:00", "2024-01-{d:02d} 09:00", "", "250.00", "USD"), "contracts",
        {"customer_id": "Customer Id", "contract_id": "Subscription Id", "starts_at": "Start Date", "monthly_amount": "MRR"}),
    "recurly invoices": (
        "recurly_invoices.csv", "invoice_number,account_code,date,due_on,status,total,currency,closed_at",
        ("{k}", "acct{c}", "2024-01-{d:02d}T09:00:00Z", "2024-02-{d:02d}T09:00:00Z", "paid", "120.00", "USD", "2024-02-01T09:00:00Z"),
        "invoices", {"customer_id": "account_code", "invoice_id": "invoice_number", "issued_at": "date", "due_at": "due_on",
                     "amount": "total"}),
    "magento orders": (
        "sales_order.csv", "entity_id,state,status,increment_id,customer_id,created_at,grand_total,order_currency_code,total_qty_ordered",
        ("{k}", "complete", "complete", "1000{k:05d}", "{c}", "2024-01-{d:02d} 09:00:00", "99.90", "USD", "2"), "orders",
        {"customer_id": "customer_id", "occurred_at": "created_at", "order_id": "increment_id", "amount": "grand_total"}),
    "kintone deals": (
        "案件管理.csv", "レコード番号,会社名,案件名,確度,見込み金額,受注予定日,作成日時",
        ("{k}", "株式会社{c}", "案件{k}", "受注", "500000", "2024/03/{d:02d}", "2024/01/{d:02d} 09:00"), "deals",
        {"customer_id": "会社名", "opened_at": "作成日時", "closed_at": "受注予定日", "stage": "確度", "amount": "見込み金額"}),
    "sansan companies": (
        "会社一覧.csv", "会社ID,会社名,業種,従業員数,都道府県,登録日",
        ("S{k:04d}", "株式会社{k}", "製造業", "120", "東京都", "2023/01/{d:02d}"), "customers",
        {"customer_id": "会社ID", "industry": "業種", "employees": "従業員数", "region": "都道府県", "created_at": "登録日"}),
}  # fmt: skip
