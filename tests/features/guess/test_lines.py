"""Contract: columns are bound so that the whole is likeliest, by names and values; what follows from several is derived."""

import tomllib

import pytest

from features.guess.settings import guess_settings


def tables_of(folder, name, header, rows):
    (folder / name).write_text(header + "\n" + "\n".join(rows) + "\n", encoding="utf-8")
    guess = guess_settings([folder / name], folder=folder, currency="USD", timezone="UTC")
    return tomllib.loads(guess.text).get("tables", {}), guess


def days(k):
    return f"2024-{k % 12 + 1:02d}-{k % 28 + 1:02d}"


def orders(folder, header, rows, name="orders.csv"):
    return tables_of(folder, name, header, rows)[0]["orders"]["columns"]


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("Order Date (UTC)", "occurred_at"), ("Order NO", "order_id"), ("受注No.", "order_id"), ("Order #", "order_id"),
        ("Order Qty", "quantity"), ("Order Total (USD)", "amount"), ("売上金額(税込)", "amount"),
    ],
)  # fmt: skip
def test_what_a_heading_adds_does_not_hide_it(tmp_path, heading, column):
    known = {
        "customer_id": "customer_id",
        "occurred_at": "order_date",
        "amount": "amount",
        "order_id": "order_id",
        "quantity": "quantity",
    }
    headings = {**known, column: heading}
    rows = [f"c{k % 9},{days(k)},{k}.5,A-{k},{k % 4 + 1}" for k in range(60)]
    assert orders(tmp_path, ",".join(headings.values()), rows)[column] == heading


def test_a_full_column_wins_over_a_likelier_name_that_is_hardly_filled(tmp_path):
    rows = [f"{'' if k % 3 else 'Firm'},b{k % 9}@x.example,{days(k)},10" for k in range(60)]
    assert orders(tmp_path, "Company,Email,order_date,amount", rows)["customer_id"] == "Email"


def test_an_account_of_the_ledger_is_no_customer(tmp_path):
    rows = [f"Firm {k % 20},200,{days(k)},{k}" for k in range(60)]
    assert (
        orders(tmp_path, "ContactName,AccountCode,InvoiceDate,LineAmount", rows)["customer_id"]
        == "ContactName"
    )


@pytest.mark.parametrize(
    "heading", ["refund_amount", "discount_amount", "tax_amount", "shipping_amount", "与信金額"]
)
def test_other_money_is_no_sale(tmp_path, heading):
    rows = [f"c{k % 9},{days(k)},{k}" for k in range(60)]
    tables, guess = tables_of(tmp_path, "events.csv", f"customer_id,event_date,{heading}", rows)
    assert "orders" not in tables
    assert guess.missing


def test_countries_are_told_by_their_names(tmp_path):
    rows = [f"a{k},{['Japan', 'Kenya', 'United States'][k % 3]}" for k in range(30)]
    tables, _ = tables_of(tmp_path, "accounts.csv", "account,office_location", rows)
    assert tables["customers"]["columns"]["country"] == "office_location"


def test_accounts_are_told_apart_by_their_number_where_there_is_one(tmp_path):
    rows = [f"OC{7000 + k},会社{k},製造業" for k in range(30)]
    tables, _ = tables_of(tmp_path, "会社一覧.csv", "SOC,会社名,業種", rows)
    assert tables["customers"]["columns"]["customer_id"] == "SOC"


def test_the_number_that_other_files_name_wins_over_the_company_s_name(tmp_path):
    accounts = [f"{910_455_000 + k},Firm {k},2023-01-{k + 1:02d}" for k in range(20)]
    deals = [f"{k},Closed won,{days(k)},{days(k)},10,Firm {k % 20},{910_455_000 + k % 20}" for k in range(60)]
    for name, header, rows in (
        ("companies.csv", "Record ID,Company name,Create Date", accounts),
        (
            "deals.csv",
            "Record ID,Deal Stage,Create Date,Close Date,Amount,Associated Company,Associated Company IDs",
            deals,
        ),
    ):
        (tmp_path / name).write_text(header + "\n" + "\n".join(rows) + "\n", encoding="utf-8")
    guess = guess_settings([tmp_path / "companies.csv", tmp_path / "deals.csv"], folder=tmp_path)
    tables = tomllib.loads(guess.text)["tables"]
    assert tables["customers"]["columns"]["customer_id"] == "Record ID"
    assert tables["deals"]["columns"]["customer_id"] == "Associated Company IDs"


@pytest.mark.parametrize(
    ("words", "months"),
    [(("monthly", "annual"), (1, 12)), (("月払い", "年払い"), (1, 12)), (("Every 3 months", "P1Y"), (3, 12))],
)
def test_words_of_billing_become_months(tmp_path, words, months):
    rows = [f"c{k},s{k},2024-01-01,10,{words[k % 2]}" for k in range(40)]
    tables, _ = tables_of(
        tmp_path, "subscriptions.csv", "customer_id,subscription_id,start_date,mrr,billing_frequency", rows
    )
    case = tables["contracts"]["columns"]["billing_months"]
    assert all(
        f"WHEN '{word.lower()}' THEN {count}" in case for word, count in zip(words, months, strict=True)
    )


def test_a_rhythm_that_is_no_months_is_for_a_person_to_look_at(tmp_path):
    rows = [f"c{k},s{k},2024-01-01,10,{['monthly', 'weekly'][k % 2]}" for k in range(40)]
    _, guess = tables_of(
        tmp_path, "subscriptions.csv", "customer_id,subscription_id,start_date,mrr,billing_frequency", rows
    )
    assert "'weekly' not understood; check this" in guess.text


def test_what_a_period_costs_is_divided_by_its_months(tmp_path):
    rows = [f"c{k},s{k},2024-01-01,{120 if k % 2 else 10},{['month', 'year'][k % 2]},1,3" for k in range(40)]
    tables, _ = tables_of(
        tmp_path,
        "subscriptions.csv",
        "Customer ID,id,Start (UTC),Amount,Interval,Interval Count,Quantity",
        rows,
    )
    columns = tables["contracts"]["columns"]
    assert columns["monthly_amount"].startswith('Amount * Quantity / ("Interval Count" * CASE')
    assert columns["billing_months"].startswith('"Interval Count" * CASE')


def test_won_is_read_from_whatever_says_what_became_of_a_deal(tmp_path):
    rows = [
        f"{k},F{k % 9},{days(k)},{days(k)},10,Qualified,{['won', 'lost', 'open'][k % 3]}" for k in range(60)
    ]
    tables, _ = tables_of(
        tmp_path, "deals.csv", "Deal ID,Organization,Deal created,Deal closed on,Value,Stage,Status", rows
    )
    assert tables["deals"]["columns"]["won"] == "Status IN ('won')"


def test_an_alternative_as_likely_is_told(tmp_path):
    rows = [f"c{k % 9},{days(k)},{k},{k + 1}" for k in range(60)]
    _, guess = tables_of(tmp_path, "orders.csv", "customer_id,order_date,Total,Amount", rows)
    (line,) = [line for line in guess.files[0]["columns"] if line["column"] == "amount"]
    assert {line["expression"], line["runner_up"]} == {"Total", "Amount"}
