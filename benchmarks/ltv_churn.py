"""LTV and churn against their yardsticks on two public histories, out of time.

    python benchmarks/ltv_churn.py [--rehearse] [--seeds 3] [--threads 2]

prints a line a model while it runs and one JSON object last. CDNOW is cut after 1997-09-30 (that day
is still history, as in Fader and Hardie) and followed for 273 days; nothing learnt from is later
than that day. ``--rehearse`` scores variants of our model inside that calibration period instead:
the label lengths were chosen there.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from histories import History, cdnow, day_of, features_at, money_after, online_retail

from evaluation import metrics as m
from evaluation.bootstrap import bootstrap, paired_test
from features.matrix import FeatureMatrix
from features.types import Floats
from training.baselines import BgNbd, GammaGamma, Purchases
from training.boosting import Trees
from training.churn import ChurnRows, fit_churn
from training.conformal import ConformalIntervals
from training.ltv import LtvRows, fit_ltv


def ltv_rows(history: History, cutoffs: Sequence[int], days: int) -> LtvRows:
    parts = []
    for cutoff in cutoffs:
        customers, matrix = features_at(history, cutoff)
        money = money_after(history, customers, cutoff, days)
        parts.append((matrix, money, np.full(len(money), cutoff)))
    values = np.vstack([matrix.values for matrix, _, _ in parts])
    return LtvRows(
        FeatureMatrix(parts[0][0].names, values),
        np.concatenate([money for _, money, _ in parts]),
        np.concatenate([cutoff for _, _, cutoff in parts]),
        days,
    )


def before(cutoff: int, days: int, first: int, count: int = 8, step: int = 14) -> list[int]:
    """The newest training cutoffs whose labels end by the cutoff."""
    return list(range(cutoff - days, first - 1, -step))[:count]


def ltv_sets(history: History, cutoff: int, first: int, lengths: Sequence[int]) -> list[LtvRows]:
    found = [(days, before(cutoff, days, first)) for days in lengths]
    return [ltv_rows(history, cutoffs, days) for days, cutoffs in found if cutoffs]


def repeat_days_value(history: History, cutoff: int, horizon: int) -> Floats:
    """BG/NBD and Gamma-Gamma as Fader and Hardie set them up: age to the last day, spend of repeat days."""
    _, matrix = features_at(history, cutoff)
    seen = Purchases.from_matrix(matrix)
    repeat = matrix.column("orders_amount_sum_ever") - matrix.column("orders_amount_first_ever")
    spend = np.where(seen.x > 0, repeat / np.maximum(seen.x, 1), np.nan)
    usual = Purchases(seen.x, seen.t_x, seen.age - 1, spend)
    each = GammaGamma.fit(spend, seen.x).expected_spend(np.nan_to_num(spend), np.maximum(seen.x, 1e-9))
    return BgNbd.fit(usual).expected_purchases(usual, horizon) * each


def plain_lightgbm(rows: LtvRows, matrix: FeatureMatrix, horizon: int, threads: int) -> Floats:
    """What one writes first: LightGBM's defaults, squared error, raw features."""
    data = lgb.Dataset(rows.matrix.values, rows.money)
    params = {
        "objective": "regression",
        "verbose": -1,
        "num_threads": threads,
        "deterministic": True,
        "seed": 7,
    }
    return np.asarray(lgb.train(params, data, 100).predict(matrix.values)) * horizon / rows.days


LTV_METRICS = {
    metric.name: metric for metric in (m.spearman, m.normalised_gini, m.decile_error, m.total_ratio, m.auc)
}


def scored(name: str, metrics: dict[str, m.Metric], y: Floats, p: Floats) -> dict[str, dict[str, float]]:
    found = bootstrap(metrics, y, p)
    line = "  ".join(f"{k} {e.value:.4f} [{e.low:.4f}, {e.high:.4f}]" for k, e in found.items())
    print(f"{name:34s} {line}", flush=True)
    return {k: {side: round(v, 4) for side, v in asdict(e).items()} for k, e in found.items()}


@dataclass(frozen=True)
class LtvCase:
    """One out-of-time LTV experiment."""

    name: str
    history: History
    cutoff: int
    first: int
    horizon: int
    lengths: tuple[int, ...]


def ltv_case(case: LtvCase, trees: Callable[[int], Trees], seeds: int) -> dict[str, object]:
    history, cutoff, horizon = case.history, case.cutoff, case.horizon
    customers, matrix = features_at(history, cutoff)
    y = money_after(history, customers, cutoff, horizon)
    sets = ltv_sets(history, cutoff, case.first, case.lengths)
    result: dict[str, object] = {"customers": len(y), "horizon_days": horizon, "label_days": case.lengths}
    start = time.perf_counter()
    model = fit_ltv(sets, horizon_days=horizon, trees=trees(7))
    result["fit_seconds"] = round(time.perf_counter() - start, 1)
    ours = model.predict(matrix)
    result["ours"] = scored(f"{case.name} ours", LTV_METRICS, y, ours)
    if seeds > 1:
        others = [
            fit_ltv(sets, horizon_days=horizon, trees=trees(s)).predict(matrix) for s in range(1, seeds)
        ]
        every = [ours, *others]
        result["ours_over_seeds"] = {
            k: [round(f(metric(y, p) for p in every), 4) for f in (min, max)]
            for k, metric in LTV_METRICS.items()
        }
        print("  over seeds", result["ours_over_seeds"], flush=True)
    peers = {
        "tweedie": fit_ltv(sets, horizon_days=horizon, kind="tweedie", trees=trees(7)).predict(matrix),
        "bgnbd": fit_ltv(sets, horizon_days=horizon, kind="bgnbd", history=matrix).predict(matrix),
        "bgnbd_repeat_days": repeat_days_value(history, cutoff, horizon),
        "plain_lightgbm": plain_lightgbm(sets[-1], matrix, horizon, trees(7).num_threads),
        "last_period": fit_ltv(sets, horizon_days=horizon, kind="last_period").predict(matrix),
    }
    for name, p in peers.items():
        result[name] = scored(f"{case.name} {name}", LTV_METRICS, y, p)
    result["p_peer_is_worse_in_gini"] = {
        name: round(paired_test(m.normalised_gini, y, p, ours).p_worse, 3) for name, p in peers.items()
    }
    result["interval_90"] = interval_case(case, trees(7), y, ours)
    return result


def interval_case(case: LtvCase, trees: Trees, y: Floats, ours: Floats) -> dict[str, object]:
    """Intervals calibrated on the newest label that ends by the cutoff, by a model that ends before it."""
    days = min(max(case.lengths), case.horizon)
    there = case.cutoff - days
    usual = [days for days in case.lengths if before(there, days, case.first)]
    earlier = fit_ltv(ltv_sets(case.history, there, case.first, usual), horizon_days=days, trees=trees)
    customers, matrix = features_at(case.history, there)
    after = money_after(case.history, customers, there, days)
    intervals = ConformalIntervals.fit(after, earlier.predict(matrix))
    low, high = intervals.interval(ours, 0.9)
    inside = ((low <= y) & (y <= high)).astype(float)
    found = scored(f"{case.name} 90 % interval", {"coverage": m.mean_actual}, inside, inside)
    return found | {"mean_width": round(m.interval_width(low, high), 1), "calibrated_on_days": days}


def left_after(
    history: History, customers: NDArray[np.int64], cutoff: int, horizons: Sequence[int], silence: int
) -> Floats:
    """1 where no order falls from the horizon to the end of the silence after the last horizon."""
    end = cutoff + horizons[-1] + silence
    inside = (history.day >= cutoff) & (history.day < end) & (history.amount > 0)
    last = np.full(int(history.customer.max()) + 1, -1)
    np.maximum.at(last, history.customer[inside], history.day[inside])
    return np.column_stack([last[customers] < cutoff + days for days in horizons]).astype(float)


def churn_rows(history: History, cutoffs: Sequence[int], horizons: Sequence[int], silence: int) -> ChurnRows:
    parts = []
    for cutoff in cutoffs:
        customers, matrix = features_at(history, cutoff)
        left = left_after(history, customers, cutoff, horizons, silence)
        parts.append((matrix, left, np.full(len(left), cutoff)))
    values = np.vstack([matrix.values for matrix, _, _ in parts])
    return ChurnRows(
        FeatureMatrix(parts[0][0].names, values),
        np.vstack([left for _, left, _ in parts]),
        np.concatenate([cutoff for _, _, cutoff in parts]),
    )


def churn_case(
    name: str,
    history: History,
    cutoff: int,
    first: int,
    horizons: tuple[int, ...],
    silence: int,
    trees: Trees,
) -> dict[str, object]:
    span = horizons[-1] + silence
    later = churn_rows(history, [cutoff - span], horizons, silence)
    train = churn_rows(history, before(cutoff - span, span, first), horizons, silence)
    customers, matrix = features_at(history, cutoff)
    left = left_after(history, customers, cutoff, horizons, silence)
    metrics = {"auc": m.auc, "log_loss": m.log_loss, "brier": m.brier}
    result: dict[str, object] = {"customers": len(left), "horizons_days": horizons, "silence_days": silence}
    fits = {
        "ours": fit_churn(train, later, horizons_days=horizons, trees=trees),
        "ours_uncalibrated": fit_churn(train, horizons_days=horizons, trees=trees),
        "bgnbd": fit_churn(later, horizons_days=horizons, kind="bgnbd", silence_days=silence, history=matrix),
        "base_rate": fit_churn(later, horizons_days=horizons, kind="base_rate"),
    }
    found = {kind: model.predict(matrix) for kind, model in fits.items()}
    params = {"objective": "binary", "verbose": -1, "num_threads": trees.num_threads, "deterministic": True}
    found["plain_lightgbm"] = np.column_stack([
        np.asarray(lgb.train(params, lgb.Dataset(train.matrix.values, train.left[:, k]), 100).predict(matrix.values))
        for k in range(len(horizons))
    ])  # fmt: skip
    for kind, p in found.items():
        by_horizon = {}
        for k, days in enumerate(horizons):
            by_horizon[f"{days}d"] = scored(f"{name} {kind} {days}d", metrics, left[:, k], p[:, k])
        contradicted = float((np.diff(p, axis=1) < 0).any(axis=1).mean())
        error = np.mean([m.expected_calibration_error(left[:, k], p[:, k]) for k in range(len(horizons))])
        result[kind] = by_horizon | {"ece": round(float(error), 4), "contradicted": round(contradicted, 4)}
    return result


def rehearse(trees: Callable[[int], Trees]) -> dict[str, object]:
    """Variants on three cutoffs whose outcomes end by 1997-09-30."""
    history, result = cdnow(), {}
    variants: dict[str, tuple[tuple[int, ...], str, int]] = {
        "30": ((30,), "log", 7), "60": ((60,), "log", 7), "30+60": ((30, 60), "log", 7),
        "30+60+91": ((30, 60, 91), "log", 7), "30+60+91 gamma": ((30, 60, 91), "gamma", 7),
        "30+60+91, 15 leaves": ((30, 60, 91), "log", 15),
    }  # fmt: skip
    for name, (lengths, severity, leaves) in variants.items():
        grown = replace(trees(7), leaves=leaves)
        found = []
        for start in ("1997-06-01", "1997-07-01", "1997-08-01"):
            cutoff = day_of(start)
            horizon = day_of("1997-10-01") - cutoff
            customers, matrix = features_at(history, cutoff)
            y = money_after(history, customers, cutoff, horizon)
            sets = ltv_sets(history, cutoff, day_of("1997-03-01"), lengths)
            p = fit_ltv(sets, horizon_days=horizon, severity=severity, trees=grown).predict(matrix)
            found.append({k: metric(y, p) for k, metric in LTV_METRICS.items()})
        result[name] = {k: round(float(np.mean([one[k] for one in found])), 4) for k in LTV_METRICS}
        print(name, result[name], flush=True)
    return {"rehearsal": result}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    def trees(seed: int) -> Trees:
        return Trees(seed=seed, num_threads=options.threads)

    if options.rehearse:
        print(json.dumps(rehearse(trees)))
        return
    discs, gifts = cdnow(), online_retail()
    cases = (
        LtvCase("cdnow", discs, day_of("1997-10-01"), day_of("1997-03-01"), 273, (30, 60, 91)),
        LtvCase("online_retail", gifts, day_of("2011-09-10"), day_of("2011-02-01"), 90, (30, 60, 90)),
    )
    result: dict[str, object] = {
        "ltv": {case.name: ltv_case(case, trees, options.seeds) for case in cases},
        "churn": {
            "cdnow": churn_case(
                "cdnow", discs, day_of("1998-03-01"), day_of("1997-03-01"), (30, 60, 90), 30, trees(7)
            ),
            "online_retail": churn_case(
                "online_retail", gifts, day_of("2011-09-25"), day_of("2011-01-15"), (15, 30, 45), 30, trees(7)
            ),
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
