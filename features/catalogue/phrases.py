"""Words: what a feature and its value say, in plain English."""

import math
from dataclasses import dataclass
from typing import Literal

from features.aggregations.trends import Ratio
from features.engine.aggregation import Aggregation
from features.engine.views import Calendar, FeatureSet, FeatureView
from features.engine.windows import Window

DERIVED = ("bgnbd_purchases", "gamma_spend", "bgnbd_value", "bgnbd_alive", "recency_share")
"""Columns the purchase model adds for the boosters."""

Group = Literal["usage", "support", "payment", "engagement", "purchasing", "account", "season"]

GROUPS: dict[str, Group] = {
    "customers": "account",
    "orders": "purchasing",
    "deals": "purchasing",
    "contracts": "payment",
    "invoices": "payment",
    "costs": "payment",
    "usage": "usage",
    "tickets": "support",
    "surveys": "support",
    "engagement": "engagement",
    "assignments": "engagement",
}
"""What a table's features are about."""

_ROWS = {
    "customers": ("account", "accounts"),
    "orders": ("order", "order lines"),
    "returns": ("return", "returned lines"),
    "contracts": ("contract", "contract terms"),
    "usage": ("use", "days of use"),
    "tickets": ("ticket", "tickets"),
    "invoices": ("invoice", "invoices"),
    "engagement": ("touch", "touches"),
    "surveys": ("survey answer", "survey answers"),
    "deals": ("deal", "deals"),
    "assignments": ("assignment", "assignments"),
    "costs": ("cost", "costs"),
}
_MONEY = {"amount", "margin", "monthly_amount", "acquisition_cost"}
_COLUMNS = {
    "amount": "money",
    "quantity": "units",
    "product_id": "product",
    "order_id": "order",
    "acquisition_cost": "cost of winning the account",
    "employees": "number of employees",
}
_NOUNS = {
    "count": "Number of {rows} {when}",
    "active_days": "Days with {rows} {when}",
    "distinct": "Different {column}s {when}",
    "top_share": "Share of the most frequent {column} in {rows} {when}",
    "sum": "Total {column} of {rows} {when}",
    "mean": "Average {column} of {rows} {when}",
    "std": "Spread of {column} of {rows} {when}",
    "min": "Smallest {column} of {rows} {when}",
    "max": "Largest {column} of {rows} {when}",
    "gap_mean": "Average days between {rows} {when}",
    "gap_std": "Spread of the days between {rows} {when}",
    "first": "{Column} of the first of the {rows}",
    "last": "{Column} of the latest of the {rows}",
    "trend": "Trend of {column} of {rows} {when}, recent half against earlier half",
    "slope": "Change of {column} of {rows} a day {when}",
    "days_since_first": "First {row}",
    "days_since_last": "No {row}",
}
_SHARES = {"top_share", "trend", "ratio"}
_DERIVED = dict(
    zip(
        DERIVED,
        (
            ("Purchase days the buying rhythm lets expect", "number"),
            ("Money a purchase day is expected to bring", "money"),
            ("Money the buying rhythm lets expect", "money"),
            ("Probability of still being a customer, by the buying rhythm", "share"),
            ("Share of the time since the first order that lies before the last", "share"),
        ),
        strict=True,
    )
)
_CALENDAR = {
    "cutoff_month": "Month of the year",
    "cutoff_quarter": "Quarter of the year",
    "cutoff_weekday": "Day of the week, 1 is Monday",
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """How a feature is said.

    Args:
        noun: What it is.
        form: ``number``, ``money``, ``share``, ``silence`` (days without) or ``ago`` (days since).
        group: What it is about.
        missing: What no value means, where it means more than that it is not known.
    """

    noun: str
    form: str
    group: Group
    missing: str = ""

    def say(self, value: float | str | None, currency: str) -> str:
        """The feature with its value.

        Args:
            value: Text for a categorical feature; None where it is unknown.
            currency: Of money.
        """
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return self.missing or f"{self.noun}: not known"
        if isinstance(value, str):
            return f"{self.noun}: {value}"
        whole = f"{value:,.0f}"
        said = {
            "silence": f" for {whole} days",
            "ago": f" {whole} days ago",
            "share": f": {value:.0%}",
            "money": f": {whole} {currency}",
            "number": f": {whole}" if value == round(value) else f": {value:,.3g}",
        }
        return self.noun + said[self.form]


def phrases(features: FeatureSet) -> dict[str, Phrase]:
    """A phrase for each feature, and for what the purchase model derives from them."""
    found = {name: Phrase(noun, form, "purchasing") for name, (noun, form) in _DERIVED.items()}
    for view in features.views:
        if isinstance(view, Calendar):
            found |= {name: Phrase(_CALENDAR[name], "number", "season") for name in view.names}
            continue
        for aggregation in view.aggregations:
            names = view.names_of(aggregation)
            windows = (None,) * len(names) if isinstance(aggregation, Ratio) else view.windows
            for name, window in zip(names, windows, strict=True):
                found[name] = _phrase(view, aggregation, window)
    return found


def _phrase(view: FeatureView, aggregation: Aggregation, window: Window | None) -> Phrase:
    table = view.stream.table
    group = GROUPS[table]
    row, rows = _ROWS.get(view.prefix or table, _ROWS[table])
    column = aggregation.columns[0] if aggregation.columns else ""
    called = _COLUMNS.get(column, column.removesuffix("_id").replace("_", " "))
    if isinstance(aggregation, Ratio):
        what = f"Total {called} of {rows}" if column else f"Number of {rows}"
        noun = f"{what}, last {aggregation.short.days} days as a share of the last {aggregation.long.days}"
        return Phrase(noun, "share", group)
    if table == "customers":
        if aggregation.word == "days_since_first":
            return Phrase("Account opened", "ago", group, "Day the account was opened: not known")
        return Phrase(called.capitalize(), "money" if column in _MONEY else "number", group)
    noun = _NOUNS.get(
        aggregation.word, f"{aggregation.word.replace('_', ' ')} of {{column}} of {{rows}} {{when}}"
    )
    form = "money" if column in _MONEY and not view.stream.is_text(column) else "number"
    if aggregation.word in _SHARES:
        form = "share"
    form = {"days_since_last": "silence", "days_since_first": "ago"}.get(aggregation.word, form)
    said = noun.format(row=row, rows=rows, column=called, Column=called.capitalize(), when=_when(window))
    # Nothing in the window is a fact about the customer, not a gap in the data.
    nothing = f"No {row} {'yet' if window is None or window.days is None else _when(window)}"
    return Phrase(said.strip(), form, group, nothing if form in {"silence", "ago"} else "")


def _when(window: Window | None) -> str:
    if window is None:
        return ""
    return "since the beginning" if window.days is None else f"in the last {window.days} days"
