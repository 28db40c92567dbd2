"""Contract: orders derived from other tables hold each piece of money once, on the day it became due."""

from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from features.binding.tables import bind
from features.errors import SettingsError, TableError
from features.settings import Settings, TableSettings, load_settings
from tests.features.binding.binds import DERIVED, NOW, findings, lines, rows_of, write

CONTRACTS = "customer_id,contract_id,starts_at,ends_at,monthly_amount,billing_months,cancelled_at"


def make(folder, tables, **given):
    return Settings(
        currency="JPY", path=folder / "tokui.toml", tables={"customers": DERIVED, **tables}, **given
    )


def billed(folder, *rows, until=None):
    write(folder, lines(*rows, header=CONTRACTS), "contracts.csv")
    tables = {"orders": TableSettings(derive="contracts"), "contracts": TableSettings(source="contracts.csv")}
    with bind(make(folder, tables, until=until), now=NOW) as bound:
        return rows_of(bound, columns="customer_id, occurred_at, order_id, amount"), bound.report("orders")


def plain(start: date, months: int, stop: date) -> list[date]:
    """The days a term is billed on, written without SQL: the same day of the month, or the month's last."""
    days, period = [], 0
    while True:
        month = start.month - 1 + period * months
        year, month = start.year + month // 12, month % 12 + 1
        last = (date(year + month // 12, month % 12 + 1, 1) - date(year, month, 1)).days
        day = date(year, month, min(start.day, last))
        if day >= stop:
            return days
        days.append(day)
        period += 1


def test_a_term_is_billed_at_the_start_of_each_period(tmp_path):
    rows, report = billed(tmp_path, "a,k1,2024-01-31,2024-05-01,100,,", "b,k2,2023-01-01,2024-12-31,10,12,")
    assert {(who, when.date(), amount) for who, when, _, amount in rows} == {
        ("b", date(2023, 1, 1), 120), ("b", date(2024, 1, 1), 120), ("a", date(2024, 1, 31), 100),
        ("a", date(2024, 2, 29), 100), ("a", date(2024, 3, 31), 100), ("a", date(2024, 4, 30), 100),
    }  # fmt: skip
    assert report.totals == {"amount": 640}
    assert report.source == "derived from contracts"
    assert (report.rows_read, report.rows_kept, report.customers) == (6, 6, 2)


def test_a_term_without_an_end_runs_until_notice_or_the_end_of_the_data(tmp_path):
    rows, _ = billed(
        tmp_path, "a,k1,2025-01-01,,100,1,", "b,k2,2025-01-01,,10,1,2025-03-15", until=date(2025, 6, 1)
    )
    assert sum(who == "a" for who, *_ in rows) == 6
    assert sum(who == "b" for who, *_ in rows) == 3
    rows, _ = billed(tmp_path, "a,k1,2025-01-01,,100,1,", "b,k2,2025-01-01,,10,1,2025-03-15")
    assert sum(who == "a" for who, *_ in rows) == 3  # nothing is known of what came after the notice


@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(terms=st.lists(st.tuples(st.dates(date(2020, 1, 1), date(2024, 12, 1)), st.integers(1, 900), st.sampled_from([1, 2, 3, 6, 12])),
                      min_size=1, max_size=8))  # fmt: skip
def test_billing_days_are_those_of_the_calendar(tmp_path, terms):
    texts, expected = [], []
    for k, (start, length, months) in enumerate(terms):
        end = min(date.fromordinal(start.toordinal() + length), date(2025, 11, 1))
        texts.append(f"c{k},k{k},{start},{end},7,{months},")
        expected += [(f"c{k}", day, 7.0 * months) for day in plain(start, months, end)]
    rows, _ = billed(tmp_path, *texts, until=date(2025, 12, 31))
    assert sorted((who, when.date(), amount) for who, when, _, amount in rows) == sorted(expected)


def test_what_happens_later_changes_no_earlier_line(tmp_path):
    before, _ = billed(tmp_path, "a,k1,2025-01-01,,100,1,", until=date(2025, 6, 1))
    after, _ = billed(tmp_path, "a,k1,2025-01-01,,100,1,2025-05-15", until=date(2025, 6, 1))
    assert after == [row for row in before if row[1] < datetime(2025, 5, 15)]  # noqa: DTZ001


def test_billing_months_that_are_none_are_refused(tmp_path):
    with pytest.raises(
        TableError, match=r"contracts\.billing_months: 1 values are no whole number .* for example 0\.5"
    ):
        billed(tmp_path, "a,k1,2025-01-01,,100,0.5,")


def test_invoices_and_won_deals_make_orders(tmp_path):
    header = "customer_id,invoice_id,issued_at,due_at,amount"
    write(
        tmp_path,
        lines(*(f"a,i{k},2024-0{k}-01,2024-0{k}-28,{k}" for k in range(1, 9)), header=header),
        "invoices.csv",
    )
    header = "customer_id,deal_id,opened_at,closed_at,amount,stage"
    rows = [
        "b,d1,2024-01-01,2024-02-01,100,Won",
        "b,d2,2024-01-01,2024-02-01,70,Lost",
        "b,d3,2024-01-01,,70,Won",
    ]
    write(tmp_path, lines(*rows, header=header), "deals.csv")
    deals = TableSettings(source="deals.csv", columns={"won": "stage = 'Won'"})
    tables = {
        "orders": TableSettings(derive=("invoices", "deals")),
        "invoices": TableSettings(source="invoices.csv"),
    }
    with bind(make(tmp_path, tables | {"deals": deals}), now=NOW) as bound:
        assert bound.report("orders").totals == {"amount": 136}
        assert (
            findings(bound, "orders")["deals", "won deals without a closing date or amount, not in orders"]
            == 1
        )
        assert {row[0] for row in rows_of(bound, "customers", "customer_id")} == {"a", "b"}
    without = tables | {"deals": TableSettings(source="deals.csv")}
    with pytest.raises(TableError, match=r"deals binds no won; bind it"):
        bind(make(tmp_path, without), now=NOW)


def test_fees_and_goods_together_and_the_same_money_only_once(tmp_path):
    write(tmp_path, lines(*(f"c{k},2024-0{k % 6 + 1}-15,{50 + k}" for k in range(30))))
    write(
        tmp_path,
        lines(*(f"c{k},k{k},2024-01-01,2024-07-01,10,1," for k in range(30)), header=CONTRACTS),
        "contracts.csv",
    )
    header = "customer_id,issued_at,due_at,amount"
    write(
        tmp_path,
        lines(*(f"c{k},2024-0{k % 6 + 1}-20,2024-09-01,{50 + k}" for k in range(30)), header=header),
        "invoices.csv",
    )
    both = TableSettings(source="orders.csv", derive="contracts")
    contracts = {"contracts": TableSettings(source="contracts.csv")}
    with bind(make(tmp_path, {"orders": both, **contracts}), now=NOW) as bound:
        assert bound.report("orders").totals["amount"] == sum(50 + k for k in range(30)) + 30 * 6 * 10
        assert bound.report("customers").rows_kept == 30
    twice = TableSettings(source="orders.csv", derive=("invoices",))
    invoices = {"invoices": TableSettings(source="invoices.csv")}
    with pytest.raises(
        TableError, match=r"orders and invoices tell the same money in 100% of 30 customers' months"
    ):
        bind(make(tmp_path, {"orders": twice, **invoices}), now=NOW)
    kept = twice.model_copy(update={"same_money": "keep"})
    with bind(make(tmp_path, {"orders": kept, **invoices}), now=NOW) as bound:
        assert bound.report("orders").rows_kept == 60


def test_customers_from_any_table_with_its_columns(tmp_path):
    header = "customer_id,contract_id,starts_at,ends_at,monthly_amount,branch"
    write(
        tmp_path,
        lines("a,k,2024-02-01,2024-06-01,5,x", "a,k,2024-01-01,2024-02-01,5,y", header=header),
        "contracts.csv",
    )
    customers = TableSettings(derive="contracts", columns={"industry": "branch"})
    tables = {"orders": TableSettings(derive="contracts"), "contracts": TableSettings(source="contracts.csv")}
    with bind(make(tmp_path, {**tables, "customers": customers}), now=NOW) as bound:
        assert rows_of(bound, "customers", "customer_id, created_at, industry") == [
            ("a", datetime(2024, 1, 1), "y")  # noqa: DTZ001
        ]
    wrong = TableSettings(derive="orders", columns={"industry": "branch"})
    with pytest.raises(TableError, match='say derive = "contracts"'):
        bind(make(tmp_path, {**tables, "customers": wrong}), now=NOW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[tables.orders]\nderive = "usage"',
            "orders cannot be derived from 'usage', only from invoices, contracts, deals",
        ),
        (
            '[tables.orders]\nderive = "invoices"',
            r"orders is derived from invoices, and \[tables.invoices\] is not there",
        ),
        ("", "tables.customers and tables.orders are both needed; where there are no order lines"),
        (
            '[tables.orders]\nsource = "x.csv"\n[tables.usage]\nderive = "orders"',
            "only customers and orders can be derived",
        ),
    ],
)
def test_what_cannot_be_derived_is_said_with_the_line_to_write(tmp_path, text, said):
    (tmp_path / "tokui.toml").write_text(
        f'currency = "JPY"\n[tables.customers]\nsource = "c.csv"\n{text}\n', encoding="utf-8"
    )
    with pytest.raises(SettingsError, match=said):
        load_settings(tmp_path / "tokui.toml")
