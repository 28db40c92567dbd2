"""Identities: ids that several writings of one customer may hide behind."""

from collections.abc import Sequence

import duckdb

from features.binding.report import Finding


def same_id(sql: str, *, ignore_case: bool, ignore_leading_zeros: bool) -> str:
    """SQL of an id as far as the project tells ids apart.

    Args:
        sql: SQL of the id.
        ignore_case: Whether upper and lower case are one.
        ignore_leading_zeros: Whether 0012 and 12 are one.
    """
    if ignore_leading_zeros:
        sql = f"regexp_replace({sql}, '^0+([^0].*|0)$', '\\1')"
    return f"lower({sql})" if ignore_case else sql


def id_notes(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> list[Finding]:
    """Customers of all tables whose ids differ only by case, or only by leading zeros.

    Args:
        connection: Holds the bound tables.
        tables: Their names.
    """
    everyone = " UNION ".join(f"SELECT customer_id AS id FROM {name}" for name in tables)
    notes = []
    for setting, what in (("ignore_case", "upper and lower case"), ("ignore_leading_zeros", "leading zeros")):
        folded = same_id(
            "id", ignore_case=setting == "ignore_case", ignore_leading_zeros=setting == "ignore_leading_zeros"
        )
        count, first, second = connection.execute(
            f"SELECT count(*), min(one), min_by(other, one) FROM (SELECT min(id) AS one, max(id) AS other FROM ({everyone}) "
            f"WHERE id IS NOT NULL GROUP BY {folded} HAVING count(*) > 1)"
        ).fetchall()[0]
        if count:
            reason = f"ids differ from another one only by {what}, as {second!r} does; [ids] {setting} = true makes them one"
            notes.append(Finding(reason, "customer_id", count, first))
    return notes
