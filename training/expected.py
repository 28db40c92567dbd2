"""What models that have not seen a customer expect of it, to adjust an experiment's effects by."""

from evaluation.experiments.enrolment import Enrolment
from evaluation.experiments.measures import calm
from features.history import History
from features.types import Floats
from training.models.boosting import Trees
from training.models.outcomes import form_of, held_out


def expected_margin(history: History, enrolment: Enrolment, days: int) -> Floats:
    """Margin over the horizon that features before the assignment let expect, [n], cross-fitted.

    Args:
        history: Where margin is looked up.
        enrolment: The experiment's customers.
        days: The horizon.
    """
    matrix = enrolment.matrix
    money = calm(history.money(enrolment.observations, days))
    return held_out(
        matrix.values, money, matrix.names, tuple(matrix.categories), Trees(rounds=75, learning_rate=0.08),
        form_of(money), seed=history.settings.training.seed, clusters=enrolment.trial.clusters,
    )  # fmt: skip
