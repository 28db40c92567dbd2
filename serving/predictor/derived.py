"""Derived orders: one account's order lines from its contracts, invoices or deals, as binding derives them."""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import pyarrow as pa

from features.binding.ledger import derive_lines


def derived_orders(tables: Mapping[str, pa.Table], ledger: Sequence[str], until: date) -> pa.Table:
    """The lines that an account's rows give.

    Args:
        tables: Canonical tables by name.
        ledger: Those of them that orders are derived from.
        until: The day until which terms without an end run on.

    Raises:
        TableError: A table lacks a column that lines are made of.
    """
    # One account's rows are few: a second thread would only be waited for.
    with duckdb.connect(config={"threads": 1}) as connection:
        for name in ledger:
            connection.register(f"given_{name}", tables[name])
            connection.execute(f"CREATE TABLE {name} AS FROM given_{name}")
        _, problems = derive_lines(connection, ledger, until)
        if problems:
            raise problems[0]
        return connection.sql("SELECT * EXCLUDE (_row) FROM orders").to_arrow_table()
