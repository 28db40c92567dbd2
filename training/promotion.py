"""Promotion: a challenger becomes champion only if it is not worse out of time."""

from dataclasses import dataclass

import numpy as np

from evaluation.estimate import Comparison
from features.errors import NoChampionError, PromotionError
from features.settings import Settings
from training.live import Live
from training.tracking import CHALLENGER, CHAMPION, Tracker, Version
from training.uplift.register import against_champion
from training.uplift.train import METRIC, UPLIFT
from training.value.backtest import compare
from training.value.tasks import TASKS

WORSE = 0.05
"""One-sided p value below which a challenger counts as worse."""

ALL = (*TASKS, UPLIFT)
"""Everything that can be promoted."""


def metric_of(task: str) -> str:
    """Name of the metric by which a task's versions are compared."""
    return METRIC if task == UPLIFT else TASKS[task].metric.name


@dataclass(frozen=True)
class Promotion:
    """What a promotion did.

    Args:
        version: The champion now.
        before: The champion until then, if there was one.
        comparison: Challenger (a) against champion (b); None without a champion or by force.
        customers: Customers both were judged on.
        forced: Whether it went ahead without passing the comparison.
    """

    version: Version
    before: Version | None
    comparison: Comparison | None
    customers: int
    forced: bool


def promote(
    settings: Settings,
    tracker: Tracker,
    live: Live,
    task: str,
    *,
    number: int | None = None,
    force: bool = False,
) -> Promotion:
    """Make a version champion, and put it where servers read it.

    Args:
        settings: tokui.toml.
        tracker: The registry.
        live: Where servers read.
        task: ``ltv``, ``churn`` or ``uplift``.
        number: The version; the challenger if not given.
        force: Promote whatever the comparison says; a tag will tell.

    Raises:
        NoChampionError: There is no such version, or no challenger.
        PromotionError: It is worse than the champion, or cannot be compared with it.
        ChecksumError: Its files were altered.
    """
    versions = tracker.versions(task)
    wanted = [v for v in versions if (CHALLENGER in v.aliases if number is None else v.number == number)]
    if not wanted:
        what = "challenger" if number is None else f"version {number}"
        raise NoChampionError(
            f"there is no {task} {what}; `tokui models` lists what there is, `tokui train {task}` makes one"
        )
    version, before = wanted[0], next((v for v in versions if CHAMPION in v.aliases), None)
    comparison, customers, reason = None, 0, ""
    if before is not None and before.number != version.number:
        try:
            comparison, customers = against(settings, tracker, version, before)
            # Written so that a comparison that says nothing (NaN) does not pass either.
            if not comparison.p_worse >= WORSE:
                reason = (
                    f"{task} version {version.number} is worse than champion {before.number} out of time "
                    f"({metric_of(task)} {comparison.a:.4g} against {comparison.b:.4g} on {customers:,} "
                    f"customers, p = {comparison.p_worse:.3f})"
                )
        except PromotionError as error:
            reason = str(error)
        if reason and not force:
            raise PromotionError(f"{reason}; keep the champion, or promote with --force")
    # Read it whole before anything changes: a model that servers would refuse is not promoted.
    bundle = tracker.bundle(version)
    bundle.check_canaries(bundle.model.predict(bundle.canary))
    tags = {"promoted_by": "force" if reason else "comparison" if comparison else "first"}
    if reason:
        tags["forced_because"] = reason[:4000]
    # Servers first: if that fails, nothing has changed and the same command may be given again.
    live.publish(task, version.number, tracker.artifact(version, "model"))
    tracker.give(version, CHAMPION, tags)
    if CHALLENGER in version.aliases:
        tracker.take(task, CHALLENGER)
    return Promotion(version, before, comparison, customers, bool(reason))


def against(
    settings: Settings, tracker: Tracker, challenger: Version, champion: Version
) -> tuple[Comparison, int]:
    """Challenger (a) against champion (b) on the same customers, judged at the same cutoff.

    Raises:
        PromotionError: They were never judged on the same rows.
    """
    if challenger.task == UPLIFT:
        return against_champion(tracker, challenger, champion)
    task = TASKS[challenger.task](settings)
    mine = tracker.record(challenger)
    if mine.champion_number == champion.number and mine.champion is not None:
        return compare(task, mine.actual, mine.prediction, mine.champion), len(mine.actual)
    theirs = tracker.record(champion)
    if challenger.judged_at != champion.judged_at or mine.actual.shape[1] != theirs.actual.shape[1]:
        raise PromotionError(
            f"{challenger.task} version {challenger.number} was judged at {challenger.judged_at} and champion "
            f"{champion.number} at {champion.judged_at}; train again, so that both are judged on the same rows"
        )
    position = {customer: k for k, customer in enumerate(theirs.customers)}
    shared = [k for k, customer in enumerate(mine.customers) if customer in position]
    other = [position[mine.customers[k]] for k in shared]
    same = len(shared) > 1 and np.array_equal(mine.actual[shared], theirs.actual[other])
    if not same:
        raise PromotionError(
            f"{challenger.task} version {challenger.number} and champion {champion.number} were trained on other "
            "outcomes of the same customers; train again, so that both are judged on the same rows"
        )
    return compare(task, mine.actual[shared], mine.prediction[shared], theirs.prediction[other]), len(shared)


def sync(tracker: Tracker, live: Live) -> None:
    """Put the registry's champions where servers read, for example after an alias was moved elsewhere.

    Raises:
        NoChampionError: A task has none.
    """
    champions = [tracker.champion(task) for task in TASKS]
    # Uplift needs an experiment, which not everyone has: without a champion it is just not served.
    uplift = tracker.holding(UPLIFT, CHAMPION)
    for version in champions if uplift is None else [*champions, uplift]:
        if not live.holds(version.task, version.number):
            live.publish(version.task, version.number, tracker.artifact(version, "model"))
