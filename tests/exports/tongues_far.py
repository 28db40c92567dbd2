"""Exports whose headings are in Japanese of Latin letters, Chinese, Korean, and those of a German software house."""

from datetime import timedelta

from tests.exports.tongues import (
    BEGIN,
    dutch_invoices,
    french_invoices,
    german_documents,
    italian_lines,
    of_one_ledger,
    sap_tables,
    spanish_invoices,
)
from tests.exports.truth import FIRMS, KAISHA, Export, Sheet, cents, chance_of, comma, days_later


def romaji_slips() -> Export:
    """Sales slips of an old Japanese system: headings in Latin letters, cancelled slips above zero by their red mark."""
    chance = chance_of("romaji slips")
    accounts = Sheet(("TOKUI_CD", "TOKUI_MEI", "YUBIN_NO", "JUSHO", "TEL", "TANTO_CD", "TOROKU_BI"))
    for k, firm in enumerate(KAISHA):
        accounts.add(
            f"{k + 1:06d}",
            firm,
            "100-0001",
            "東京都千代田区",
            "03-0000-0000",
            "T01",
            f"{days_later(BEGIN, -30 * k):%Y%m%d}",
        )
    sheet = Sheet(
        (
            "DENPYO_NO",
            "GYO_NO",
            "URIAGE_DATE",
            "DENPYO_KBN",
            "TOKUI_CD",
            "SHOHIN_CD",
            "SHOHIN_MEI",
            "SURYO",
            "TANKA",
            "KINGAKU",
            "ZEI_KIN",
            "TANTO_CD",
        )
    )
    for k in range(260):
        day, who, kind = days_later(BEGIN, 4 * k), k * 7 % 16, "返品" if k % 17 == 4 else "売上"
        count, price = chance.randrange(1, 50), chance.choice([1_200, 800, 29_800])
        sheet.add(f"{k // 2 + 1:06d}", k % 2 + 1, f"{day:%Y%m%d}", kind, f"{who + 1:06d}", f"S{price:05d}", "部品", count, price, price * count, price * count // 10, "T01",
                  money=price * count * (-1 if kind == "返品" else 1))  # fmt: skip
    own = accounts.becomes(
        "customers", "TOKUI_MST.csv", {"customer_id": "TOKUI_CD", "created_at": "TOROKU_BI"}
    )
    truth = sheet.becomes("orders", "URIAGE.csv", {"customer_id": "TOKUI_CD", "occurred_at": "URIAGE_DATE", "order_id": "DENPYO_NO", "product_id": "SHOHIN_CD",
                                                  "quantity": ["SURYO", ("DENPYO_KBN", "SURYO")], "amount": ["KINGAKU", ("DENPYO_KBN", "KINGAKU")]})  # fmt: skip
    return of_one_ledger("romaji slips", romaji_slips.__doc__ or "", {"TOKUI_MST.csv": accounts.csv("cp932"), "URIAGE.csv": sheet.csv("cp932")}, (own, truth), "orders", sheet.money, "JPY",
                   {"TOKUI_MST.csv": "TOKUI_CD", "URIAGE.csv": "TOKUI_CD"})  # fmt: skip


def chinese_orders() -> Export:
    """Orders of a subsidiary, cancelled and refunded ones among them."""
    chance = chance_of("chinese orders")
    sheet = Sheet(
        (
            "订单编号",
            "订单日期",
            "客户编码",
            "客户名称",
            "产品编码",
            "产品名称",
            "数量",
            "单价",
            "金额",
            "币种",
            "订单状态",
            "业务员",
            "备注",
        )
    )
    for k in range(220):
        day, who = days_later(BEGIN, 4 * k), k * 7 % 24
        status = chance.choices(["已完成", "已发货", "已取消", "已退款"], [70, 20, 6, 4])[0]
        count, price = chance.randrange(1, 30), cents(chance.choice([35, 128.8, 2_600]))
        sheet.add(f"SO{day:%Y%m%d}{k:03d}", f"{day:%Y/%m/%d}", f"KH{who:04d}", FIRMS[who], f"P{int(price):05d}", "轴承", count, price, price * count, "CNY", status, "王伟", "",
                  money=price * count, sale=status in {"已完成", "已发货"})  # fmt: skip
    truth = sheet.becomes("orders", "销售订单.csv", {"customer_id": ["客户编码", "客户名称"], "occurred_at": "订单日期", "order_id": "订单编号", "product_id": ["产品编码", "产品名称"],
                                                 "quantity": "数量", "amount": ["金额", ("数量", "单价")]})  # fmt: skip
    return of_one_ledger(
        "chinese orders",
        chinese_orders.__doc__ or "",
        {"销售订单.csv": sheet.csv("utf-8-sig")},
        (truth,),
        "orders",
        sheet.money,
        "CNY",
        {"销售订单.csv": "客户编码"},
    )


def korean_ledger() -> Export:
    """A ledger of sales, returns below zero, beside a list of customers."""
    chance = chance_of("korean ledger")
    accounts = Sheet(("거래처코드", "거래처명", "업종", "지역", "담당자", "등록일"))
    for k, firm in enumerate(FIRMS):
        accounts.add(f"G{k:04d}", firm, "제조업", "서울", "김민수", f"{days_later(BEGIN, -20 * k):%Y-%m-%d}")
    sheet = Sheet(
        (
            "전표번호",
            "매출일자",
            "거래처코드",
            "거래처명",
            "품목코드",
            "수량",
            "단가",
            "공급가액",
            "부가세",
            "비고",
        )
    )
    for k in range(220):
        day, who = days_later(BEGIN, 4 * k), k * 7 % 24
        count, price = (
            chance.randrange(1, 30) * (-1 if k % 21 == 6 else 1),
            chance.choice([12_000, 4_500, 330_000]),
        )
        sheet.add(
            f"{day:%Y%m%d}-{k:03d}",
            f"{day:%Y-%m-%d}",
            f"G{who:04d}",
            FIRMS[who],
            f"I{price:06d}",
            count,
            f"{price:,}",
            f"{price * count:,}",
            f"{price * count // 10:,}",
            "",
            money=price * count,
        )
    own = accounts.becomes(
        "customers",
        "거래처.csv",
        {"customer_id": "거래처코드", "industry": "업종", "region": "지역", "created_at": "등록일"},
    )
    truth = sheet.becomes("orders", "매출장.csv", {"customer_id": "거래처코드", "occurred_at": "매출일자", "order_id": "전표번호", "product_id": "품목코드", "quantity": "수량",
                                               "amount": ["공급가액", ("수량", "단가")]})  # fmt: skip
    return of_one_ledger("korean ledger", korean_ledger.__doc__ or "", {"거래처.csv": accounts.csv("utf-8-sig"), "매출장.csv": sheet.csv("utf-8-sig")}, (own, truth), "orders", sheet.money, "KRW",
                   {"거래처.csv": "거래처코드", "매출장.csv": "거래처코드"})  # fmt: skip


def german_subscriptions() -> Export:
    """A software house: contracts by the month or the year, tickets, usage, in German."""
    chance = chance_of("german subscriptions")
    contracts = Sheet(
        (
            "Vertragsnummer",
            "Kundennummer",
            "Tarif",
            "Vertragsbeginn",
            "Vertragsende",
            "Kündigungsdatum",
            "Abrechnungsintervall",
            "Betrag",
            "Lizenzen",
        )
    )
    for k in range(90):
        day, yearly = days_later(BEGIN, 8 * k), k % 3 == 0
        gone = f"{days_later(day, 365):%d.%m.%Y}" if k % 6 == 0 else ""
        month = cents(chance.choice([49, 99, 250]))
        contracts.add(
            f"V-{k:04d}",
            10_000 + k % 30,
            "Profi",
            f"{day:%d.%m.%Y}",
            gone,
            gone,
            "jährlich" if yearly else "monatlich",
            comma(month * 12 if yearly else month),
            1 + k % 7,
        )
    tickets = Sheet(
        (
            "Ticketnummer",
            "Eröffnet am",
            "Geschlossen am",
            "Kundennummer",
            "Betreff",
            "Kategorie",
            "Priorität",
            "Status",
        )
    )
    for k in range(120):
        opened = days_later(BEGIN, 5 * k)
        tickets.add(
            f"T{k:05d}",
            f"{opened:%d.%m.%Y} 09:{k % 60:02d}",
            f"{opened + timedelta(days=2):%d.%m.%Y} 16:00",
            10_000 + k % 30,
            "Anmeldung",
            chance.choice(["Störung", "Frage"]),
            1 + k % 4,
            "geschlossen",
        )
    terms = contracts.becomes("contracts", "Verträge.csv", {
        "customer_id": "Kundennummer", "contract_id": "Vertragsnummer", "product_id": "Tarif", "starts_at": "Vertragsbeginn", "ends_at": "Vertragsende",
        "cancelled_at": "Kündigungsdatum", "billing_months": "Abrechnungsintervall", "monthly_amount": [("Betrag", "Abrechnungsintervall")], "seats": "Lizenzen"})  # fmt: skip
    support = tickets.becomes(
        "tickets",
        "Tickets.csv",
        {
            "customer_id": "Kundennummer",
            "opened_at": "Eröffnet am",
            "closed_at": "Geschlossen am",
            "category": "Kategorie",
            "severity": "Priorität",
        },
    )
    return Export("german subscriptions", german_subscriptions.__doc__ or "", {"Verträge.csv": contracts.csv(separator=";"), "Tickets.csv": tickets.csv(separator=";")}, (terms, support),
                  ("contracts",), {}, "EUR", {"Verträge.csv": "Kundennummer", "Tickets.csv": "Kundennummer"})  # fmt: skip


TONGUES = (
    german_documents, french_invoices, spanish_invoices, italian_lines, dutch_invoices, sap_tables, romaji_slips, chinese_orders, korean_ledger, german_subscriptions,
)  # fmt: skip
