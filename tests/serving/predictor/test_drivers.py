"""Contract: drivers are the largest contributions, told in words, and every feature has words."""

from typing import get_args

import numpy as np
import pytest

from features.catalogue.phrases import DERIVED, phrases
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import STREAMS
from features.schema import Group
from serving.predictor.drivers import MOST


def test_every_feature_can_be_said():
    said = phrases(PURCHASES)
    assert set(PURCHASES.names) | set(DERIVED) == set(said)
    for name, phrase in said.items():
        for value in (3.0, 0.25, -12.5, None, float("nan"), "steel"):
            text = phrase.say(value, "JPY")
            assert text
            assert "{" not in text
            assert "_" not in text, (name, text)
    assert len({(phrase.noun, phrase.missing) for phrase in said.values()}) == len(said)


def test_every_stream_has_a_group():
    assert {stream.schema.group for stream in STREAMS.values()} <= set(get_args(Group))


@pytest.mark.parametrize(
    ("feature", "value", "text"),
    [
        ("orders_days_since_last_ever", 143.2, "No order for 143 days"),
        ("orders_days_since_last_ever", None, "No order yet"),
        ("orders_count_90d", 12.0, "Number of order lines in the last 90 days: 12"),
        ("orders_amount_sum_ever", 12345.6, "Total money of order lines since the beginning: 12,346 JPY"),
        ("returns_days_since_last_ever", 8.0, "No return for 8 days"),
        ("returns_days_since_last_90d", None, "No return in the last 90 days"),
        ("customers_days_since_first_ever", 800.0, "Account opened 800 days ago"),
        ("customers_industry_last_ever", "steel", "Industry: steel"),
        ("cutoff_month", 3.0, "Month of the year: 3"),
    ],
)
def test_words(feature, value, text):
    assert phrases(PURCHASES)[feature].say(value, "JPY") == text


def test_churn_drivers_are_the_boosters_largest_contributions(world):
    bundle, predictor = world.bundles["churn"], world.predictor
    names = predictor.snapshot.customer_ids(slice(0, 25))
    matrix = predictor.snapshot.matrix(slice(0, 25))
    call = list(bundle.model.calls)[-1]
    fed = bundle.model.inputs(matrix)[call]
    shap = bundle.model.boosters["hazard"].predict(fed, pred_contrib=True)
    np.testing.assert_allclose(
        shap.sum(axis=1), bundle.model.boosters["hazard"].predict(fed, raw_score=True), rtol=1e-6
    )
    for k, each in enumerate(predictor.predict(names, explain=True).predictions):
        if each.drivers is None:
            continue
        order = np.argsort(-np.abs(shap[k, : len(bundle.model.columns)]), kind="stable")[:MOST]
        assert [driver.feature for driver in each.drivers.churn] == [bundle.model.columns[i] for i in order]
        for driver, i in zip(each.drivers.churn, order, strict=True):
            assert driver.effect == ("raises" if shap[k, i] > 0 else "lowers")
            assert driver.text.endswith(f"({driver.effect} the risk of leaving)")


def test_drivers_come_only_when_asked_for(world):
    name = world.predictor.snapshot.customer_ids(slice(1, 2))
    assert world.predictor.predict(name).predictions[0].drivers is None
