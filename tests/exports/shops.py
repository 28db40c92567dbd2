"""Exports of shops and of sales ledgers: order lines, orders, slips."""

from datetime import date, timedelta
from decimal import Decimal

from tests.exports.truth import FIRMS, KAISHA, Export, Sheet, at_work, cents, chance_of, days_later, yen

BEGIN = date(2023, 1, 9)


def shopify() -> Export:
    """Orders, a row a line item: the order's own values on its first line only."""
    chance = chance_of("shopify")
    sheet = Sheet(("Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing", "Currency",
                   "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Shipping Method", "Created at",
                   "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem compare at price", "Lineitem sku",
                   "Lineitem requires shipping", "Lineitem taxable", "Lineitem fulfillment status", "Billing Name", "Billing Street",
                   "Billing Address1", "Billing Address2", "Billing Company", "Billing City", "Billing Zip", "Billing Province",
                   "Billing Country", "Billing Phone", "Shipping Name", "Shipping Company", "Shipping City", "Shipping Country", "Notes",
                   "Note Attributes", "Cancelled at", "Payment Method", "Payment Reference", "Refunded Amount", "Vendor",
                   "Outstanding Balance", "Employee", "Location", "Device ID", "Id", "Tags", "Risk Level", "Source", "Lineitem discount"))  # fmt: skip
    for k in range(70):
        made = at_work(chance, days_later(BEGIN, 10 * k))
        stamp = f"{made:%Y-%m-%d %H:%M:%S} -0500"
        void, who = k % 17 == 6, k * 5 % 24
        items = [
            (
                chance.randrange(1, 9),
                cents(chance.choice([12.5, 40, 89.95])),
                f"SKU-{chance.randrange(20):03d}",
            )
            for _ in range(1 + k % 3)
        ]
        total = sum((count * price for count, price, _ in items), Decimal(0))
        for number, (count, price, sku) in enumerate(items):
            first = {
                "Financial Status": "voided" if void else "paid", "Paid at": "" if void else stamp, "Fulfillment Status": "fulfilled",
                "Accepts Marketing": "no", "Currency": "USD", "Subtotal": total, "Shipping": "0.00", "Taxes": "0.00", "Total": total,
                "Discount Amount": "0.00", "Shipping Method": "Ground", "Billing Name": "Purchasing", "Billing Company": FIRMS[who],
                "Billing City": "Austin", "Billing Country": "US", "Shipping Company": FIRMS[who], "Shipping Country": "US",
                "Cancelled at": stamp if void else "", "Payment Method": "manual", "Refunded Amount": "0.00", "Outstanding Balance": "0.00",
                "Id": 5_410_000_000_000 + k, "Risk Level": "Low", "Source": "web",
            }  # fmt: skip
            sheet.record((first if number == 0 else {}) | {
                "Name": f"#{1_001 + k}", "Email": f"buyer{who}@example.com", "Created at": stamp, "Lineitem quantity": count,
                "Lineitem name": f"Part {sku}", "Lineitem price": price, "Lineitem sku": sku, "Lineitem requires shipping": "true",
                "Lineitem taxable": "true", "Lineitem fulfillment status": "fulfilled", "Vendor": "Example", "Lineitem discount": "0.00",
            }, money=count * price, sale=not void)  # fmt: skip
    truth = sheet.becomes("orders", "orders_export_1.csv", {
        "customer_id": "Email", "occurred_at": "Created at", "order_id": "Name", "product_id": ["Lineitem sku", "Lineitem name"],
        "quantity": "Lineitem quantity", "amount": [("Lineitem quantity", "Lineitem price"), ("Lineitem quantity", "Lineitem price", "Lineitem discount")],
    })  # fmt: skip
    return Export(
        "shopify",
        "Columns of Shopify's export of orders. Status, totals and addresses stand on the first line of an order only; voided orders were never paid.",
        {"orders_export_1.csv": sheet.csv(ends="\n")}, (truth,), ("orders",), {"orders.amount": sheet.money}, "USD",
        {"orders_export_1.csv": "Email"},
    )  # fmt: skip


def woocommerce() -> Export:
    """Orders, one a row, some cancelled, refunded or failed."""
    chance = chance_of("woocommerce")
    sheet = Sheet(("order_id", "order_number_formatted", "order_number", "date", "status", "order_shipping", "order_shipping_tax", "order_fees",
                   "order_fee_tax", "order_tax", "cart_discount", "order_discount", "order_total", "payment_method", "shipping_method",
                   "customer_user", "billing_first_name", "billing_last_name", "billing_email", "billing_phone", "billing_address_1",
                   "billing_address_2", "billing_postcode", "billing_city", "billing_state", "billing_country", "billing_company",
                   "customer_note", "order_item_1", "order_item_2", "order_notes"))  # fmt: skip
    for k in range(120):
        made, who = at_work(chance, days_later(BEGIN, 6 * k)), k * 7 % 24
        status = {4: "wc-cancelled", 9: "wc-refunded", 13: "wc-failed", 2: "wc-processing"}.get(
            k % 15, "wc-completed"
        )
        total = cents(chance.randrange(20, 900) + 0.95)
        sheet.record({
            "order_id": 4_800 + k, "order_number_formatted": f"WEB-{4_800 + k}", "order_number": 4_800 + k, "date": f"{made:%Y-%m-%d %H:%M:%S}",
            "status": status, "order_shipping": "0.00", "order_tax": "0.00", "order_total": total, "payment_method": "bacs",
            "shipping_method": "Flat rate", "customer_user": 61 + who, "billing_first_name": "Ada", "billing_last_name": "Lane",
            "billing_email": f"ada{who}@example.com", "billing_city": "Leeds", "billing_country": "GB", "billing_company": FIRMS[who],
            "order_item_1": f"product_id:{300 + k % 9}|qty:1|total:{total}",
        }, money=total, sale=status in {"wc-completed", "wc-processing"})  # fmt: skip
    truth = sheet.becomes("orders", "orders-export.csv", {
        "customer_id": ["customer_user", "billing_email", "billing_company"], "occurred_at": "date",
        "order_id": ["order_id", "order_number", "order_number_formatted"], "amount": "order_total",
    })  # fmt: skip
    return Export(
        "woocommerce", "Columns of WooCommerce's Order CSV Export; status as WooCommerce stores it, with wc- before it.",
        {"orders-export.csv": sheet.csv(ends="\n")}, (truth,), ("orders",), {"orders.amount": sheet.money}, "GBP",
        {"orders-export.csv": "customer_user"},
    )  # fmt: skip


def magento() -> Export:
    """The grid of orders, by its labels."""
    chance = chance_of("magento")
    sheet = Sheet(("ID", "Purchase Point", "Purchase Date", "Bill-to Name", "Ship-to Name", "Grand Total (Base)", "Grand Total (Purchased)",
                   "Status", "Billing Address", "Shipping Address", "Shipping Information", "Customer Email", "Customer Group", "Subtotal",
                   "Shipping and Handling", "Customer Name", "Payment Method", "Total Refunded", "Allocated sources"))  # fmt: skip
    for k in range(120):
        made, who = at_work(chance, days_later(BEGIN, 6 * k)), k * 5 % 24
        status = {3: "Canceled", 8: "Closed", 12: "Processing"}.get(k % 14, "Complete")
        net = cents(chance.randrange(40, 2_000) + 0.25)
        total = net + 15
        sheet.add(f"{k + 1:09d}", "Main Website\nMain Website Store\nDefault Store View", f"{made:%b} {made.day}, {made:%Y} {made:%I:%M:%S %p}", FIRMS[who],
                  FIRMS[who], f"${total:,}", f"${total:,}", status, "1 Main St,Denver,Colorado,80014", "1 Main St,Denver,Colorado,80014",
                  "Flat Rate - Fixed", f"orders{who}@example.com", "Wholesale", f"${net:,}", "$15.00", FIRMS[who], "checkmo",
                  f"${total:,}" if status == "Closed" else "$0.00", "Default Source", money=total, sale=status in {"Complete", "Processing"})  # fmt: skip
    truth = sheet.becomes("orders", "export.csv", {
        "customer_id": ["Customer Email", "Customer Name", "Bill-to Name"], "occurred_at": "Purchase Date", "order_id": "ID",
        "amount": ["Grand Total (Base)", "Grand Total (Purchased)"],
    })  # fmt: skip
    return Export(
        "magento", "Columns of the grid of orders in Adobe Commerce's documentation. Closed orders are refunded in full.",
        {"export.csv": sheet.csv(ends="\n")}, (truth,), ("orders",), {"orders.amount": sheet.money}, "USD", {"export.csv": "Customer Email"},
    )  # fmt: skip


def eccube() -> Export:
    """受注CSV: a row an item, the order's total on each of them, two columns of the same name."""
    chance = chance_of("eccube")
    names = ("注文ID", "注文番号", "会員ID", "お名前(姓)", "お名前(名)", "お名前(セイ)", "お名前(メイ)", "会社名", "郵便番号", "都道府県(ID)", "都道府県(名称)", "住所1",
             "住所2", "メールアドレス", "TEL", "性別(ID)", "性別(名称)", "職業(ID)", "職業(名称)", "誕生日", "ショップ用メモ欄", "小計", "値引き", "送料", "税金", "合計",
             "支払合計", "対応状況(ID)", "対応状況(名称)", "支払方法(ID)", "支払方法(名称)", "受注日", "入金日", "注文詳細ID", "商品ID", "商品規格ID", "商品名",
             "商品コード", "規格名1", "規格名2", "規格分類名1", "規格分類名2", "価格", "個数", "税率", "税率ルール(ID)", "明細区分(ID)", "明細区分(名称)", "出荷ID",
             "配送先_会社名", "お届け希望日", "送料", "発送日", "出荷伝票番号")  # fmt: skip
    sheet = Sheet(names)
    detail = 0
    for k in range(60):
        made, who = at_work(chance, days_later(BEGIN, 11 * k)), k * 3 % 16
        number, status = {6: (3, "注文取消し"), 11: (9, "返品")}.get(k % 13, (5, "発送済み"))
        items = [
            (chance.choice([1_200, 3_400, 980]), chance.randrange(1, 9), chance.randrange(20))
            for _ in range(1 + k % 3)
        ]
        total = sum(price * count for price, count, _ in items)
        for price, count, code in [*items, (0, 1, -1)]:
            detail += 1
            goods = code >= 0
            sheet.record({
                "注文ID": k + 1, "注文番号": k + 1, "会員ID": 201 + who, "お名前(姓)": "購買", "お名前(名)": "担当", "会社名": KAISHA[who], "郵便番号": "1000001",
                "都道府県(ID)": 13, "都道府県(名称)": "東京都", "住所1": "千代田区", "メールアドレス": f"kobai{who}@example.jp", "TEL": "0300000000", "小計": total,
                "値引き": 0, "送料": 0, "税金": total // 11, "合計": total, "支払合計": total, "対応状況(ID)": number, "対応状況(名称)": status,
                "支払方法(ID)": 3, "支払方法(名称)": "銀行振込", "受注日": f"{made:%Y/%m/%d %H:%M:%S}", "入金日": f"{made + timedelta(days=3):%Y/%m/%d %H:%M:%S}",
                "注文詳細ID": detail, "商品ID": code + 1 if goods else "", "商品規格ID": code + 40 if goods else "", "商品名": f"部品{code}" if goods else "送料",
                "商品コード": f"parts-{code:02d}" if goods else "", "価格": price, "個数": count, "税率": 10, "明細区分(ID)": 1 if goods else 2,
                "明細区分(名称)": "商品" if goods else "送料", "出荷ID": k + 1, "配送先_会社名": KAISHA[who],
            }, money=price * count, sale=number == 5)  # fmt: skip
    truth = sheet.becomes("orders", "order_20250401.csv", {
        "customer_id": "会員ID", "occurred_at": "受注日", "order_id": ["注文番号", "注文ID"], "product_id": ["商品コード", "商品ID", "商品規格ID", "商品名"],
        "quantity": "個数", "amount": [("価格", "個数")],
    })  # fmt: skip
    return Export(
        "eccube",
        "The items of 受注CSV that EC-CUBE 4 installs (its postal items of the delivery shortened). 合計 is the whole order's on each row; "
        "orders taken back (注文取消し, 返品) are no sales; free delivery is a row of 0 yen.",
        {"order_20250401.csv": sheet.csv("cp932")}, (truth,), ("orders",), {"orders.amount": sheet.money}, "JPY",
        {"order_20250401.csv": "会員ID"},
    )  # fmt: skip


def yayoi() -> Export:
    """売上明細: returns with a triangle, and a subtotal under each quarter that is dated like a sale."""
    chance = chance_of("yayoi")
    sheet = Sheet(("売上日付", "伝票番号", "得意先コード", "得意先名", "商品コード", "商品名", "数量", "単位", "単価", "金額", "原価", "粗利", "備考"))  # fmt: skip
    part, quarter = 0, 1
    for k in range(120):
        day, who = days_later(BEGIN, 6 * k), k * 3 % 16
        if (day.month + 2) // 3 != quarter:
            end = days_later(BEGIN, 6 * k - 6)
            sheet.add(
                f"{end:%Y/%m/%d}", "", "", "【期計】", "", "", "", "", "", yen(part), "", "", "", sale=False
            )
            part, quarter = 0, (day.month + 2) // 3
        price, count = (
            chance.choice([480, 1_250, 36_000]),
            -chance.randrange(1, 3) if k % 23 == 17 else chance.randrange(1, 30),
        )
        amount, cost = price * count, price * count * 6 // 10
        part += amount
        sheet.add(f"{day:%Y/%m/%d}", f"{30_001 + k // 2:08d}", f"{who + 1:06d}", KAISHA[who], f"S-{price:05d}", "部品", yen(count), "個", yen(price),
                  yen(amount), yen(cost), yen(amount - cost), "返品" if count < 0 else "", money=amount)  # fmt: skip
    truth = sheet.becomes("orders", "売上明細表.csv", {
        "customer_id": ["得意先コード", "得意先名"], "occurred_at": "売上日付", "order_id": "伝票番号", "product_id": ["商品コード", "商品名"], "quantity": "数量",
        "amount": ["金額", ("単価", "数量")], "margin": ["粗利", ("金額", "原価")],
    })  # fmt: skip
    return Export(
        "yayoi",
        "Words of Yayoi Hanbai's sales slips, in Shift_JIS as its help says; its list of items (PDF) was not to be found, so the headings "
        "are those of the report 売上明細表 in its help's text.",
        {"売上明細表.csv": sheet.csv("cp932")}, (truth,), ("orders",), {"orders.amount": sheet.money}, "JPY", {"売上明細表.csv": "得意先コード"},
    )  # fmt: skip


SHOPS = (shopify, woocommerce, magento, eccube, yayoi)
