"""Bundles and snapshots that earlier code wrote are read to the last bit, or refused with the reason."""

import json
import shutil

import msgspec
import numpy as np
import pytest

from features.engine.snapshot import open_snapshot
from features.errors import FingerprintError
from serving.predictor.champions import load_predictor
from tests.places import ROOT
from training.live import Live
from training.models.bundle import read_bundle

GOLDEN = sorted(folder for folder in (ROOT / "tests" / "golden").iterdir() if folder.is_dir())
TASKS = ("ltv", "churn", "uplift")


def hexes(values):
    table = np.asarray(values, dtype=float)
    return [[number.hex() for number in row] for row in table.reshape(len(table), -1).tolist()]


def read(bundle_folder):
    """The bundle; a test is over where it is refused as it should be."""
    try:
        return read_bundle(bundle_folder)
    except FingerprintError as error:
        assert "train again" in str(error)  # noqa: PT017 - refusing is right, without a reason it is not
        pytest.skip(f"refused: {error}")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_a_bundle_says_what_it_said(folder, task):
    bundle = read(folder / f"{task}-1")
    expected = json.loads((folder / f"{task}-1" / "expected.json").read_text(encoding="utf-8"))
    snapshot = open_snapshot(folder / "snapshot.tokui")
    assert snapshot.customer_ids(slice(None)) == expected["customers"]
    for which, matrix in (("canary", bundle.canary), ("snapshot", snapshot.matrix(slice(0, len(snapshot))))):
        said, before = bundle.model.predict(matrix), expected[which]
        assert hexes(said) == before["predict"]
        if "interval_0.9_low" in before:
            low, high = bundle.intervals.interval(said, 0.9)
            assert (hexes(low), hexes(high)) == (before["interval_0.9_low"], before["interval_0.9_high"])
        if "value" in before:
            bands = bundle.model.bands(matrix, bundle.model.raw(matrix))
            ends = (hexes(bands.value), hexes(bands.low), hexes(bands.high))
            assert ends == (before["value"], before["low"], before["high"])


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_a_server_answers_what_it_answered(folder, tmp_path):
    for task in TASKS:
        read(folder / f"{task}-1")
    shutil.copytree(folder, tmp_path / "live")
    predictor = load_predictor(Live(tmp_path / "live"))
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    who, recommender = answers["customers"], predictor.uplift.ready()
    for key, now in (
        ("predict explain", predictor.predict(who, explain=True)),
        ("recommend", recommender.recommend(who)),
        ("recommend budget 5000", recommender.recommend(who, budget=5000.0)),
    ):
        assert json.loads(msgspec.json.encode(now)) == answers[key]
