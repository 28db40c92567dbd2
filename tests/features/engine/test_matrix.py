"""A feature matrix never carries a code, a name or a shape that does not fit."""

import numpy as np
import pytest

from features.engine.matrix import FeatureMatrix
from features.errors import DefinitionError


@pytest.fixture
def matrix():
    values = [[1.0, 0.0], [2.0, 1.0], [3.0, np.nan]]
    return FeatureMatrix(("money", "country"), np.array(values), {"country": ("JP", "UK")})


def test_column_is_a_view_and_values_are_contiguous(matrix):
    assert np.shares_memory(matrix.column("money"), matrix.values)
    assert FeatureMatrix(("a", "b"), np.asfortranarray(np.ones((3, 2)))).values.flags.c_contiguous
    assert len(matrix) == 3
    assert "money" in matrix
    assert "margin" not in matrix


def test_take_by_mask_and_by_position_agree(matrix):
    by_mask = matrix.take(np.array([True, False, True]))
    np.testing.assert_array_equal(by_mask.values, matrix.take([0, 2]).values)
    assert by_mask.categories == matrix.categories


def test_recode_keeps_the_words_and_loses_the_unknown(matrix):
    other = matrix.recode({"country": ("DE", "UK")})
    np.testing.assert_array_equal(other.column("country"), [np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(matrix.column("country"), [0.0, 1.0, np.nan])
    assert matrix.recode(matrix.categories) is matrix


def test_select_gives_the_order_asked_for(matrix):
    turned = matrix.select(["country", "money"])
    np.testing.assert_array_equal(turned.values, matrix.values[:, ::-1])
    assert turned.categories == matrix.categories
    assert not matrix.select(["money"]).categories
    assert matrix.select(matrix.names) is matrix


@pytest.mark.parametrize(
    ("names", "values", "categories", "message"),
    [
        (("a", "a"), np.ones((2, 2)), {}, "more than once"),
        (("a",), np.ones((2, 2)), {}, r"shape \(2, 2\)"),
        (("a",), np.ones(2), {}, "shape"),
        (("a",), np.full((1, 1), 2.0), {"a": ("x", "y")}, "code 2"),
        (("a",), np.full((1, 1), 0.5), {"a": ("x", "y")}, "code 0.5"),
        (("a",), np.full((1, 1), -1.0), {"a": ("x", "y")}, "code -1"),
        (("a",), np.zeros((1, 1)), {"a": ("x", "x")}, "repeats"),
        (("a",), np.zeros((1, 1)), {"b": ("x",)}, "no column 'b'"),
    ],
)
def test_what_does_not_fit_is_refused(names, values, categories, message):
    with pytest.raises(DefinitionError, match=message):
        FeatureMatrix(names, values, categories)


def test_wrong_uses_are_refused(matrix):
    with pytest.raises(DefinitionError, match="numeric"):
        matrix.recode({"money": ("a",)})
    with pytest.raises(TypeError):
        matrix.categories["country"] = ("X",)
