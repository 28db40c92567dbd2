"""Contract: rows that say themselves that they are no sales are named with their money, unless a condition speaks of them."""

from datetime import datetime

import pytest

from features.binding.tables import bind
from features.settings import TableSettings
from tests.features.binding.binds import NOW, lines, make, write

END = datetime(2024, 12, 1)  # noqa: DTZ001


def notes(folder, header, rows, **table):
    write(folder, lines(*rows, header=header))
    settings = make(folder, orders=TableSettings(source="orders.csv", **table))
    with bind(settings, now=NOW) as tables:
        report = tables.report("orders")
        assert not [name for name in report.columns if name.startswith("_")]
        return [note for note in report.warnings if "are counted; if they are no sales" in note.reason]


ROWS = [f"c{k % 9},2024-03-{k % 28 + 1:02d},10,{'void' if k % 8 == 3 else 'paid'}" for k in range(80)]


def test_they_are_counted_with_their_money_and_the_line_that_leaves_them_out(tmp_path):
    (note,) = notes(tmp_path, 'customer_id,occurred_at,amount,Order "Status"', ROWS)
    assert (note.column, note.count, note.example, note.row) == ('Order "Status"', 10, "void", 4)
    assert "100.00 of amount" in note.reason
    where = note.reason.split("where = '''")[1].removesuffix("'''")
    settings = make(tmp_path, orders=TableSettings(source="orders.csv", where=where))
    with bind(settings, now=NOW) as tables:
        assert tables.report("orders").totals == {"amount": 700.0}


def test_a_condition_that_speaks_of_the_column_says_enough(tmp_path):
    assert notes(tmp_path, "customer_id,occurred_at,amount,Status", ROWS, where="Status <> 'x'") == []


def test_what_other_rows_take_back_is_no_matter(tmp_path):
    rows = [
        f"c{k % 9},2024-03-{k % 28 + 1:02d},{-10 if k % 8 == 3 else 10},{'refunded' if k % 8 == 3 else 'paid'}"
        for k in range(80)
    ]
    assert notes(tmp_path, "customer_id,occurred_at,amount,Status", rows) == []


@pytest.mark.parametrize(
    ("heading", "yes"), [("IsDeleted", "true"), ("is_test", "1"), ("キャンセルフラグ", "はい")]
)
def test_a_yes_that_takes_a_row_back(tmp_path, heading, yes):
    rows = [f"c{k % 9},2024-03-{k % 28 + 1:02d},10,{yes if k == 7 else ''}" for k in range(80)]
    (note,) = notes(tmp_path, f"customer_id,occurred_at,amount,{heading}", rows)
    assert (note.count, note.row) == (1, 8)


def test_a_cancelled_contract_is_one_and_a_deleted_one_is_none(tmp_path):
    rows = [f"c{k},k{k},2024-03-01,10,{['active', 'cancelled', 'deleted'][k % 3]}" for k in range(9)]
    write(
        tmp_path,
        lines(*rows, header="customer_id,contract_id,starts_at,monthly_amount,Status"),
        "contracts.csv",
    )
    tables = {"contracts": TableSettings(source="contracts.csv")}
    with bind(make(tmp_path, orders=TableSettings(derive="contracts"), tables=tables), now=END) as bound:
        (note,) = [note for note in bound.report("contracts").warnings if "are counted" in note.reason]
    assert (note.example, note.count) == ("deleted", 3)


@pytest.mark.parametrize(
    ("id_", "told"),
    [
        ("0", True),
        ("guest", True),
        ("ゲスト", True),
        ("諸口", True),
        ("999999", True),
        ("10", False),
        ("Guestline Ltd", False),
    ],
)
def test_an_id_that_stands_for_nobody_is_named(tmp_path, id_, told):
    rows = [f"{id_ if k % 4 == 1 else f'c{k}'},2024-03-{k % 28 + 1:02d},10" for k in range(80)]
    write(tmp_path, lines(*rows))
    with bind(make(tmp_path), now=NOW) as tables:
        named = [note for note in tables.report("customers").warnings if "stands for nobody" in note.reason]
    assert [(note.count, note.example) for note in named] == ([(20, id_)] if told else [])


def test_terms_that_say_no_rhythm_are_told_to_be_billed_monthly(tmp_path):
    rows = ["a,k1,2024-01-01,10,12", "b,k2,2024-01-01,10,"]
    write(
        tmp_path,
        lines(*rows, header="customer_id,contract_id,starts_at,monthly_amount,billing_months"),
        "contracts.csv",
    )
    tables = {"contracts": TableSettings(source="contracts.csv")}
    with bind(make(tmp_path, orders=TableSettings(derive="contracts"), tables=tables), now=END) as bound:
        notes = [note for note in bound.report("orders").warnings if "billed each month" in note.reason]
    assert [(note.column, note.count) for note in notes] == [("contracts.billing_months", 1)]


def test_a_credit_note_above_nothing_is_named_until_the_binding_turns_it_round(tmp_path):
    rows = [
        f"c{k % 9},2024-03-{k % 28 + 1:02d},10,{'Gutschrift' if k % 8 == 3 else 'Rechnung'}"
        for k in range(80)
    ]
    write(tmp_path, lines(*rows, header="customer_id,occurred_at,amount,Belegart"))
    turned = "CASE WHEN Belegart IN ('Gutschrift') THEN -amount ELSE amount END"
    for amount, total, said in (("amount", 800.0, 1), (turned, 600.0, 0)):
        columns = {"customer_id": "customer_id", "occurred_at": "occurred_at", "amount": amount}
        with bind(
            make(tmp_path, orders=TableSettings(source="orders.csv", columns=columns)), now=NOW
        ) as tables:
            report = tables.report("orders")
            assert report.totals == {"amount": total}
            assert sum("take money back" in note.reason for note in report.warnings) == said
