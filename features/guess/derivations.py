"""Derivations: what the columns of a file say together, where none of them says it alone."""

import re
from collections.abc import Sequence

import duckdb

from features.binding.textfiles import quote
from features.catalogue.contracts import CONTRACTS
from features.catalogue.deals import DEALS
from features.catalogue.orders import ORDERS
from features.guess.columns import FileLook, identifier_of
from features.guess.lines import CHECK, Line
from features.guess.periods import months_of
from features.guess.synonyms import is_unit_price, likeness, names_a_key, readings
from features.schema import Kind, Table
from features.values.statuses import speaks_of_status
from features.values.text import normalise


def derived_columns(
    connection: duckdb.DuckDBPyConnection, look: FileLook, table: Table, lines: Sequence[Line]
) -> list[Line]:
    """The lines of a file as a table, and those that several of its columns make together.

    Args:
        connection: Holds the sample.
        look: The file.
        table: The canonical table.
        lines: What single columns say.
    """
    if table is ORDERS.table:
        return _price_times_quantity(connection, look, list(lines))
    if table is CONTRACTS.table:
        return _billing(connection, look, list(lines))
    by_column = {line.column: line for line in lines}
    if table is DEALS.table and "won" not in by_column:
        return [*lines, *_won(connection, look, by_column.get("stage"))]
    return list(lines)


def values_in(connection: duckdb.DuckDBPyConnection, look: FileLook, name: str) -> list[str]:
    """The different values of a column in the sample, as texts, trimmed, those that are there."""
    rows = connection.execute(
        f"SELECT DISTINCT trim(CAST({identifier_of(name)} AS VARCHAR)) AS v FROM {look.sample} "
        "WHERE v IS NOT NULL AND v <> '' ORDER BY v"
    ).fetchall()
    return [str(row[0]) for row in rows]


_WON = re.compile(
    r"(closed\s*)?-?\s*(won|win)|closedwon|won deal|受注|受注済み?|受注確定|成約|成約済み?|契約済み?|獲得|勝ち",
    re.IGNORECASE,
)


def _won(connection: duckdb.DuckDBPyConnection, look: FileLook, stage: Line | None) -> list[Line]:
    """By the words for won in the stage, or in whatever says what became of a deal."""
    stages = [] if stage is None else [stage.expression]
    for name in (*stages, *(name for name in look.kinds if speaks_of_status(name))):
        if look.kinds.get(name) != "text":
            continue
        won = [text for text in values_in(connection, look, name) if _WON.fullmatch(text)]
        if won:
            listed = ", ".join(quote(text) for text in won)
            return [Line("won", f"{look.sql(name)} IN ({listed})", f"by the values seen; {CHECK}", 2)]
    return []


_YEARLY = frozenset(
    [
        "arr",
        "arramount",
        "annualamount",
        "annualprice",
        "annualfee",
        "annualvalue",
        "yearlyamount",
        "yearlyprice",
        "acv",
        "年額",
        "年額料金",
        "年間契約額",
        "年間利用料",
    ]
)
_RHYTHM = (
    "interval", "frequency", "billingperiod", "billingcycle", "billingterm", "billingschedule", "periodunit", "recurrence", "cycle",
    "支払サイクル", "請求サイクル", "請求間隔", "支払間隔", "支払周期", "請求周期", "課金周期", "請求頻度", "支払頻度", "支払方法", "支払区分",
)  # fmt: skip
_MOST_PERIODS = 36


def _billing(connection: duckdb.DuckDBPyConnection, look: FileLook, lines: list[Line]) -> list[Line]:
    """Months between invoices from words, and the monthly amount from that of a year or of whatever period is billed."""
    bound = {line.column for line in lines}
    taken = {line.expression for line in lines if line.column not in {"billing_months", "product_id"}}
    months, unknown = _months(connection, look, taken)
    if months is not None and "billing_months" not in bound:
        odd = f", {unknown[0]!r} not understood; {CHECK}" if unknown else ""
        lines = [*lines, Line("billing_months", months, f"from its words{odd}", 2 if unknown else 3)]
    if "monthly_amount" in bound:
        return lines
    numbers = [
        name for name in look.kinds
        if look.may_be(name, Kind.NUMBER) and look.kinds[name] != "empty" and not names_a_key(name)
    ]  # fmt: skip
    yearly = [name for name in numbers if any(normalise(reading) in _YEARLY for reading in readings(name))]
    if yearly:
        reason = f"a twelfth of the yearly amount; {CHECK}"
        return [*lines, Line("monthly_amount", f"{look.sql(yearly[0])} / 12", reason, 2)]
    amount = ORDERS.table.column("amount")
    told = [name for name in numbers if likeness(name, ORDERS.table, amount) >= 3 or is_unit_price(name)]
    if months is None or not told:
        return lines
    units = [name for name in numbers if normalise(name) in {"quantity", "planquantity", "数量", "個数"}]
    product = " * ".join(look.sql(name) for name in (told[0], *units[:1]))
    lines = [line for line in lines if line.expression not in units or line.column == "seats"]
    return [
        *lines,
        Line("monthly_amount", f"{product} / ({months})", f"what a period costs, by its months; {CHECK}", 2),
    ]


def _months(
    connection: duckdb.DuckDBPyConnection, look: FileLook, taken: set[str]
) -> tuple[str | None, list[str]]:
    """SQL of the months of a period that is told in words, and the words that are not understood."""
    for name in look.kinds:
        plain = normalise(name)
        spoken = any(word in normalise(reading) for reading in readings(name) for word in _RHYTHM)
        if look.kinds[name] != "text" or name in taken or not spoken:
            continue
        values = values_in(connection, look, name)
        read = {text: months for text in values if (months := months_of(text)) is not None}
        if not read:
            continue
        cases = " ".join(f"WHEN {quote(text.lower())} THEN {months}" for text, months in read.items())
        sql = f"CASE lower(trim({look.sql(name)})) {cases} END"
        count = next((other for other in look.kinds if _counts(look, other, plain)), None)
        if count is not None:
            sql = f"{look.sql(count)} * {sql}"
        return sql, [text for text in values if text not in read]
    return None, []


def _counts(look: FileLook, name: str, unit: str) -> bool:
    """Whether a column says how many of the units make a period: an interval's count, a period beside its unit."""
    plain = normalise(name)
    pair = plain == f"{unit}count" or (unit.endswith("unit") and plain == unit.removesuffix("unit"))
    return pair and look.kinds[name] == "number" and look.different[name] <= _MOST_PERIODS


def _price_times_quantity(
    connection: duckdb.DuckDBPyConnection, look: FileLook, lines: list[Line]
) -> list[Line]:
    """Quantity times unit price, in place of an amount that is missing, or is the order's total on each line."""
    by_column = {line.column: line for line in lines}
    prices = [n for n in look.kinds if look.may_be(n, Kind.NUMBER) and is_unit_price(n)]
    if not prices or "quantity" not in by_column:
        return lines
    quantity, price = by_column["quantity"].expression, prices[0]
    amount, order = by_column.get("amount"), by_column.get("order_id")
    reason = "quantity and unit price, no amount"
    if amount is not None and amount.strength >= 3 and amount.expression != price:
        if order is None or not _is_total(
            connection, look, order.expression, amount.expression, quantity, price
        ):
            return lines
        reason = (
            f"{amount.expression} is the whole order's on each line; quantity times unit price adds up to it"
        )
    expression = f"{look.sql(quantity)} * {look.sql(price)}"
    return [*(line for line in lines if line is not amount), Line("amount", expression, reason, 3)]


def _is_total(
    connection: duckdb.DuckDBPyConnection, look: FileLook, order: str, amount: str, quantity: str, price: str
) -> bool:
    """Whether an amount is constant or given once within an order, and price times quantity add up to it."""
    total, units, unit = (look.number(name) for name in (amount, quantity, price))
    share = connection.execute(
        f"SELECT avg(CAST(least(high, low) = high AND abs(added - high) <= 0.011 * greatest(abs(high), 1) AS INTEGER)) FROM "
        f"(SELECT max({total}) AS high, min({total}) AS low, sum({units} * {unit}) AS added, count(*) AS n FROM {look.sample} "
        f"GROUP BY {identifier_of(order)}) WHERE n > 1"
    ).fetchall()[0][0]
    return share is not None and share >= _MOSTLY


_MOSTLY = 0.6
"""Discounts, tax and shipping keep some orders' totals from adding up."""
