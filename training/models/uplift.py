"""What can predict uplift: meta-learners as models, ready to be served.

Every learner gives a score, its estimate of each arm's effect on each customer. What is served is
the calibrated score: for customers with such a score, what the effect was on average, in currency,
with an interval.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from features.engine.matrix import FeatureMatrix
from features.errors import ChecksumError
from features.types import Floats
from training.models.outcomes import expected
from training.models.servable import Parts, PartsModel

UPLIFT = "uplift"
"""The task's name in the registry and in what servers read."""

_MAX_WORDS = 12
"""A column of more categories than this has too few rows of each for a linear model."""


@dataclass(frozen=True, eq=False)
class Bands:
    """Calibrated uplift of n customers in K arms.

    Args:
        value: [n, K], in currency (or the outcome's own unit).
        low: Lower ends of the interval of the mean effect on customers with such a score, [n, K].
        high: Upper ends.
    """

    value: Floats
    low: Floats
    high: Floats


class UpliftModel(PartsModel):
    """Effect of each arm against control.

    ``parameters`` always has ``arms``, the names of the K arms without control, and ``calibration``,
    by arm the knots of a piecewise linear map from score to value, low and high; None before it is
    calibrated. ``proven`` says whether the ranking of customers was better than treating everyone
    the same.
    """

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms without control, K of them."""
        return tuple(self.parameters["arms"])

    @property
    def proven(self) -> bool:
        """Whether who is treated was shown to matter."""
        return bool(self.parameters.get("proven", False))

    @abstractmethod
    def score(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """The learner's own estimate, [n, K], before calibration."""

    def combine(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """Calibrated uplift, [n, K]."""
        return self.bands(matrix, raw).value

    def bands(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Bands:
        """Calibrated uplift with its interval."""
        score = self.score(matrix, raw)
        calibration = self.parameters["calibration"]
        if calibration is None:
            unknown = np.full_like(score, np.nan)
            return Bands(score, unknown, unknown)
        value, low, high = (
            np.column_stack([
                np.interp(score[:, k], calibration[arm]["score"], calibration[arm][part]) for k, arm in enumerate(self.arms)
            ])
            for part in ("value", "low", "high")
        )  # fmt: skip
        return Bands(value, low, high)

    def with_parameters(self, **changes: Any) -> Self:
        """The same model with some parameters changed, such as ``calibration``."""
        return type(self)(self.columns, self.categories, self.boosters, {**self.parameters, **changes})

    def outcome(self, prefix: str, raw: Mapping[str, Floats], n: int, suffix: str = "") -> Floats:
        """Expected outcome of the part of the model with this prefix, [n]."""
        start = f"{prefix}_"
        mine = {
            call.removeprefix(start).removesuffix(suffix): values
            for call, values in raw.items()
            if call.startswith(start) and call.endswith(suffix)
        }
        return expected(self.parameters["outcomes"][prefix], mine, n)

    def scale(self, raw: Mapping[str, Floats], n: int) -> Floats:
        """What relative effects are multiplied with, [n]: the expected outcome, but not too little."""
        floor = self.parameters.get("floor")
        return np.ones(n) if floor is None else np.maximum(self.outcome("pooled", raw, n), floor)


class SLearner(UpliftModel):
    """One outcome model that knows the arm; the effect is what changing the arm changes (S-learner)."""

    kind: ClassVar[str] = "s_learner"

    @property
    def calls(self) -> dict[str, str]:
        """Each booster is asked once for every arm, control among them."""
        return {f"{name}@{k}": name for name in self.boosters for k in range(len(self.arms) + 1)}

    def inputs(self, matrix: FeatureMatrix) -> dict[str, Floats]:
        """Features with the arm as 0/1 columns, one of them 1 (none for control)."""
        values = self.view(matrix).values
        with_arm = [
            in_arm(values, np.full(len(values), k), len(self.arms)) for k in range(len(self.arms) + 1)
        ]
        return {call: with_arm[int(call.rpartition("@")[2])] for call in self.calls}

    def score(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """Expected outcome in each arm less that in control."""
        outcomes = [self.outcome("single", raw, len(matrix), f"@{k}") for k in range(len(self.arms) + 1)]
        return np.column_stack([treated - outcomes[0] for treated in outcomes[1:]])


def in_arm(values: Floats, arm: Any, arms: int) -> Floats:
    """Features [n, p] with one 0/1 column for each of K arms appended, [n, p + K]."""
    return np.hstack([values, (np.asarray(arm)[:, None] == np.arange(1, arms + 1)).astype(np.float64)])


class TLearner(UpliftModel):
    """One outcome model an arm (T-learner)."""

    kind: ClassVar[str] = "t_learner"

    def score(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """Difference of the arms' expected outcomes."""
        outcomes = [self.outcome(f"arm{k}", raw, len(matrix)) for k in range(len(self.arms) + 1)]
        return np.column_stack([treated - outcomes[0] for treated in outcomes[1:]])


class XLearner(UpliftModel):
    """Effects imputed for both arms from the other one's outcome model (Künzel and others 2019)."""

    kind: ClassVar[str] = "x_learner"

    def score(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """Imputed effects, weighted by the propensity."""
        shares: list[float] = self.parameters["shares"]
        scale = self.scale(raw, len(matrix))
        return np.column_stack([
            scale * (e * raw[f"untreated{k}"] + (1 - e) * raw[f"treated{k}"]) for k, e in enumerate(shares, 1)
        ])  # fmt: skip


class EffectLearner(UpliftModel):
    """Learners whose last stage is one regression of the effect an arm."""

    def score(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """The regressions' answers."""
        scale = self.scale(raw, len(matrix))
        return np.column_stack([scale * raw[f"effect{k}"] for k in range(1, len(self.arms) + 1)])


class RLearner(EffectLearner):
    """Residual on residual (Nie and Wager 2021)."""

    kind: ClassVar[str] = "r_learner"


class DrLearner(EffectLearner):
    """Regression of doubly robust scores (Kennedy 2023)."""

    kind: ClassVar[str] = "dr_learner"


class LinearLearner(UpliftModel):
    """Ridge regression of doubly robust scores on standardised features."""

    kind: ClassVar[str] = "linear"

    def score(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:
        """Linear in the features' signed logarithms."""
        x = standardised(self.view(matrix), self.parameters["standard"])
        weights = np.asarray(self.parameters["weights"])
        # Row by row and not by BLAS, whose sums depend on how many rows are asked for at once.
        linear = np.column_stack([(x * row[1:]).sum(axis=1) + row[0] for row in weights])
        return np.asarray(self.scale(raw, len(matrix))[:, None] * linear)


def standard_of(matrix: FeatureMatrix) -> dict[str, Any]:
    """How `standardised` scales the columns of a matrix."""
    columns, words = [], []
    for name in matrix.names:
        if name in matrix.categories:
            if len(matrix.categories[name]) <= _MAX_WORDS:
                words.append([name, len(matrix.categories[name])])
            continue
        logs = signed_log(matrix.column(name))
        known = logs[~np.isnan(logs)]
        if len(known) < 2 or not known.std() > 0:
            continue
        low, high = np.quantile(known, [0.005, 0.995])
        inside = np.clip(known, low, high)
        if inside.std() > 0:
            columns.append([name, float(inside.mean()), float(inside.std()), float(low), float(high)])
    return {"columns": columns, "words": words}


def standardised(matrix: FeatureMatrix, standard: Mapping[str, Any]) -> Floats:
    """Features as signed logarithms, centred and scaled; categories as 0/1; missing as the mean.

    Args:
        matrix: Features.
        standard: ``mean``, ``spread`` and ``low`` and ``high`` limits by numeric column, in order.
    """
    columns = []
    for name, mean, spread, low, high in standard["columns"]:
        logs = signed_log(matrix.column(name))
        filled = np.where(np.isnan(logs), mean, np.clip(logs, low, high))
        columns.append((filled - mean) / spread)
    for name, words in standard["words"]:
        codes = matrix.column(name)
        columns += [(codes == code).astype(np.float64) for code in range(words)]
    if not columns:
        return np.zeros((len(matrix), 0))
    return np.ascontiguousarray(np.column_stack(columns), dtype=np.float64)


def signed_log(values: Floats) -> Floats:
    """sign(v) log(1 + |v|)."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


class Constant(UpliftModel):
    """Every customer alike: what is left when no learner ranks better than that."""

    kind: ClassVar[str] = "constant"

    def score(self, matrix: FeatureMatrix, raw: Mapping[str, Floats]) -> Floats:  # noqa: ARG002
        """Each arm's mean effect."""
        return np.tile(np.asarray(self.parameters["effects"], dtype=np.float64), (len(matrix), 1))


UPLIFT_MODELS: dict[str, type[UpliftModel]] = {
    c.kind: c for c in (SLearner, TLearner, XLearner, RLearner, DrLearner, LinearLearner, Constant)
}
"""Models by kind."""


def uplift_from_parts(parts: Parts) -> UpliftModel:
    """Any uplift model from its parts.

    Raises:
        ChecksumError: The kind is not known, or the parts are not complete.
    """
    kind = parts.document.get("kind")
    if kind not in UPLIFT_MODELS:
        raise ChecksumError(f"{kind!r} is not an uplift model; those are {', '.join(UPLIFT_MODELS)}")
    return UPLIFT_MODELS[kind].from_parts(parts)
