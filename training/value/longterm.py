"""What customers of an experiment are worth after its horizon: LTV as the champion predicts it there."""

from dataclasses import replace

import numpy as np

from evaluation.effects.returns import Surrogate, calibration
from evaluation.effects.winsor import winsorise
from evaluation.experiments.enrolment import Enrolment
from evaluation.experiments.records import Warned
from features.catalogue.orders import ORDERED
from features.engine.compute import compute
from features.engine.observations import Observations
from features.errors import ExperimentError, ModelError
from features.history import History
from features.types import DAY
from training.tracking import CHAMPION, Tracker


def predict_long_term(
    history: History, tracker: Tracker, enrolment: Enrolment, days: int, threads: int = 1
) -> Surrogate | Warned | None:
    """LTV predicted at each customer's horizon for what comes after, discounted to the assignment.

    Args:
        history: What features are computed from.
        tracker: Where the LTV champion is, if there is one.
        enrolment: The experiment's customers.
        days: The horizon.
        threads: Worker threads.

    Returns:
        A warning where there is an LTV champion that does not serve for that; None where there is none.
    """
    champion = tracker.holding("ltv", CHAMPION)
    if champion is None:
        return None
    try:
        # Not the one that is served: it has seen what came after, and the record below is of this one.
        bundle = tracker.bundle(champion, "rehearsed")
        record = tracker.record(champion)
        if bundle.fingerprint != history.features.fingerprint:
            return _unused(champion.number, enrolment, "its features are not those of today")
        # Largest outcomes are brought in as in every effect: one account must not turn the slope.
        line = calibration(record.prediction[:, 0], winsorise(record.actual[:, 0]).value)
    except (ModelError, ExperimentError, OSError) as error:
        return _unused(champion.number, enrolment, str(error))
    now = enrolment.observations
    then = Observations(now.customers, now.cutoffs + days * DAY)
    matrix = compute(history.features, history.store.streams, then, threads=threads)
    ordered = matrix.column(ORDERED) > 0
    value = np.zeros(len(matrix))
    value[ordered] = bundle.model.predict(matrix.take(ordered))
    later = (1 + history.settings.ltv.discount_rate) ** (-days / 365.25)
    # Discounting the prediction discounts what it is off by as well.
    shrink = np.array([later, 1.0])
    line = replace(
        line, intercept=line.intercept * later, covariance=line.covariance * np.outer(shrink, shrink)
    )
    return Surrogate(winsorise(value * later).value, line)


def _unused(number: int, enrolment: Enrolment, why: str) -> Warned:
    return Warned(
        "no_long_term", len(enrolment.trial), str(number),
        f"LTV after the horizon is not predicted, because version {number}, the champion, cannot do it: {why}; "
        "train and promote LTV again",
    )  # fmt: skip
