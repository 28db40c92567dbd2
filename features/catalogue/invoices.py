"""Invoices: what was invoiced, fell due, and was paid."""

from features.catalogue.declaration import AMOUNT_NAMES, Declaration, canonical
from features.engine.streams import Elapsed, Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_INVOICES = canonical(
    "invoices",
    "an invoice",
    "issued_at",
    Column(
        "invoice_id", Kind.ID, "the invoice", Wording("invoice", "請求"),
        "invoice invoiceid invoiceno invoicenumber billid billno billnumber 請求書番号 請求番号 請求書id 請求id",
    ),
    Column(
        "issued_at", Kind.TIME, "when it was issued", Wording("day of issue", "請求日"),
        "issuedat issued issuedate invoicedate billedat billingdate 請求日 発行日",
        required=True,
    ),
    Column(
        "due_at", Kind.TIME, "when it falls due, if a day was set", Wording("due date", "支払期日"),
        "dueat due duedate paymentdue 支払期限 支払期日 期日",
        planned=True,
    ),
    Column(
        "paid_at", Kind.TIME, "when it was paid, if it was", Wording("day of payment", "入金日"),
        "paidat paid paiddate paymentdate 入金日 支払日",
    ),
    Column(
        "amount", Kind.NUMBER, "money invoiced", Wording("money", "金額"), AMOUNT_NAMES + " invoiceamount",
        required=True, money=True,
    ),
    group="payment",
    file_words="invoice billing 請求",
)  # fmt: skip

INVOICES_ISSUED = Stream(
    "invoices.issued",
    _INVOICES,
    RowWords(Wording("invoice", "請求"), Wording("invoices", "請求")),
    time="issued_at",
    numbers=("amount",),
)
INVOICES_DUE = Stream(
    "invoices.due",
    _INVOICES,
    RowWords(Wording("due invoice", "支払期日"), Wording("due invoices", "期日を迎えた請求")),
    time="due_at",
    numbers=("amount",),
)
INVOICES_PAID = Stream(
    "invoices.paid",
    _INVOICES,
    RowWords(Wording("payment", "入金"), Wording("paid invoices", "入金")),
    time="paid_at",
    numbers=("amount", Elapsed("days_late", "due_at", "paid_at", Wording("days late", "遅延日数"))),
)

INVOICES = Declaration(_INVOICES, streams=(INVOICES_ISSUED, INVOICES_DUE, INVOICES_PAID))
