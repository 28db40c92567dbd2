"""Contract: a time is read as it was meant in its order and zone, or not at all; never as another one."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.values.times import orders_of, read_time, zone_of

DAY = "2024-06-13"


@pytest.mark.parametrize(
    "text",
    ["2024-06-13", "2024/6/13", "2024.06.13", "2024. 6. 13.", "20240613", "13-Jun-24", "13 June 2024", "June 13, 2024",
     "Jun 13 2024", "13th Jun 2024", "Thursday, June 13, 2024", "Thu 13 Jun 2024", "令和6年6月13日", "R6.6.13", "R06/06/13",
     "2024/06/13(木)", "2024年6月13日（木曜日）", "２０２４年６月１３日", "２０２４／０６／１３", "2024-Jun-13", "令和 6年 6月13日"],
)  # fmt: skip
def test_writings_of_one_day(text):
    assert read_time(text) == DAY
    assert orders_of(text) == ("ymd", "dmy", "mdy")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-06-13T09:05:00Z", "09:05:00+00:00"), ("2024-06-13 09:05 UTC", "09:05:00+00:00"),
        ("2024-06-13 09:05:00 JST", "09:05:00+09:00"), ("2024-06-13 9:05 Asia/Tokyo", "09:05:00+09:00"),
        ("2024-06-13T09:05:00+09:00[Asia/Tokyo]", "09:05:00+09:00"), ("2024-06-13 09:05:00.250 -0700", "09:05:00.250000-07:00"),
        ("Thu, 13 Jun 2024 09:05:00 +0900", "09:05:00+09:00"), ("Thu Jun 13 09:05:00 2024", "09:05:00"),
        ("Thu Jun 13 2024 09:05:00 GMT+0900 (Japan Standard Time)", "09:05:00+09:00"),
        ("2024/06/13 午前9:05", "09:05:00"), ("2024年6月13日 午後1時05分", "13:05:00"), ("2024/06/13 午後0:30", "12:30:00"),
        ("Jun 13, 2024, 9:05 PM", "21:05:00"), ("13 June 2024 9am", "09:00:00"), ("2024-06-13 12:00 AM", "00:00:00"),
        ("20240613090500", "09:05:00"), ("20240613T090500Z", "09:05:00+00:00"), ("1718269500", "09:05:00+00:00"),
        ("1718269500000", "09:05:00+00:00"), ("2024年6月13日（木）15時", "15:00:00"), ("令和6年6月13日 9時5分", "09:05:00"),
    ],
)  # fmt: skip
def test_writings_of_one_moment(text, moment):
    assert read_time(text) == f"{DAY} {moment}"


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2024-13-06", "2024-02-30", "2024/06/13(金)", "Mon 13 Jun 2024", "2024-06-13 20:00 CST", "2024-06-13 25:00",
     "2024-06-13 9:61", "June 2024", "2024-06", "9:05", "99999", "13/06/2024", "24/06/13", "1234567890123456789012", "2024-06-13 x",
     "平成0年1月1日", "2024-06-13 午前午後9:05", "13時", "5", "2024-W24", "13 Foo 2024"],
)  # fmt: skip
def test_what_could_be_another_time_is_not_read(text):
    assert read_time(text) is None


def test_orders_of_numbers():
    assert read_time("05/06/2024", "dmy") == "2024-06-05"
    assert read_time("05/06/2024", "mdy") == "2024-05-06"
    assert read_time("24/06/13", "ymd") == DAY
    assert read_time("13.6.24", "dmy") == DAY
    assert read_time("06/13/2024", "dmy") is None
    assert orders_of("13/06/2024 9:05") == ("dmy",)


def test_midnight_at_the_end_of_a_day_is_the_next_one():
    assert read_time("2024-06-13 24:00:00") == "2024-06-14 00:00:00"
    assert read_time("2024-06-13 24:01") is None


days = st.dates(dt.date(1970, 1, 1), dt.date(2069, 12, 31))


@given(day=days, hour=st.integers(0, 23), minute=st.integers(0, 59), form=st.sampled_from([
    ("%Y-%m-%d %H:%M", None), ("%d/%m/%Y %H:%M", "dmy"), ("%m/%d/%Y %H:%M", "mdy"), ("%d.%m.%y %H:%M", "dmy"), ("%y/%m/%d %H:%M", "ymd"),
    ("%d-%b-%Y %I:%M %p", None), ("%B %d, %Y %I:%M%p", None), ("%Y年%m月%d日 %H時%M分", None), ("%a, %d %b %Y %H:%M", None),
    ("%Y%m%d%H%M00", None), ("%m-%d-%y %I:%M %p", "mdy"),
]))  # fmt: skip
def test_what_strftime_writes_is_read(day, hour, minute, form):
    written, order = form
    moment = dt.datetime.combine(day, dt.time(hour, minute))
    assert read_time(moment.strftime(written), order) == moment.isoformat(sep=" ")


@given(day=st.dates(dt.date(1926, 12, 25), dt.date(2069, 12, 31)), weekday=st.booleans())
def test_eras_are_read(day, weekday):
    era, begin = next(
        (era, begin)
        for era, begin in (
            ("令和", dt.date(2019, 5, 1)),
            ("平成", dt.date(1989, 1, 8)),
            ("昭和", dt.date(1926, 12, 25)),
        )
        if day >= begin
    )
    year = day.year - begin.year + 1
    text = f"{era}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    text += f"({'月火水木金土日'[day.weekday()]})" if weekday else ""
    assert read_time(text) == day.isoformat()


@given(day=days, hours=st.integers(-12, 14))
def test_a_zone_moves_the_clock_and_not_the_moment(day, hours):
    zone = dt.timezone(dt.timedelta(hours=hours))
    moment = dt.datetime.combine(day, dt.time(20), zone)
    read = read_time(moment.strftime("%Y/%m/%d %H:%M %z"))
    assert dt.datetime.fromisoformat(read) == moment


def test_zones():
    assert zone_of("JST").key == "Asia/Tokyo"
    assert zone_of("CST") is None
    assert zone_of("Mars/Base") is None
    assert zone_of("../etc/passwd") is None
