"""Before and after a campaign that had no control group: what changed, never what caused it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from evaluation.bootstrap import BOOTSTRAP_DRAWS
from evaluation.effects.welch import checked_level
from evaluation.estimate import Estimate
from features.engine.observations import wall_clock
from features.errors import ExperimentError
from features.types import DAY, Floats, Times

PeriodKind = Literal["day", "week", "month", "year"]
Side = Literal["before", "during", "after"]

SPANS: dict[PeriodKind, int] = {"day": 28, "week": 12, "month": 6, "year": 1}
"""Periods compared on each side, if the data hold as many."""

CAVEAT = (
    "This is not causal: it compares two stretches of time, not two groups, so season, prices, the market and "
    "whatever else changed are in it."
)

# A year back on the same weekdays, or in the same months; a year by itself has no season.
_YEAR_BACK: dict[PeriodKind, int] = {"day": 364, "week": 52, "month": 12, "year": 0}

# From money and buyers by period [..., periods] to a number [...].
_Reading = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class Period:
    """A day, a week from Monday on, a month or a year of the calendar.

    Args:
        start: Its first moment, microseconds.
        end: Its end, exclusive.
        side: Before or after the campaign's start; "during" where the start falls inside it.
        complete: Whether the data cover all of it; what is not complete is not compared.
        total: Money of all customers.
        per_buyer: Money per customer who bought in it; NaN where nobody did.
        buyers: Customers who bought in it.
    """

    start: int
    end: int
    side: Side
    complete: bool
    total: Estimate
    per_buyer: Estimate
    buyers: int


@dataclass(frozen=True)
class BeforeAfter:
    """A comparison in time.

    Args:
        kind: Of the periods.
        campaign_start: Microseconds.
        periods: Those compared and all between and around them that the data touch.
        count: Complete periods compared on each side, those next to the campaign's start.
        before: Money a period of all customers, the mean of those before.
        after: The same of those after.
        change: after − before.
        relative: after / before − 1.
        last_year: ``relative`` of the same periods a year earlier; None where the history does not
            reach so far back or the periods are years.
        beyond_season: How much the ratio of after to before exceeds last year's, as a share of
            that; None as above.
        level: Nominal coverage of the intervals.
    """

    causal: ClassVar[Literal[False]] = False

    kind: PeriodKind
    campaign_start: int
    periods: tuple[Period, ...]
    count: int
    before: Estimate
    after: Estimate
    change: Estimate
    relative: Estimate
    last_year: Estimate | None
    beyond_season: Estimate | None
    level: float

    @property
    def sentence(self) -> str:
        """What was seen, in plain English, and that it is not causal."""
        unit = self.kind if self.count == 1 else f"{self.count} {self.kind}s"
        text = (
            f"In the {unit} after {wall_clock(self.campaign_start):%Y-%m-%d} money was "
            f"{_compared(self.relative)} in the {unit} before ({self.level:.0%} interval "
            f"{self.relative.low:+.1%} to {self.relative.high:+.1%})"
        )
        if self.last_year is not None:
            text += f"; a year earlier, in the same {self.kind}s, it was {_compared(self.last_year)} before"
        return f"{text}. {CAVEAT}"


def compare_periods(
    times: ArrayLike,
    amounts: ArrayLike,
    customers: ArrayLike,
    campaign_start: int,
    *,
    period: PeriodKind = "week",
    span: int | None = None,
    covers: tuple[int, int] | None = None,
    level: float = 0.95,
    draws: int = BOOTSTRAP_DRAWS,
    seed: int = 7,
) -> BeforeAfter:
    """Compare money by calendar period before and after the start of a campaign without controls.

    As many complete periods are taken on one side as on the other, next to the start; a period in
    which the campaign began is on neither side. Intervals resample customers with all their rows:
    they say how much hangs on which customers there are, and hold nothing of what moves all
    customers together, such as the market.

    Args:
        times: When each amount was booked [n], int64 microseconds of the project's wall clock.
        amounts: Money [n].
        customers: Whose [n], a label that numpy can sort.
        campaign_start: Microseconds.
        period: Calendar periods; 7 days or more are compared in multiples of 7.
        span: Periods on each side at the most; ``SPANS`` if not given.
        covers: From when to when (exclusive) the data are complete, microseconds; from the first
            row's midnight to the midnight after the last row if not given.
        level: Nominal coverage.
        draws: Resamples.
        seed: Of the resampling.

    Raises:
        ExperimentError: Arrays do not fit or are not numbers, there are fewer than two customers,
            or the data do not hold a complete period on both sides.
    """
    checked_level(level)
    when, money, code = _checked(times, amounts, customers, period)
    if span is not None and span < 1:
        raise ExperimentError(f"span = {span}; compare one {period} or more on each side")
    covered = covers or (int(when.min()) // DAY * DAY, (int(when.max()) // DAY + 1) * DAY)
    sides = _sides(covered, campaign_start, period, span)
    sums = _sums_by_period(when, money, code, sides, draws, seed)

    def estimate(reading: _Reading) -> Estimate:
        return _estimate(float(reading(*sums.seen)), reading(*sums.drawn), level)

    def mean(back: int, start: int) -> _Reading:
        low = start - back - sides.zero
        return lambda totals, _: totals[..., low : low + sides.count].mean(axis=-1)

    def growth(back: int) -> _Reading:
        before, after = mean(back, sides.before_from), mean(back, sides.after_from)
        return lambda *both: _ratio(after(*both), before(*both))

    def described(number: int) -> Period:
        i = number - sides.zero
        return Period(
            _begin(number, period),
            _begin(number + 1, period),
            sides.side_of(number),
            sides.whole.start <= number < sides.whole.stop,
            estimate(lambda totals, _: totals[..., i]),
            estimate(lambda totals, buyers: _ratio(totals[..., i], buyers[..., i])),
            int(sums.seen[1][i]),
        )

    earlier, later, now = mean(0, sides.before_from), mean(0, sides.after_from), growth(0)
    last = growth(sides.back) if sides.back else None
    return BeforeAfter(
        kind=period,
        campaign_start=campaign_start,
        periods=tuple(described(number) for number in sides.shown),
        count=sides.count,
        before=estimate(earlier),
        after=estimate(later),
        change=estimate(lambda *both: later(*both) - earlier(*both)),
        relative=estimate(lambda *both: now(*both) - 1),
        last_year=last and estimate(lambda *both: last(*both) - 1),
        beyond_season=last and estimate(lambda *both: _ratio(now(*both), last(*both)) - 1),
        level=level,
    )


@dataclass(frozen=True)
class _Sides:
    """Which periods are compared, by number of the calendar.

    Args:
        period: Their kind.
        covered: From when to when the data are complete, microseconds.
        whole: Periods of which the data cover all.
        before_to: One past the last period before the start.
        after_from: The first after it.
        count: Periods on each side.
        back: Periods to the same season a year before, 0 where the data do not reach so far.
    """

    period: PeriodKind
    covered: tuple[int, int]
    whole: range
    before_to: int
    after_from: int
    count: int
    back: int

    @property
    def before_from(self) -> int:
        """The first period before the start that is compared."""
        return self.before_to - self.count

    @property
    def zero(self) -> int:
        """The first period the data reach into."""
        return _number(self.covered[0], self.period)

    @property
    def end(self) -> int:
        """One past the last."""
        return _number(self.covered[1] - 1, self.period) + 1

    @property
    def shown(self) -> range:
        """Those compared, and one more on each side."""
        return range(max(self.zero, self.before_from - 1), min(self.end, self.after_from + self.count + 1))

    def side_of(self, number: int) -> Side:
        """Where a period stands."""
        return "before" if number < self.before_to else "after" if number >= self.after_from else "during"


def _sides(covered: tuple[int, int], campaign_start: int, period: PeriodKind, span: int | None) -> _Sides:
    first, until = covered
    whole = range(_number(first - 1, period) + 1, _number(until, period))
    before_to, after_from = _number(campaign_start, period), _number(campaign_start - 1, period) + 1
    count = min(span or SPANS[period], before_to - whole.start, whole.stop - after_from)
    if period == "day" and count >= 7:
        count -= count % 7
    if count < 1:
        raise ExperimentError(
            f"the data from {wall_clock(first):%Y-%m-%d} to {wall_clock(until):%Y-%m-%d} do not hold a complete "
            f"{period} on both sides of {wall_clock(campaign_start):%Y-%m-%d}; take a shorter period, or wait"
        )
    back = _YEAR_BACK[period]
    seasonal = before_to - count - back >= whole.start and after_from + count - back <= before_to
    return _Sides(period, covered, whole, before_to, after_from, count, back if seasonal else 0)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Money and buyers by period.

    Args:
        seen: As they are, [periods] both.
        drawn: With customers drawn anew, [draws, periods] both.
    """

    seen: tuple[Floats, Floats]
    drawn: tuple[Floats, Floats]


def _sums_by_period(
    when: Times, money: Floats, code: NDArray[np.intp], sides: _Sides, draws: int, seed: int
) -> _Sums:
    number = _numbers(when, sides.period)
    used = (number >= sides.shown.start) & (number < sides.shown.stop)
    if sides.back:
        used |= (number >= sides.before_from - sides.back) & (
            number < sides.after_from + sides.count - sides.back
        )
    used &= (when >= sides.covered[0]) & (when < sides.covered[1])
    cells = code[used], number[used] - sides.zero
    table = csr_array((money[used], cells), shape=(int(code.max()) + 1, sides.end - sides.zero))
    # Duplicates are summed by this, so that a customer counts once as a buyer of a period.
    table.sum_duplicates()
    bought = csr_array((np.ones(table.nnz), table.indices, table.indptr), shape=table.shape)
    seen: tuple[Floats, Floats] = np.asarray(table.sum(axis=0)), np.asarray(bought.sum(axis=0))
    return _Sums(seen, _resampled(table, bought, draws, seed))


def _checked(
    times: ArrayLike, amounts: ArrayLike, customers: ArrayLike, period: PeriodKind
) -> tuple[Times, Floats, NDArray[np.intp]]:
    when, money, labels = np.asarray(times, np.int64), np.asarray(amounts, np.float64), np.asarray(customers)
    if period not in get_args(PeriodKind):
        raise ExperimentError(f"period {period!r}; it must be one of {', '.join(get_args(PeriodKind))}")
    if when.ndim != 1 or not when.shape == money.shape == labels.shape or not np.isfinite(money).all():
        raise ExperimentError(
            f"times {when.shape}, amounts {money.shape} with {int((~np.isfinite(money)).sum())} that are not numbers "
            f"and customers {labels.shape}; give one of each a row"
        )
    names, code = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        raise ExperimentError(f"{len(names)} customers; intervals resample customers and need two or more")
    return when, money, code


def _numbers(times: Times, period: PeriodKind) -> Times:
    """Numbers of the calendar periods that times fall in; consecutive periods differ by 1."""
    if period in {"month", "year"}:
        unit = "M" if period == "month" else "Y"
        return times.astype("datetime64[us]").astype(f"datetime64[{unit}]").astype(np.int64)
    # 1970-01-01 was a Thursday, three days after Monday.
    return times // DAY if period == "day" else (times // DAY + 3) // 7


def _number(time: int, period: PeriodKind) -> int:
    return int(_numbers(np.array([time], np.int64), period)[0])


def _begin(number: int, period: PeriodKind) -> int:
    """First moment of a period, the inverse of :func:`_number`."""
    if period in {"month", "year"}:
        unit: Literal["M", "Y"] = "M" if period == "month" else "Y"
        return int(np.datetime64(number, unit).astype("datetime64[us]").astype(np.int64))
    return (number if period == "day" else 7 * number - 3) * DAY


def _resampled(table: csr_array, bought: csr_array, draws: int, seed: int) -> tuple[Floats, Floats]:
    """Money and buyers by period [draws, periods], customers drawn with replacement."""
    customers, periods = table.shape
    generator = np.random.default_rng(seed)
    totals, buyers = np.empty((draws, periods)), np.empty((draws, periods))
    for i in range(draws):
        times = np.bincount(generator.integers(0, customers, customers), minlength=customers)
        totals[i], buyers[i] = times @ table, times @ bought
    return totals, buyers


def _ratio(above: Floats, below: Floats) -> Floats:
    """NaN where there is nothing to divide by, or a loss."""
    ratio: Floats = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=ratio, where=np.asarray(below) > 0)
    return ratio


def _estimate(value: float, draws: Floats, level: float) -> Estimate:
    draws = draws[np.isfinite(draws)]
    if not len(draws) or not np.isfinite(value):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high))


def _compared(relative: Estimate) -> str:
    if not np.isfinite(relative.value):
        return "not comparable with what it was"
    return f"{abs(relative.value):.1%} {'higher' if relative.value >= 0 else 'lower'} than"
