"""Contract: the files that companies export are put to the right table and column, or it is said what is missing."""

import tomllib
from datetime import datetime

import pytest

from features.binding.tables import bind
from features.guess.settings import guess_settings
from features.settings import load_settings
from tests.features.guess import businesses
from tests.features.guess.exports import EXPORTS, write_export

NOW = datetime(2026, 1, 1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("make", "ledger", "tables"),
    [
        (businesses.saas, ("contracts",), {"accounts.csv": "customers", "subscriptions.csv": "contracts",
                                           "feature_usage.csv": "usage", "support_tickets.csv": "tickets"}),
        (businesses.pipeline, ("deals",), {"accounts.csv": "customers", "sales_pipeline.csv": "deals"}),
        (businesses.reseller, ("orders",), {"DimReseller.csv": "customers", "FactResellerSales.csv": "orders"}),
    ],
)  # fmt: skip
def test_a_business_is_bound_whole_and_its_money_is_that_of_the_books(tmp_path, make, ledger, tables):
    files, money = make(tmp_path)
    guess = guess_settings(files, folder=tmp_path, currency="USD")
    assert guess.ledger == ledger
    assert guess.missing == ()
    assert {file["file"]: file["table"] for file in guess.files} == tables
    (tmp_path / "tokui.toml").write_text(guess.text, encoding="utf-8")
    with bind(load_settings(tmp_path / "tokui.toml"), now=NOW) as bound:
        assert bound.report("orders").totals["amount"] == pytest.approx(money, abs=0.005)
        assert all(report.rows_read == report.rows_kept for report in bound.reports)
        bound.refuse_losses()


def test_a_table_that_names_a_subscription_is_joined_through_the_file_that_knows_the_account(tmp_path):
    files, _ = businesses.saas(tmp_path)
    text = guess_settings(files, folder=tmp_path).text
    usage = tomllib.loads(text)["tables"]["usage"]
    assert "LEFT JOIN subscriptions ON" in usage["query"]
    assert usage["columns"] == {
        "customer_id": "account_id",
        "occurred_at": "usage_date",
        "feature": "feature_name",
        "events": "usage_count",
    }
    assert "100% of subscription_id are subscription_id of subscriptions.csv" in text


def test_a_key_is_never_money(tmp_path):
    files, _ = businesses.reseller(tmp_path)
    orders = tomllib.loads(guess_settings(files, folder=tmp_path).text)["tables"]["orders"]["columns"]
    assert orders["amount"] == "SalesAmount"
    assert "Key" not in orders["quantity"]
    text = guess_settings(files, folder=tmp_path).text
    assert '# margin = "SalesAmount - TotalProductCost"' in text


def test_files_without_money_end_in_a_file_that_names_all_that_is_missing(tmp_path):
    (tmp_path / "people.csv").write_text("account_id,industry\na,x\nb,y\n", encoding="utf-8")
    (tmp_path / "notes.csv").write_text("text,when\nhello,2024-01-05\n", encoding="utf-8")
    guess = guess_settings([tmp_path / "people.csv", tmp_path / "notes.csv"], folder=tmp_path)
    assert guess.ledger == ()
    (missing,) = guess.missing
    assert "no file tells money" in missing
    assert "people.csv lacks occurred_at, amount" in missing
    assert f"# MISSING: {missing}" in guess.text
    assert tomllib.loads(guess.text)["tables"]["customers"]["source"] == "people.csv"
    assert "# notes.csv: no canonical table fits" in guess.text


@pytest.mark.parametrize("name", EXPORTS)
def test_headings_of_exports(tmp_path, name):
    path, currency, table, expected = write_export(tmp_path, EXPORTS[name])
    guess = guess_settings([path], folder=tmp_path, currency=currency)
    tables = tomllib.loads(guess.text)["tables"]
    assert table in tables, guess.text
    columns = tables[table]["columns"]
    assert {column: columns.get(column) for column in expected} == expected
    if guess.ledger:
        (tmp_path / "tokui.toml").write_text(guess.text, encoding="utf-8")
        with bind(load_settings(tmp_path / "tokui.toml"), now=NOW) as bound:
            assert bound.report("orders").rows_kept > 0


def test_a_condition_leaves_out_what_is_no_sale_by_its_status(tmp_path):
    lines = [
        f"{k},c{k % 7},2024-01-{k % 28 + 1:02d},{'wc-cancelled' if k % 9 == 0 else 'wc-completed'},10"
        for k in range(60)
    ]
    (tmp_path / "wc_orders.csv").write_text(
        "order_id,customer_id,order_date,status,order_total\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    guess = guess_settings([tmp_path / "wc_orders.csv"], folder=tmp_path)
    assert (
        "where = \"coalesce(status, '') NOT IN ('wc-cancelled')\"  # no sales, 7 rows of those looked at: wc-cancelled; check this"
        in guess.text
    )
    (tmp_path / "tokui.toml").write_text(guess.text, encoding="utf-8")
    with bind(load_settings(tmp_path / "tokui.toml"), now=NOW) as bound:
        assert bound.report("orders").totals == {"amount": 10.0 * sum(k % 9 != 0 for k in range(60))}


def test_the_orders_total_on_each_line_is_recognised(tmp_path):
    lines = [
        f"{k // 2},c{k % 7},2024/01/{k % 28 + 1:02d},P{k},{100 + k // 2},{k % 2 + 1},{3 * (100 + k // 2)}"
        for k in range(60)
    ]
    (tmp_path / "受注.csv").write_text(
        "注文番号,顧客ID,受注日,商品コード,価格,個数,合計\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    guess = guess_settings([tmp_path / "受注.csv"], folder=tmp_path)
    assert tomllib.loads(guess.text)["tables"]["orders"]["columns"]["amount"] == '"個数" * "価格"'
    assert "合計 is the whole order's on each line" in guess.text


def test_terms_that_were_cancelled_are_terms(tmp_path):
    lines = [
        f"s{k},c{k},2024-01-{k % 28 + 1:02d},,100,{'Cancelled' if k % 3 == 0 else 'Active'}"
        for k in range(40)
    ]
    head = "subscription_id,customer_id,start_date,end_date,mrr,status"
    (tmp_path / "subscriptions.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    tables = tomllib.loads(guess_settings([tmp_path / "subscriptions.csv"], folder=tmp_path).text)["tables"]
    assert "where" not in tables["contracts"]
