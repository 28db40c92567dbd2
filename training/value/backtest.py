"""The backtest: every candidate fitted on the past, judged once on what came after it.

Nothing a candidate learns from ends after the judged cutoff, so the gap between the last cutoff it
learns from and the judged one is at least the label's length. Only the prediction intervals are
learnt from the judged rows themselves, and their coverage is reported cross-fitted: each half of the
customers is judged by what the other half taught.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.bootstrap import bootstrap, paired_test
from evaluation.estimate import Comparison, Estimate
from evaluation.metrics import mean_actual
from features.counted import counted
from features.engine.observations import wall_clock
from features.errors import TrainingDataError
from features.history import History, Panel
from features.oddities import MIN_CUSTOMERS
from features.types import Floats
from training.models.boosting import Trees
from training.models.conformal import LEVELS, ConformalIntervals
from training.models.servable import CANNOT_FIT, PartsModel, unsound
from training.value.tasks import LtvTask, Task


@dataclass(frozen=True, eq=False)
class Candidate:
    """One kind of model in the backtest.

    Args:
        kind: Which.
        model: As fitted on the past.
        prediction: Of the judged rows, [n, K].
        metrics: With 95 % intervals, customers resampled.
    """

    kind: str
    model: PartsModel
    prediction: Floats
    metrics: dict[str, Estimate]


@dataclass(frozen=True, eq=False)
class Backtest:
    """What the backtest found.

    Args:
        cutoff: The judged cutoff, microseconds.
        panel: The judged rows, n customers.
        actual: What happened, [n, K].
        candidates: All that could be fitted, by kind.
        refused: Why the others dropped out, by kind.
        chosen: The best by the task's metric.
        comparisons: The chosen one against every other, by kind.
    """

    cutoff: int
    panel: Panel
    actual: Floats
    candidates: dict[str, Candidate]
    refused: dict[str, str]
    chosen: str
    comparisons: dict[str, Comparison]

    @property
    def winner(self) -> Candidate:
        """The chosen candidate."""
        return self.candidates[self.chosen]

    def without(self, task: Task, kind: str, why: str) -> "Backtest":
        """The same after a candidate has dropped out.

        Raises:
            TrainingDataError: It was the last.
        """
        left = {other: candidate for other, candidate in self.candidates.items() if other != kind}
        return _decided(task, self.cutoff, self.panel, self.actual, left, {**self.refused, kind: why})


def halves(customers: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """A fixed half of the customers, bool [n]."""
    # Multiplying by an odd constant and taking a high bit shuffles positions without a generator.
    mixed = customers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray((mixed >> np.uint64(40)) & np.uint64(1) == 1)


def compare(task: Task, actual: Floats, a: Floats, b: Floats) -> Comparison:
    """Is prediction a worse than b by the task's metric? All [n, K], one row a customer."""
    customers = np.repeat(np.arange(len(actual)), actual.shape[1])
    return paired_test(task.metric, actual.ravel(), a.ravel(), b.ravel(), customers)


def measure(task: Task, actual: Floats, prediction: Floats) -> dict[str, Estimate]:
    """All of the task's metrics with intervals."""
    estimates = {}
    for name, (metric, y, p) in task.metrics(actual, prediction).items():
        customers = np.repeat(np.arange(len(actual)), len(y) // len(actual))
        estimates[name] = bootstrap({name: metric}, y, p, customers)[name]
    return estimates


def run_backtest(
    task: Task,
    history: History,
    panel: Panel,
    judged: int,
    trees: Mapping[str, Trees],
    *,
    threads: int = 1,
    on_candidate: Callable[[str], None] = lambda _: None,
) -> Backtest:
    """Fit and judge all candidates.

    Args:
        task: What is predicted.
        history: Where outcomes are looked up.
        panel: Customers at all cutoffs.
        judged: The judged cutoff.
        trees: How the boosters of each kind are grown.
        threads: Candidates fitted at the same time.
        on_candidate: Told when each has been judged.

    Raises:
        TrainingDataError: Too few customers, only one outcome, or no candidate could be fitted.
    """
    there = panel.where(panel.cutoffs == judged)
    if len(there.observations) < MIN_CUSTOMERS:
        raise TrainingDataError(
            f"{counted(len(there.observations), 'customer')} had ordered by {wall_clock(judged):%Y-%m-%d}, from which on models "
            f"are judged, and {MIN_CUSTOMERS} are needed; bind more customers, or shorten the horizons so that the "
            "cutoff is later"
        )
    actual = task.outcome(history, there.observations)
    if (actual == actual[:1]).all():
        raise TrainingDataError(
            f"all {len(actual)} customers have the same outcome ({actual[0, 0]:g}) after the judged cutoff; "
            "there is nothing to tell apart, so check the horizons and the bound amounts"
        )
    candidates: dict[str, Candidate] = {}
    refused: dict[str, str] = {}

    def fit(kind: str) -> PartsModel | str:
        try:
            return task.fit(kind, history, panel, judged, trees.get(kind, Trees()))
        except CANNOT_FIT as error:
            return str(error)

    # One thread a booster and several boosters at once: LightGBM's own threads wait for each other
    # in a busy loop, which on a shared machine takes several times as long.
    with ThreadPoolExecutor(threads) as pool:
        for kind, model in zip(task.kinds, pool.map(fit, task.kinds), strict=True):
            on_candidate(kind)
            if isinstance(model, str):
                refused[kind] = model
                continue
            prediction = model.predict(there.matrix).reshape(actual.shape)
            if why := unsound(prediction):
                refused[kind] = why
                continue
            candidates[kind] = Candidate(kind, model, prediction, measure(task, actual, prediction))
    return _decided(task, judged, there, actual, candidates, refused)


def _decided(
    task: Task,
    cutoff: int,
    panel: Panel,
    actual: Floats,
    candidates: dict[str, Candidate],
    refused: dict[str, str],
) -> Backtest:
    if not candidates:
        reasons: dict[str, list[str]] = {}
        for kind, why in refused.items():
            reasons.setdefault(why, []).append(kind)
        told = "; ".join(f"{', '.join(kinds)}: {why}" for why, kinds in reasons.items())
        raise TrainingDataError(f"no {task.name} candidate can be fitted to this history. {told}")
    losses = {
        kind: float(task.metric.loss(task.metric(actual.ravel(), candidate.prediction.ravel())))
        for kind, candidate in candidates.items()
    }
    chosen = min(losses, key=lambda kind: losses[kind] if np.isfinite(losses[kind]) else np.inf)
    best = candidates[chosen].prediction
    comparisons = {
        kind: compare(task, actual, best, candidate.prediction)
        for kind, candidate in candidates.items()
        if kind != chosen
    }
    return Backtest(cutoff, panel, actual, candidates, refused, chosen, comparisons)


@dataclass(frozen=True, eq=False)
class IntervalCheck:
    """Prediction intervals and what they covered on customers they were not made from.

    Args:
        intervals: Made from all judged rows.
        level: Nominal coverage.
        covered: Share of the judged rows inside, cross-fitted: of the same season, see `check_intervals`.
        low: Lower ends of the judged rows, cross-fitted, [n].
        high: Upper ends.
    """

    intervals: ConformalIntervals
    level: float
    covered: Estimate
    low: Floats
    high: Floats


def check_intervals(task: LtvTask, backtest: Backtest) -> IntervalCheck:
    """Make the LTV intervals from the judged rows, and measure their coverage cross-fitted.

    What the figure means: of customers like these, in the judged season, so many would have been
    inside. In use the intervals serve the season after, and no history can promise that one: used
    one season on, intervals of 90 % covered .86 to .94 in 28 seasons (some overlapping) of 30 to 180
    days of Online Retail, CDNOW and the simulated world, and .83 in the autumn of Online Retail at 90
    days, whose total was a third above the prediction. Pooling earlier seasons came nearer to 90 %
    by .003 (root mean square) at best and strayed farther elsewhere; the wider of two seasons and
    widening by what the last change would have needed strayed farther or changed nothing. So none
    of them is done (docs/decisions.md).

    Raises:
        TrainingDataError: Too few rows for the level.
    """
    level = task.settings.ltv.interval
    levels = sorted({*LEVELS, level})
    y, p = backtest.actual[:, 0], backtest.winner.prediction[:, 0]
    one = halves(backtest.panel.observations.customers)
    low, high = np.empty((2, len(y)))
    for half in (one, ~one):
        made = ConformalIntervals.fit(y[~half], p[~half], (level,))
        low[half], high[half] = made.interval(p[half], level)
    inside = ((low <= y) & (y <= high)).astype(np.float64)
    covered = bootstrap({"covered": mean_actual}, inside, inside)["covered"]
    usable = [coverage for coverage in levels if len(y) >= 2 / (1 - coverage)]
    return IntervalCheck(ConformalIntervals.fit(y, p, usable), level, covered, low, high)
