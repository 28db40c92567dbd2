"""Identities: ids that several writings of one customer may hide behind."""

from collections.abc import Sequence

import duckdb

from features.binding.report import Finding
from features.errors import TableError


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


def id_notes(connection: duckdb.DuckDBPyConnection, tables: Sequence[str], origin: str) -> list[Finding]:
    """Customers of all tables whose ids differ only by case, or only by leading zeros, and ids that stand for nobody.

    Args:
        connection: Holds the bound tables.
        tables: Their names.
        origin: The table that customers are derived from, if there is one: they have all of its ids.
    """
    everyone = " UNION ".join(f"SELECT customer_id AS id FROM {name}" for name in tables if name != origin)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE everyone AS {everyone}")
    notes = []
    for setting, what in (("ignore_case", "upper and lower case"), ("ignore_leading_zeros", "leading zeros")):
        folded = same_id(
            "id", ignore_case=setting == "ignore_case", ignore_leading_zeros=setting == "ignore_leading_zeros"
        )
        count, first, second = connection.execute(
            f"SELECT count(*), min(one), min_by(other, one) FROM (SELECT min(id) AS one, max(id) AS other FROM everyone "
            f"WHERE id IS NOT NULL GROUP BY {folded} HAVING count(*) > 1)"
        ).fetchall()[0]
        if count:
            reason = f"ids differ from another one only by {what}, as {second!r} does; [ids] {setting} = true makes them one"
            notes.append(Finding(reason, "customer_id", count, first))
    notes += _nobody(connection, tables)
    connection.execute("DROP TABLE everyone")
    return notes


_NOBODY = (
    r"0+|-1|9{4,}|x+|guest|guests|unknown|anonymous|anon|nobody|dummy|test|tbd|cash|walk[- ]?in|misc(ellaneous)?|other|others|"
    r"ゲスト|不明|未登録|その他|諸口|雑口|ダミー|テスト|現金|一見|非会員"
)
"""Ids under which shops put all that have none of their own."""


def _nobody(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> list[Finding]:
    """Ids that stand for nobody: all who have none would be learnt from as one great customer."""
    nobody = f"SELECT id FROM everyone WHERE regexp_full_match(lower(id), '{_NOBODY}')"
    counts = " UNION ALL ".join(
        f"SELECT customer_id AS id, count(*) AS n FROM {name} WHERE customer_id IN ({nobody}) GROUP BY 1"
        for name in tables if name != "customers"
    )  # fmt: skip
    if not counts or not connection.execute(f"SELECT count(*) FROM ({nobody})").fetchall()[0][0]:
        return []
    rows, example = connection.execute(f"SELECT sum(n), arg_max(id, n) FROM ({counts})").fetchall()[0]
    if not rows:
        return []
    reason = "rows are of an id that stands for nobody, as it looks; if so, leave it out with where"
    return [Finding(reason, "customer_id", int(rows), example)]


def strange_ids(connection: duckdb.DuckDBPyConnection, name: str) -> Finding | None:
    """The ids of a table that customers do not have; None where they have all of them."""
    count, example = connection.execute(
        f"SELECT count(*), min(customer_id) FROM (SELECT DISTINCT customer_id FROM {name} "
        "WHERE customer_id NOT IN (SELECT customer_id FROM customers))"
    ).fetchall()[0]
    return Finding("ids are not in customers", "customer_id", count, example) if count else None


def nobody_known(connection: duckdb.DuckDBPyConnection, strange: Finding) -> TableError:
    """Why orders of whose ids customers have none cannot be meant."""
    account = connection.execute("SELECT min(customer_id) FROM customers").fetchall()[0][0]
    return TableError(
        f"orders.customer_id: none of {strange.count:,} ids is in customers, for example {strange.example!r} where "
        f"customers has ids like {account!r}; bind the ids so that both write them alike"
    )
