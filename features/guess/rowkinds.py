"""Kinds of rows: files that write invoices and their items, or orders and their lines, under each other."""

from dataclasses import dataclass, replace

import duckdb

from features.binding.textfiles import quote
from features.guess.columns import FileLook, identifier_of

_MOST_KINDS = 6


@dataclass(frozen=True, slots=True)
class RowKind:
    """The rows of a file that name a customer.

    Args:
        column: The column that says of which kind a row is.
        named: Its values on rows that name one.
        others: Its values on rows that never do.
    """

    column: str
    named: tuple[str, ...]
    others: tuple[str, ...]

    def sql(self, look: FileLook) -> str:
        """The condition that a row names a customer."""
        return f"{look.sql(self.column)} IN ({', '.join(quote(kind) for kind in self.named)})"


def row_kind(connection: duckdb.DuckDBPyConnection, look: FileLook, owner: str | None) -> RowKind | None:
    """The column that tells rows with a customer from rows without, if one does for every row.

    Args:
        connection: Holds the sample.
        look: The file.
        owner: The column that names the customer.
    """
    if owner is None or not 0 < look.filled[owner] < look.rows:
        return None
    named = f"coalesce(trim(CAST({identifier_of(owner)} AS VARCHAR)), '') <> ''"
    for name in look.kinds:
        if name == owner or look.kinds[name] != "text" or not 2 <= look.different[name] <= _MOST_KINDS:
            continue
        kinds = connection.execute(
            f"SELECT coalesce(trim(CAST({identifier_of(name)} AS VARCHAR)), '') AS kind, bool_and({named}), bool_or({named}) "
            f"FROM {look.sample} GROUP BY kind ORDER BY kind"
        ).fetchall()
        if any(not kind or always != ever for kind, always, ever in kinds):
            continue
        with_customer = tuple(kind for kind, always, _ in kinds if always)
        if with_customer:
            return RowKind(name, with_customer, tuple(kind for kind, always, _ in kinds if not always))
    return None


def named_rows_only(connection: duckdb.DuckDBPyConnection, look: FileLook, kind: RowKind) -> FileLook:
    """A look that counts what is filled on the rows that name a customer only."""
    counts = ", ".join(
        f"count(nullif(trim(CAST({identifier_of(name)} AS VARCHAR)), ''))" for name in look.kinds
    )
    rows, *filled = connection.execute(
        f"SELECT count(*), {counts} FROM {look.sample} WHERE {kind.sql(look)}"
    ).fetchall()[0]
    return replace(look, rows=int(rows), filled=dict(zip(look.kinds, filled, strict=True)))
