"""Breakdowns say what a group-by says, lose no row, and can be written as JSON."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.bootstrap import bootstrap
from evaluation.metrics import log_loss, mean_actual, normalised_gini
from evaluation.reports.card.breakdown import OTHER, by_decile, by_segment, tenths
from features.errors import TrainingDataError
from tests.evaluation.cards import churn_card, ltv_card


@pytest.fixture(scope="module")
def ltv():
    return ltv_card()


@pytest.fixture(scope="module")
def churn():
    return churn_card()


def frame(card, k=0):
    labels = card.segments["industry"]
    return pd.DataFrame({"y": card.actual[:, k], "p": card.prediction[:, k], "s": labels})


def test_segments_are_a_group_by(ltv):
    found = by_segment(ltv, ltv.segments["industry"])
    expected = frame(ltv).groupby("s").agg(rows=("y", "size"), y=("y", "mean"), p=("p", "mean"))
    named = [record for record in found if record["pooled"] == 1]
    assert len(named) == 12
    for record in named:
        group = expected.loc[record["segment"]]
        assert record["rows"] == group["rows"]
        assert record["actual"] == pytest.approx(group["y"])
        assert record["predicted"] == pytest.approx(group["p"])
        assert record["ratio"] == pytest.approx(group["p"] / group["y"])
    assert [record["rows"] for record in named] == sorted(expected["rows"], reverse=True)[:12]


def test_small_segments_are_pooled_last_and_no_row_is_lost(ltv):
    data = frame(ltv)
    found = by_segment(ltv, ltv.segments["industry"])
    rest = found[-1]
    pooled = data[~data["s"].isin([record["segment"] for record in found[:-1]])]
    assert (rest["segment"], rest["pooled"]) == (OTHER, pooled["s"].nunique())
    assert rest["actual"] == pytest.approx(pooled["y"].mean())
    assert sum(record["rows"] for record in found) == len(data)


@pytest.mark.parametrize(("kinds", "shown"), [(12, 12), (13, 13), (14, 13)])
def test_a_rest_of_one_segment_keeps_its_name(ltv, kinds, shown):
    labels = np.array([f"s{i % kinds}" for i in range(len(ltv.actual))], object)
    found = by_segment(ltv, labels)
    assert len(found) == shown
    assert (found[-1]["pooled"] > 1) == (kinds > 13)


def test_metric_of_a_segment_has_a_bootstrap_interval_from_50_rows_on(ltv):
    labels = np.full(len(ltv.actual), "large", object)
    labels[:50], labels[50:99] = "fifty", "fewer"
    large, fifty, fewer = by_segment(ltv, labels)
    y, p = ltv.actual[:50, 0], ltv.prediction[:50, 0]
    expected = bootstrap({"g": normalised_gini}, y, p)["g"]
    assert (fifty["value"], fifty["low"], fifty["high"]) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert large["value"] is not None
    assert (fewer["value"], fewer["low"], fewer["high"]) == (None, None, None)


def test_each_output_of_a_segment_has_a_record(churn):
    found = by_segment(churn, churn.segments["industry"])
    assert [record["output"] for record in found[:2]] == list(churn.outputs)
    largest = frame(churn, 1)
    largest = largest[largest["s"] == found[1]["segment"]]
    assert found[1]["actual"] == pytest.approx(largest["y"].mean())
    assert found[1]["value"] == pytest.approx(log_loss(largest["y"], largest["p"]))


def test_one_label_a_row(ltv):
    with pytest.raises(TrainingDataError, match="one a row"):
        by_segment(ltv, np.array(["a"], object))


def test_deciles_are_a_group_by_of_quantiles(ltv):
    data = frame(ltv)
    data["decile"] = 10 - pd.qcut(data["p"], 10, labels=False)
    expected = data.groupby("decile").agg(rows=("y", "size"), y=("y", "mean"), p=("p", "mean"))
    found = pd.DataFrame(by_decile(ltv)).set_index("decile")
    assert found["rows"].tolist() == expected["rows"].tolist()
    np.testing.assert_allclose(found["actual"], expected["y"])
    np.testing.assert_allclose(found["predicted"], expected["p"])
    np.testing.assert_allclose(found["end"], np.arange(1, 11) / 10)


def test_decile_intervals_are_of_the_mean(ltv):
    found = by_decile(ltv)[0]
    best = np.sort(np.argsort(-ltv.prediction[:, 0])[:80])
    y = ltv.actual[best, 0]
    expected = bootstrap({"m": mean_actual}, y, y)["m"]
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))


def test_equal_predictions_share_a_tenth_in_any_row_order():
    rng = np.random.default_rng(0)
    p = np.round(rng.gamma(1, 2, 300))
    order = rng.permutation(300)
    tenth = tenths(p)
    np.testing.assert_array_equal(tenths(p[order]), tenth[order])
    assert pd.Series(tenth).groupby(p).nunique().max() == 1
    assert sorted(set(tenth)) == list(range(1, tenth.max() + 1))
    assert (tenths(np.ones(20)) == 1).all()


def test_deciles_of_a_constant_prediction_are_one(churn):
    found = by_decile(replace(churn, chosen="base_rate"))
    assert [(record["output"], record["start"], record["end"]) for record in found] == [
        ("churn_30d", 0, 1),
        ("churn_90d", 0, 1),
    ]


def test_json_holds_both_where_nothing_happened(ltv):
    silent = replace(ltv, actual=np.zeros_like(ltv.actual))
    found = [*by_segment(silent, silent.segments["industry"]), *by_decile(silent)]
    json.dumps(found, allow_nan=False)
    assert found[0]["ratio"] is None
    assert found[0]["value"] is None
