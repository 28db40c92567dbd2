"""Analysis: what every comparison of two arms asks for besides who was treated and what came of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Analysis:
    """How two arms are compared.

    Args:
        before: Pre-period columns [n] or [n, p] to adjust for (:mod:`evaluation.effects.adjustment`); NaN
            is taken as the mean and gets a column of its own.
        clusters: Codes [n] of what was randomised as a whole; each row by itself if not given.
        weight: Inverse propensities [n] of the arm each row is in; means are then weighted ones
            (Hájek 1971).
        level: Nominal coverage of all intervals.
        seed: Of folds and resampling.

    Examples:
        >>> whole = Analysis(clusters=[1, 1, 2, 2], level=0.9)
        >>> whole.of_rows([True, True, False, False]).clusters.tolist()
        [1, 1]
    """

    before: ArrayLike | None = None
    clusters: ArrayLike | None = None
    weight: ArrayLike | None = None
    level: float = 0.95
    seed: int = 7

    def of_rows(self, rows: ArrayLike) -> "Analysis":
        """The same of some rows only, a mask or positions."""
        before, clusters, weight = (
            None if column is None else np.asarray(column)[np.asarray(rows)]
            for column in (self.before, self.clusters, self.weight)
        )
        return Analysis(before, clusters, weight, self.level, self.seed)


PLAIN = Analysis()
"""Rows that were randomised one by one, all alike, and nothing to adjust for."""
