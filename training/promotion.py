"""Promotion: a challenger becomes champion only if it is not worse out of time."""

from dataclasses import dataclass

from evaluation.estimate import Comparison
from features.errors import NoChampionError, PromotionError, SourceError
from features.settings import Settings
from training.jobs import JOBS
from training.live import Live
from training.tracking import CHALLENGER, CHAMPION, Tracker, Version

WORSE = 0.05
"""One-sided p value below which a challenger counts as worse."""


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


def promote_version(
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
        task: One of `JOBS`.
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
                    f"({JOBS[task].metric} {comparison.a:.4g} against {comparison.b:.4g} on {customers:,} "
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
    # The registry in the middle: if it fails, servers never see the new one; if a kill comes right after it,
    # the same command or any that asks for champions finishes what it began.
    with live.publishing(task, version.number, tracker.artifact(version, "model")):
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
    job, mine = JOBS[challenger.task], tracker.record(challenger)
    if mine.champion_number == champion.number and mine.champion is not None:
        return job.compare(settings, mine, mine.champion), len(mine.actual)
    theirs = tracker.record(champion)
    place = {customer: row for row, customer in enumerate(theirs.customers)}
    shared = [row for row, customer in enumerate(mine.customers) if customer in place]
    customers, theirs = len(mine.customers), theirs.take([place[mine.customers[row]] for row in shared])
    mine = mine.take(shared)
    why = job.apart(challenger, champion, mine, theirs, customers)
    if why:
        raise PromotionError(why)
    return job.compare(settings, mine, theirs.prediction), len(shared)


def sync_live(tracker: Tracker, live: Live) -> None:
    """Put the registry's champions where servers read, for example after an alias was moved elsewhere.

    Raises:
        NoChampionError: A task that is not optional has none.
    """
    # All of them are looked up before anything is written.
    champions = [
        tracker.holding(job.name, CHAMPION) if job.optional else tracker.champion(job.name)
        for job in JOBS.values()
    ]
    for version in champions:
        if version is not None:
            _settle(tracker, live, version)


def _settle(tracker: Tracker, live: Live, champion: Version) -> None:
    version: Version | None = champion
    while version is not None and not live.holds(version.task, version.number):
        try:
            with live.publishing(version.task, version.number, tracker.artifact(version, "model")):
                _check_newest(tracker, version)
        except _OvertakenError as overtaken:
            version = overtaken.by
        except OSError as error:
            raise SourceError(
                f"champion {version.task} {version.number} is not in {live.folder} yet, and cannot be put there "
                f"({error.strerror or error}); make the folder writable, or promote where it is"
            ) from error


def _check_newest(tracker: Tracker, version: Version) -> None:
    """Stop where a promotion has come between, which then knows better."""
    now = tracker.holding(version.task, CHAMPION)
    if now is None or now.number != version.number:
        raise _OvertakenError(now)


class _OvertakenError(Exception):
    """Somebody else has promoted meanwhile.

    Args:
        by: The champion now, if there is one.
    """

    def __init__(self, by: Version | None) -> None:
        self.by = by
        super().__init__()
