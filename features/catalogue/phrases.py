"""Phrases: what a feature and its value say, in plain English and in plain business Japanese.

The words of tables, rows and columns are declared with the tables; here are those of the aggregations,
and how both are put together.
"""

import math
from dataclasses import dataclass
from typing import Literal

from features.aggregations.extremes import Max, Min
from features.aggregations.moments import Count, Mean, Std, Sum
from features.aggregations.recency import (
    ActiveDays,
    DaysSinceFirst,
    DaysSinceLast,
    First,
    Last,
    MeanGap,
    StdGap,
)
from features.aggregations.trends import Ratio, Slope, Trend
from features.aggregations.variety import DistinctCount, TopShare
from features.engine.aggregation import Aggregation
from features.engine.views import Calendar, FeatureSet, FeatureView
from features.engine.windows import Window
from features.language import Language, Wording
from features.schema import Group, Kind

Form = Literal["number", "money", "share", "silence", "ago"]
"""How a value is said: ``silence`` is days without, ``ago`` days since."""

_DERIVED: dict[str, tuple[Wording, Form]] = {
    "bgnbd_purchases": (
        Wording("Purchase days the buying rhythm lets expect", "購買ペースから見込まれる購入日数"),
        "number",
    ),
    "gamma_spend": (
        Wording("Money a purchase day is expected to bring", "購入1日あたりに見込まれる金額"),
        "money",
    ),
    "bgnbd_value": (
        Wording("Money the buying rhythm lets expect", "購買ペースから見込まれる金額"),
        "money",
    ),
    "bgnbd_alive": (
        Wording(
            "Probability of still being a customer, by the buying rhythm", "購買ペースから見た取引継続の確率"
        ),
        "share",
    ),
    "recency_share": (
        Wording(
            "Share of the time since the first order that lies before the last",
            "初回注文からの期間のうち最終注文までの割合",
        ),
        "share",
    ),
}
DERIVED = tuple(_DERIVED)
"""Columns the purchase model adds for the boosters."""

_CALENDAR = dict(
    zip(
        Calendar().names,
        (
            Wording("Month of the year", "基準日の月"),
            Wording("Quarter of the year", "基準日の四半期"),
            Wording("Day of the week, 1 is Monday", "基準日の曜日（1が月曜日）"),
        ),
        strict=True,
    )
)

# {when} is the window, {yet} and {limit} the same where all of history is said otherwise or not at all. Japanese
# says {of} before a noun, {during} before a verb. {theirs} is the column as that of the rows.
_AGGREGATIONS: dict[type[Aggregation], Wording] = {
    Count: Wording("Number of {rows} {when}", "{of}{rows}の件数"),
    ActiveDays: Wording("Days with {rows} {when}", "{during}{row}のあった日数"),
    DistinctCount: Wording("Different {columns} {when}", "{during}{row}のあった{column}の数（重複なし）"),
    TopShare: Wording(
        "Share of the most frequent {column} in {rows} {when}", "{of}{rows}に占める最も多い{column}の割合"
    ),
    Sum: Wording("Total {column} of {rows} {when}", "{of}{theirs}の合計"),
    Mean: Wording("Average {column} of {rows} {when}", "{of}{rows}の平均{column}"),
    Std: Wording("Spread of {column} of {rows} {when}", "{of}{rows}の{column}のばらつき"),
    Min: Wording("Smallest {column} of {rows} {when}", "{of}{rows}の最小{column}"),
    Max: Wording("Largest {column} of {rows} {when}", "{of}{rows}の最大{column}"),
    MeanGap: Wording("Average days between {rows} {when}", "{of}{row}間隔の平均日数"),
    StdGap: Wording("Spread of the days between {rows} {when}", "{of}{row}間隔のばらつき（日数）"),
    First: Wording("{Column} of the first of the {rows} {limit}", "{within}最初の{rows}の{column}"),
    Last: Wording("{Column} of the latest of the {rows} {limit}", "{within}最後の{rows}の{column}"),
    Trend: Wording(
        "Trend of {column} of {rows} {when}, recent half against earlier half",
        "{of}{theirs}の増減（前半と後半の比較）",
    ),
    Slope: Wording("Change of {column} of {rows} a day {when}", "{of}{rows}の{column}の1日あたりの変化"),
    DaysSinceFirst: Wording("First {row}", "{within}初回{row}からの経過日数"),
    DaysSinceLast: Wording("No {row}", "{within}最終{row}からの経過日数"),
}
# Ids of the rows themselves are not kinds of something: different orders are the number of orders.
_OWN_IDS = Wording("Different {columns} {when}", "{of}{row}数")
_RATIO = Wording(
    "{what}, last {short} days as a share of the last {long}",
    "{what}（直近{long}日に占める直近{short}日の割合）",
)
_TITLES: dict[type[Aggregation], Wording] = {
    DaysSinceFirst: Wording("Days since the first {row} {limit}", "{within}初回{row}からの経過日数"),
    DaysSinceLast: Wording("Days since the last {row} {limit}", "{within}最終{row}からの経過日数"),
}
_ALONE = Wording("{Column}", "{column}")
_OPENED = Wording("{Row} opened", "{row}登録からの経過日数")
_OPENED_TITLE = Wording("Days since the {row} was opened", "{row}登録からの経過日数")
_NEVER_OPENED = Wording("Day the {row} was opened: not known", "{row}の登録日：不明")
_NOTHING = Wording("No {row} {yet}", "{during}{row}なし")
_FORMS: dict[type[Aggregation], Form] = {
    TopShare: "share",
    Trend: "share",
    DaysSinceLast: "silence",
    DaysSinceFirst: "ago",
}
_UNKNOWN = Wording("{noun}: not known", "{noun}：不明")
_TOLD = Wording("{noun}: {value}", "{noun}：{value}")
_VALUES: dict[Form, Wording] = {
    "silence": Wording("{noun} for {value} days", "{noun}：{value}日"),
    "ago": Wording("{noun} {value} days ago", "{noun}：{value}日"),
    "share": _TOLD,
    "money": Wording("{noun}: {value} {currency}", "{noun}：{value} {currency}"),
    "number": _TOLD,
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """How a feature is said.

    Args:
        noun: What it is, before a value.
        form: How its value is said.
        group: What it is about.
        title: What it is, without a value.
        missing: What no value means, where it means more than that it is not known.
        language: Of the words.
    """

    noun: str
    form: Form
    group: Group
    title: str
    missing: str = ""
    language: Language = "en"

    def say(self, value: float | str | None, currency: str) -> str:
        """The feature with its value.

        Args:
            value: Text for a categorical feature; None where it is unknown.
            currency: Of money.
        """
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return self.missing or _UNKNOWN[self.language].format(noun=self.noun)
        if isinstance(value, str):
            return _TOLD[self.language].format(noun=self.noun, value=value)
        shown = f"{value:,.0f}"
        if self.form == "share":
            shown = f"{value:.0%}"
        elif self.form == "number" and value != round(value):
            shown = f"{value:,.3g}"
        return _VALUES[self.form][self.language].format(noun=self.noun, value=shown, currency=currency)


def phrases(features: FeatureSet, language: Language = "en") -> dict[str, Phrase]:
    """A phrase for each feature, and for what the purchase model derives from them."""
    said = {name: _plain(words, form, "purchasing", language) for name, (words, form) in _DERIVED.items()}
    for view in features.views:
        if isinstance(view, Calendar):
            said |= {name: _plain(_CALENDAR[name], "number", "season", language) for name in view.names}
            continue
        for aggregation in view.aggregations:
            names = view.names_of(aggregation)
            if isinstance(aggregation, Ratio):
                said[names[0]] = _ratio(view, aggregation, language)
                continue
            for name, window in zip(names, view.windows, strict=True):
                said[name] = _phrase(view, aggregation, window, language)
    return said


def _plain(words: Wording, form: Form, group: Group, language: Language) -> Phrase:
    noun = words[language]
    return Phrase(noun, form, group, noun, language=language)


def _ratio(view: FeatureView, ratio: Ratio, language: Language) -> Phrase:
    what = _filled(_words(view, ratio.of), view, ratio.of, None, language)
    noun = _RATIO[language].format(what=what, short=ratio.short.days, long=ratio.long.days)
    return Phrase(noun, "share", view.stream.schema.group, noun, language=language)


def _phrase(view: FeatureView, aggregation: Aggregation, window: Window, language: Language) -> Phrase:
    group, form = view.stream.schema.group, _form(view, aggregation)
    noun = _filled(_words(view, aggregation), view, aggregation, window, language)
    if type(aggregation) not in _TITLES:
        return Phrase(noun, form, group, noun, language=language)
    title, nothing = _TITLES[type(aggregation)], _NOTHING
    if _opens(view, aggregation):
        title, nothing = _OPENED_TITLE, _NEVER_OPENED
    # Nothing in the window is a fact about the customer, not a gap in the data.
    called, missing = (_filled(words, view, aggregation, window, language) for words in (title, nothing))
    return Phrase(noun, form, group, called, missing, language)


def _words(view: FeatureView, aggregation: Aggregation) -> Wording:
    rows = view.stream.rows
    if _opens(view, aggregation):
        return _OPENED
    if rows.describe and isinstance(aggregation, First | Last):
        return _ALONE
    if isinstance(aggregation, DistinctCount) and _called(view, aggregation) == rows.one:
        return _OWN_IDS
    return _AGGREGATIONS[type(aggregation)]


def _opens(view: FeatureView, aggregation: Aggregation) -> bool:
    """Whether it tells when the customer began to be one."""
    return view.stream.rows.describe and isinstance(aggregation, DaysSinceFirst)


def _form(view: FeatureView, aggregation: Aggregation) -> Form:
    if type(aggregation) in _FORMS:
        return _FORMS[type(aggregation)]
    if isinstance(aggregation, Mean) and view.stream.column(aggregation.column).kind is Kind.FLAG:
        return "share"
    return "money" if any(view.stream.column(name).money for name in aggregation.columns) else "number"


def _called(view: FeatureView, aggregation: Aggregation) -> Wording:
    return view.stream.column(aggregation.columns[0]).called if aggregation.columns else Wording("", "")


def _filled(
    words: Wording, view: FeatureView, aggregation: Aggregation, window: Window | None, language: Language
) -> str:
    rows, column = view.stream.rows, _called(view, aggregation)[language]
    row, many = rows.one[language], rows.many[language]
    # In Japanese a noun of two characters makes one word with what it is of, a longer one does not.
    theirs = f"{row}{column}" if many.startswith(row) and len(column) <= 2 else f"{many}の{column}"
    text = words[language].format(
        row=row,
        Row=row.capitalize(),
        rows=many,
        column=column,
        Column=column[:1].upper() + column[1:],
        columns=f"{column[:-1]}ies" if column.endswith("y") else f"{column}s",
        theirs=theirs,
        **_window(window),
    )
    return text.strip()


def _window(window: Window | None) -> dict[str, str]:
    if window is None:
        return dict.fromkeys(("when", "yet", "limit", "of", "during", "within"), "")
    if window.days is None:
        ever = {"when": "since the beginning", "yet": "yet", "limit": ""}
        return ever | {"of": "これまでの", "during": "これまでに", "within": ""}
    last, lately = f"in the last {window.days} days", f"直近{window.days}日"
    return {
        "when": last, "yet": last, "limit": last, "of": f"{lately}の", "during": f"{lately}に", "within": f"{lately}の",
    }  # fmt: skip
