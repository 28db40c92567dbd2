"""Exports whose headings are in other languages than English and Japanese, or in the short names of old systems.

Headings as such products commonly have them; rows, and what of a heading is not documented, of our own making.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from tests.exports.truth import (
    FIRMS,
    Export,
    Sheet,
    Source,
    TableTruth,
    cents,
    chance_of,
    comma,
    days_later,
)

BEGIN = date(2022, 1, 10)


def of_one_ledger(
    name: str,
    note: str,
    files: Mapping[str, bytes],
    tables: tuple[TableTruth, ...],
    ledger: str,
    money: Decimal,
    currency: str,
    keys: Mapping[str, str],
    *,
    as_right: tuple[TableTruth, ...] = (),
    unused: tuple[str, ...] = (),
) -> Export:
    """An export whose money is told by one table."""
    return Export(
        name, note, files, tables, (ledger,), {"orders.amount": money}, currency, keys, unused, as_right
    )


def german_documents() -> Export:
    """All documents of a small ERP, credit notes above zero, offers and delivery notes among them."""
    chance = chance_of("german documents")
    accounts = Sheet(
        (
            "Kundennummer",
            "Firma",
            "Straße",
            "PLZ",
            "Ort",
            "Land",
            "Branche",
            "Angelegt am",
            "USt-IdNr.",
            "Betreuer",
        )
    )
    for k, firm in enumerate(FIRMS):
        accounts.add(
            10_000 + k,
            firm,
            f"Hauptstraße {k}",
            f"10{k:03d}",
            "Köln",
            "Deutschland",
            "Großhandel",
            f"{days_later(BEGIN, -9 * k):%d.%m.%Y}",
            f"DE{k:09d}",
            "Frau Weiß",
        )
    sheet = Sheet(("Belegart", "Belegnummer", "Belegdatum", "Kundennummer", "Kunde", "Artikelnummer", "Bezeichnung", "Menge", "Einzelpreis netto",
                   "Gesamt netto", "MwSt-Satz", "Fälligkeitsdatum", "Status"))  # fmt: skip
    for k in range(260):
        day, who = days_later(BEGIN, 4 * k), k * 7 % 24
        kind = chance.choices(["Rechnung", "Gutschrift", "Angebot", "Lieferschein"], [80, 8, 8, 4])[0]
        status = chance.choices(["bezahlt", "offen", "storniert"], [80, 15, 5])[0]
        count, price = chance.randrange(1, 9), cents(chance.choice([1250, 99, 4300.5]))
        sheet.add(kind, f"B-{k:05d}", f"{day:%d.%m.%Y}", 10_000 + who, FIRMS[who], f"A-{int(price)}", "Ersatzteil", count, comma(price), comma(price * count), "19%",
                  f"{days_later(day, 14):%d.%m.%Y}", status, money=price * count * (-1 if kind == "Gutschrift" else 1),
                  sale=kind in {"Rechnung", "Gutschrift"} and status != "storniert")  # fmt: skip
    money: list[Source] = ["Gesamt netto", ("Belegart", "Gesamt netto")]
    columns: dict[str, Source | list[Source]] = {
        "customer_id": "Kundennummer",
        "product_id": "Artikelnummer",
        "amount": money,
    }
    truth = sheet.becomes(
        "orders",
        "Belege.csv",
        columns
        | {
            "occurred_at": "Belegdatum",
            "order_id": "Belegnummer",
            "quantity": ["Menge", ("Belegart", "Menge")],
        },
    )
    as_invoices = sheet.becomes("invoices", "Belege.csv", {"customer_id": "Kundennummer", "invoice_id": "Belegnummer", "issued_at": "Belegdatum",
                                                          "due_at": "Fälligkeitsdatum", "amount": money})  # fmt: skip
    own = accounts.becomes(
        "customers",
        "Kunden.csv",
        {
            "customer_id": "Kundennummer",
            "created_at": "Angelegt am",
            "industry": "Branche",
            "country": "Land",
        },
    )
    return of_one_ledger("german documents", german_documents.__doc__ or "", {"Kunden.csv": accounts.csv("cp1252", separator=";"), "Belege.csv": sheet.csv("cp1252", separator=";")},
                   (own, truth), "orders", sheet.money, "EUR", {"Kunden.csv": "Kundennummer", "Belege.csv": "Kundennummer"}, as_right=(as_invoices,))  # fmt: skip


def french_invoices() -> Export:
    """Invoices and credit notes (avoirs, below zero) with their payment."""
    chance = chance_of("french invoices")
    sheet = Sheet(
        (
            "N° de facture",
            "Date de facture",
            "Date d'échéance",
            "Code client",
            "Nom du client",
            "Objet",
            "Montant HT",
            "Montant TVA",
            "Montant TTC",
            "Statut",
            "Date de règlement",
        )
    )
    for k in range(150):
        day, who = days_later(BEGIN, 6 * k), k * 5 % 24
        status = chance.choices(["Réglée", "En attente", "Annulée", "Brouillon"], [75, 15, 5, 5])[0]
        net = cents(chance.choice([420, 1999.9, 12_500]) * (-1 if k % 17 == 3 else 1))
        sheet.add(f"F{day:%Y}-{k:04d}", f"{day:%d/%m/%Y}", f"{days_later(day, 45):%d/%m/%Y}", f"CLI{who:04d}", FIRMS[who], "Prestations", comma(net).replace(".", " "),
                  comma(cents(net / 5)).replace(".", " "), comma(net + cents(net / 5)).replace(".", " "), status, f"{days_later(day, 50):%d/%m/%Y}" if status == "Réglée" else "",
                  money=net, sale=status not in {"Annulée", "Brouillon"})  # fmt: skip
    truth = sheet.becomes("invoices", "factures.csv", {
        "customer_id": ["Code client", "Nom du client"], "invoice_id": "N° de facture", "issued_at": "Date de facture", "due_at": "Date d'échéance",
        "paid_at": "Date de règlement", "amount": "Montant HT"})  # fmt: skip
    return of_one_ledger(
        "french invoices",
        french_invoices.__doc__ or "",
        {"factures.csv": sheet.csv("utf-8-sig", separator=";")},
        (truth,),
        "invoices",
        sheet.money,
        "EUR",
        {"factures.csv": "Code client"},
    )


def spanish_invoices() -> Export:
    """Facturas, rectifying ones above zero and told by their type."""
    chance = chance_of("spanish invoices")
    sheet = Sheet(
        (
            "Tipo de documento",
            "Nº factura",
            "Fecha de emisión",
            "Fecha de vencimiento",
            "Cliente",
            "NIF",
            "Base imponible",
            "IVA",
            "Total",
            "Estado",
            "Fecha de cobro",
        )
    )
    for k in range(140):
        day, who = days_later(BEGIN, 6 * k), k * 5 % 24
        kind = "Factura rectificativa" if k % 13 == 5 else "Factura"
        status = chance.choices(["Cobrada", "Pendiente", "Anulada"], [75, 20, 5])[0]
        net = cents(chance.choice([380, 2_450.75, 9_100]))
        gross = cents(float(net) * 1.21)
        sheet.add(kind, f"F{k:05d}", f"{day:%d/%m/%Y}", f"{days_later(day, 30):%d/%m/%Y}", FIRMS[who], f"B{who:08d}", comma(net), comma(gross - net), comma(gross), status,
                  f"{days_later(day, 33):%d/%m/%Y}" if status == "Cobrada" else "", money=gross * (-1 if kind != "Factura" else 1), sale=status != "Anulada")  # fmt: skip
    truth = sheet.becomes("invoices", "Facturas.csv", {
        "customer_id": ["NIF", "Cliente"], "invoice_id": "Nº factura", "issued_at": "Fecha de emisión", "due_at": "Fecha de vencimiento", "paid_at": "Fecha de cobro",
        "amount": ["Total", ("Tipo de documento", "Total")]})  # fmt: skip
    return of_one_ledger(
        "spanish invoices",
        spanish_invoices.__doc__ or "",
        {"Facturas.csv": sheet.csv("latin-1", separator=";")},
        (truth,),
        "invoices",
        sheet.money,
        "EUR",
        {"Facturas.csv": "Cliente"},
    )


def italian_lines() -> Export:
    """Lines of invoices of a wholesaler's programme, customers apart."""
    chance = chance_of("italian lines")
    accounts = Sheet(
        (
            "Codice cliente",
            "Ragione sociale",
            "Partita IVA",
            "Indirizzo",
            "Città",
            "Provincia",
            "Nazione",
            "Settore",
            "Agente",
        )
    )
    for k, firm in enumerate(FIRMS):
        accounts.add(
            f"C{k:05d}", firm, f"{k:011d}", f"Via Roma {k}", "Torino", "TO", "Italia", "Meccanica", "Rossi"
        )
    sheet = Sheet(
        (
            "Numero documento",
            "Data documento",
            "Codice cliente",
            "Ragione sociale",
            "Codice articolo",
            "Descrizione",
            "Quantità",
            "Prezzo unitario",
            "Sconto %",
            "Importo",
        )
    )
    for k in range(300):
        day, who, count, price = (
            days_later(BEGIN, 3 * k),
            k * 7 % 24,
            chance.randrange(1, 40),
            cents(chance.choice([3.2, 18.75, 240])),
        )
        worth = cents(price * count * (9 if k % 4 == 0 else 10) / 10)
        sheet.add(
            f"{k}/A",
            f"{day:%d/%m/%Y}",
            f"C{who:05d}",
            FIRMS[who],
            f"ART{int(price):04d}",
            "Bullone",
            count,
            comma(price),
            10 if k % 4 == 0 else 0,
            comma(worth),
            money=worth,
        )
    own = accounts.becomes(
        "customers",
        "clienti.csv",
        {"customer_id": "Codice cliente", "industry": "Settore", "country": "Nazione", "region": "Provincia"},
    )
    truth = sheet.becomes("orders", "righe_fatture.csv", {"customer_id": "Codice cliente", "occurred_at": "Data documento", "order_id": "Numero documento",
                                                         "product_id": "Codice articolo", "quantity": "Quantità", "amount": "Importo"})  # fmt: skip
    return of_one_ledger("italian lines", italian_lines.__doc__ or "", {"clienti.csv": accounts.csv(separator=";"), "righe_fatture.csv": sheet.csv(separator=";")}, (own, truth), "orders",
                   sheet.money, "EUR", {"clienti.csv": "Codice cliente", "righe_fatture.csv": "Codice cliente"})  # fmt: skip


def dutch_invoices() -> Export:
    """Verkoopfacturen with subscriptions beside them."""
    chance = chance_of("dutch invoices")
    sheet = Sheet(
        (
            "Factuurnummer",
            "Factuurdatum",
            "Vervaldatum",
            "Relatiecode",
            "Relatie",
            "Omschrijving",
            "Bedrag excl. BTW",
            "BTW",
            "Bedrag incl. BTW",
            "Betaald op",
            "Openstaand",
        )
    )
    for k in range(150):
        day, who = days_later(BEGIN, 5 * k), k * 5 % 24
        net = cents(chance.choice([250, 1_875.5, 7_000]))
        gross = cents(float(net) * 1.21)
        sheet.add(f"{day:%Y}{k:04d}", f"{day:%d-%m-%Y}", f"{days_later(day, 30):%d-%m-%Y}", 1_000 + who, FIRMS[who], "Onderhoud", comma(net), comma(gross - net), comma(gross),
                  f"{days_later(day, 28):%d-%m-%Y}" if k % 6 else "", comma(0) if k % 6 else comma(gross), money=net)  # fmt: skip
    contracts = Sheet(
        (
            "Contractnummer",
            "Relatiecode",
            "Abonnement",
            "Ingangsdatum",
            "Einddatum",
            "Opgezegd op",
            "Maandbedrag",
            "Aantal gebruikers",
        )
    )
    for k in range(60):
        day = days_later(BEGIN, 11 * k)
        gone = f"{days_later(day, 400):%d-%m-%Y}" if k % 5 == 0 else ""
        contracts.add(
            f"CT{k:04d}",
            1_000 + k % 24,
            chance.choice(["Basis", "Plus"]),
            f"{day:%d-%m-%Y}",
            gone,
            gone,
            comma(cents(95 + k % 3 * 50)),
            3 + k % 9,
        )
    truth = sheet.becomes("invoices", "verkoopfacturen.csv", {
        "customer_id": ["Relatiecode", "Relatie"], "invoice_id": "Factuurnummer", "issued_at": "Factuurdatum", "due_at": "Vervaldatum", "paid_at": "Betaald op",
        "amount": "Bedrag excl. BTW"})  # fmt: skip
    terms = contracts.becomes("contracts", "contracten.csv", {
        "customer_id": "Relatiecode", "contract_id": "Contractnummer", "product_id": "Abonnement", "starts_at": "Ingangsdatum", "ends_at": "Einddatum",
        "cancelled_at": "Opgezegd op", "monthly_amount": "Maandbedrag", "seats": "Aantal gebruikers"})  # fmt: skip
    return of_one_ledger("dutch invoices", dutch_invoices.__doc__ or "", {"verkoopfacturen.csv": sheet.csv(separator=";"), "contracten.csv": contracts.csv(separator=";")}, (truth, terms),
                   "invoices", sheet.money, "EUR", {"verkoopfacturen.csv": "Relatiecode", "contracten.csv": "Relatiecode"})  # fmt: skip


def sap_tables() -> Export:
    """Customers (KNA1) and billing items (VBRK with VBRP), F2 invoices and G2 credit memos, cancelled ones marked X."""
    chance = chance_of("sap tables")
    accounts = Sheet(
        ("KUNNR", "NAME1", "LAND1", "REGIO", "ORT01", "PSTLZ", "STRAS", "BRSCH", "ERDAT", "LOEVM")
    )
    for k, firm in enumerate(FIRMS):
        accounts.add(
            f"{100_000 + k:010d}",
            firm,
            "DE",
            "05",
            "KÖLN",
            f"5{k:04d}",
            f"WEG {k}",
            "Z001",
            f"{days_later(BEGIN, -7 * k):%Y%m%d}",
            "",
        )
    sheet = Sheet(
        (
            "VBELN",
            "POSNR",
            "FKART",
            "FKDAT",
            "KUNAG",
            "MATNR",
            "ARKTX",
            "FKIMG",
            "VRKME",
            "NETWR",
            "MWSBP",
            "WAERK",
            "FKSTO",
        )
    )
    for k in range(260):
        day, who = days_later(BEGIN, 4 * k), k * 7 % 24
        kind, gone = "G2" if k % 19 == 4 else "F2", "X" if k % 23 == 7 else ""
        count, price = chance.randrange(1, 50), cents(chance.choice([12.5, 80, 999]))
        sheet.add(f"{90_000_000 + k:010d}", "000010", kind, f"{day:%Y%m%d}", f"{100_000 + who:010d}", f"M-{int(price):05d}", "WELLE", f"{count}.000", "ST", f"{price * count}",
                  f"{cents(float(price * count) * 0.19)}", "EUR", gone, money=price * count * (-1 if kind == "G2" else 1), sale=not gone)  # fmt: skip
    own = accounts.becomes(
        "customers",
        "KNA1.csv",
        {"customer_id": "KUNNR", "country": "LAND1", "industry": "BRSCH", "created_at": "ERDAT"},
    )
    truth = sheet.becomes("orders", "VBRP.csv", {"customer_id": "KUNAG", "occurred_at": "FKDAT", "order_id": "VBELN", "product_id": "MATNR",
                                                "quantity": ["FKIMG", ("FKART", "FKIMG")], "amount": ["NETWR", ("FKART", "NETWR")]})  # fmt: skip
    return of_one_ledger("sap tables", sap_tables.__doc__ or "", {"KNA1.csv": accounts.csv(separator="\t"), "VBRP.csv": sheet.csv(separator="\t")}, (own, truth), "orders", sheet.money, "EUR",
                   {"KNA1.csv": "KUNNR", "VBRP.csv": "KUNAG"})  # fmt: skip
