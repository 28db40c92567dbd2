"""What a treatment earned: within the horizon, after it, and for each unit of money spent.

The horizon of an experiment ends before its customers do. What comes after it is predicted at its end
by the LTV model, as a surrogate (Prentice 1989; Athey, Chetty, Imbens and Kang 2019). A model is never
quite right, so its predictions are corrected by how they did on earlier customers, and the error of
that correction is inside every interval here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from evaluation.effects.adjustment import correction
from evaluation.effects.analysis import PLAIN, Analysis
from evaluation.effects.contrast import Contrast, contrast, quotient, widened
from evaluation.effects.effect import Effect, effect
from evaluation.effects.units import MIN_UNITS, Units, numbers, units
from evaluation.estimate import Estimate
from features.errors import ExperimentError
from features.types import Floats


@dataclass(frozen=True, eq=False)
class Calibration:
    """How predictions have to be read: expected actual = intercept + slope × prediction.

    Args:
        intercept: In money.
        slope: 1 where differences between predictions are right, below 1 where they are too large.
        covariance: float64 [2, 2] of intercept and slope.
        customers: How many were judged.
    """

    intercept: float
    slope: float
    covariance: Floats
    customers: int


@dataclass(frozen=True, eq=False)
class Surrogate:
    """What a model says of the time after the horizon, and how far it may be believed.

    Args:
        predicted: Predicted money after the horizon [n], with features of its end.
        calibration: How such predictions did on earlier customers; see :func:`calibration`.
    """

    predicted: Floats
    calibration: Calibration

    def of_rows(self, rows: npt.NDArray[np.bool_]) -> "Surrogate":
        """The same of some rows only."""
        return Surrogate(self.predicted[rows], self.calibration)


def calibration(predicted: ArrayLike, actual: ArrayLike, customers: ArrayLike | None = None) -> Calibration:
    """The line of actual on predicted by weighted least squares, with a jackknife over customers.

    The spread of money grows with its mean, so that in plain least squares a few large customers
    decide the slope, and no standard error of it holds: of 400 pairs with exponential money, .90 of
    its 95 % intervals cover. Weights are those of a spread in proportion to the prediction, with
    the mean prediction added, so that the smallest do not decide instead. The relation has to be
    about a line: compare the deciles of the model's card. The jackknife (MacKinnon and White 1985)
    leaves out all rows of a customer together.

    Args:
        predicted: Predictions [m] of money after a horizon, made at its end, for earlier customers
            that the model was not trained on.
        actual: What came [m].
        customers: Whose [m], where one was judged at several times; each row's own if not given.

    Raises:
        ExperimentError: Shapes differ, values are not finite, predictions are all alike, or there
            are fewer than 30 customers.

    Examples:
        >>> predicted = np.arange(100.0)
        >>> line = calibration(predicted, 3 + 0.5 * predicted)
        >>> round(line.intercept, 6), round(line.slope, 6), line.customers
        (3.0, 0.5, 100)
    """
    x = numbers(predicted, None, "predicted")
    y = numbers(actual, len(x), "actual")
    labels = np.arange(len(x)) if customers is None else np.asarray(customers)
    if labels.shape != x.shape:
        raise ExperimentError(f"customers have shape {labels.shape}; they must be [{len(x)}], one a row")
    code = np.unique(labels, return_inverse=True)[1]
    count = int(code.max()) + 1 if len(code) else 0
    if count < MIN_UNITS:
        raise ExperimentError(
            f"{count} customers have a prediction and what came of it; calibrating a model needs {MIN_UNITS} or "
            "more: judge it on a longer history"
        )
    middle = float(x.mean())
    design = np.column_stack([np.ones(len(x)), x - middle])
    if not (design[:, 1] ** 2).mean() > (1e-12 * np.abs(x).max()) ** 2:
        raise ExperimentError(
            f"all predictions are {middle:g}; calibrating a model needs predictions that differ"
        )
    spread = np.abs(x)
    weighted = design * ((spread + spread.mean()) ** -2.0)[:, None]
    squares = _sums(code, weighted[:, :, None] * design[:, None, :])
    products = _sums(code, weighted * y[:, None])
    line = np.linalg.solve(squares.sum(axis=0), products.sum(axis=0))
    # Not solve: where one customer holds all the spread, the slope without it is nothing one could know.
    without = (
        np.linalg.pinv(squares.sum(axis=0) - squares, hermitian=True)
        @ (products.sum(axis=0) - products)[..., None]
    )
    apart = without[..., 0] - line
    back = np.array([[1.0, -middle], [0.0, 1.0]])
    intercept, slope = (float(coefficient) for coefficient in back @ line)
    covariance = back @ (apart.T @ apart * (count - 1) / count) @ back.T
    return Calibration(intercept, slope, np.asarray(covariance, dtype=np.float64), count)


def _sums(code: npt.NDArray[np.intp], rows: Floats) -> Floats:
    """Sums of rows [m, …] by code, [k, …]."""
    out = np.zeros((int(code.max()) + 1, *rows.shape[1:]))
    np.add.at(out, code, rows)
    return out


def long_term_effect(
    margin: ArrayLike,
    treated: ArrayLike,
    after: Surrogate,
    analysis: Analysis = PLAIN,
) -> Effect:
    """Effect on margin in the horizon and expected margin after it.

    A constant bias of the model is the same in both arms and goes; a wrong slope does not, so the
    effect on predictions is multiplied by the slope, whose standard error widens the interval.

    This rests on an assumption that no data of the experiment can test (surrogacy): given what the
    model sees at the end of the horizon, margin after it depends neither on the treatment nor on
    the season, and a difference that the treatment made in predictions is worth as much as the same
    difference between earlier customers. A treatment that pulls orders forward, or buys loyalty
    the features do not show, breaks it. Where that may be, report the horizon alone.

    Args:
        margin: Money in the horizon [n].
        treated: bool [n].
        after: Predicted money after it, with features of the horizon's end.
        analysis: As in :func:`evaluation.effects.effect.mean_effect`.

    Raises:
        ExperimentError: As :func:`evaluation.effects.effect.mean_effect`.
    """
    y = numbers(margin, None, "margin")
    of = units(len(y), treated, analysis)
    return effect(_incremental(of, y, after, analysis), analysis.level)


def roi(
    margin: ArrayLike,
    treated: ArrayLike,
    cost_per_unit: ArrayLike,
    analysis: Analysis = PLAIN,
    *,
    after: Surrogate | None = None,
) -> Estimate:
    """Incremental LTV / cost of the treatment: what each unit of money spent brought; 1 is break-even.

    By Fieller's interval where costs differ from unit to unit. It excludes 0 just where the
    effect's interval does, and 1 just where that of :func:`net_return` excludes 0.

    Args:
        margin: Money in the horizon [n], before the cost of the treatment.
        treated: bool [n].
        cost_per_unit: Of treating a row, over not treating it: one number above 0, or [n], of which
            only the treated rows are read.
        analysis: As in :func:`evaluation.effects.effect.mean_effect`.
        after: Predicted money after the horizon; that is left out if not given.

    Returns:
        All NaN where costs differ so much that their mean cannot be told from 0.

    Raises:
        ExperimentError: As :func:`evaluation.effects.effect.mean_effect`, or costs that are negative, not
            finite, or all 0.

    Examples:
        >>> margin = [0.0, 10.0, 20.0] * 20 + [20.0, 30.0, 40.0] * 20
        >>> roi(margin, [False] * 60 + [True] * 60, 5.0).value
        4.0
    """
    y = numbers(margin, None, "margin")
    of = units(len(y), treated, analysis)
    incremental = _incremental(of, y, after, analysis)
    cost, covariance = _cost(of, incremental, y, cost_per_unit)
    return quotient(incremental, cost, covariance, lambda at: incremental.scale(at * cost), analysis.level)


def net_return(
    margin: ArrayLike,
    treated: ArrayLike,
    cost_per_unit: ArrayLike,
    analysis: Analysis = PLAIN,
    *,
    after: Surrogate | None = None,
) -> Estimate:
    """Incremental LTV − cost, in money a treated row: whether it paid, and how much.

    Arguments and errors as in :func:`roi`.

    Examples:
        >>> margin = [0.0, 10.0, 20.0] * 20 + [20.0, 30.0, 40.0] * 20
        >>> net_return(margin, [False] * 60 + [True] * 60, 5.0).value
        15.0
    """
    y = numbers(margin, None, "margin")
    of = units(len(y), treated, analysis)
    incremental = _incremental(of, y, after, analysis)
    cost, covariance = _cost(of, incremental, y, cost_per_unit)
    value = incremental.difference - cost
    error = float(np.sqrt(covariance[0, 0] - 2 * covariance[0, 1] + covariance[1, 1]))
    return incremental.interval(
        lambda at: (value - at) / error, lambda at: incremental.scale(at + cost), value, error, analysis.level
    )


def _incremental(of: Units, margin: Floats, after: Surrogate | None, analysis: Analysis) -> Contrast:
    """Difference in margin, with what comes after the horizon where a prediction is given."""
    if after is None:
        return contrast(of, of.sums(margin), analysis)
    calibrated, predicted = after.calibration, numbers(after.predicted, len(margin), "predicted")
    expected = calibrated.intercept + calibrated.slope * predicted
    with_later = contrast(of, of.sums(margin + expected), analysis)
    top = of.sums(predicted)
    if analysis.before is not None:
        top = top - correction(of, top, analysis.before, seed=analysis.seed)
    control, treated = of.means(top)
    # Derivatives of the difference and of the control's mean by intercept and slope.
    by = np.array([[0.0, treated - control], [1.0, control]])
    return widened(with_later, by @ calibrated.covariance @ by.T)


def _cost(of: Units, incremental: Contrast, margin: Floats, cost_per_unit: ArrayLike) -> tuple[float, Floats]:
    """Mean cost of a treated row, and the covariance [2, 2] of the difference and of it."""
    rows = of.treated if of.code is None else of.treated[of.code]
    given = np.asarray(cost_per_unit, dtype=np.float64)
    if given.ndim == 0:
        given = np.full(len(margin), given)
    if given.shape != margin.shape:
        raise ExperimentError(
            f"cost_per_unit has shape {given.shape}; it must be one number or [{len(margin)}], one a row"
        )
    cost = numbers(np.where(rows, given, 0), None, "cost_per_unit")
    if cost.min() < 0 or not cost.max() > 0:
        raise ExperimentError(
            f"costs of treated rows go from {cost[rows].min():g} to {cost.max():g}; a cost is 0 or more and some "
            "are above 0: without any cost there is no return on it, only an effect"
        )
    top = of.sums(cost)
    own = of.influence(top)
    variance = float(of.covariances(own, own)[1])
    both = float(of.covariances(incremental.influence, own)[1])
    return float(of.means(top)[1]), np.array([[incremental.covariance[0, 0], both], [both, variance]])
