"""Assigned: the experiments in assignments at a glance, and what would stop or bend their readout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from features.binding.tables import Tables
from features.counted import counted
from features.errors import ExperimentError
from features.settings import UpliftSettings


@dataclass(frozen=True)
class Assigned:
    """One experiment, before anything is computed.

    Args:
        experiment: Its id.
        customers: Assigned, known or not.
        arms: Customers by arm, control first.
        first: First assignment.
        last: Last assignment.
        warnings: What counts alone tell that the readout would refuse, or go on in spite of.
    """

    experiment: str
    customers: int
    arms: Mapping[str, int]
    first: datetime
    last: datetime
    warnings: tuple[str, ...]


def assigned(tables: Tables) -> list[Assigned]:
    """Every experiment in assignments, the newest first.

    Args:
        tables: The bound tables.

    Raises:
        ExperimentError: No assignments are bound.
    """
    known = experiments(tables)
    uplift = tables.settings.uplift
    given = "propensity" if "propensity" in tables.report("assignments").columns else "NULL"
    rows = tables.connection.execute(
        "SELECT experiment_id, arm, count(DISTINCT customer_id), min(assigned_at), max(assigned_at), count(*), "
        f"count({given}) FROM assignments GROUP BY 1, 2 ORDER BY 1, arm <> ?, arm",
        [uplift.control],
    ).fetchall()
    twice = {
        name: rest
        for name, *rest in tables.connection.execute(
            "SELECT experiment_id, count(*), min(customer_id), count(*) FILTER (tied), min(customer_id) FILTER (tied) "
            "FROM (SELECT experiment_id, customer_id, count(*) FILTER (moment = begun) > 1 AS tied FROM "
            "(SELECT experiment_id, customer_id, arm, min(assigned_at) AS moment, "
            "min(min(assigned_at)) OVER (PARTITION BY experiment_id, customer_id) AS begun FROM assignments "
            "GROUP BY 1, 2, 3) GROUP BY 1, 2 HAVING count(*) > 1) GROUP BY 1"
        ).fetchall()
    }
    overview = []
    for name, customers in known.items():
        own = [row[1:] for row in rows if row[0] == name]
        arms, sizes, first, last, told, known_shares = zip(*own, strict=True)
        odd = (
            _of_arms(arms, uplift),
            _of_twice(*twice.get(name, (0, "", 0, ""))),
            _of_propensities(sum(told), sum(known_shares), uplift),
        )
        by_arm = dict(zip(arms, sizes, strict=True))
        overview.append(Assigned(name, customers, by_arm, min(first), max(last), tuple(filter(None, odd))))
    return overview


def _of_arms(arms: Sequence[str], uplift: UpliftSettings) -> str | None:
    if uplift.control not in arms:
        return (
            f"no arm is called {uplift.control!r}, so there is nothing to compare with; name the arm that was left "
            "alone as uplift.control in tokui.toml"
        )
    if len(arms) == 1:
        return f"there is only the arm {uplift.control!r}, so there is nothing to compare"
    return None


def _of_twice(count: int, example: str, tied: int, tied_example: str) -> str | None:
    if tied:
        return (
            f"{counted(tied, 'customer')} in two arms from the same moment, for example {tied_example!r}; keep the arm "
            "that was really drawn, one row a customer"
        )
    if not count:
        return None
    return f"{counted(count, 'customer')} in two arms, for example {example!r}; the arm of the first assignment counts"


def _of_propensities(rows: int, given: int, uplift: UpliftSettings) -> str | None:
    # Where nobody drew the arms, propensities are estimated.
    if given == rows or (uplift.observational and not given):
        return None
    if not given:
        return "no propensities, so the sizes of the arms cannot be checked against the plan"
    return f"{rows - given:,} of {rows:,} assignments have no propensity; give it for all of them or for none"


def experiments(tables: Tables) -> dict[str, int]:
    """Experiments in assignments and their customers, the newest first.

    Raises:
        ExperimentError: No assignments are bound.
    """
    if "assignments" not in tables.settings.tables:
        raise ExperimentError(
            "no assignments are bound; bind [tables.assignments] with experiment_id, assigned_at and arm"
        )
    rows = tables.connection.execute(
        "SELECT experiment_id, count(DISTINCT customer_id) FROM assignments GROUP BY 1 "
        "ORDER BY min(assigned_at) DESC, 1"
    ).fetchall()
    return dict(rows)


def costs_of_nobody(tables: Tables) -> str | None:
    """What is wrong with costs of arms that no experiment has; None where all are arms.

    A cost of an arm that is nowhere would silently cost nothing.
    """
    arms = {row[0] for row in tables.connection.execute("SELECT DISTINCT arm FROM assignments").fetchall()}
    strange = sorted(set(tables.settings.uplift.costs) - arms)
    if not strange or not arms:
        return None
    return (
        f"[uplift.costs] names {', '.join(map(repr, strange))}, which no experiment has; arms are "
        f"{', '.join(sorted(arms))}, written just so"
    )
