"""Contract: what stands on a mapping's right-hand side is calculated over the source's own columns, or named."""

import re

import pytest

from features.binding.tables import bind
from features.settings import TableSettings
from tests.features.binding.binds import NOW, failed, findings, lines, make, rows_of, write


def test_expressions_calculate_with_csv_columns(tmp_path):
    write(
        tmp_path,
        lines(
            'a,2024-01-05,3,"1,200.5"', "b,2024-01-06,-1,2", header="customer_id,occurred_at,Qty,Unit Price"
        ),
    )
    orders = TableSettings(
        source="orders.csv", columns={"amount": 'qty * "Unit Price"', "quantity": "Qty"}, where="Qty > 0"
    )
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert rows_of(tables, columns="quantity, amount") == [(3.0, 3601.5)]
        assert tables.report("orders").rows_read == 1


def test_a_few_bad_values_do_not_stop_a_calculation(tmp_path):
    rows = [f"c,2024-01-05,2,{i}" for i in range(1, 10)]
    write(tmp_path, lines(*rows, "c,2024-01-05,2,N/A", header="customer_id,occurred_at,Qty,Price"))
    orders = TableSettings(source="orders.csv", columns={"amount": "Qty * Price"})
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert [row[0] for row in rows_of(tables, columns="amount")] == [2.0 * i for i in range(1, 10)]
        mixed = next(finding for finding in tables.report("orders").warnings if finding.column == "Price")
        assert (mixed.count, mixed.example, mixed.row) == (1, "N/A", 10)
        assert findings(tables)["amount", "empty"] == 1


def test_codes_among_numbers_stay_text_in_conditions(tmp_path):
    rows = [f"c,2024-01-05,{i},{10000 + i}" for i in range(20)]
    write(tmp_path, lines(*rows, "c,2024-01-05,1,POST", header="customer_id,occurred_at,amount,StockCode"))
    orders = TableSettings(source="orders.csv", where="StockCode NOT IN ('POST')")
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 20


def test_leading_zeros_stay_text_in_expressions(tmp_path):
    write(tmp_path, lines("007,2024-01-05,1"))
    orders = TableSettings(source="orders.csv", columns={"customer_id": "'K' || customer_id"})
    with bind(make(tmp_path, orders=orders), now=NOW) as tables:
        assert rows_of(tables)[0][0] == "K007"


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("amuont * 2", "did you mean amount"),
        ('"x y z"', "has no column"),
        ("amount +", "not a SQL expression"),
        ("amount, 1", "cannot|not a"),
        ("sum(amount)", "does not fit"),
        ("(SELECT 1)", "one row only"),
        ("max(amount) OVER ()", "one row only"),
        ("lower(amount, 3)", "does not fit"),
        ("CAST(note AS DOUBLE)", "cannot be computed.*note.*N/A"),
    ],
)
def test_an_expression_that_cannot_be_is_named(tmp_path, expression, said):
    write(tmp_path, lines("a,2024-01-05,5,N/A", header="customer_id,occurred_at,amount,note"))
    message = failed(
        make(tmp_path, orders=TableSettings(source="orders.csv", columns={"amount": expression}))
    )
    assert "orders.amount" in message
    assert "_raw" not in message
    assert "_natural" not in message
    assert re.search(said, message), message


def test_a_condition_that_cannot_be_is_named(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    message = failed(make(tmp_path, orders=TableSettings(source="orders.csv", where='customer_id = "a"')))
    assert message.startswith("orders.where")
    assert "single quotes" in message
