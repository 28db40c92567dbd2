"""Contracts: terms that were agreed, given notice of, and ended."""

from features.catalogue.declaration import PRODUCT_NAMES, Declaration, canonical
from features.engine.streams import Elapsed, Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_CONTRACTS = canonical(
    "contracts",
    "a term of a contract",
    "starts_at",
    Column(
        "contract_id", Kind.ID, "the contract; terms of one contract share it", Wording("contract", "契約"),
        "contractid contractno contractnumber subscriptionid contract subscription id 契約id 契約番号 契約",
        required=True,
    ),
    Column(
        "product_id", Kind.ID, "what is contracted", Wording("product", "商品"),
        PRODUCT_NAMES + " plan planid planname planamount plantier planprice planproduct currentplan プラン プラン名 契約プラン",
    ),
    Column(
        "starts_at", Kind.TIME, "first day of the term", Wording("first day", "契約開始日"),
        "start startat startdate startutc startsat currenttermstart activatedat activateddate startedonutc startedat contractstart validfrom begins 開始日 契約開始日 利用開始日",
        required=True, planned=True,
    ),
    Column(
        "ends_at", Kind.TIME, "first day after the term; empty: runs on", Wording("last day", "契約終了日"),
        "end endat enddate endedatutc endsat currenttermend  endedat contractend validto expires expirydate renewaldate 終了日 契約終了日 満了日 更新日",
        planned=True,
    ),
    Column(
        "billing_months", Kind.NUMBER, "months from one invoice to the next; 1 where it is not bound",
        Wording("months between invoices", "請求間隔（月数）"),
        "billingmonths billinginterval intervalmonths 請求間隔 請求サイクル 支払サイクル",
    ),
    Column(
        "renews", Kind.FLAG, "whether the term renews by itself", Wording("renewal by itself", "自動更新"),
        "renews autorenew autorenewflag autorenewal renewsautomatically 自動更新 自動更新有無",
    ),
    Column(
        "cancelled_at", Kind.TIME, "when notice was given, if it was", Wording("day of notice", "解約通知日"),
        "cancelled canceled canceledatutc cancelledat canceledat cancellationdate churndate churnedat 解約日 解約通知日",
    ),
    Column(
        "monthly_amount", Kind.NUMBER, "money a month", Wording("monthly amount", "月額"),
        "monthlyamount mrr mrramount monthlyrevenue monthlyrecurringrevenue monthlyprice monthlyfee 月額 月額料金 月額金額",
        required=True, money=True,
    ),
    Column(
        "seats", Kind.NUMBER, "contracted seats", Wording("seats", "席数"),
        "seats licenses licences users planquantity quantity 席数 ライセンス数 利用者数",
    ),
    group="payment",
    file_words="contract subscription 契約",
    key=("contract_id", "starts_at"),
)  # fmt: skip

_TERM = ("monthly_amount", "seats")

CONTRACTS_STARTED = Stream(
    "contracts.started",
    _CONTRACTS,
    RowWords(Wording("contract", "契約"), Wording("contract terms", "契約")),
    time="starts_at",
    numbers=(
        *_TERM,
        Elapsed("term_days", "starts_at", "ends_at", Wording("days of the term", "日数")),
    ),
    texts=("contract_id", "product_id"),
)
CONTRACTS_CANCELLED = Stream(
    "contracts.cancelled",
    _CONTRACTS,
    RowWords(Wording("cancellation", "解約"), Wording("cancelled terms", "解約")),
    time="cancelled_at",
    numbers=_TERM,
    texts=("product_id",),
)
CONTRACTS_ENDED = Stream(
    "contracts.ended",
    _CONTRACTS,
    RowWords(Wording("end of a contract", "契約満了"), Wording("ended terms", "契約満了")),
    time="ends_at",
    numbers=_TERM,
    texts=("contract_id", "product_id"),
)

CONTRACTS = Declaration(_CONTRACTS, streams=(CONTRACTS_STARTED, CONTRACTS_CANCELLED, CONTRACTS_ENDED))
