"""A task's contract: a set of rows sees the calendar only where it has seen a whole year."""

import numpy as np
import pytest

from features.matrix import FeatureMatrix
from features.observations import Observations
from features.views import Calendar
from features.windows import DAY
from training.history import Panel
from training.tasks import in_season

NAMES = ("a", *Calendar().names, "b")


def panel(*days):
    cutoffs = np.array(days, dtype=np.int64) * DAY
    values = np.arange(len(days) * len(NAMES), dtype=float).reshape(len(days), len(NAMES))
    return Panel(Observations(np.zeros(len(days), np.int32), cutoffs), FeatureMatrix(NAMES, values))


@pytest.mark.parametrize(
    ("spans", "seen"), [((365, 400), True), ((365, 364), False), ((0,), False), ((), True)]
)
def test_the_calendar_takes_part_where_every_panel_spans_a_year(spans, seen):
    given = [panel(100, 100 + span) for span in spans]
    for before, after in zip(given, in_season(given), strict=True):
        assert after.matrix.names == (NAMES if seen else ("a", "b"))
        np.testing.assert_array_equal(after.matrix.column("b"), before.matrix.column("b"))
        assert after.observations is before.observations


def test_an_empty_panel_has_not_seen_a_year():
    [after] = in_season([panel()])
    assert after.matrix.names == ("a", "b")
    assert len(after.observations) == 0
