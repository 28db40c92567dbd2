"""Assignments: which customers were put in which arm of an experiment."""

from features.catalogue.declaration import Declaration, canonical
from features.engine.streams import Stream
from features.language import Wording
from features.schema import Column, Kind, RowWords

_ASSIGNMENTS = canonical(
    "assignments",
    "a customer put in an arm",
    "assigned_at",
    Column(
        "experiment_id", Kind.ID, "the experiment or campaign", Wording("experiment", "実験"),
        "experiment experimentid test campaign campaignid 実験 実験id 施策id",
        required=True,
    ),
    Column(
        "assigned_at", Kind.TIME, "when the customer was put in the arm",
        Wording("day of assignment", "振り分け日"),
        "assignedat assigned assignmentdate 割付日 割当日",
        required=True,
    ),
    Column(
        "arm", Kind.TEXT, "arm of the experiment; control among them", Wording("arm", "グループ"),
        "arm variant group treatment segment 群 割付群 配信群",
        required=True,
    ),
    Column(
        "propensity", Kind.NUMBER, "probability with which this arm was drawn",
        Wording("propensity", "振り分け確率"),
        "propensity probability 割付確率",
    ),
    group="engagement",
    file_words="assignment experiment 割付 実験",
    # Not without the arm: a customer in two arms must reach the readout, which says so.
    key=("experiment_id", "customer_id", "arm"),
    course=False,
)  # fmt: skip

ASSIGNMENTS_MADE = Stream(
    "assignments.made",
    _ASSIGNMENTS,
    RowWords(Wording("assignment", "振り分け"), Wording("assignments", "振り分け")),
    time="assigned_at",
    texts=("experiment_id", "arm"),
)

ASSIGNMENTS = Declaration(_ASSIGNMENTS, streams=(ASSIGNMENTS_MADE,))
