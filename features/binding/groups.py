"""Groups: what is written on the first row of a group only, given to all of its rows."""

import difflib
from collections.abc import Sequence

import duckdb

from features.binding.report import Finding
from features.errors import SourceError


def fill_groups(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: dict[str, str],
    wanted: Sequence[str],
    staging: str,
    shown: str,
) -> list[Finding]:
    """Copy a relation into a table with some columns filled from the row above where they are empty.

    Args:
        connection: Where it is.
        relation: The relation, as SQL; may be ``staging`` itself.
        columns: DuckDB type by column name.
        wanted: The columns to fill.
        staging: The table to create, as SQL.
        shown: The source, as messages call it.

    Returns:
        How many values were filled, by column.

    Raises:
        SourceError: There is no such column, or it is the only one.
    """
    by_name = {name.lower(): name for name in columns}
    names = []
    for name in wanted:
        if name.lower() not in by_name:
            near = difflib.get_close_matches(name.lower(), by_name, n=1)
            mend = f"did you mean {by_name[near[0]]!r}?" if near else f"it has {', '.join(columns)}"
            raise SourceError(f"fill_down: {shown} has no column {name!r}; {mend}")
        names.append(by_name[name.lower()])
    values = {name: _value(name, columns[name]) for name in names}
    filled = ", ".join(
        f"last_value({value} IGNORE NULLS) OVER (ORDER BY _tokui_row ROWS UNBOUNDED PRECEDING) AS {_name(name)}"
        for name, value in values.items()
    )
    counts = ", ".join(f"count({value})" for value in values.values())
    before = connection.execute(f"SELECT {counts} FROM {relation}").fetchall()[0]
    connection.execute(
        f"CREATE TABLE {staging}_filled AS SELECT * EXCLUDE (_tokui_row) REPLACE ({filled}) "
        f"FROM (SELECT *, row_number() OVER () AS _tokui_row FROM {relation}) ORDER BY _tokui_row"
    )
    connection.execute(f"DROP TABLE IF EXISTS {staging}")
    connection.execute(f"ALTER TABLE {staging}_filled RENAME TO {staging}")
    after = connection.execute(f"SELECT {counts} FROM {staging}").fetchall()[0]
    return [
        Finding("empty, filled from the row above", name, many - few)
        for name, few, many in zip(names, before, after, strict=True)
        if many > few
    ]


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _value(name: str, type_: str) -> str:
    """A value as it is, or NULL for a blank text."""
    column = _name(name)
    blank = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(12288)"
    return f"CASE WHEN trim({column}, {blank}) <> '' THEN {column} END" if type_ == "VARCHAR" else column
