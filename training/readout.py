"""An experiment read from bound tables: enrolled, models asked, effects read, and composed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from evaluation.effects.returns import Surrogate
from evaluation.effects.sampleratio import SampleRatio
from evaluation.effects.winsor import winsorise
from evaluation.experiments import measures as made
from evaluation.experiments.breakdowns import read_course, read_looks, read_segments
from evaluation.experiments.enrolment import Enrolment, enrol, horizon_days
from evaluation.experiments.measures import facts
from evaluation.experiments.reading import Reading
from evaluation.experiments.records import Measure, Readout, Warned, verdict
from evaluation.experiments.targeting import UpliftReading
from features.binding.tables import Tables
from features.engine.observations import wall_clock
from features.history import History
from features.types import Floats, Progress
from training.expected import expected_margin
from training.tracking import Tracker
from training.uplift.propensity import weighed
from training.uplift.readout import read_uplift
from training.value.longterm import predict_long_term


@dataclass(frozen=True, eq=False)
class _Asked:
    """What models say of the experiment's customers.

    Args:
        expected: Margin that features before the assignment let expect, [n].
        segments: Segments to look at, [n] by dimension.
        ratio: Sample-ratio check; of a broken one, models are not asked any further.
        after: LTV after the horizon, where a champion predicts it.
        uplift: Whom to treat, where a model was trained on this experiment.
        warnings: Why a model that there is could not be asked.
    """

    expected: Floats
    segments: Mapping[str, npt.NDArray[np.str_]]
    ratio: SampleRatio | None
    after: Surrogate | None
    uplift: UpliftReading | None
    warnings: tuple[Warned, ...]


def read_experiment(
    tables: Tables,
    history: History,
    tracker: Tracker,
    experiment: str | None = None,
    *,
    level: float = 0.95,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Readout:
    """Read one experiment.

    Args:
        tables: The bound tables.
        history: Of the same tables.
        tracker: Where the LTV champion and uplift models are, if there are any.
        experiment: Its id; the only one where there is only one.
        level: Nominal coverage of all intervals.
        threads: Worker threads.
        progress: Told each step in plain words.

    Raises:
        ExperimentError: The experiment cannot be read: no such one, no control, control too small, or
            arms that nobody drew and that hardly anyone could have been in.
    """
    days = horizon_days(history.settings)
    progress("features before the assignments")
    enrolment = enrol(tables, history, experiment, days=days, threads=threads)
    seed = history.settings.training.seed
    trial, _ = weighed(enrolment, seed, progress)
    reading = Reading(trial, enrolment.checkable, level, seed)
    arms, small = reading.readable()
    progress("models")
    asked = _ask(history, tracker, enrolment, days, reading.ratio(), threads)
    progress("measures")
    measured = made.measures(tables, history, enrolment, days, asked.expected)
    progress("effects")
    return _compose(history, enrolment, reading, arms, measured, asked, small)


def _ask(
    history: History,
    tracker: Tracker,
    enrolment: Enrolment,
    days: int,
    ratio: SampleRatio | None,
    threads: int,
) -> _Asked:
    expected = expected_margin(history, enrolment, days)
    segments = made.segments(history, enrolment, expected)
    if ratio is not None and ratio.broken:
        # Numbers of groups that are not comparable would be believed all the same, so there are none.
        return _Asked(expected, segments, ratio, None, None, ())
    after = predict_long_term(history, tracker, enrolment, days, threads)
    uplift = read_uplift(history, tracker, enrolment, segments["value"])
    return _Asked(
        expected,
        segments,
        ratio,
        after if isinstance(after, Surrogate) else None,
        uplift if isinstance(uplift, UpliftReading) else None,
        tuple(answer for answer in (after, uplift) if isinstance(answer, Warned)),
    )


def _compose(
    history: History,
    enrolment: Enrolment,
    reading: Reading,
    readable: list[int],
    measured: list[Measure],
    asked: _Asked,
    small: list[Warned],
) -> Readout:
    settings, trial, days = history.settings, reading.trial, horizon_days(history.settings)
    costs, after, ratio = settings.uplift.costs, asked.after, asked.ratio
    measures, told = zip(*map(facts, measured), strict=True)
    primary = next(measure for measure in measures if measure.name == made.PRIMARY)
    before, _ = facts(made.margin_before(history, enrolment, days))
    grown = {day: winsorise(value).value for day, value in made.grown(history, enrolment, days).items()}
    arms = [] if ratio is not None and ratio.broken else readable
    effects = reading.effects(measures, arms, made.PRIMARY, after=after)
    lasting = [] if after is None else reading.returns(primary, arms, costs, after)
    attrition = [reading.attrition(measure) for measure in measures]
    return Readout(
        project=settings.name,
        experiment=trial.name,
        currency=settings.currency,
        timezone=settings.timezone,
        arms=trial.arms,
        sizes=trial.sizes,
        first=wall_clock(int(trial.assigned_at.min())),
        last=wall_clock(int(trial.assigned_at.max())),
        data_until=wall_clock(history.end),
        horizon_days=days,
        level=reading.level,
        randomised=trial.randomised,
        ratio=ratio,
        primary=made.PRIMARY,
        measures=tuple(told),
        effects=tuple(effects),
        before=tuple(reading.effects([before], readable, made.PRIMARY)),
        segments=tuple(read_segments(reading, primary, arms, asked.segments)),
        course=tuple(read_course(reading, grown, arms, primary.before)),
        looks=read_looks(reading, primary, arms),
        returns=tuple(reading.returns(primary, arms, costs)),
        lasting=tuple(lasting),
        verdict=verdict(effects, made.PRIMARY, ratio, reading.level),
        warnings=(*enrolment.warnings, *small, *filter(None, attrition), *asked.warnings),
        made=datetime.now(ZoneInfo(settings.timezone)),
        uplift=asked.uplift,
    )
