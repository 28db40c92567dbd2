"""The recommender: an uplift champion and a snapshot in, ranked actions out. Knows nothing of the web."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evaluation.uplift.policy import NOBODY, choose
from features.engine.snapshot import Snapshot
from features.errors import ChecksumError, NoChampionError, TokuiError
from features.types import Floats
from serving.log import log
from serving.predictor.account import FieldError
from serving.predictor.admission import Champion, admitted, agree
from serving.predictor.answers import Action, Gain, Recommendation, Recommendations
from serving.predictor.inputs import Feed, TrustedMatrix, positions
from training.live import Live
from training.models.bundle import read_bundle
from training.models.uplift import UPLIFT, Bands, UpliftModel

NO_UPLIFT = (
    "no uplift model has been promoted; run `tokui train uplift --experiment ID`, then `tokui promote uplift`"
)

_MOST_SAID = 40
"""Letters of what was sent that an error says again."""

RowNumbers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Options:
    """What each arm would do for n customers.

    Args:
        bands: Calibrated uplift with its interval, [n, K] each.
        cost: What each arm costs, [K].
    """

    bands: Bands
    cost: Floats

    @property
    def net(self) -> Floats:
        """Uplift less cost, [n, K]."""
        return self.bands.value - self.cost

    def of(self, arms: Sequence[int]) -> "Options":
        """Some of the arms."""
        bands = (self.bands.value, self.bands.low, self.bands.high)
        # Row by row in memory, which choosing is compiled for.
        value, low, high = (np.take(band, arms, axis=1) for band in bands)
        return Options(Bands(value, low, high), np.take(self.cost, arms))

    def choose(
        self, *, budget: float | None = None, capacity: Sequence[float] | None = None
    ) -> npt.NDArray[np.intp]:
        """The best arm of each customer under limits, −1 to leave it alone, [n]; see `evaluation.uplift.policy.choose`."""
        return choose(self.bands.value, self.cost, budget=budget, capacity=capacity)


class Recommender:
    """Recommends actions for customers of a snapshot.

    Every customer of the snapshot gets an answer, those without orders among them. Experiments
    assign accounts whether or not they have bought, so the model has learnt from both, and a first
    order is an effect like any other. Where an experiment left such accounts out, the model sees in
    them the likest that took part.

    One event loop, or any number of threads, may use it at once.

    Args:
        champion: The champion of uplift.
        snapshot: Features of all customers.

    Raises:
        FingerprintError: The two were not made by the same definitions, or not in one currency.
        ChecksumError: The model does not answer its canary rows as when it was made, or is no
            uplift model.
    """

    def __init__(self, champion: Champion, snapshot: Snapshot) -> None:
        bundle, model = champion.bundle, champion.bundle.model
        if not isinstance(model, UpliftModel):
            raise ChecksumError(f"version {champion.number} is a model of {bundle.task}, not of uplift")
        agree(bundle, snapshot)
        self.champion, self.snapshot, self.model = champion, snapshot, model
        self.number, self.arms, self.proven = champion.number, model.arms, model.proven
        facts = bundle.facts
        self.currency, self.experiment = str(facts["currency"]), str(facts["experiment"])
        self.control, self.observational = str(facts["control"]), bool(facts["observational"])
        self.note = _note(self.experiment, proven=self.proven, observational=self.observational)
        self.cost = np.array([float(facts["costs"][arm]) for arm in self.arms])
        self._days, self._level = int(facts["span_days"]), float(facts["level"])
        self._fast, self._feed = admitted(bundle), Feed(model, snapshot)

    def options(self, rows: RowNumbers) -> Options:
        """What each arm would do for some rows of the snapshot."""
        matrix = TrustedMatrix.of(self.snapshot, rows)
        return Options(self.model.bands(matrix, self._fast.raw(self._feed.rows(rows))), self.cost)

    def recommend(
        self,
        customer_ids: Sequence[str],
        *,
        budget: float | None = None,
        arms: Sequence[str] | None = None,
        capacity: Mapping[str, int] | None = None,
    ) -> Recommendations:
        """Rank the arms of each customer and choose one or none, so that the total net value is greatest.

        A customer asked for twice is answered twice and treated once.

        Args:
            customer_ids: Customers of the snapshot.
            budget: Most that all chosen actions may cost together; no limit if not given.
            arms: The arms to choose from; all if not given.
            capacity: Most customers by arm; arms that are not named have no limit.

        Raises:
            UnknownCustomerError: Some customers are not in the snapshot.
            FieldError: The model has no such arm, or the budget is no amount of 0 or more.
        """
        check_budget(budget)
        offered = self._offered(arms)
        self._known("capacity", capacity or {})
        asked = positions(self.snapshot, customer_ids)
        rows = list(dict.fromkeys(asked))
        options = self.options(np.array(rows, np.intp)).of(offered)
        names = [self.arms[k] for k in offered]
        places = None
        if capacity:
            # No arm can have more customers than there are, whatever number was sent.
            places = [float(min(capacity.get(name, len(rows)), len(rows))) for name in names]
        choice = options.choose(budget=budget, capacity=places)
        actions = dict(zip(rows, self._actions(options, offered), strict=True))
        chosen = {
            row: None if k == NOBODY else names[k] for row, k in zip(rows, choice.tolist(), strict=True)
        }
        treated = np.flatnonzero(choice != NOBODY)
        return Recommendations(
            tuple(
                Recommendation(name, "ok", chosen[row], actions[row])
                for name, row in zip(customer_ids, asked, strict=True)
            ),
            self.snapshot.as_of,
            self.currency,
            {UPLIFT: self.number},
            self.experiment,
            self.control,
            self.proven,
            self.observational,
            self.note,
            math.fsum(options.cost[choice[treated]].tolist()),
            math.fsum(options.net[treated, choice[treated]].tolist()),
        )

    def _offered(self, arms: Sequence[str] | None) -> list[int]:
        if arms is None:
            return list(range(len(self.arms)))
        self._known("arms", arms)
        return [k for k, arm in enumerate(self.arms) if arm in arms]

    def _known(self, field: str, arms: Sequence[str] | Mapping[str, int]) -> None:
        for arm in arms:
            if arm not in self.arms:
                raise FieldError(field, f"the model has no arm {arm!r}; its arms are {', '.join(self.arms)}")

    def _actions(self, options: Options, offered: Sequence[int]) -> list[tuple[Action, ...]]:
        """All actions of each customer, the highest net value first."""
        bands, net = options.bands, options.net
        order = np.argsort(-net, axis=1, kind="stable").tolist()
        value, low, high = bands.value.tolist(), bands.low.tolist(), bands.high.tolist()
        nets, costs = net.tolist(), options.cost.tolist()
        return [
            tuple(
                Action(
                    self.arms[offered[k]],
                    Gain(value[n][k], _known(low[n][k]), _known(high[n][k]), self._level, self._days),
                    costs[k],
                    nets[n][k],
                    low[n][k] > 0,
                )
                for k in ranked
            )
            for n, ranked in enumerate(order)
        ]


@dataclass(frozen=True)
class Uplift:
    """The recommender that there is, or why there is none.

    Args:
        recommender: What recommends; None where there is none.
        reason: Why what was promoted could not be used; None where all is well or nothing was promoted.
    """

    recommender: Recommender | None = None
    reason: str | None = None

    @property
    def models(self) -> dict[str, int]:
        """Version of the model that answers, if one does."""
        return {} if self.recommender is None else {UPLIFT: self.recommender.number}

    def ready(self) -> Recommender:
        """The recommender.

        Raises:
            NoChampionError: There is none; the message says why.
        """
        if self.recommender is None:
            raise NoChampionError(self.reason or NO_UPLIFT)
        return self.recommender

    def after(self, before: "Uplift") -> "Uplift":
        """This, or what there was before it if this could not be used."""
        return replace(before, reason=self.reason) if self.recommender is None and self.reason else self


def check_budget(budget: object) -> None:
    """Whether a budget as it was given can be one.

    Raises:
        FieldError: It is not a number, below 0, or beyond all measure.
    """
    if budget is None:
        return
    # True is a number to Python, and nobody's budget.
    if (
        isinstance(budget, int | float | np.integer)
        and not isinstance(budget, bool)
        and 0 <= budget <= sys.float_info.max
    ):
        return
    said = json.dumps(budget, ensure_ascii=False, default=str)
    said = said if len(said) <= _MOST_SAID else said[:_MOST_SAID] + "…"
    raise FieldError(
        "budget",
        f"{said} is no finite number of 0 or more; give one in the project's currency, such as 50000, or leave it "
        "out for no limit",
    )


def load_uplift(live: Live, snapshot: Snapshot) -> Uplift:
    """The champion of uplift over a snapshot, read and checked.

    Lifetime value and churn go on whatever is wrong here, so nothing is raised.

    Args:
        live: Where it is.
        snapshot: The features.
    """
    try:
        number = live.champions().get(UPLIFT)
        if number is None:
            return Uplift()
        recommender = Recommender(Champion(read_bundle(live.bundle(UPLIFT, number)), number), snapshot)
        # The kernels that choose are compiled or read from their cache before a request needs them;
        # numba takes one row's arrays for another type than several rows'.
        for count in (1, 2):
            recommender.recommend(snapshot.customer_ids(slice(0, count)), budget=0.0)
        return Uplift(recommender)
    except (TokuiError, OSError) as error:
        return Uplift(None, str(error) or repr(error))
    except Exception as error:
        log.exception("loading uplift failed")
        return Uplift(None, f"the uplift model cannot be loaded ({error!r}); train and promote it again")


def _note(experiment: str, *, proven: bool, observational: bool) -> str:
    said = (
        f"proven: in {experiment} the order of customers was better than chance, so gains differ by customer"
        if proven
        else f"not proven: in {experiment} no model ranked customers better than treating everyone the same, so "
        "everyone gets an arm's mean effect there"
    )
    if observational:
        said += (
            "; observational: arms had been chosen, not drawn, so all of this holds only as far as the features "
            "explain the choice"
        )
    return said


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
