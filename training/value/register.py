"""From a finished training to a registered version: runs, artifacts, model cards, the champion's answer."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from evaluation.reports.card.breakdown import by_decile, by_segment
from evaluation.reports.card.page import CardData, IntervalData, render_card
from features.catalogue.account import TRAITS
from features.engine.observations import wall_clock
from features.errors import FingerprintError, ModelError
from features.types import Floats
from training.models.servable import PartsModel
from training.tracking import CHAMPION, Record, Tracker, Version, hashed, without_secrets
from training.value.backtest import Candidate
from training.value.train import Training


def register(tracker: Tracker, training: Training) -> Version:
    """Put a training on record and make it the challenger.

    Args:
        tracker: Where to.
        training: What was trained.

    Returns:
        The new version.
    """
    task, backtest, history = training.task, training.backtest, training.history
    settings = history.settings
    champion, said = _champion_answer(tracker, training)
    params = {
        "chosen": backtest.chosen,
        "judged_at": wall_clock(backtest.cutoff).isoformat(),
        "data_until": wall_clock(history.end).isoformat(),
        "customers_judged": len(backtest.actual),
        "features": len(history.features.names),
        "customer_share_read": 1 / history.parts,
        **{f"trees.{key}": value for key, value in vars(training.trees[backtest.chosen]).items()},
    }
    tags = {
        "task": task.name,
        "kind": backtest.chosen,
        "data_fingerprint": history.fingerprint,
        "feature_fingerprint": history.features.fingerprint,
        "judged_at": params["judged_at"],
    }
    metrics = dict(backtest.winner.metrics)
    if training.intervals is not None:
        metrics["interval_coverage"] = training.intervals.covered
    card = card_data(training, champion, said)
    with tracker.run(task.name, f"{task.name} {params['data_until'][:10]}", params, tags) as run_id:
        tracker.log_metrics(run_id, metrics)
        for kind, candidate in backtest.candidates.items():
            _log_candidate(tracker, run_id, task.name, kind, candidate, backtest.chosen)
        tracker.log_bundle(run_id, training.bundle, "model")
        tracker.log_bundle(run_id, training.rehearsed, "rehearsed")
        ids = hashed(history.ids(backtest.panel.observations).tolist(), settings.name)
        number = None if champion is None else champion.number
        tracker.log_record(run_id, Record(ids, backtest.actual, backtest.winner.prediction, said, number))
        breakdown = {
            "segments": {name: by_segment(card, labels) for name, labels in card.segments.items()},
            "deciles": by_decile(card),
        }
        tracker.log_texts(
            run_id,
            {
                "card.html": render_card(card),
                "card.ja.html": render_card(card, "ja"),
                "breakdown.json": json.dumps(breakdown, ensure_ascii=False, indent=1),
                "tokui.toml": without_secrets(settings.path.read_text(encoding="utf-8")),
            },
        )
        kept = {name: [e.value, e.low, e.high] for name, e in metrics.items()}
        made = tracker.register(task.name, run_id, {**tags, "metrics": json.dumps(kept)})
    return next(version for version in tracker.versions(task.name) if version.number == made)


def _log_candidate(
    tracker: Tracker, parent: str, task: str, kind: str, candidate: Candidate, chosen: str
) -> None:
    tags = {"mlflow.parentRunId": parent, "chosen": str(kind == chosen).lower()}
    with tracker.run(task, kind, {"kind": kind}, tags) as run_id:
        tracker.log_metrics(run_id, candidate.metrics)


def _champion_answer(tracker: Tracker, training: Training) -> tuple[Version | None, Floats | None]:
    """The champion and what it says of the judged rows, if it can honestly say anything.

    Where its data ended by the judged cutoff, the very model that is served is asked. Otherwise the
    one that was fitted before its own judged cutoff, and only of rows that are not older than that:
    it has seen nothing of their outcomes.
    """
    champion = tracker.holding(training.task.name, CHAMPION)
    if champion is None:
        return None, None
    judged = wall_clock(training.backtest.cutoff)
    try:
        bundle = tracker.bundle(champion)
        if datetime.fromisoformat(bundle.facts["data_until"]) > judged:
            bundle = tracker.bundle(champion, "rehearsed")
    except (FingerprintError, ModelError):
        return None, None
    same = (
        bundle.fingerprint == training.history.features.fingerprint
        and bundle.facts["outputs"] == list(training.task.outputs)
        and bundle.facts["span_days"] == training.task.span_days
        and datetime.fromisoformat(bundle.facts["judged_at"]) <= judged
    )
    if not same:
        return None, None
    answer = bundle.model.predict(training.backtest.panel.matrix)
    return champion, answer.reshape(training.backtest.actual.shape)


def card_data(training: Training, champion: Version | None, said: Floats | None) -> CardData:
    """What the model card shows."""
    task, backtest, history = training.task, training.backtest, training.history
    matrix = backtest.panel.matrix
    segments = {}
    for trait, name in TRAITS.items():
        if name in matrix.categories:
            words = np.array([*matrix.categories[name], ""], dtype=object)
            codes = matrix.column(name)
            segments[trait] = words[np.where(np.isnan(codes), len(words) - 1, codes).astype(int)]
    found = training.intervals
    level = 0.0 if found is None else found.level
    return CardData(
        task=task.name,
        project=history.settings.name,
        currency=history.settings.currency,
        trained_at=datetime.now(ZoneInfo(history.settings.timezone)),
        judged_at=wall_clock(backtest.cutoff),
        data_until=wall_clock(history.end),
        span_days=task.span_days,
        outputs=task.outputs,
        chosen=backtest.chosen,
        actual=backtest.actual,
        predictions={kind: candidate.prediction for kind, candidate in backtest.candidates.items()},
        metrics={kind: candidate.metrics for kind, candidate in backtest.candidates.items()},
        metric=task.metric.name,
        comparisons=backtest.comparisons,
        refused=backtest.refused,
        segments=segments,
        importance=importance(training.bundle.model),
        interval=None if found is None else IntervalData(level, found.low, found.high, found.covered),
        features=history.features,
        data_fingerprint=history.fingerprint,
        champion=None if champion is None else champion.number,
        champion_prediction=said,
    )


def importance(model: PartsModel) -> list[tuple[str, float]]:
    """Features by their share of the gain over all boosters, greatest first; empty without boosters."""
    total: dict[str, float] = {}
    for booster in model.boosters.values():
        gains: Mapping[str, Any] = dict(
            zip(booster.feature_name(), booster.feature_importance("gain"), strict=True)
        )
        whole = sum(gains.values()) or 1.0
        for name, gain in gains.items():
            total[name] = total.get(name, 0.0) + float(gain) / whole / len(model.boosters)
    return sorted(((name, share) for name, share in total.items() if share > 0), key=lambda each: -each[1])
