"""Contract: ids, times and flags are read as one thing however they are written, and not guessed at."""

import datetime as dt
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.binding.tables import bind
from features.errors import SettingsError
from features.settings import TableSettings
from tests.features.binding.binds import (
    NOW,
    failed,
    findings,
    lines,
    make,
    many,
    rows_of,
    write,
)


def test_leading_zeros_survive_alike_in_every_text_table(tmp_path):
    write(tmp_path, lines("00001,2024-01-05,5", "00002,2024-01-05,5"))
    write(tmp_path, " customer_id  occurred_at score\n 00001   2024-02-01  9\n", "surveys.txt")
    write(tmp_path, "customer_id\n00001\n00002\n", "customers.csv")
    settings = make(
        tmp_path,
        customers=TableSettings(source="customers.csv"),
        tables={"surveys": TableSettings(source="surveys.txt")},
    )
    with bind(settings, now=NOW) as tables:
        assert rows_of(tables, "customers") == [("00001",), ("00002",)]
        assert rows_of(tables, columns="customer_id") == [("00001",), ("00002",)]
        assert rows_of(tables, "surveys", "customer_id") == [("00001",)]


def test_ids_are_one_text_whatever_type_they_come_in(tmp_path):
    write(tmp_path, lines(" 12346 ,2024-01-05,5", "12346.0,2024-01-05,6", "　A-1\t,2024-01-05,7"))
    frame = pd.DataFrame(
        {"customer_id": [12346.0, np.nan], "occurred_at": pd.Timestamp("2024-02-01"), "score": 9}
    )
    frame.to_parquet(tmp_path / "surveys.parquet")
    pd.DataFrame({"customer_id": [12346], "occurred_at": pd.Timestamp("2024-02-01"), "amount": 9}).to_parquet(
        tmp_path / "costs.parquet"
    )
    settings = make(
        tmp_path,
        tables={
            "surveys": TableSettings(source="surveys.parquet"),
            "costs": TableSettings(source="costs.parquet"),
        },
    )
    with bind(settings, now=NOW) as tables:
        assert [row[0] for row in rows_of(tables)] == ["12346", "12346", "A-1"]
        assert rows_of(tables, "surveys", "customer_id") == [("12346",)]
        assert rows_of(tables, "costs", "customer_id") == [("12346",)]
        assert findings(tables, "surveys") == {("customer_id", "empty"): 1}


def test_digits_beyond_a_float_and_exponents_stay_as_written(tmp_path):
    write(tmp_path, lines("12345678901234567890,2024-01-05,5", "1E5,2024-01-05,5"))
    with bind(make(tmp_path), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables)] == ["12345678901234567890", "1E5"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-01-05", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("2024/1/5 9:05", datetime(2024, 1, 5, 9, 5)),  # noqa: DTZ001
        ("2024-01-05T10:00:30", datetime(2024, 1, 5, 10, 0, 30)),  # noqa: DTZ001
        ("2024-01-05T10:00:00Z", datetime(2024, 1, 5, 19)),  # noqa: DTZ001
        ("2024-01-05 10:00:00 +0530", datetime(2024, 1, 5, 13, 30)),  # noqa: DTZ001
        ("20240105", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("2024年1月5日", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("2024年1月5日 10:30", datetime(2024, 1, 5, 10, 30)),  # noqa: DTZ001
        ("45296", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("45296.5", datetime(2024, 1, 5, 12)),  # noqa: DTZ001
    ],
)
def test_dates_are_read_without_a_format_where_they_are_unmistakable(tmp_path, written, read):
    write(tmp_path, lines(f"a,{written},5"))
    with bind(make(tmp_path, timezone="Asia/Tokyo"), now=NOW) as tables:
        assert rows_of(tables)[0][1] == read


@pytest.mark.parametrize("written", ["17850", "5", "soon", "2024-13-01"])
def test_what_is_not_unmistakably_a_date_is_refused(tmp_path, written):
    write(tmp_path, lines(*[f"a,{written},5"] * 3))
    message = failed(make(tmp_path))
    assert f"orders.occurred_at: 3 of 3 values are not a date, for example '{written}' in row 1" in message
    assert "dates =" in message


@pytest.mark.parametrize(
    ("written", "form", "read"),
    [
        ("05/01/2024", "%d/%m/%Y", datetime(2024, 1, 5)),  # noqa: DTZ001
        ("01/05/2024 10:30", "%m/%d/%Y %H:%M", datetime(2024, 1, 5, 10, 30)),  # noqa: DTZ001
        ("240105", "%y%m%d", datetime(2024, 1, 5)),  # noqa: DTZ001
    ],
)
def test_a_given_format_decides(tmp_path, written, form, read):
    write(tmp_path, lines(f"a,{written},5"))
    with bind(make(tmp_path, orders=TableSettings(source="orders.csv", dates=form)), now=NOW) as tables:
        assert rows_of(tables)[0][1] == read


def test_naive_times_are_moved_from_the_tables_zone_to_the_projects(tmp_path):
    write(tmp_path, lines("a,2024-01-05 20:00,5", "b,2024-01-05,5"))
    orders = TableSettings(source="orders.csv", timezone="UTC")
    with bind(make(tmp_path, orders=orders, timezone="Asia/Tokyo"), now=NOW) as tables:
        expected = [datetime(2024, 1, 6, 5), datetime(2024, 1, 5)]  # noqa: DTZ001  a day stays that day
        assert [row[1] for row in rows_of(tables)] == expected
        assert [row[1] for row in rows_of(tables, "customers")] == expected


def test_times_with_a_zone_become_the_projects_wall_clock(tmp_path):
    moment = pd.Timestamp("2024-07-05 20:00", tz="America/New_York")
    pd.DataFrame({"customer_id": ["a"], "occurred_at": [moment], "amount": [1.0]}).to_parquet(
        tmp_path / "o.parquet"
    )
    with bind(
        make(tmp_path, orders=TableSettings(source="o.parquet"), timezone="Europe/London"), now=NOW
    ) as tables:
        assert rows_of(tables)[0][1] == datetime(2024, 7, 6, 1)  # noqa: DTZ001


def test_impossible_zone(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    orders = TableSettings(source="orders.csv", timezone="Tokyo/Asia")
    assert "tables.orders.timezone" in failed(make(tmp_path, orders=orders), SettingsError)


def test_now_with_a_zone_is_taken_on_the_projects_wall_clock(tmp_path):
    write(tmp_path, many("late,2024-06-01 08:00,1", "soon,2024-06-01 10:00,1"))
    moment = datetime(2024, 6, 1, 0, 0, tzinfo=dt.UTC)
    orders = TableSettings(source="orders.csv", strays="keep")
    with bind(make(tmp_path, orders=orders, timezone="Asia/Tokyo"), now=moment) as tables:
        assert findings(tables)["occurred_at", "in the future"] == 1
        assert ("late",) in rows_of(tables, columns="customer_id")


def test_flags_in_words_and_digits(tmp_path):
    header = "customer_id,opened_at,complaint"
    said = {"true": True, "No": False, "1": True, "0": False, "はい": True, "×": False, "": None}
    write(tmp_path, lines(*[f"a,2024-01-01,{word}" for word in said], header=header), "tickets.csv")
    write(tmp_path, lines("a,2024-01-05,5"))
    with bind(make(tmp_path, tables={"tickets": TableSettings(source="tickets.csv")}), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables, "tickets", "complaint")] == list(said.values())
