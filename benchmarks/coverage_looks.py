"""Promises of planning and of looking: sizes, sample ratios, daily looks, segments, A/A checks."""

from functools import partial

import numpy as np

from benchmarks.simulation import Case
from evaluation.effects.sampleratio import check_ratio
from evaluation.effects.segments import segment_effects
from evaluation.effects.sequential import confidence_sequence
from evaluation.effects.welch import welch
from evaluation.planning.aacheck import aa_check
from evaluation.planning.sizes import Design, plan_mean
from features.types import DAY, Floats

LOOKS = 30


def gaussian(rng: np.random.Generator, n: int) -> Floats:
    return rng.normal(100, 40, n)


def money(rng: np.random.Generator, n: int) -> Floats:
    """Nine of ten buy nothing; the rest spend lognormally with σ = 1.5."""
    return np.where(rng.random(n) < 0.1, rng.lognormal(4, 1.5, n), 0.0)


def look_gaussian(rng: np.random.Generator) -> bool:
    return _any_look(rng, gaussian(rng, 20 * LOOKS), share=0.5)


def look_money(rng: np.random.Generator) -> bool:
    return _any_look(rng, money(rng, 20 * LOOKS), share=0.5)


def look_money_unequal(rng: np.random.Generator) -> bool:
    return _any_look(rng, money(rng, 20 * LOOKS), share=0.1)


def look_money_unequal_large(rng: np.random.Generator) -> bool:
    return _any_look(rng, money(rng, 200 * LOOKS), share=0.1)


def look_clusters(rng: np.random.Generator) -> bool:
    """Accounts whose users come in all through the experiment, alike within an account."""
    accounts = 200
    rows = 30 * accounts
    account = rng.integers(0, accounts, rows)
    account_effect = rng.normal(0, 30, accounts)
    treated = rng.permutation(accounts) < accounts // 2
    value = account_effect[account] + rng.normal(100, 40, rows)
    day = rng.integers(0, LOOKS, rows)
    looks = confidence_sequence(value, treated[account], day * DAY, planned=accounts, clusters=account)
    return looks[-1].p_anytime < 0.05


def sequence_finds(rng: np.random.Generator) -> bool:
    """An effect that a fixed test of this size finds with 98 %; the sequence still should in most."""
    return _any_look(rng, gaussian(rng, 40 * LOOKS), share=0.5, effect=9.2)


def segment_covered(rng: np.random.Generator, segments: int, between: float) -> bool:
    effect, se, n, truth = _segments(rng, segments, between)
    rows = segment_effects([str(s) for s in range(segments)], effect, se, n).rows
    return bool(rows[0].shrunk.low <= truth[0] <= rows[0].shrunk.high)


def segments_differ(rng: np.random.Generator) -> bool:
    effect, se, n, _ = _segments(rng, 8, 0.0)
    return segment_effects([str(s) for s in range(8)], effect, se, n).differ


def planned_size_finds(rng: np.random.Generator) -> bool:
    control, treated = plan_mean(40.0, 100.0, relative=0.1).units
    value = np.concatenate([gaussian(rng, control), gaussian(rng, treated) + 10])
    return welch(value, np.arange(len(value)) >= control) < 0.05


def planned_accounts_find(rng: np.random.Generator) -> bool:
    design = Design(cluster_size=8, icc=0.3, treatments=2)
    control, treated, _ = plan_mean(40.0, 100.0, relative=0.1, design=design).units
    account = np.repeat(np.arange(control + treated), 8)
    shared = rng.normal(0, 40 * np.sqrt(0.3), control + treated)[account]
    value = 100 + shared + rng.normal(0, 40 * np.sqrt(0.7), len(account))
    arm = account >= control
    return bool(welch(value + 10 * arm, arm, account) < design.alpha)


def ratio_two_arms(rng: np.random.Generator) -> bool:
    return check_ratio(rng.multinomial(20_000, [0.7, 0.3]), [0.7, 0.3]).broken


def ratio_by_row(rng: np.random.Generator) -> bool:
    share = rng.uniform(0.1, 0.9, 4000)
    propensity = np.column_stack([1 - share, share / 2, share / 2])
    arm = (rng.random(4000)[:, None] > propensity.cumsum(axis=1)).sum(axis=1)
    return check_ratio(np.bincount(arm, minlength=3), propensity).broken


def ratio_few(rng: np.random.Generator) -> bool:
    return check_ratio(rng.multinomial(40, [0.5, 0.25, 0.25]), [2, 1, 1]).broken


def aa_split(rng: np.random.Generator) -> bool:
    return welch(money(rng, 2000), rng.permutation(2000) < 1000) < 0.05


def aa_fails(rng: np.random.Generator) -> bool:
    seed = int(rng.integers(1 << 30))
    return not aa_check(gaussian(rng, 200), welch, repetitions=400, seed=seed).passed


CASES: tuple[Case, ...] = (
    Case("30 daily looks, normal: any-time false positives", 0, 0.05, look_gaussian),
    Case("30 daily looks, money, small: any-time false positives", 0, 0.05, look_money),
    Case("30 daily looks, money, 1 to 9, small: any-time false positives", 0, 0.05, look_money_unequal),
    Case("30 daily looks, money, 1 to 9, large: any-time false positives", 0, 0.05, look_money_unequal_large),
    Case("30 daily looks, accounts: any-time false positives", 0, 0.05, look_clusters),
    Case("30 daily looks: an effect that a fixed test finds with 98 %", 0.6, 1, sequence_finds),
    Case("3 segments: shrunk intervals cover", 0.93, 0.97, partial(segment_covered, segments=3, between=1.0)),
    Case("8 segments: shrunk intervals cover", 0.93, 0.97, partial(segment_covered, segments=8, between=1.0)),
    Case(
        "20 segments: shrunk intervals cover", 0.93, 0.97, partial(segment_covered, segments=20, between=0.5)
    ),
    Case(
        "8 segments that do not differ: shrunk intervals cover",
        0.95,
        1,
        partial(segment_covered, segments=8, between=0.0),
    ),
    Case("segments that do not differ: heterogeneity found", 0.04, 0.06, segments_differ, 4000),
    Case("power at the planned size", 0.78, 0.82, planned_size_finds, 4000),
    Case("power at the planned size, accounts, two treatments", 0.78, 0.82, planned_accounts_find, 4000),
    Case("sample ratio, two arms: broken by chance", 0, 0.004, ratio_two_arms),
    Case("sample ratio, probabilities by row: broken by chance", 0, 0.004, ratio_by_row),
    Case("sample ratio, 40 units in three arms: broken by chance", 0, 0.004, ratio_few),
    Case("A/A: a test of money rejects", 0.04, 0.06, aa_split, 4000),
    Case("A/A check: a sound test fails", 0, 0.02, aa_fails, 300),
)


def _any_look(rng: np.random.Generator, value: Floats, share: float, effect: float = 0.0) -> bool:
    n = len(value)
    treated = rng.random(n) < share
    day = np.arange(n) * LOOKS // n
    looks = confidence_sequence(value + effect * treated, treated, day * DAY, planned=n)
    return looks[-1].p_anytime < 0.05


def _segments(
    rng: np.random.Generator, segments: int, between: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Estimates by segment from 20 to 200 values an arm; true effects differ by `between` mean errors."""
    arm = rng.integers(20, 200, segments)
    truth = rng.normal(5, between * np.sqrt(2 / 80), segments)
    effect, se = np.empty(segments), np.empty(segments)
    for s, size in enumerate(arm):
        control, treated = rng.normal(0, 1, size), rng.normal(truth[s], 1, size)
        effect[s] = treated.mean() - control.mean()
        se[s] = np.sqrt((treated.var(ddof=1) + control.var(ddof=1)) / size)
    return effect, se, 2 * arm.astype(np.float64), truth
