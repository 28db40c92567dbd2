"""An experiment as arrays: who was put in which arm, when, and with what probability."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.errors import ExperimentError
from features.types import Floats, Times

CONTROL = 0
"""Index of the control arm in every array of arms."""


@dataclass(frozen=True, eq=False)
class Trial:
    """The units of one experiment.

    Args:
        name: The experiment's id.
        arms: Names of the arms, K + 1 of them, control first.
        arm: int [n], each unit's arm as an index into ``arms``.
        propensity: float64 [n, K + 1], the probability with which each unit was put in each arm.
        assigned_at: int64 [n], microseconds, on the project's wall clock.
        clusters: int [n], a code of whatever was randomised as a whole, such as the account of
            several users; None where each row was randomised by itself.
        randomised: False where arms were chosen by somebody or something and the propensities are
            estimates; whatever is concluded is then observational.

    Raises:
        ExperimentError: Arrays do not fit together, there are not two arms, or a propensity is
            outside (0, 1).
    """

    name: str
    arms: tuple[str, ...]
    arm: npt.NDArray[np.intp]
    propensity: Floats
    assigned_at: Times
    clusters: npt.NDArray[np.intp] | None = None
    randomised: bool = True

    def __post_init__(self) -> None:
        n, k = len(self.arm), len(self.arms)
        if k < 2 or n == 0:
            raise ExperimentError(f"experiment {self.name}: {n} customers in {k} arms; two arms are needed")
        if self.propensity.shape != (n, k) or self.assigned_at.shape != (n,):
            raise ExperimentError(
                f"experiment {self.name}: propensities {self.propensity.shape} and times "
                f"{self.assigned_at.shape} do not go with {n} customers in {k} arms"
            )
        outside = ~((self.propensity > 0) & (self.propensity < 1)).all(axis=1)
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            raise ExperimentError(
                f"experiment {self.name}: {int(outside.sum())} of {n} customers have a propensity outside (0, 1), "
                f"for example {self.propensity[row].tolist()}; whoever could only be put in one arm tells "
                "nothing about the others, so leave them out of assignments"
            )

    def __len__(self) -> int:
        return len(self.arm)

    @property
    def sizes(self) -> dict[str, int]:
        """Units by arm."""
        counts = np.bincount(self.arm, minlength=len(self.arms))
        return dict(zip(self.arms, counts.tolist(), strict=True))
