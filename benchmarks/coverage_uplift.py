"""Simulated promises of uplift models: nothing is proven of a permuted treatment, and bands hold the true effect.

    python -m benchmarks.coverage_uplift

All six learners are cross-fitted and compared as a training does it, with fewer trees on smaller data.
"""

import json

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from benchmarks.simulation import Case, rate
from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.selection import select
from features.engine.matrix import FeatureMatrix
from features.types import Floats
from training.models.boosting import Trees
from training.uplift.crossfit import cross_fit
from training.uplift.learning import LEARNERS
from training.uplift.rows import UpliftRows, UpliftTrees
from training.uplift.served import fit_served

COLUMNS = 7
_SHARE = 0.4
_NEW = 2000
_GROUPS = 5

QUICK = UpliftTrees(
    Trees(rounds=15, learning_rate=0.2), Trees(rounds=10, learning_rate=0.1, leaves=4, l2=50.0)
)
"""Few trees that learn fast, so that thousands of models are a matter of minutes."""


def features(rng: np.random.Generator, n: int) -> FeatureMatrix:
    """Seven columns: one money-like, one with holes, one of codes, and normal ones."""
    values = rng.normal(size=(n, COLUMNS))
    values[:, 1] = rng.lognormal(3, 1, n)
    values[rng.random(n) < 0.1, 2] = np.nan
    values[:, 3] = rng.integers(0, 3, n)
    return FeatureMatrix(tuple(f"x{k}" for k in range(COLUMNS)), values, {"x3": ("a", "b", "c")})


def rows_of(matrix: FeatureMatrix, arm: npt.NDArray[np.intp], outcome: Floats) -> UpliftRows:
    """A trial of control and one treatment that four in ten get."""
    propensity = np.tile([1 - _SHARE, _SHARE], (len(matrix), 1))
    return UpliftRows(matrix, arm, propensity, outcome, ("control", "treated"))


def _permuted(rng: np.random.Generator, matrix: FeatureMatrix, without: Floats, treated: Floats) -> bool:
    """Whether any learner is proven where the arms that did something were dealt out anew afterwards."""
    arm = (rng.random(len(matrix)) < _SHARE).astype(np.intp)
    rows = rows_of(matrix, rng.permutation(arm), np.where(arm == 1, treated, without))
    cross = cross_fit(rows, tuple(LEARNERS), QUICK, seed=int(rng.integers(1 << 30)))
    samples = HalfSamples.draw(len(rows), draws=199, seed=int(rng.integers(1 << 30)), threads=1)
    return select(cross.repeats, samples=samples).proven


def permuted_binary(rng: np.random.Generator) -> bool:
    matrix = features(rng, 700)
    x = np.nan_to_num(matrix.values)
    base, draw = 0.8 * x[:, 0] + 0.6 * x[:, 2] - 0.5, rng.random(700)
    gain = 1.0 * (x[:, 4] > 0)
    without: Floats = (draw < expit(base)).astype(np.float64)
    treated: Floats = (draw < expit(base + gain)).astype(np.float64)
    return _permuted(rng, matrix, without, treated)


def permuted_money(rng: np.random.Generator) -> bool:
    """Money that is zero for more than half and lognormal with σ = 1.2 around what features tell for the rest."""
    matrix = features(rng, 700)
    x = np.nan_to_num(matrix.values)
    buys = (rng.random(700) < expit(0.8 * x[:, 0] - 0.3)).astype(np.float64)
    money = buys * np.exp(0.5 * np.log(x[:, 1]) + 0.4 * x[:, 2] + rng.normal(0, 1.2, 700))
    return _permuted(rng, matrix, money, money * np.where(x[:, 4] > 0, 1.6, 1.0))


def band(rng: np.random.Generator) -> bool:
    """Is the true mean effect of one fifth of new customers, those of similar scores, within the model's band?"""
    matrix, new = features(rng, 800), features(rng, _NEW)
    x = np.nan_to_num(matrix.values)
    arm = (rng.random(800) < _SHARE).astype(np.intp)
    rows = rows_of(matrix, arm, x[:, 0] + arm * _effect(matrix) + rng.normal(0, 1, 800))
    cross = cross_fit(rows, ("dr_learner",), QUICK, seed=int(rng.integers(1 << 30)))
    model = fit_served(rows, cross, "dr_learner", QUICK)
    raw = model.raw(new)
    score, bands = model.score(new, raw)[:, 0], model.bands(new, raw)
    # Scores of trees are tied by the dozen; a group is a fifth of the ranks, ties at its edges dealt by chance.
    group = np.argsort(np.lexsort((rng.random(_NEW), score))) * _GROUPS // _NEW == rng.integers(_GROUPS)
    low, high = bands.low[group].mean(), bands.high[group].mean()
    return bool(low <= _effect(new)[group].mean() <= high)


def _effect(matrix: FeatureMatrix) -> Floats:
    x = np.nan_to_num(matrix.values)
    return np.asarray(0.5 + 0.6 * np.tanh(x[:, 4]) + 0.3 * (x[:, 3] == 1))


def _chance(share: float, count: int) -> float:
    """How far a true share strays to one side in 5 of 100 runs of so many repetitions (normal approximation)."""
    return float(1.645 * np.sqrt(share * (1 - share) / count))


CASES: tuple[Case, ...] = (
    Case(
        "learners of a permuted treatment, binary: proven", 0, 0.05 + _chance(0.05, 500), permuted_binary, 500
    ),
    Case(
        "learners of a permuted treatment, money: proven", 0, 0.05 + _chance(0.05, 500), permuted_money, 500
    ),
    # Nominally 95 %: a fifth of new customers mixes groups, and the served model is not quite those calibrated.
    Case("calibrated uplift: band holds a group's mean effect", 0.9 - _chance(0.9, 1000), 1, band),
)


if __name__ == "__main__":
    print(json.dumps({case.name: round(rate(case)[0], 4) for case in CASES}, ensure_ascii=False))
