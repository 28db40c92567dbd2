"""What uplift is learnt from: an experiment's customers, and how trees are grown on them."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from features.engine.matrix import FeatureMatrix
from features.errors import TrainingDataError
from features.types import Floats
from training.models.boosting import Trees
from training.models.outcomes import form_of

MIN_ARM = 30
"""Customers each arm needs."""


@dataclass(frozen=True)
class UpliftTrees:
    """How boosters are grown.

    Args:
        outcome: Those that predict what happens.
        effect: Those that predict what an arm changes: fewer and smaller, because there is less to see.
    """

    outcome: Trees = field(default_factory=lambda: Trees(rounds=75, learning_rate=0.08))
    effect: Trees = field(default_factory=lambda: Trees(rounds=40, learning_rate=0.04, leaves=4, l2=50.0))


@dataclass(frozen=True, eq=False)
class UpliftRows:
    """Customers of an experiment and what happened to them.

    Args:
        matrix: Features before the assignment, n rows.
        arm: int [n], 0 is control.
        propensity: float64 [n, K + 1], probability of each arm.
        outcome: Money or 0/1 over the horizon [n].
        arms: Names of the arms, control first.
        form: How the outcome is learnt; see `form_of`.
        fewest: Customers each arm needs; parts of an experiment that has them may have fewer.
        randomised: False where propensities are estimates: outcome models are then one an arm, so
            that scores are right where either they or the propensities are.
        clusters: Codes 0, 1 … of what was put in an arm as a whole [n]; None where each customer was by
            itself. No part of the rows that is set aside divides one.

    Raises:
        TrainingDataError: Arrays do not fit together, the outcome is not finite, or an arm has
            fewer than ``fewest`` customers.
    """

    matrix: FeatureMatrix
    arm: npt.NDArray[np.intp]
    propensity: Floats
    outcome: Floats
    arms: tuple[str, ...]
    form: str = ""
    randomised: bool = True
    fewest: int = MIN_ARM
    clusters: npt.NDArray[np.intp] | None = None

    def __post_init__(self) -> None:
        n = len(self.matrix)
        shapes = (self.arm.shape, self.propensity.shape, self.outcome.shape)
        if shapes != ((n,), (n, len(self.arms)), (n,)):
            raise TrainingDataError(
                f"{n} rows of features go with arms {shapes[0]}, propensities {shapes[1]} and outcomes {shapes[2]}"
            )
        bad = int((~np.isfinite(self.outcome)).sum())
        if bad:
            raise TrainingDataError(f"{bad} of {n} outcomes are not finite; drop or mend those rows")
        sizes = np.bincount(self.arm, minlength=len(self.arms))
        if sizes.min() < self.fewest:
            few = int(sizes.argmin())
            raise TrainingDataError(
                f"arm {self.arms[few]!r} has {sizes[few]} customers and uplift needs {self.fewest} in each; leave the "
                "arm out of assignments, or wait until it has more"
            )
        if not self.form:
            object.__setattr__(self, "form", form_of(self.outcome))

    def __len__(self) -> int:
        return len(self.arm)

    def take(self, rows: npt.NDArray[Any]) -> "UpliftRows":
        """Some of the rows; a mask [n] or positions."""
        clusters = None if self.clusters is None else np.unique(self.clusters[rows], return_inverse=True)[1]
        return replace(
            self, matrix=self.matrix.take(rows), arm=self.arm[rows], propensity=self.propensity[rows],
            outcome=self.outcome[rows], clusters=clusters, fewest=1,
        )  # fmt: skip

    @property
    def units(self) -> npt.NDArray[np.intp]:
        """Codes of what is independent of one another [n]: clusters, or else the rows themselves."""
        return np.arange(len(self)) if self.clusters is None else self.clusters

    @property
    def relative(self) -> bool:
        """Whether effects are learnt relative to the expected outcome."""
        return self.form == "two_part"
