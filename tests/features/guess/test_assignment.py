"""Contract: the optimum is that of trying every assignment."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.guess.assignment import best_pairs


@given(arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.integers(-3, 9).map(float)))
def test_no_assignment_is_better(weights):
    rows, columns = weights.shape
    pairs = best_pairs(weights)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(weights[pair] > 0 for pair in pairs)
    square = np.zeros((max(rows, columns),) * 2)
    square[:rows, :columns] = np.maximum(weights, 0)
    best = max(sum(square[r, c] for r, c in enumerate(order)) for order in permutations(range(len(square))))
    assert sum(weights[pair] for pair in pairs) == best


def test_nothing_is_assigned_where_there_is_nothing():
    assert best_pairs(np.zeros((0, 3))) == []
