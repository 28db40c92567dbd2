"""Statuses: the words by which a file says that a row is no sale, or that it adds others up.

The expressions are RE2's and Python's alike, for texts that are trimmed and in lower case, and must fit the whole text.
"""

from features.values.text import normalise

_NEVER = (
    r"(wc-)?(deleted|trash(ed)?|test|test order|draft|checkout-draft|auto-draft|void(ed)?|incomplete(_expired)?|quote|quotation|estimate|"
    r"duplicate|archived draft)|"
    r"(論理)?削除(済み?)?|テスト(注文|データ)?|下書き|無効|破棄|見積(もり|書)?|作成中|未確定"
)
"""Of what never came about, whatever the table."""

_NO_SALE = (
    rf"{_NEVER}|(wc-)?(cancell?ed|cancel|cancell?ed by .*|cancell?ation|failed|failure|fully[ _-]refunded|refunded|returned|rejected|declined|"
    r"expired|uncollectible|bounced|charge ?back|charged ?back|uncaptured|write-?off|written off|abandoned|reversed|"
    r"storniert|annulliert|annul[ée]e?|cancelad[oa]|anulad[oa]|geannuleerd|annullato)|"
    r"(ご?注文|受注|請求|売上|伝票|取引)?(キャンセル|取消し?|取り消し|取りやめ|返品|返金|中止|赤伝|却下|差戻し?|不成立|失注)(済み?|扱い|完了|伝票)?"
)
"""Of orders and invoices that nobody pays, or that were paid back."""

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


def speaks_of_status(heading: str) -> bool:
    """Whether a heading says that its column tells what became of a row.

    Examples:
        >>> [speaks_of_status(name) for name in ("Financial Status", "対応状況(名称)", "Billing State", "state")]
        [True, True, False, True]
    """
    plain = normalise(heading)
    return plain == "state" or any(word in plain for word in _STATUS)


def no_sale(*, lasting: bool) -> str:
    """The expression of what tells no sale.

    Args:
        lasting: Whether rows are of contracts or deals: what was cancelled or lost had been one.
    """
    return _NEVER if lasting else _NO_SALE


TRUE = frozenset(("true", "t", "yes", "y", "1", "はい", "有", "○", "削除"))
FALSE = frozenset(("", "false", "f", "no", "n", "0", "いいえ", "無", "×", "-"))

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
    return normalise(heading) in (_REMOVED if lasting else _REMOVED | _TAKEN_BACK)
