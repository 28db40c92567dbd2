"""A reading's contract: its numbers are those of the effects it is made of, and what cannot be read says why."""

import json

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from evaluation.effects.analysis import Analysis
from evaluation.effects.effect import mean_effect, ratio_effect
from evaluation.effects.returns import Surrogate, calibration, long_term_effect
from evaluation.effects.sampleratio import check_ratio
from evaluation.effects.trial import Trial
from evaluation.effects.winsor import winsorise
from evaluation.experiments.breakdowns import read_segments
from evaluation.experiments.measures import facts
from evaluation.experiments.reading import Reading
from evaluation.experiments.records import Code, Measure, MeasureEffect, Role, verdict
from evaluation.jsonable import jsonable
from features.errors import ExperimentError
from tests.evaluation import readouts
from tests.evaluation.trials import money, pair, trial


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("arm", [1, 2])
def test_an_effect_is_that_of_the_two_arms_alone(arm, adjusted):
    of = trial()
    measure = money(of, lift=(0, 5, -3))
    mine = pair(of, arm)
    expected = mean_effect(
        measure.value[mine],
        of.arm[mine] == arm,
        Analysis(before=measure.before[mine] if adjusted else None, seed=7),
    )
    assert Reading(of).pair(arm).effect(measure, adjusted=adjusted) == expected
    low = mine & (np.arange(600) < 300)
    part = Reading(of, level=0.9, seed=3).pair(arm).effect(measure, adjusted=False, rows=np.arange(600) < 300)
    assert part == mean_effect(measure.value[low], of.arm[low] == arm, Analysis(level=0.9, seed=3))


def test_clusters_and_weights_are_passed_on():
    clusters = np.arange(600)
    of = trial()
    clusters = np.where(np.arange(600) % 3 == 0, of.arm * 1000 + np.arange(600) // 9, clusters + 10_000)
    of = trial(clusters=clusters)
    measure, mine = money(of), pair(of, 1)
    found = Reading(of).pair(1).effect(measure, adjusted=False)
    assert found == mean_effect(measure.value[mine], of.arm[mine] == 1, Analysis(clusters=clusters[mine]))
    assert found.n_treated < 200
    vary = trial(vary=True)
    own = vary.propensity[np.arange(600), vary.arm]
    assert Reading(vary).weight == pytest.approx(1 / own)
    assert Reading(vary).pair(2).effect(measure, adjusted=True) == mean_effect(
        measure.value[pair(vary, 2)], vary.arm[pair(vary, 2)] == 2,
        Analysis(before=measure.before[pair(vary, 2)], weight=1 / own[pair(vary, 2)]),
    )  # fmt: skip
    assert Reading(trial()).weight is None
    # Where only the rows of one arm differ from those of another, means need no weights.
    assert Reading(trial((100, 300, 200))).weight is None


def test_weights_take_out_what_decided_the_arm():
    rng = np.random.default_rng(2)
    n = 4000
    large = rng.random(n) < 0.5
    share = np.where(large, 0.8, 0.2)
    arm = (rng.random(n) < share).astype(int)
    value = 100.0 * large + 5 * arm + rng.normal(0, 10, n)
    of = Trial("t", ("control", "a"), arm, np.column_stack([1 - share, share]), np.zeros(n, np.int64))
    measure = Measure("margin", "money", Role.HORIZON, 60, value)
    naive = mean_effect(value, arm == 1).absolute
    found = Reading(of).pair(1).effect(measure, adjusted=False).absolute
    assert naive.low > 50
    assert found.low < 5 < found.high


def test_a_ratio_is_read_as_one():
    of = trial()
    rng = np.random.default_rng(0)
    orders = rng.poisson(4, 600).astype(float)
    measure = Measure("order_value", "ratio", Role.HORIZON, 60, orders * rng.uniform(5, 15, 600), orders)
    mine = pair(of, 2)
    found = Reading(of).pair(2).effect(measure, adjusted=True)
    assert found == ratio_effect(measure.value[mine], orders[mine], of.arm[mine] == 2)


def test_p_values_are_holm_s_over_arms_and_benjamini_hochberg_s_over_the_rest():
    of = trial()
    measures = [
        money(of, 1, (0, 5, 4)), money(of, 2, (0, 3, 0), "other"), money(of, 3, (0, 6, 1), "third"),
        money(of, 4, name="fourth", before=False),
    ]  # fmt: skip
    reading = Reading(of)
    found = reading.effects(measures, [1, 2], "margin")
    assert [(each.measure, each.arm) for each in found] == [
        (measure.name, arm) for measure in measures for arm in ("a", "b")
    ]
    raw = np.array([each.best.p for each in found])
    primary = np.array([each.measure == "margin" for each in found])
    p = np.array([each.p for each in found])
    assert p[primary] == pytest.approx(multipletests(raw[primary], method="holm")[1])
    assert p[~primary] == pytest.approx(multipletests(raw[~primary], method="fdr_bh")[1])
    for each in found:
        assert each.best is (each.plain if each.measure == "fourth" else each.adjusted)


def test_where_no_arm_is_read_there_is_no_effect():
    of = trial()
    assert Reading(of).effects([money(of)], [], "margin") == []
    assert read_segments(Reading(of), money(of), [], {"half": np.full(600, "a")}) == []


def test_what_comes_after_the_horizon_is_a_measure_of_its_own():
    of = trial()
    measure = money(of, lift=(0, 5, 0))
    rng = np.random.default_rng(4)
    after = 2 * measure.value + rng.normal(0, 10, 600)
    said = rng.normal(200, 30, 300)
    calibrated = calibration(said, 0.8 * said + rng.normal(0, 10, 300))
    found = Reading(of).effects([measure], [1, 2], "margin", after=Surrogate(after, calibrated))
    assert [(each.measure, each.arm) for each in found[2:]] == [("ltv", "a"), ("ltv", "b")]
    mine = pair(of, 1)
    for effect, before in ((found[2].plain, None), (found[2].adjusted, measure.before[mine])):
        assert effect == long_term_effect(
            measure.value[mine],
            of.arm[mine] == 1,
            Surrogate(after[mine], calibrated),
            Analysis(before=before),
        )
    gap = (measure.value + calibrated.slope * after)[mine]
    assert found[2].plain.absolute.value == pytest.approx(
        gap[of.arm[mine] == 1].mean() - gap[of.arm[mine] == 0].mean()
    )


def test_an_outcome_missing_for_one_arm_is_refused_for_that_measure_only():
    of = trial()
    lost = money(of, 2, name="orders")
    value = lost.value.copy()
    value[of.arm == 2] = np.nan
    lost = Measure("orders", "count", Role.HORIZON, 60, value)
    found = {(e.arm, e.measure): e for e in Reading(of).effects([money(of), lost], [1, 2], "margin")}
    refused = found["b", "orders"]
    assert refused.refused == (
        "orders is missing for all 200 customers of arm 'b' and known for others; an outcome must be recorded in "
        "every arm alike"
    )
    assert (refused.best, np.isnan(refused.p)) == (None, True)
    for key in (("a", "orders"), ("a", "margin"), ("b", "margin")):
        assert found[key].refused is None
        assert found[key].best.n_control == 200


def test_where_more_is_missing_in_one_arm_it_is_told():
    of = trial()
    measure = money(of)
    measure.value[np.flatnonzero(of.arm == 1)[:60]] = np.nan
    measure.value[np.flatnonzero(of.arm == 0)[:20]] = np.nan
    warned = Reading(of).attrition(measure)
    assert (warned.code, warned.count, warned.example) == ("missing", 80, "margin")
    assert "(control 10.0%, a 30.0%, b 0.0%)" in warned.message
    even = money(of)
    even.value[::7] = np.nan
    assert Reading(of).attrition(even) is None
    assert Reading(of).attrition(money(of)) is None
    # And who is left is still read.
    assert Reading(of).pair(1).effect(measure, adjusted=True).n_treated == 140


def test_an_arm_with_five_customers_is_not_read_and_told():
    found, warnings = Reading(trial((100, 100, 5))).readable()
    assert found == [1]
    [warned] = warnings
    assert (warned.code, warned.count, warned.example) == ("small_arm", 5, "b")
    assert warned.message == "arm 'b' has 5 customers and 30 are needed, so it is not read"


@pytest.mark.parametrize(
    ("sizes", "match"),
    [
        ((29, 100), "control 'control' has 29 customers and 30 are needed"),
        ((100, 5, 3), r"\(control 100, a 5, b 3\)"),
    ],
)
def test_too_few_to_read_anything_is_an_error(sizes, match):
    with pytest.raises(ExperimentError, match=match):
        Reading(trial(sizes)).readable()


def test_accounts_and_not_their_users_are_counted():
    of = trial((60, 60))
    with pytest.raises(ExperimentError, match="control 'control' has 6 "):
        Reading(trial((60, 60), clusters=of.arm * 100 + np.arange(120) // 10 % 6)).readable()


def test_a_broken_sample_ratio_takes_the_verdict_away():
    arm = np.repeat([0, 1], [4000, 6000])
    of = Trial("t", ("control", "a"), arm, np.full((10_000, 2), 0.5), np.zeros(10_000, np.int64))
    ratio = Reading(of).ratio()
    assert ratio.broken
    assert ratio.p == pytest.approx(check_ratio([4000, 6000], [1, 1]).p)
    gained = Measure(
        "margin", "money", Role.HORIZON, 60, np.random.default_rng(0).normal(10, 1, 10_000) + arm
    )
    effects = Reading(of).effects([gained], [1], "margin")
    assert effects[0].p < 1e-9
    found = verdict(effects, "margin", ratio, 0.95)
    assert (found.code, found.gains, found.losses) == (Code.BLOCKED, (), ())
    assert verdict(effects, "margin", None, 0.95).code is Code.GAIN


def test_without_a_plan_there_is_no_ratio_to_check():
    assert Reading(trial(), designed=False).ratio() is None
    assert Reading(trial(randomised=False)).ratio() is None
    assert not Reading(trial()).ratio().broken


def effect(arm, value, p, measure="margin"):
    return MeasureEffect(arm, measure, readouts.effect(value, 1.0, 100.0), None, p)


@pytest.mark.parametrize(
    ("effects", "code", "gains", "losses"),
    [
        ([effect("a", 3, 0.01), effect("b", 5, 0.02)], Code.GAIN, ("b", "a"), ()),
        ([effect("a", -3, 0.01), effect("b", -5, 0.02), effect("c", 9, 0.2)], Code.LOSS, (), ("b", "a")),
        ([effect("a", -3, 0.01), effect("b", 5, 0.02)], Code.MIXED, ("b",), ("a",)),
        ([effect("a", 3, 0.06), effect("a", 3, 0.001, "orders")], Code.UNPROVEN, (), ()),
        (
            [effect("a", 3, 0.01), MeasureEffect("b", "margin", None, None, np.nan, "why")],
            Code.GAIN,
            ("a",),
            (),
        ),
    ],
)
def test_the_verdict_is_what_is_proven_of_the_primary_measure(effects, code, gains, losses):
    found = verdict(effects, "margin", check_ratio([50, 50], [1, 1]), 0.95)
    assert (found.code, found.gains, found.losses) == (code, gains, losses)


def test_a_level_is_a_level():
    assert verdict([effect("a", 3, 0.06)], "margin", None, 0.9).code is Code.GAIN
    assert verdict([effect("a", 3, 0.02)], "margin", None, 0.99).code is Code.UNPROVEN


def test_money_is_read_winsorised_and_says_where():
    value = np.append(np.arange(1.0, 3000.0), [1e9, -1e9, np.nan])
    measure, told = facts(Measure("margin", "money", Role.HORIZON, 60, value))
    found = winsorise(value[:-1])
    assert measure.value[:-1] == pytest.approx(found.value)
    assert np.isnan(measure.value[-1])
    assert (told.low, told.high, told.beyond) == (found.low, found.high, found.n_low + found.n_high)
    assert told.missing == pytest.approx(1 / 3002)
    count, told = facts(Measure("orders", "count", Role.HORIZON, 60, value))
    assert count.value is value
    assert (told.low, told.high, told.beyond) == (None, None, 0)
    assert np.isnan(facts(Measure("margin", "money", Role.HORIZON, 60, np.full(3, np.nan)))[0].value).all()


def test_a_readout_is_json_with_null_for_what_is_not_known():
    found = readouts.odd()
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["verdict"] == {"code": "gain", "gains": ["cross-sell", "upsell"], "losses": []}
    assert (told["sizes"], told["ratio"], told["first"]) == (dict(found.sizes), None, "2024-12-01T00:00:00")
    for one, other in zip(told["effects"], found.effects, strict=True):
        if other.refused:
            assert (one["p"], one["plain"], one["refused"]) == (None, None, other.refused)
        else:
            assert one["p"] == other.p
            assert one["adjusted"]["absolute"] == vars(other.adjusted.absolute)
    assert told["returns"][2]["roi"]["value"] == found.returns[2].roi.value
    early = told["looks"]["cross-sell"][0]["effect"]
    assert (early["low"], early["high"]) == (None, None)
    assert len(told["uplift"]["toc"]["upsell"]["value"]) == len(found.uplift.toc["upsell"].value)


def test_records_are_written_plainly():
    values = {
        "a": np.float64("nan"),
        "b": np.array([1, 2]),
        3: (np.inf, np.bool_(1)),
        "c": Code.GAIN,
        "d": None,
    }
    assert jsonable(values) == {"a": None, "b": [1, 2], "3": [None, True], "c": "gain", "d": None}


def test_effects_are_found_by_name():
    found = readouts.readout()
    assert found.effect("upsell", "margin").measure == "margin"
    with pytest.raises(KeyError, match="margin of nobody"):
        found.effect("nobody", "margin")
