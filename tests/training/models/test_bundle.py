"""A bundle's contract: what is read back predicts the same bits, and a file altered by one byte is refused."""

import json

import numpy as np
import pytest

from features.errors import ChecksumError, FingerprintError
from training.models.bundle import read_bundle, write_bundle


@pytest.fixture(params=["ltv", "churn"])
def bundle(request, trained):
    return trained[request.param].bundle


def test_what_is_read_back_is_the_same_model(bundle, tmp_path, world):
    write_bundle(tmp_path / "m", bundle)
    back = read_bundle(tmp_path / "m")
    panel = world.history.panel([world.history.end])
    assert back.model.predict(panel.matrix).tobytes() == bundle.model.predict(panel.matrix).tobytes()
    assert back.expected.tobytes() == bundle.expected.tobytes()
    assert back.canary.values.tobytes() == bundle.canary.values.tobytes()
    assert back.canary.categories == bundle.canary.categories
    assert (back.task, back.facts, back.fingerprint) == (bundle.task, bundle.facts, bundle.fingerprint)
    if bundle.intervals is not None:
        low, high = bundle.intervals.interval(bundle.expected, 0.9)
        again = back.intervals.interval(bundle.expected, 0.9)
        assert (again[0] == low).all()
        assert (again[1] == high).all()
    back.check_canaries(back.model.predict(back.canary))


def test_a_byte_altered_anywhere_is_refused(bundle, tmp_path):
    write_bundle(tmp_path / "m", bundle)
    rng = np.random.default_rng(0)
    for path in sorted((tmp_path / "m").iterdir()):
        whole = path.read_bytes()
        if path.name == "checksums.json":
            continue
        for at in rng.integers(0, len(whole), 25):
            changed = bytearray(whole)
            changed[at] ^= 1 << int(rng.integers(0, 8))
            path.write_bytes(changed)
            with pytest.raises(ChecksumError, match=path.name):
                read_bundle(tmp_path / "m")
        path.write_bytes(whole[:-1])
        with pytest.raises(ChecksumError):
            read_bundle(tmp_path / "m")
        path.unlink()
        with pytest.raises(ChecksumError):
            read_bundle(tmp_path / "m")
        path.write_bytes(whole)
    sums = tmp_path / "m" / "checksums.json"
    sums.write_text(sums.read_text().replace("a", "b"))
    with pytest.raises(ChecksumError):
        read_bundle(tmp_path / "m")


def _rewritten(folder, change):
    """A bundle whose document was changed by somebody who also wrote its checksum."""
    import hashlib

    path = folder / "model.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    sums = json.loads((folder / "checksums.json").read_text())
    sums["model.json"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "checksums.json").write_text(json.dumps(sums))


def test_features_computed_in_another_way_are_refused(bundle, tmp_path):
    write_bundle(tmp_path / "m", bundle)
    _rewritten(tmp_path / "m", lambda d: d["features"].update(fingerprint="0" * 16))
    with pytest.raises(FingerprintError, match="train again"):
        read_bundle(tmp_path / "m")


def test_another_format_is_refused(bundle, tmp_path):
    write_bundle(tmp_path / "m", bundle)
    _rewritten(tmp_path / "m", lambda d: d.update(format=99))
    with pytest.raises(ChecksumError, match="format 99"):
        read_bundle(tmp_path / "m")


def test_a_model_that_answers_differently_fails_its_canaries(bundle):
    bundle.check_canaries(bundle.expected.copy())
    other = bundle.expected.copy()
    other.flat[-1] = np.nextafter(other.flat[-1], np.inf)
    with pytest.raises(ChecksumError, match="canary"):
        bundle.check_canaries(other)
