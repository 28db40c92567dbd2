"""A reading's contract for its parts: segments, days, looks and returns are the effects of just those customers and days."""

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from evaluation.effects.analysis import Analysis
from evaluation.effects.effect import mean_effect
from evaluation.effects.returns import Surrogate, calibration, long_term_effect, net_return, roi
from evaluation.effects.segments import segment_effects
from evaluation.experiments.breakdowns import read_course, read_looks, read_segments
from evaluation.experiments.reading import Reading
from features.errors import ExperimentError
from tests.evaluation.trials import ARMS, money, pair, trial


def test_segments_too_small_to_be_read_alone_are_read_together():
    of = trial((300, 300, 300))
    measure = money(of, lift=(0, 5, 0))
    label = np.random.default_rng(5).choice(["x", "y", "tiny", "small"], 900, p=[0.5, 0.35, 0.05, 0.1])
    half = np.where(np.arange(900) % 2, "odd", "even")
    alone = np.full(900, "one")
    found = read_segments(Reading(of), measure, [1, 2], {"industry": label, "half": half, "alone": alone})
    # Where there is one segment there is nothing to compare.
    assert [(each.arm, each.dimension) for each in found] == [
        ("a", "industry"), ("a", "half"), ("b", "industry"), ("b", "half"),
    ]  # fmt: skip
    grouped = np.where(np.isin(label, ["x", "y"]), label, "other")
    small = [min((label[of.arm == k] == name).sum() for k in (0, 1)) for name in ("tiny", "small")]
    assert small[0] < 30
    if small[1] >= 30:
        grouped = np.where(label == "small", "small", grouped)
    names = sorted(set(grouped.tolist()))
    rows = {row.name: row for row in found[0].segments.rows}
    read = []
    for name in names:
        mine = pair(of, 1) & (grouped == name)
        try:
            read.append(
                mean_effect(measure.value[mine], of.arm[mine] == 1, Analysis(before=measure.before[mine]))
            )
        except ExperimentError:
            assert name not in rows
            continue
        assert rows[name].raw.value == pytest.approx(read[-1].absolute.value)
        assert rows[name].n == mine.sum()
    expected = segment_effects(
        list(rows), [each.absolute.value for each in read],
        [(each.absolute.high - each.absolute.low) / (2 * norm.ppf(0.975)) for each in read],
        [each.n_treated + each.n_control for each in read],
    )  # fmt: skip
    # Shrunk by the intervals that hold on uneven money; each segment by itself is just its own effect.
    assert found[0].segments.heterogeneity_p == pytest.approx(expected.heterogeneity_p)
    assert found[0].segments.overall.value == pytest.approx(expected.overall.value)
    own = multipletests([each.p for each in read], method="holm")[1]
    for k, row in enumerate(found[0].segments.rows):
        assert row.raw == read[k].absolute
        assert row.shrunk.value == pytest.approx(expected.rows[k].shrunk.value)
        assert row.p_adjusted == pytest.approx(own[k])
    raw = [each.segments.heterogeneity_p for each in found]
    assert [each.p for each in found] == pytest.approx(multipletests(raw, method="holm")[1])


def test_no_more_than_eight_segments_are_read_alone():
    of = trial((600, 600))
    label = np.array([f"s{k % 12:02d}" for k in range(1200)])
    [found] = read_segments(Reading(of), money(of), [1], {"region": label})
    assert len(found.segments.rows) == 9
    assert {row.name for row in found.segments.rows} >= {"other", "s00", "s07"}


def test_an_effect_that_depends_on_the_segment_is_said_to():
    of = trial((400, 400))
    half = np.where(np.arange(800) % 2, "odd", "even")
    measure = money(of)
    measure.value[(of.arm == 1) & (half == "odd")] += 30
    [found] = read_segments(Reading(of), measure, [1], {"half": half})
    assert found.differ
    [same] = read_segments(Reading(of), money(of, lift=(0, 5, 0)), [1], {"half": half})
    assert not same.differ


def test_the_course_has_an_interval_for_each_day_and_a_wider_one_for_all():
    of = trial()
    final = money(of, lift=(0, 5, -5))
    grown = {30: final.value / 2, 10: final.value / 6, 60: final.value}
    found = read_course(Reading(of), grown, [1, 2], None)
    assert [(each.arm, each.day) for each in found] == [(arm, day) for arm in "ab" for day in (10, 30, 60)]
    for each in found:
        mine = pair(of, ARMS.index(each.arm))
        treated = of.arm[mine] == ARMS.index(each.arm)
        alone = mean_effect(grown[each.day][mine], treated)
        assert each.effect == alone.absolute
        assert (
            each.together
            == mean_effect(grown[each.day][mine], treated, Analysis(level=1 - 0.05 / 3)).absolute
        )
        # Welch's degrees of freedom are near those of equal variances here.
        widths = (each.together.high - each.together.value) / (each.effect.high - each.effect.value)
        assert widths == pytest.approx(student.ppf(1 - 0.05 / 6, 398) / student.ppf(0.975, 398), rel=1e-3)


def test_days_on_which_nothing_varies_are_left_out_of_the_course():
    of = trial()
    found = read_course(Reading(of), {5: np.zeros(600), 60: money(of).value}, [1], None)
    assert [each.day for each in found] == [60]


def test_there_are_looks_only_where_customers_came_on_many_days_and_were_drawn_alike():
    few, many = trial(days=9), trial(days=10)
    assert read_looks(Reading(few), money(few), [1, 2]) == {}
    found = read_looks(Reading(many), money(many), [1, 2])
    assert set(found) == {"a", "b"}
    # A value counts from the day on which it is complete.
    assert [look.day for look in found["a"]] == list(range(20_060, 20_070))
    last = found["a"][-1]
    assert (last.n_treated, last.n_control) == (200, 200)
    mine = pair(many, 1)
    fixed = mean_effect(money(many).value[mine], many.arm[mine] == 1).absolute
    assert last.effect.value == pytest.approx(fixed.value)
    # Anytime-valid, and so wider than the interval of one look.
    assert last.effect.high - last.effect.low > fixed.high - fixed.low
    # A sequence knows no weights.
    vary = trial(days=10, vary=True)
    assert read_looks(Reading(vary), money(vary), [1, 2]) == {}


@pytest.mark.parametrize("lift", [0.0, 4.0, 8.0, 12.0, 30.0])
def test_returns_are_the_effect_less_its_cost(lift):
    of = trial()
    measure = money(of, lift=(0, lift, 5))
    a, b = Reading(of).returns(measure, [1, 2], {"a": 6.0})
    mine = pair(of, 1)
    value, treated, before = measure.value[mine], of.arm[mine] == 1, measure.before[mine]
    assert a.per_customer == mean_effect(value, treated, Analysis(before=before)).absolute
    assert a.net == net_return(value, treated, 6.0, Analysis(before=before))
    assert a.roi == roi(value, treated, 6.0, Analysis(before=before))
    assert (a.customers, a.cost, a.beyond) == (200, 6.0, False)
    for end in ("value", "low", "high"):
        assert getattr(a.net, end) == pytest.approx(getattr(a.per_customer, end) - 6)
        assert getattr(a.total, end) == pytest.approx(200 * getattr(a.per_customer, end))
    assert a.roi.value == pytest.approx(a.per_customer.value / 6)
    assert (a.roi.low > 1 or a.roi.high < 1) == (a.net.low > 0 or a.net.high < 0)
    assert (b.cost, b.roi, b.net) == (0.0, None, b.per_customer)


def test_returns_beyond_the_horizon_carry_the_model_s_error():
    of = trial()
    measure = money(of, lift=(0, 5, 5))
    rng = np.random.default_rng(4)
    after, said = 2 * measure.value, rng.normal(200, 30, 300)
    calibrated = calibration(said, 0.8 * said + rng.normal(0, 30, 300))
    [found] = Reading(of).returns(measure, [1], {"a": 6.0}, Surrogate(after, calibrated))
    mine = pair(of, 1)
    later = Surrogate(after[mine], calibrated)
    long = long_term_effect(
        measure.value[mine], of.arm[mine] == 1, later, Analysis(before=measure.before[mine])
    ).absolute
    assert (found.per_customer, found.beyond) == (long, True)
    assert found.net.value == pytest.approx(long.value - 6)
    assert found.net.low == pytest.approx(long.low - 6)
    # Without predictions it is what came in the horizon.
    [plain_one] = Reading(of).returns(measure, [1], {"a": 6.0})
    value, analysis = measure.value[mine], Analysis(before=measure.before[mine])
    assert plain_one.per_customer == mean_effect(value, of.arm[mine] == 1, analysis).absolute


def test_an_arm_that_cannot_be_compared_has_no_returns_and_the_others_have():
    of = trial()
    measure = money(of)
    measure.value[of.arm == 2] = np.nan
    assert [each.arm for each in Reading(of).returns(measure, [1, 2], {})] == ["a"]
