"""Contract: what is left out of the tables is said by every command, and beyond what was accepted it stops them."""

import json
import subprocess
import sys

import pytest

TOML = """
currency = "JPY"
[tables.customers]
derive = "orders"
[tables.orders]
source = "orders.csv"
"""
ACCEPT = """
[tables.orders.accept]
share = 0.8
reason = "counter sales"
"""


def tokui(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "tokui", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, " ".join(done.stderr.split())


@pytest.fixture
def folder(tmp_path):
    rows = [f"{'' if k % 5 else f'c{k % 40}'},2024-{k % 12 + 1:02d}-{k % 28 + 1:02d},{k}" for k in range(400)]
    (tmp_path / "orders.csv").write_text(
        "customer_id,occurred_at,amount\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    (tmp_path / "tokui.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


def test_check_shows_all_and_ends_with_status_2_until_the_loss_is_accepted(folder):
    status, out, err = tokui(folder, "check")
    assert status == 2
    assert "320 empty" in out
    # Money weighs more than rows here: 64,000 of the 79,800 are on the lines without a customer.
    assert "orders: 64,000 of 79,800 positive amount (80.2%) would be left out" in err
    status, _, err = tokui(folder, "snapshot")
    assert status == 2
    assert "would be left out" in err
    (folder / "tokui.toml").write_text(TOML + ACCEPT.replace("0.8", "0.9"), encoding="utf-8")
    status, out, _ = tokui(folder, "check", "--json")
    assert status == 0
    orders = next(table for table in json.loads(out)["tables"] if table["table"] == "orders")
    assert orders["accepted"] == "counter sales"
    assert orders["totals"]["amount"] == sum(k for k in range(400) if k % 5 == 0)
    assert orders["by_year"] == {"amount": {"2024": orders["totals"]["amount"]}}
    assert {loss["of"] for loss in orders["losses"]} == {"rows", "positive amount"}


def test_later_commands_repeat_what_was_left_out(folder):
    (folder / "tokui.toml").write_text(TOML + ACCEPT.replace("0.8", "0.9"), encoding="utf-8")
    _, _, err = tokui(folder, "features", "set.parquet")
    assert (
        "note orders: 320 of 400 rows left out (80.00%) (accepted: counter sales): customer_id: 320 empty"
        in err
    )
