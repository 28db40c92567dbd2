"""Both languages have the same texts with the same fields, and features and reasons read as words."""

import string

import numpy as np
import pytest

from evaluation.effects.effect import mean_effect
from evaluation.reports.words import Words, metric_parts, output_days, texts
from features.errors import ExperimentError
from features.language import LANGUAGES


@pytest.mark.parametrize("page", ["card", "experiment", "beforeafter"])
def test_languages_have_the_same_texts_with_the_same_fields(page):
    english, japanese = (texts(lang, page) for lang in LANGUAGES)
    assert english.keys() == japanese.keys()

    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key in english:
        assert fields(english[key]) == fields(japanese[key]), key


@pytest.mark.parametrize("page", ["card", "experiment", "beforeafter"])
def test_japanese_has_no_half_width_brackets_and_no_word_for_statisticians_alone(page):
    for key, text in texts("ja", page).items():
        if key.startswith(("tables.", "columns.", "aggregations.", "features.", "derived.")):
            continue
        avoided = (
            "割り付け",
            "群",
            "どちらとも言えない",
            "本物",
            "押さえ",
            "交差適合",
            "半数抽出",
            "二重頑健",
        )
        assert not [word for word in avoided if word in text], key
        assert not [letter for letter in text if "\uff61" <= letter <= "\uff9f"], key


def test_outputs_and_metrics_are_taken_apart():
    assert output_days("churn_30d") == 30
    assert metric_parts("auc_churn_30d") == ("auc", "churn_30d")
    assert metric_parts("spearman") == ("spearman", "")


def raised(values, treated):
    with pytest.raises(ExperimentError) as error:
        mean_effect(np.asarray(values, float), np.asarray(treated, bool))
    return str(error.value)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("alike", lambda: raised(np.ones(400), np.arange(400) % 2)),
        ("few", lambda: raised(np.arange(10), np.arange(10) % 2)),
    ],
)
def test_the_usual_reasons_are_told_in_the_language_of_the_page(reason, message):
    told = message()
    assert Words("en", page="experiment").reason(told) == (told, True)
    assert Words("ja", page="experiment").reason(told) == (
        texts("ja", "experiment")[f"reasons.{reason}"],
        True,
    )
    assert Words("ja", page="experiment").reason("something else") == ("something else", False)
