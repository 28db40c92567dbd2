"""Uplift models' contract: taken apart, written, read and asked row by row, they say the same to the bit."""

import numpy as np
import pytest

from benchmarks.coverage_uplift import QUICK, features
from features.catalogue.sets import PURCHASES
from features.engine.matrix import FeatureMatrix
from features.errors import ChecksumError
from training.models.bundle import Bundle, read_bundle, write_bundle
from training.models.servable import Parts
from training.models.uplift import (
    UPLIFT_MODELS,
    Constant,
    in_arm,
    signed_log,
    standardised,
    uplift_from_parts,
)
from training.uplift.calibration import calibrate
from training.uplift.learning import LEARNERS, Learning
from training.uplift.rows import UpliftRows


def rows_of(form, seed=1, n=500):
    """Three arms, a column of codes, one with holes; money with zeros and losses, or yes and no."""
    rng = np.random.default_rng(seed)
    matrix = features(rng, n)
    arm = rng.integers(0, 3, n)
    base = np.exp(1 + 0.3 * matrix.values[:, 0] + 0.4 * (arm == 1) * (matrix.values[:, 4] > 0))
    outcome = np.where(rng.random(n) < 0.5, base * rng.lognormal(0, 1, n), 0)
    outcome[:20] *= -1
    if form == "binary":
        outcome = (outcome > 1).astype(float)
    return UpliftRows(matrix, arm, np.full((n, 3), 1 / 3), outcome, ("control", "a", "b"), form)


def calibrated(model, rows):
    score = model.score(rows.matrix, model.raw(rows.matrix))
    gamma = score + np.random.default_rng(0).normal(0, 1, score.shape)
    found = {arm: calibrate(score[:, k], gamma[:, k]).to_dict() for k, arm in enumerate(model.arms)}
    return model.with_parameters(calibration=found, proven=True)


@pytest.fixture(scope="module")
def models():
    found = {}
    for form in ("two_part", "binary"):
        rows = rows_of(form)
        learning = Learning(rows, QUICK)
        found |= {(kind, form): calibrated(learning.fit(kind), rows) for kind in LEARNERS}
    effects = {"arms": ["a", "b"], "effects": [1.5, -2.0], "calibration": None}
    return found | {("constant", "two_part"): calibrated(Constant((), {}, {}, effects), rows_of("two_part"))}


KINDS = [*((kind, form) for form in ("two_part", "binary") for kind in LEARNERS), ("constant", "two_part")]


@pytest.mark.parametrize(("kind", "form"), KINDS)
def test_one_row_is_answered_as_many_are(models, kind, form):
    model = models[kind, form]
    new = features(np.random.default_rng(8), 60)
    assert np.isnan(new.values).any()
    whole = model.bands(new, model.raw(new))
    assert whole.value.shape == (60, 2)
    assert (whole.low <= whole.value).all()
    assert (whole.value <= whole.high).all()
    assert np.isfinite(whole.value).all()
    assert (model.predict(new) == whole.value).all()
    for k in range(60):
        row = new.take([k])
        one = model.bands(row, model.raw(row))
        for part in ("value", "low", "high"):
            assert getattr(one, part)[0].tobytes() == getattr(whole, part)[k].tobytes()


@pytest.mark.parametrize("kind", [*LEARNERS, "constant"])
def test_taken_apart_and_put_together_it_is_the_same_to_the_bit(models, kind, tmp_path):
    model = models[kind, "two_part"]
    new = features(np.random.default_rng(8), 40)
    assert uplift_from_parts(model.to_parts()).predict(new).tobytes() == model.predict(new).tobytes()
    bundle = Bundle("uplift", model, PURCHASES, {}, {"outputs": ["a", "b"]}, new, model.predict(new))
    bundle = Bundle(**{**vars(bundle), "features": PURCHASES.bound_to({})})
    write_bundle(tmp_path / "model", bundle)
    read = read_bundle(tmp_path / "model")
    assert (type(read.model), read.facts) == (UPLIFT_MODELS[kind], {"outputs": ["a", "b"]})
    assert read.model.proven
    assert read.canary.values.tobytes() == new.values.tobytes()
    read.check_canaries(read.model.predict(read.canary))
    with pytest.raises(ChecksumError, match="canary"):
        read.check_canaries(read.model.predict(read.canary) + 1e-9)


def test_another_vocabulary_and_order_of_columns_say_the_same(models):
    new = features(np.random.default_rng(8), 40)
    shuffled = new.select(tuple(reversed(new.names))).recode({"x3": ("c", "unheard of", "a", "b")})
    for model in models.values():
        assert model.predict(shuffled).tobytes() == model.predict(new).tobytes()


def test_a_word_that_was_never_heard_is_missing(models):
    new = features(np.random.default_rng(8), 40)
    words = FeatureMatrix(new.names, new.values, {"x3": ("d", "e", "f")})
    missing = new.values.copy()
    missing[:, 3] = np.nan
    empty = FeatureMatrix(new.names, missing, new.categories)
    for model in models.values():
        assert model.predict(words).tobytes() == model.predict(empty).tobytes()


def test_without_calibration_the_score_is_the_answer_and_has_no_band():
    rows = rows_of("two_part")
    model = Learning(rows, QUICK).fit("t_learner")
    raw = model.raw(rows.matrix)
    bands = model.bands(rows.matrix, raw)
    assert (bands.value == model.score(rows.matrix, raw)).all()
    assert np.isnan(bands.low).all()
    assert not model.proven


def test_a_constant_says_the_mean_of_every_arm(models):
    new = features(np.random.default_rng(8), 5)
    model = models["constant", "two_part"]
    assert (model.score(new, {}) == [[1.5, -2.0]] * 5).all()
    assert len(np.unique(model.predict(new), axis=0)) == 1


def test_the_arm_is_columns_of_0_and_1():
    assert in_arm(np.zeros((3, 1)), np.array([0, 1, 2]), 2).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_standardising_is_as_written():
    assert signed_log(np.array([-np.e + 1, 0, np.e - 1])) == pytest.approx([-1, 0, 1])
    matrix = FeatureMatrix(("a", "w"), [[np.e - 1, 0], [np.nan, 1], [1e9, np.nan]], {"w": ("x", "y")})
    standard = {"columns": [["a", 0.5, 2.0, -1.0, 3.0]], "words": [["w", 2]]}
    assert standardised(matrix, standard) == pytest.approx(np.array([[0.25, 1, 0], [0, 0, 1], [1.25, 0, 0]]))


def test_parts_of_something_else_are_refused(models):
    parts = models["t_learner", "two_part"].to_parts()
    with pytest.raises(ChecksumError, match="'oracle' is not an uplift model; those are s_learner, "):
        uplift_from_parts(Parts({**parts.document, "kind": "oracle"}, parts.boosters))
    with pytest.raises(ChecksumError, match="no 'columns'"):
        uplift_from_parts(Parts({"kind": "t_learner"}, {}))
