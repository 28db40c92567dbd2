"""Usage: how much of the product is used, day by day."""

from features.catalogue.declaration import Declaration, canonical
from features.engine.streams import Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_USAGE = canonical(
    "usage",
    "a day of product use",
    "occurred_at",
    Column(
        "occurred_at", Kind.TIME, "the day of use", Wording("day of use", "利用日"),
        "usagedate activitydate eventdate logdate loggedat 利用日 使用日",
        required=True,
    ),
    Column(
        "feature", Kind.TEXT, "function or module used", Wording("feature", "機能"),
        "feature featurename module modulename function 機能 機能名",
    ),
    Column(
        "events", Kind.NUMBER, "events on the day", Wording("events", "操作回数"),
        "events usageevents eventcount uses usagecount actions 利用回数 操作数 イベント数",
        required=True,
    ),
    Column(
        "active_users", Kind.NUMBER, "distinct users on the day", Wording("active users", "利用者数"),
        "activeusers dau users アクティブユーザー数 利用者数",
    ),
    Column(
        "quota_share", Kind.NUMBER, "share of the contracted quota used, 0 to 1 and above",
        Wording("quota share", "利用枠消化率"),
        "quotashare quota utilization utilisation 利用率",
    ),
    group="usage",
    file_words="usage activity 利用 ログ",
)  # fmt: skip

USAGE_LOGGED = Stream(
    "usage.logged",
    _USAGE,
    RowWords(Wording("use", "利用"), Wording("days of use", "利用日")),
    time="occurred_at",
    numbers=("events", "active_users", "quota_share"),
    texts=("feature",),
)

USAGE = Declaration(_USAGE, streams=(USAGE_LOGGED,))
