"""An experiment read from bound tables: measures made, effects read, the long term added."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq

from evaluation.effects.returns import Calibration, calibration
from evaluation.effects.winsor import winsorise
from evaluation.estimate import Estimate
from evaluation.experiments import measures as made
from evaluation.experiments.enrolment import Enrolment, enrol, horizon_days, question
from evaluation.experiments.measures import facts
from evaluation.experiments.reading import Reading
from evaluation.experiments.records import Readout, Warned, verdict
from evaluation.experiments.targeting import Ahead, UpliftReading
from evaluation.uplift.curves import Curve, qini_curve, toc_curve
from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.policy import choose, thresholds
from evaluation.uplift.policy_value import gain_curve, policy_test
from evaluation.uplift.selection import CROSS_FITTED
from features.binding.tables import Tables
from features.catalogue.orders import ORDERED
from features.engine.compute import compute
from features.engine.observations import Observations, wall_clock
from features.errors import ExperimentError, ModelError
from features.history import History
from features.types import DAY, Floats
from training.expected import expected_margin
from training.tracking import CHAMPION, Tracker, hashed
from training.uplift.learning import LEARNERS
from training.uplift.propensity import estimate_propensity
from training.uplift.register import HELD_OUT
from training.uplift.train import METRIC, UPLIFT

Progress = Callable[[str], None]


def read_experiment(
    tables: Tables,
    history: History,
    tracker: Tracker,
    experiment: str | None = None,
    *,
    level: float = 0.95,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Readout:
    """Read one experiment.

    Args:
        tables: The bound tables.
        history: Of the same tables.
        tracker: Where the LTV champion and uplift models are, if there are any.
        experiment: Its id; the only one where there is only one.
        level: Nominal coverage of all intervals.
        threads: Worker threads.
        progress: Told each step in plain words.

    Raises:
        ExperimentError: The experiment cannot be read: no such one, no control, control too small, or
            arms that nobody drew and that hardly anyone could have been in.
    """
    settings, days = history.settings, horizon_days(history.settings)
    progress("features before the assignments")
    enrolment = enrol(tables, history, experiment, days=days, threads=threads)
    trial = enrolment.trial
    if not trial.randomised and not enrolment.designed:
        progress("propensities")
        overlap = estimate_propensity(trial, enrolment.matrix, seed=settings.training.seed)
        trial = replace(trial, propensity=overlap.propensity)
    reading = Reading(trial, enrolment.checkable, level, settings.training.seed)
    arms, small = reading.readable()
    progress("measures")
    expected_ahead = expected_margin(history, enrolment, days)
    measured = made.measures(tables, history, enrolment, days, expected_ahead)
    found, told = zip(*map(facts, measured), strict=True)
    primary = next(each for each in found if each.name == made.PRIMARY)
    ratio = reading.ratio()
    blocked = ratio is not None and ratio.broken
    progress("effects")
    after, calibrated, unused = (
        (None, None, None) if blocked else _after(history, tracker, enrolment, days, threads)
    )
    # Numbers of groups that are not comparable would be believed all the same, so there are none.
    arms_read = [] if blocked else arms
    effects = reading.effects(found, arms_read, made.PRIMARY, after=after, calibrated=calibrated)
    before, _ = facts(made.margin_before(history, enrolment, days))
    expected = primary.before[:, -1] if primary.before is not None else primary.value
    dimensions = made.segments(enrolment, expected)
    progress("segments")
    by_segment = reading.segments(primary, arms_read, dimensions)
    progress("time course")
    grown = {day: winsorise(value).value for day, value in made.grown(history, enrolment, days).items()}
    attrition = (reading.attrition(each) for each in found)
    costs = settings.uplift.costs
    lasting = [] if after is None else reading.returns(primary, arms_read, costs, after, calibrated)
    return Readout(
        project=settings.name,
        experiment=trial.name,
        currency=settings.currency,
        timezone=settings.timezone,
        arms=trial.arms,
        sizes=trial.sizes,
        first=wall_clock(int(trial.assigned_at.min())),
        last=wall_clock(int(trial.assigned_at.max())),
        data_until=wall_clock(history.end),
        horizon_days=days,
        level=level,
        randomised=trial.randomised,
        ratio=ratio,
        primary=made.PRIMARY,
        measures=tuple(told),
        effects=tuple(effects),
        before=tuple(reading.effects([before], arms, made.PRIMARY)),
        segments=tuple(by_segment),
        course=tuple(reading.course(grown, arms_read, primary.before)),
        looks=reading.looks(primary, arms_read),
        returns=tuple(reading.returns(primary, arms_read, costs)),
        lasting=tuple(lasting),
        verdict=verdict(effects, made.PRIMARY, ratio, level),
        warnings=(
            *enrolment.warnings,
            *small,
            *(each for each in (*attrition, unused) if each is not None),
        ),
        made=datetime.now(ZoneInfo(settings.timezone)),
        uplift=None if blocked else _uplift(history, tracker, enrolment, dimensions["value"]),
    )


def _after(
    history: History, tracker: Tracker, enrolment: Enrolment, days: int, threads: int
) -> tuple[Floats | None, Calibration | None, Warned | None]:
    """LTV predicted at each customer's horizon for what comes after, discounted to the assignment.

    And how such predictions of the same model did out of time; a warning instead where there is an
    LTV champion that does not serve for that.
    """
    champion = tracker.holding("ltv", CHAMPION)
    if champion is None:
        return None, None, None
    try:
        # Not the one that is served: it has seen what came after, and the record below is of this one.
        bundle = tracker.bundle(champion, "rehearsed")
        record = tracker.record(champion)
        if bundle.fingerprint != history.features.fingerprint:
            return None, None, _unused(champion.number, enrolment, "its features are not those of today")
        # Largest outcomes are brought in as in every effect: one account must not turn the slope.
        calibrated = calibration(record.prediction[:, 0], winsorise(record.actual[:, 0]).value)
    except (ModelError, ExperimentError, OSError) as error:
        return None, None, _unused(champion.number, enrolment, str(error))
    now = enrolment.observations
    then = Observations(now.customers, now.cutoffs + days * DAY)
    matrix = compute(history.features, history.store.streams, then, threads=threads)
    ordered = matrix.column(ORDERED) > 0
    found = np.zeros(len(matrix))
    found[ordered] = bundle.model.predict(matrix.take(ordered))
    rate_ = history.settings.ltv.discount_rate
    later = (1 + rate_) ** (-days / 365.25)
    # Discounting the prediction discounts what it is off by as well.
    shrink = np.array([later, 1.0])
    calibrated = replace(
        calibrated,
        intercept=calibrated.intercept * later,
        covariance=calibrated.covariance * np.outer(shrink, shrink),
    )
    return winsorise(found * later).value, calibrated, None


def _unused(number: int, enrolment: Enrolment, why: str) -> Warned:
    return Warned(
        "no_long_term", len(enrolment.trial), str(number),
        f"LTV after the horizon is not predicted, because version {number}, the champion, cannot do it: {why}; "
        "train and promote LTV again",
    )  # fmt: skip


def _uplift(
    history: History,
    tracker: Tracker,
    enrolment: Enrolment,
    segments: np.ndarray[tuple[int], np.dtype[np.str_]],
) -> UpliftReading | None:
    """The newest uplift model of this experiment and this data, on customers it had not seen."""
    name = enrolment.trial.name
    versions = [
        version for version in tracker.versions(UPLIFT)
        if version.tags.get("experiment") == name
        and version.tags.get("data_fingerprint") == history.fingerprint
    ]  # fmt: skip
    if not versions:
        return None
    version = versions[0]
    try:
        facts_ = tracker.bundle(version).facts
    except ModelError:
        # Trained on features that are computed otherwise now, or altered: it cannot be served either.
        return None
    if facts_["question"] != question(history.settings):
        # It answers another question than this page does.
        return None
    table = pq.read_table(tracker.artifact(version, HELD_OUT))
    ids = hashed(history.ids(enrolment.observations).tolist(), history.settings.name)
    place = {each: k for k, each in enumerate(ids)}
    here = [place[each] for each in table["customer"].to_pylist() if each in place]
    arms = tuple(facts_["outputs"])
    if len(here) != len(table):
        return None
    scores, said, calibrated = (
        np.column_stack([table[f"{word}_{k}"].to_numpy() for k in range(len(arms))])
        for word in ("score", "said", "calibrated")
    )
    clusters = None if enrolment.trial.clusters is None else enrolment.trial.clusters[here]
    costs = history.settings.uplift.costs
    cost = np.array([float(costs.get(arm, 0.0)) for arm in arms])
    samples = HalfSamples.draw(len(scores), clusters)
    gain, choice = gain_curve(calibrated, cost, scores, samples=samples), choose(calibrated, cost)
    proven = bool(facts_["proven"])
    best = int((calibrated - cost).mean(axis=0).argmax())
    ahead = None
    if proven and (calibrated[:, best] - cost[best]).mean() > 0:
        # The best of several arms is partly the luckiest: as wide as so many arms need (Bonferroni).
        everyone = np.full(len(choice), best)
        found = policy_test(scores, choice, everyone, cost, clusters=clusters, level=1 - 0.05 / len(arms))
        ahead = Ahead(arms[best], _wider(found.difference))
    return UpliftReading(
        learner=facts_["learner"],
        proven=proven,
        p=float(facts_["p_better"]),
        qini={arm: Estimate(*found["qini"]) for arm, found in facts_["ranking"].items()},
        autoc={arm: Estimate(*found["autoc"]) for arm, found in facts_["ranking"].items()},
        learners={
            kind: version.metrics[f"{METRIC}_{kind}"] for kind in LEARNERS if f"{METRIC}_{kind}" in version.metrics
        },
        toc={arm: _crossed(toc_curve(scores[:, k], said[:, k], samples=samples)) for k, arm in enumerate(arms)},
        curves={arm: _crossed(qini_curve(scores[:, k], said[:, k], samples=samples)) for k, arm in enumerate(arms)},
        # Where nothing is proven the policy is the best arm for everyone.
        gain=replace(gain, policy=_crossed(gain.policy) if proven else gain.constant),
        ahead=ahead,
        costs=dict(zip(arms, cost.tolist(), strict=True)),
        rules=thresholds(choice, calibrated, cost, segments[here], arms),
        version=version.number,
    )  # fmt: skip


def _crossed(curve: Curve) -> Curve:
    """A curve whose band allows for predictions of cross-fitted models, as the selection does."""
    low, high = (curve.value + CROSS_FITTED * (end - curve.value) for end in (curve.low, curve.high))
    return Curve(curve.at, curve.value, low, high)


def _wider(found: Estimate) -> Estimate:
    low, high = (found.value + CROSS_FITTED * (end - found.value) for end in (found.low, found.high))
    return Estimate(found.value, low, high)
