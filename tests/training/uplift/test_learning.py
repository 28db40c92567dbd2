"""Learners' contract: causalml's with the same base learners say the same, and effects that are known are found."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from evaluation.uplift.doubly_robust import aipw
from features.engine.matrix import FeatureMatrix
from features.errors import TrainingDataError
from training.models.boosting import TrainingRows, Trees, fit_booster, raw_score
from training.models.outcomes import fit_outcome
from training.uplift.learning import LEARNERS, Learning
from training.uplift.rows import UpliftRows, UpliftTrees

NAMES = tuple(f"x{k}" for k in range(5))
TREES = UpliftTrees(
    Trees(rounds=30, learning_rate=0.1), Trees(rounds=20, learning_rate=0.1, leaves=4, l2=5.0)
)


def trial(n=900, seed=0, *, noise=1.0, effect=None, binary=False, arms=1, share=0.4):
    """Light-tailed money (or yes and no) that features tell of, and an effect of each arm."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(NAMES)))
    propensity = np.tile([1 - share, *[share / arms] * arms], (n, 1))
    arm = rng.choice(arms + 1, n, p=propensity[0])
    tau = (0.5 + 0.8 * x[:, 0]) if effect is None else effect(x)
    y = x[:, 1] + 0.5 * x[:, 2] + np.where(arm > 0, arm * tau, 0) + noise * rng.normal(size=n)
    if binary:
        y = (y > 0.3).astype(float)
    names = ("control", *(f"arm{k}" for k in range(1, arms + 1)))
    return UpliftRows(FeatureMatrix(NAMES, x), arm, propensity, y, names), tau


class Grown(BaseEstimator, RegressorMixin):
    """tokui's booster as a base learner of scikit-learn's manner.

    Args:
        trees: How it is grown.
        form: The outcome's; None is an effect, whose extreme half per cents are brought in.
        arm_first: Whether the first column is the arm, which tokui has last.
    """

    def __init__(self, trees, form=None, *, arm_first=False):
        self.trees, self.form, self.arm_first = trees, form, arm_first

    def _ordered(self, x):
        return np.ascontiguousarray(np.roll(x, -1, axis=1) if self.arm_first else x, dtype=np.float64)

    def fit(self, x, y, sample_weight=None):
        x = self._ordered(x)
        names = tuple(f"c{k}" for k in range(x.shape[1]))
        if self.form is None:
            rows = TrainingRows(x, np.clip(y, *np.quantile(y, [0.005, 0.995])), sample_weight)
            booster = fit_booster("regression", rows, names, self.trees)
            self.predict_ = lambda values: raw_score(booster, values)
        else:
            self.predict_ = fit_outcome(x, np.asarray(y, float), names, (), self.trees, self.form).predict
        return self

    def predict(self, x):
        return self.predict_(self._ordered(x))


class Told(BaseEstimator, RegressorMixin):
    """A base learner that learns nothing and knows an answer for each row."""

    def __init__(self, x=None, answer=None):
        self.x, self.answer = x, answer

    def fit(self, x, y, sample_weight=None):
        return self

    def predict(self, x):
        known = {row.tobytes(): value for row, value in zip(self.x, self.answer, strict=True)}
        return np.array([known[row.tobytes()] for row in np.asarray(x)])


@pytest.fixture(scope="module")
def meta():
    """causalml, whose imports warn of things that are not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import causalml.inference.meta as found
    return found


def taught(learner, rows, **more):
    """A causalml learner after it has seen the rows."""
    return learner.fit(rows.matrix.values, treatment=np.array(rows.arms)[rows.arm], y=rows.outcome, **more)


def said(kind, rows, new, trees=TREES):
    return Learning(rows, trees).fit(kind).predict(FeatureMatrix(NAMES, new))


@pytest.fixture(scope="module")
def new():
    return np.random.default_rng(99).normal(size=(300, len(NAMES)))


@pytest.mark.parametrize("binary", [False, True])
def test_s_learner_as_causalml(meta, new, binary):
    rows, _ = trial(binary=binary)
    learner = meta.BaseSRegressor(Grown(TREES.outcome, rows.form, arm_first=True), control_name="control")
    taught(learner, rows)
    assert rows.form == ("binary" if binary else "mean")
    assert said("s_learner", rows, new) == pytest.approx(learner.predict(new), abs=1e-9)


@pytest.mark.parametrize(("binary", "arms"), [(False, 1), (True, 1), (False, 2)])
def test_t_learner_as_causalml(meta, new, binary, arms):
    rows, _ = trial(binary=binary, arms=arms)
    learner = meta.BaseTRegressor(Grown(TREES.outcome, rows.form), control_name="control")
    taught(learner, rows)
    found = said("t_learner", rows, new)
    assert found.shape == (300, arms)
    assert found == pytest.approx(learner.predict(new), abs=1e-9)


@pytest.mark.parametrize("binary", [False, True])
def test_x_learner_as_causalml(meta, new, binary):
    rows, _ = trial(binary=binary)
    outcome, effect = Grown(TREES.outcome, rows.form), Grown(TREES.effect)
    learner = meta.BaseXRegressor(
        control_outcome_learner=outcome, treatment_outcome_learner=outcome,
        control_effect_learner=effect, treatment_effect_learner=effect, control_name="control",
    )  # fmt: skip
    p = rows.propensity[:, 1]
    taught(learner, rows, p=p)
    theirs = learner.predict(new, p=np.full(len(new), p[0]))
    assert said("x_learner", rows, new) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("binary", [False, True])
def test_r_learner_as_causalml_from_the_same_expected_outcomes(meta, new, binary):
    rows, _ = trial(binary=binary)
    x, p, learning = rows.matrix.values, rows.propensity[:, 1], Learning(rows, TREES)
    # Ours takes what is left on average out of the residuals as well; causalml's only the expected outcome.
    residual = rows.outcome - learning._expected
    expected = learning._expected + np.average(residual, weights=1 / np.where(rows.arm == 1, p, 1 - p))
    learner = meta.BaseRRegressor(
        outcome_learner=Told(x, expected), effect_learner=Grown(TREES.effect), control_name="control",
        random_state=0,
    )  # fmt: skip
    taught(learner, rows, p=p, verbose=False)
    assert said("r_learner", rows, new) == pytest.approx(learner.predict(new), abs=1e-9)


def test_dr_learner_as_causalml(meta, new):
    rows, _ = trial(n=1500)
    x, learning = rows.matrix.values, Learning(rows, TREES)
    fitted = learning._inner + learning._shift
    control, treated = Told(x, fitted[:, 0]), Told(x, fitted[:, 1])
    learner = meta.BaseDRRegressor(
        control_outcome_learner=Joined(control, new), treatment_outcome_learner=Joined(treated, new),
        treatment_effect_learner=Grown(TREES.effect), control_name="control",
    )  # fmt: skip
    taught(learner, rows, p=rows.propensity[:, 1], seed=1)
    ours, theirs = said("dr_learner", rows, new)[:, 0], learner.predict(new)[:, 0]
    # Theirs is the mean of three regressions of a third of the scores each, ours one of all of them: the
    # same scores, other trees. Both means are those of the scores, give or take their standard error.
    score = aipw(rows.outcome, rows.arm, rows.propensity, fitted)[:, 0]
    error = score.std() / np.sqrt(len(score))
    assert abs(ours.mean() - theirs.mean()) < error
    assert abs(ours.mean() - score.mean()) < 2 * error
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9


class Joined(BaseEstimator, RegressorMixin):
    """What is told of known rows, and 0 of new ones, where causalml asks but does not use it."""

    def __init__(self, told=None, new=None):
        self.told, self.new = told, new

    def fit(self, x, y, sample_weight=None):
        return self

    def predict(self, x):
        return np.zeros(len(x)) if np.array_equal(x, self.new) else self.told.predict(x)


@pytest.mark.parametrize("randomised", [True, False])
def test_doubly_robust_scores_are_those_of_arms_or_of_all_together(randomised):
    rows, _ = trial()
    rows = UpliftRows(**{**vars(rows), "randomised": randomised})
    learning = Learning(rows, TREES)
    fitted = learning.fitted(rows.matrix)
    if randomised:
        # One model for all arms, and what each arm lies above it: the gap is the same for everyone.
        assert np.ptp(fitted[:, 1] - fitted[:, 0]) == pytest.approx(0, abs=1e-9)
    else:
        each = [
            fit_outcome(
                rows.matrix.values[rows.arm == k],
                rows.outcome[rows.arm == k],
                NAMES,
                (),
                TREES.outcome,
                "mean",
            ).predict(rows.matrix.values)
            for k in (0, 1)
        ]
        assert fitted == pytest.approx(np.column_stack(each))


@pytest.mark.parametrize("kind", ["linear", "dr_learner", "r_learner"])
def test_a_linear_effect_without_noise_is_found(kind):
    grown = UpliftTrees(Trees(rounds=150, learning_rate=0.1), Trees(rounds=150, learning_rate=0.1, l2=1.0))
    rows, _ = trial(n=2000, noise=0.0)
    # The linear learner sees signed logarithms, so its effect is linear in that.
    new, truth = trial(n=1000, seed=5, noise=0.0)
    found = Learning(rows, grown).fit(kind).predict(new.matrix)[:, 0]
    slope, level = np.polyfit(truth, found, 1)
    assert np.corrcoef(truth, found)[0, 1] > (0.97 if kind == "linear" else 0.93)
    assert 0.8 < slope < 1.1
    assert abs(level + (slope - 1) * 0.5) < 0.1


def test_the_linear_learner_recovers_its_own_form():
    def effect(x):
        return (
            0.5
            + 0.8 * np.sign(x[:, 0]) * np.log1p(np.abs(x[:, 0]))
            - 0.3 * np.sign(x[:, 3]) * np.log1p(np.abs(x[:, 3]))
        )

    grown = UpliftTrees(Trees(rounds=200, learning_rate=0.1), TREES.effect)
    rows, _ = trial(n=3000, noise=0.0, effect=effect)
    new, truth = trial(n=500, seed=5, noise=0.0, effect=effect)
    found = Learning(rows, grown).fit("linear").predict(new.matrix)[:, 0]
    assert np.abs(found - truth).mean() < 0.1


@pytest.mark.parametrize("kind", list(LEARNERS))
def test_all_learners_find_who_gains_and_two_arms_apart(kind):
    rows, _ = trial(n=1500, arms=2, share=0.6)
    new, truth = trial(n=800, seed=5, arms=2)
    found = Learning(rows, TREES).fit(kind).predict(new.matrix)
    assert found.shape == (800, 2)
    # Arm 2 does twice what arm 1 does.
    for k in range(2):
        assert np.corrcoef(found[:, k], truth)[0, 1] > 0.6
    assert found[:, 1].mean() > found[:, 0].mean()


@pytest.mark.parametrize("kind", list(LEARNERS))
def test_money_with_a_tail_is_learnt_relative_to_what_is_expected(kind):
    rng = np.random.default_rng(3)
    n = 1500
    x = rng.normal(size=(n, len(NAMES)))
    arm = (rng.random(n) < 0.5).astype(int)
    money = np.exp(2 + x[:, 1] + 0.5 * rng.normal(size=n)) * (rng.random(n) < 0.7)
    money *= np.where((arm == 1) & (x[:, 0] > 0), 2.0, 1.0)
    rows = UpliftRows(FeatureMatrix(NAMES, x), arm, np.full((n, 2), 0.5), money, ("control", "treated"))
    assert rows.relative
    found = Learning(rows, TREES).fit(kind).predict(rows.matrix)[:, 0]
    gains = x[:, 0] > 0
    mean = 0.7 * np.exp(2 + 0.5 + 0.125)
    assert found[gains].mean() > found[~gains].mean()
    assert found.mean() == pytest.approx(mean / 2, rel=0.4)


def test_rows_that_cannot_be_are_refused():
    rows, _ = trial()

    def changed(**fields):
        return UpliftRows(**{**vars(rows), **fields})

    with pytest.raises(TrainingDataError, match=r"900 rows of features go with arms \(899,\)"):
        changed(arm=rows.arm[1:])
    bad = rows.outcome.copy()
    bad[:3] = np.nan
    with pytest.raises(TrainingDataError, match="3 of 900 outcomes are not finite; drop or mend"):
        changed(outcome=bad)
    few = np.where(np.arange(900) < 5, 1, 0)
    with pytest.raises(
        TrainingDataError, match="arm 'arm1' has 5 customers and uplift needs 30 in each; leave"
    ):
        changed(arm=few)
    # A part of an experiment that has enough may have fewer.
    assert len(changed(arm=np.where(np.arange(900) < 30, 1, 0)).take(np.arange(25, 900))) == 875
