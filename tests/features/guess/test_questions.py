"""Contract: a person is asked what the files leave open, and nothing else; what is answered is written."""

import tomllib

from features.guess.questions import NO, NONE, YES
from features.guess.settings import guess_settings

ROWS = [
    f"c{k % 7},0{k % 8 + 1}/02/2024,{10 + k},{20 + k},{'void' if k % 9 == 0 else 'paid'}" for k in range(60)
]


def written(folder, header, answers, rows=ROWS, **given):
    (folder / "sales.csv").write_text(header + "\n" + "\n".join(rows) + "\n", encoding="utf-8")
    asked = []

    def ask(question):
        asked.append(question)
        return next(answer for part, answer in answers.items() if part in question.about + question.asks)

    return tomllib.loads(guess_settings([folder / "sales.csv"], folder=folder, ask=ask, **given).text), asked


def test_only_what_is_open_is_asked(tmp_path):
    rows = [f"c{k % 7},2024-02-{k % 28 + 1:02d},{10 + k}" for k in range(60)]
    document, asked = written(
        tmp_path, "customer_id,order_date,amount", {}, rows, currency="USD", timezone="UTC"
    )
    assert asked == []
    assert document["tables"]["orders"]["columns"]["amount"] == "amount"


def test_answers_are_written(tmp_path):
    answers = {
        "orders.amount": "second net",
        "dates": "%m/%d/%Y",
        "leave out": NO,
        "currency": "EUR",
        "zone": "Europe/Berlin",
    }
    document, asked = written(tmp_path, "customer_id,order_date,amount net,second net,Status", answers)
    orders = document["tables"]["orders"]
    assert (document["currency"], document["timezone"]) == ("EUR", "Europe/Berlin")
    assert (orders["columns"]["amount"], orders["dates"]) == ("second net", "%m/%d/%Y")
    assert "where" not in orders
    assert [choice for choice, _ in asked[0].choices] == ["amount net"]


def test_a_condition_is_written_when_it_is_agreed_to(tmp_path):
    answers = {"dates": "%d/%m/%Y", "leave out": YES}
    document, _ = written(
        tmp_path, "customer_id,order_date,amount,other,Status", answers, currency="USD", timezone="UTC"
    )
    assert document["tables"]["orders"]["where"] == "coalesce(Status, '') NOT IN ('void')"


def test_a_column_that_the_file_does_not_have_is_asked_again(tmp_path):
    tries = iter(["nonsense", "second net"])
    (tmp_path / "sales.csv").write_text(
        "customer_id,order_date,amount net,second net\n"
        + "\n".join(row.rsplit(",", 1)[0] for row in ROWS)
        + "\n",
        encoding="utf-8",
    )
    asked = []

    def ask(question):
        asked.append(question.about)
        if "orders.amount" in question.about:
            return next(tries)
        return question.choices[0][0]

    text = guess_settings(
        [tmp_path / "sales.csv"], folder=tmp_path, ask=ask, currency="USD", timezone="UTC"
    ).text
    assert tomllib.loads(text)["tables"]["orders"]["columns"]["amount"] == "second net"
    assert sum("has no column 'nonsense'" in about for about in asked) == 1


def test_none_of_them_leaves_a_column_unbound(tmp_path):
    rows = [f"c{k % 7},2024-02-{k % 28 + 1:02d},{10 + k},{k}" for k in range(60)]
    document, asked = written(
        tmp_path,
        "customer_id,order_date,amount,my profit share",
        {"orders.margin": NONE},
        rows,
        currency="USD",
        timezone="UTC",
    )
    assert [question.about for question in asked] == ["orders.margin of sales.csv"]
    assert "margin" not in document["tables"]["orders"]["columns"]
