"""The public histories of the benchmarks, bound as a user would bind them: through a tokui.toml."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from features.binding.tables import bind
from features.catalogue.orders import ORDERS_PLACED
from features.history import History, Panel, read_history
from features.settings import load_settings
from features.types import DAY, Floats

SHARED = Path(__file__).parents[1].parent / "shared" / "data"


def _bound(name: str, currency: str, ltv_days: int, churn_days: list[int], tables: str) -> str:
    # What `tokui init` writes for these files, but for four lines each: the horizons are those of the
    # published comparisons, money is not discounted there, a cutoff comes every two weeks because less
    # than a year lies before the judged one, and cutoffs may begin after two months.
    return f"""
name = "{name}"
currency = "{currency}"
[ltv]
horizon_days = {ltv_days}
discount_rate = 0
[churn]
horizons_days = {churn_days}
silence_days = 30
[training]
step_days = 14
min_history_days = 60
[tables.customers]
derive = "orders"
{tables}
"""


_CDNOW = f"""
[tables.orders]
source = "{SHARED / "cdnow_master.txt"}"
dates = "%Y%m%d"
[tables.orders.columns]
customer_id = "customer_id"
occurred_at = "date"
quantity = "number_of_cds"
amount = "dollar_value"
"""

_ONLINE_RETAIL = f"""
[tables.customers.columns]
country = "Country"
[tables.orders]
source = "{SHARED / "online_retail.parquet"}"
where = "StockCode NOT IN ('POST', 'DOT', 'M', 'D', 'S', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'DCGSSGIRL', 'DCGSSBOY', 'PADS', 'B', 'm', 'C2')"
[tables.orders.columns]
customer_id = "CustomerID"
occurred_at = "InvoiceDate"
order_id = "InvoiceNo"
product_id = "StockCode"
quantity = "Quantity"
amount = "Quantity * UnitPrice"
"""

HISTORIES = {
    "cdnow": _bound("cdnow", "USD", 273, [30, 60, 90], _CDNOW),
    "online_retail": _bound("online retail", "GBP", 90, [15, 30, 45], _ONLINE_RETAIL),
}


def there() -> list[str]:
    """The histories whose files are there; one line on standard error for each of the others.

    Raises:
        SystemExit: None is.
    """
    files = {"cdnow": "cdnow_master.txt", "online_retail": "online_retail.parquet"}
    missing = [file for file in files.values() if not (SHARED / file).exists()]
    for file in missing:
        print(f"{file} is not in {SHARED} and left out", file=sys.stderr)
    if len(missing) == len(files):
        raise SystemExit("none of the public histories is there, so there is nothing to compare on")
    return [name for name, file in files.items() if file not in missing]


def read(name: str) -> History:
    """One of the histories, read as a training reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokui.toml"
        path.write_text(HISTORIES[name], encoding="utf-8")
        with bind(load_settings(path)) as tables:
            return read_history(tables)


def first_day_money(history: History, panel: Panel) -> Floats:
    """Money of each customer's first purchase day, [n]: Fader and Hardie count only what came later."""
    events = history.store.streams[ORDERS_PLACED.name]
    rows = np.diff(events.offsets)
    day = events.times // DAY
    first = np.repeat(day[np.minimum(events.offsets[:-1], len(day) - 1)], rows)
    who = np.repeat(np.arange(len(rows)), rows)
    money = np.bincount(who, events.numbers["amount"] * (day == first), len(rows))
    return np.asarray(money[panel.observations.customers], dtype=np.float64)
