"""Who took part in an experiment: assignments read, checked, and joined with what was known before."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from evaluation.effects.trial import Trial
from evaluation.experiments.overview import costs_of_nobody, experiments
from evaluation.experiments.records import Warned
from evaluation.experiments.shares import clusters_of, propensities_of
from features.binding.tables import Tables
from features.catalogue.more import customer_column
from features.counted import counted
from features.engine.compute import compute
from features.engine.events import customer_codes
from features.engine.matrix import FeatureMatrix
from features.engine.observations import Observations, wall_clock
from features.errors import ExperimentError
from features.history import History
from features.settings import Settings
from features.types import DAY, Index, Times


@dataclass(frozen=True, eq=False)
class Enrolment:
    """The customers of one experiment, as known before it began for each of them.

    Args:
        trial: Arms, propensities and times, n customers ascending by position.
        observations: The same customers at midnight before their assignment.
        matrix: Their features then, n rows.
        designed: Whether the propensities are those of the design and not observed shares.
        warnings: What was odd.
    """

    trial: Trial
    observations: Observations
    matrix: FeatureMatrix
    designed: bool
    warnings: tuple[Warned, ...]

    @property
    def checkable(self) -> bool:
        """Whether the planned share of every arm is known, so that the sample ratio can be checked."""
        return self.designed and all(warning.code != "varying" for warning in self.warnings)


def horizon_days(settings: Settings) -> int:
    """Days of margin that arms are judged by."""
    return settings.uplift.horizon_days or settings.ltv.horizon_days


def question(settings: Settings) -> str:
    """What is asked of an experiment: answers to other questions do not compare. Costs are no part of it."""
    asked = settings.uplift.model_dump(exclude={"costs"}) | {"horizon_days": horizon_days(settings)}
    return json.dumps(asked, sort_keys=True)


def enrol(
    tables: Tables, history: History, experiment: str | None = None, *, days: int, threads: int = 1
) -> Enrolment:
    """Read one experiment.

    A customer found in two arms is analysed in the arm it was put in first: that draw was random,
    and whatever led to the second may have been its consequence.

    Args:
        tables: The bound tables.
        history: Of the same tables.
        experiment: Its id; the only one where there is only one.
        days: Days of outcome that must have been observed.
        threads: Worker threads.

    Raises:
        ExperimentError: No such experiment, no control, a customer in two arms at the same moment,
            impossible propensities, or nobody whose outcome has been observed.
    """
    uplift = tables.settings.uplift
    name = _chosen(experiments(tables), experiment)
    strange = costs_of_nobody(tables)
    if strange:
        raise ExperimentError(strange)
    columns = {row[0] for row in tables.connection.execute("DESCRIBE assignments").fetchall()}
    propensity = "propensity" if "propensity" in columns else "CAST(NULL AS DOUBLE)"
    rows = tables.connection.sql(
        f"SELECT customer_id, epoch_us(assigned_at) AS at, arm, {propensity} AS propensity FROM assignments "
        "WHERE experiment_id = ? QUALIFY row_number() OVER (PARTITION BY customer_id, arm ORDER BY assigned_at) = 1 "
        "ORDER BY customer_id, assigned_at, arm",
        params=[name],
    ).to_arrow_table()
    rows, warnings = _first_arms(name, rows)
    warnings += _repeated(tables, name)
    who = customer_codes(rows["customer_id"], history.store.ids)
    at = rows["at"].to_numpy()
    keep, more = _kept(name, rows, who, at, history, days)
    rows, who, at = rows.filter(pa.array(keep)), who[keep], at[keep]
    arms, arm = _arms(name, rows["arm"].to_pylist(), uplift.control)
    given = rows["propensity"].to_numpy(zero_copy_only=False)
    shares, designed, odd = propensities_of(name, arms, arm, given)
    if uplift.observational:
        # Nobody planned any shares; they will be estimated.
        odd = [warning for warning in odd if warning.code != "no_shares"]
    order = np.argsort(who, kind="stable")
    clusters = None
    if uplift.cluster is not None:
        column = customer_column(uplift.cluster)
        clusters = clusters_of(tables, column, history, name, who[order], arm[order])
    trial = Trial(
        name, arms, arm[order], shares[order], at[order], clusters, randomised=not uplift.observational
    )
    observations = Observations(who[order], at[order] - at[order] % DAY)
    matrix = compute(history.features, history.store.streams, observations, threads=threads)
    return Enrolment(trial, observations, matrix, designed, (*warnings, *more, *odd))


def _repeated(tables: Tables, name: str) -> list[Warned]:
    """Rows that binding dropped because they say the same again, if one of this experiment was its example."""
    dropped = tables.report("assignments").dropped
    count = sum(drop.count for drop in dropped if drop.reason == "a repeated key" and drop.example == name)
    if not count:
        return []
    message = f"{count} rows of assignments, of all experiments, put a customer in the same arm again; the first is kept"
    return [Warned("twice", count, None, message)]


def _chosen(known: Mapping[str, int], wanted: str | None) -> str:
    names = list(known)
    some = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    if wanted is None:
        if len(names) == 1:
            return names[0]
        raise ExperimentError(f"assignments hold {len(names)} experiments; give --experiment, one of {some}")
    if wanted not in known:
        raise ExperimentError(f"there is no experiment {wanted!r} in assignments; those are {some}")
    return wanted


def _first_arms(name: str, rows: pa.Table) -> tuple[pa.Table, list[Warned]]:
    """Each customer once, in the arm it was put in first."""
    ids = rows["customer_id"].to_numpy(zero_copy_only=False)
    at = rows["at"].to_numpy()
    again = np.append(False, ids[1:] == ids[:-1]) if len(ids) else np.zeros(0, bool)
    if not again.any():
        return rows, []
    second = int(np.flatnonzero(again)[0])
    count = len(np.unique(ids[again]))
    # Only the first two rows matter: which arm was first.
    tied = again & np.append(False, ~again[:-1]) & (np.append(0, np.diff(at)) == 0)
    if tied.any():
        where = int(np.flatnonzero(tied)[0])
        raise ExperimentError(
            f"experiment {name}: {counted(int(tied.sum()), 'customer')} in two arms from the same moment, for example "
            f"{ids[where]!r} in {rows['arm'][where - 1].as_py()!r} and {rows['arm'][where].as_py()!r}; "
            "keep the arm that was really drawn, one row a customer"
        )
    warned = Warned(
        "two_arms", count, str(ids[second]),
        f"{counted(count, 'customer')} in two arms, for example {ids[second]!r}; the arm of the first assignment counts",
    )  # fmt: skip
    return rows.filter(pa.array(~again)), [warned]


def _kept(
    name: str, rows: pa.Table, who: Index, at: Times, history: History, days: int
) -> tuple[npt.NDArray[np.bool_], list[Warned]]:
    """Customers that exist and whose outcome has been observed."""
    ids, warnings = rows["customer_id"], []
    unknown = who < 0
    if unknown.any():
        example = ids[int(np.flatnonzero(unknown)[0])].as_py()
        count = int(unknown.sum())
        split = "" if history.parts == 1 else f" or belong to the other {history.parts - 1} parts of the data"
        warnings.append(Warned(
            "unknown", count, example,
            f"{counted(count, 'assigned customer')} not among customers or orders{split}, for example {example!r}; left out",
        ))  # fmt: skip
    day = at - at % DAY
    late = ~unknown & (day + days * DAY > history.end)
    if late.any():
        example = wall_clock(int(at[late].max())).isoformat(sep=" ")
        count = int(late.sum())
        end = wall_clock(history.end - DAY)
        if count == int((~unknown).sum()):
            raise ExperimentError(
                f"experiment {name}: all {count} assignments lie less than the {days} days of outcome before the "
                f"last order ({end:%Y-%m-%d}), for example {example}; shorten uplift.horizon_days or wait"
            )
        warnings.append(Warned(
            "unfinished", count, example,
            f"{counted(count, 'customer')} assigned after the outcome window, less than {days} days before the last order "
            f"({end:%Y-%m-%d}), for example at {example}, and left out",
        ))  # fmt: skip
    keep = ~unknown & ~late
    if not keep.any():
        raise ExperimentError(
            f"experiment {name}: none of the {len(rows)} assigned customers is among customers or orders; check how "
            "customer_id is bound"
        )
    return keep, warnings


def _arms(name: str, words: list[str], control: str) -> tuple[tuple[str, ...], npt.NDArray[np.intp]]:
    distinct = sorted(set(words))
    if control not in distinct:
        raise ExperimentError(
            f"experiment {name} has no control arm {control!r}; its arms are {', '.join(distinct)}; name the arm that "
            "was left alone as uplift.control in tokui.toml"
        )
    if len(distinct) < 2:
        raise ExperimentError(f"experiment {name} has only the arm {control!r}; there is nothing to compare")
    arms = (control, *(word for word in distinct if word != control))
    position = {word: k for k, word in enumerate(arms)}
    return arms, np.array([position[word] for word in words], np.intp)
