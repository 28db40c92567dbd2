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
        "invoice_id", Kind.ID, "the invoice", Wording("invoice", "請求書"),
        "invoiceid invoiceno num id documentno invoicenumber invoice number documentnumber 請求書番号 請求番号 請求書id 伝票番号",
    ),
    Column(
        "issued_at", Kind.TIME, "when it was issued", Wording("day of issue", "請求日"),
        "issuedat issued issuedate date dateutc invoicedateutc transactiondate createddateutc createdutc createddate invoicedon 発行日付 請求日付 請求締日 締日 締め日 請求年月日 invoicedate billedat billingdate 請求日 発行日",
        required=True,
    ),
    Column(
        "due_at", Kind.TIME, "when it falls due", Wording("due date", "支払期日"),
        "dueat due duedate duedateutc dueon お支払期限 入金期日 回収予定日 入金予定日 支払予定日 お支払期日 振込期限 入金期限 支払期限日  paymentdue 支払期限 支払期日 期日",
        required=True, planned=True,
    ),
    Column(
        "paid_at", Kind.TIME, "when it was paid, if it was", Wording("day of payment", "入金日"),
        "paid paidat paiddate paidatutc paidon  paymentdate 入金日 支払日",
    ),
    Column(
        "amount", Kind.NUMBER, "money invoiced", Wording("money", "金額"), "今回請求額 今回御請求額 ご請求額 御請求額 ご請求金額 御請求金額 当月請求額 invoiceamount invoicetotal total totalamount grandtotal 請求合計金額 合計請求額 合計金額 請求金額 合計 " + AMOUNT_NAMES + " amountdue totalamountdue 小計 subtotal",
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
