"""Shares: with what probability each customer was put in its arm, and what was put in one as a whole."""

import numpy as np
import numpy.typing as npt

from evaluation.experiments.records import Warned
from features.binding.tables import Tables
from features.errors import ExperimentError
from features.history import History
from features.types import Floats, Index

_SUM = 1e-6


def clusters_of(
    tables: Tables, column: str, history: History, name: str, who: Index, arm: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """What each customer was randomised with; a customer without it by itself.

    Raises:
        ExperimentError: It is not bound, or some of it is in two arms.
    """
    if column not in history.bound["customers"]:
        raise ExperimentError(
            f"uplift.cluster is {column!r}, which customers does not bind; bind it or leave it out"
        )
    rows = tables.connection.execute(
        f"SELECT customer_id, min({column}) FROM customers WHERE {column} IS NOT NULL GROUP BY 1"
    ).fetchall()
    place = dict(rows)
    ids = np.array(history.store.ids.to_pylist(), dtype=object)[who]
    labels = np.array(
        [f"={place[customer]}" if customer in place else customer for customer in ids], dtype=np.str_
    )
    words, first, code = np.unique(labels, return_index=True, return_inverse=True)
    torn = np.unique(code[arm != arm[first][code]])
    if len(torn):
        raise ExperimentError(
            f"experiment {name}: {len(torn)} of {len(words)} clusters have customers in two arms, for example "
            f"{column} {str(words[torn[0]])[1:]!r}; what is randomised as a whole is in one arm, so mend the assignments "
            "or leave uplift.cluster out"
        )
    return np.asarray(code, np.intp)


def propensities_of(
    name: str, arms: tuple[str, ...], arm: npt.NDArray[np.intp], given: Floats
) -> tuple[Floats, bool, list[Warned]]:
    """Probability of every arm for every customer, [n, K + 1]; whether the design gave it."""
    missing = np.isnan(given)
    shares = np.bincount(arm, minlength=len(arms)) / len(arm)
    if missing.all():
        warned = Warned(
            "no_shares", len(arm), None,
            "no propensities are bound, so the shares seen are taken for those planned and cannot be checked",
        )  # fmt: skip
        return np.tile(shares, (len(arm), 1)), False, [warned]
    if missing.any():
        raise ExperimentError(
            f"experiment {name}: {int(missing.sum())} of {len(arm)} assignments have no propensity; give it for all "
            "of them or for none"
        )
    outside = (given <= 0) | (given >= 1)
    if outside.any():
        raise ExperimentError(
            f"experiment {name}: {int(outside.sum())} of {len(arm)} propensities lie outside (0, 1), for example "
            f"{given[outside][0]:g}; a propensity is the probability with which the customer's arm was drawn"
        )
    ends = [(given[arm == k].min(), given[arm == k].max()) for k in range(len(arms))]
    if all(high - low < _SUM for low, high in ends):
        planned = np.array([low for low, _ in ends])
        if abs(planned.sum() - 1) > 1e-3:
            told = ", ".join(f"{word} {share:g}" for word, share in zip(arms, planned, strict=True))
            raise ExperimentError(
                f"experiment {name}: the propensities of the arms add up to {planned.sum():g}, not 1 ({told}); bind "
                "the probability with which each customer's arm was drawn"
            )
        return np.tile(planned / planned.sum(), (len(arm), 1)), True, []
    # Known is each customer's probability of its own arm, which is all that doubly robust scores
    # take. What is left is shared among the other arms as they were drawn over all.
    others = np.tile(shares, (len(arm), 1))
    others[np.arange(len(arm)), arm] = 0
    filled = others / others.sum(axis=1, keepdims=True) * (1 - given)[:, None]
    filled[np.arange(len(arm)), arm] = given
    if len(arms) == 2:
        return filled, True, []
    warned = Warned(
        "varying", len(arm), None,
        "propensities vary between customers, and only that of a customer's own arm is known; the rest is shared "
        "among the other arms as they were drawn over all; the sample ratio cannot be checked",
    )  # fmt: skip
    return filled, True, [warned]
