"""Contract: what is fed to a model is its own inputs to the bit, in whatever vocabulary the snapshot is."""

import dataclasses

import numpy as np
import pytest

from serving.predictor.inputs import Feed
from tests.serving.conftest import UPLIFT_KINDS


def test_a_feed_in_another_vocabulary_is_the_models_inputs(world):
    snapshot = world.predictor.snapshot
    shuffled = {name: (*reversed(words), "never seen") for name, words in snapshot.categories.items()}
    recoded = snapshot.matrix(slice(None)).recode(shuffled)
    other = dataclasses.replace(snapshot, categories=shuffled, rows=recoded.values)
    for bundle in world.bundles.values():
        rows = np.array([3, 0, 17, 200])
        want = bundle.model.inputs(other.matrix(rows))
        got = Feed(bundle.model, other).rows(rows)
        for call in want:
            assert got[call].tobytes() == want[call].tobytes()


@pytest.mark.parametrize("kind", UPLIFT_KINDS)
def test_a_feed_in_another_vocabulary_is_the_uplift_models_inputs(world, uplifts, kind):
    snapshot, model = world.predictor.snapshot, uplifts[kind].model
    shuffled = {name: (*reversed(words), "never seen") for name, words in snapshot.categories.items()}
    recoded = snapshot.matrix(slice(None)).recode(shuffled)
    other = dataclasses.replace(snapshot, categories=shuffled, rows=recoded.values)
    rows = np.array([3, 0, 17, 200])
    want, got = model.inputs(other.matrix(rows)), Feed(model, other).rows(rows)
    assert got.keys() == want.keys()
    for call, values in want.items():
        assert got[call].tobytes() == values.tobytes()
