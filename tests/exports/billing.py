"""Exports of billing and invoicing products: payments, invoices, subscriptions."""

from collections.abc import Mapping
from datetime import date, timedelta

from tests.exports.truth import FIRMS, KAISHA, Export, Sheet, Source, at_work, cents, chance_of, days_later

BEGIN = date(2023, 1, 9)


def stripe_payments() -> Export:
    """Payments: one row an attempt, paid, refunded or failed."""
    chance = chance_of("stripe payments")
    sheet = Sheet(("id", "Created date (UTC)", "Amount", "Amount Refunded", "Currency", "Captured", "Converted Amount",
                   "Converted Amount Refunded", "Converted Currency", "Decline Reason", "Description", "Fee", "Refunded date (UTC)",
                   "Statement Descriptor", "Status", "Seller Message", "Taxes On Fee", "Card ID", "Customer ID", "Customer Description",
                   "Customer Email", "Invoice ID", "Transfer"))  # fmt: skip
    for k in range(140):
        when = at_work(chance, days_later(BEGIN, 5 * k)) + timedelta(hours=5)
        status = "Failed" if k % 13 == 4 else "Refunded" if k % 19 == 7 else "Paid"
        amount = cents(chance.choice([49, 99, 249, 990]))
        back = amount if status == "Refunded" else cents(0)
        who = k * 5 % 24
        sheet.record({
            "id": f"ch_3Nq{k:04d}Ex", "Created date (UTC)": f"{when:%Y-%m-%d %H:%M:%S}", "Amount": amount, "Amount Refunded": back,
            "Currency": "usd", "Captured": str(status != "Failed").lower(), "Converted Amount": amount, "Converted Amount Refunded": back,
            "Converted Currency": "usd", "Decline Reason": "insufficient_funds" if status == "Failed" else "",
            "Description": "Subscription update", "Fee": cents(float(amount) * 0.029 + 0.3) if status != "Failed" else cents(0),
            "Refunded date (UTC)": f"{when + timedelta(days=2):%Y-%m-%d %H:%M:%S}" if back else "", "Statement Descriptor": "EXAMPLE INC",
            "Status": status, "Seller Message": "Payment complete." if status != "Failed" else "The bank returned a decline.",
            "Taxes On Fee": cents(0), "Card ID": f"card_{who:03d}", "Customer ID": f"cus_Nx{who:03d}", "Customer Description": FIRMS[who],
            "Customer Email": f"billing{who}@example.com", "Invoice ID": f"in_1Nq{k:04d}", "Transfer": "",
        }, money=amount, sale=status == "Paid")  # fmt: skip
    truth = sheet.becomes("orders", "unified_payments.csv", {
        "customer_id": "Customer ID", "occurred_at": "Created date (UTC)", "order_id": ["id", "Invoice ID"],
        "amount": ["Amount", "Converted Amount", ("Amount", "Amount Refunded"), ("Converted Amount", "Converted Amount Refunded")],
    })  # fmt: skip
    return Export(
        "stripe payments", "The 23 default columns of the dashboard's export of payments. Failed rows moved no money; refunded ones moved it back.",
        {"unified_payments.csv": sheet.csv(ends="\n")}, (truth,), ("orders",), {"orders.amount": sheet.money}, "USD",
        {"unified_payments.csv": "Customer ID"},
    )  # fmt: skip


def stripe_invoices() -> Export:
    """Invoices of the dashboard, with drafts and void ones."""
    chance = chance_of("stripe invoices")
    sheet = Sheet(("id", "Customer", "Customer Name", "Customer Email", "Number", "Subscription", "Status", "Billing", "Currency",
                   "Amount Due", "Amount Paid", "Amount Remaining", "Subtotal", "Total Discount Amount", "Applied Coupons", "Tax", "Total",
                   "Starting Balance", "Ending Balance", "Date (UTC)", "Due Date (UTC)", "Paid At (UTC)", "Finalized At (UTC)",
                   "Voided At (UTC)", "Period Start (UTC)", "Period End (UTC)", "Minimum Line Item Period Start (UTC)",
                   "Maximum Line Item Period End (UTC)", "Paid", "Closed", "Forgiven"))  # fmt: skip
    for k in range(130):
        when = at_work(chance, days_later(BEGIN, 5 * k))
        status = {3: "void", 11: "draft", 14: "open"}.get(k % 16, "paid")
        who, amount = k * 7 % 24, cents(chance.choice([120, 480, 1_250.5]))
        due, paid = when + timedelta(days=30), when + timedelta(days=chance.randrange(1, 45))
        sheet.record({
            "id": f"in_1Nr{k:04d}", "Customer": f"cus_Pq{who:03d}", "Customer Name": FIRMS[who], "Customer Email": f"ap{who}@example.com",
            "Number": f"8F2A1C-{k:04d}", "Subscription": f"sub_1N{who:03d}", "Status": status, "Billing": "send_invoice", "Currency": "usd",
            "Amount Due": amount, "Amount Paid": amount if status == "paid" else cents(0),
            "Amount Remaining": cents(0) if status == "paid" else amount, "Subtotal": amount, "Total Discount Amount": cents(0),
            "Tax": cents(0), "Total": amount, "Starting Balance": cents(0), "Ending Balance": cents(0), "Date (UTC)": f"{when:%Y-%m-%d %H:%M}",
            "Due Date (UTC)": f"{due:%Y-%m-%d %H:%M}", "Paid At (UTC)": f"{paid:%Y-%m-%d %H:%M}" if status == "paid" else "",
            "Finalized At (UTC)": f"{when:%Y-%m-%d %H:%M}", "Voided At (UTC)": f"{paid:%Y-%m-%d %H:%M}" if status == "void" else "",
            "Period Start (UTC)": f"{when:%Y-%m-%d %H:%M}", "Period End (UTC)": f"{when:%Y-%m-%d %H:%M}",
            "Minimum Line Item Period Start (UTC)": f"{when:%Y-%m-%d %H:%M}", "Maximum Line Item Period End (UTC)": f"{due:%Y-%m-%d %H:%M}",
            "Paid": str(status == "paid").lower(), "Closed": str(status in {"paid", "void"}).lower(), "Forgiven": "false",
        }, money=amount, sale=status in {"paid", "open"})  # fmt: skip
    truth = sheet.becomes("invoices", "invoices.csv", {
        "customer_id": "Customer", "invoice_id": ["id", "Number"], "issued_at": ["Date (UTC)", "Finalized At (UTC)"], "due_at": "Due Date (UTC)",
        "paid_at": "Paid At (UTC)", "amount": ["Total", "Subtotal", "Amount Due"],
    })  # fmt: skip
    return Export(
        "stripe invoices", "Columns of the dashboard's export of invoices. Drafts are not sent yet; void ones are owed by nobody.",
        {"invoices.csv": sheet.csv(ends="\n")}, (truth,), ("invoices",), {"orders.amount": sheet.money}, "USD", {"invoices.csv": "Customer"},
    )  # fmt: skip


def stripe_subscriptions() -> Export:
    """Subscriptions, all by the month."""
    chance = chance_of("stripe subscriptions")
    sheet = Sheet(("id", "Customer ID", "Customer Name", "Customer Email", "Plan", "Product", "Quantity", "Currency", "Interval", "Amount",
                   "Status", "Created (UTC)", "Start (UTC)", "Current Period Start (UTC)", "Current Period End (UTC)", "Trial Start (UTC)",
                   "Trial End (UTC)", "Canceled At (UTC)", "Ended At (UTC)", "Cancellation Reason"))  # fmt: skip
    for k in range(90):
        begin = at_work(chance, days_later(BEGIN, 7 * k))
        status = {5: "incomplete_expired", 2: "canceled", 7: "canceled", 8: "past_due"}.get(k % 11, "active")
        amount = cents(chance.choice([49, 99, 249]))
        gone = begin + timedelta(days=30 * chance.randrange(1, 9))
        over = f"{gone:%Y-%m-%d %H:%M}" if status == "canceled" else ""
        sheet.record({
            "id": f"sub_1Nz{k:04d}", "Customer ID": f"cus_Ry{k:03d}", "Customer Name": FIRMS[k % 24], "Customer Email": f"owner{k}@example.com",
            "Plan": f"price_{amount}", "Product": chance.choice(["Team", "Business"]), "Quantity": 1, "Currency": "usd", "Interval": "month",
            "Amount": amount, "Status": status, "Created (UTC)": f"{begin:%Y-%m-%d %H:%M}", "Start (UTC)": f"{begin:%Y-%m-%d %H:%M}",
            "Current Period Start (UTC)": "2025-03-09 10:00", "Current Period End (UTC)": "2025-04-09 10:00",
            "Canceled At (UTC)": over, "Ended At (UTC)": over, "Cancellation Reason": "cancellation_requested" if over else "",
        }, money=amount, sale=status != "incomplete_expired")  # fmt: skip
    truth = sheet.becomes("contracts", "subscriptions.csv", {
        "customer_id": "Customer ID", "contract_id": "id", "product_id": ["Product", "Plan"], "starts_at": ["Start (UTC)", "Created (UTC)"],
        "ends_at": ["Ended At (UTC)", "Canceled At (UTC)"], "cancelled_at": ["Canceled At (UTC)", "Ended At (UTC)"],
        "monthly_amount": ["Amount", ("Amount", "Interval"), ("Amount", "Quantity"), ("Amount", "Quantity", "Interval")],
    })  # fmt: skip
    return Export(
        "stripe subscriptions", "Columns of the dashboard's export of subscriptions. incomplete_expired ones never began.",
        {"subscriptions.csv": sheet.csv(ends="\n")}, (truth,), ("contracts",), {"contracts.monthly_amount": sheet.money}, "USD",
        {"subscriptions.csv": "Customer ID"},
    )  # fmt: skip


def chargebee() -> Export:
    """The report of subscriptions."""
    chance = chance_of("chargebee")
    sheet = Sheet(("Subscription Id", "Customer Id", "Company", "Current Plan", "Plan Quantity", "Currency", "Subscription Billing Period",
                   "Subscription Status", "MRR", "Started On", "Current Billing Term Start Date", "Current Billing Term End Date", "Trial End",
                   "Canceled On", "Reason Code", "Auto-Collection"))  # fmt: skip
    for k in range(80):
        begin = days_later(BEGIN, 8 * k)
        over = k % 6 == 1
        gone = days_later(begin, 30 * chance.randrange(2, 10))
        seats = chance.randrange(3, 40)
        mrr = cents(seats * chance.choice([9, 15, 29]))
        sheet.record({
            "Subscription Id": f"AzqXn{k:04d}", "Customer Id": f"AzqCu{k % 50:03d}", "Company": FIRMS[k % 24], "Current Plan": chance.choice(["Growth", "Scale"]),
            "Plan Quantity": seats, "Currency": "USD", "Subscription Billing Period": "Monthly", "Subscription Status": "Cancelled" if over else "Active",
            "MRR": mrr, "Started On": f"{begin:%d-%b-%Y} 10:{k % 60:02d}", "Current Billing Term Start Date": "09-Mar-2025 10:00",
            "Current Billing Term End Date": "09-Apr-2025 10:00", "Canceled On": f"{gone:%d-%b-%Y} 10:00" if over else "",
            "Reason Code": "Not Paid" if over else "", "Auto-Collection": "On",
        }, money=mrr)  # fmt: skip
    truth = sheet.becomes("contracts", "Subscriptions.csv", {
        "customer_id": "Customer Id", "contract_id": "Subscription Id", "product_id": "Current Plan", "starts_at": "Started On",
        "cancelled_at": "Canceled On", "monthly_amount": "MRR", "seats": "Plan Quantity", "billing_months": "Subscription Billing Period",
    })  # fmt: skip
    return Export(
        "chargebee",
        "Fields of the report of subscriptions in Chargebee's documentation (Canceled On, Reason Code, Plan Quantity, Subscription Billing "
        "Period, Current Plan, Current Billing Term Start Date, Trial End, Auto-Collection); the ids, MRR and Started On are named after its API.",
        {"Subscriptions.csv": sheet.csv()}, (truth,), ("contracts",), {"contracts.monthly_amount": sheet.money}, "USD",
        {"Subscriptions.csv": "Customer Id"},
    )  # fmt: skip


def quickbooks() -> Export:
    """A report of invoices as it is exported: titles above, a total and the time below."""
    chance = chance_of("quickbooks")
    sheet = Sheet(
        (
            "Date",
            "Transaction Type",
            "Num",
            "Customer",
            "Memo/Description",
            "Due Date",
            "Amount",
            "Open Balance",
        )
    )
    for k in range(110):
        day = days_later(BEGIN, 6 * k)
        void = k % 27 == 11
        amount = cents(0 if void else chance.randrange(150, 9_000) + 0.5)
        sheet.add(f"{day:%m/%d/%Y}", "Invoice", 1_001 + k, FIRMS[k * 5 % 24], "Voided" if void else "", f"{days_later(day, 30):%m/%d/%Y}",
                  f"{amount:,}", f"{amount if k > 100 else cents(0):,}", money=amount, sale=not void)  # fmt: skip
    file = "Invoice List.csv"
    total = f'TOTAL,,,,,,"{sheet.money:,}",'
    truth = sheet.becomes("invoices", file, {
        "customer_id": "Customer", "invoice_id": "Num", "issued_at": "Date", "due_at": "Due Date", "amount": "Amount",
    })  # fmt: skip
    return Export(
        "quickbooks",
        "Columns of QuickBooks Online's reports of transactions; the order of Invoice List is not documented word for word. Voided invoices "
        "keep their number and are worth nothing.",
        {file: sheet.csv("utf-8-sig", above=["Example Bicycles Inc.", "Invoice List", '"January 1, 2023 - December 31, 2024"', ""],
                         below=[total, "", '"Tuesday, April 01, 2025 09:12 AM GMT-05:00"'])},
        (truth,), ("invoices",), {"orders.amount": sheet.money}, "USD", {file: "Customer"},
    )  # fmt: skip


def freee() -> Export:
    """A list of invoices."""
    chance = chance_of("freee")
    sheet = Sheet(("請求書番号", "件名", "取引先コード", "取引先名", "請求日", "入金期日", "小計", "消費税", "合計金額", "入金ステータス", "送付ステータス", "備考"))  # fmt: skip
    for k in range(100):
        day, who = days_later(BEGIN, 7 * k), k * 5 % 16
        net = chance.randrange(3, 400) * 1_000
        sheet.add(f"INV-{k + 1:010d}", "月額利用料", f"T{who:04d}", KAISHA[who], f"{day:%Y-%m-%d}", f"{days_later(day, 30):%Y-%m-%d}", f"¥{net:,}",
                  f"¥{net // 10:,}", f"¥{net + net // 10:,}", "入金待ち" if k > 94 else "入金済み", "送付済み", "", money=net + net // 10)  # fmt: skip
    return _japanese(
        "freee", sheet, "freee_請求書一覧.csv", "utf-8-sig",
        "The words of freee's help on invoices; the headings of its list are not documented word for word.",
        {"customer_id": ["取引先コード", "取引先名"], "invoice_id": "請求書番号", "issued_at": "請求日", "due_at": "入金期日", "amount": "合計金額"},
        "取引先コード",
    )  # fmt: skip


def moneyforward() -> Export:
    """Invoices and their items under each other: only the invoice's row has customer, dates and total."""
    chance = chance_of("moneyforward")
    sheet = Sheet(("csv_type(変更不可)", "行形式", "取引先名称", "件名", "請求日", "お支払期限", "請求書番号", "売上計上日", "メモ", "タグ", "小計", "消費税",
                   "合計金額", "取引先敬称", "取引先郵便番号", "取引先都道府県", "取引先住所1", "取引先住所2", "取引先部署", "取引先担当者役職", "取引先担当者氏名",
                   "自社担当者氏名", "備考", "振込先", "入金ステータス", "メール送信ステータス", "郵送ステータス", "ダウンロードステータス", "納品日", "品名", "品目コード",
                   "単価", "数量", "単位", "納品書番号", "詳細", "金額", "品目消費税率"))  # fmt: skip
    for k in range(60):
        day = days_later(BEGIN, 11 * k)
        items = [(chance.randrange(2, 90) * 500, chance.randrange(1, 6)) for _ in range(1 + k % 3)]
        net = sum(price * count for price, count in items)
        sheet.record({
            "csv_type(変更不可)": 40101, "行形式": "請求書", "取引先名称": KAISHA[k * 3 % 16], "件名": "ご請求", "請求日": f"{day:%Y/%m/%d}",
            "お支払期限": f"{days_later(day, 30):%Y/%m/%d}", "請求書番号": f"2023{k:05d}", "売上計上日": f"{day:%Y/%m/%d}", "小計": net,
            "消費税": net // 10, "合計金額": net + net // 10, "取引先敬称": "御中", "入金ステータス": "入金済み" if k < 55 else "未入金",
        }, money=net + net // 10)  # fmt: skip
        for number, (price, count) in enumerate(items):
            sheet.record({
                "csv_type(変更不可)": 40101, "行形式": "品目", "品名": f"部品{number + 1}", "品目コード": f"P{number + 1:03d}", "単価": price,
                "数量": count, "単位": "個", "金額": price * count, "品目消費税率": "10%",
            }, sale=False)  # fmt: skip
    return _japanese(
        "moneyforward", sheet, "invoice_マネーフォワード.csv", "cp932",
        "The 縦並び layout of Money Forward's invoices (csv_type 40101). 品目 rows are parts of the invoice above them.",
        {"customer_id": "取引先名称", "invoice_id": "請求書番号", "issued_at": ["請求日", "売上計上日"], "due_at": "お支払期限", "amount": "合計金額"},
        "取引先名称",
    )  # fmt: skip


def _japanese(
    name: str,
    sheet: Sheet,
    file: str,
    encoding: str,
    note: str,
    columns: Mapping[str, Source | list[Source]],
    key: str,
) -> Export:
    truth = sheet.becomes("invoices", file, columns)
    files = {file: sheet.csv(encoding)}
    return Export(
        name, note, files, (truth,), ("invoices",), {"orders.amount": sheet.money}, "JPY", {file: key}
    )


BILLING = (stripe_payments, stripe_invoices, stripe_subscriptions, chargebee, quickbooks, freee, moneyforward)
