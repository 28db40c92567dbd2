"""Contract: what is strange about a history is counted rightly, and an ordinary one is not called strange."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from features.binding.tables import bind
from features.oddities import Oddity, oddities
from features.settings import load_settings
from tests.training import ledgers
from tests.training.ledgers import Line, after, write_ledger


def strange(folder: Path, lines: Iterable[Line], products: int = 7) -> dict[str, Oddity]:
    """Oddities of a history, by code."""
    with bind(load_settings(write_ledger(folder, lines, products=products) / "tokui.toml")) as tables:
        return {odd.code: odd for odd in oddities(tables)}


@pytest.mark.parametrize("history", [ledgers.ordinary, ledgers.regular, ledgers.mostly_once, ledgers.alike])
def test_an_ordinary_history_has_none(tmp_path, history):
    assert strange(tmp_path, history()) == {}


@pytest.mark.parametrize(
    ("history", "code", "count", "example"),
    [
        (ledgers.few_customers, "few_customers", 40, None),
        (ledgers.one_day, "one_day", 200, "2023-01-01"),
        (ledgers.never_again, "never_again", 400, None),
        (ledgers.only_returns, "no_purchase", 2308, None),
    ],
)
def test_what_blocks_a_training_is_counted(tmp_path, history, code, count, example):
    found = strange(tmp_path, history())
    assert {odd.code for odd in found.values() if odd.blocks} == {code}
    assert (found[code].count, found[code].example) == (count, example)
    assert f"{count:,} " in found[code].message


def test_what_blocks_comes_first(tmp_path):
    found = list(strange(tmp_path, ledgers.few_rows(), products=1).values())
    assert [odd.code for odd in found] == ["few_customers", "never_again", "one_product"]
    assert [odd.blocks for odd in found] == [True, True, False]


@pytest.mark.parametrize(("share", "told"), [(0.49, False), (0.51, True), (0.9, True)])
def test_one_customer_is_told_from_half_of_all_money_on(tmp_path, share, told):
    others = [(f"C-{k}", after(day), 1.0) for k in range(150) for day in (0, 90)]
    whole = len(others) / (1 - share)
    lines = [*others, ("O'Hara", after(5), whole * share), ("O'Hara", after(6), 0.0)]
    found = strange(tmp_path, lines)
    assert ("one_customer" in found) == told
    if told:
        assert found["one_customer"].example == "O'Hara"
        assert f"has {share:.0%} of all money" in found["one_customer"].message
        assert """where = "(customer) <> 'O''Hara'\"""" in found["one_customer"].message


def test_the_line_to_write_is_one_that_works_with_quoted_headings(tmp_path):
    folder = write_ledger(tmp_path, ledgers.one_giant())
    toml = (folder / "tokui.toml").read_text(encoding="utf-8")
    toml = toml.replace('"customer"', "'trim(\"customer\")'")
    (folder / "tokui.toml").write_text(toml, encoding="utf-8")
    with bind(load_settings(folder / "tokui.toml")) as tables:
        [odd] = oddities(tables)
    line = odd.message[odd.message.index("where = ") : odd.message.index(" in [tables.orders]")]
    (folder / "tokui.toml").write_text(f"{toml}{line}\n", encoding="utf-8")
    with bind(load_settings(folder / "tokui.toml")) as tables:
        assert oddities(tables) == ()
        assert tables.report("orders").customers == 200


def test_money_sent_back_is_nobodys(tmp_path):
    # Two who bought and returned a fortune have brought less than those who kept theirs.
    kept = [(f"C-{k}", after(day), 10.0) for k in range(150) for day in (0, 90)]
    back = [(f"R-{k}", after(day), amount) for k in range(2) for day, amount in ((1, 1e6), (2, -1e6))]
    assert "one_customer" not in strange(tmp_path, [*kept, *back])


def test_orders_on_one_day_of_each_customer_are_never_again_and_on_one_day_of_all_are_one_day(tmp_path):
    twice = [(f"C-{k}", after(k), 10.0) for k in range(150) for _ in range(2)]
    assert set(strange(tmp_path / "each", twice)) == {"never_again"}
    assert set(strange(tmp_path / "all", [(who, after(0), amount) for who, _, amount in twice])) == {
        "one_day"
    }


def test_a_long_history_is_told_with_what_lies_in_its_first_half(tmp_path):
    found = strange(tmp_path / "lone", ledgers.twenty_thousand_days())["long"]
    assert (found.count, found.example) == (20_000, "1970-03-29")
    assert "20,000 days" in found.message
    assert "with 1 order line in its first half" in found.message
    whole = strange(tmp_path / "whole", ledgers.long_history())
    lines = list(ledgers.long_history())
    days = [day.toordinal() for _, day, _ in lines]
    middle = (min(days) + max(days)) / 2
    assert f"with {sum(day < middle for day in days):,} order lines" in whole["long"].message
