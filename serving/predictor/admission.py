"""Admission: what a champion must show before it serves."""

from dataclasses import dataclass

import numpy as np

from features.engine.snapshot import Snapshot
from features.errors import FingerprintError
from serving.predictor.fastpredict import FastModel
from training.models.bundle import Bundle


@dataclass(frozen=True, eq=False)
class Champion:
    """A bundle and the version it is.

    Args:
        bundle: The model with all that predicting needs.
        number: Its version.
    """

    bundle: Bundle
    number: int


def agree(bundle: Bundle, snapshot: Snapshot) -> None:
    """See to it that model and snapshot belong together.

    Raises:
        FingerprintError: They were not made by the same definitions, or not in one currency.
    """
    if bundle.fingerprint != snapshot.fingerprint:
        raise FingerprintError(
            f"the {bundle.task} model was trained on features {bundle.fingerprint} and the snapshot holds "
            f"{snapshot.fingerprint}; run `tokui snapshot`, or train and promote again"
        )
    for fact in ("currency", "timezone"):
        mine, theirs = bundle.facts[fact], snapshot.facts.get(fact)
        if mine != theirs:
            raise FingerprintError(
                f"the {bundle.task} model was trained with {fact} {mine} and the snapshot says {theirs}; "
                "run `tokui snapshot`, or train and promote again"
            )


def admitted(bundle: Bundle) -> FastModel:
    """Handles that have answered the model's canary rows, one by one as requests come.

    Raises:
        ChecksumError: The answers are not those of when the model was made.
    """
    fast = FastModel(bundle.model)
    answers = []
    for row in range(len(bundle.canary)):
        one = bundle.canary.take([row])
        answers.append(bundle.model.combine(one, fast.raw(bundle.model.inputs(one))))
    bundle.check_canaries(np.concatenate(answers))
    return fast
