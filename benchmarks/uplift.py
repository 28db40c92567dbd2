"""Uplift against causalml and linear learners: real e-mails, a world with known truth, and speed.

    python -m benchmarks.uplift [hillstrom|world|speed] [--splits 20] [--arms womens|mens|both] [--customers 30000]
        [--worlds 1]

``hillstrom`` needs the public e-mail test of K. Hillstrom (2008) as a CSV, whose path is given by
``--file``: in every split, half the customers are learnt from and the other half judged by doubly
robust Qini and AUTOC, per customer, the mean over arms and each arm by itself. Intervals are over splits,
widened for what splits have in common (Nadeau and Bengio 2003). ``world`` simulates B2B worlds: half of an experiment's customers are learnt
from, the others' true effects are known, and the other way round. Without a name all three run. The last line is JSON.
"""

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import parallel_config
from scipy.stats import spearmanr, t

from benchmarks import rate_speed
from benchmarks.peers import present
from evaluation.effects.winsor import winsorise
from evaluation.experiments.enrolment import enrol
from evaluation.experiments.overview import experiments
from evaluation.uplift.doubly_robust import aipw
from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.ranking import autoc, qini
from evaluation.uplift.selection import SELECTION_DRAWS, select
from features.binding.tables import bind
from features.engine.matrix import FeatureMatrix
from features.history import read_history
from features.settings import load_settings
from features.types import Floats
from features.world.simulate import simulate_world
from training.models.uplift import Constant, UpliftModel
from training.uplift.crossfit import cross_fit, folds_of
from training.uplift.learning import LEARNERS, Learning
from training.uplift.rows import UpliftRows, UpliftTrees
from training.uplift.served import fit_served

OUTCOMES = ("visit", "conversion", "spend")
ARMS = {
    "womens": ("Womens E-Mail",),
    "mens": ("Mens E-Mail",),
    "both": ("Mens E-Mail", "Womens E-Mail"),
}
"""E-mails compared with none."""
_CATEGORICAL = ("zip_code", "channel")
_NUMERIC = ("recency", "history", "mens", "womens", "newbie")


def emails(path: Path, arms: tuple[str, ...], outcome: str) -> UpliftRows:
    """The e-mail test as rows to learn from; the first arm is control."""
    table = pd.read_csv(path)
    table = table[table["segment"].isin(arms)].reset_index(drop=True)
    codes = {name: table[name].astype("category").cat for name in _CATEGORICAL}
    values = np.column_stack(
        [
            *(table[name].to_numpy(float) for name in _NUMERIC),
            *(each.codes.to_numpy(float) for each in codes.values()),
        ]
    )
    words = {name: tuple(map(str, each.categories)) for name, each in codes.items()}
    arm = np.array([arms.index(name) for name in table["segment"]], np.intp)
    share = np.full((len(table), len(arms)), 1 / len(arms))
    matrix = FeatureMatrix((*_NUMERIC, *_CATEGORICAL), values, words)
    return UpliftRows(matrix, arm, share, table[outcome].to_numpy(float), arms)


def learn(rows: UpliftRows, seed: int = 7, repeats: int = 1) -> tuple[UpliftModel, str, float]:
    """What the product serves, the kind it found best, and the p value of its being better than nothing."""
    trees = UpliftTrees()
    cross = cross_fit(rows, tuple(LEARNERS), trees, repeats=repeats, seed=seed)
    found = select(cross.repeats, samples=HalfSamples.draw(len(rows), draws=SELECTION_DRAWS, seed=seed))
    kind = found.chosen if found.proven else Constant.kind
    return fit_served(rows, cross, kind, trees, seed), found.chosen, found.p_better[found.chosen]


def peers(rows: UpliftRows) -> dict[str, Callable[[FeatureMatrix], Floats]]:
    """Learners of causalml with LightGBM as it comes, and a T-learner of linear models; one arm against control."""
    from causalml.inference.meta import (
        BaseDRLearner,
        BaseRRegressor,
        BaseSRegressor,
        BaseTRegressor,
        BaseXRegressor,
    )
    from lightgbm import LGBMRegressor
    from sklearn.linear_model import RidgeCV

    base = partial(LGBMRegressor, n_estimators=100, verbose=-1, num_threads=1, random_state=7)
    x, treated, y = _dense(rows.matrix), (rows.arm == 1).astype(int), rows.outcome
    e = rows.propensity[:, 1]
    made: dict[str, Callable[[FeatureMatrix], Floats]] = {}
    for name, learner in (
        ("causalml_s", BaseSRegressor(base())),
        ("causalml_t", BaseTRegressor(base())),
        ("causalml_x", BaseXRegressor(base())),
        ("causalml_r", BaseRRegressor(base(), random_state=7)),
        ("causalml_dr", BaseDRLearner(base())),
    ):
        known = {} if name in {"causalml_s", "causalml_t"} else {"p": e}
        said = {"verbose": False} if name == "causalml_r" else {}
        # Its cross-validation would start processes, which the one that ends here would wait for.
        with parallel_config(backend="sequential"):
            learner.fit(x, treated, y, **known, **said)
        made[name] = partial(_said, learner, bool(known), float(e[0]))
    linear = [RidgeCV(np.logspace(-2, 4, 13)).fit(x[treated == k], y[treated == k]) for k in (0, 1)]
    made["linear_t"] = lambda matrix: linear[1].predict(_dense(matrix)) - linear[0].predict(_dense(matrix))
    return made


def _said(learner: Any, wants_propensity: bool, share: float, matrix: FeatureMatrix) -> Floats:
    x = _dense(matrix)
    known = {"p": np.full(len(x), share)} if wants_propensity else {}
    return np.asarray(learner.predict(x, **known), dtype=np.float64).ravel()


def _dense(matrix: FeatureMatrix) -> Floats:
    """What a user of those libraries would feed: one-hot words, zeros for missing values."""
    columns = []
    for name in matrix.names:
        values = matrix.column(name)
        if name in matrix.categories and len(matrix.categories[name]) <= 12:
            columns += [(values == code).astype(float) for code in range(len(matrix.categories[name]))]
        elif name not in matrix.categories:
            columns.append(np.nan_to_num(values))
    return np.column_stack(columns)


def one_split(path: Path, treated: tuple[str, ...], outcome: str, split: int) -> dict[str, Any]:
    """Qini and AUTOC of everybody on the half they have not seen."""
    warnings.simplefilter("ignore")
    rows = emails(path, ("No E-Mail", *treated), outcome)
    half = folds_of(rows, 2, 100 + split) == 0
    train, there = rows.take(half), rows.take(~half)
    learning = Learning(train, UpliftTrees())
    gamma = aipw(there.outcome, there.arm, there.propensity, learning.fitted(there.matrix))
    said = {kind: learning.fit(kind).predict(there.matrix) for kind in LEARNERS}
    model, chosen, p = learn(train, split)
    said |= {"selected": said[chosen], "served": model.predict(there.matrix)}
    said |= _one_arm_peers(train, there.matrix)
    values = {}
    for name, each in said.items():
        values[name] = {
            f"{metric}{suffix}": float(np.mean([measure(gamma[:, k], each[:, k]) for k in arms]))
            for metric, measure in (("qini", qini), ("autoc", autoc))
            for suffix, arms in _groups(treated).items()
        }
    return {"values": values, "chosen": chosen, "p": p}


def _groups(treated: tuple[str, ...]) -> dict[str, range]:
    """All arms together, and where there are several also each by itself, by what is added to a metric's name."""
    each = {f" {arm.split()[0]}": range(k, k + 1) for k, arm in enumerate(treated)}
    return {"": range(len(treated)), **(each if len(treated) > 1 else {})}


_SHOWN = ("qini", "qini_less_linear_t", "autoc")


def hillstrom(path: Path, treated: tuple[str, ...], splits: int, workers: int) -> dict[str, Any]:
    """Means over splits with intervals, and the difference to the best linear learner."""
    found: dict[str, Any] = {}
    for outcome in OUTCOMES:
        with ProcessPoolExecutor(workers) as pool:
            results = list(pool.map(partial(one_split, path, treated, outcome), range(splits)))
        lines: dict[str, Any] = {}
        for name in results[0]["values"]:
            lines[name] = {}
            for metric in results[0]["values"][name]:
                mine = np.array([each["values"][name][metric] for each in results])
                linear = np.array([each["values"]["linear_t"][metric] for each in results])
                lines[name][metric] = _over_splits(mine)
                lines[name][f"{metric}_less_linear_t"] = _over_splits(mine - linear)
        chosen = [each["chosen"] for each in results]
        proven = float(np.mean([each["p"] <= 0.05 for each in results]))
        counts = {kind: chosen.count(kind) for kind in sorted(set(chosen))}
        best = max(lines, key=lambda name, lines=lines: lines[name]["qini"][0])  # type: ignore[misc]
        found[outcome] = {"lines": lines, "chosen": counts, "proven_share": proven, "best": best}
        print(f"\n{outcome}: chosen {counts}, proven in {proven:.0%} of {splits} splits; best {best}")
        for name, line in sorted(lines.items(), key=lambda item: -item[1]["qini"][0]):
            told = "  ".join(
                f"{key} {line[key][0]:.5f} [{line[key][1]:.5f}, {line[key][2]:.5f}]" for key in _SHOWN
            )
            print(f"  {name:12s} {told}", flush=True)
    return found


def _over_splits(values: Floats) -> tuple[float, float, float]:
    mean, n = float(values.mean()), len(values)
    reach = float(t.ppf(0.975, n - 1) * values.std(ddof=1) * np.sqrt(1 / n + 1.0))
    return mean, mean - reach, mean + reach


def worlds(customers: int, count: int, workers: int) -> dict[str, Any]:
    """Mean, lowest and highest over worlds of each figure against the truth."""
    with ProcessPoolExecutor(min(workers, count)) as pool:
        found = list(pool.map(partial(world, customers), range(7, 7 + count)))
    lines: dict[str, Any] = {}
    for name, line in found[0]["lines"].items():
        values = {key: [each["lines"][name][key] for each in found] for key in line}
        lines[name] = {key: [float(np.mean(each)), min(each), max(each)] for key, each in values.items()}
    for each in found:
        print(
            f"\nworld of {customers:,} customers, {each['customers']:,} in the experiment; chosen {each['chosen']}"
        )
        print("  served        ", json.dumps(each["lines"]["served"]), flush=True)
    print("\nmean [lowest, highest]")
    for name, line in lines.items():
        told = "  ".join(f"{key} {v:.2f} [{low:.2f}, {high:.2f}]" for key, (v, low, high) in line.items())
        print(f"  {name:14s} {told}", flush=True)
    return {"worlds": [each["chosen"] for each in found], "lines": lines}


def world(customers: int, seed: int) -> dict[str, Any]:
    """Correlation with the truth, calibration slope and the policy's share of the oracle's value."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="tokui-") as scratch:
        made = simulate_world(Path(scratch) / "world", customers=customers, years=3, seed=seed)
        with bind(load_settings(made.folder / "tokui.toml")) as tables:
            history = read_history(tables)
            name = next(iter(experiments(tables)))
            enrolled = enrol(tables, history, name, days=365)
            money = winsorise(history.money(enrolled.observations, 365)).value
            ids = history.ids(enrolled.observations)
        truth = pd.read_parquet(made.folder / "truth_effects.parquet")
    truth = truth[truth["experiment_id"] == name]
    truth["effect"] = truth["effect_margin_12m"] - truth["effect_cost_12m"]
    trial = enrolled.trial
    by_arm = truth.pivot_table(index="customer_id", columns="arm", values="effect")
    tau = by_arm.reindex(index=ids.tolist(), columns=list(trial.arms[1:])).to_numpy(float)
    rows = UpliftRows(enrolled.matrix, trial.arm, trial.propensity, money, trial.arms)
    half = folds_of(rows, 2, 3)
    said: dict[str, Floats] = {}
    chosen = []
    for k in (0, 1):
        train, there = rows.take(half != k), half == k
        learning = Learning(train, UpliftTrees())
        model, kind, p = learn(train, repeats=2)
        chosen.append([kind, p])
        each = {"served": model.predict(rows.matrix.take(there))}
        each |= {name: learning.fit(name).predict(rows.matrix.take(there)) for name in LEARNERS}
        each["best_constant"] = np.tile(mean_effects(train), (int(there.sum()), 1))
        each |= _one_arm_peers(train, rows.matrix.take(there))
        for name, values in each.items():
            said.setdefault(name, np.empty_like(tau))[there] = values
    lines = {name: _against_truth(values, tau) for name, values in said.items()}
    return {"customers": len(rows), "chosen": chosen, "lines": lines}


def mean_effects(train: UpliftRows) -> Floats:
    """Mean effects as the raw means of the training half say, [K]: what a constant policy goes by."""
    mean = np.array([train.outcome[train.arm == k].mean() for k in range(len(train.arms))])
    return np.asarray(mean[1:] - mean[0])


def _one_arm_peers(train: UpliftRows, there: FeatureMatrix) -> dict[str, Floats]:
    found: dict[str, list[Floats]] = {}
    for k in range(1, len(train.arms)):
        mine = (train.arm == 0) | (train.arm == k)
        share = train.propensity[mine][:, [0, k]]
        share /= share.sum(axis=1, keepdims=True)
        arm = (train.arm[mine] == k).astype(np.intp)
        one = UpliftRows(train.matrix.take(mine), arm, share, train.outcome[mine], ("control", "arm"))
        for name, predict in peers(one).items():
            found.setdefault(name, []).append(predict(there))
    return {name: np.column_stack(each) for name, each in found.items()}


def _against_truth(said: Floats, tau: Floats) -> dict[str, float]:
    """Over all arms: correlation, rank correlation within arms, calibration slope, policy value."""
    arms = range(tau.shape[1])
    varied = [k for k in arms if said[:, k].std() > 0]
    best = said.argmax(axis=1)
    value = np.where(said.max(axis=1) > 0, tau[np.arange(len(tau)), best], 0.0).mean()
    oracle = np.maximum(tau.max(axis=1), 0.0).mean()
    flat_said, flat = said.ravel(), tau.ravel()
    slope = np.cov(flat_said, flat)[0, 1] / flat_said.var(ddof=1)
    return {
        "correlation": round(float(np.corrcoef(flat_said, flat)[0, 1]), 3),
        "rank_correlation": round(
            sum(float(spearmanr(said[:, k], tau[:, k]).statistic) for k in varied) / max(len(varied), 1), 3
        ),
        "slope": round(float(slope), 3),
        "policy_share": round(float(value / oracle), 3),
    }


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", choices=("hillstrom", "world", "speed"))
    parser.add_argument("--file", type=Path, help="the e-mail test's CSV")
    parser.add_argument("--arms", choices=tuple(ARMS), default="womens", help="e-mails compared with none")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--customers", type=int, default=30_000)
    parser.add_argument("--worlds", type=int, default=1, help="simulated with one seed after the other")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    found: Mapping[str, Any] = {}
    begun = time.perf_counter()
    if arguments.part in (None, "hillstrom"):
        if arguments.file is None:
            parser.error("hillstrom needs --file with the e-mail test's CSV")
        present(arguments.file, "the e-mail test")
        found = {
            **found,
            "hillstrom": hillstrom(arguments.file, ARMS[arguments.arms], arguments.splits, arguments.workers),
        }
    if arguments.part in (None, "world"):
        found = {**found, "world": worlds(arguments.customers, arguments.worlds, arguments.workers)}
    if arguments.part in (None, "speed"):
        found = {**found, **rate_speed.measure()}
    print(f"\n{time.perf_counter() - begun:.0f} s")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
