"""Billing: a contract's terms as the periods that were billed.

A contract is billed for ``billing_months`` calendar months at a time, ahead, from its first day on; a month that
has no such day is billed on its last. Where a term has an end, agreed when it began, its last and shorter period
is billed by days, so that all periods of the term add up to its monthly amount times its months. A term of d days
after m whole months has m + d / (days of the month that it breaks into) months. Where a term has no end, it runs
on until notice was given or the data end, and what was billed by then stays.
"""

from collections.abc import Collection
from datetime import date

import duckdb

from features.binding.report import Finding


def periods_sql(have: Collection[str], until: date) -> str:
    """SQL of contracts, a row a billed period: their columns, ``billed_at`` and ``amount``.

    Args:
        have: The columns that contracts bind.
        until: Last day the data tell about.
    """
    ends = "CAST(ends_at AS DATE)" if "ends_at" in have else "CAST(NULL AS DATE)"
    gone = "CAST(cancelled_at AS DATE)" if "cancelled_at" in have else "CAST(NULL AS DATE)"
    return (
        # How many months the term has in all, and of which period each line is.
        "SELECT *, monthly_amount * CASE WHEN term_end < CAST(starts_at + to_months(first_month + every) AS DATE) "
        f"THEN {_term_months()} - first_month ELSE every END AS amount FROM ("
        "SELECT *, starts_at + to_months(first_month) AS billed_at, "
        "starts_at::DATE AS first_day, date_diff('month', starts_at, term_end) AS crossed FROM ("
        "SELECT *, every * unnest(range(0, greatest(0, date_diff('month', starts_at, billed_until)) // every + 1))::INTEGER "
        "AS first_month FROM ("
        f"SELECT *, {_every(have)} AS every, {ends} AS term_end, "
        # The first day that is not billed any more: a term with an end ends there, others by notice.
        f"least(coalesce({ends}, {gone}, DATE '9999-01-01'), DATE '{until}' + 1) AS billed_until "
        f"FROM {_versions(have)} WHERE monthly_amount <> 0))) "
        f"WHERE CAST(billed_at AS DATE) < billed_until AND {_in_force(have)}"
    )


def _every(have: Collection[str]) -> str:
    months = "billing_months"
    whole = f"{months} >= 1 AND {months} = trunc({months})"
    return f"CAST(CASE WHEN {whole} THEN {months} ELSE 1 END AS INTEGER)" if months in have else "1"


def _term_months() -> str:
    """SQL of the months from ``first_day`` to ``term_end``: whole ones, and days by the month they break into."""

    def after(months: str) -> str:
        return f"CAST(first_day + to_months({months}) AS DATE)"

    # The twelfth month's end may come a day short of what months crossed say.
    whole = f"(CAST(crossed AS INTEGER) - CASE WHEN {after('CAST(crossed AS INTEGER)')} > term_end THEN 1 ELSE 0 END)"
    days = f"date_diff('day', {after(whole)}, term_end) / date_diff('day', {after(whole)}, {after(f'{whole} + 1')})"
    return f"({whole} + {days})"


TERMS_SQL = (
    f"SELECT customer_id, starts_at AS occurred_at, monthly_amount * {_term_months()} AS amount FROM (SELECT *, "
    "starts_at::DATE AS first_day, ends_at::DATE AS term_end, date_diff('month', starts_at, ends_at) AS crossed "
    "FROM contracts) WHERE term_end > first_day"
)
"""SQL of terms that have an end, with all their money."""


def _versions(have: Collection[str]) -> str:
    """Contracts with the time from which another version of the same term holds."""
    if "known_at" not in have:
        return "contracts"
    # A term whose row was corrected later is billed by each version while that was what was known.
    term = "PARTITION BY customer_id, contract_id, starts_at ORDER BY known_at NULLS FIRST"
    return (
        f"(SELECT *, CASE WHEN row_number() OVER ({term}) > 1 THEN known_at END AS version_from, "
        f"lead(known_at) OVER ({term}) AS version_until FROM contracts)"
    )


def _in_force(have: Collection[str]) -> str:
    if "known_at" not in have:
        return "true"
    return "coalesce(billed_at >= version_from, true) AND coalesce(billed_at < version_until, true)"


def billing_findings(
    connection: duckdb.DuckDBPyConnection, have: Collection[str], until: date
) -> list[Finding]:
    """What is odd about contracts that are billed: what bills nothing, and ends that may mean another thing.

    Args:
        connection: Holds them.
        have: The columns that they bind.
        until: Last day the data tell about.
    """
    findings = [
        ("terms of 0 a month, not billed", "monthly_amount", "monthly_amount = 0"),
        (
            "terms that begin after the data end, not billed yet",
            "starts_at",
            f"starts_at::DATE > DATE '{until}'",
        ),
    ]
    if "billing_months" in have:
        odd = "billing_months < 1 OR billing_months <> trunc(billing_months)"
        findings.append(("not a whole number of months from 1 on, taken as 1", "billing_months", odd))
    if "ends_at" in have:
        findings.append(
            (
                "terms that end on the day they begin or before, not billed",
                "ends_at",
                "ends_at::DATE <= starts_at::DATE",
            )
        )
    made = []
    for reason, column, where in findings:
        count, example = connection.execute(
            f"SELECT count(*), min(CAST({column} AS VARCHAR)) FROM contracts WHERE {where}"
        ).fetchall()[0]
        if count:
            made.append(Finding(reason, column, count, example))
    if "ends_at" in have:
        made += _end_findings(connection, until)
    return made


def _end_findings(connection: duckdb.DuckDBPyConnection, until: date) -> list[Finding]:
    """Ends that do not seem to mean the first day after a term, as agreed when it began."""
    open_, ahead, ended, short = connection.execute(
        f"SELECT count(*) FILTER (ends_at IS NULL), count(*) FILTER (ends_at::DATE > DATE '{until}' + 1), count(ends_at), "
        "count(*) FILTER (day(ends_at::DATE + 1) = day(starts_at) AND ends_at > starts_at) FROM contracts"
    ).fetchall()[0]
    findings = []
    if 2 * short > ended > 0:
        findings.append(
            Finding(
                "ends are the last day of a term rather than the first day after it; bind ends_at as the column + "
                "INTERVAL 1 DAY",
                "ends_at", short,
            )
        )  # fmt: skip
    if open_ and ended and not ahead:
        findings.append(
            Finding(
                "ends are all past while other terms have none: they seem to be written when a term ended and not "
                "agreed when it began; then bind that column as cancelled_at instead",
                "ends_at", ended,
            )
        )  # fmt: skip
    return findings
