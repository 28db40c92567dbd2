"""The best of several rankings is found, and called proven only when noise would not look as good."""

import numpy as np
import pytest

from evaluation.uplift.halfsamples import HalfSamples
from evaluation.uplift.ranking import qini, rate
from evaluation.uplift.selection import Repeat, select
from features.errors import ExperimentError

RNG = np.random.default_rng(0)
N = 800
EFFECT = RNG.normal(size=(N, 2))
SCORES = EFFECT + RNG.normal(0, 2, (N, 2))
NOISE = RNG.normal(size=(N, 2))
CANDIDATES = {"noise": NOISE, "good": EFFECT, "half": np.column_stack([EFFECT[:, 0], NOISE[:, 0]])}


def test_the_best_is_chosen_and_proven():
    found = select([Repeat(SCORES, CANDIDATES)])
    assert found.chosen == "good"
    assert found.proven
    assert found.p_better["good"] == pytest.approx(1 / 501)
    assert found.p_better["noise"] > 0.05
    assert set(found.comparisons) == {"noise", "half"}
    against = found.comparisons["noise"]
    assert against.difference.low > 0
    assert against.p_worse > 0.99
    assert against.a == found.estimates["good"].value


def test_values_are_means_over_arms_and_repeats():
    other = SCORES[:, ::-1]
    found = select([Repeat(SCORES, CANDIDATES), Repeat(other, CANDIDATES)])
    for name, p in CANDIDATES.items():
        values = [qini(s[:, k], p[:, k]) for s in (SCORES, other) for k in range(2)]
        assert found.estimates[name].value == pytest.approx(np.mean(values), abs=1e-12)


def test_one_arm_and_repeat_is_rate():
    found = select([Repeat(SCORES[:, :1], {"e": EFFECT[:, :1]})], "autoc", samples=HalfSamples.draw(N))
    alone = rate(SCORES[:, 0], {"e": EFFECT[:, 0]})["e"].autoc
    assert found.estimates["e"].value == alone.value
    assert found.estimates["e"].low == pytest.approx(alone.low, abs=1e-12)


def test_a_constant_is_never_better():
    found = select([Repeat(SCORES, {"all": np.ones((N, 2))}, np.arange(N) % 7)])
    assert found.estimates["all"].value == 0
    assert found.p_better["all"] == 1
    assert not found.proven


def test_p_values_pay_for_the_number_of_candidates():
    weak = EFFECT + RNG.normal(0, 12, (N, 2))
    alone = select([Repeat(SCORES, {"weak": weak})]).p_better["weak"]
    noise = {f"n{i}": np.random.default_rng(i).normal(size=(N, 2)) for i in range(8)}
    among = select([Repeat(SCORES, {"weak": weak, **noise})]).p_better["weak"]
    assert among > 2 * alone


def test_folds_are_ranked_within():
    """Levels of the folds are made absurd, and change nothing."""
    fold = np.random.default_rng(1).permutation(N) % 5
    plain = select([Repeat(SCORES, CANDIDATES, fold)])
    lifted = {name: p * 2 + 100 * fold[:, None] for name, p in CANDIDATES.items()}
    shifted = select([Repeat(SCORES + 50 * fold[:, None], lifted, [f"fold {f}" for f in fold])])
    for name in CANDIDATES:
        assert shifted.estimates[name].value == pytest.approx(plain.estimates[name].value, abs=1e-9)
        assert shifted.p_better[name] == plain.p_better[name]
    per_fold = [qini(SCORES[fold == f, k], EFFECT[fold == f, k]) for f in range(5) for k in range(2)]
    assert plain.estimates["good"].value == pytest.approx(np.mean(per_fold), abs=0.01)


def test_weights_are_repeated_rows_within_folds():
    rng = np.random.default_rng(2)
    weight, fold = rng.integers(1, 4, N), rng.integers(0, 3, N)
    rows = np.repeat(np.arange(N), weight)
    weighted = select([Repeat(SCORES, {"p": EFFECT.round(1)}, fold)], weight=weight)
    whole = HalfSamples.draw(len(rows), rows, draws=500)
    repeated = select([Repeat(SCORES[rows], {"p": EFFECT.round(1)[rows]}, fold[rows])], samples=whole)
    assert repeated.estimates["p"].value == pytest.approx(weighted.estimates["p"].value, abs=1e-9)
    assert repeated.estimates["p"].low == pytest.approx(weighted.estimates["p"].low, abs=1e-9)


def test_cross_fitting_widens_the_interval_by_root_2():
    halves = np.zeros(N, int)
    plain, crossed = (select([Repeat(SCORES, CANDIDATES, f)]).estimates["good"] for f in (None, halves))
    assert (crossed.high - crossed.low) / (plain.high - plain.low) == pytest.approx(np.sqrt(2), rel=1e-3)


@pytest.mark.parametrize(
    ("repeats", "words"),
    [
        ([], "nothing to select from"),
        ([Repeat(SCORES, {})], "nothing to select from"),
        ([Repeat(SCORES, {"a": NOISE}), Repeat(SCORES, {"b": NOISE})], "the same candidates"),
        ([Repeat(SCORES, {"a": NOISE}), Repeat(SCORES[:9], {"a": NOISE[:9]})], "scores has shape"),
        ([Repeat(SCORES, {"a": NOISE[:, :1]})], "priority a has shape"),
        ([Repeat(SCORES, {"a": NOISE}, np.zeros(3))], "fold has shape"),
    ],
)
def test_bad_input_is_refused(repeats, words):
    with pytest.raises(ExperimentError, match=words):
        select(repeats)


def test_another_metric_is_refused():
    with pytest.raises(ExperimentError, match="none of autoc, qini"):
        select([Repeat(SCORES, CANDIDATES)], "auuc")


def test_half_samples_of_other_customers_are_refused():
    with pytest.raises(ExperimentError, match="of 799 rows do not go with 800"):
        select([Repeat(SCORES, CANDIDATES)], samples=HalfSamples.draw(N - 1))


def test_a_fold_without_weight_is_refused():
    fold = np.arange(N) % 4
    with pytest.raises(ExperimentError, match="fold 2 has weight 0"):
        select([Repeat(SCORES, CANDIDATES, fold)], weight=(fold != 2).astype(float))


def test_intervals_hold_for_all_candidates_at_once():
    # Ten useless rankings, as unlike one another as can be: one interval in twenty would miss 0 by itself,
    # so four in ten times one of the ten at least.
    missed, single = [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=(200, 1))
        names = {f"n{k}": rng.normal(size=(200, 1)) for k in range(10)}
        found = select([Repeat(scores, names)], samples=HalfSamples.draw(200, draws=199, threads=1))
        missed.append(any(each.low > 0 or each.high < 0 for each in found.estimates.values()))
        single.append(found.single_level)
    assert np.mean(missed) < 0.12
    # Bonferroni's level is the limit for independent ones.
    assert np.mean(single) == pytest.approx(1 - 0.05 / 10, abs=0.0025)


def test_candidates_alike_need_no_wider_interval():
    found = select([Repeat(SCORES, {"a": EFFECT, "b": 3 * EFFECT})])
    alone = select([Repeat(SCORES, {"a": EFFECT})])
    assert alone.single_level == 0.95
    assert 0.95 <= found.single_level < 0.965
    assert found.estimates["a"].low == pytest.approx(alone.estimates["a"].low, rel=0.1)


def test_copies_of_customers_in_a_cluster_are_no_news():
    again = np.repeat(np.arange(N), 3)
    once = select([Repeat(SCORES, CANDIDATES)])
    thrice = select(
        [Repeat(SCORES[again], {name: each[again] for name, each in CANDIDATES.items()})],
        samples=HalfSamples.draw(3 * N, again, draws=500),
    )
    for name, each in once.estimates.items():
        assert thrice.estimates[name].value == pytest.approx(each.value, abs=1e-12)
        assert thrice.estimates[name].high == pytest.approx(each.high, abs=1e-9)
