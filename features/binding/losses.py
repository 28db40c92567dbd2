"""Losses: how much of a table does not take part, and whether tokui.toml has accepted that."""

import math

import duckdb

from features.binding.mapping import Binding
from features.binding.report import Loss
from features.settings import Acceptance


def losses_of(
    connection: duckdb.DuckDBPyConnection, binding: Binding, emptied: dict[str, int]
) -> tuple[Loss, ...]:
    """Measure what a written table loses, before the marked rows are deleted: rows, money of either sign, values.

    Money counts by its sign, so that losing all returns does not hide behind many sales.

    Args:
        connection: Holds the written table.
        binding: Its binding.
        emptied: Values that could not be read and were taken as empty, by column.
    """
    table = binding.table.name
    money = [bound.name for bound in binding.columns if bound.column is not None and bound.column.money]
    parts = ["count(*) FILTER (_drop IS NOT NULL)", "count(*)"]
    for name in money:
        for sign in (">", "<"):
            parts += [
                f"coalesce(abs(sum({name}) FILTER ({name} {sign} 0{lost})), 0)"
                for lost in (" AND _drop IS NOT NULL", "")
            ]
    parts += [f"count({name}) FILTER (_drop IS NULL)" for name in emptied]
    values = connection.execute(f"SELECT {', '.join(parts)} FROM {table}").fetchall()[0]
    losses = [Loss("rows", values[0], values[1])]
    place = 2
    for name in money:
        for sign in ("positive", "negative"):
            losses.append(Loss(f"{sign} {name}", float(values[place]), float(values[place + 1])))
            place += 2
    for (name, count), kept in zip(emptied.items(), values[place:], strict=True):
        losses.append(Loss(f"values of {name}", count, count + kept))
    return tuple(loss for loss in losses if loss.lost)


def refusal_of(
    table: str, losses: tuple[Loss, ...], why: str, most: float, accepted: Acceptance | None
) -> str | None:
    """What is to be said where more is lost than may be; None where it is little, or accepted.

    Args:
        table: Canonical name.
        losses: What is lost.
        why: The reasons, as the report has them.
        most: Share that may be lost without a word of the user's.
        accepted: What tokui.toml says about it.
    """
    worst = max(losses, key=lambda loss: loss.share, default=None)
    if worst is None or worst.share <= most or (accepted is not None and worst.share <= accepted.share):
        return None
    share = min(1.0, math.ceil(worst.share * 100) / 100)
    more = "" if accepted is None else f", more than the {accepted.share:.1%} accepted"
    return (
        f"{table}: {worst} would be left out{more}: {why}; mend the binding, or accept it in tokui.toml: "
        f'[tables.{table}.accept] share = {share:g}, reason = "…"'
    )
