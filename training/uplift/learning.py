"""Learning uplift: the meta-learners on LightGBM, and what they share.

Effects on money are learnt relative to the expected outcome: a large account's money scatters more,
and one squared error over all accounts would hear the few largest only. So pseudo-outcomes are
divided by the expected outcome of all arms together, regressed with equal weights, and multiplied
back. Yes-or-no outcomes and light-tailed ones are learnt as they are.
"""

from collections.abc import Callable
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from lightgbm import Booster

from evaluation.uplift.doubly_robust import aipw
from features.engine.matrix import FeatureMatrix
from features.types import Floats
from training.models.boosting import TrainingRows, fit_booster
from training.models.outcomes import Outcome, fit_outcome, held_out, whole
from training.models.uplift import (
    DrLearner,
    LinearLearner,
    RLearner,
    SLearner,
    TLearner,
    UpliftModel,
    XLearner,
    in_arm,
    standard_of,
    standardised,
)
from training.uplift.rows import UpliftRows, UpliftTrees

_INNER = 3
_FLOOR = 0.25
"""Effects are relative to the expected outcome, or to this share of its mean where it is less."""
_TAIL = 0.005
_ANCHORS = 2
_ANCHOR_TAIL = 0.001


class Learning:
    """All learners over the same rows, sharing what they have in common.

    Args:
        rows: What is learnt from.
        trees: How boosters are grown.
        seed: Of the inner folds.
    """

    def __init__(self, rows: UpliftRows, trees: UpliftTrees, seed: int = 7) -> None:
        self.rows, self.trees, self._seed = rows, trees, seed
        self._values, self._names = rows.matrix.values, rows.matrix.names
        self._categorical = tuple(rows.matrix.categories)

    def fit(self, kind: str) -> UpliftModel:
        """Fit one learner, not calibrated yet.

        Raises:
            TrainingDataError: The rows cannot support it.
        """
        return LEARNERS[kind](self)

    def fitted(self, matrix: FeatureMatrix) -> Floats:
        """Expected outcome of other rows in every arm, [n, K + 1]: what doubly robust scores start from."""
        values = matrix.select(self._names).recode(self.rows.matrix.categories).values
        if not self.rows.randomised:
            return np.column_stack([outcome.predict(values) for outcome in self._arm_outcomes])
        pooled = self._pooled.predict(values)
        scale = np.ones(len(values)) if self._floor is None else np.maximum(pooled, self._floor)
        return self._anchored(pooled, values)[:, None] + scale[:, None] * self._shift

    def _outcome(self, rows: npt.NDArray[Any] | slice, values: Floats | None = None) -> Outcome:
        values = self._values if values is None else values
        arms = tuple(f"arm_{k}" for k in range(1, values.shape[1] - len(self._names) + 1))
        return fit_outcome(
            values[rows], self.rows.outcome[rows], (*self._names, *arms), self._categorical,
            self.trees.outcome, self.rows.form,
        )  # fmt: skip

    @cached_property
    def _arm_outcomes(self) -> list[Outcome]:
        return [self._outcome(self.rows.arm == k) for k in range(len(self.rows.arms))]

    @cached_property
    def _pooled(self) -> Outcome:
        return self._outcome(slice(None))

    @cached_property
    def _inner(self) -> Floats:
        """Expected outcome in every arm, each row by models that have not seen it, [n, K + 1].

        Where arms were drawn, one outcome model serves all of them: scores are unbiased whatever it
        says, and the rows of all arms make it better than one for each.
        """
        rows, arms = self.rows, len(self.rows.arms)
        if rows.randomised:
            predictions = held_out(
                self._values, rows.outcome, self._names, self._categorical, self.trees.outcome, rows.form,
                folds=_INNER, seed=self._seed, clusters=rows.clusters,
            )  # fmt: skip
            return np.tile(predictions[:, None], (1, arms))
        fold = whole(rows.units, _INNER, self._seed)
        predictions = np.empty((len(rows), arms))
        for k, arm in product(range(_INNER), range(arms)):
            learnt = self._outcome((fold != k) & (rows.arm == arm))
            predictions[fold == k, arm] = learnt.predict(self._values[fold == k])
        return predictions

    @cached_property
    def _expected(self) -> Floats:
        """Expected outcome whatever the arm, [n]."""
        return np.asarray((self._inner * self.rows.propensity).sum(axis=1))

    @cached_property
    def _anchors(self) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
        """Columns that say most of an outcome in money, their limits [2, a], and least-squares weights.

        Trees cannot follow the largest accounts, whose next year is mostly their last one, and what is
        left unexplained of them would be most of the variance of the scores that learners are judged
        by: in simulated worlds of 5,000 and 30,000 accounts anchors took a third to a half of it away.
        Learners, who see effects relative to the expected outcome, do better without.
        """
        if not self.rows.relative or not self.rows.randomised:
            return np.zeros(0, np.intp), np.zeros((2, 0)), np.array([0.0, 1.0])
        numeric = [k for k, name in enumerate(self._names) if name not in self.rows.matrix.categories]
        values = np.nan_to_num(self._values[:, numeric])
        low, high = np.quantile(values, [_ANCHOR_TAIL, 1 - _ANCHOR_TAIL], axis=0)
        inside = np.clip(values, low, high)
        spread = inside.std(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            fit = np.abs(((inside - inside.mean(axis=0)) * self.rows.outcome[:, None]).mean(axis=0)) / spread
        best = np.argsort(-np.where(spread > 0, fit, -1.0), kind="stable")[:_ANCHORS]
        x = np.column_stack([np.ones(len(values)), self._inner[:, 0], inside[:, best]])
        weights = np.linalg.lstsq(x, self.rows.outcome, rcond=None)[0]
        limits: Floats = np.stack([low[best], high[best]])
        return np.array(numeric, np.intp)[best], limits, np.asarray(weights, dtype=np.float64)

    def _anchored(self, expected: Floats, values: Floats) -> Floats:
        columns, (low, high), weights = self._anchors
        anchors = np.clip(np.nan_to_num(values[:, columns]), low, high)
        return np.asarray(weights[0] + weights[1] * expected + (anchors * weights[2:]).sum(axis=1))

    @cached_property
    def _floor(self) -> float | None:
        if not self.rows.relative:
            return None
        return _FLOOR * max(float(self._expected.mean()), 1e-9 + float(np.abs(self._expected).mean()) / 10)

    @cached_property
    def _scale(self) -> Floats:
        return np.ones(len(self.rows)) if self._floor is None else np.maximum(self._expected, self._floor)

    @cached_property
    def _shift(self) -> Floats:
        """What each arm's outcomes lie above the expected ones on average, relative to the scale, [K + 1]."""
        arm, e = self.rows.arm, self.rows.propensity
        residual = (self.rows.outcome - self._inner[np.arange(len(arm)), arm]) / self._scale
        return np.array([
            np.average(residual[arm == k], weights=1 / e[arm == k, k]) for k in range(len(self.rows.arms))
        ])  # fmt: skip

    @cached_property
    def _scores(self) -> Floats:
        """Doubly robust scores relative to the scale, [n, K]."""
        fitted = self._inner + self._scale[:, None] * self._shift
        scores = aipw(self.rows.outcome, self.rows.arm, self.rows.propensity, fitted)
        return np.asarray(scores / self._scale[:, None])

    def _parameters(self, **more: Any) -> dict[str, Any]:
        return {"arms": list(self.rows.arms[1:]), "calibration": None, "proven": False, **more}

    def _with_scale(self) -> tuple[dict[str, Booster], dict[str, Any]]:
        if self._floor is None:
            return {}, {"outcomes": {}, "floor": None}
        boosters, outcomes = _prefixed({"pooled": self._pooled})
        return boosters, {"outcomes": outcomes, "floor": self._floor}

    def _made(
        self, learner: type[UpliftModel], boosters: dict[str, Booster], parameters: dict[str, Any]
    ) -> UpliftModel:
        categories = dict(self.rows.matrix.categories)
        return learner(self._names, categories, boosters, self._parameters(**parameters))

    def _effect(
        self, target: Floats, rows: npt.NDArray[Any] | slice = slice(None), weight: Floats | None = None
    ) -> Booster:
        """A small regression of an effect, its extreme targets brought in: calibration puts the level right."""
        # The limits keep the mean effect's scale, and a handful of rows from being all there is.
        low, high = np.quantile(target, [_TAIL, 1 - _TAIL])
        clipped = TrainingRows(self._values[rows], np.clip(target, low, high), weight)
        return fit_booster(
            "regression", clipped, self._names, self.trees.effect, categorical=self._categorical
        )

    def s_learner(self) -> UpliftModel:
        """One outcome model that knows the arm."""
        arms = len(self.rows.arms) - 1
        single = self._outcome(slice(None), in_arm(self._values, self.rows.arm, arms))
        boosters, outcomes = _prefixed({"single": single})
        return self._made(SLearner, boosters, {"outcomes": outcomes})

    def t_learner(self) -> UpliftModel:
        """One outcome model an arm."""
        boosters, outcomes = _prefixed({f"arm{k}": outcome for k, outcome in enumerate(self._arm_outcomes)})
        return self._made(TLearner, boosters, {"outcomes": outcomes})

    def x_learner(self) -> UpliftModel:
        """Effects imputed from the other arm's outcome model, regressed in both arms."""
        arm, y, scale = self.rows.arm, self.rows.outcome, self._scale
        boosters, parameters = self._with_scale()
        control = arm == 0
        shares = []
        for k in range(1, len(self.rows.arms)):
            treated = arm == k
            gained = (y[treated] - self._arm_outcomes[0].predict(self._values[treated])) / scale[treated]
            missed = (self._arm_outcomes[k].predict(self._values[control]) - y[control]) / scale[control]
            boosters[f"treated{k}"] = self._effect(gained, treated)
            boosters[f"untreated{k}"] = self._effect(missed, control)
            e = self.rows.propensity
            shares.append(float(e[:, k].mean() / (e[:, k].mean() + e[:, 0].mean())))
        return self._made(XLearner, boosters, {**parameters, "shares": shares})

    def r_learner(self) -> UpliftModel:
        """Residual outcome on residual treatment, each arm against control."""
        arm = self.rows.arm
        boosters, parameters = self._with_scale()
        residual = (self.rows.outcome - self._expected) / self._scale
        for k in range(1, len(self.rows.arms)):
            rows = (arm == 0) | (arm == k)
            e = self.rows.propensity[rows]
            share = e[:, k] / (e[:, k] + e[:, 0])
            treatment = (arm[rows] == k) - share
            # What both arms of the pair have in common is not in the pooled model's residual.
            rest = residual[rows] - np.average(residual[rows], weights=1 / e[np.arange(len(e)), arm[rows]])
            boosters[f"effect{k}"] = self._effect(rest / treatment, rows, treatment**2)
        return self._made(RLearner, boosters, parameters)

    def dr_learner(self) -> UpliftModel:
        """Doubly robust scores on features."""
        boosters, parameters = self._with_scale()
        for k in range(1, len(self.rows.arms)):
            boosters[f"effect{k}"] = self._effect(self._scores[:, k - 1])
        return self._made(DrLearner, boosters, parameters)

    def linear(self) -> UpliftModel:
        """Ridge regression of doubly robust scores, the penalty by generalised cross-validation."""
        from sklearn.linear_model import RidgeCV

        boosters, parameters = self._with_scale()
        standard = standard_of(self.rows.matrix)
        x = standardised(self.rows.matrix, standard)
        target = np.clip(self._scores, *np.quantile(self._scores, [_TAIL, 1 - _TAIL], axis=0))
        # Penalties from next to none to everything: a correlation seen in n rows weighs n.
        ridge = RidgeCV(alphas=len(x) * np.logspace(-3, 3, 13), alpha_per_target=True).fit(x, target)
        weights = np.column_stack([ridge.intercept_, np.atleast_2d(ridge.coef_)]).tolist()
        return self._made(LinearLearner, boosters, {**parameters, "standard": standard, "weights": weights})


LEARNERS: dict[str, Callable[[Learning], UpliftModel]] = {
    "s_learner": Learning.s_learner,
    "t_learner": Learning.t_learner,
    "x_learner": Learning.x_learner,
    "r_learner": Learning.r_learner,
    "dr_learner": Learning.dr_learner,
    "linear": Learning.linear,
}
"""Learners by kind."""


def _prefixed(outcomes: dict[str, Outcome]) -> tuple[dict[str, Booster], dict[str, Any]]:
    boosters = {
        f"{prefix}_{name}": booster
        for prefix, outcome in outcomes.items()
        for name, booster in outcome.boosters.items()
    }
    return boosters, {prefix: dict(outcome.numbers) for prefix, outcome in outcomes.items()}
