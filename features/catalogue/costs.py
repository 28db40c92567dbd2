"""Costs: what it costs to serve a customer, month by month."""

from features.catalogue.declaration import AMOUNT_NAMES, Declaration, canonical
from features.engine.streams import Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_COSTS = canonical(
    "costs",
    "cost to serve, a row a month",
    "occurred_at",
    Column(
        "occurred_at", Kind.TIME, "the month, by its first day", Wording("month", "計上月"),
        "month costdate 対象月 計上月",
        required=True,
    ),
    Column(
        "amount", Kind.NUMBER, "money", Wording("money", "金額"),
        AMOUNT_NAMES + " cost servicecost 費用 コスト",
        required=True, money=True,
    ),
    group="payment",
    file_words="cost 費用 コスト",
    by_name=True,
)  # fmt: skip

COSTS_BOOKED = Stream(
    "costs.booked",
    _COSTS,
    RowWords(Wording("cost", "費用"), Wording("costs", "費用")),
    time="occurred_at",
    numbers=("amount",),
)

COSTS = Declaration(_COSTS, streams=(COSTS_BOOKED,))
