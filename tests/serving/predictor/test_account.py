"""Contract: a row that breaks the canonical schema is refused with its table, row and column."""

import contextlib
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue.tables import TABLES
from serving.predictor.account import MOST_ROWS, FieldError, read_account

GOOD = {"occurred_at": "2025-01-01", "amount": 1}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "orders"),
        ({"orders": {}}, "orders"),
        ({"orders": [GOOD, 3]}, "orders[1]"),
        ({"orders": [], "invoice": []}, "invoice"),
        ({"orders": [GOOD, GOOD, GOOD, {**GOOD, "amount": "12.5.3"}]}, "orders[3].amount"),
        ({"orders": [{**GOOD, "amount": True}]}, "orders[0].amount"),
        ({"orders": [{**GOOD, "amount": 10**400}]}, "orders[0].amount"),
        ({"orders": [{**GOOD, "amount": float("inf")}]}, "orders[0].amount"),
        ({"orders": [{"occurred_at": "2025-01-01"}]}, "orders[0].amount"),
        ({"orders": [{**GOOD, "amount": None}]}, "orders[0].amount"),
        ({"orders": [{**GOOD, "occurred_at": "31.31.2025"}]}, "orders[0].occurred_at"),
        ({"orders": [{**GOOD, "occurred_at": 20250101}]}, "orders[0].occurred_at"),
        ({"orders": [{**GOOD, "occurred_at": "0001-01-01T00:00:00+14:00"}]}, "orders[0].occurred_at"),
        ({"orders": [{**GOOD, "colour": "red"}]}, "orders[0].colour"),
        ({"orders": [{**GOOD, "product_id": 1.5}]}, "orders[0].product_id"),
        ({"orders": [], "customers": [{"industry": 7}]}, "customers[0].industry"),
        ({"orders": [], "tickets": [{"opened_at": "2025-01-01", "complaint": 1}]}, "tickets[0].complaint"),
        ({"orders": [], "as_of": "tomorrow"}, "as_of"),
        ({"orders": [GOOD] * (MOST_ROWS + 1)}, "orders"),
        ({"orders": [{**GOOD, "customer_id": "a"}, {**GOOD, "customer_id": "b"}]}, "orders"),
    ],
)
def test_a_bad_row_is_named(body, field):
    with pytest.raises(FieldError) as caught:
        read_account(body, "Asia/Tokyo", "JPY")
    assert caught.value.field == field


def test_texts_are_read_as_bound_tables_are():
    rows = [
        {"occurred_at": "13/06/2024", "amount": "1,200円"},
        {"occurred_at": "05/06/2024", "amount": "△431.5"},
        {"occurred_at": "令和6年6月13日(木) 午後9時", "amount": "(5)"},
    ]
    orders = read_account({"orders": rows}, "Asia/Tokyo", "JPY").tables["orders"]
    assert orders["amount"].to_pylist() == [1200, -431.5, -5]
    days = [moment.isoformat() for moment in orders["occurred_at"].to_pylist()]
    assert days == ["2024-06-13T00:00:00", "2024-06-05T00:00:00", "2024-06-13T21:00:00"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"occurred_at": "05/06/2024", "amount": 1}, "could be 2024-06-05 or 2024-05-06"),
        ({**GOOD, "amount": "2,493"}, "could be 2,493 or 2.493; send a JSON number"),
        ({**GOOD, "amount": "€5.5"}, "is not in JPY"),
    ],
)
def test_what_could_be_two_things_is_refused_with_both(row, words):
    with pytest.raises(FieldError, match=words):
        read_account({"orders": [row]}, "Asia/Tokyo", "JPY")


def test_times_with_an_offset_are_told_in_the_projects_zone():
    account = read_account(
        {
            "orders": [
                {**GOOD, "occurred_at": "2025-06-30T20:00:00Z"},
                {**GOOD, "occurred_at": "2025-06-30T20:00:00"},
            ]
        },
        "Asia/Tokyo",
        "JPY",
    )
    assert account.tables["orders"]["occurred_at"].to_pylist() == [
        datetime.fromisoformat("2025-07-01T05:00"),
        datetime.fromisoformat("2025-06-30T20:00"),
    ]


def test_a_row_known_later_than_the_moment_plays_no_part(world):
    late = {**GOOD, "known_at": "2025-06-01"}
    bundle = world.bundles["ltv"]
    for as_of, count in (("2025-05-01", 1), ("2025-07-01", 2)):
        account = read_account({"as_of": as_of, "orders": [GOOD, late]}, "Asia/Tokyo", "JPY")
        assert account.features(bundle.features, bundle.bound).column("orders_count_ever")[0] == count


def test_order_of_rows_and_columns_that_training_had_not_do_not_matter(world):
    bundle = world.bundles["ltv"]
    rows = [{**GOOD, "occurred_at": f"2025-0{m}-01", "amount": 10.0 * m} for m in range(1, 9)]
    extra = {"usage": [{"occurred_at": "2025-01-01", "events": 3}]}
    one = read_account({"as_of": "2026-01-01", "orders": rows}, "Asia/Tokyo", "JPY")
    two = read_account({"as_of": "2026-01-01", "orders": rows[::-1], **extra}, "Asia/Tokyo", "JPY")
    np.testing.assert_array_equal(
        one.features(bundle.features, bundle.bound).values, two.features(bundle.features, bundle.bound).values
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*TABLES, "as_of", "amount", "occurred_at", "customer_id"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(_JSON)
@settings(max_examples=60, deadline=None)
def test_any_json_is_read_or_refused(body):
    with contextlib.suppress(FieldError):
        read_account(body, "Asia/Tokyo", "JPY")
