"""Assignment: who gets what where each may have one only and the whole is to be the best."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from features.types import Floats


def best_pairs(weights: Floats) -> list[tuple[int, int]]:
    """The pairs of rows and columns whose weights add up to the most; none is made of a weight that is not positive.

    Args:
        weights: One row a seeker, one column a thing sought.

    Examples:
        The first row would take the first column alone, and leaves it to the second, which has no other.

        >>> best_pairs(np.array([[3.0, 2.5], [3.0, 0.0]]))
        [(0, 1), (1, 0)]
    """
    if weights.size == 0:
        return []
    gains = np.maximum(weights, 0.0)
    rows, columns = linear_sum_assignment(gains, maximize=True)
    return [(r, c) for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if gains[r, c] > 0]
