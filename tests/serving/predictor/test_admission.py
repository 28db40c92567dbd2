"""Contract: a champion of other features, or one that answers differently than when it was made, does not serve."""

import dataclasses

import numpy as np
import pytest

from features.errors import ChecksumError, FingerprintError
from serving.predictor.admission import Champion
from serving.predictor.predictor import Predictor


def test_no_two_definitions_of_features_are_mixed(world):
    snapshot = dataclasses.replace(world.predictor.snapshot, fingerprint="0" * 16)
    with pytest.raises(FingerprintError, match="tokui snapshot"):
        Predictor(world.predictor.ltv, world.predictor.churn, snapshot)
    other = dataclasses.replace(world.predictor.snapshot, facts={"currency": "USD", "timezone": "Asia/Tokyo"})
    with pytest.raises(FingerprintError, match="currency"):
        Predictor(world.predictor.ltv, world.predictor.churn, other)


def test_canaries_that_sing_differently_are_refused(world):
    bundle = world.bundles["ltv"]
    spoilt = dataclasses.replace(bundle, expected=np.nextafter(bundle.expected, np.inf))
    with pytest.raises(ChecksumError, match="canary"):
        Predictor(Champion(spoilt, 2), world.predictor.churn, world.predictor.snapshot)
