"""Boosters are the same every time, survive as text to the bit, and refuse hopeless data."""

import numpy as np
import pytest

from features.errors import ChecksumError, TrainingDataError
from training.models.boosting import TrainingRows, Trees, fit_booster, load_booster, raw_score, safe_names

TREES = Trees(rounds=30, min_rows=20)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 3))
    x[:, 2] = rng.integers(0, 4, 1500)
    x[rng.random((1500, 3)) < 0.1] = np.nan
    return TrainingRows(x, np.nan_to_num(2 * x[:, 0]) + (x[:, 2] == 2) + rng.normal(size=1500))


def test_same_rows_same_model_whatever_the_threads(rows):
    one = fit_booster("regression", rows, "abc", TREES, categorical="c")
    two = fit_booster(
        "regression", rows, "abc", Trees(rounds=30, min_rows=20, num_threads=2), categorical="c"
    )
    np.testing.assert_array_equal(raw_score(one, rows.values), raw_score(two, rows.values))


def test_text_gives_the_same_bits(rows):
    booster = fit_booster("regression", rows, "abc", TREES, categorical="c")
    again = load_booster(booster.model_to_string())
    np.testing.assert_array_equal(raw_score(booster, rows.values), raw_score(again, rows.values))
    single = [raw_score(booster, rows.values[i : i + 1])[0] for i in range(20)]
    np.testing.assert_array_equal(single, raw_score(booster, rows.values[:20]))
    assert raw_score(booster, rows.values[:0]).shape == (0,)


def test_a_column_learnt_first_has_its_whole_effect_though_few_trees_may_use_it():
    rng = np.random.default_rng(3)
    part = rng.integers(0, 3, 6000)
    values = np.column_stack([rng.normal(size=(6000, 60)), part])
    label = (rng.random(6000) < np.array([0.1, 0.3, 0.6])[part]).astype(float)
    names = [*(f"noise_{i}" for i in range(60)), "part"]
    trees = Trees(rounds=20, feature_share=0.05)

    def gap(**first):
        p = 1 / (
            1
            + np.exp(
                -raw_score(fit_booster("binary", TrainingRows(values, label), names, trees, **first), values)
            )
        )
        return max(abs(p[part == k].mean() - label[part == k].mean()) for k in range(3))

    assert gap(first=("part",)) < 0.01 < gap()


def test_a_tree_sees_ten_columns_at_the_least():
    trees = Trees(feature_share=0.2)
    shares = [trees.params("binary", 1000, columns)["feature_fraction"] for columns in (3, 20, 50, 100)]
    assert shares == [1.0, 0.5, 0.2, 0.2]


def test_names_are_made_acceptable():
    assert safe_names(["a b", "a:b", "x", "売上"]) == ["a_b", "a_b__2", "x", "売上"]


@pytest.mark.parametrize(
    ("values", "label", "message"),
    [
        (np.ones((10, 1)), np.arange(10.0), "10 training rows"),
        (np.ones((50, 2)), np.arange(50.0), "empty or constant"),
        (np.full((50, 2), np.nan), np.arange(50.0), "empty or constant"),
        (np.random.default_rng(0).normal(size=(50, 2)), np.full(50, np.inf), "not finite"),
        (np.random.default_rng(0).normal(size=(50, 2)), np.ones(50), "both classes"),
    ],
)
def test_hopeless_rows_are_refused(values, label, message):
    with pytest.raises(TrainingDataError, match=message):
        fit_booster("binary", TrainingRows(values, label), ["x"] * values.shape[1], TREES)


def test_other_text_is_refused():
    with pytest.raises(ChecksumError, match="not a LightGBM model"):
        load_booster("tree\nnonsense")
