"""A model version on disk: one JSON document, LightGBM's text, and a checksum of every byte.

    model.json        task, features, calibration, canary rows, and what was measured
    NAME.txt          a booster each
    checksums.json    SHA-256 by file name

No pickle anywhere: what is read back is parsed, never executed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from features.catalogue.more import MORE, features_with, more_column, more_of
from features.engine.matrix import FeatureMatrix
from features.engine.views import FeatureSet
from features.errors import ChecksumError, FingerprintError
from features.files import folder_whole, write_text
from features.schema import Column, Kind
from features.types import Floats
from training.models.churn import ChurnModel, churn_from_parts
from training.models.conformal import ConformalIntervals
from training.models.ltv import LtvModel, ltv_from_parts
from training.models.servable import Parts
from training.models.uplift import UPLIFT, UpliftModel, uplift_from_parts

FORMAT = 1
CANARIES = 16
"""Rows kept with every model, whose answers a server must reproduce to the bit before it serves."""

_FROM_PARTS: Mapping[str, Callable[[Parts], LtvModel | ChurnModel | UpliftModel]] = {
    "ltv": ltv_from_parts,
    "churn": churn_from_parts,
    UPLIFT: uplift_from_parts,
}


@dataclass(frozen=True, eq=False)
class Bundle:
    """A trained model with all that predicting needs.

    Args:
        task: ``ltv``, ``churn`` or ``uplift``.
        model: Predicts [n] or [n, K].
        features: The feature set it was trained on.
        bound: Canonical columns that set was bound to.
        facts: JSON-able: horizons, currency, thresholds, when trained, from which data.
        canary: Rows to try a loaded model on.
        expected: What the model said of them when it was made.
        intervals: Of LTV models.
    """

    task: str
    model: LtvModel | ChurnModel | UpliftModel
    features: FeatureSet
    bound: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, Any]
    canary: FeatureMatrix
    expected: Floats
    intervals: ConformalIntervals | None = None

    @property
    def fingerprint(self) -> str:
        """Of the feature set."""
        return self.features.fingerprint

    def check_canaries(self, answer: Floats) -> None:
        """Compare another's answer on the canary rows with the model's own, bit for bit.

        Raises:
            ChecksumError: They differ.
        """
        if answer.tobytes() != self.expected.tobytes():
            raise ChecksumError(
                f"the {self.task} model answers its {len(self.canary)} canary rows differently from when it was "
                "trained; the file or the LightGBM version is another one, so train again"
            )


def write_bundle(folder: Path, bundle: Bundle) -> None:
    """Write a bundle; the folder appears whole or not at all."""
    parts = bundle.model.to_parts()
    document = {
        "format": FORMAT,
        "task": bundle.task,
        "features": {
            "name": bundle.features.name,
            "fingerprint": bundle.fingerprint,
            "bound": {table: list(columns) for table, columns in bundle.bound.items()},
            **_told_more(bundle.features),
        },
        "model": parts.document,
        "boosters": sorted(parts.boosters),
        "intervals": None if bundle.intervals is None else bundle.intervals.to_dict(),
        "facts": dict(bundle.facts),
        "canary": {
            # As hexadecimal floats, so that what is read is what was written, NaN included.
            "values": [[value.hex() for value in row] for row in bundle.canary.values.tolist()],
            "names": list(bundle.canary.names),
            "categories": {name: list(words) for name, words in bundle.canary.categories.items()},
            "expected": [[v.hex() for v in row] for row in np.atleast_2d(bundle.expected.T).T.tolist()],
        },
    }
    with folder_whole(folder) as partial:
        files = {f"{name}.txt": text for name, text in parts.boosters.items()}
        files["model.json"] = json.dumps(document, ensure_ascii=False, indent=1)
        for name, text in files.items():
            write_text(partial / name, text)
        sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
        write_text(partial / "checksums.json", json.dumps(sums, indent=1))


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle back after checking every byte.

    Raises:
        ChecksumError: A file is missing, was altered, or is of another format.
        FingerprintError: The features it was trained on are no longer computed the same way.
    """
    texts = _read_checked(folder)
    document = json.loads(texts["model.json"])
    if document.get("format") != FORMAT:
        raise ChecksumError(
            f"{folder} is a model of format {document.get('format')}, not {FORMAT}; train again"
        )
    bound = {table: tuple(columns) for table, columns in document["features"]["bound"].items()}
    features = features_with(_read_more(document["features"].get("more", {}))).bound_to(bound)
    if features.fingerprint != document["features"]["fingerprint"]:
        raise FingerprintError(
            f"the {document['task']} model was trained on features {document['features']['fingerprint']}, and this "
            f"tokui computes {features.fingerprint}; train again"
        )
    parts = Parts(document["model"], {name: texts[f"{name}.txt"] for name in document["boosters"]})
    canary = document["canary"]
    values = np.array([[float.fromhex(value) for value in row] for row in canary["values"]])
    expected = np.array([[float.fromhex(value) for value in row] for row in canary["expected"]])
    categories = {name: tuple(words) for name, words in canary["categories"].items()}
    task = document["task"]
    return Bundle(
        task=task,
        model=_FROM_PARTS[task](parts),
        features=features,
        bound=bound,
        facts=document["facts"],
        canary=FeatureMatrix(tuple(canary["names"]), values, categories),
        expected=expected[:, 0] if task == "ltv" else expected,
        intervals=None
        if document["intervals"] is None
        else ConformalIntervals.from_dict(document["intervals"]),
    )


def _told_more(features: FeatureSet) -> dict[str, Any]:
    """The user's own columns as they are kept; nothing where there are none."""
    more = {
        table: [[column.name.removeprefix(MORE), column.kind.value, column.meaning] for column in columns]
        for table, columns in more_of(features).items()
    }
    return {"more": more} if more else {}


def _read_more(kept: Mapping[str, list[list[str]]]) -> dict[str, tuple[Column, ...]]:
    return {
        table: tuple(more_column(name, Kind(kind), label) for name, kind, label in columns)
        for table, columns in kept.items()
    }


def _read_checked(folder: Path) -> dict[str, str]:
    try:
        sums = json.loads((folder / "checksums.json").read_text(encoding="utf-8"))
        texts = {name: (folder / name).read_bytes() for name in sums}
    except (OSError, ValueError) as error:
        raise ChecksumError(f"{folder} is not a complete model: {error}; promote or train again") from error
    for name, content in texts.items():
        if hashlib.sha256(content).hexdigest() != sums[name]:
            raise ChecksumError(f"{folder / name} is not the file that was written; promote or train again")
    if "model.json" not in texts:
        raise ChecksumError(f"{folder} has no model.json; promote or train again")
    return {name: content.decode("utf-8") for name, content in texts.items()}
