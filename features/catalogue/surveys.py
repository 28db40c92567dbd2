"""Surveys: how likely customers say they are to recommend us."""

from features.catalogue.declaration import Declaration, canonical
from features.engine.streams import Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_SURVEYS = canonical(
    "surveys",
    "an NPS answer",
    "occurred_at",
    Column(
        "occurred_at", Kind.TIME, "when it was given", Wording("day of the answer", "回答日"),
        "answeredat surveydate responsedate 回答日",
        required=True,
    ),
    Column(
        "score", Kind.NUMBER, "0 to 10", Wording("score", "評点"),
        "score nps npsscore rating 点数 スコア 推奨度",
        required=True,
    ),
    group="support",
    file_words="survey nps アンケート",
    by_name=True,
)  # fmt: skip

SURVEYS_ANSWERED = Stream(
    "surveys.answered",
    _SURVEYS,
    RowWords(Wording("survey answer", "アンケート回答"), Wording("survey answers", "アンケート回答")),
    time="occurred_at",
    numbers=("score",),
)

SURVEYS = Declaration(_SURVEYS, streams=(SURVEYS_ANSWERED,))
