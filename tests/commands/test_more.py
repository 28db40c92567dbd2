"""Contract: columns of the user's own go from the tables to answers and their reasons, by command."""

import pytest

from features.engine.snapshot import open_snapshot
from tests.commands.running import tokui
from tests.conftest import small_world
from tests.serving.conftest import Asked
from training.live import Live
from training.models.bundle import read_bundle

CUSTOMERS = (
    "more = {size_band = {expression = \"CASE WHEN employees > 100 THEN 'large' ELSE 'small' END\", label = \"規模 Band\"}, "
    'old_id = "CAST(substr(customer_id, 2) AS INTEGER)"}\n'
)
ORDERS = 'more = {unit_price = {expression = "amount / quantity", label = "単価"}, big = "amount > 20000"}\n'
TICKETS = 'more = {hot = "severity >= 2"}\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("more")
    small_world(folder, 250)
    toml = folder / "tokui.toml"
    text = toml.read_text(encoding="utf-8")
    for name, line in (("customers", CUSTOMERS), ("orders", ORDERS), ("tickets", TICKETS)):
        text = text.replace(f"[tables.{name}]\n", f"[tables.{name}]\n{line}")
    toml.write_text(text, encoding="utf-8")
    return folder, {verb: tokui(folder, verb) for verb in ("check", "train", "promote", "snapshot")}


def test_features_reach_the_models_the_snapshot_and_the_answers(project):
    folder, said = project
    orders = next(table for table in said["check"]["tables"] if table["table"] == "orders")
    assert {"more_unit_price", "more_big"} <= set(orders["nulls"])
    live = Live(folder / "live")
    bundle = read_bundle(live.bundle("ltv", 1))
    mine = [name for name in bundle.features.names if "_more_" in name]
    assert sorted(mine) == [
        "customers_more_old_id_last_ever",
        "customers_more_size_band_last_ever",
        "orders_more_big_mean_365d",
        "orders_more_big_mean_90d",
        "orders_more_unit_price_mean_365d",
        "orders_more_unit_price_mean_90d",
        "orders_more_unit_price_sum_365d",
        "orders_more_unit_price_sum_90d",
        "tickets_more_hot_mean_365d",
        "tickets_more_hot_mean_90d",
    ]
    snapshot = open_snapshot(live.snapshot)
    assert snapshot.fingerprint == bundle.fingerprint
    assert set(snapshot.categories["customers_more_size_band_last_ever"]) <= {"large", "small"}
    asked, who = Asked(live), snapshot.customer_ids(slice(5, 6))[0]
    answer = asked("POST", "/predict", json={"customer_ids": [who], "explain": True}).json()
    assert answer["predictions"][0]["status"] in {"ok", "no orders yet"}


def test_an_accounts_own_rows_may_bring_them(project):
    folder, _ = project
    asked = Asked(Live(folder / "live"))
    row = {"occurred_at": "2025-06-01", "amount": 10_000, "more_unit_price": 5000, "more_big": False}
    body = {"orders": [row], "customers": [{"created_at": "2025-01-01", "more_size_band": "large"}]}
    done = asked("POST", "/predict_history", json=body)
    assert done.status_code == 200, done.text
    for table, column, value in (("orders", "more_big", "no"), ("customers", "more_size_band", 3)):
        wrong = {"orders": [row], "customers": [{}]}
        wrong[table] = [{**wrong[table][0], column: value}]
        refused = asked("POST", "/predict_history", json=wrong)
        assert refused.status_code == 422
        assert f"{table}[0].{column}" in refused.text
    document = asked("GET", "/openapi.json").json()
    assert (
        document["components"]["schemas"]["orders_row"]["properties"]["more_unit_price"]["description"]
        == "単価"
    )


def test_reports_call_them_by_their_labels(project):
    folder, _ = project
    cards = list((folder / "mlruns").rglob("card.html"))
    assert cards
    assert all("規模 Band" in card.read_text(encoding="utf-8") for card in cards)
