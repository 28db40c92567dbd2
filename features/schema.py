"""The eleven canonical tables: what a column is called, holds and means.

The data dictionary in docs/ is printed from here, bindings are checked against it, and the
simulator writes it.
"""

from dataclasses import dataclass
from enum import StrEnum

from features.errors import DefinitionError


class Kind(StrEnum):
    """What a canonical column holds."""

    ID = "id"
    TEXT = "text"
    TIME = "time"
    NUMBER = "number"
    FLAG = "flag"

    @property
    def sql(self) -> str:
        """The DuckDB type it is stored as."""
        return _SQL[self.value]


_SQL = {"id": "VARCHAR", "text": "VARCHAR", "time": "TIMESTAMP", "number": "DOUBLE", "flag": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column.

    Args:
        name: Canonical name.
        kind: What it holds. Times are wall-clock times in the project's time zone.
        meaning: One plain phrase for the data dictionary.
        required: Whether a bound table must map it and every row must have it.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table.

    Args:
        name: Canonical name.
        row: What one row is.
        columns: All columns, ``customer_id`` first and ``known_at`` last.
        time: The column that dates the row itself.
        key: Columns that identify a row; empty where repeated rows are legitimate events.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    time: str
    key: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Look a column up by name.

        Raises:
            DefinitionError: The table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        have = ", ".join(column.name for column in self.columns)
        raise DefinitionError(f"table {self.name} has no column {name!r}; it has {have}")


def _table(name: str, row: str, time: str, *columns: Column, key: tuple[str, ...] = ()) -> Table:
    customer = Column("customer_id", Kind.ID, "the account, any text or number", required=True)
    known = Column("known_at", Kind.TIME, "when the row reached the books, if later than its own date")
    return Table(name, row, (customer, *columns, known), time, key)


_ID, _TEXT, _TIME, _NUMBER, _FLAG = Kind.ID, Kind.TEXT, Kind.TIME, Kind.NUMBER, Kind.FLAG

CUSTOMERS = _table(
    "customers",
    "an account",
    "created_at",
    Column("created_at", _TIME, "when the account was opened"),
    Column("industry", _TEXT, "industry of the account"),
    Column("country", _TEXT, "country of the account"),
    Column("region", _TEXT, "sales region, state or prefecture"),
    Column("employees", _NUMBER, "number of employees"),
    Column("acquisition_cost", _NUMBER, "money spent to win the account"),
    Column("owner", _TEXT, "salesperson or team in charge"),
    key=("customer_id",),
)
ORDERS = _table(
    "orders",
    "an order line",
    "occurred_at",
    Column("occurred_at", _TIME, "when the order was placed", required=True),
    Column("order_id", _ID, "order or invoice the line belongs to"),
    Column("product_id", _ID, "what was bought"),
    Column("quantity", _NUMBER, "units; negative for a return"),
    Column("amount", _NUMBER, "money of the line; negative for a return", required=True),
    Column("margin", _NUMBER, "contribution margin of the line; where empty, amount times ltv.margin_rate"),
)
CONTRACTS = _table(
    "contracts",
    "a term of a contract",
    "starts_at",
    Column("contract_id", _ID, "the contract; terms of one contract share it", required=True),
    Column("product_id", _ID, "what is contracted"),
    Column("starts_at", _TIME, "first day of the term", required=True),
    Column("ends_at", _TIME, "first day after the term", required=True),
    Column("cancelled_at", _TIME, "when notice was given, if it was"),
    Column("monthly_amount", _NUMBER, "money a month", required=True),
    Column("seats", _NUMBER, "contracted seats"),
    key=("contract_id", "starts_at"),
)
USAGE = _table(
    "usage",
    "a day of product use",
    "occurred_at",
    Column("occurred_at", _TIME, "the day of use", required=True),
    Column("feature", _TEXT, "function or module used"),
    Column("events", _NUMBER, "events on the day", required=True),
    Column("active_users", _NUMBER, "distinct users on the day"),
    Column("quota_share", _NUMBER, "share of the contracted quota used, 0 to 1 and above"),
)
TICKETS = _table(
    "tickets",
    "a support case",
    "opened_at",
    Column("opened_at", _TIME, "when the case was opened", required=True),
    Column("closed_at", _TIME, "when it was closed, if it was"),
    Column("severity", _NUMBER, "1 (question) to 4 (outage)"),
    Column("category", _TEXT, "kind of case"),
    Column("complaint", _FLAG, "whether it was a complaint"),
    Column("satisfaction", _NUMBER, "rating after closing, 1 to 5"),
)
INVOICES = _table(
    "invoices",
    "an invoice",
    "issued_at",
    Column("issued_at", _TIME, "when it was issued", required=True),
    Column("due_at", _TIME, "when it falls due", required=True),
    Column("paid_at", _TIME, "when it was paid, if it was"),
    Column("amount", _NUMBER, "money invoiced", required=True),
)
ENGAGEMENT = _table(
    "engagement",
    "a touch",
    "occurred_at",
    Column("occurred_at", _TIME, "when it happened", required=True),
    Column("kind", _TEXT, "email_sent, email_opened, email_clicked, seminar or web_visit", required=True),
    Column("campaign_id", _ID, "campaign it belongs to"),
)
SURVEYS = _table(
    "surveys",
    "an NPS answer",
    "occurred_at",
    Column("occurred_at", _TIME, "when it was given", required=True),
    Column("score", _NUMBER, "0 to 10", required=True),
)
DEALS = _table(
    "deals",
    "a sales opportunity",
    "opened_at",
    Column("opened_at", _TIME, "when it was opened", required=True),
    Column("closed_at", _TIME, "when it was won or lost, if it was"),
    Column("stage", _TEXT, "stage at the row's date"),
    Column("kind", _TEXT, "new, renewal, upsell or cross-sell"),
    Column("amount", _NUMBER, "expected money"),
    Column("won", _FLAG, "whether it was won; empty while open"),
)
ASSIGNMENTS = _table(
    "assignments",
    "a customer put in an arm",
    "assigned_at",
    Column("experiment_id", _ID, "the experiment or campaign", required=True),
    Column("assigned_at", _TIME, "when the customer was put in the arm", required=True),
    Column("arm", _TEXT, "arm of the experiment; control among them", required=True),
    Column("propensity", _NUMBER, "probability with which this arm was drawn"),
    # Not without the arm: a customer in two arms must reach the readout, which says so.
    key=("experiment_id", "customer_id", "arm"),
)
COSTS = _table(
    "costs",
    "cost to serve, a row a month",
    "occurred_at",
    Column("occurred_at", _TIME, "the month, by its first day", required=True),
    Column("amount", _NUMBER, "money", required=True),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CUSTOMERS, ORDERS, CONTRACTS, USAGE, TICKETS, INVOICES,
        ENGAGEMENT, SURVEYS, DEALS, ASSIGNMENTS, COSTS,
    )
}  # fmt: skip
"""All canonical tables by name, in the order of the data dictionary."""
