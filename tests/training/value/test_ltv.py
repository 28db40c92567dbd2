"""LTV candidates share one interface, come back from their parts to the bit, and rank what can be ranked."""

import json

import numpy as np
import pytest

from evaluation import metrics as m
from features.engine.matrix import FeatureMatrix
from features.errors import ChecksumError, TrainingDataError
from tests.training.worlds import as_matrix, buyers
from training.models.boosting import Trees
from training.models.ltv import ltv_from_parts
from training.models.servable import Parts
from training.value.ltv import LTV_MODELS, LtvRows, fit_ltv

TREES = Trees(rounds=40, min_rows=40)


def world(seed, days=90, n=3000, returns=False):
    rng = np.random.default_rng(seed)
    purchases, _, money = buyers(n, 0.6, 20, 0.8, 2.5, rng.integers(60, 200, n), days, seed=seed)
    base = as_matrix(purchases, seed=seed)
    lift = rng.integers(0, 3, n).astype(float)
    money = money * (1 + lift)
    lift[rng.random(n) < 0.05] = np.nan
    spent = purchases.spend * (purchases.x + 1)
    names = (*base.names, "orders_amount_sum_90d", "orders_amount_sum_365d", "segment")
    values = np.column_stack([base.values, spent * 90 / 365, spent, lift])
    matrix = FeatureMatrix(names, values, {"segment": ("low", "mid", "top")})
    if returns:
        money[rng.random(n) < 0.1] = -20.0
    return LtvRows(matrix, money, np.full(n, seed * 100), days)


@pytest.fixture(scope="module")
def train():
    return world(1)


@pytest.fixture(scope="module")
def later():
    return world(3)


@pytest.mark.parametrize("kind", LTV_MODELS)
def test_parts_rows_and_batches_agree_to_the_bit(kind, train, later):
    model = fit_ltv([train, world(1, 30)], horizon_days=180, kind=kind, trees=TREES)
    whole = model.predict(later.matrix)
    parts = model.to_parts()
    again = ltv_from_parts(Parts(json.loads(json.dumps(parts.document)), parts.boosters))
    np.testing.assert_array_equal(again.predict(later.matrix), whole)
    assert again.columns == model.columns
    # What a server does: one row, raw outputs by its own handles, then combine.
    for i in range(25):
        row = later.matrix.take([i])
        fed = model.inputs(row)
        raw = {
            call: again.boosters[name].predict(fed[call], raw_score=True)
            for call, name in model.calls.items()
        }
        assert model.combine(row, raw)[0] == whole[i]
    assert whole.shape == (len(later.matrix),)
    assert np.isfinite(whole).all()


@pytest.mark.parametrize("kind", ["two_part", "tweedie", "bgnbd"])
def test_candidates_rank_and_total_out_of_sample(kind, train, later):
    model = fit_ltv(train, horizon_days=90, kind=kind, trees=TREES)
    value = model.predict(later.matrix)
    assert m.normalised_gini(later.money, value) > 0.6
    if kind != "bgnbd":  # it cannot know of segments; of the total it knows half
        assert m.total_ratio(later.money, value) == pytest.approx(1, abs=0.12)
        plain = fit_ltv(train, horizon_days=90, kind="bgnbd").predict(later.matrix)
        assert m.normalised_gini(later.money, value) > m.normalised_gini(later.money, plain)


@pytest.mark.parametrize("kind", ["two_part", "tweedie"])
def test_returns_lower_the_expectation(kind):
    rows = world(1, returns=True)
    model = fit_ltv(rows, horizon_days=90, kind=kind, trees=TREES)
    assert model.predict(rows.matrix).sum() == pytest.approx(rows.money.sum(), rel=0.1)
    assert ("loss_90" in model.boosters) == (kind == "two_part")


def test_where_everyone_pays_only_the_amount_is_learnt(train):
    everyone = LtvRows(train.matrix, train.money + 1, train.cutoffs, 90)
    model = fit_ltv(everyone, horizon_days=90, trees=TREES)
    assert list(model.boosters) == ["amount_90"]
    assert model.predict(train.matrix).sum() == pytest.approx(everyone.money.sum(), rel=1e-6)


def test_another_vocabulary_is_recoded(train, later):
    model = fit_ltv(train, horizon_days=90, trees=TREES)
    words = {"segment": ("top", "new", "low", "mid")}
    np.testing.assert_array_equal(model.predict(later.matrix.recode(words)), model.predict(later.matrix))


def test_last_period_takes_the_window_nearest_to_the_horizon(train):
    assert fit_ltv(train, horizon_days=365, kind="last_period").columns == ("orders_amount_sum_365d",)
    assert fit_ltv(train, horizon_days=100, kind="last_period").columns == ("orders_amount_sum_90d",)


def test_what_cannot_be_learnt_is_refused(train):
    few = np.arange(20)
    nobody = LtvRows(train.matrix, np.zeros_like(train.money), train.cutoffs, 90)
    small = LtvRows(train.matrix.take(few), train.money[few], train.cutoffs[few], 90)
    flat = LtvRows(FeatureMatrix(("a",), np.ones((100, 1))), np.arange(100.0), np.zeros(100), 90)
    with pytest.raises(TrainingDataError, match="0 of 3000 rows have money"):
        fit_ltv(nobody, horizon_days=90, trees=TREES)
    with pytest.raises(TrainingDataError, match="50 rows"):
        fit_ltv(small, horizon_days=90)
    with pytest.raises(TrainingDataError, match="empty or constant"):
        fit_ltv(flat, horizon_days=90)
    with pytest.raises(TrainingDataError, match="not an LTV candidate"):
        fit_ltv(train, horizon_days=90, kind="magic")
    with pytest.raises(TrainingDataError, match="orders_amount_sum_365d"):
        fit_ltv(flat, horizon_days=90, kind="last_period")
    with pytest.raises(TrainingDataError, match="not finite"):
        LtvRows(train.matrix, np.full(len(train.money), np.nan), train.cutoffs, 90)
    with pytest.raises(TrainingDataError, match="one length"):
        LtvRows(train.matrix, train.money[:5], train.cutoffs, 90)
    with pytest.raises(ChecksumError, match="magic"):
        ltv_from_parts(Parts({"kind": "magic"}, {}))
