"""Statuses: the words by which a file says that a row is no sale, or that it adds others up.

The expressions are RE2's and Python's alike, for texts that are trimmed and in lower case, and must fit the whole text.
"""

from features.values.flags import FALSE_WORDS, TRUE_WORDS
from features.values.lexicon import in_english
from features.values.text import normalise

_NEVER = (
    r"(wc-)?(deleted|trash(ed)?|test|test order|draft|checkout-draft|auto-draft|void(ed)?|incomplete(_expired)?|quote|quotation|estimate|"
    r"duplicate|archived draft|entwurf|gel(ö|oe)scht|angebot|brouillon|devis|supprim[ée]e?|borrador|eliminad[oa]|presupuesto|bozza|preventivo|"
    r"eliminat[oa]|concept|offerte|verwijderd|utkast|udkast)|"
    r"(論理)?削除(済み?)?|テスト(注文|データ)?|下書き|無効|破棄|見積(もり|書)?|作成中|未確定|草稿|已删除|测试|초안|삭제(됨)?|테스트"
)
"""Of what never came about, whatever the table."""

_NO_SALE = (
    rf"{_NEVER}|(wc-)?(cancell?ed|cancel|cancell?ed by .*|cancell?ation|failed|failure|fully[ _-]refunded|refunded|returned|rejected|declined|"
    r"expired|uncollectible|bounced|charge ?back|charged ?back|uncaptured|write-?off|written off|abandoned|reversed|"
    r"stornier(t|ung)|storno|annulliert|abgelehnt|erstattet|retourniert|nicht bezahlbar|annul[ée]e?|annulation|rembours[ée]e?|refus[ée]e?|"
    r"cancelad[oa]|anulad[oa]|reembolsad[oa]|devuelt[oa]|rechazad[oa]|geannuleerd|geretourneerd|terugbetaald|afgewezen|annullat[oa]|rimborsat[oa]|"
    r"rifiutat[oa]|stornat[oa]|makulerad|annullere[td]|annulleret)|"
    r"(已)?(取消|作废|关闭|退款|退货|拒绝)(订单)?|(주문)?(취소|환불|반품|거절)(됨|완료)?|"
    r"(ご?注文|受注|請求|売上|伝票|取引)?(キャンセル|取消し?|取り消し|取りやめ|返品|返金|中止|赤伝|却下|差戻し?|不成立|失注)(済み?|扱い|完了|伝票)?"
)
"""Of orders and invoices that nobody pays, or that were paid back."""

_CREDIT = (
    r"(sales |customer )?credit[ _-]?(note|memo|invoice)s?|crn|g2|refunds?|refund receipts?|(sales )?returns?|"
    r"gutschrift(en)?|rechnungskorrektur|korrekturrechnung|retoure|stornorechnung|avoirs?|facture d.avoir|note de cr[ée]dit|abono|"
    r"(factura )?rectificativa|factura de abono|nota (de|di) (cr[ée]dito|credito|abono)|reso|devoluci[óo]n|credit ?(nota|factuur)|credit(nota|factuur)|"
    r"kreditnota|kreditfaktura|(売上)?(返品|値引き?|赤伝票?|赤|戻り|返金|マイナス)(伝票|処理|売上)?|退货(单)?|红字(发票)?|退款|반품|환입"
)
"""Of documents that take money back, which some systems write above nothing; only where the heading says what kind a row is."""

_CREDIT_SIDE = r"haben|h|credit|cr|c|貸方?"
"""Of the side of the books on which money is taken back; only where the heading says that it tells the side."""

_NO_DOCUMENT_OF_SALE = (
    r"payments?|(customer )?payment|(cash|payment|customer) receipts?|deposit|(sales )?(quote|quotation|estimate|order confirmation)|delivery ?(note|slip)|"
    r"packing slip|pro ?-?forma( invoice)?|zahlung(seingang)?|lieferschein|auftragsbest(ä|ae)tigung|proforma(rechnung)?|mahnung|"
    r"paiement|r[èe]glement|bon de livraison|pago|cobro|albar[áa]n|pagamento|incasso|ddt|bolla|betaling|pakbon|"
    r"入金(伝票)?|前受金?|見積(書|伝票)?|納品書|出荷伝票|収款|收款|입금|견적"
)
"""Of documents that are no sale, beside those that are; only where the heading says what kind a row is."""

CLOSED, COMPLETE = r"closed", r"completed?|shipped|fulfilled|delivered"
"""Where orders are complete when they are done, those that are closed were paid back."""

SUBTOTAL = (
    r"[【\[(（<＜《]?(合計|小計|総計|総合計|累計|月計|年計|日計|期計|計|[0-9]{1,2}月計|.{0,12}(合計|小計|月計|年計|期計)|(sub|grand) ?-?totals?|totals?|sum)"
    r"[】\])）>＞》]?[:：]?"
)
"""Of rows that add up others."""

_STATUS = (
    "status", "ステータス", "状態", "状況", "区分", "伝票種別", "取引種別", "注文種別", "transactiontype", "ordertype", "documenttype", "doctype",
    "recordtype", "orderstate", "invoicestate",
)  # fmt: skip


_KINDS = (
    "type types kind documenttype documentkind doctype transactiontype transactionkind invoicetype billingtype ordertype salestype "
    "vouchertype recordtype entrytype documentclass invoicecategory invoicekind linetype typedocument documentcategory "
    "salesdocumenttype billingdocumenttype customerdocumenttype typeinvoice 伝票区分 伝票種別 伝票種類 取引区分 取引種別 売上区分 売上種別 区分 種別 請求区分 受注区分 明細区分 "
    "書類種別 帳票種別 赤黒区分"
)
_SIDES = "debitcredit creditdebit drcr dc shkzg sollhaben 貸借区分"


def speaks_of_status(heading: str) -> bool:
    """Whether a heading says that its column tells what became of a row.

    Examples:
        >>> [speaks_of_status(name) for name in ("Financial Status", "対応状況(名称)", "Billing State", "state")]
        [True, True, False, True]
    """
    plain = [normalise(heading), normalise(in_english(heading))]
    return "state" in plain or any(word in reading for reading in plain for word in _STATUS)


def speaks_of_kind(heading: str) -> bool:
    """Whether a heading says that its column tells of which kind a document is: a sale, or what takes it back.

    Examples:
        >>> [speaks_of_kind(name) for name in ("Document Type", "Belegart", "伝票区分", "Order Status", "Product type")]
        [True, True, True, False, False]
    """
    return _is_one_of(heading, f"{_KINDS} {_SIDES}")


def credit_words(heading: str) -> str:
    """The expression of what takes money back, under a heading that tells the kind of a document or the side it is on."""
    return f"{_CREDIT}|{_CREDIT_SIDE}" if _is_one_of(heading, _SIDES) else _CREDIT


def _is_one_of(heading: str, words: str) -> bool:
    return bool({normalise(heading), normalise(in_english(heading))} & set(words.split()))


def no_sale(*, lasting: bool, kind: bool = False) -> str:
    """The expression of what tells no sale.

    Args:
        lasting: Whether rows are of contracts or deals: what was cancelled or lost had been one.
        kind: Whether the column tells the kind of a document rather than what became of it.
    """
    if lasting:
        return _NEVER
    return f"{_NO_SALE}|{_NO_DOCUMENT_OF_SALE}" if kind else _NO_SALE


TRUE = TRUE_WORDS | {"x", "削除"}
FALSE = FALSE_WORDS | {"", "-"}

_REMOVED = frozenset(
    [
        "isdeleted",
        "deleted",
        "deletedflag",
        "isvoid",
        "isvoided",
        "void",
        "voided",
        "istest",
        "test",
        "testorder",
        "istestorder",
        "testmode",
        "削除フラグ",
        "削除済",
        "削除区分",
        "テストフラグ",
        "無効フラグ",
    ]
)
_TAKEN_BACK = frozenset(
    [
        "iscancelled",
        "iscanceled",
        "cancelled",
        "canceled",
        "isrefunded",
        "refunded",
        "キャンセルフラグ",
        "取消フラグ",
        "返品フラグ",
    ]
)


def speaks_of_removal(heading: str, *, lasting: bool) -> bool:
    """Whether a heading says that a yes under it takes the row back.

    Args:
        heading: Of a column of yes and no.
        lasting: See ``no_sale``.

    Examples:
        >>> speaks_of_removal("IsDeleted", lasting=True), speaks_of_removal("Cancelled", lasting=True)
        (True, False)
    """
    removed = _REMOVED if lasting else _REMOVED | _TAKEN_BACK
    return normalise(heading) in removed or normalise(in_english(heading)) in removed
