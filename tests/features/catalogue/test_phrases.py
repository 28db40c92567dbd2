"""Contract: every feature is said in both languages, no two alike; the English of the API stays as it is."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

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
from features.catalogue.phrases import DERIVED, phrases
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import DECLARED, STREAMS, TABLES
from features.engine.aggregation import Aggregation
from features.engine.views import FeatureSet, FeatureView
from features.engine.windows import EVER, days
from features.language import LANGUAGES

FROZEN = Path(__file__).with_name("phrases.en.tsv")
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
OF_ROWS = (Count, ActiveDays, DaysSinceFirst, DaysSinceLast, MeanGap, StdGap)
OF_NUMBERS = (Sum, Mean, Std, Min, Max, First, Last, Slope, Trend)
OF_TEXTS = (DistinctCount, TopShare, First, Last)


def everything():
    """A feature set with every aggregation of every column of every stream."""
    views = []
    for stream in STREAMS.values():
        texts = dict.fromkeys(stream.texts, OF_TEXTS)
        numbers = {
            number if isinstance(number, str) else number.name: OF_NUMBERS for number in stream.numbers
        }
        made = [kind() for kind in OF_ROWS]
        made += [kind(name) for name, kinds in (numbers | texts).items() for kind in kinds]
        prefix = stream.name.replace(".", "_")
        views.append(FeatureView(stream, tuple(made), days(90, 365), prefix))
        lasting = tuple(aggregation for aggregation in made if not isinstance(aggregation, Trend))
        views.append(FeatureView(stream, lasting, (EVER,), prefix))
        shares = tuple(Ratio(of, *days(30, 180)) for of in (Count(), *(Sum(name) for name in numbers)))
        views.append(FeatureView(stream, shares, prefix=prefix))
    return FeatureSet("everything", tuple(views))


def test_english_is_what_the_api_has_always_said():
    said = phrases(PURCHASES)
    with FROZEN.open(encoding="utf-8", newline="") as file:
        frozen = {name: tuple(rest) for name, *rest in csv.reader(file, delimiter="\t")}
    told = {name: (p.noun, p.form, p.group, p.missing) for name, p in said.items()}
    assert {name: words if words[-1] else words[:-1] for name, words in told.items()} == frozen


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feature_has_a_title_of_its_own(language):
    said = phrases(PURCHASES, language)
    assert set(said) == {*PURCHASES.names, *DERIVED}
    titles = [phrase.title for phrase in said.values()]
    assert len(set(titles)) == len(titles)
    for phrase in said.values():
        assert not re.search(r"[{}_]|  ", phrase.title + phrase.noun + phrase.missing)
        if language == "en":
            assert phrase.title.isascii()
        else:
            assert not re.search(r"[A-Za-z]", phrase.title)
            assert JAPANESE.search(phrase.title)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_view_may_compute_of_any_table_can_be_said(language):
    features = everything()
    for name, phrase in phrases(features, language).items():
        assert phrase.title, name
        assert not re.search(r"[{}_]|  |のの|^の", phrase.title + phrase.say(3.0, "JPY")), (name, phrase)


def test_every_aggregation_is_among_them():
    shipped = (kind for kind in Aggregation.__subclasses__() if kind.__module__.startswith("features."))
    # By name: a dataclass with slots leaves the class it was made from behind.
    assert {kind.__name__ for kind in (*OF_ROWS, *OF_NUMBERS, *OF_TEXTS, Ratio)} == {
        kind.__name__ for kind in shipped
    }


def test_groups_are_those_of_the_tables():
    said = phrases(PURCHASES)
    for declared in DECLARED:
        for view in declared.views:
            assert {said[name].group for name in view.names} == {TABLES[view.stream.table].group}


@pytest.mark.parametrize(
    ("feature", "value", "text"),
    [
        ("orders_active_days_ever", 12.0, "これまでに注文のあった日数：12"),
        ("orders_days_since_last_ever", 143.2, "最終注文からの経過日数：143日"),
        ("orders_days_since_last_ever", None, "これまでに注文なし"),
        ("returns_days_since_last_90d", None, "直近90日に返品なし"),
        ("orders_amount_sum_90d", 12345.6, "直近90日の注文金額の合計：12,346 JPY"),
        ("orders_order_id_distinct_365d", 4.0, "直近365日の注文数：4"),
        ("orders_margin_sum_30d", None, "直近30日の注文明細の限界利益の合計：不明"),
        ("orders_count_ratio_30d_180d", 0.25, "注文明細の件数（直近180日に占める直近30日の割合）：25%"),
        ("customers_industry_last_ever", "製造業", "業種：製造業"),
        ("customers_days_since_first_ever", 800.0, "取引先登録からの経過日数：800日"),
        ("cutoff_month", 3.0, "基準日の月：3"),
    ],
)
def test_japanese(feature, value, text):
    assert phrases(PURCHASES, "ja")[feature].say(value, "JPY") == text


def test_a_bound_part_is_said_like_the_whole():
    part = replace(PURCHASES, views=PURCHASES.views[1:3])
    whole = phrases(PURCHASES)
    assert all(phrase == whole[name] for name, phrase in phrases(part).items())
