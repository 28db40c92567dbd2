"""Contract: rows that are no sales are left out by a condition that says what it leaves out; nothing else is."""

import tomllib
from datetime import datetime

import pytest

from features.binding.tables import bind
from features.guess.settings import guess_settings
from features.settings import load_settings

NOW = datetime(2026, 1, 1)  # noqa: DTZ001


def total(folder, header, rows, name="orders.csv"):
    """The money of orders as init binds a file, with the lines of its table."""
    text = header + "\n" + "\n".join(rows) + "\n"
    (folder / name).write_text(text, encoding="utf-8")
    guess = guess_settings([folder / name], folder=folder, currency="USD", timezone="UTC")
    (folder / "tokui.toml").write_text(guess.text, encoding="utf-8")
    with bind(load_settings(folder / "tokui.toml"), now=NOW) as tables:
        return tables.report("orders").totals["amount"], tomllib.loads(guess.text)["tables"]


def days(k):
    return f"2024-{k % 12 + 1:02d}-{k % 28 + 1:02d}"


@pytest.mark.parametrize(
    ("heading", "bad", "good"),
    [
        ("Status", "void", "paid"),
        ("Financial Status", "voided", "paid"),
        ("対応状況(名称)", "注文取消し", "発送済み"),
        ("IsDeleted", "true", "false"),
        ("is_test", "1", "0"),
        ("削除フラグ", "1", "0"),
        ("Cancelled at", "2024-12-30 10:00:00", ""),
        ("取引区分", "見積", "売上"),
    ],
)
def test_rows_that_say_they_are_no_sales_are_left_out(tmp_path, heading, bad, good):
    rows = [f"c{k % 9},o{k},{days(k)},{10 + k},{bad if k % 8 == 3 else good}" for k in range(80)]
    money, tables = total(tmp_path, f"customer_id,order_id,order_date,amount,{heading}", rows)
    assert money == sum(10 + k for k in range(80) if k % 8 != 3)
    assert heading in tables["orders"]["where"]


def test_several_reasons_are_joined_and_an_idle_one_is_left_away(tmp_path):
    rows = [
        f"c{k % 9},o{k},{days(k)},{10 + k},{'void' if k % 8 == 3 else 'paid'},{'true' if k % 10 == 1 else 'false'},{'2024-12-30' if k % 8 == 3 else ''}"
        for k in range(80)
    ]
    money, tables = total(tmp_path, "customer_id,order_id,order_date,amount,Status,IsDeleted,Voided At", rows)
    assert money == sum(10 + k for k in range(80) if k % 8 != 3 and k % 10 != 1)
    assert "Voided At" not in tables["orders"]["where"]


def test_what_is_paid_back_by_a_row_of_its_own_stays(tmp_path):
    rows = [
        f"c{k % 9},o{k},{days(k)},{-20 if k % 8 == 3 else 20},{'refunded' if k % 8 == 3 else 'paid'}"
        for k in range(80)
    ]
    money, tables = total(tmp_path, "customer_id,order_id,order_date,amount,Status", rows)
    assert money == 20 * 80 - 40 * 10
    assert "where" not in tables["orders"]


@pytest.mark.parametrize(("done", "kept"), [("complete", False), ("open", True)])
def test_closed_is_paid_back_where_orders_are_complete_when_they_are_done(tmp_path, done, kept):
    rows = [f"c{k % 9},o{k},{days(k)},10,{'closed' if k % 8 == 3 else done}" for k in range(80)]
    money, _ = total(tmp_path, "customer_id,order_id,order_date,amount,Status", rows)
    assert money == (800 if kept else 700)


def test_a_status_on_the_first_line_of_an_order_is_that_of_all_its_lines(tmp_path):
    rows = []
    for k in range(40):
        status = "voided" if k % 8 == 3 else "paid"
        rows += [
            f"c{k % 9},#{k},{days(k)},10,{status}",
            f"c{k % 9},#{k},{days(k)},5,",
            f"c{k % 9},#{k},{days(k)},1,",
        ]
    money, tables = total(tmp_path, "customer_id,order_id,order_date,amount,Financial Status", rows)
    assert money == 16 * 35
    assert tables["orders"]["fill_down"] == ["Financial Status"]


def test_a_status_that_is_missing_here_and_there_is_not_written_down(tmp_path):
    rows = [
        f"c{k % 9},#{k},{days(k)},10,{'' if k % 5 == 0 else 'void' if k % 8 == 3 else 'paid'}"
        for k in range(80)
    ]
    money, tables = total(tmp_path, "customer_id,order_id,order_date,amount,Status", rows)
    assert "fill_down" not in tables["orders"]
    assert money == 10 * sum(k % 5 == 0 or k % 8 != 3 for k in range(80))


def test_items_under_their_invoice_are_no_rows_of_it(tmp_path):
    rows = []
    for k in range(40):
        rows += [f"請求書,c{k % 9},{k},{days(k)},2024-12-28,300,", "品目,,,,,,100", "品目,,,,,,200"]
    money, tables = total(
        tmp_path, "行形式,取引先名称,請求書番号,請求日,お支払期限,合計金額,金額", rows, "請求書.csv"
    )
    assert money == 300 * 40
    assert tables["invoices"]["where"] == "\"行形式\" IN ('請求書')"
    assert tables["invoices"]["columns"]["amount"] == "合計金額"


def test_rows_that_add_up_others_are_left_out(tmp_path):
    rows = []
    for month in range(1, 13):
        rows += [f"c{k},得意先{k},2024-{month:02d}-1{k},10,p{k}" for k in range(5)]
        rows.append(f",【{month}月計】,2024-{month:02d}-28,50,")
    money, tables = total(tmp_path, "得意先コード,得意先名,売上日,金額,商品コード", rows, "売上.csv")
    assert money == 600
    assert "【1月計】" in tables["orders"]["where"]


def test_a_cancelled_term_stays_and_one_that_never_began_does_not(tmp_path):
    rows = [
        f"c{k},s{k},2024-01-01,{'2024-03-01' if k % 4 == 1 else ''},10,{'incomplete_expired' if k % 8 == 3 else 'canceled' if k % 4 == 1 else 'active'}"
        for k in range(40)
    ]
    (tmp_path / "subscriptions.csv").write_text(
        "customer_id,subscription_id,start_date,end_date,mrr,status\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )
    text = guess_settings([tmp_path / "subscriptions.csv"], folder=tmp_path).text
    assert tomllib.loads(text)["tables"]["contracts"][
        "where"
    ] == "coalesce(\"status\", '') NOT IN ('incomplete_expired')".replace('"status"', "status")


@pytest.mark.parametrize(
    ("heading", "back", "sale"),
    [
        ("取引区分", "返品", "売上"),
        ("Belegart", "Gutschrift", "Rechnung"),
        ("Document Type", "Credit Memo", "Invoice"),
    ],
)
def test_documents_that_take_money_back_above_nothing_are_turned_round(tmp_path, heading, back, sale):
    rows = [f"c{k % 9},o{k},{days(k)},{10 + k},{back if k % 8 == 3 else sale}" for k in range(80)]
    money, _ = total(tmp_path, f"customer_id,order_id,order_date,amount,{heading}", rows)
    assert money == sum((10 + k) * (-1 if k % 8 == 3 else 1) for k in range(80))


@pytest.mark.parametrize(("heading", "other"), [("Type", "c"), ("Type", "Credit"), ("Class", "Return")])
def test_what_may_be_something_else_turns_nothing_round(tmp_path, heading, other):
    rows = [f"c{k % 9},o{k},{days(k)},{10 + k},{other if k % 8 == 3 else 'a'}" for k in range(80)]
    money, _ = total(tmp_path, f"customer_id,order_id,order_date,amount,{heading}", rows)
    assert money == sum(10 + k for k in range(80))


def test_a_draft_that_takes_money_back_is_a_draft(tmp_path):
    rows = [
        f"c{k % 9},o{k},{days(k)},{(10 + k) * (-1 if k % 16 == 3 else 1)},{'Brouillon' if k % 8 == 3 else 'Payée'}"
        for k in range(80)
    ]
    money, _ = total(tmp_path, "customer_id,order_id,order_date,amount,Statut", rows)
    assert money == sum(10 + k for k in range(80) if k % 8 != 3)
