"""What an uplift version keeps for the readout of its experiment: written and read by one class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.estimate import Estimate
from features.types import Floats
from training.models.facts import UpliftFacts
from training.tracking import Tracker, Version, hashed
from training.uplift.learning import LEARNERS
from training.uplift.train import METRIC, UpliftTraining

HELD_OUT = "held-out.parquet"
"""Artifact: what is known of customers that the best learner had not seen, one a row."""

_WORDS = ("score", "said", "calibrated")


@dataclass(frozen=True, eq=False)
class UpliftRecord:
    """What the best learner said of customers it had not seen, and what it was worth.

    Args:
        facts: What the bundle says of itself.
        learners: Mean metric over the arms by learner.
        customers: Hashed ids, [n].
        score: Doubly robust scores, [n, K].
        said: How the learner ranks, [n, K].
        calibrated: Its calibrated uplift, [n, K].
    """

    facts: UpliftFacts
    learners: Mapping[str, Estimate]
    customers: list[str]
    score: Floats
    said: Floats
    calibrated: Floats

    @classmethod
    def of(cls, training: UpliftTraining) -> Self:
        """What a training has found."""
        rows, ids = training.judged, training.history.ids(training.enrolment.observations)
        return cls(
            training.facts,
            dict(training.selection.estimates),
            hashed(ids[rows].tolist(), training.history.settings.name),
            training.cross.scores[rows],
            training.cross.ranks(training.selection.chosen)[rows],
            training.calibrated[rows],
        )

    def table(self) -> pa.Table:
        """The customers, as kept in `HELD_OUT`."""
        values = {
            f"{word}_{k}": getattr(self, word)[:, k] for word in _WORDS for k in range(self.score.shape[1])
        }
        return pa.table({"customer": self.customers, **values})

    @classmethod
    def read(cls, tracker: Tracker, version: Version) -> Self:
        """What a version has kept.

        Raises:
            ModelError: It was altered, or its features are computed otherwise now.
            OSError: A file is missing.
        """
        facts = UpliftFacts.from_dict(tracker.bundle(version).facts)
        table = pq.read_table(tracker.artifact(version, HELD_OUT))
        score, said, calibrated = (
            np.column_stack([table[f"{word}_{k}"].to_numpy() for k in range(len(facts.outputs))])
            for word in _WORDS
        )
        learners = {
            kind: version.metrics[f"{METRIC}_{kind}"]
            for kind in LEARNERS
            if f"{METRIC}_{kind}" in version.metrics
        }
        return cls(facts, learners, table["customer"].to_pylist(), score, said, calibrated)
