"""The canonical tables, gathered: a new one is a module beside this and a word in `DECLARED`."""

from features.catalogue.account import CUSTOMERS, CUSTOMERS_KNOWN
from features.catalogue.assignments import ASSIGNMENTS
from features.catalogue.contracts import CONTRACTS
from features.catalogue.costs import COSTS
from features.catalogue.deals import DEALS
from features.catalogue.engagement import ENGAGEMENT
from features.catalogue.fx import FX
from features.catalogue.invoices import INVOICES
from features.catalogue.orders import ORDERS, ORDERS_BOOKED
from features.catalogue.surveys import SURVEYS
from features.catalogue.tickets import TICKETS
from features.catalogue.usage import USAGE
from features.engine.streams import Stream
from features.schema import Table

DECLARED = (
    CUSTOMERS, ORDERS, CONTRACTS, USAGE, TICKETS, INVOICES, ENGAGEMENT, SURVEYS, DEALS, ASSIGNMENTS, COSTS,
)  # fmt: skip
"""All of them, in the order of the data dictionary."""

TABLES: dict[str, Table] = {declared.table.name: declared.table for declared in DECLARED}
"""The tables by name."""

BINDABLE: dict[str, Table] = TABLES | {FX.name: FX}
"""What tokui.toml may bind: the canonical tables, and the rates that their money is converted by."""

LEDGERS = ("invoices", "contracts", "deals")
"""Tables that tell money, and that `orders` can be derived from."""

STREAMS: dict[str, Stream] = {stream.name: stream for declared in DECLARED for stream in declared.streams}
"""All streams by name, table by table."""

PEOPLE: tuple[Stream, ...] = (CUSTOMERS_KNOWN, ORDERS_BOOKED)
"""Whoever has a row in one of these is a customer, from its first date on."""
