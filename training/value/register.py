"""What a training of lifetime value or churn puts on record: judged rows, model cards, the champion's answer."""

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
from features.types import Floats
from training.models.facts import Facts
from training.models.servable import PartsModel
from training.registration import ChampionAnswer, Registration, ask_champion
from training.tracking import Record, Tracker, Version, hashed
from training.value.train import Training


def value_registration(tracker: Tracker, training: Training) -> Registration:
    """What a training of lifetime value or churn puts on record, its model cards among it."""
    backtest, history, facts = training.backtest, training.history, training.facts
    champion = ask_champion(tracker, training.task.name, lambda version: _say(tracker, training, version))
    metrics = dict(backtest.winner.metrics)
    if training.intervals is not None:
        metrics["interval_coverage"] = training.intervals.covered
    card = card_data(training, champion)
    breakdown = {
        "segments": {name: by_segment(card, labels) for name, labels in card.segments.items()},
        "deciles": by_decile(card),
    }
    ids = hashed(history.ids(backtest.panel.observations).tolist(), history.settings.name)
    return Registration(
        title=facts.data_until.date().isoformat(),
        chosen=backtest.chosen,
        history=history,
        facts=facts,
        bundles={"model": training.bundle, "rehearsed": training.rehearsed},
        trees=training.trees[backtest.chosen],
        record=Record(ids, backtest.actual, backtest.winner.prediction, champion.said, champion.number),
        metrics=metrics,
        candidates={kind: candidate.metrics for kind, candidate in backtest.candidates.items()},
        champion=champion,
        refused=backtest.refused,
        params={"judged_at": facts.judged_at.isoformat()},
        # Their sentences name customers, whose ids MLflow is not told.
        tags={"oddities": ", ".join(odd.code for odd in training.oddities)} if training.oddities else {},
        texts={
            "card.html": render_card(card),
            "card.ja.html": render_card(card, "ja"),
            "breakdown.json": json.dumps(breakdown, ensure_ascii=False, indent=1),
        },
    )


def _say(tracker: Tracker, training: Training, champion: Version) -> Floats | None:
    """What a champion says of the judged rows, if it can honestly say anything.

    Where its data ended by the judged cutoff, the very model that is served is asked. Otherwise the
    one that was fitted before its own judged cutoff, and only of rows that are not older than that:
    it has seen nothing of their outcomes.
    """
    mine, judged = training.facts, training.facts.judged_at
    bundle = tracker.bundle(champion)
    if Facts.from_dict(bundle.facts).data_until > judged:
        bundle = tracker.bundle(champion, "rehearsed")
    theirs = Facts.from_dict(bundle.facts)
    same = (
        bundle.fingerprint == training.history.features.fingerprint
        and (theirs.outputs, theirs.span_days) == (mine.outputs, mine.span_days)
        and theirs.judged_at <= judged
    )
    if not same:
        return None
    return bundle.model.predict(training.backtest.panel.matrix).reshape(training.backtest.actual.shape)


def not_comparable(challenger: Version, champion: Version, mine: Record, theirs: Record) -> str | None:
    """Why two versions were not judged on the same rows; None if they were.

    Args:
        challenger: One of them.
        champion: The other.
        mine: The challenger's record of the customers both were judged on.
        theirs: The champion's of the same customers.
    """
    if challenger.judged_at != champion.judged_at or mine.actual.shape[1] != theirs.actual.shape[1]:
        return (
            f"{challenger.task} version {challenger.number} was judged at {challenger.judged_at} and champion "
            f"{champion.number} at {champion.judged_at}; train again, so that both are judged on the same rows"
        )
    if len(mine.actual) < 2 or not np.array_equal(mine.actual, theirs.actual):
        return (
            f"{challenger.task} version {challenger.number} and champion {champion.number} were trained on other "
            "outcomes of the same customers; train again, so that both are judged on the same rows"
        )
    return None


def card_data(training: Training, champion: ChampionAnswer) -> CardData:
    """What the model card shows."""
    task, backtest, history = training.task, training.backtest, training.history
    matrix = backtest.panel.matrix
    segments = {}
    for trait, name in TRAITS.items():
        if name in matrix.categories:
            words = np.array([*matrix.categories[name], ""], dtype=object)
            codes = matrix.column(name)
            segments[trait] = words[np.where(np.isnan(codes), len(words) - 1, codes).astype(int)]
    intervals = training.intervals
    level = 0.0 if intervals is None else intervals.level
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
        importance=gain_shares(training.bundle.model),
        interval=None
        if intervals is None
        else IntervalData(level, intervals.low, intervals.high, intervals.covered),
        features=history.features,
        data_fingerprint=history.fingerprint,
        champion=champion.number,
        champion_prediction=champion.said,
    )


def gain_shares(model: PartsModel) -> list[tuple[str, float]]:
    """Features by their share of the gain over all boosters, greatest first; empty without boosters."""
    total: dict[str, float] = {}
    for booster in model.boosters.values():
        gains: Mapping[str, Any] = dict(
            zip(booster.feature_name(), booster.feature_importance("gain"), strict=True)
        )
        whole = sum(gains.values()) or 1.0
        for name, gain in gains.items():
            total[name] = total.get(name, 0.0) + float(gain) / whole / len(model.boosters)
    return sorted(((name, share) for name, share in total.items() if share > 0), key=lambda pair: -pair[1])
