"""What a model card is made of: one training's answers on the customers it was judged on."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from evaluation.estimate import Comparison, Estimate
from evaluation.reports.charts import Axis
from evaluation.reports.words import Words
from features.engine.views import FeatureSet
from features.types import Floats

CardLabels = npt.NDArray[np.object_]
"""A word for each judged row, empty where unknown."""


@dataclass(frozen=True, eq=False)
class IntervalData:
    """Prediction intervals of the judged rows, made without the rows they are for.

    Args:
        level: Nominal coverage.
        low: Lower ends [n].
        high: Upper ends [n].
        covered: Share of rows inside.
    """

    level: float
    low: Floats
    high: Floats
    covered: Estimate


@dataclass(frozen=True, eq=False)
class CardData:
    """One training, as a model card shows it; n judged customers and K outputs.

    Args:
        task: ``ltv`` or ``churn``.
        project: Name of the project.
        currency: ISO 4217 code.
        trained_at: When the training ran, with its time zone.
        judged_at: The cutoff all candidates were judged at, wall clock.
        data_until: Midnight after the last order.
        span_days: Days of outcome that judging took.
        outputs: ``("ltv",)``, or one a horizon such as ``churn_30d``.
        chosen: Kind of the chosen candidate.
        actual: What happened [n, K].
        predictions: By kind [n, K].
        metrics: By kind and metric, each with its interval.
        metric: Name of the deciding metric.
        comparisons: The chosen candidate (a) against each other kind (b).
        refused: Why a kind could not be fitted.
        segments: By name of the segment, a label for each judged row [n], empty where unknown.
        importance: Features with their share of the gain, greatest first; may be empty.
        interval: Prediction intervals, if the task has any.
        features: What the candidates were fitted on.
        data_fingerprint: Of the data.
        champion: Number of the champion version, if there is one to compare with.
        champion_prediction: What it says of the judged rows [n, K].
    """

    task: str
    project: str
    currency: str
    trained_at: datetime
    judged_at: datetime
    data_until: datetime
    span_days: int
    outputs: tuple[str, ...]
    chosen: str
    actual: Floats
    predictions: dict[str, Floats]
    metrics: dict[str, dict[str, Estimate]]
    metric: str
    comparisons: dict[str, Comparison]
    refused: dict[str, str]
    segments: dict[str, CardLabels]
    importance: list[tuple[str, float]]
    interval: IntervalData | None
    features: FeatureSet
    data_fingerprint: str
    champion: int | None
    champion_prediction: Floats | None

    @property
    def prediction(self) -> Floats:
        """The chosen candidate's, [n, K]."""
        return self.predictions[self.chosen]


@dataclass(frozen=True)
class CardPage:
    """A training and the words it is told in.

    Args:
        card: One training.
        words: Of its page.
    """

    card: CardData
    words: Words

    @property
    def kinds(self) -> list[str]:
        """All kinds, the chosen one first."""
        return [self.card.chosen, *(kind for kind in self.card.predictions if kind != self.card.chosen)]

    def outcome(self, value: float | None) -> str:
        """An outcome or its prediction: money, or the share that leaves."""
        return self.words.money(value) if self.card.task == "ltv" else self.words.percent(value)

    def outcome_axis(self, title: str) -> Axis:
        """An axis of outcomes."""
        return Axis(title, self.words.amount_tick if self.card.task == "ltv" else self.words.share_tick)

    def horizon_title(self, output: str) -> str:
        """The heading over one output, empty where there is only one."""
        if self.card.task == "ltv":
            return ""
        return self.words("gain.horizon", horizon=self.words.horizon(output))
