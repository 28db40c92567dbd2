"""A difference of two arms: its size, its error, and the values of it that the data do not reject."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from evaluation.effects.adjustment import correction
from evaluation.effects.analysis import Analysis
from evaluation.effects.reference import Reference, reference
from evaluation.effects.units import Units
from evaluation.estimate import Estimate
from features.errors import ExperimentError
from features.types import Floats

UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))
"""What cannot be estimated."""

RealFunction = Callable[[float], float]

_LOG_2 = float(np.log(2))
_DOUBLINGS = 40


@dataclass(frozen=True, eq=False)
class Contrast:
    """A difference of two arms before an interval is made of it.

    Args:
        of: The units.
        means: float64 [2], control and treated.
        influence: float64 [g].
        covariance: float64 [2, 2] of the difference and of the control's mean.
        reference: Distribution of the studentised difference.
        method: In words.
    """

    of: Units
    means: Floats
    influence: Floats
    covariance: Floats
    reference: Reference
    method: str

    @property
    def difference(self) -> float:
        """Treated − control."""
        return float(self.means[1] - self.means[0])

    @property
    def standard_error(self) -> float:
        """Of the difference."""
        return float(np.sqrt(self.covariance[0, 0]))

    def scale(self, shift: float, base: float | None = None) -> float:
        """Spread of the treated over spread of control where the treatment adds a shift to a base.

        Money has a zero, and what moves its mean mostly does so in proportion. Where the mean can
        hardly be told from 0 there is no such proportion, and the scale is drawn to 1.

        Args:
            shift: Treated − control under the hypothesis.
            base: Control's mean under it; that of both arms together if not given.
        """
        return _scale(self.of.counts, self.means, self.covariance, shift, base)

    def interval(
        self,
        statistic: RealFunction,
        scale: RealFunction,
        value: float,
        step: float,
        level: float,
        *,
        ratio: bool = False,
    ) -> Estimate:
        """The values that the data do not reject.

        Args:
            statistic: The studentised difference if a value were true; 0 at ``value``.
            scale: Spread of the treated over that of control if it were.
            value: The estimate.
            step: Its order of uncertainty.
            level: Nominal coverage.
            ratio: The value is a ratio of both means.

        Returns:
            All NaN where values without bound are not rejected. 0 is inside if and only if p says so.

        Raises:
            ExperimentError: A level outside (0, 1).
        """
        if not 0 < level < 1:
            raise ExperimentError(f"level is {level}; it is a coverage and lies between 0 and 1, such as .95")
        ends = []
        for side in (-1, 1):
            share = (1 - side * level) / 2

            def beyond(at: float, share: float = share, side: int = side) -> float:
                return side * (self.reference.quantile(share, scale(at), ratio=ratio) - statistic(at))

            inside, outside = value, float("nan")
            if value * side < 0:
                # The end lies on one side of 0 for certain, whatever else the curve does.
                inside, outside = (value, 0.0) if beyond(0.0) > 0 else (0.0, outside)
            for k in range(_DOUBLINGS):
                if not np.isnan(outside):
                    break
                further = inside + side * step * 2**k
                inside, outside = (inside, further) if beyond(further) > 0 else (further, outside)
            if np.isnan(outside):
                return UNKNOWN
            ends.append(float(brentq(beyond, inside, outside, xtol=1e-10 * step, rtol=1e-12)))
        return Estimate(value, *ends)


def contrast(of: Units, top: Floats, analysis: Analysis) -> Contrast:
    """The difference of two arms.

    Args:
        of: The units.
        top: float64 [g], weighted sums of outcomes.
        analysis: What is adjusted for, and the seed.

    Raises:
        ExperimentError: Nothing varies.
    """
    words = []
    if analysis.before is not None:
        top = top - correction(of, top, analysis.before, seed=analysis.seed)
        words.append("cross-fitted adjustment")
    influence = of.influence(top)
    control, treated = of.covariances(influence, influence)
    # Rounding leaves something of equal values; it is no variation.
    if not control + treated > (1e-13 * np.abs(of.means(top)).max()) ** 2:
        raise ExperimentError(
            f"all outcomes of an arm are alike, {of.means(top)[0]:g} in control and {of.means(top)[1]:g} in treatment; "
            "an interval needs outcomes that vary: wait, or leave the metric out"
        )
    if of.code is not None:
        words.append("cluster-robust")
    if of.weight is not None:
        words.append("weighted")
    mean_size = np.bincount(of.treated, of.size, 2) / of.counts
    covariance, means = np.array([[control + treated, -control], [-control, control]]), of.means(top)
    scale = _scale(of.counts, means, covariance, float(means[1] - means[0]), None)
    against = reference(
        influence, of.size / mean_size[of.treated.astype(np.intp)], of.treated, scale, analysis.seed
    )
    return Contrast(of, means, influence, covariance, against, ", ".join([against.name, *words]))


def _scale(
    n: npt.NDArray[np.intp], means: Floats, covariance: Floats, shift: float, base: float | None
) -> float:
    if base is None:
        base = float(n @ (means - [0, shift]) / n.sum())
    middle = base + shift / 2
    control = covariance[1, 1]
    error = (n[0] ** 2 * control + n[1] ** 2 * (covariance[0, 0] - control)) / n.sum() ** 2
    return float(np.exp(np.clip(shift * middle / (middle**2 + error), -_LOG_2, _LOG_2)))


def widened(compared: Contrast, further: Floats) -> Contrast:
    """A difference with an independent normal error added to it.

    Args:
        compared: Without it.
        further: float64 [2, 2], covariance of the errors of the difference and of the control's mean.
    """
    against = compared.reference.widened(float(np.sqrt(further[0, 0]) / compared.standard_error))
    return replace(compared, covariance=compared.covariance + further, reference=against)


def quotient(
    compared: Contrast,
    bottom: float,
    covariance: Floats,
    scale: RealFunction,
    level: float,
    *,
    ratio: bool = False,
) -> Estimate:
    """Difference / bottom with the interval of Fieller (1954): the ratios that the data do not reject.

    It is without 0 if and only if the interval of the difference is.

    Args:
        compared: The difference.
        bottom: What it is divided by; the quotient is unknown where that is not above 0.
        covariance: float64 [2, 2] of both.
        scale: Spread of the treated over that of control if a ratio were true.
        level: Nominal coverage.
        ratio: What it is divided by is control's mean.
    """
    if not bottom > 0:
        return UNKNOWN
    top = compared.difference
    (vt, both), (_, vb) = covariance

    def statistic(at: float) -> float:
        variance = vt - 2 * at * both + at * at * vb
        # Nothing varies along the way where an arm is all zeros: such a ratio is not rejected.
        return float((top - at * bottom) / np.sqrt(variance)) if variance > 0 else 0.0

    return compared.interval(statistic, scale, top / bottom, float(np.sqrt(vt)) / bottom, level, ratio=ratio)
