"""Parents: accounts that belong to other accounts, as subsidiaries do, and the head of each such group."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from features.binding.report import Finding
from features.binding.sources import columns_of
from features.errors import TableError

_SHOWN = 8
"""So many accounts of a circle are named."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """What an account with a parent belongs to.

    Args:
        parent: The account right above it.
        group: The one at the top of the chain.
    """

    parent: str
    group: str


def belongings(
    connection: duckdb.DuckDBPyConnection, as_of: datetime | None = None
) -> dict[str, Belonging] | None:
    """What each account with a parent belongs to; None where customers bind no parents.

    An account that names itself has none. A parent that is no account itself still is the head of its group.

    Args:
        connection: Holds the bound customers.
        as_of: Parents as they were known before this moment; the newest if not given.

    Raises:
        TableError: Accounts belong to one another in a circle.
    """
    columns = columns_of(connection, "customers")
    if "parent_id" not in columns:
        return None
    rows = "SELECT customer_id, parent_id FROM customers"
    if "known_at" in columns:
        # The newest row tells, and tells so too where it has no parent any more.
        before = "" if as_of is None else f" WHERE coalesce(known_at < TIMESTAMP '{as_of}', true)"
        newest = "row_number() OVER (PARTITION BY customer_id ORDER BY known_at DESC NULLS LAST) = 1"
        rows = f"SELECT customer_id, parent_id FROM customers{before} QUALIFY {newest}"
    parents = dict(
        connection.execute(
            f"SELECT customer_id, parent_id FROM ({rows}) WHERE parent_id <> customer_id ORDER BY 1"
        ).fetchall()
    )
    heads = _heads(parents)
    return {account: Belonging(parent, heads[account]) for account, parent in parents.items()}


def _heads(parents: Mapping[str, str]) -> dict[str, str]:
    """The top of each chain; every account is walked over once."""
    heads: dict[str, str] = {}
    for account in parents:
        chain: dict[str, None] = {}
        at = account
        while at in parents and at not in heads:
            if at in chain:
                walked = list(chain)
                raise _circle(walked[walked.index(at) :])
            chain[at] = None
            at = parents[at]
        head = heads.get(at, at)
        heads |= dict.fromkeys(chain, head)
    return heads


def _circle(accounts: list[str]) -> TableError:
    shown = [*accounts[:_SHOWN], *(["…"] if len(accounts) > _SHOWN else []), accounts[0]]
    return TableError(
        f"customers.parent_id: {len(accounts)} accounts belong to one another in a circle, {' → '.join(shown)}; one of them "
        "has no parent: mend it in the source, or leave it out with an expression such as "
        f"parent_id = \"CASE WHEN id <> '{accounts[0]}' THEN parent END\""
    )


def parent_notes(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """What is odd about parents: accounts that name themselves, and parents that are no accounts.

    Raises:
        TableError: Accounts belong to one another in a circle.
    """
    if belongings(connection) is None:
        return []
    own, example = connection.execute(
        "SELECT count(DISTINCT customer_id), min(customer_id) FROM customers WHERE parent_id = customer_id"
    ).fetchall()[0]
    strange, stranger = connection.execute(
        "SELECT count(DISTINCT parent_id), min(parent_id) FROM customers "
        "WHERE parent_id NOT IN (SELECT customer_id FROM customers)"
    ).fetchall()[0]
    notes = [
        Finding("name themselves, taken as having no parent", "parent_id", own, example),
        Finding(
            "parents are not in customers, groups are called by them all the same",
            "parent_id",
            strange,
            stranger,
        ),
    ]
    return [note for note in notes if note.count]
