"""Churn horizons never contradict each other, hazards are calibrated, and parts come back to the bit."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from evaluation import metrics as m
from features.engine.matrix import FeatureMatrix
from features.errors import ChecksumError, TrainingDataError
from tests.training.worlds import as_matrix, buyers
from training.models.boosting import Trees
from training.models.buytilldie import PURCHASE_COLUMNS, BgNbd
from training.models.churn import HazardChurn, churn_from_parts
from training.models.servable import Parts
from training.value.churn import CHURN_MODELS, ChurnRows, fit_churn

TREES = Trees(rounds=60, min_rows=40)
HORIZONS = (30, 60, 90)


def world(seed, n=4000):
    """Hazards known exactly: log-odds -2 + x, and 0.5 more in every later interval."""
    rng = np.random.default_rng(seed)
    purchases, _, _ = buyers(n, 0.6, 20, 0.8, 2.5, 150, 1, seed=seed)
    base = as_matrix(purchases, seed=seed)
    x = base.column("noise_0")
    hazard = expit(-2 + x[:, None] + 0.5 * np.arange(3))
    left = np.maximum.accumulate(rng.random((n, 3)) < hazard, axis=1).astype(float)
    return ChurnRows(base, left, np.linspace(0, 2700, n)), 1 - np.cumprod(1 - hazard, axis=1)


@pytest.fixture(scope="module")
def model():
    return fit_churn(world(1, 8000)[0], horizons_days=HORIZONS, trees=Trees(min_rows=40))


def test_probabilities_are_the_true_ones(model):
    rows, truth = world(3)
    found = model.predict(rows.matrix)
    assert np.abs(found - truth).mean() < 0.03
    for k in range(3):
        gap = (found[:, k] - rows.left[:, k])[np.argsort(found[:, k])]
        assert np.abs(gap.reshape(10, -1).mean(axis=1)).mean() < 0.03
        assert m.auc(rows.left[:, k], found[:, k]) > 0.7


@given(seed=st.integers(0, 9999), scale=st.floats(0, 1e4))
@settings(max_examples=50, deadline=None)
def test_later_horizons_are_never_less_likely(seed, scale):
    rng = np.random.default_rng(seed)
    names = ("a",)
    calibration = [[float(a), float(b)] for a, b in zip(rng.normal(0, 5, 4), rng.gamma(1, 2, 4), strict=True)]
    parameters = {"horizons_days": [1, 2, 3, 4], "calibration": calibration}
    model = HazardChurn(names, {}, {}, parameters)
    matrix = FeatureMatrix(names, np.zeros((20, 1)))
    left = model.combine(matrix, {f"hazard_{k}": rng.normal(0, scale, 20) for k in range(4)})
    assert (np.diff(left, axis=1) >= 0).all()
    assert ((left >= 0) & (left <= 1)).all()


@pytest.mark.parametrize("kind", CHURN_MODELS)
def test_parts_rows_and_batches_agree_to_the_bit(kind):
    train, later = world(1)[0], world(2)[0]
    model = fit_churn(train, horizons_days=HORIZONS, kind=kind, history=train.matrix, trees=TREES)
    whole = model.predict(later.matrix)
    assert whole.shape == (4000, 3)
    assert (np.diff(whole, axis=1) >= 0).all()
    parts = model.to_parts()
    again = churn_from_parts(Parts(json.loads(json.dumps(parts.document)), parts.boosters))
    np.testing.assert_array_equal(again.predict(later.matrix), whole)
    for i in range(25):
        row = later.matrix.take([i])
        fed = again.inputs(row)
        raw = {c: again.boosters[b].predict(fed[c], raw_score=True) for c, b in again.calls.items()}
        np.testing.assert_array_equal(again.combine(row, raw)[0], whole[i])


def test_base_rates_are_the_life_table():
    rows, _ = world(1)
    rates = fit_churn(rows, horizons_days=HORIZONS, kind="base_rate").predict(rows.matrix)[0]
    np.testing.assert_allclose(rates, rows.left.mean(axis=0), rtol=1e-12)
    # Ends unknown at random: still the same share, where a plain mean of what is known is off.
    rng = np.random.default_rng(0)
    left = rows.left.copy()
    left[rng.random(len(left)) < 0.5, 2] = np.nan
    hidden = fit_churn(ChurnRows(rows.matrix, left, rows.cutoffs), horizons_days=HORIZONS, kind="base_rate")
    assert hidden.predict(rows.matrix)[0, 2] == pytest.approx(rates[2], abs=0.015)


def test_unknown_ends_can_be_learnt_from():
    rows, truth = world(1)
    left = rows.left.copy()
    left[::2, 1:] = np.nan
    model = fit_churn(ChurnRows(rows.matrix, left, rows.cutoffs), horizons_days=HORIZONS, trees=TREES)
    assert np.abs(model.predict(rows.matrix) - truth).mean() < 0.05


def test_bgnbd_silence_is_one_less_alive_and_buying():
    purchases, _, _ = buyers(4000, 0.6, 20, 0.8, 2.5, 150, 1)
    matrix = as_matrix(purchases)
    rows = ChurnRows(matrix, np.zeros((4000, 3)), np.zeros(4000))
    model = fit_churn(rows, horizons_days=HORIZONS, kind="bgnbd", silence_days=10_000_000)
    alive = BgNbd(**model.parameters["bgnbd"]).alive(purchases)
    # Over an endless silence whoever is alive buys again.
    regular = purchases.x > 5
    np.testing.assert_allclose(model.predict(matrix)[regular, 0], 1 - alive[regular], atol=1e-6)
    never = FeatureMatrix(PURCHASE_COLUMNS, np.full((1, 4), np.nan))
    np.testing.assert_array_equal(model.predict(never), np.ones((1, 3)))


def test_wrong_labels_are_refused():
    rows, _ = world(1)
    n = len(rows.matrix)

    def with_left(left):
        return ChurnRows(rows.matrix, left, rows.cutoffs)

    with pytest.raises(TrainingDataError, match="for good"):
        with_left(np.tile([1.0, 0.0, 1.0], (n, 1)))
    with pytest.raises(TrainingDataError, match="before a known one"):
        with_left(np.tile([0.0, np.nan, 1.0], (n, 1)))
    with pytest.raises(TrainingDataError, match="0, 1 or NaN"):
        with_left(np.full((n, 3), 0.5))
    with pytest.raises(TrainingDataError, match="must be"):
        with_left(np.zeros((3, 3)))
    with pytest.raises(TrainingDataError, match="both classes"):
        fit_churn(with_left(np.zeros((n, 3))), horizons_days=HORIZONS)
    with pytest.raises(TrainingDataError, match="for 2 horizons"):
        fit_churn(rows, horizons_days=(30, 60))
    with pytest.raises(TrainingDataError, match="increasing"):
        fit_churn(rows, horizons_days=(30, 30, 60))
    with pytest.raises(TrainingDataError, match="not a churn candidate"):
        fit_churn(rows, horizons_days=HORIZONS, kind="magic")
    flat = FeatureMatrix(("a",), np.ones((n, 1)))
    with pytest.raises(TrainingDataError, match="empty or constant"):
        fit_churn(ChurnRows(flat, rows.left, rows.cutoffs), horizons_days=HORIZONS)
    few = np.arange(20)
    with pytest.raises(TrainingDataError, match="50 rows"):
        fit_churn(ChurnRows(rows.matrix.take(few), rows.left[few], rows.cutoffs[few]), horizons_days=HORIZONS)
    with pytest.raises(ChecksumError, match="magic"):
        churn_from_parts(Parts({"kind": "magic"}, {}))
