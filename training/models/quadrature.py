"""Means over a Beta distribution of any shape, by Gauss-Jacobi quadrature."""

from functools import lru_cache

import numpy as np
from scipy.linalg import eigh_tridiagonal

from features.types import Floats

NODES = 64
"""Exact for polynomials of twice as many degrees."""


@lru_cache(maxsize=4096)
def beta_nodes(a: float, b: float) -> tuple[Floats, Floats]:
    """Nodes in (0, 1) and weights that sum to 1, each [64]: sum of w f(p) is the mean of f over Beta(a, b).

    Golub and Welsch (1969): nodes are the eigenvalues of the Jacobi polynomials' recurrence, weights the
    squared first components. Coefficients are ratios, so that nothing overflows where a or b is in the
    hundred thousands or next to nothing.

    Args:
        a: First parameter, positive.
        b: Second parameter, positive.

    Examples:
        >>> p, w = beta_nodes(2.0, 6.0)
        >>> round(float((w * p).sum()), 12), round(float((w * p**2).sum()), 12)
        (0.25, 0.083333333333)
    """
    # On z = 2 p - 1 the weight is (1 - z)^alpha (1 + z)^beta.
    alpha, beta = b - 1, a - 1
    k = np.arange(1.0, NODES)
    s = 2 * k + alpha + beta
    # The first of each is 0/0 as printed where a + b is 1 or 2.
    centre = np.empty(NODES)
    centre[0] = (beta - alpha) / (alpha + beta + 2)
    centre[1:] = (beta - alpha) * (beta + alpha) / (s * (s + 2))
    beside = np.empty(NODES - 1)
    beside[0] = 4 * (1 + alpha) * (1 + beta) / ((2 + alpha + beta) ** 2 * (3 + alpha + beta))
    k, s = k[1:], s[1:]
    beside[1:] = 4 * k * (k + alpha) * (k + beta) * (k + alpha + beta) / (s**2 * (s + 1) * (s - 1))
    z, vectors = eigh_tridiagonal(centre, np.sqrt(beside))
    # A node may lie a rounding below 0 where next to nothing of the mass lies elsewhere.
    return np.maximum((1 + z) / 2, np.finfo(np.float64).tiny), vectors[0] ** 2
