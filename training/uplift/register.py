"""Uplift in the registry: a training on record as challenger, and challenger against champion."""

import json
from typing import Any

import numpy as np
import pyarrow as pa

from evaluation.estimate import Comparison, Estimate
from features.engine.observations import wall_clock
from features.errors import FingerprintError, ModelError, PromotionError
from features.types import Floats
from training.tracking import CHAMPION, Record, Tracker, Version, hashed, without_secrets
from training.uplift.train import METRIC, UPLIFT, UpliftTraining, compare_uplift

HELD_OUT = "held-out.parquet"
"""Artifact: doubly robust scores, how the best learner ranked customers it had not seen, and its calibrated
uplift of them; customers hashed."""


def register_uplift(tracker: Tracker, training: UpliftTraining) -> Version:
    """Put a training on record and make it the challenger.

    Args:
        tracker: Where to.
        training: What was trained.

    Returns:
        The new version.
    """
    history, facts = training.history, training.bundle.facts
    settings = history.settings
    champion, said = _champion_answer(tracker, training)
    params = {
        "chosen": training.chosen,
        "learner": training.selection.chosen,
        "proven": training.proven,
        "experiment": facts["experiment"],
        "observational": facts["observational"],
        "data_until": facts["data_until"],
        "horizon_days": facts["span_days"],
        "customers": len(training.rows),
        "customers_judged": int(training.judged.sum()),
        "features": len(history.features.names),
        "customer_share_read": 1 / history.parts,
        **{f"trees.{key}": value for key, value in vars(training.trees.effect).items()},
    }
    tags = {
        "task": UPLIFT,
        "kind": training.chosen,
        "experiment": facts["experiment"],
        "proven": str(training.proven).lower(),
        "observational": str(facts["observational"]).lower(),
        "data_fingerprint": history.fingerprint,
        "feature_fingerprint": history.features.fingerprint,
        "judged_at": facts["judged_at"],
        "question": facts["question"],
    }
    with tracker.run(UPLIFT, f"{UPLIFT} {facts['experiment']}", params, tags) as run_id:
        tracker.log_metrics(run_id, training.metrics)
        for kind, found in training.selection.estimates.items():
            child = {"mlflow.parentRunId": run_id, "chosen": str(kind == training.chosen).lower()}
            with tracker.run(UPLIFT, kind, {"kind": kind}, child) as child_id:
                p = training.selection.p_better[kind]
                tracker.log_metrics(child_id, {METRIC: found, "p_better": Estimate(p, np.nan, np.nan)})
        tracker.log_bundle(run_id, training.bundle, "model")
        tracker.log_record(run_id, _record(training, champion, said))
        tracker.log_table(run_id, _held_out(training), HELD_OUT)
        tracker.log_texts(run_id, {"tokui.toml": without_secrets(settings.path.read_text(encoding="utf-8"))})
        kept = {name: [e.value, e.low, e.high] for name, e in training.metrics.items()}
        made = tracker.register(UPLIFT, run_id, {**tags, "metrics": json.dumps(kept)})
    return next(version for version in tracker.versions(UPLIFT) if version.number == made)


def _record(training: UpliftTraining, champion: Version | None, said: Floats | None) -> Record:
    rows = training.judged
    ids = np.array(training.history.ids(training.enrolment.observations))[rows]
    return Record(
        hashed(ids.tolist(), training.history.settings.name),
        training.cross.scores[rows],
        ranked(training)[rows],
        None if said is None else said[rows],
        None if champion is None else champion.number,
        training.rows.take(rows).clusters,
    )


def _held_out(training: UpliftTraining) -> pa.Table:
    rows, said = training.judged, training.cross.ranks(training.selection.chosen)
    ids = np.array(training.history.ids(training.enrolment.observations))[rows]
    columns: dict[str, Any] = {"customer": hashed(ids.tolist(), training.history.settings.name)}
    for word, values in (
        ("score", training.cross.scores),
        ("said", said),
        ("calibrated", training.calibrated),
    ):
        columns |= {f"{word}_{k}": values[rows, k] for k in range(values.shape[1])}
    return pa.table(columns)


def ranked(training: UpliftTraining) -> Floats:
    """How the version ranks customers it had not seen, [n, K]; where nothing is proven, all the same."""
    if training.proven:
        return training.cross.ranks(training.selection.chosen)
    return np.tile(training.cross.scores.mean(axis=0), (len(training.rows), 1))


def _champion_answer(tracker: Tracker, training: UpliftTraining) -> tuple[Version | None, Floats | None]:
    """What the champion says of these customers, if its data ended before the first was assigned."""
    champion = tracker.holding(UPLIFT, CHAMPION)
    if champion is None:
        return None, None
    try:
        bundle = tracker.bundle(champion)
    except (FingerprintError, ModelError):
        return None, None
    begun = wall_clock(int(training.enrolment.trial.assigned_at.min())).isoformat()
    same = (
        bundle.fingerprint == training.history.features.fingerprint
        and bundle.facts["outputs"] == training.bundle.facts["outputs"]
        and bundle.facts["question"] == training.bundle.facts["question"]
        and bundle.facts["data_until"] <= begun
    )
    return (champion, bundle.model.predict(training.rows.matrix)) if same else (None, None)


def against_champion(tracker: Tracker, challenger: Version, champion: Version) -> tuple[Comparison, int]:
    """Challenger (a) against champion (b) on the same customers.

    Raises:
        PromotionError: They were never judged on the same customers.
    """
    mine = tracker.record(challenger)
    if mine.champion_number == champion.number and mine.champion is not None:
        return compare_uplift(mine.actual, mine.prediction, mine.champion, mine.clusters), len(mine.actual)
    theirs = tracker.record(champion)
    position = {customer: k for k, customer in enumerate(theirs.customers)}
    shared = [k for k, customer in enumerate(mine.customers) if customer in position]
    same: Any = challenger.tags.get("experiment") == champion.tags.get("experiment")
    same = same and challenger.tags.get("question") == champion.tags.get("question")
    same = same and mine.actual.shape[1] == theirs.actual.shape[1]
    if not same or len(shared) < len(mine.customers) / 2:
        raise PromotionError(
            f"{UPLIFT} version {challenger.number} was judged on {challenger.tags.get('experiment')} and champion "
            f"{champion.number} on {champion.tags.get('experiment')}, whose data did not end before the other began; "
            "train both on one experiment, so that they are judged on the same customers"
        )
    other = [position[mine.customers[k]] for k in shared]
    clusters = None if mine.clusters is None else mine.clusters[shared]
    found = compare_uplift(mine.actual[shared], mine.prediction[shared], theirs.prediction[other], clusters)
    return found, len(shared)
