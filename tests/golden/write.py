"""Write golden bundles and a snapshot by the code as it is; the folder is laid out as a `live/` folder.

python tests/golden/write.py FOLDER

ltv-1/ churn-1/ uplift-1/   bundles, expected.json in each: float hex of the canary rows and of the snapshot's rows
snapshot.tokui              40 customers; customers(created_at, industry) and orders(amount, order_id) bound
champions.json              so that Live(FOLDER) and load_predictor(Live(FOLDER)) work
answers.json                what load_predictor(...) says of customers, as encoded JSON
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np

from features.binding.tables import bind
from features.engine.snapshot import open_snapshot, write_snapshot
from features.history import read_history
from features.settings import load_settings
from features.types import DAY
from features.world.simulate import simulate_world
from serving.predictor.champions import load_predictor
from training.live import Live
from training.models.boosting import Trees
from training.models.bundle import Bundle, read_bundle, write_bundle
from training.models.conformal import ConformalIntervals
from training.uplift.crossfit import cross_fit
from training.uplift.rows import UpliftRows, UpliftTrees
from training.uplift.served import fit_served
from training.value.tasks import TASKS

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent / "new")
TOML = """
name = "golden"
currency = "JPY"
timezone = "Asia/Tokyo"
[ltv]
horizon_days = 120
[churn]
horizons_days = [30, 60]
silence_days = 60
[tables.customers]
source = "customers.parquet"
[tables.customers.columns]
customer_id = "customer_id"
created_at = "created_at"
industry = "industry"
[tables.orders]
source = "orders.parquet"
[tables.orders.columns]
customer_id = "customer_id"
occurred_at = "occurred_at"
order_id = "order_id"
amount = "amount"
"""
ARMS, COSTS, CANARIES = ("control", "upsell", "renewal call"), {"upsell": 500.0, "renewal call": 4000.0}, 6


def world(folder, customers, seed):
    simulate_world(folder, customers=customers, years=2, seed=seed)
    (folder / "tokui.toml").write_text(TOML)
    return bind(load_settings(folder / "tokui.toml"))


def hexes(values):
    return [[float(v).hex() for v in row] for row in np.atleast_2d(np.asarray(values, float).T).T.tolist()]


def bundle_of(task, kind, history, facts, model, canary, intervals=None):
    bound = {table: tuple(columns) for table, columns in history.bound.items()}
    return Bundle(task, model, history.features, bound, facts, canary, model.predict(canary), intervals)


def made(history):
    settings, trees = history.settings, Trees(rounds=5, leaves=4)
    panel = history.panel([history.end - k * 60 * DAY for k in range(9, 0, -1)])
    newest = history.panel([history.end]).matrix
    canary = newest.take(np.linspace(0, len(newest) - 1, CANARIES).astype(int))
    base = {
        "currency": "JPY",
        "timezone": "Asia/Tokyo",
        "data_until": "2026-01-01T00:00:00",
        "judged_at": "2025-09-03T00:00:00",
    }
    ltv, churn = TASKS["ltv"](settings), TASKS["churn"](settings)
    model = ltv.fit("two_part", history, panel, history.end, trees)
    value = model.predict(newest)
    facts = base | {
        "outputs": list(ltv.outputs),
        "span_days": ltv.span_days,
        "horizon_days": ltv.span_days,
        "discount_rate": 0.1,
        "interval": 0.9,
        "tiers": {t: float(np.quantile(value, q)) for t, q in (("A", 0.9), ("B", 0.7), ("C", 0.4))},
    }
    noise = np.random.default_rng(0).normal(0, np.abs(value).mean(), len(value))
    yield bundle_of(
        "ltv", "two_part", history, facts, model, canary, ConformalIntervals.fit(value + noise, value)
    )
    model = churn.fit("hazard", history, panel, history.end, trees)
    facts = base | {
        "outputs": list(churn.outputs),
        "span_days": churn.span_days,
        "horizons_days": list(churn.label.horizons_days),
        "silence_days": churn.label.silence_days,
    }
    yield bundle_of("churn", "hazard", history, facts, model, canary)
    matrix = history.panel([history.end - k * 90 * DAY for k in range(4)]).matrix
    rng = np.random.default_rng(5)
    arm = rng.integers(0, len(ARMS), len(matrix))
    size = np.argsort(np.argsort(matrix.column("orders_amount_sum_365d"))) / len(matrix)
    effect = np.choose(arm, [0, 9000 * size - 3000, 12_000 * (1 - size)])
    money = np.maximum(rng.lognormal(9, 0.5, len(matrix)) * (rng.random(len(matrix)) < 0.8) + effect, 0)
    rows = UpliftRows(matrix, arm, np.full((len(matrix), len(ARMS)), 1 / len(ARMS)), money, ARMS)
    grown = UpliftTrees(trees, trees)
    cross = cross_fit(rows, ["x_learner"], grown, folds=2, repeats=1)
    assert not cross.refused, cross.refused
    model = fit_served(rows, cross, "x_learner", grown)
    facts = base | {
        "outputs": list(ARMS[1:]),
        "span_days": 120,
        "level": 0.95,
        "experiment": "spring",
        "control": ARMS[0],
        "observational": False,
        "proven": model.proven,
        "costs": COSTS,
    }
    yield bundle_of("uplift", "x_learner", history, facts, model, canary)


def said(bundle, matrix):
    """What public reading code says of some rows."""
    found = {"predict": hexes(bundle.model.predict(matrix))}
    if bundle.intervals is not None:
        low, high = bundle.intervals.interval(bundle.model.predict(matrix), 0.9)
        found |= {"interval_0.9_low": hexes(low), "interval_0.9_high": hexes(high)}
    if bundle.task == "uplift":
        bands = bundle.model.bands(matrix, bundle.model.raw(matrix))
        found |= {"value": hexes(bands.value), "low": hexes(bands.low), "high": hexes(bands.high)}
    return found


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        scratch, live = Path(temporary), Live(OUT)
        with world(scratch / "learn", 200, 3) as tables:
            history = read_history(tables)
            for bundle in made(history):
                write_bundle(scratch / bundle.task, bundle)
                live.publish(bundle.task, 1, scratch / bundle.task)
        with world(scratch / "asked", 40, 4) as tables:
            other = read_history(tables)
            facts = {
                "currency": "JPY",
                "timezone": "Asia/Tokyo",
                "bound": {t: list(c) for t, c in other.bound.items()},
                "data_fingerprint": "golden",
            }
            write_snapshot(
                live.snapshot,
                tables.connection,
                other.features,
                other.end,
                "2026-01-01T00:00:00+09:00",
                facts,
            )
    (OUT / ".lock").unlink(missing_ok=True)
    snapshot = open_snapshot(live.snapshot)
    every = snapshot.matrix(slice(0, len(snapshot)))
    for task in ("ltv", "churn", "uplift"):
        bundle = read_bundle(live.bundle(task, 1))
        bundle.check_canaries(bundle.model.predict(bundle.canary))
        document = {
            "canary": said(bundle, bundle.canary),
            "snapshot": said(bundle, every),
            "customers": snapshot.customer_ids(slice(None)),
        }
        (live.bundle(task, 1) / "expected.json").write_text(json.dumps(document))
    predictor = load_predictor(live)
    some = snapshot.customer_ids(slice(0, 5))
    encode = msgspec.json.encode
    recommender = predictor.uplift.ready()
    answers = {
        "customers": some,
        "predict explain": json.loads(encode(predictor.predict(some, explain=True))),
        "recommend": json.loads(encode(recommender.recommend(some))),
        "recommend budget 5000": json.loads(encode(recommender.recommend(some, budget=5000.0))),
    }
    (OUT / "answers.json").write_text(json.dumps(answers, ensure_ascii=False))


if __name__ == "__main__":
    main()
