"""Exports that nobody looks at who builds the matcher: `benchmarks.onboarding` reports them apart.

Chosen before anything was measured, one of each kind: a Japanese invoicing product, customer relations, a shop,
accounting, support, and a small Japanese wholesaler.
"""

from datetime import date, timedelta
from decimal import Decimal

from tests.exports.truth import FIRMS, KAISHA, Export, Sheet, at_work, cents, chance_of, days_later, yen

BEGIN = date(2023, 1, 9)


def invox() -> Export:
    """Invoices of a Japanese product, a row an item, the invoice's values on each."""
    chance = chance_of("invox")
    sheet = Sheet(("請求日", "請求番号", "件名", "得意先コード", "得意先名", "部門コード", "部門名", "プロジェクトコード", "プロジェクト名", "担当者コード",
                   "担当者名", "支払期限", "前回請求額", "入金額", "繰越額", "明細日付", "明細内容", "明細数量", "明細単位", "明細単価", "明細金額", "税率", "備考"))  # fmt: skip
    for k in range(70):
        day, who = days_later(BEGIN, 9 * k), k * 5 % 16
        for number in range(1 + k % 3):
            price, count = chance.choice([3_000, 12_500, 80_000]), chance.randrange(1, 7)
            sheet.record({
                "請求日": f"{day:%Y/%m/%d}", "請求番号": f"{day:%Y%m}-{k:03d}", "件名": "保守料", "得意先コード": f"{who + 1:05d}", "得意先名": KAISHA[who],
                "担当者名": "佐藤", "支払期限": f"{days_later(day, 31):%Y/%m/%d}", "明細日付": f"{day:%Y/%m/%d}", "明細内容": f"作業{number + 1}",
                "明細数量": count, "明細単位": "式", "明細単価": f"{price:,}", "明細金額": f"{price * count:,}", "税率": "10%",
            }, money=price * count)  # fmt: skip
    truth = sheet.becomes("invoices", "請求データ.csv", {
        "customer_id": ["得意先コード", "得意先名"], "invoice_id": "請求番号", "issued_at": "請求日", "due_at": "支払期限",
        "amount": ["明細金額", ("明細数量", "明細単価")],
    })  # fmt: skip
    return Export(
        "invox",
        "請求日 to 前回… as invox documents its standard format of invoices; the names of the items are shortened there and completed here.",
        {"請求データ.csv": sheet.csv("utf-8-sig")}, (truth,), ("invoices",), {"orders.amount": sheet.money}, "JPY",
        {"請求データ.csv": "得意先コード"},
        as_right=(sheet.becomes("orders", "請求データ.csv", {
            "customer_id": ["得意先コード", "得意先名"], "occurred_at": ["請求日", "明細日付"], "order_id": "請求番号", "product_id": "明細内容",
            "quantity": "明細数量", "amount": ["明細金額", ("明細数量", "明細単価")]}),),
    )  # fmt: skip


def pipedrive() -> Export:
    """Deals, each heading with its entity before it."""
    chance = chance_of("pipedrive")
    sheet = Sheet(("Deal - ID", "Deal - Title", "Deal - Label", "Deal - Owner", "Deal - Value", "Deal - Currency of Value", "Deal - Weighted value",
                   "Deal - Currency of Weighted value", "Deal - Probability", "Deal - Organization", "Deal - Organization ID", "Deal - Pipeline",
                   "Deal - Contact person", "Deal - Stage", "Deal - Status", "Deal - Deal created", "Deal - Update time",
                   "Deal - Last stage change", "Deal - Expected close date", "Deal - Won time", "Deal - Lost time", "Deal - Deal closed on",
                   "Deal - Lost reason", "Deal - Total activities"))  # fmt: skip
    for k in range(120):
        opened = at_work(chance, days_later(BEGIN, 6 * k))
        closed, status = (
            opened + timedelta(days=chance.randrange(5, 100)),
            chance.choice(["Won", "Won", "Lost", "Open"]),
        )
        amount, who = cents(chance.randrange(300, 50_000)), k * 7 % 24
        over = f"{closed:%Y-%m-%d %H:%M:%S}"
        sheet.record({
            "Deal - ID": k + 1, "Deal - Title": f"{FIRMS[who]} deal", "Deal - Owner": "Ines Duarte", "Deal - Value": amount,
            "Deal - Currency of Value": "EUR", "Deal - Weighted value": amount / 2, "Deal - Currency of Weighted value": "EUR",
            "Deal - Probability": 50, "Deal - Organization": FIRMS[who], "Deal - Organization ID": 310 + who, "Deal - Pipeline": "Pipeline",
            "Deal - Contact person": "A. Smith", "Deal - Stage": chance.choice(["Contact Made", "Proposal Made", "Negotiations Started"]),
            "Deal - Status": status, "Deal - Deal created": f"{opened:%Y-%m-%d %H:%M:%S}", "Deal - Update time": over,
            "Deal - Expected close date": f"{closed:%Y-%m-%d}", "Deal - Won time": over if status == "Won" else "",
            "Deal - Lost time": over if status == "Lost" else "", "Deal - Deal closed on": over if status != "Open" else "",
            "Deal - Lost reason": "Price" if status == "Lost" else "", "Deal - Total activities": chance.randrange(9),
        }, money=amount if status == "Won" else 0)  # fmt: skip
    truth = sheet.becomes("deals", "deals-15032025.csv", {
        "customer_id": ["Deal - Organization ID", "Deal - Organization"], "deal_id": "Deal - ID", "opened_at": "Deal - Deal created",
        "closed_at": ["Deal - Deal closed on", ("Deal - Won time", "Deal - Lost time")], "stage": ["Deal - Stage", "Deal - Status"],
        "amount": "Deal - Value", "won": ["Deal - Status", "Deal - Won time"],
    })  # fmt: skip
    return Export(
        "pipedrive", "Headings of Pipedrive's export of deals.", {"deals-15032025.csv": sheet.csv(ends="\n")}, (truth,), ("deals",),
        {"orders.amount": sheet.money}, "EUR", {"deals-15032025.csv": "Deal - Organization ID"},
    )  # fmt: skip


def bigcommerce() -> Export:
    """Orders, one a row, with and without tax."""
    chance = chance_of("bigcommerce")
    sheet = Sheet(("Order ID", "Customer ID", "Customer Name", "Customer Email", "Customer Phone", "Order Date", "Order Status", "Subtotal (inc tax)",
                   "Subtotal (ex tax)", "Tax Total", "Shipping Cost (inc tax)", "Shipping Cost (ex tax)", "Ship Method", "Handling Cost (inc tax)",
                   "Handling Cost (ex tax)", "Order Total (inc tax)", "Order Total (ex tax)", "Payment Method", "Total Quantity", "Total Shipped",
                   "Date Shipped", "Order Currency Code", "Exchange Rate", "Order Notes", "Customer Message", "Billing First Name",
                   "Billing Last Name", "Billing Company", "Billing Country"))  # fmt: skip
    for k in range(120):
        day, who = days_later(BEGIN, 6 * k), k * 5 % 24
        status = {5: "Cancelled", 10: "Refunded", 12: "Awaiting Fulfillment"}.get(k % 16, "Completed")
        net = cents(chance.randrange(30, 4_000))
        sheet.record({
            "Order ID": 1_200 + k, "Customer ID": 40 + who, "Customer Name": "Ada Lane", "Customer Email": f"ada{who}@example.com",
            "Order Date": f"{day:%d/%m/%Y}", "Order Status": status, "Subtotal (inc tax)": net, "Subtotal (ex tax)": net,
            "Tax Total": "0.00", "Shipping Cost (inc tax)": "0.00", "Shipping Cost (ex tax)": "0.00", "Order Total (inc tax)": net,
            "Order Total (ex tax)": net, "Payment Method": "Bank Deposit", "Total Quantity": chance.randrange(1, 30), "Total Shipped": 1,
            "Date Shipped": f"{days_later(day, 3):%d/%m/%Y}", "Order Currency Code": "AUD", "Exchange Rate": "1.0000000000",
            "Billing Company": FIRMS[who], "Billing Country": "Australia",
        }, money=net, sale=status in {"Completed", "Awaiting Fulfillment"})  # fmt: skip
    truth = sheet.becomes("orders", "orders-2025-03-15.csv", {
        "customer_id": ["Customer ID", "Customer Email", "Billing Company"], "occurred_at": "Order Date", "order_id": "Order ID",
        "amount": ["Order Total (ex tax)", "Order Total (inc tax)", "Subtotal (ex tax)", "Subtotal (inc tax)"],
    })  # fmt: skip
    return Export(
        "bigcommerce", "Columns of BigCommerce's export of orders, dates with the day first; no order bears tax.",
        {"orders-2025-03-15.csv": sheet.csv(ends="\n")}, (truth,), ("orders",), {"orders.amount": sheet.money}, "AUD",
        {"orders-2025-03-15.csv": "Customer ID"},
    )  # fmt: skip


def xero() -> Export:
    """Invoices, a row a line, the invoice's total on each of them."""
    chance = chance_of("xero")
    sheet = Sheet(("ContactName", "EmailAddress", "POAddressLine1", "POCity", "PORegion", "POPostalCode", "POCountry", "InvoiceNumber", "Reference",
                   "InvoiceDate", "DueDate", "Total", "TaxTotal", "InvoiceAmountPaid", "InvoiceAmountDue", "InventoryItemCode", "Description",
                   "Quantity", "UnitAmount", "Discount", "LineAmount", "AccountCode", "TaxType", "TaxAmount", "Currency", "Type", "Sent", "Status"))  # fmt: skip
    for k in range(70):
        day, who = days_later(BEGIN, 9 * k), k * 7 % 24
        status = {8: "Voided", 13: "Draft", 3: "Awaiting Payment"}.get(k % 17, "Paid")
        lines = [(chance.randrange(1, 9), cents(chance.choice([45, 120, 380.5]))) for _ in range(1 + k % 3)]
        total = sum((count * price for count, price in lines), Decimal(0))
        for number, (count, price) in enumerate(lines):
            sheet.record({
                "ContactName": FIRMS[who], "EmailAddress": f"ap{who}@example.com", "POCity": "Wellington", "POCountry": "New Zealand",
                "InvoiceNumber": f"INV-{k + 1:04d}", "InvoiceDate": f"{day:%d/%m/%Y}", "DueDate": f"{days_later(day, 20):%d/%m/%Y}", "Total": total,
                "TaxTotal": "0.00", "InvoiceAmountPaid": total if status == "Paid" else "0.00",
                "InvoiceAmountDue": "0.00" if status == "Paid" else total, "InventoryItemCode": f"GB{number}", "Description": "Consulting",
                "Quantity": f"{count}.0000", "UnitAmount": price, "LineAmount": count * price, "AccountCode": 200, "TaxType": "No GST",
                "TaxAmount": "0.00", "Currency": "NZD", "Type": "Sales invoice", "Sent": "Sent", "Status": status,
            }, money=count * price, sale=status in {"Paid", "Awaiting Payment"})  # fmt: skip
    truth = sheet.becomes("invoices", "SalesInvoices.csv", {
        "customer_id": ["ContactName", "EmailAddress"], "invoice_id": "InvoiceNumber", "issued_at": "InvoiceDate", "due_at": "DueDate",
        "amount": ["LineAmount", ("Quantity", "UnitAmount")],
    })  # fmt: skip
    return Export(
        "xero", "Columns of Xero's invoices, import and export. Total stands on each line of an invoice; voided ones and drafts are owed by nobody.",
        {"SalesInvoices.csv": sheet.csv()}, (truth,), ("invoices",), {"orders.amount": sheet.money}, "NZD", {"SalesInvoices.csv": "ContactName"},
        as_right=(sheet.becomes("orders", "SalesInvoices.csv", {
            "customer_id": ["ContactName", "EmailAddress"], "occurred_at": "InvoiceDate", "order_id": "InvoiceNumber",
            "product_id": ["InventoryItemCode", "Description"], "quantity": "Quantity",
            "amount": ["LineAmount", ("Quantity", "UnitAmount")]}),),
    )  # fmt: skip


def freshdesk() -> Export:
    """Tickets of a support product, the account by its name."""
    chance = chance_of("freshdesk")
    sheet = Sheet(("Ticket ID", "Subject", "Status", "Priority", "Source", "Type", "Agent", "Group", "Created time", "Due by Time", "Resolved time",
                   "Closed time", "Last update time", "Initial response time", "Time tracked", "First response time (in hrs)",
                   "Resolution time (in hrs)", "Agent interactions", "Customer interactions", "Resolution status", "First response status",
                   "Tags", "Survey results", "Full name", "Email", "Contact ID", "Company Name"))  # fmt: skip
    for k in range(120):
        opened = at_work(chance, days_later(BEGIN, 5 * k))
        done, over = opened + timedelta(hours=chance.randrange(2, 200)), k % 15 != 4
        sheet.record({
            "Ticket ID": 900 + k, "Subject": "Printer offline", "Status": "Closed" if over else "Open",
            "Priority": chance.choice(["Low", "Medium", "High", "Urgent"]), "Source": "Email", "Type": chance.choice(["Question", "Problem"]),
            "Agent": "R. Cole", "Group": "Support", "Created time": f"{opened:%Y-%m-%d %H:%M:%S}", "Due by Time": f"{opened + timedelta(days=3):%Y-%m-%d %H:%M:%S}",
            "Resolved time": f"{done:%Y-%m-%d %H:%M:%S}" if over else "", "Closed time": f"{done:%Y-%m-%d %H:%M:%S}" if over else "",
            "Last update time": f"{done:%Y-%m-%d %H:%M:%S}", "Time tracked": "00:00:00", "First response time (in hrs)": "01:20:00",
            "Resolution time (in hrs)": "22:10:00", "Agent interactions": 2, "Customer interactions": 1, "Resolution status": "Within SLA",
            "Full name": "Jo Park", "Email": f"jo{k % 24}@example.com", "Contact ID": 70_000 + k % 24, "Company Name": FIRMS[k * 5 % 24],
        })  # fmt: skip
    truth = sheet.becomes("tickets", "tickets_report.csv", {
        "customer_id": "Company Name", "opened_at": "Created time", "closed_at": ["Closed time", "Resolved time"], "category": ["Type", "Group"],
    })  # fmt: skip
    return Export(
        "freshdesk", "Columns of Freshdesk's export of tickets.", {"tickets_report.csv": sheet.csv(ends="\n")}, (truth,), (), {}, "USD",
        {"tickets_report.csv": "Company Name"},
    )  # fmt: skip


def wholesaler(customers: int = 120) -> Export:
    """A Japanese wholesaler: sales slips and the invoices made of them tell the same money; slips are the ledger."""
    chance = chance_of("wholesaler")
    masters = Sheet(
        (
            "得意先コード",
            "得意先名",
            "得意先名カナ",
            "締日",
            "業種",
            "都道府県",
            "担当者",
            "取引開始日",
            "与信限度額",
        )
    )
    slips = Sheet(("伝票区分", "売上日", "伝票NO", "行", "得意先コード", "得意先名", "商品コード", "商品名", "数量", "単価", "売上金額", "原価金額", "消費税区分", "摘要"))  # fmt: skip
    bills = Sheet(("請求NO", "得意先コード", "得意先名", "請求締日", "回収予定日", "前回請求額", "入金額", "今回売上額", "消費税額", "今回請求額", "入金日"))  # fmt: skip
    support = Sheet(("受付番号", "受付日時", "完了日時", "得意先コード", "分類", "重要度", "内容"))
    number = 0
    for k in range(customers):
        code, name = f"{k + 101:06d}", f"{KAISHA[k % 16]} {chance.choice(['本店', '東店', '西店'])}{k}"
        start = date(2021, 4, 1) + timedelta(days=chance.randrange(600))
        masters.add(code, name, "", chance.choice([20, "末"]), chance.choice(["小売", "飲食", "建設"]), chance.choice(["埼玉県", "千葉県", "東京都"]),
                    chance.choice(["山口", "原"]), f"{start:%Y/%m/%d}", "1,000,000")  # fmt: skip
        rate, stops = chance.uniform(0.3, 1), chance.choice([18, 30, 36, 36, 36])
        for month in range(stops):
            if chance.random() > rate:
                continue
            day = date(2022 + month // 12, month % 12 + 1, 1 + chance.randrange(25))
            number += 1
            due, worth = days_later(day, 45), 0
            for line in range(1, 2 + chance.randrange(3)):
                price, count = chance.choice([320, 1_480, 9_800]), chance.randrange(1, 40)
                back = chance.random() < 0.03
                sign = -1 if back else 1
                worth += sign * price * count
                slips.add("返品" if back else "売上", f"{day:%Y/%m/%d}", f"{number:07d}", line, code, name, f"{price:05d}-{line}", "資材", yen(sign * count),
                          yen(price), yen(sign * price * count), yen(sign * price * count * 7 // 10), "外税", "", money=sign * price * count)  # fmt: skip
            bills.add(f"S{number:06d}", code, name, f"{day:%Y/%m/%d}", f"{due:%Y/%m/%d}", "0", "0", yen(worth), yen(worth // 10), yen(worth + worth // 10),
                      f"{days_later(due, chance.randrange(-10, 20)):%Y/%m/%d}")  # fmt: skip
            if chance.random() < 0.1:
                got = at_work(chance, days_later(day, 4))
                support.add(f"Q{number:05d}", f"{got:%Y/%m/%d %H:%M}", f"{got + timedelta(hours=30):%Y/%m/%d %H:%M}", code,
                            chance.choice(["納期", "不良"]), chance.choice([1, 2, 3]), "")  # fmt: skip
    sheets = {
        "得意先マスタ.csv": masters,
        "売上明細.csv": slips,
        "請求一覧.csv": bills,
        "問合せ.csv": support,
    }
    return Export(
        "wholesaler",
        "Words of Japanese sales management products. 請求一覧 bills what 売上明細 tells line by line, and tax on it: one money, not two.",
        {file: sheet.csv("cp932") for file, sheet in sheets.items()},
        (
            masters.becomes("customers", "得意先マスタ.csv", {
                "customer_id": "得意先コード", "created_at": "取引開始日", "industry": "業種", "region": "都道府県", "owner": "担当者"}),
            slips.becomes("orders", "売上明細.csv", {
                "customer_id": "得意先コード", "occurred_at": "売上日", "order_id": "伝票NO", "product_id": ["商品コード", "商品名"], "quantity": "数量",
                "amount": ["売上金額", ("数量", "単価")]}),
            bills.becomes("invoices", "請求一覧.csv", {
                "customer_id": "得意先コード", "invoice_id": "請求NO", "issued_at": "請求締日", "due_at": "回収予定日", "paid_at": "入金日",
                "amount": ["今回請求額", "今回売上額"]}),
            support.becomes("tickets", "問合せ.csv", {
                "customer_id": "得意先コード", "opened_at": "受付日時", "closed_at": "完了日時", "category": "分類", "severity": "重要度"}),
        ),
        ("orders",), {"orders.amount": slips.money}, "JPY", {"得意先マスタ.csv": "得意先コード", "売上明細.csv": "得意先コード"},
    )  # fmt: skip


HELD_OUT = (invox, pipedrive, bigcommerce, xero, freshdesk, wholesaler)
