"""Businesses in tests: what three kinds of companies export, in small, with what it amounts to."""

import csv
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

START = date(2022, 1, 1)


Rows = list[dict[str, Any]]


def _write(path: Path, rows: Rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return path


def saas(folder: Path, accounts: int = 60, days: int = 900) -> tuple[list[Path], float]:
    """Accounts, subscriptions, usage by subscription, tickets; and the money billed until the data end."""
    chance = random.Random(3)
    people: Rows = []
    terms: Rows = []
    usage: Rows = []
    tickets: Rows = []
    end = START + timedelta(days=days)
    for k in range(accounts):
        account = f"A-{k:05d}"
        begin = START + timedelta(days=chance.randrange(days // 2))
        people.append({"account_id": account, "account_name": f"Company {k}", "industry": chance.choice(["EdTech", "FinTech"]),
                       "country": chance.choice(["US", "UK"]), "signup_date": begin, "referral_source": "ads",
                       "plan_tier": "Pro", "seats": 5, "is_trial": False, "churn_flag": False})  # fmt: skip
        left = chance.random() < 0.4
        stop = begin + timedelta(days=chance.randrange(60, 500))
        over = left and stop < end
        mrr = chance.choice([100, 250, 400])
        terms.append({"subscription_id": f"S-{k:05d}", "account_id": account, "start_date": begin, "end_date": stop if over else "",
                      "plan_tier": "Pro", "seats": 5, "mrr_amount": mrr, "arr_amount": 12 * mrr, "is_trial": False,
                      "upgrade_flag": False, "downgrade_flag": False, "churn_flag": over, "billing_frequency": "monthly",
                      "auto_renew_flag": True})  # fmt: skip
        day = begin
        while day < min(end, stop if over else end):
            usage.append({"usage_id": f"U-{len(usage):06d}", "subscription_id": f"S-{k:05d}", "usage_date": day,
                          "feature_name": f"feature_{len(usage) % 9}", "usage_count": chance.randrange(1, 30),
                          "usage_duration_secs": 60, "error_count": 0, "is_beta_feature": False})  # fmt: skip
            day += timedelta(days=chance.randrange(1, 12))
        for _ in range(2):
            opened = begin + timedelta(days=chance.randrange(50))
            tickets.append({"ticket_id": f"T-{len(tickets):05d}", "account_id": account, "submitted_at": f"{opened} 09:00:00",
                            "closed_at": f"{opened + timedelta(days=2)} 09:00:00", "resolution_time_hours": 48, "priority": "high",
                            "first_response_time_minutes": 12, "satisfaction_score": 4, "escalation_flag": False})  # fmt: skip
    names = {"accounts": people, "subscriptions": terms, "feature_usage": usage, "support_tickets": tickets}
    files = [_write(folder / f"{name}.csv", rows) for name, rows in names.items()]
    last = max(row["usage_date"] for row in usage)
    money = 0.0
    for term in terms:
        stop = term["end_date"] or last + timedelta(days=1)
        month = 0
        while _months_later(term["start_date"], month) < min(stop, last + timedelta(days=1)):
            money += term["mrr_amount"]
            month += 1
    return files, money


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))


def pipeline(folder: Path, accounts: int = 60) -> tuple[list[Path], float]:
    """A hardware maker's accounts and sales pipeline; and the money won."""
    chance = random.Random(4)
    people = [{"account": f"Firm {k}", "sector": "retail", "year_established": 1990 + k % 20, "revenue": 1000.5 + k,
               "employees": 10 * k, "office_location": "Japan", "subsidiary_of": ""} for k in range(accounts)]  # fmt: skip
    deals: Rows = []
    for k in range(accounts * 15):
        begin = START + timedelta(days=chance.randrange(900))
        stage = chance.choice(["Won", "Won", "Lost", "Engaging"])
        closed = begin + timedelta(days=30)
        deals.append({"opportunity_id": f"O{k:06d}", "sales_agent": "Mika", "product": f"GTX {k % 7}",
                      "account": f"Firm {chance.randrange(accounts)}", "deal_stage": stage, "engage_date": begin,
                      "close_date": closed if stage != "Engaging" else "",
                      "close_value": chance.randrange(50, 5000) if stage == "Won" else 0 if stage == "Lost" else ""})  # fmt: skip
    files = [_write(folder / "accounts.csv", people), _write(folder / "sales_pipeline.csv", deals)]
    return files, float(sum(deal["close_value"] for deal in deals if deal["deal_stage"] == "Won"))


def reseller(folder: Path, resellers: int = 60) -> tuple[list[Path], float]:
    """A bicycle maker's resellers, products and order lines; and the money sold."""
    chance = random.Random(5)
    people = [{"ResellerKey": k + 1, "ResellerName": f"Bikes {k}", "BusinessType": "Warehouse", "NumberEmployees": 10 + k,
               "AnnualSales": 300000 + k, "GeographyKey": 600 - k} for k in range(resellers)]  # fmt: skip
    lines: Rows = []
    for k in range(resellers * 30):
        when = START + timedelta(days=chance.randrange(1000))
        quantity, price = chance.randrange(1, 9), chance.choice([20.25, 419.5, 2039.75])
        amount = quantity * price
        lines.append({"ProductKey": 200 + k % 40, "OrderDateKey": f"{when:%Y%m%d}", "ResellerKey": 1 + chance.randrange(resellers),
                      "EmployeeKey": 280 + k % 5, "PromotionKey": 1, "SalesTerritoryKey": 1 + k % 10,
                      "SalesOrderNumber": f"SO{k // 2}", "SalesOrderLineNumber": 1 + k % 2, "OrderQuantity": quantity,
                      "UnitPrice": price, "ExtendedAmount": amount, "TotalProductCost": round(0.6 * amount, 2),
                      "SalesAmount": amount, "TaxAmt": round(0.08 * amount, 2), "Freight": 1.5,
                      "OrderDate": f"{when} 00:00:00"})  # fmt: skip
    files = [_write(folder / "DimReseller.csv", people), _write(folder / "FactResellerSales.csv", lines)]
    return files, float(sum(line["SalesAmount"] for line in lines))
