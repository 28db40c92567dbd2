"""Contract: a mean over a Beta distribution is right whatever its shape, from next to a point to next to two."""

import itertools

import numpy as np
import pytest
from scipy.special import hyp1f1

from training.models.quadrature import beta_nodes

SHAPES = (1e-5, 0.02, 0.7, 1.0, 2.0, 30.0, 6132.0, 160_000.0)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SHAPES, SHAPES)))
def test_moments_are_those_of_the_distribution(a, b):
    p, weight = beta_nodes(a, b)
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    assert ((p > 0) & (p < 1 + 1e-12)).all()
    moment = 1.0
    for k in range(6):
        moment *= (a + k) / (a + b + k)
        assert (weight * p ** (k + 1)).sum() == pytest.approx(moment, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("a", "b"), list(itertools.product((0.02, 0.7, 2.0, 30.0), repeat=2)))
@pytest.mark.parametrize("rate", [0.1, 5.0, 40.0])
def test_a_smooth_function_is_averaged_as_its_closed_form_says(a, b, rate):
    p, weight = beta_nodes(a, b)
    # The moment generating function of Beta(a, b) is Kummer's function.
    assert (weight * np.exp(-rate * p)).sum() == pytest.approx(hyp1f1(a, a + b, -rate), rel=1e-10)
