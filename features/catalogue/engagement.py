"""Engagement: touches between us and the customer."""

from features.catalogue.declaration import Declaration, canonical
from features.engine.streams import Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_ENGAGEMENT = canonical(
    "engagement",
    "a touch",
    "occurred_at",
    Column(
        "occurred_at", Kind.TIME, "when it happened", Wording("day of the touch", "実施日"),
        "eventdate sentat eventtime 実施日 送信日",
        required=True,
    ),
    Column(
        "kind", Kind.TEXT, "email_sent, email_opened, email_clicked, seminar or web_visit",
        Wording("kind", "種別"),
        "kind event eventtype action type channel 種別 種類 行動",
        required=True,
    ),
    Column(
        "campaign_id", Kind.ID, "campaign it belongs to", Wording("campaign", "施策"),
        "campaign campaignid campaignname キャンペーン キャンペーンid 施策id",
    ),
    group="engagement",
    file_words="engagement email touch 接点 メール",
)  # fmt: skip

ENGAGEMENT_TOUCHED = Stream(
    "engagement.touched",
    _ENGAGEMENT,
    RowWords(Wording("touch", "接点"), Wording("touches", "接点")),
    time="occurred_at",
    texts=("kind", "campaign_id"),
)

ENGAGEMENT = Declaration(_ENGAGEMENT, streams=(ENGAGEMENT_TOUCHED,))
