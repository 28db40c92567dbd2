"""The public histories of the benchmarks, and plain pandas features of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.matrix import FeatureMatrix
from features.types import Floats

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
WINDOWS = (14, 30, 60, 90, 180, 365)
FEES = ("POST", "D", "DOT", "M", "m", "BANK CHARGES", "C2", "CRUK", "PADS", "AMAZONFEE", "S", "B")


@dataclass(frozen=True)
class History:
    """Order lines: customer codes 0…, days since 1970 as integers, product codes, money."""

    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    product: NDArray[np.int64]
    quantity: Floats
    amount: Floats


def day_of(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


def cdnow() -> History:
    frame = pd.read_csv(
        SHARED / "cdnow_master.txt", sep=r"\s+", header=0, names=["customer", "date", "cds", "dollars"]
    )
    day = pd.to_datetime(frame["date"].astype(str), format="%Y%m%d").to_numpy().astype("datetime64[D]")
    code = pd.factorize(frame["customer"], sort=True)[0].astype(np.int64)
    nothing = np.zeros(len(frame), dtype=np.int64)
    return History(
        code, day.astype(np.int64), nothing, frame["cds"].to_numpy(float), frame["dollars"].to_numpy(float)
    )


def online_retail() -> History:
    frame = pd.read_parquet(SHARED / "online_retail.parquet")
    frame = frame[frame["CustomerID"].notna() & ~frame["StockCode"].astype(str).isin(FEES)]
    day = pd.to_datetime(frame["InvoiceDate"]).to_numpy().astype("datetime64[D]").astype(np.int64)
    code = pd.factorize(frame["CustomerID"], sort=True)[0].astype(np.int64)
    product = pd.factorize(frame["StockCode"])[0].astype(np.int64)
    quantity = frame["Quantity"].to_numpy(float)
    return History(code, day, product, quantity, quantity * frame["UnitPrice"].to_numpy(float))


def summed(code: NDArray[np.int64], values: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(code, values, n), dtype=np.float64)


def features_at(history: History, cutoff: int) -> tuple[NDArray[np.int64], FeatureMatrix]:
    """Customers with an order before the cutoff's day, and their features then."""
    seen = history.day < cutoff
    days = pd.DataFrame({
        "customer": history.customer[seen], "day": history.day[seen], "product": history.product[seen],
        "quantity": history.quantity[seen], "amount": history.amount[seen],
    })  # fmt: skip
    visits = days.groupby(["customer", "day"], as_index=False).agg(
        lines=("amount", "size"), amount=("amount", "sum"), quantity=("quantity", "sum")
    )
    customers, code = np.unique(visits["customer"].to_numpy(), return_inverse=True)
    n = len(customers)
    day, amount = visits["day"].to_numpy(), visits["amount"].to_numpy()
    lines, quantity = visits["lines"].to_numpy(float), visits["quantity"].to_numpy()
    columns: dict[str, Floats] = {}
    for window in (*WINDOWS, None):
        name = "ever" if window is None else f"{window}d"
        inside = np.ones(len(day), bool) if window is None else day >= cutoff - window
        c, m = code[inside], amount[inside]
        active = np.bincount(c, minlength=n).astype(float)
        total = summed(c, m, n)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / active
            spread = np.sqrt(np.bincount(c, (m - mean[c]) ** 2, n) / (active - 1))
        top = np.full(n, -np.inf)
        np.maximum.at(top, c, m)
        columns |= {
            f"orders_active_days_{name}": active,
            f"orders_count_{name}": summed(c, lines[inside], n),
            f"orders_amount_sum_{name}": total,
            f"orders_quantity_sum_{name}": summed(c, quantity[inside], n),
            f"orders_amount_mean_{name}": mean,
            f"orders_amount_std_{name}": np.where(active > 1, spread, np.nan),
            f"orders_amount_max_{name}": np.where(active > 0, top, np.nan),
        }
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, code, day)
    np.maximum.at(last, code, day)
    gaps = np.diff(day).astype(float)
    same = np.diff(code) == 0
    count = np.bincount(code[1:][same], minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.bincount(code[1:][same], gaps[same], n) / count
        gap_std = np.sqrt(
            np.bincount(code[1:][same], (gaps[same] - gap[code[1:][same]]) ** 2, n) / (count - 1)
        )
        trend = columns["orders_amount_sum_90d"] / columns["orders_amount_sum_180d"]
    columns |= {
        "orders_days_since_first_ever": cutoff - first,
        "orders_days_since_last_ever": cutoff - last,
        "orders_gap_mean_ever": np.where(count > 0, gap, np.nan),
        "orders_gap_std_ever": np.where(count > 1, gap_std, np.nan),
        "orders_amount_trend_90d_180d": np.where(np.isfinite(trend), trend, np.nan),
        "orders_amount_first_ever": amount[np.r_[True, np.diff(code) != 0]],
        "orders_amount_last_ever": amount[np.r_[np.diff(code) != 0, True]],
    }
    if history.product.any():
        for window in (90, None):
            inside = np.ones(len(days), bool) if window is None else days["day"].to_numpy() >= cutoff - window
            pairs = days[inside].drop_duplicates(["customer", "product"])
            kinds = np.bincount(np.searchsorted(customers, pairs["customer"].to_numpy()), minlength=n)
            columns[f"orders_distinct_product_id_{'ever' if window is None else '90d'}"] = kinds.astype(float)
    return customers, FeatureMatrix(tuple(columns), np.column_stack(list(columns.values())))


def money_after(history: History, customers: NDArray[np.int64], cutoff: int, days: int) -> Floats:
    """Money of these customers in [cutoff, cutoff + days)."""
    inside = (history.day >= cutoff) & (history.day < cutoff + days)
    return summed(history.customer[inside], history.amount[inside], int(customers.max()) + 1)[customers]
