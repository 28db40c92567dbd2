"""Tasks: what is predicted, what it is learnt from, and what decides between candidates."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from evaluation.metrics import (
    Metric,
    auc,
    brier,
    decile_error,
    log_loss,
    normalised_gini,
    spearman,
    total_ratio,
)
from features.catalogue.orders import ORDERS_PLACED
from features.engine.labels import ChurnLabel
from features.engine.observations import Observations
from features.engine.views import Calendar
from features.history import History, Panel
from features.settings import Settings
from features.types import DAY, Floats
from training.models.boosting import Trees
from training.models.churn import CHURN_MODELS
from training.models.ltv import LTV_MODELS
from training.models.servable import PartsModel
from training.value.churn import ChurnRows, fit_churn
from training.value.ltv import LtvRows, fit_ltv

YEAR_DAYS = 365
"""Days the cutoffs of a training set must span before the calendar takes part."""


@dataclass(frozen=True)
class Task(ABC):
    """One thing to predict.

    Args:
        settings: tokui.toml.
    """

    settings: Settings

    name: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    """Candidates, the boosted ones first."""
    tunable: ClassVar[tuple[str, ...]]
    """Candidates whose trees are tuned."""
    metric: ClassVar[Metric]
    """What decides between candidates, and between challenger and champion."""

    @property
    @abstractmethod
    def span_days(self) -> int:
        """Days of outcome that judging needs."""

    @property
    @abstractmethod
    def shortest_days(self) -> int:
        """Days of outcome that learning needs at the least."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """What the columns of a prediction are called, K of them."""

    @abstractmethod
    def outcome(self, history: History, observations: Observations) -> Floats:
        """What happened after each cutoff, float64 [n, K]."""

    @abstractmethod
    def fit(self, kind: str, history: History, panel: Panel, until: int, trees: Trees) -> PartsModel:
        """Fit one candidate on every row of the panel whose outcome ends by a moment.

        Args:
            kind: One of ``kinds``.
            history: Where outcomes are looked up.
            panel: Customers at cutoffs.
            until: Microseconds; nothing at or after it is used, so it is the gap and the split.
            trees: How boosters are grown.

        Raises:
            TrainingDataError: The rows cannot support the fit.
        """

    @abstractmethod
    def metrics(self, y: Floats, p: Floats) -> dict[str, tuple[Metric, Floats, Floats]]:
        """Metrics to report by name, each with the outcomes and predictions it is of.

        Args:
            y: What happened [n, K].
            p: What was predicted [n, K].
        """

    def usable(self, panel: Panel, until: int, days: int) -> Panel:
        """The rows whose outcome of so many days ends by a moment, newest cutoffs first to be kept."""
        cutoffs = np.unique(panel.cutoffs[panel.cutoffs + days * DAY <= until])
        return panel.where(np.isin(panel.cutoffs, cutoffs[-self.settings.training.max_cutoffs :]))


def in_season(panels: Sequence[Panel]) -> list[Panel]:
    """The panels, without the cutoff's place in the year unless each of them has seen a whole year.

    Within less than a year a month comes once: it is another word for time, trees learn growth or
    decline from it, and a month not seen yet is answered with that of the nearest number, which in
    January is a year off.
    """
    if all(len(p.cutoffs) and np.ptp(p.cutoffs) >= YEAR_DAYS * DAY for p in panels):
        return list(panels)
    calendar = set(Calendar().names)
    without_season = []
    for panel in panels:
        names = [name for name in panel.matrix.names if name not in calendar]
        without_season.append(replace(panel, matrix=panel.matrix.select(names)))
    return without_season


@dataclass(frozen=True)
class LtvTask(Task):
    """Margin less cost to serve over the horizon."""

    name: ClassVar[str] = "ltv"
    kinds: ClassVar[tuple[str, ...]] = tuple(LTV_MODELS)
    tunable: ClassVar[tuple[str, ...]] = ("two_part", "tweedie")
    metric: ClassVar[Metric] = normalised_gini

    @property
    def span_days(self) -> int:
        """The horizon."""
        return self.settings.ltv.horizon_days

    @property
    def label_days(self) -> tuple[int, ...]:
        """Lengths of outcome that are learnt from: the horizon, a half and a third of it.

        The whole horizon sees who stays, shorter lengths have more and newer cutoffs, and where the
        history is too short for the whole they stand in for it. Chosen on rehearsals of CDNOW,
        Online Retail and the simulated world (docs/decisions.md).
        """
        horizon = self.span_days
        return tuple(sorted({max(14, horizon // 3), max(14, horizon // 2), horizon}))

    @property
    def shortest_days(self) -> int:
        """The shortest length of outcome that is learnt from."""
        return self.label_days[0]

    @property
    def outputs(self) -> tuple[str, ...]:
        """One: the money."""
        return ("ltv",)

    def outcome(self, history: History, observations: Observations) -> Floats:
        """Money over the horizon, [n, 1]."""
        return history.money(observations, self.span_days)[:, None]

    def fit(self, kind: str, history: History, panel: Panel, until: int, trees: Trees) -> PartsModel:
        """Fit one candidate on all lengths of outcome for which there are rows."""
        usable = {days: self.usable(panel, until, days) for days in self.label_days}
        usable = {days: rows for days, rows in usable.items() if len(rows.observations)}
        sets = [
            LtvRows(rows.matrix, history.money(rows.observations, days), rows.cutoffs // DAY, days)
            for days, rows in zip(usable, in_season(list(usable.values())), strict=True)
        ]
        newest = panel.cutoffs[panel.cutoffs <= until].max()
        model = fit_ltv(
            sets,
            horizon_days=self.span_days,
            kind=kind,
            history=panel.where(panel.cutoffs == newest).matrix,
            trees=trees,
        )
        if kind in self.tunable:
            return model
        # The baselines know what was paid; what is asked for is margin less costs, discounted.
        longest = sets[-1]
        return model.with_parameters(total=model.total_factor(longest.matrix, longest.money, longest.days))

    def metrics(self, y: Floats, p: Floats) -> dict[str, tuple[Metric, Floats, Floats]]:
        """Ranking, calibration and total."""
        chosen = (spearman, normalised_gini, decile_error, total_ratio, auc)
        return {metric.name: (metric, y[:, 0], p[:, 0]) for metric in chosen}


@dataclass(frozen=True)
class ChurnTask(Task):
    """Having left by each of several horizons."""

    name: ClassVar[str] = "churn"
    kinds: ClassVar[tuple[str, ...]] = tuple(CHURN_MODELS)
    tunable: ClassVar[tuple[str, ...]] = ("hazard",)
    metric: ClassVar[Metric] = log_loss

    @property
    def label(self) -> ChurnLabel:
        """What leaving means."""
        churn = self.settings.churn
        return ChurnLabel(churn.horizons_days, churn.silence_days)

    @property
    def span_days(self) -> int:
        """The last horizon and the silence after it."""
        return self.label.span_days

    @property
    def shortest_days(self) -> int:
        """The whole span: a shorter silence would mean something else."""
        return self.label.span_days

    @property
    def outputs(self) -> tuple[str, ...]:
        """One a horizon."""
        return tuple(f"churn_{days}d" for days in self.label.horizons_days)

    def outcome(self, history: History, observations: Observations) -> Floats:
        """1 where the account had left by the horizon, [n, K]."""
        return self.label.of(history.happened[ORDERS_PLACED.name], observations).astype(np.float64)

    def rows(self, history: History, panel: Panel) -> ChurnRows:
        """Features with what happened."""
        return ChurnRows(panel.matrix, self.outcome(history, panel.observations), panel.cutoffs // DAY)

    def fit(self, kind: str, history: History, panel: Panel, until: int, trees: Trees) -> PartsModel:
        """Fit one candidate."""
        newest = panel.cutoffs[panel.cutoffs <= until].max()
        [rows] = in_season([self.usable(panel, until, self.span_days)])
        return fit_churn(
            self.rows(history, rows),
            horizons_days=self.label.horizons_days,
            kind=kind,
            silence_days=self.label.silence_days,
            history=panel.where(panel.cutoffs == newest).matrix,
            trees=trees,
        )

    def metrics(self, y: Floats, p: Floats) -> dict[str, tuple[Metric, Floats, Floats]]:
        """All horizons together, and ranking and error at each."""
        metrics = {"log_loss": (log_loss, y.ravel(), p.ravel())}
        for k, name in enumerate(self.outputs):
            for metric in (auc, brier):
                metrics[f"{metric.name}_{name}"] = (metric, y[:, k], p[:, k])
        return metrics


TASKS: Mapping[str, type[Task]] = {task.name: task for task in (LtvTask, ChurnTask)}
"""Tasks by name."""
