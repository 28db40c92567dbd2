"""Registration: what a training puts on record, written the same way for every task."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from evaluation.estimate import Estimate
from features.errors import ModelError
from features.history import History
from features.types import Floats
from training.models.boosting import Trees
from training.models.bundle import Bundle
from training.models.facts import Facts
from training.tracking import CHAMPION, REFUSED, Record, Tracker, Version, without_secrets

UNASKED = "champion_unasked"
"""Tag of a version whose rows the champion of the day could not be asked about: why not."""

_MOST_SAID = 4000
"""Letters of a tag, which MLflow limits."""


@dataclass(frozen=True, eq=False)
class ChampionAnswer:
    """What the champion of the day says of the judged rows.

    Args:
        number: Its version; None where there is none, or it may honestly say nothing.
        said: Its predictions [n, K].
        unasked: Why it could not be asked, where its files are not what this tokui can read.
    """

    number: int | None = None
    said: Floats | None = None
    unasked: str = ""


def ask_champion(tracker: Tracker, task: str, say: Callable[[Version], Floats | None]) -> ChampionAnswer:
    """Ask the champion, if there is one.

    Args:
        tracker: Where it is.
        task: Of which task.
        say: Its predictions of the judged rows [n, K]; None if it has seen what happened to them, or
            answers another question. May raise `ModelError`.
    """
    champion = tracker.holding(task, CHAMPION)
    if champion is None:
        return ChampionAnswer()
    try:
        said = say(champion)
    except ModelError as error:
        return ChampionAnswer(unasked=f"champion {champion.number} could not be asked: {error}")
    return ChampionAnswer() if said is None else ChampionAnswer(champion.number, said)


@dataclass(frozen=True, eq=False)
class Registration:
    """What one training puts on record.

    Args:
        title: Of its run, after the task's name.
        chosen: The candidate that is served.
        history: What it was learnt from.
        facts: What its bundle says of itself.
        bundles: By artifact name: ``model``, which is served, and others.
        trees: How boosters were grown.
        record: The judged rows.
        metrics: Out of time, with intervals.
        candidates: The same of every candidate, by kind; a child run each.
        champion: What the champion said of the judged rows.
        refused: Why other candidates dropped out, by kind.
        params: Of the run, besides those that every task has.
        tags: Of the run and of the version, besides those that every task has.
        tables: More artifacts, by file name.
        texts: More artifacts, by file name.
    """

    title: str
    chosen: str
    history: History
    facts: Facts
    bundles: Mapping[str, Bundle]
    trees: Trees
    record: Record
    metrics: Mapping[str, Estimate]
    candidates: Mapping[str, Mapping[str, Estimate]]
    champion: ChampionAnswer
    refused: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """What is predicted."""
        return self.bundles["model"].task

    @property
    def all_params(self) -> dict[str, object]:
        """Parameters of the run."""
        return {
            "chosen": self.chosen,
            "data_until": self.facts.data_until.isoformat(),
            "customers_judged": len(self.record.actual),
            "features": len(self.history.features.names),
            "customer_share_read": 1 / self.history.parts,
            **{f"trees.{key}": value for key, value in vars(self.trees).items()},
            **self.params,
        }

    @property
    def all_tags(self) -> dict[str, str]:
        """Tags of the run and of the version."""
        unasked = {UNASKED: self.champion.unasked[:_MOST_SAID]} if self.champion.unasked else {}
        return {
            "task": self.task,
            "kind": self.chosen,
            "data_fingerprint": self.history.fingerprint,
            "feature_fingerprint": self.history.features.fingerprint,
            "judged_at": self.facts.judged_at.isoformat(),
            **{f"{REFUSED}{kind}": why[:_MOST_SAID] for kind, why in self.refused.items()},
            **self.tags,
            **unasked,
        }


def register(tracker: Tracker, made: Registration) -> Version:
    """Put a training on record and make it the challenger.

    Args:
        tracker: Where to.
        made: What was made.

    Returns:
        The new version.
    """
    task, tags = made.task, made.all_tags
    settings = made.history.settings
    with tracker.run(task, f"{task} {made.title}", made.all_params, tags) as run_id:
        tracker.log_metrics(run_id, made.metrics)
        for kind, metrics in made.candidates.items():
            child = {"mlflow.parentRunId": run_id, "chosen": str(kind == made.chosen).lower()}
            with tracker.run(task, kind, {"kind": kind}, child) as child_id:
                tracker.log_metrics(child_id, metrics)
        for name, bundle in made.bundles.items():
            tracker.log_bundle(run_id, bundle, name)
        tracker.log_record(run_id, made.record)
        for name, table in made.tables.items():
            tracker.log_table(run_id, table, name)
        toml = without_secrets(settings.path.read_text(encoding="utf-8"))
        tracker.log_texts(run_id, {**made.texts, "tokui.toml": toml})
        kept = {name: [e.value, e.low, e.high] for name, e in made.metrics.items()}
        number = tracker.register(task, run_id, {**tags, "metrics": json.dumps(kept)})
    return next(version for version in tracker.versions(task) if version.number == number)
