"""What a training of uplift puts on record: judged rows, what the readout needs, the champion's answer."""

import numpy as np

from evaluation.estimate import Estimate
from features.engine.observations import wall_clock
from features.types import Floats
from training.models.facts import UpliftFacts
from training.models.uplift import UPLIFT
from training.registration import ChampionAnswer, Registration, ask_champion
from training.tracking import Record, Tracker, Version
from training.uplift.record import HELD_OUT, UpliftRecord
from training.uplift.train import METRIC, UpliftTraining


def uplift_registration(tracker: Tracker, training: UpliftTraining) -> Registration:
    """What a training of uplift puts on record."""
    facts, selection = training.facts, training.selection
    champion = ask_champion(tracker, UPLIFT, lambda version: _say(tracker, training, version))
    kept = UpliftRecord.of(training)
    return Registration(
        title=facts.experiment,
        chosen=training.chosen,
        history=training.history,
        facts=facts,
        bundles={"model": training.bundle},
        trees=training.trees.effect,
        record=_judged(training, champion, kept.customers),
        metrics=training.metrics,
        candidates={
            kind: {METRIC: estimate, "p_better": Estimate(selection.p_better[kind], np.nan, np.nan)}
            for kind, estimate in selection.estimates.items()
        },
        champion=champion,
        refused=training.cross.refused,
        params={
            "learner": selection.chosen,
            "proven": training.proven,
            "experiment": facts.experiment,
            "observational": facts.observational,
            "horizon_days": facts.span_days,
            "customers": len(training.rows),
        },
        tags={
            "experiment": facts.experiment,
            "proven": str(training.proven).lower(),
            "observational": str(facts.observational).lower(),
            "question": facts.question,
        },
        tables={HELD_OUT: kept.table()},
    )


def _judged(training: UpliftTraining, champion: ChampionAnswer, customers: list[str]) -> Record:
    rows = training.judged
    return Record(
        customers,
        training.cross.scores[rows],
        ranked(training)[rows],
        None if champion.said is None else champion.said[rows],
        champion.number,
        training.rows.take(rows).clusters,
    )


def ranked(training: UpliftTraining) -> Floats:
    """How the version ranks customers it had not seen, [n, K]; where nothing is proven, all the same."""
    if training.proven:
        return training.cross.ranks(training.selection.chosen)
    return np.tile(training.cross.scores.mean(axis=0), (len(training.rows), 1))


def _say(tracker: Tracker, training: UpliftTraining, champion: Version) -> Floats | None:
    """What a champion says of these customers, if its data ended before the first was assigned."""
    bundle = tracker.bundle(champion)
    theirs, mine = UpliftFacts.from_dict(bundle.facts), training.facts
    begun = wall_clock(int(training.enrolment.trial.assigned_at.min()))
    same = (
        bundle.fingerprint == training.history.features.fingerprint
        and (theirs.outputs, theirs.question) == (mine.outputs, mine.question)
        and theirs.data_until <= begun
    )
    return bundle.model.predict(training.rows.matrix) if same else None


def not_of_one_experiment(
    challenger: Version, champion: Version, mine: Record, theirs: Record, customers: int
) -> str | None:
    """Why two versions were not judged on the same customers; None if they were.

    Args:
        challenger: One of them.
        champion: The other.
        mine: The challenger's record of the customers both were judged on.
        theirs: The champion's of the same customers.
        customers: All that the challenger was judged on.
    """
    same = all(challenger.tags.get(tag) == champion.tags.get(tag) for tag in ("experiment", "question"))
    if same and mine.actual.shape[1] == theirs.actual.shape[1] and len(mine.customers) >= customers / 2:
        return None
    return (
        f"{UPLIFT} version {challenger.number} was judged on {challenger.tags.get('experiment')} and champion "
        f"{champion.number} on {champion.tags.get('experiment')}, whose data did not end before the other began; "
        "train both on one experiment, so that they are judged on the same customers"
    )
