"""An experiment broken down: by segment, by days since the assignment, and as it was known day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from evaluation.effects.multiplicity import holm
from evaluation.effects.segments import segment_effects
from evaluation.effects.sequential import Look, confidence_sequence
from evaluation.effects.trial import CONTROL
from evaluation.effects.units import MIN_UNITS
from evaluation.experiments.pair import Pair
from evaluation.experiments.reading import Reading
from evaluation.experiments.records import CoursePoint, Measure, Role, SegmentReading
from features.errors import ExperimentError
from features.types import DAY, Floats

_OTHER = "other"
_MOST_SEGMENTS = 8
_LOOK_DAYS = 10
"""Days of assignments from which a daily confidence sequence makes sense."""

Labels = npt.NDArray[np.str_]


def read_segments(
    reading: Reading, measure: Measure, arms: Sequence[int], dimensions: Mapping[str, Labels]
) -> list[SegmentReading]:
    """Effects by segment; segments too small to be read alone are read together.

    Args:
        reading: The experiment.
        measure: Of all customers.
        arms: Indices.
        dimensions: Names of segments [n] by what customers are divided by.
    """
    by_segment = [
        segments
        for arm, (dimension, labels) in product(arms, dimensions.items())
        if (segments := _of_dimension(reading, measure, arm, dimension, labels)) is not None
    ]
    adjusted = holm([segments.p for segments in by_segment])
    return [replace(segments, p=float(p)) for segments, p in zip(by_segment, adjusted, strict=True)]


def _of_dimension(
    reading: Reading, measure: Measure, arm: int, dimension: str, labels: Labels
) -> SegmentReading | None:
    """Segments of one arm by one dimension; None where fewer than two can be read."""
    pair, reach = reading.pair(arm), float(ndtri((1 + reading.level) / 2))
    grouped = _grouped(reading, labels, arm)
    names, effects = [], []
    for name in sorted(set(grouped.tolist())):
        try:
            effects.append(pair.effect(measure, adjusted=True, rows=grouped == name))
        except ExperimentError:
            # Too few, or all alike: there is nothing to say of this one.
            continue
        names.append(name)
    if len(names) < 2:
        return None
    segments = segment_effects(
        names,
        [effect.absolute.value for effect in effects],
        # From the interval that holds on uneven money, not from the standard error that does not.
        [(effect.absolute.high - effect.absolute.low) / (2 * reach) for effect in effects],
        [effect.n_treated + effect.n_control for effect in effects],
        level=reading.level,
    )
    own = holm([effect.p for effect in effects])
    rows = tuple(
        replace(row, raw=effect.absolute, p_adjusted=float(p))
        for row, effect, p in zip(segments.rows, effects, own, strict=True)
    )
    p = segments.heterogeneity_p
    return SegmentReading(pair.name, dimension, replace(segments, rows=rows), p)


def _grouped(reading: Reading, labels: Labels, arm: int) -> Labels:
    names, code = np.unique(labels, return_inverse=True)
    fewest = np.array([
        min(reading.units((code == k) & (reading.trial.arm == side)) for side in (CONTROL, arm))
        for k in range(len(names))
    ])  # fmt: skip
    largest = np.argsort(-np.bincount(code, minlength=len(names)), kind="stable")[:_MOST_SEGMENTS]
    keep = np.zeros(len(names), bool)
    keep[largest] = fewest[largest] >= MIN_UNITS
    grouped: Labels = np.where(keep[code], labels, _OTHER)
    return grouped


def read_course(
    reading: Reading, grown: Mapping[int, Floats], arms: Sequence[int], before: Floats | None
) -> list[CoursePoint]:
    """The effect as it grew.

    Args:
        reading: The experiment.
        grown: The primary measure until so many days after the assignment [n], by days.
        arms: Indices.
        before: Columns to adjust by.
    """
    points = []
    # Bonferroni over the days: each look holds although all of them are looked at.
    wide = replace(reading, level=1 - (1 - reading.level) / len(grown))
    for arm, (day, value) in product(arms, sorted(grown.items())):
        measure = Measure("course", "money", Role.HORIZON, day, value, before=before)
        try:
            own, together = (
                one.pair(arm).effect(measure, adjusted=before is not None) for one in (reading, wide)
            )
        except ExperimentError:
            continue
        points.append(CoursePoint(reading.trial.arms[arm], day, own.absolute, together.absolute))
    return points


def read_looks(reading: Reading, measure: Measure, arms: Sequence[int]) -> dict[str, tuple[Look, ...]]:
    """Anytime-valid sequences by arm over the days of assignment, where there are many of them."""
    # The sequence knows no weights: where arms were not equally likely for all it would be biased.
    if reading.weight is not None or len(np.unique(reading.trial.assigned_at // DAY)) < _LOOK_DAYS:
        return {}
    looks = {}
    for arm in arms:
        pair = reading.pair(arm)
        try:
            looks[pair.name] = _sequence(reading, pair, measure)
        except ExperimentError:
            continue
    return looks


def _sequence(reading: Reading, pair: Pair, measure: Measure) -> tuple[Look, ...]:
    trial, rows = reading.trial, pair.known(measure.value)
    pair.refuse_silence(measure, rows)
    return confidence_sequence(
        measure.value[rows],
        pair.treated(rows),
        trial.assigned_at[rows] + measure.days * DAY,
        planned=reading.units(rows),
        level=reading.level,
        clusters=None if trial.clusters is None else trial.clusters[rows],
    )
