"""The engine's oracle: every aggregation in plain Python, one window at a time, nothing shared.

Written from the definitions, for rows given as (time in microseconds, values by column), with exact
fractions where the definition is arithmetic.
"""

import math
from collections import Counter
from fractions import Fraction

DAY = 86_400_000_000
NAN = math.nan


def inside(rows, cutoff, window_days):
    """Rows of [cutoff - window, cutoff), in time order, ties as given."""
    begin = -math.inf if window_days is None else cutoff - window_days * DAY
    picked = [row for row in rows if begin <= row[0] < cutoff]
    return sorted(picked, key=lambda row: row[0])


def present(rows, column):
    values = [values[column] for _, values in rows]
    return [v for v in values if v is not None and not (isinstance(v, float) and math.isnan(v))]


def exact(values):
    return [Fraction(v) for v in values]


def count(rows, cutoff):
    return len(rows)


def total(rows, cutoff, column):
    return float(sum(exact(present(rows, column)), Fraction(0)))


def mean(rows, cutoff, column):
    values = exact(present(rows, column))
    return float(sum(values) / len(values)) if values else NAN


def std(rows, cutoff, column):
    values = exact(present(rows, column))
    if len(values) < 2:
        return NAN
    middle = sum(values) / len(values)
    variance = sum((v - middle) ** 2 for v in values) / (len(values) - 1)
    return math.sqrt(variance)


def least(rows, cutoff, column):
    return min(present(rows, column), default=NAN)


def greatest(rows, cutoff, column):
    return max(present(rows, column), default=NAN)


def first(rows, cutoff, column):
    values = present(rows, column)
    return values[0] if values else NAN


def last(rows, cutoff, column):
    values = present(rows, column)
    return values[-1] if values else NAN


def distinct(rows, cutoff, column):
    return len(set(present(rows, column)))


def top_share(rows, cutoff, column):
    values = present(rows, column)
    return max(Counter(values).values()) / len(values) if values else NAN


def active_days(rows, cutoff):
    return len({time // DAY for time, _ in rows})


def days_since_last(rows, cutoff):
    return (cutoff - rows[-1][0]) / DAY if rows else NAN


def days_since_first(rows, cutoff):
    return (cutoff - rows[0][0]) / DAY if rows else NAN


def gaps(rows):
    active = sorted({time // DAY for time, _ in rows})
    return [b - a for a, b in zip(active, active[1:], strict=False)]


def gap_mean(rows, cutoff):
    between = gaps(rows)
    return sum(between) / len(between) if between else NAN


def gap_std(rows, cutoff):
    between = exact(gaps(rows))
    if len(between) < 2:
        return NAN
    middle = sum(between) / len(between)
    return math.sqrt(sum((g - middle) ** 2 for g in between) / (len(between) - 1))


def trend(rows, cutoff, column, window_days):
    middle = cutoff - int(window_days * DAY * 0.5)
    earlier = float(sum(exact(present([r for r in rows if r[0] < middle], column)), Fraction(0)))
    recent = float(sum(exact(present([r for r in rows if r[0] >= middle], column)), Fraction(0)))
    scale = abs(earlier) + abs(recent)
    return (recent - earlier) / scale if scale > 0 else NAN


def slope(rows, cutoff, column):
    pairs = [
        (Fraction(t, DAY), Fraction(v[column]))
        for t, v in rows
        if v[column] is not None and not math.isnan(v[column])
    ]
    if len({t for t, _ in pairs}) < 2:
        return NAN
    n = len(pairs)
    t_mean = sum(t for t, _ in pairs) / n
    x_mean = sum(x for _, x in pairs) / n
    return float(
        sum((t - t_mean) * (x - x_mean) for t, x in pairs) / sum((t - t_mean) ** 2 for t, _ in pairs)
    )
