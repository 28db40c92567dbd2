"""A task's contract: margin is what is predicted, and a set of rows sees the calendar only where it
has seen a whole year."""

import numpy as np
import pytest

from features.binding.tables import bind
from features.engine.matrix import FeatureMatrix
from features.engine.observations import Observations
from features.engine.views import Calendar
from features.history import Panel, read_history
from features.types import DAY
from training.value.tasks import in_season

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


def test_every_candidate_predicts_margin_and_not_turnover(trained):
    # Orders of the world bring far more turnover than margin; the baselines know turnover only.
    totals = {
        kind: each.metrics["total_ratio"].value for kind, each in trained["ltv"].backtest.candidates.items()
    }
    assert set(totals) == {"two_part", "tweedie", "bgnbd", "last_period"}
    assert all(0.6 < total < 1.6 for total in totals.values()), totals


def test_a_line_without_margin_counts_by_the_rate(world):
    settings = world.settings.model_copy(
        update={"ltv": world.settings.ltv.model_copy(update={"margin_rate": 0.5})}
    )
    observations = world.history.panel([world.history.start + 200 * DAY]).observations
    with bind(settings) as tables:
        whole = read_history(tables).money(observations, 90)
        tables.connection.execute("UPDATE orders SET margin = NULL WHERE amount > 10000")
        part = read_history(tables).money(observations, 90)
        tables.connection.execute("UPDATE orders SET margin = amount * 0.5 WHERE margin IS NULL")
        want = read_history(tables).money(observations, 90)
    assert (part != whole).any()
    np.testing.assert_allclose(part, want, rtol=1e-12, atol=1e-9)
