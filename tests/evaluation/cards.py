"""Model cards of made-up trainings, small enough to render in a test."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from evaluation import metrics as m
from evaluation.bootstrap import bootstrap, paired_test
from evaluation.reports.card.page import CardData, IntervalData
from features.catalogue.sets import PURCHASES

HOSTILE = "<script>alert('得意先')</script>"


def _card(task, chosen, actual, predictions, measured, metric, **rest):
    n, k = actual.shape
    rng = np.random.default_rng(5)
    customers = np.repeat(np.arange(n), k)
    best = predictions[chosen]
    comparisons = {
        kind: paired_test(metric, actual.ravel(), best.ravel(), other.ravel(), customers, draws=100)
        for kind, other in predictions.items()
        if kind != chosen
    }
    industries = np.array(["製造業", "Retail", HOSTILE, "", *(f"Industry {i}" for i in range(12))], object)
    fields = {
        "task": task,
        "project": "Parts & Co <b>",
        "currency": "JPY",
        "trained_at": datetime(2026, 11, 21, 9, 30, tzinfo=ZoneInfo("Asia/Tokyo")),
        "judged_at": datetime.fromisoformat("2025-11-01"),
        "data_until": datetime.fromisoformat("2026-11-01"),
        "chosen": chosen,
        "actual": actual,
        "predictions": predictions,
        "metrics": {kind: measured(p) for kind, p in predictions.items()},
        "metric": metric.name,
        "comparisons": comparisons,
        "refused": {},
        "segments": {"industry": industries[np.minimum(rng.geometric(0.25, n) - 1, 15)]},
        "importance": [("orders_amount_sum_90d", 0.6), ("bgnbd_alive", 0.3), ("something_odd", 0.1)],
        "interval": None,
        "features": PURCHASES,
        "data_fingerprint": "a1b2c3d4",
        "champion": None,
        "champion_prediction": None,
    }
    return CardData(**(fields | rest))


def ltv_card(n=800, noise=0.4, **rest):
    """Money with zeros and a few returns; the chosen model knows the truth up to noise."""
    rng = np.random.default_rng(3)
    true = np.exp(rng.normal(11, 1.2, n))
    y = np.where(rng.random(n) < 0.8, true * rng.lognormal(-0.2, 0.5, n), 0) - 1000 * (rng.random(n) < 0.05)
    guess = {
        "two_part": true * rng.lognormal(-0.1, noise, n),
        "bgnbd": true * rng.lognormal(0, 1.2, n),
        "last_period": np.where(rng.random(n) < 0.5, true * rng.lognormal(0, 1.2, n), 0),
    }

    def measured(p):
        chosen = (m.normalised_gini, m.decile_error, m.total_ratio, m.auc)
        return bootstrap({metric.name: metric for metric in chosen}, y, p[:, 0], draws=60)

    p = guess["two_part"]
    low, high = p * 0.1 - 2000, p * 3
    inside = ((low <= y) & (y <= high)).astype(float)
    interval = IntervalData(0.9, low, high, bootstrap({"c": m.mean_actual}, inside, inside)["c"])
    predictions = {kind: value[:, None] for kind, value in guess.items()}
    rest = {"interval": interval, "champion": 3, "champion_prediction": predictions["bgnbd"]} | rest
    return _card(
        "ltv", "two_part", y[:, None], predictions, measured, m.normalised_gini,
        span_days=365, outputs=("ltv",), **rest,
    )  # fmt: skip


def churn_card(n=700, **rest):
    """Two horizons; the chosen model knows the truth, a baseline says the same of everyone."""
    rng = np.random.default_rng(4)
    score, base = rng.normal(size=n), np.array([0.1, 0.25])
    true = 1 / (1 + np.exp(-(np.log(base / (1 - base)) + 1.5 * score[:, None])))
    y = (rng.random(n)[:, None] < true).astype(float)
    predictions = {"hazard": true, "base_rate": np.tile(base, (n, 1))}
    customers = np.repeat(np.arange(n), 2)

    def measured(p):
        found = bootstrap({"log_loss": m.log_loss}, y.ravel(), p.ravel(), customers, draws=60)
        for k, days in enumerate((30, 90)):
            found |= {
                f"{metric.name}_churn_{days}d": estimate
                for metric in (m.auc, m.brier)
                for estimate in bootstrap({"e": metric}, y[:, k], p[:, k], draws=60).values()
            }
        return found

    return _card(
        "churn", "hazard", y, predictions, measured, m.log_loss,
        span_days=180, outputs=("churn_30d", "churn_90d"), **rest,
    )  # fmt: skip
