"""Contract: a handle's raw score is Booster.predict's to the bit, for any row, few rows and many."""

import gc
import threading

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ChecksumError
from serving.predictor.fastpredict import FEW_ROWS, FastModel, FastRow


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_any_row_gives_the_boosters_bits(world, seed):
    rng = np.random.default_rng(seed)
    for bundle in world.bundles.values():
        for booster in bundle.model.boosters.values():
            row = rng.normal(0, 10.0 ** rng.integers(-2, 7), booster.num_feature())
            row[rng.random(len(row)) < 0.2] = np.nan
            buffer = row.copy()
            assert FastRow(booster, buffer)() == booster.predict(row[None], raw_score=True, num_threads=1)[0]


@pytest.mark.parametrize("rows", [0, 1, 2, FEW_ROWS, FEW_ROWS + 1, 50])
def test_few_rows_and_many_are_the_models_own(world, rows):
    matrix = world.predictor.snapshot.matrix(slice(0, rows))
    for bundle in world.bundles.values():
        raw = FastModel(bundle.model).raw(bundle.model.inputs(matrix))
        own = bundle.model.raw(matrix)
        assert raw.keys() == own.keys()
        for call, values in own.items():
            assert raw[call].tobytes() == values.tobytes()


def test_threads_do_not_mix_their_rows(world):
    bundle = world.bundles["ltv"]
    fast = FastModel(bundle.model)
    fed = [bundle.model.inputs(world.predictor.snapshot.matrix(slice(k, k + 1))) for k in range(20)]
    want = [bundle.model.raw(world.predictor.snapshot.matrix(slice(k, k + 1))) for k in range(20)]
    wrong = []

    def work():
        for _ in range(20):
            for one, own in zip(fed, want, strict=True):
                got = fast.raw(one)
                wrong.extend(call for call in own if got[call][0] != own[call][0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_handles_go_with_their_model():
    rng = np.random.default_rng(0)
    data = lgb.Dataset(rng.normal(size=(100, 3)), rng.normal(size=100), params={"verbose": -1})
    booster = lgb.train({"verbose": -1, "num_threads": 1}, data, 3)
    handle = FastRow(booster, np.zeros(3))
    want = booster.predict(np.zeros((1, 3)), raw_score=True)[0]
    del booster, data
    gc.collect()
    assert handle() == want


def test_a_row_of_another_length_is_refused(world):
    booster = next(iter(world.bundles["ltv"].model.boosters.values()))
    with pytest.raises(ChecksumError, match="number of features"):
        FastRow(booster, np.zeros(3))
