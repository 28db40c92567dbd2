"""Contract: a convention is taken from values that only it can read; where they differ none is taken."""

from hypothesis import given
from hypothesis import strategies as st

from features.values.conventions import both_readings, decimals_in, orders_in


def counted(*texts):
    return [(text, 1, row) for row, text in enumerate(texts, start=1)]


def test_one_clear_value_decides_for_all():
    assert decimals_in(counted("2,493", "1,5")).decided == ","
    assert decimals_in(counted("2,493", "1.5")).decided == "."
    assert decimals_in(counted("12", "13")).fitting == (".", ",")
    assert decimals_in(counted("1,5", "1.5")).fitting == ()
    assert orders_in(counted("05/06/2024", "13/06/2024")).decided == "dmy"
    assert orders_in(counted("2024-06-13")).seen == {}
    assert orders_in(counted("24/06/13", "24/06/30"), "2026-01-01").decided == "ymd"
    assert orders_in(counted("24/06/13", "24/06/12")).fitting == ("ymd", "dmy")


def test_both_readings_are_shown():
    assert both_readings("05/06/2024", ("dmy", "mdy")) == ("2024-06-05", "2024-05-06")
    assert both_readings("2,493", (".", ",")) == ("2,493", "2.493")


@given(days=st.lists(st.dates(), min_size=1, max_size=30), mixed=st.integers(0, 3))
def test_an_order_that_does_not_fit_all_is_never_decided(days, mixed):
    texts = [f"{day.day:02d}/{day.month:02d}/{day.year:04d}" for day in days]
    texts += [f"{day.month:02d}/{day.day:02d}/{day.year:04d}" for day in days[:mixed]]
    decided = orders_in(counted(*texts)).decided
    clear = any(day.day > 12 for day in days)
    swapped = any(day.day > 12 for day in days[:mixed])
    assert (decided == "dmy") == (clear and not swapped)
    if swapped and clear:
        assert orders_in(counted(*texts)).fitting == ()
