"""Training uplift from an experiment: cross-fit, select, calibrate, fit once more on everyone, describe."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from evaluation.estimate import Comparison, Estimate
from evaluation.experiments.enrolment import Enrolment, enrol, horizon_days, question
from evaluation.experiments.measures import facts, margin
from evaluation.experiments.reading import Reading
from evaluation.experiments.records import MeasureFacts
from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.ranking import RankMetric
from evaluation.uplift.selection import SELECTION_DRAWS, Repeat, Selection, select
from features.binding.tables import Tables
from features.engine.observations import wall_clock
from features.errors import ExperimentError, TrainingDataError
from features.history import History
from features.types import Floats, Progress
from training.expected import expected_margin
from training.models.bundle import CANARIES, Bundle
from training.models.facts import UpliftFacts
from training.models.servable import unsound
from training.models.uplift import UPLIFT, Constant, UpliftModel
from training.uplift.calibration import LEVEL
from training.uplift.crossfit import CrossFit, cross_fit
from training.uplift.learning import LEARNERS
from training.uplift.propensity import Overlap, weighed
from training.uplift.rows import UpliftRows, UpliftTrees
from training.uplift.served import fit_served, held_out_uplift
from training.uplift.tuning import tune_uplift

METRIC: RankMetric = "qini"
"""What decides between learners: money per customer gained by treating in their order."""


@dataclass(frozen=True, eq=False)
class UpliftTraining:
    """What a training made.

    Args:
        history: What it was learnt from.
        enrolment: The experiment's customers.
        rows: What learners saw.
        cross: What learners said of customers they had not seen.
        judged: Rows that took part in the judgement [n], all but those that trees were tuned on.
        selection: The learners compared.
        chosen: The kind that is served: the selected learner, or ``constant`` if none was proven.
        calibrated: Calibrated uplift of each customer by models and calibrations that had not seen
            it, [n, K].
        effects: Mean effect of each arm, by name.
        metrics: For the record, with intervals.
        bundle: What is served.
        trees: How boosters were grown.
        overlap: Of estimated propensities; None where arms were drawn.
    """

    history: History
    enrolment: Enrolment
    rows: UpliftRows
    cross: CrossFit
    judged: npt.NDArray[np.bool_]
    selection: Selection
    chosen: str
    calibrated: Floats
    effects: dict[str, Estimate]
    metrics: dict[str, Estimate]
    bundle: Bundle
    trees: UpliftTrees
    overlap: Overlap | None

    @property
    def proven(self) -> bool:
        """Whether who is treated was shown to matter."""
        return self.selection.proven

    @property
    def facts(self) -> UpliftFacts:
        """What its bundle says of itself."""
        return UpliftFacts.from_dict(self.bundle.facts)


def train_uplift(
    tables: Tables,
    history: History,
    experiment: str | None = None,
    *,
    trials: int = 0,
    journals: Path | None = None,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> UpliftTraining:
    """Train uplift on one experiment.

    Args:
        tables: The bound tables.
        history: Of the same tables.
        experiment: Its id; the only one where there is only one.
        trials: Tuning trials of the trees that learn effects.
        journals: Where tuning keeps its trials.
        threads: Worker threads; results do not depend on it.
        progress: Told each step in plain words.

    Raises:
        ExperimentError: The assignments cannot support it, or their sample ratio is broken.
        TrainingDataError: There are too few customers in an arm.
    """
    settings, days = history.settings, horizon_days(history.settings)
    progress("features before the assignments")
    enrolment = enrol(tables, history, experiment, days=days, threads=threads)
    seed = settings.training.seed
    trial, overlap = weighed(enrolment, seed, progress)
    reading = Reading(trial, enrolment.checkable, seed=seed)
    ratio = reading.ratio()
    if ratio is not None and ratio.broken:
        raise ExperimentError(
            f"experiment {trial.name}: nothing can be learnt from it, because its sample ratio is broken. "
            f"{ratio.sentence} See `tokui experiment report`"
        )
    money, told = facts(margin(history, enrolment, days, expected_margin(history, enrolment, days)))
    rows = UpliftRows(
        enrolment.matrix, trial.arm, trial.propensity, money.value, trial.arms, randomised=trial.randomised,
        clusters=trial.clusters,
    )  # fmt: skip
    progress("mean effects")
    # Those of the readout, to the last digit: two pages must not say two things of one arm.
    effects = {
        arm: reading.pair(k).effect(money, adjusted=True).absolute for k, arm in enumerate(trial.arms[1:], 1)
    }
    return train_rows(
        history, enrolment, rows, told, effects, overlap,
        trials=trials, journals=journals, threads=threads, progress=progress,
    )  # fmt: skip


def train_rows(
    history: History,
    enrolment: Enrolment,
    rows: UpliftRows,
    money: MeasureFacts,
    effects: Mapping[str, Estimate],
    overlap: Overlap | None,
    *,
    trials: int,
    journals: Path | None,
    threads: int,
    progress: Progress,
) -> UpliftTraining:
    """The same from rows that are there; see `train_uplift`."""
    seed = history.settings.training.seed
    trees, judged = _tuned(history, enrolment, rows, trials, journals, threads, progress)
    cross = cross_fit(
        rows, tuple(LEARNERS), trees, seed=seed, threads=threads,
        on_fold=lambda done, of: progress(f"cross-fitting, part {done} of {of}"),
    )  # fmt: skip
    progress("comparing learners")
    clusters = None if rows.clusters is None else rows.clusters[judged]
    samples = HalfSamples.draw(int(judged.sum()), clusters, draws=SELECTION_DRAWS, seed=seed, threads=threads)
    selection = select([_only(repeat, judged) for repeat in cross.repeats], METRIC, samples=samples)
    chosen = selection.chosen if selection.proven else Constant.kind
    cross = cross.centred([effect.value for effect in effects.values()])
    ranking = _ranking(rows.arms[1:], cross, selection, judged, samples)
    progress(f"{chosen} on everyone")
    model = fit_served(rows, cross, chosen, trees, seed, tuple(effects.values()))
    if why := unsound(model.predict(rows.matrix)):
        raise TrainingDataError(f"{chosen}, fitted on everyone, cannot be served: {why}")
    calibrated = held_out_uplift(rows, cross, selection.chosen, selection.proven, seed)
    facts = _facts(history, enrolment, rows, money, selection, effects, overlap, ranking)
    return UpliftTraining(
        history, enrolment, rows, cross, judged, selection, chosen, calibrated, dict(effects),
        _metrics(selection, ranking, effects), _bundle(history, enrolment, model, facts), trees, overlap,
    )  # fmt: skip


def _tuned(
    history: History,
    enrolment: Enrolment,
    rows: UpliftRows,
    trials: int,
    journals: Path | None,
    threads: int,
    progress: Progress,
) -> tuple[UpliftTrees, npt.NDArray[np.bool_]]:
    """How boosters are grown, and the customers on whom learners may be judged [n]."""
    settings = history.settings
    seed, trees = settings.training.seed, UpliftTrees()
    trees = UpliftTrees(replace(trees.outcome, seed=seed), replace(trees.effect, seed=seed))
    if not trials or journals is None:
        return trees, np.ones(len(rows), np.bool_)
    key = (history.fingerprint, history.features.fingerprint, enrolment.trial.name, question(settings))
    return tune_uplift(
        rows, trees, key, trials=trials, folder=journals, seed=seed, threads=threads,
        on_trial=lambda done, best: progress(f"tuning: trial {done} of {trials}, best {METRIC} {best:.4g}"),
    )  # fmt: skip


def _ranking(
    arms: Sequence[str],
    cross: CrossFit,
    selection: Selection,
    judged: npt.NDArray[np.bool_],
    samples: HalfSamples,
) -> dict[str, dict[str, Estimate]]:
    """The best learner's metrics of each arm by itself, by arm and name."""
    ranking: dict[str, dict[str, Estimate]] = {}
    for k, arm in enumerate(arms):
        repeats = [_one_arm(repeat, selection.chosen, judged, k) for repeat in cross.repeats]
        # As wide as among all learners: this one was chosen on these customers.
        alone = {
            metric: select(repeats, metric, samples=samples, level=selection.single_level)
            for metric in get_args(RankMetric)
        }
        ranking[arm] = {metric: selected.estimates[selection.chosen] for metric, selected in alone.items()}
    return ranking


def _metrics(
    selection: Selection,
    ranking: Mapping[str, Mapping[str, Estimate]],
    effects: Mapping[str, Estimate],
) -> dict[str, Estimate]:
    metrics = {f"{METRIC}_{kind}": estimate for kind, estimate in selection.estimates.items()}
    metrics[METRIC] = selection.estimates[selection.chosen]
    for arm, safe in zip(ranking, _metric_names(list(ranking)), strict=True):
        metrics |= {f"arm_{safe}_{metric}": estimate for metric, estimate in ranking[arm].items()}
        metrics[f"arm_{safe}_effect"] = effects[arm]
    return metrics


def _metric_names(arms: Sequence[str]) -> list[str]:
    """Arms as MLflow allows them in names, which is fewer characters than people use."""
    safe = [re.sub(r"[^\w.-]", "_", arm) for arm in arms]
    return [f"{name}_{k}" if safe.count(name) > 1 else name for k, name in enumerate(safe, 1)]


def compare_uplift(
    scores: Floats, a: Floats, b: Floats, clusters: npt.NDArray[np.intp] | None = None
) -> Comparison:
    """Does a rank worse than b? Doubly robust scores and predictions of the same customers, all [n, K]."""
    samples = HalfSamples.draw(len(scores), clusters, draws=SELECTION_DRAWS)
    selection = select([Repeat(scores, {"a": a, "b": b})], METRIC, samples=samples, cross_fitted=True)
    value = {name: estimate.value for name, estimate in selection.estimates.items()}
    [other] = selection.comparisons.values()
    if selection.chosen == "a":
        return other
    gap = other.difference
    return Comparison(value["a"], value["b"], Estimate(-gap.value, -gap.high, -gap.low), 1 - other.p_worse)


def _only(repeat: Repeat, rows: Any) -> Repeat:
    said: Mapping[str, Any] = {
        name: np.asarray(priority)[rows] for name, priority in repeat.priorities.items()
    }
    return Repeat(np.asarray(repeat.scores)[rows], said, np.asarray(repeat.fold)[rows])


def _one_arm(repeat: Repeat, kind: str, rows: Any, arm: int) -> Repeat:
    said = {kind: np.asarray(repeat.priorities[kind])[rows][:, [arm]]}
    return Repeat(np.asarray(repeat.scores)[rows][:, [arm]], said, np.asarray(repeat.fold)[rows])


def _facts(
    history: History,
    enrolment: Enrolment,
    rows: UpliftRows,
    money: MeasureFacts,
    selection: Selection,
    effects: Mapping[str, Estimate],
    overlap: Overlap | None,
    ranking: Mapping[str, Mapping[str, Estimate]],
) -> UpliftFacts:
    settings, trial = history.settings, enrolment.trial
    costs = settings.uplift.costs
    return UpliftFacts(
        currency=settings.currency,
        timezone=settings.timezone,
        outputs=rows.arms[1:],
        data_until=wall_clock(history.end),
        judged_at=wall_clock(int(trial.assigned_at.max())),
        span_days=horizon_days(settings),
        ledger=settings.tables["orders"].derived_from,
        experiment=trial.name,
        control=rows.arms[0],
        question=question(settings),
        customers=trial.sizes,
        observational=not trial.randomised,
        smallest_propensity=float(rows.propensity.min()) if overlap is None else overlap.smallest,
        learner=selection.chosen,
        proven=selection.proven,
        p_better=selection.p_better[selection.chosen],
        level=LEVEL,
        winsorised=(money.low, money.high),
        effects=effects,
        costs={arm: float(costs.get(arm, 0.0)) for arm in rows.arms[1:]},
        ranking=ranking,
    )


def _bundle(history: History, enrolment: Enrolment, model: UpliftModel, facts: UpliftFacts) -> Bundle:
    matrix = enrolment.matrix
    spread = np.linspace(0, len(matrix) - 1, min(CANARIES, len(matrix))).astype(int)
    canary = matrix.take(spread)
    bound = {table: tuple(columns) for table, columns in history.bound.items()}
    return Bundle(UPLIFT, model, history.features, bound, facts.to_dict(), canary, model.predict(canary))
