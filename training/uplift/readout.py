"""Whom to treat: what the newest uplift model of an experiment says in its readout."""

from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from evaluation.estimate import Estimate
from evaluation.experiments.enrolment import Enrolment, question
from evaluation.experiments.records import Warned
from evaluation.experiments.targeting import Ahead, UpliftReading
from evaluation.uplift.curves import Curve, qini_curve, toc_curve
from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.policy import choose, thresholds
from evaluation.uplift.policy_value import gain_curve, policy_test
from evaluation.uplift.selection import CROSS_FITTED
from features.errors import ModelError
from features.history import History
from features.types import Floats
from training.models.uplift import UPLIFT
from training.tracking import Tracker, hashed
from training.uplift.record import UpliftRecord

End = TypeVar("End", float, Floats)


def read_uplift(
    history: History, tracker: Tracker, enrolment: Enrolment, segments: npt.NDArray[np.str_]
) -> UpliftReading | Warned | None:
    """The newest uplift model of this experiment and this data, on customers it had not seen.

    Args:
        history: Of the bound tables.
        tracker: Where uplift models are.
        enrolment: The experiment's customers.
        segments: Segment of each that the policy is told by [n].

    Returns:
        A warning where the experiment's models cannot be used; None where none was ever trained.
    """
    versions = [
        version for version in tracker.versions(UPLIFT)
        if version.tags.get("experiment") == enrolment.trial.name
    ]  # fmt: skip
    if not versions:
        return None
    version = next((v for v in versions if v.tags.get("data_fingerprint") == history.fingerprint), None)
    if version is None:
        return _unused(
            "uplift_data", versions[0].number, enrolment, "it was trained on other data than these"
        )
    try:
        record = UpliftRecord.read(tracker, version)
    except (ModelError, OSError) as error:
        # Trained on features that are computed otherwise now, or altered: it cannot be served either.
        return _unused("uplift_unreadable", version.number, enrolment, str(error))
    if record.facts.question != question(history.settings):
        why = "it answers another question than this page does"
        return _unused("uplift_question", version.number, enrolment, why)
    ids = hashed(history.ids(enrolment.observations).tolist(), history.settings.name)
    place = {customer: row for row, customer in enumerate(ids)}
    here = [place[customer] for customer in record.customers if customer in place]
    if len(here) != len(record.customers):
        strange = len(record.customers) - len(here)
        why = f"{strange} of the {len(record.customers)} customers it was judged on are not among these"
        return _unused("uplift_customers", version.number, enrolment, why)
    clusters = None if enrolment.trial.clusters is None else enrolment.trial.clusters[here]
    return _read(record, version.number, history.settings.uplift.costs, clusters, segments[here])


def _unused(code: str, number: int, enrolment: Enrolment, why: str) -> Warned:
    return Warned(
        code, len(enrolment.trial), str(number),
        f"whom to treat is not told, because version {number} of {UPLIFT} cannot say it: {why}; train {UPLIFT} again",
    )  # fmt: skip


def _read(
    record: UpliftRecord,
    number: int,
    costs: dict[str, float],
    clusters: npt.NDArray[np.intp] | None,
    segments: npt.NDArray[np.str_],
) -> UpliftReading:
    facts, arms, scores, said = record.facts, record.facts.outputs, record.score, record.said
    cost = np.array([float(costs.get(arm, 0.0)) for arm in arms])
    samples = HalfSamples.draw(len(scores), clusters)
    gain, choice = (
        gain_curve(record.calibrated, cost, scores, samples=samples),
        choose(record.calibrated, cost),
    )
    return UpliftReading(
        learner=facts.learner,
        proven=facts.proven,
        p=facts.p_better,
        qini={arm: metrics["qini"] for arm, metrics in facts.ranking.items()},
        autoc={arm: metrics["autoc"] for arm, metrics in facts.ranking.items()},
        learners=record.learners,
        toc={arm: _crossed(toc_curve(scores[:, k], said[:, k], samples=samples)) for k, arm in enumerate(arms)},
        curves={arm: _crossed(qini_curve(scores[:, k], said[:, k], samples=samples)) for k, arm in enumerate(arms)},
        # Where nothing is proven the policy is the best arm for everyone.
        gain=replace(gain, policy=_crossed(gain.policy) if facts.proven else gain.constant),
        ahead=_ahead(record, choice, cost, clusters),
        costs=dict(zip(arms, cost.tolist(), strict=True)),
        rules=thresholds(choice, record.calibrated, cost, segments, arms),
        version=number,
    )  # fmt: skip


def _ahead(
    record: UpliftRecord,
    choice: npt.NDArray[np.intp],
    cost: Floats,
    clusters: npt.NDArray[np.intp] | None,
) -> Ahead | None:
    """What choosing brings more than the best arm for everyone; None where nothing is proven or no arm pays."""
    arms, net = record.facts.outputs, (record.calibrated - cost).mean(axis=0)
    best = int(net.argmax())
    if not record.facts.proven or net[best] <= 0:
        return None
    # The best of several arms is partly the luckiest: as wide as so many arms need (Bonferroni).
    everyone = np.full(len(choice), best)
    test = policy_test(record.score, choice, everyone, cost, clusters=clusters, level=1 - 0.05 / len(arms))
    gain = test.difference
    return Ahead(arms[best], Estimate(gain.value, *_wider(gain.value, gain.low, gain.high)))


def _crossed(curve: Curve) -> Curve:
    return Curve(curve.at, curve.value, *_wider(curve.value, curve.low, curve.high))


def _wider(middle: End, low: End, high: End) -> tuple[End, End]:
    """An interval or a band that allows for predictions of cross-fitted models, as the selection does."""
    return middle + CROSS_FITTED * (low - middle), middle + CROSS_FITTED * (high - middle)
