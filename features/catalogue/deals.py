"""Deals: sales opportunities, opened and closed."""

from features.catalogue.declaration import AMOUNT_NAMES, PRODUCT_NAMES, Declaration, canonical
from features.engine.streams import Elapsed, Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_DEALS = canonical(
    "deals",
    "a sales opportunity",
    "opened_at",
    Column(
        "deal_id", Kind.ID, "the deal", Wording("deal", "商談"),
        "dealid opportunityid recordid id opportunity 案件id レコード番号 商談id 商談番号 案件番号 案件id",
    ),
    Column(
        "product_id", Kind.ID, "what is offered", Wording("product", "商品"), PRODUCT_NAMES,
    ),
    Column(
        "opened_at", Kind.TIME, "when it was opened", Wording("day of opening", "商談開始日"),
        "openedat opened createdat created createddate createdate engagedate opendate addtime 商談開始日 作成日",
        required=True,
    ),
    Column(
        "closed_at", Kind.TIME, "when it was won or lost, if it was", Wording("day of closing", "商談終了日"),
        "closedat closed closedate closeddate actualclosedate wontime wondate 完了日 クローズ日 受注日 成約日 完了予定日 受注予定日 見込み時期 見込時期 見込日",
    ),
    Column(
        "stage", Kind.TEXT, "stage at the row's date", Wording("stage", "段階"),
        "stage phase status pipelinestage 確度  dealstage stagename opportunitystage フェーズ ステージ 商談段階",
    ),
    Column(
        "kind", Kind.TEXT, "new, renewal, upsell or cross-sell", Wording("kind", "種別"),
        "kind type dealtype opportunitytype  種別 商談種別",
    ),
    Column(
        "amount", Kind.NUMBER, "expected money", Wording("money", "金額"), "dealamount closevalue dealvalue opportunityamount " + AMOUNT_NAMES + " 小計",
        money=True,
    ),
    Column(
        "won", Kind.FLAG, "whether it was won; empty while open", Wording("won", "受注"),
        "won iswon isclosedwon  成約 受注",
    ),
    group="purchasing",
    file_words="deal opportunit pipeline 商談 案件",
)  # fmt: skip

DEALS_OPENED = Stream(
    "deals.opened",
    _DEALS,
    RowWords(Wording("deal", "商談"), Wording("deals", "商談")),
    time="opened_at",
    numbers=("amount",),
    texts=("kind",),
)
DEALS_CLOSED = Stream(
    "deals.closed",
    _DEALS,
    RowWords(Wording("closed deal", "商談終了"), Wording("closed deals", "終了した商談")),
    time="closed_at",
    numbers=(
        "amount",
        "won",
        Elapsed("days_to_close", "opened_at", "closed_at", Wording("days to close", "商談日数")),
    ),
    texts=("kind",),
)

DEALS = Declaration(_DEALS, streams=(DEALS_OPENED, DEALS_CLOSED))
