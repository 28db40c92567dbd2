"""Contract: money that two tables tell is found by amounts and ids, refused where both count, and noted where one does."""

import numpy as np
import pytest

from features.binding.samemoney import money_told_again
from features.binding.tables import bind
from features.settings import TableSettings
from tests.features.binding.binds import NOW, failed, make, write

RNG = np.random.default_rng(4)
CELLS = [
    (f"c{who}", month, round(float(amount), 2))
    for (who, month), amount in zip(
        ((w, m) for w in range(6) for m in range(1, 11)), RNG.lognormal(6, 1, 60), strict=True
    )
]
ORDERS = [f"{who},2024-{month:02d}-03,O{who}{month},{amount}" for who, month, amount in CELLS]


def invoices(cells=CELLS, *, rate=1.0, lag=0, ids="I"):
    rows = [
        f"{who},2024-{month + lag:02d}-28,2025-03-01,{ids}{who}{month},{round(amount * rate, 2)}"
        for who, month, amount in cells
    ]
    return "\n".join(["customer_id,issued_at,due_at,invoice_id,amount", *rows]) + "\n"


def other_money(seed=9):
    amounts = np.random.default_rng(seed).lognormal(6, 1, len(CELLS)).round(2).tolist()
    return [(who, month, amount) for (who, month, _), amount in zip(CELLS, amounts, strict=True)]


def written(folder, text, **orders):
    write(folder, "\n".join(["customer_id,occurred_at,order_id,amount", *ORDERS]) + "\n")
    write(folder, text, "invoices.csv")
    return make(
        folder,
        orders=TableSettings(source="orders.csv", **orders),
        tables={"invoices": TableSettings(source="invoices.csv")},
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (invoices(), "in 60 of 60 months of customers both tell the same amount to 1 %, for example"),
        (invoices(rate=1.1), "once one is taken times 1.1, for example"),
        (invoices(lag=1), "a month apart, for example"),
        (invoices(CELLS[:40] + other_money()[40:]), "in 40 of 60 months"),
        (
            invoices(other_money(), ids="O"),
            "60 of 60 ids are in both, of the same customers, for example 'Oc01'",
        ),
    ],
)
def test_the_same_money_is_refused_with_evidence_and_the_line_to_write(tmp_path, text, says):
    said = failed(written(tmp_path, text, derive="invoices"))
    assert said.startswith("orders would count money twice: orders and invoices tell the same (")
    assert says in said
    assert 'for example no derive, or write same_money = "keep"' in said


@pytest.mark.parametrize("text", [invoices(other_money()), invoices(CELLS[:20] + other_money()[20:])])
def test_other_money_is_added(tmp_path, text):
    with bind(written(tmp_path, text, derive="invoices"), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 120


def test_a_user_who_says_so_keeps_both(tmp_path):
    with bind(written(tmp_path, invoices(), derive="invoices", same_money="keep"), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 120


@pytest.mark.parametrize("amount", [1200, 1400, 100])
def test_won_deals_beside_contracts_by_the_year_the_term_or_the_month(tmp_path, amount):
    rows = [(f"c{who}", 1 + who % 9, 1 + who / 7) for who in range(20)]
    contracts = [f"{who},k{who},2024-{m:02d}-01,2025-{m + 2:02d}-01,{100 * size}" for who, m, size in rows]
    deals = [f"{who},2024-01-01,2024-{m:02d}-20,true,{amount * size}" for who, m, size in rows]
    write(
        tmp_path, "\n".join(["customer_id,contract_id,starts_at,ends_at,monthly_amount", *contracts]), "c.csv"
    )
    write(tmp_path, "\n".join(["customer_id,opened_at,closed_at,won,amount", *deals]), "d.csv")
    tables = {"contracts": TableSettings(source="c.csv"), "deals": TableSettings(source="d.csv")}
    said = failed(make(tmp_path, orders=TableSettings(derive=("contracts", "deals")), tables=tables))
    assert "contracts and deals tell the same" in said
    assert 'for example derive = ["contracts"]' in said


def test_what_is_not_in_the_ledger_is_only_noted(tmp_path):
    settings = written(tmp_path, invoices())
    with bind(settings, now=NOW) as tables:
        until = tables.report("orders").last.date()
        [note] = money_told_again(tables.connection, (), until)
        assert note.startswith("orders and invoices tell the same money: in 60 of 60 months")
        assert note.endswith("invoices are not in the ledger, so it counts once")
        assert money_told_again(tables.connection, ("invoices",), until) == []
