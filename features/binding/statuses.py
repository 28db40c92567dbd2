"""Statuses: rows that say themselves that they are no sales, and are counted because no condition leaves them out."""

import duckdb

from features.binding.mapping import Binding
from features.binding.report import Finding
from features.binding.sources import Source
from features.binding.textfiles import quote
from features.schema import Table
from features.settings import TableSettings
from features.values import statuses

_CARRIED = "_mark."


def status_columns(table: Table, settings: TableSettings, source: Source) -> dict[str, str]:
    """The columns to carry along to see what rows say of themselves; those that ``where`` speaks of say nothing new.

    Args:
        table: The canonical table.
        settings: Its binding.
        source: The opened source.

    Returns:
        Expressions by a name that ends in the place of the column.
    """
    if table.name == "customers" or not any(column.money for column in table.columns):
        return {}
    spoken = (settings.where or "").lower()
    return {
        f"{_CARRIED}{place}": _quoted(heading)
        for place, heading in enumerate(source.columns)
        if heading.lower() not in spoken
        and (
            statuses.speaks_of_status(heading)
            or statuses.speaks_of_removal(heading, lasting=_lasting(table))
            or (statuses.speaks_of_kind(heading) and not _lasting(table))
        )
    }


def status_notes(connection: duckdb.DuckDBPyConnection, binding: Binding) -> list[Finding]:
    """What rows say that are counted and are most likely no sales, with the line that leaves them out.

    What is taken back by money of the other sign has to stay.
    """
    money = next(
        (bound.name for bound in binding.columns if bound.column is not None and bound.column.money), None
    )
    if money is None:
        return []
    lasting = _lasting(binding.table)
    truths = ", ".join(quote(word) for word in sorted(statuses.TRUE))
    notes = []
    for bound in binding.columns:
        if not bound.name.startswith(_CARRIED):
            continue
        heading = list(binding.source.columns)[int(bound.name.removeprefix(_CARRIED))]
        text = f'trim(CAST("{bound.name}" AS VARCHAR))'
        kind = statuses.speaks_of_kind(heading) and not lasting
        pattern = quote(statuses.no_sale(lasting=lasting, kind=kind))
        credited = (
            f"regexp_full_match(lower(value), {quote(statuses.credit_words(heading))})" if kind else "false"
        )
        if statuses.speaks_of_status(heading) or kind:
            says = f"(regexp_full_match(lower(value), {pattern}) OR {credited})"
        else:
            says = f"lower(value) IN ({truths})"
        values = connection.execute(
            f"SELECT value, n, first_row, total, {credited} FROM (SELECT {text} AS value, count(*) AS n, min(_row) AS first_row, "
            f"sum({money}) AS total, min({money}) AS least FROM {binding.table.name} GROUP BY value) "
            f"WHERE {says} AND coalesce(least, 0) >= 0 ORDER BY first_row"
        ).fetchall()
        for takes_back in (False, True):
            told = [row[:4] for row in values if row[4] == takes_back]
            if told:
                notes.append(_note(heading, money, told, takes_back=takes_back))
    return notes


def _note(
    heading: str, money: str, values: list[tuple[str, int, int, float | None]], *, takes_back: bool
) -> Finding:
    listed = ", ".join(quote(value) for value, *_ in values)
    total = sum(amount or 0.0 for *_, amount in values)
    text = f"CAST({_quoted(heading)} AS VARCHAR)"
    if takes_back:
        mend = f"if they take money back, say so: {money} = '''CASE WHEN {text} IN ({listed}) THEN -(…) ELSE (…) END'''"
    else:
        mend = f"if they are no sales, leave them out: where = '''coalesce({text}, '') NOT IN ({listed})'''"
    reason = f"rows with {total:,.2f} of {money} say {listed} and are counted; {mend}"
    first_value, _, first_row, _ = values[0]
    return Finding(reason, heading, sum(count for _, count, *_ in values), first_value, first_row)


def _quoted(heading: str) -> str:
    return '"' + heading.replace('"', '""') + '"'


def _lasting(table: Table) -> bool:
    return table.name in {"contracts", "deals"}
