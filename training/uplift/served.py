"""What is served of uplift: a learner on everyone, calibrated by what it said of customers it had not seen."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evaluation.estimate import Estimate
from features.types import Floats
from training.models.uplift import Constant, UpliftModel
from training.uplift.calibration import UpliftCalibration, calibrate
from training.uplift.crossfit import CrossFit
from training.uplift.learning import Learning
from training.uplift.rows import UpliftRows, UpliftTrees


def fit_served(
    rows: UpliftRows,
    cross: CrossFit,
    kind: str,
    trees: UpliftTrees,
    seed: int = 7,
    effects: Sequence[Estimate] | None = None,
) -> UpliftModel:
    """A learner on all rows, calibrated by what it said of customers it had not seen.

    Args:
        rows: All customers.
        cross: What learners said of them, unseen.
        kind: The learner.
        trees: How boosters are grown.
        seed: Of everything random.
        effects: Mean effect by arm, which the scores are centred on; their own mean if not given.
    """
    gamma = cross.scores
    if kind == Constant.kind:
        model: UpliftModel = Constant(
            (), {}, {}, {"arms": list(rows.arms[1:]), "effects": gamma.mean(axis=0).tolist()}
        )
    else:
        model = Learning(rows, trees, seed).fit(kind)
    calibrations = {}
    for k, arm in enumerate(rows.arms[1:]):
        if kind == Constant.kind:
            mean = None if effects is None else effects[k]
            made = calibrate(
                gamma[:, k], gamma[:, k], clusters=rows.clusters, proven=False, seed=seed, effect=mean
            )
        else:
            made = _calibration(rows, cross, kind, k, np.ones(len(rows), np.bool_), seed)
        calibrations[arm] = made.to_dict()
    return model.with_parameters(calibration=calibrations, proven=kind != Constant.kind)


def held_out_uplift(rows: UpliftRows, cross: CrossFit, kind: str, proven: bool, seed: int = 7) -> Floats:
    """Calibrated uplift [n, K], each customer's by a calibration made without it.

    Where nothing is proven it is the arm's mean effect, for everyone the same. The level of each part is
    brought to that of all: a part that happened to gain much is predicted too little by the others.
    """
    said = cross.prediction(kind)
    if not proven:
        return np.tile(cross.scores.mean(axis=0), (len(said), 1))
    uplift = np.empty_like(said)
    fold = np.asarray(cross.repeats[0].fold)
    for part in np.unique(fold):
        here = fold == part
        for k in range(said.shape[1]):
            value = _calibration(rows, cross, kind, k, ~here, seed)(said[here, k])
            uplift[here, k] = value + (cross.scores[:, k].mean() - value.mean())
    return uplift


def _calibration(
    rows: UpliftRows, cross: CrossFit, kind: str, arm: int, some: npt.NDArray[np.bool_], seed: int
) -> UpliftCalibration:
    score = np.concatenate([np.asarray(repeat.priorities[kind])[some, arm] for repeat in cross.repeats])
    gamma = np.concatenate([np.asarray(repeat.scores)[some, arm] for repeat in cross.repeats])
    clusters = rows.take(some).clusters
    return calibrate(score, gamma, rounds=len(cross.repeats), clusters=clusters, seed=seed)
