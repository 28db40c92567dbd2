"""Readouts of made-up experiments, their numbers written by hand: nothing is estimated here."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from evaluation.effects.effect import Effect
from evaluation.effects.sampleratio import SampleRatio
from evaluation.effects.segments import SegmentEffect, Segments
from evaluation.effects.sequential import Look
from evaluation.estimate import Estimate
from evaluation.experiments.beforeafter import compare_periods
from evaluation.experiments.records import (
    Code,
    CoursePoint,
    MeasureEffect,
    MeasureFacts,
    Readout,
    Return,
    Role,
    SegmentReading,
    Verdict,
    Warned,
)
from evaluation.experiments.targeting import Ahead, UpliftReading
from evaluation.uplift.curves import Curve
from evaluation.uplift.policy import Threshold
from evaluation.uplift.policy_value import GainCurve
from features.types import DAY

UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))
HOSTILE = "<b>& {call}"
ARMS = ("control", "cross-sell", "upsell", HOSTILE)
SIZES = {"control": 4589, "cross-sell": 2900, "upsell": 2898, HOSTILE: 2835}


def about(value, half):
    return Estimate(value, value - half, value + half)


def effect(value, half, control, method="Welch t, cross-fitted adjustment", p=None, n=(2900, 4589)):
    """An effect whose p goes with its interval."""
    inside = abs(value) <= half
    return Effect(
        treated=control + value,
        control=control,
        absolute=about(value, half),
        relative=about(value / control, half / control) if control > 0 else UNKNOWN,
        p=p if p is not None else 0.31 if inside else 0.0004,
        standard_error=half / 1.96,
        n_treated=n[0],
        n_control=n[1],
        method=method,
    )


def measured(arm, name, value, half, control, p):
    plain = effect(value * 1.1, half * 1.3, control, "studentised permutation")
    return MeasureEffect(arm, name, plain, effect(value, half, control), p)


def refused(arm, name, why="margin is missing for all 40 customers; <i>record it</i> in every arm alike"):
    return MeasureEffect(arm, name, None, None, float("nan"), why)


MEASURES = (
    MeasureFacts("clicked", "share", Role.SHORT, 30, 0.0, None, None, 0),
    MeasureFacts("orders", "count", Role.HORIZON, 365, 0.0, None, None, 0),
    MeasureFacts("order_value", "ratio", Role.HORIZON, 365, 0.012, None, None, 0),
    MeasureFacts("margin", "money", Role.HORIZON, 365, 0.0, -70_604.4, 16_189_759.4, 27),
)
GAIN = {"cross-sell": (31_397.1, 13_402.5), "upsell": (29_707.3, 12_512.6), HOSTILE: (4_012.2, 9_332.0)}
LOSS = GAIN | {"upsell": (-21_250.4, 8_120.2)}
OPEN = {"cross-sell": (8_119.2, 14_240.1), "upsell": (3_105.9, 9_110.4), HOSTILE: (-376.6, 9_754.3)}


def segment_readings(arm, p):
    rows = tuple(
        SegmentEffect(name, n, about(value, half), about(value * 0.9, half * 0.9), p_adjusted)
        for name, n, value, half, p_adjusted in (
            ("high", 2476, 66_446.0, 33_454.0, 0.0003),
            ("low", 2508, 1_954.0, 3_723.0, 0.3),
            ("middle", 2505, 10_412.0, 6_021.0, 0.0014),
        )
    )
    value = SegmentReading(arm, "value", Segments(rows, about(20_412.0, 31_000.0), p, 30_100.0, 0.9), p)
    two = rows[:2]
    industry = tuple(
        replace(row, name=name) for row, name in zip(two, ("retail & <b>", "other"), strict=True)
    )
    return value, SegmentReading(arm, "industry", Segments(industry, about(1.0, 2.0), 0.4, 0.0, 0.0), 1.0)


def course_points(arm, value, half):
    return tuple(
        CoursePoint(
            arm, day, about(value * day / 365, half * day / 365), about(value * day / 365, half * day / 250)
        )
        for day in (30, 91, 182, 274, 365)
    )


def look_sequence(value, half, days=14):
    start = 20_000
    early = Look(start, 20, 31, Estimate(value * 2, -np.inf, np.inf), 1.0)
    later = (
        Look(start + k, 200 * k, 310 * k, about(value, half * (1 + 12 / k)), min(1.0, 0.5 / k))
        for k in range(1, days)
    )
    return (early, *later)


def paid(arm, value, half, cost, beyond):
    net = about(value - cost, half)
    roi = about(value / cost, half / cost) if cost else None
    n = SIZES[arm]
    return Return(arm, n, cost, about(value, half), net, about(value * n, half * n), roi, beyond)


def curve(peak, half, start=0.0, points=41):
    at = np.linspace(start, 1, points)
    value = 4 * peak * at * (1 - at)
    band = half * np.sqrt(at)
    return Curve(at, value, value - band, value + band)


def uplift_reading(proven=True, cost=9000.0):
    at = np.linspace(0, 2.4e7 * (cost > 0), 21)
    rise = 1 - np.exp(-np.linspace(0, 3, 21))

    def gained(most, half):
        return Curve(at, most * rise, most * rise - half * rise, most * rise + half * rise)

    arms = list(ARMS[1:])
    return UpliftReading(
        learner="dr_learner",
        proven=proven,
        p=0.004 if proven else 0.57,
        qini={arm: about(4_210.5 - 2_000 * k, 2_015.0) for k, arm in enumerate(arms)},
        autoc={arm: about(9_880.2 - 3_000 * k, 5_120.0) for k, arm in enumerate(arms)},
        learners={
            name: about(value, 1_900.0)
            for name, value in (
                ("s_learner", 1_950.1),
                ("t_learner", -310.7),
                ("x_learner", 3_020.9),
                ("r_learner", 3_377.4),
                ("dr_learner", 3_690.6),
                ("linear", 2_100.0),
            )
        },
        toc={arm: curve(8_000.0 - 3_000 * k, 7_000.0, 0.01) for k, arm in enumerate(arms)},
        curves={arm: curve(4_000.0 - 1_500 * k, 2_500.0) for k, arm in enumerate(arms)},
        gain=GainCurve(
            gained(9_100.0, 2_300.0),
            gained(6_050.0, 2_000.0),
            gained(3_300.0, 1_500.0),
            np.zeros(21, np.intp),
            at,
            13_222.0,
        ),
        rules=(
            Threshold("high", "upsell", 4407, 3120, 11_240.6, 0.93, 3120 * cost, 8.1e7),
            Threshold("low", "cross-sell", 4408, 214, 9_001.5, 1.0, 214 * cost, 310_222.0),
            Threshold("middle", "cross-sell", 4407, 1804, 9_410.2, 0.98, 1804 * cost, 9.3e6),
        ),
        costs=dict.fromkeys(arms, cost),
        ahead=Ahead("cross-sell", about(3_050.0, 2_200.0)) if proven else None,
        version=3,
    )


def readout(found=GAIN, code=Code.GAIN, gains=("cross-sell", "upsell"), losses=(), **rest):
    """All there can be; fields given replace its own."""
    effects = []
    for arm, (value, half) in found.items():
        proven = abs(value) > half
        effects += [
            measured(arm, "clicked", 0.0118 if proven else 0.0021, 0.0104, 0.0733, 0.039 if proven else 0.9),
            measured(arm, "orders", value / 15_000, half / 15_000, 16.4, 0.003 if proven else 0.85),
            measured(arm, "order_value", value / 40, half / 20, 23_314.0, 0.62),
            measured(arm, "margin", value, half, 160_994.2, 0.0007 if proven else 0.48),
            measured(arm, "ltv", value * 1.6, half * 2.1, 410_220.7, 0.011 if proven else 0.52),
        ]
    costs = {"cross-sell": 6_000.0, "upsell": 9_000.0, HOSTILE: 12_000.0}
    fields = {
        "project": "Parts & Co <b>",
        "experiment": "recommendations-2024",
        "currency": "JPY",
        "timezone": "Asia/Tokyo",
        "arms": ARMS,
        "sizes": SIZES,
        "first": datetime.fromisoformat("2024-12-01"),
        "last": datetime.fromisoformat("2024-12-14T09:00"),
        "data_until": datetime.fromisoformat("2026-01-01"),
        "horizon_days": 365,
        "level": 0.95,
        "randomised": True,
        "ratio": SampleRatio(
            (4589, 2900, 2898, 2835), (4627.7, 2864.8, 2864.8, 2864.7), 0.473, "chi-squared"
        ),
        "primary": "margin",
        "measures": MEASURES,
        "effects": tuple(effects),
        "before": tuple(
            MeasureEffect(arm, "margin", effect(-1_210.0 * k, 18_000.0, 158_001.0, "Welch t"), None, 1.0)
            for k, arm in enumerate(found)
        ),
        "segments": (*segment_readings("cross-sell", 0.0012), *segment_readings("upsell", 0.4)),
        "course": tuple(
            point for arm, (value, half) in found.items() for point in course_points(arm, value, half)
        ),
        "looks": {arm: look_sequence(value, half) for arm, (value, half) in found.items()},
        "returns": tuple(paid(arm, v, h, costs[arm], beyond=False) for arm, (v, h) in found.items()),
        "lasting": tuple(
            paid(arm, v * 1.6, h * 2.1, costs[arm], beyond=True) for arm, (v, h) in found.items()
        ),
        "verdict": Verdict(code, gains, losses),
        "warnings": (),
        "made": datetime(2026, 11, 22, 9, 30, tzinfo=ZoneInfo("Asia/Tokyo")),
        "uplift": uplift_reading(),
    }
    return Readout(**(fields | rest))


WARNINGS = (
    Warned("two_arms", 12, "C-<1>", "12 customers were put in two arms"),
    Warned("unknown", 3, "C-404", "3 assigned customers are not among customers"),
    Warned("unfinished", 41, "2025-11-30 10:00:00", "41 customers were assigned too late"),
    Warned("no_shares", 13222, None, "no propensities are bound"),
    Warned("varying", 13222, None, "propensities vary"),
    Warned("small_arm", 17, "pilot", "arm 'pilot' has 17 customers"),
    Warned("missing", 160, "order_value", "order_value is missing more often in one arm"),
    Warned("brand_new", 5, None, "something <odd> that has no words yet"),
)


def gain():
    """Two arms gain, one is open; everything there can be on a page."""
    return readout()


def mixed():
    """One arm gains, one loses."""
    return readout(LOSS, Code.MIXED, ("cross-sell",), ("upsell",))


def unproven():
    """Nothing proven; an interval of one arm is clear of 0 by itself, but not among three. Nothing optional."""
    found = readout(OPEN, Code.UNPROVEN, (), (), uplift=None, looks={}, segments=())
    near = effect(15_000.0, 14_240.1, 160_994.2, p=0.039)
    effects = [
        replace(each, adjusted=near, p=0.117)
        if (each.arm, each.measure) == ("cross-sell", "margin")
        else each
        for each in found.effects
        if each.measure != "ltv"
    ]
    free = tuple(paid(arm, value, half, 0.0, beyond=False) for arm, (value, half) in OPEN.items())
    return replace(found, effects=tuple(effects), returns=free, lasting=())


def blocked():
    """More customers are gone from one arm than chance explains."""
    broken = SampleRatio((4589, 2900, 2898, 2402), (4476.2, 2770.9, 2770.9, 2771.0), 3.1e-14, "chi-squared")
    sizes = dict(zip(ARMS, broken.counts, strict=True))
    return readout(code=Code.BLOCKED, gains=(), ratio=broken, sizes=sizes, returns=(), lasting=())


def observational():
    """Arms were chosen by people."""
    return readout(randomised=False, ratio=None)


def odd():
    """All warnings, one arm too small to be read, one refused, planned shares unknown, an unproven ranking."""
    arms = (*ARMS, "pilot")
    found = readout(arms=arms, sizes=SIZES | {"pilot": 17}, ratio=None, warnings=WARNINGS)
    effects = [
        refused(each.arm, each.measure) if each.arm == HOSTILE and each.measure == "margin" else each
        for each in found.effects
    ]
    unsure = uplift_reading(proven=False, cost=0.0)
    early = {"cross-sell": look_sequence(1.0, 2.0, days=1)}
    return replace(found, effects=tuple(effects), uplift=unsure, looks=early)


def campaign(period="week", years=3, after=120, seed=4):
    """Money by customer and day before and after a campaign, with a season and a step at its start."""
    rng = np.random.default_rng(seed)
    start, days = 19_000, 365 * years
    n = 12_000
    when = start + rng.integers(0, days, n)
    began = start + days - after
    season = 1 + 0.4 * np.sin(2 * np.pi * (when - start) / 365)
    money = rng.lognormal(9, 0.6, n) * season * np.where(when >= began, 1.25, 1.0)
    return compare_periods(when * DAY, money, rng.integers(0, 300, n), began * DAY, period=period, draws=60)
