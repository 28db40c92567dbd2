"""Shrunk segment effects cover, heterogeneity is found as rarely as promised, and peers agree on its parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chi2, multivariate_normal, norm
from scipy.stats import t as student
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.oneway import anova_generic

from benchmarks.coverage_looks import CASES
from benchmarks.simulation import rate
from evaluation.effects.segments import segment_effects
from features.errors import ExperimentError

NAMES = ["industry", "trade", "public", "health", "other"]
EFFECT = np.array([1.0, 4.0, 2.5, -1.0, 6.0])
SE = np.array([1.0, 1.5, 0.8, 1.2, 2.0])
MANY = np.full(5, 10_000_000)


def test_parts_as_statsmodels():
    found = segment_effects(NAMES, EFFECT, SE, MANY)
    peer = combine_effects(EFFECT, SE**2, method_re="iterated")
    assert found.between_sd == pytest.approx(np.sqrt(peer.tau2), rel=1e-5)
    assert found.i_squared == pytest.approx(peer.i2)
    assert found.heterogeneity_p == pytest.approx(chi2.sf(peer.q, 4), rel=1e-4)
    raw_p = [2 * norm.sf(abs(e / s)) for e, s in zip(EFFECT, SE, strict=True)]
    assert [row.p_adjusted for row in found.rows] == pytest.approx(
        multipletests(raw_p, method="holm")[1], rel=1e-4
    )


def test_few_units_make_heterogeneity_less_certain_as_welch_has_it():
    n = np.array([8, 12, 9, 30, 14])
    found = segment_effects(NAMES, EFFECT, SE, n)
    # A two-arm difference has n − 2 degrees of freedom where a group's mean has n − 1.
    groups = n - 1
    peer = anova_generic(EFFECT, SE**2 * groups, groups, use_var="unequal")
    assert found.heterogeneity_p == pytest.approx(peer.pvalue)
    assert found.heterogeneity_p > segment_effects(NAMES, EFFECT, SE, MANY).heterogeneity_p
    row = found.rows[0]
    assert row.raw.high == pytest.approx(1 + student.ppf(0.975, 6))
    assert row.n == 8


def test_shrunk_effects_are_the_posterior_of_the_hierarchical_model():
    found = segment_effects(NAMES, EFFECT, SE, MANY)
    contrast = np.eye(5)[1:] - np.eye(5)[:-1]

    def likelihood(between):
        # Differences of neighbours hold all that the data say without the overall effect.
        covariance = contrast @ np.diag(SE**2 + between**2) @ contrast.T
        return multivariate_normal.pdf(contrast @ EFFECT, np.zeros(4), covariance)

    def centre(between):
        w = 1 / (SE**2 + between**2)
        return (w * EFFECT).sum() / w.sum()

    total = quad(likelihood, 0, 200, limit=300)[0]
    overall = quad(lambda b: likelihood(b) * centre(b), 0, 200, limit=300)[0] / total
    assert found.overall.value == pytest.approx(overall, rel=1e-3)
    for s, row in enumerate(found.rows):
        mean = (
            quad(
                lambda b, s=s: (
                    likelihood(b) * (b**2 * EFFECT[s] + SE[s] ** 2 * centre(b)) / (b**2 + SE[s] ** 2)
                ),
                0,
                200,
                limit=300,
            )[0]
            / total
        )
        assert row.shrunk.value == pytest.approx(mean, rel=2e-3, abs=1e-3)
        assert row.shrunk.low < row.shrunk.value < row.shrunk.high


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-50, 50), min_size=3, max_size=8),
    st.floats(0.1, 100),
    st.floats(-100, 100),
    st.floats(0.01, 100),
)
def test_between_raw_and_overall_and_free_of_units(effect, se, shift, scale):
    names = [str(i) for i in range(len(effect))]
    values, errors, n = np.array(effect), np.linspace(se, 2 * se, len(effect)), np.full(len(effect), 200)
    found = segment_effects(names, values, errors, n)
    moved = segment_effects(names, values * scale + shift, errors * scale, n)
    for row, other in zip(found.rows, moved.rows, strict=True):
        low, high = sorted([row.raw.value, found.overall.value])
        slack = 0.05 * (np.ptp(values) + se)
        assert low - slack <= row.shrunk.value <= high + slack
        assert other.shrunk.high == pytest.approx(
            row.shrunk.high * scale + shift, rel=1e-5, abs=1e-5 * scale * se
        )
    assert moved.heterogeneity_p == pytest.approx(found.heterogeneity_p, rel=1e-5, abs=1e-12)
    assert moved.between_sd == pytest.approx(found.between_sd * scale, rel=1e-5, abs=1e-6 * scale * se)
    assert 0 <= found.i_squared < 1


def test_same_effects_do_not_differ():
    found = segment_effects(NAMES, np.full(5, 3.0), SE, np.full(5, 50))
    assert not found.differ
    assert (found.between_sd, found.i_squared, found.heterogeneity_p) == (0, 0, 1)
    for row in found.rows:
        assert row.shrunk.value == pytest.approx(3)
        assert row.shrunk.high - row.shrunk.low < row.raw.high - row.raw.low


def test_far_apart_effects_differ_and_keep_themselves():
    found = segment_effects(NAMES, EFFECT * 100, SE, MANY)
    assert found.differ
    for row in found.rows:
        assert row.shrunk.value == pytest.approx(row.raw.value, rel=0.01)


def test_two_segments_are_not_shrunk():
    found = segment_effects(NAMES[:2], [1, 4], [1, 1], [50, 60])
    assert [row.shrunk for row in found.rows] == [row.raw for row in found.rows]
    assert found.heterogeneity_p == pytest.approx(2 * norm.sf(3 / np.sqrt(2)), abs=0.003)


@pytest.mark.parametrize("case", [case for case in CASES if "segments" in case.name], ids=lambda c: c.name)
def test_intervals_cover_and_heterogeneity_is_rare(case):
    share, _ = rate(case, 150)
    # Three standard errors of 150 repetitions on either side.
    slack = 3 * np.sqrt(0.05 * 0.95 / 150)
    assert case.low - slack <= share <= case.high + slack


@pytest.mark.parametrize(
    ("names", "effect", "se", "n", "match"),
    [
        (["a"], [1], [1], [9], "two segments"),
        (["a", "b"], [1, 2, 3], [1, 1], [9, 9], "one of each"),
        (["a", "b"], [1, 2], [1, 0], [9, 9], "segment b.*positive"),
        (["a", "b"], [1, np.nan], [1, 1], [9, 9], "segment b"),
        (["a", "b"], [1, 2], [1, 1], [3, 9], "segment a.*four units"),
    ],
)
def test_errors(names, effect, se, n, match):
    with pytest.raises(ExperimentError, match=match):
        segment_effects(names, effect, se, n)
