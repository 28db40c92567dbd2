"""Adjusted p values are those of statsmodels, whatever the order, and NaN asks nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from evaluation.effects.multiplicity import benjamini_hochberg, holm
from features.errors import ExperimentError

P = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.05, 1.0]), min_size=1, max_size=20)


@settings(max_examples=8, deadline=None)
@given(P)
def test_holm_as_statsmodels(p):
    # Theirs takes a quarter of a second, so the definition below is asked more often.
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-15)


@given(P)
def test_as_defined(p):
    m = len(p)
    down = [max(min(1, sum(q >= r for q in p) * r) for r in p if r <= each) for each in p]
    assert holm(p) == pytest.approx(down, abs=1e-15)
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-15)
    assert min(holm(p)) == pytest.approx(min(1, m * min(p)))


@given(P, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_nothing_gets_smaller(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    for adjust in (holm, benjamini_hochberg):
        found = adjust(p)
        assert (found >= np.array(p)).all()
        assert adjust(np.array(p)[order]) == pytest.approx(found[order], abs=0)
    assert (holm(p) >= benjamini_hochberg(p) - 1e-15).all()


def test_nan_stays_nan_and_does_not_count():
    p = np.array([0.02, np.nan, 0.01])
    for adjust in (holm, benjamini_hochberg):
        found = adjust(p)
        assert np.isnan(found[1])
        assert found[[0, 2]].tolist() == adjust(p[[0, 2]]).tolist()
    assert p[0] == 0.02
    assert np.isnan(holm([np.nan])).all()
    assert holm([]).shape == (0,)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ExperimentError, match=r"1\.2.*\[0, 1\]"):
        holm([0.1, 1.2])
    with pytest.raises(ExperimentError, match="one row"):
        benjamini_hochberg([[0.1], [0.2]])
