"""Tickets: what support was asked for, and how it ended."""

from features.catalogue.declaration import Declaration, canonical
from features.engine.streams import Elapsed, Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_TICKETS = canonical(
    "tickets",
    "a support case",
    "opened_at",
    Column(
        "opened_at", Kind.TIME, "when the case was opened", Wording("day of opening", "受付日"),
        "openedat opened createdat created createddate submittedat submitted reportedat requestedat ticketcreatedat 作成日時 受付日時 問い合わせ日時 起票日 受付日 問い合わせ日 問合せ日 発生日",
        required=True,
    ),
    Column(
        "closed_at", Kind.TIME, "when it was closed, if it was", Wording("day of closing", "対応完了日"),
        "closedat closed resolvedat solvedat closeddate resolutiondate completedat 完了日 解決日 対応完了日 クローズ日",
    ),
    Column(
        "severity", Kind.NUMBER, "1 (question) to 4 (outage)", Wording("severity", "深刻度"),
        "severity priority 重要度 深刻度 優先度",
    ),
    Column(
        "category", Kind.TEXT, "kind of case", Wording("category", "分類"),
        "category topic type 分類 カテゴリ 種別",
    ),
    Column(
        "complaint", Kind.FLAG, "whether it was a complaint", Wording("complaint", "クレーム"),
        "complaint iscomplaint escalation escalationflag クレーム 苦情",
    ),
    Column(
        "satisfaction", Kind.NUMBER, "rating after closing, 1 to 5", Wording("satisfaction", "満足度"),
        "satisfaction satisfactionscore satisfactionrating csat rating 満足度",
    ),
    group="support",
    file_words="ticket case support 問い合わせ 問合せ サポート",
)  # fmt: skip

TICKETS_OPENED = Stream(
    "tickets.opened",
    _TICKETS,
    RowWords(Wording("ticket", "問い合わせ"), Wording("tickets", "問い合わせ")),
    time="opened_at",
    numbers=("severity", "complaint"),
    texts=("category",),
)
TICKETS_CLOSED = Stream(
    "tickets.closed",
    _TICKETS,
    RowWords(Wording("closed ticket", "対応完了"), Wording("closed tickets", "対応済みの問い合わせ")),
    time="closed_at",
    numbers=(
        "severity",
        "satisfaction",
        Elapsed("days_to_close", "opened_at", "closed_at", Wording("days to close", "対応日数")),
    ),
    texts=("category",),
)

TICKETS = Declaration(_TICKETS, streams=(TICKETS_OPENED, TICKETS_CLOSED))
