"""Contract: a company without order lines gets from its own tables to an answer: subscriptions, invoices, or deals alone."""

import re
from datetime import date, timedelta

import numpy as np
import pytest

from tests.commands.running import tokui
from tests.conftest import HORIZONS
from tests.serving.conftest import Asked
from training.live import Live

ACCOUNTS = 240
FIRST, LAST = date(2023, 1, 1), date(2024, 12, 31)
DAYS = (LAST - FIRST).days


def day(n):
    return str(FIRST + timedelta(int(n)))


def lines(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def subscriptions(rng):
    """Contracts with and without notice, use that falls before it, and tickets; nothing tells an order."""
    contracts, usage, tickets = [], [], []
    for k in range(ACCOUNTS):
        start = int(rng.integers(0, DAYS - 120))
        stays = int(rng.exponential(500)) + 30
        gone = start + stays if start + stays < DAYS else None
        notice = "" if gone is None else day(gone)
        every = int(rng.choice([1, 1, 3]))
        contracts.append((f"S{k:03d}", f"C{k}", day(start), notice, int(rng.integers(10, 200)) * 100, every))
        usage += [(f"S{k:03d}", day(at), int(rng.poisson(20))) for at in range(start, gone or DAYS + 1, 15)]
        tickets += [(f"S{k:03d}", day(start + 10), 2)] * int(rng.random() < 0.3)
    return {
        "contracts": lines("customer_id,contract_id,starts_at,cancelled_at,monthly_amount,billing_months", contracts),
        "usage": lines("customer_id,occurred_at,events", usage),
        "tickets": lines("customer_id,opened_at,severity", tickets),
    }  # fmt: skip


def purchases(rng):
    """When each account pays how much."""
    for k in range(ACCOUNTS):
        at, gap = float(rng.integers(0, DAYS - 120)), float(rng.gamma(4, 8))
        while at < DAYS and rng.random() > 0.03:
            yield f"S{k:03d}", int(at), round(float(rng.lognormal(8, 0.7)), 2)
            at += float(rng.gamma(3, gap / 3)) + 1


def invoices(rng):
    rows = [(who, f"I{n}", day(at), day(at + 30), money) for n, (who, at, money) in enumerate(purchases(rng))]
    return {"invoices": lines("customer_id,invoice_id,issued_at,due_at,amount", rows)}


def deals(rng):
    rows = []
    for n, (who, at, money) in enumerate(purchases(rng)):
        stage = "Closed Won" if rng.random() < 0.8 else "Closed Lost"
        rows.append((who, f"D{n}", day(max(0, at - 20)), day(at), stage, money))
    return {"deals": lines("customer_id,deal_id,opened_at,closed_at,stage,amount", rows)}


KINDS = {
    "subscriptions": (subscriptions, "contracts"),
    "invoices": (invoices, "invoices"),
    "deals": (deals, "deals"),
}


@pytest.fixture(scope="module", params=KINDS)
def project(request, tmp_path_factory):
    make, ledger = KINDS[request.param]
    folder, files = tmp_path_factory.mktemp(request.param), make(np.random.default_rng(5))
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    written = tokui(
        folder, "init", *(f"{name}.csv" for name in files), "--currency", "USD", "--timezone", "UTC"
    )
    assert (written["ledger"], written["missing"]) == ([ledger], [])
    # All as init wrote it, but for a pace that a test can wait for.
    sections = re.split(r"(?m)^(?=\[)", (folder / "tokui.toml").read_text())
    kept = [part for part in sections if not part.startswith(("[ltv]", "[churn]", "[training]"))]
    (folder / "tokui.toml").write_text("".join([*kept, HORIZONS]))
    said = {verb: tokui(folder, verb) for verb in ("check", "train", "promote", "snapshot")}
    return folder, ledger, files[ledger], said


def test_from_its_own_tables_to_an_answer(project):
    folder, ledger, text, said = project
    report = next(table for table in said["check"]["tables"] if table["table"] == "orders")
    assert report["source"] == f"derived from {ledger}"
    assert said["check"]["notes"] == []
    assert said["snapshot"]["as_of"] == "2025-01-01T00:00:00+00:00" or ledger != "contracts"
    assert {made["task"] for made in said["train"]} == {"ltv", "churn"}
    asked, who = Asked(Live(folder / "live")), "S003"
    answer = asked("POST", "/predict", json={"customer_ids": [who]}).json()
    [known] = answer["predictions"]
    assert known["status"] == "ok"
    assert known["ltv"]["value"] > 0

    # The account's own rows, sent as its table has them, give the same.
    header, *rows = (line.split(",") for line in text.splitlines())
    sent = [
        {name: value for name, value in zip(header, row, strict=True) if value}
        for row in rows
        if row[0] == who
    ]
    for row in sent:
        if row.pop("stage", None):
            row["won"] = True
        row |= {
            name: float(row[name]) for name in ("amount", "monthly_amount", "billing_months") if name in row
        }
    if ledger == "deals":
        sent = [
            row
            for row, (*_, stage, _) in zip(sent, (r for r in rows if r[0] == who), strict=True)
            if "Won" in stage
        ]
    first = min(row.get("starts_at") or row.get("issued_at") or row["closed_at"] for row in sent)
    body = {"as_of": answer["as_of"], ledger: sent, "customers": [{"created_at": first}]}
    again = asked("POST", "/predict_history", json=body)
    assert again.status_code == 200, again.text
    assert again.json()["predictions"][0]["ltv"] == pytest.approx(known["ltv"])
    assert again.json()["predictions"][0]["churn"] == known["churn"]

    # Orders that are sent are taken as they are.
    body = {"as_of": answer["as_of"], "orders": [], ledger: sent}
    assert asked("POST", "/predict_history", json=body).json()["predictions"][0]["status"] == "no orders yet"
    lost = asked("POST", "/predict_history", json={"customers": []})
    assert lost.status_code == 422
    assert f"send the account's orders, or its {ledger}, an empty list if there are none" in lost.text
