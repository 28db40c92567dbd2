"""Against which distribution a studentised difference of two arms is held: Student's, or resampled.

Money is zero-inflated and heavy-tailed. Where the small arm has caught none of the rare large
accounts, its mean and its standard error are both too low, so the t statistic has a long tail on one
side and Student's t covers far less than it says. How long that tail is can hardly be read from the
small arm alone, which is why bootstraps within arms fail as well; both arms together know it. So the
residuals of both are pooled and dealt out anew, as in a studentised permutation test, which is exact
where the arms are alike and right in large samples where they are not (Janssen 1997; Chung and
Romano 2013). A treatment that adds a third to a mean mostly adds a third to the spread, so under such
a hypothesis the treated residuals join the pool at control's scale and leave it at their own.

Arms may also be of different kinds: of a new product, control buys next to nothing and the treated a
little, some of them much. Then one arm tells nothing of the other's tail. Where the pool dealt out
anew hardly ever has spreads as far apart as those seen, each arm is resampled by itself, studentised
(bootstrap-t; Hall 1992), which covers less than in the first case and more than anything else tried.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from features.kernel import kernel
from features.types import Floats

REFERENCE_DRAWS = 1999
_DRAWS_OF_LARGE = 999
_LARGE = 20_000

_LIGHT = 0.1
"""Skewness by root n, and excess kurtosis by n, of the smaller arm up to which Student's t holds.

At this skewness each tail of a nominal 95 % interval is off by .8 percentage points or less, with
opposite signs (Hall 1992, section 2.6)."""

_APART = 0.01
"""Two-sided p value of the arms' spreads, dealt out anew, below which they are of different kinds."""

_EDGE = 0.0025
"""Tail probability beyond which a resampled distribution is continued rather than counted."""


@dataclass(frozen=True)
class Student:
    """Student's t with Welch's degrees of freedom.

    Args:
        freedom: Degrees of freedom.
    """

    freedom: float
    name = "Welch t"

    def quantile(self, share: float, scale: float = 1, *, ratio: bool = False) -> float:  # noqa: ARG002 # it is free of scale
        """The t below which a share of the distribution lies."""
        return float(stdtrit(self.freedom, share))

    def p(self, t: float) -> float:
        """Two-sided p value of a studentised difference."""
        return float(2 * stdtr(self.freedom, -abs(t)))

    def widened(self, share: float) -> "Student":
        """Once an independent normal error is added, its standard deviation a share of the error before."""
        # Welch and Satterthwaite: what is added has no degrees of freedom to lose.
        return Student(self.freedom * (1 + share**2) ** 2)


@dataclass(frozen=True, eq=False)
class Resampled:
    """Studentised differences of residuals dealt out anew, from both arms to both or each arm to itself.

    Between the draws, quantiles and p values are read from one curve, so that they never disagree.
    Beyond its ends, at a tail probability of .0025, the curve goes on as a normal distribution
    would: a p value down there tells the order of magnitude.

    Args:
        sums: float64 [2, 8, d], of those dealt to control and to treatment: residuals, their squares
            and their products with sizes, each of rows from control and from treatment; sizes and
            their squares.
        counts: Units in control and in treatment.
        noise: float64 [d], a further error in standard errors of the difference.
        pooled: Whether residuals went from both arms to both.
    """

    sums: Floats
    counts: tuple[int, int]
    noise: Floats | None = None
    pooled: bool = True

    @property
    def name(self) -> str:
        """In words."""
        return "studentised permutation" if self.pooled else "studentised bootstrap"

    def draws(self, scale: float = 1, *, ratio: bool = False) -> Floats:
        """Studentised differences [d], ascending.

        Args:
            scale: Spread of treatment over spread of control under the hypothesis.
            ratio: Of treated − scale × control, whose parts spread alike, and not of treated − control.
        """
        back = 1.0 if ratio else scale
        differences = self._draws(self.sums, scale, back)
        if self.pooled and self.counts[0] == self.counts[1]:
            # Either half may be called treated: no arm is the first.
            differences = np.concatenate([differences, self._draws(self.sums[::-1], scale, back)])
        if self.noise is not None:
            noise = np.concatenate([self.noise, -self.noise])[: len(differences)]
            differences = (differences + noise) / np.hypot(1, self.noise.std())
        return np.sort(differences)

    def _draws(self, sums: Floats, scale: float, back: float) -> Floats:
        (control, v), (treated, w) = (
            _ratio(part, count, scale) for part, count in zip(sums, self.counts, strict=True)
        )
        return np.asarray((back * treated - control) / np.sqrt(back**2 * w + v), dtype=np.float64)

    def _curve(self, draws: Floats) -> tuple[Floats, Floats]:
        n = len(draws)
        edge = max(1, int(_EDGE * (n + 1)))
        rank = np.arange(edge, n + 2 - edge)
        t, z = draws[rank - 1], ndtri(rank / (n + 1))
        # The slope of a line from the origin, but no thinner a tail than the normal one.
        low, high = (min(1.0, z[at] / t[at]) if z[at] * t[at] > 0 else 1.0 for at in (0, -1))
        far = 1e3
        t = np.concatenate([[t[0] - far / low], t, [t[-1] + far / high]])
        return t, np.concatenate([[z[0] - far], z, [z[-1] + far]])

    def quantile(self, share: float, scale: float = 1, *, ratio: bool = False) -> float:
        """The t below which a share of the distribution lies; arguments as in :meth:`draws`."""
        t, z = self._curve(self.draws(scale, ratio=ratio))
        return float(np.interp(ndtri(share), z, t))

    def p(self, t: float) -> float:
        """Two-sided p value of no effect: twice the smaller tail, at most 1."""
        return float(2 * ndtr(-abs(np.interp(t, *self._curve(self.draws())))))

    def widened(self, share: float) -> "Resampled":
        """Once an independent normal error is added, its standard deviation a share of the error before."""
        n = self.sums.shape[2]
        normal = np.random.default_rng(0).permutation(ndtri((np.arange(n) + 0.5) / n))
        return replace(self, noise=normal * share)

    def apart(self, variances: Floats, scale: float) -> bool:
        """Whether the arms' own variances [2] lie farther apart than those of residuals dealt out anew."""
        (_, v), (_, w) = (
            _ratio(part, count, scale) for part, count in zip(self.sums, self.counts, strict=True)
        )
        # An arm may have caught nothing but zeros.
        with np.errstate(divide="ignore"):
            seen, dealt = np.log(variances[1] / scale**2) - np.log(variances[0]), np.log(w) - np.log(v)
        least = min(int((dealt <= seen).sum()), int((dealt >= seen).sum()))
        return 2 * (1 + least) / (1 + len(dealt)) < _APART


def _ratio(sums: Floats, count: int, scale: float) -> tuple[Floats, Floats]:
    """Ratio of residuals to sizes, and its variance, of each draw."""
    e, ee, eb = sums[0] + sums[1] / scale, sums[2] + sums[3] / scale**2, sums[4] + sums[5] / scale
    b, bb = sums[6], sums[7]
    r = e / b
    return r, (ee - 2 * r * eb + r * r * bb) / (b * b) * count / (count - 1)


Reference = Student | Resampled


def reference(
    influence: Floats, size: Floats, treated: npt.NDArray[np.bool_], scale: float, seed: int
) -> Reference:
    """The distribution of (estimate − truth) / standard error of a difference of two arms.

    Whether Student's t will do is decided on the residuals of both arms together, never on one: a
    small arm that looks harmless is just the one that is not.

    Args:
        influence: float64 [g], each unit's part in the error of its arm's mean, summing to 0 in
            each arm; the squares sum to the variance of that mean.
        size: float64 [g], each unit's part in its arm's denominator, with mean 1 in each arm.
        treated: bool [g].
        scale: Spread of treatment over spread of control that the effect itself would bring about.
        seed: Of the resampling.
    """
    arm = treated.astype(np.intp)
    counts = np.bincount(arm, minlength=2)
    few = int(counts.min())
    residual = influence * counts[arm]
    square = float(np.mean(residual**2))
    skewness = abs(float(np.mean(residual**3))) / square**1.5
    excess = float(np.mean(residual**4)) / square**2 - 3
    variances = np.bincount(arm, influence**2, 2).astype(np.float64)
    if skewness <= _LIGHT * np.sqrt(few) and excess <= _LIGHT * few:
        return Student(float(variances.sum() ** 2 / (variances**2 / (counts - 1)).sum()))
    # Sorted first, so that the order of the rows does not matter.
    order = np.lexsort((size, residual))
    draws = REFERENCE_DRAWS if few <= _LARGE else _DRAWS_OF_LARGE
    rows = np.column_stack([residual, size, treated])[order]
    dealt = _deal(rows, few, draws, np.random.default_rng(seed))
    e, b, hit = rows.T
    parts = [e * (1 - hit), e * hit, e * e * (1 - hit), e * e * hit, e * b * (1 - hit), e * b * hit, b, b * b]
    rest = np.array([part.sum() for part in parts])[:, None] - dealt
    both = (rest, dealt) if counts[1] == few else (dealt, rest)
    resampled = Resampled(np.stack(both), (int(counts[0]), int(counts[1])))
    if not (resampled.apart(variances, scale) and resampled.apart(variances, 1.0)):
        return resampled
    own = [_again(rows[rows[:, 2] == k], draws, np.random.default_rng([seed, k])) for k in (0, 1)]
    return replace(resampled, sums=np.stack(own), pooled=False)


@kernel
def _add(out: Floats, draw: int, e: float, b: float, hit: float) -> None:
    origin = 1 if hit > 0 else 0
    out[origin, draw] += e
    out[2 + origin, draw] += e * e
    out[4 + origin, draw] += e * b
    out[6, draw] += b
    out[7, draw] += b * b


@kernel
def _again(rows: Floats, draws: int, generator: np.random.Generator) -> Floats:
    """Sums over as many rows (residual, size, treated) [n, 3] of one arm, drawn with replacement, [8, draws]."""
    n = len(rows)
    out = np.zeros((8, draws))
    for draw in range(draws):
        for _ in range(n):
            i = int(generator.random() * n)
            _add(out, draw, rows[i, 0], rows[i, 1], rows[i, 2])
    return out


@kernel
def _deal(rows: Floats, few: int, draws: int, generator: np.random.Generator) -> Floats:
    """Sums over a random few of rows (residual, size, treated) [n, 3], each time anew, [8, draws]."""
    n = len(rows)
    deck = rows.copy()
    out = np.zeros((8, draws))
    for draw in range(draws):
        for j in range(few):
            i = j + int(generator.random() * (n - j))
            e, b, hit = deck[i, 0], deck[i, 1], deck[i, 2]
            for column in range(3):
                deck[i, column] = deck[j, column]
            deck[j, 0], deck[j, 1], deck[j, 2] = e, b, hit
            _add(out, draw, e, b, hit)
    return out
