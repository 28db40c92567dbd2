"""LTV and churn against their yardsticks on two public histories, on the product's own path, out of time.

    python -m benchmarks.ltv_churn [--quick]

binds the files by a tokui.toml, computes features by the engine and judges the candidates by the
product's backtest, which learns from nothing that ends after the judged cutoff. It prints a line a
candidate and one JSON object last: by data set, task and candidate, every metric with its 95 %
bootstrap interval (customers resampled). The cutoffs follow from the horizons: CDNOW is judged after
1997-09-30 (that day is still history, as in Fader and Hardie) on the 273 days left, Online Retail
after 2011-09-10 on 90 days. Peers see the very same rows. ``--quick`` grows a fifth of the trees.
"""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace

import lightgbm as lgb
import numpy as np

from benchmarks.histories import first_day_money, read, there
from evaluation.estimate import Estimate
from features.catalogue.orders import SPENT
from features.history import History, Panel
from features.types import Floats
from training.models.boosting import Trees
from training.models.buytilldie import BgNbd, GammaGamma, Purchases
from training.value.backtest import Backtest, check_intervals, compare, measure, run_backtest
from training.value.ltv import DEFAULT_LTV
from training.value.tasks import ChurnTask, LtvTask, Task

PLAIN = {"verbose": -1, "num_threads": 1, "deterministic": True, "seed": 7}


def repeat_days_value(history: History, there: Panel, horizon: int) -> Floats:
    """BG/NBD and Gamma-Gamma as Fader and Hardie set them up: age to the last day, spend of repeat days."""
    seen = Purchases.from_matrix(there.matrix)
    repeat = there.matrix.column(SPENT) - first_day_money(history, there)
    spend = np.where(seen.x > 0, repeat / np.maximum(seen.x, 1), np.nan)
    usual = Purchases(seen.x, seen.t_x, np.maximum(np.ceil(seen.age) - 1, seen.t_x), spend)
    each = GammaGamma.fit(spend, seen.x).expected_spend(np.nan_to_num(spend), np.maximum(seen.x, 1e-9))
    return BgNbd.fit(usual).expected_purchases(usual, horizon) * each


def plain_lightgbm(task: Task, history: History, panel: Panel, judged: int) -> Floats:
    """What one writes first: LightGBM's defaults on the longest label there is, raw features, [n, K]."""
    lengths = task.label_days if isinstance(task, LtvTask) else (task.span_days,)
    days = max(length for length in lengths if len(task.usable(panel, judged, length).observations))
    rows = task.usable(panel, judged, days)
    there = panel.where(panel.cutoffs == judged).matrix
    if isinstance(task, ChurnTask):
        label, objective, scale = task.outcome(history, rows.observations), "binary", 1.0
    else:
        label, objective = history.money(rows.observations, days)[:, None], "regression"
        scale = task.span_days / days
    grown = [
        lgb.train(PLAIN | {"objective": objective}, lgb.Dataset(rows.matrix.values, label[:, k]), 100)
        for k in range(label.shape[1])
    ]
    return np.column_stack([scale * np.asarray(booster.predict(there.values)) for booster in grown])


def told(name: str, found: Mapping[str, Estimate]) -> dict[str, dict[str, float]]:
    line = "  ".join(f"{key} {e.value:.4f} [{e.low:.4f}, {e.high:.4f}]" for key, e in found.items())
    print(f"{name:34s} {line}", flush=True)
    return {key: {side: round(v, 4) for side, v in asdict(e).items()} for key, e in found.items()}


def judge(task: Task, history: History, trees: Trees) -> tuple[Backtest, Panel, float]:
    """The product's backtest, the panel it learnt from, and how long it took."""
    judged, cutoffs = history.cutoffs(task.span_days, task.shortest_days)
    panel = history.panel([cutoff for cutoff in cutoffs if cutoff <= judged])
    start = time.perf_counter()
    found = run_backtest(task, history, panel, judged, dict.fromkeys(task.kinds, trees))
    return found, panel, round(time.perf_counter() - start, 1)


def ltv_case(name: str, history: History, trees: Trees) -> dict[str, object]:
    task = LtvTask(history.settings)
    found, panel, seconds = judge(task, history, trees)
    # The default is reported whichever candidate won, so that figures stay comparable.
    found = replace(found, chosen=DEFAULT_LTV)
    peers = {kind: candidate.prediction for kind, candidate in found.candidates.items()}
    peers["bgnbd_repeat_days"] = repeat_days_value(history, found.panel, task.span_days)[:, None]
    peers["plain_lightgbm"] = plain_lightgbm(task, history, panel, found.cutoff)
    covered = check_intervals(task, found)
    result: dict[str, object] = {"customers": len(found.actual), "backtest_seconds": seconds}
    for kind, p in peers.items():
        metrics = (
            found.candidates[kind].metrics if kind in found.candidates else measure(task, found.actual, p)
        )
        more = {"coverage": covered.covered} if kind == DEFAULT_LTV else {}
        result[kind] = told(f"{name} ltv {kind}", metrics | more)
    ours = peers[DEFAULT_LTV]
    result["p_peer_is_worse"] = {
        kind: round(compare(task, found.actual, p, ours).p_worse, 3)
        for kind, p in peers.items()
        if kind != DEFAULT_LTV
    }
    return result


def contradicted(p: Floats) -> float:
    """Share of accounts that are likelier to have left by a horizon than by a later one."""
    return round(float(np.mean(np.diff(p, axis=1).min(axis=1) < 0)), 4)


def churn_case(name: str, history: History, trees: Trees) -> dict[str, object]:
    task = ChurnTask(history.settings)
    found, panel, seconds = judge(task, history, trees)
    result: dict[str, object] = {"customers": len(found.actual), "backtest_seconds": seconds}
    predictions = {kind: candidate.prediction for kind, candidate in found.candidates.items()}
    predictions["plain_lightgbm"] = plain_lightgbm(task, history, panel, found.cutoff)
    for kind, p in predictions.items():
        metrics = measure(task, found.actual, p)
        result[kind] = told(f"{name} churn {kind}", metrics) | {"contradicted": contradicted(p)}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    usual = Trees()
    trees = replace(usual, rounds=usual.rounds // 5) if options.quick else usual
    result = {}
    for name in there():
        history = read(name)
        result[name] = {"ltv": ltv_case(name, history, trees), "churn": churn_case(name, history, trees)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
