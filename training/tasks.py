"""Tasks: what is predicted, what it is learnt from, and what decides between candidates."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
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
from features.labels import ChurnLabel
from features.observations import Observations
from features.settings import Settings
from features.streams import ORDERS_PLACED
from features.types import Floats
from features.windows import DAY
from training.boosting import Trees
from training.churn import ChurnRows, fit_churn
from training.churn_models import CHURN_MODELS
from training.history import History, Panel
from training.ltv import LtvRows, fit_ltv
from training.ltv_models import LTV_MODELS
from training.parts import PartsModel


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
        """Lengths of outcome that are learnt from: the horizon, and shorter ones for their recency."""
        horizon = self.span_days
        return tuple(sorted({max(14, horizon // 4), max(14, horizon // 2), horizon}))

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
        sets = []
        for days in self.label_days:
            rows = self.usable(panel, until, days)
            if len(rows.observations):
                money = history.money(rows.observations, days)
                sets.append(LtvRows(rows.matrix, money, rows.cutoffs // DAY, days))
        newest = panel.cutoffs[panel.cutoffs <= until].max()
        return fit_ltv(
            sets,
            horizon_days=self.span_days,
            kind=kind,
            history=panel.where(panel.cutoffs == newest).matrix,
            trees=trees,
        )

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
        return fit_churn(
            self.rows(history, self.usable(panel, until, self.span_days)),
            horizons_days=self.label.horizons_days,
            kind=kind,
            silence_days=self.label.silence_days,
            history=panel.where(panel.cutoffs == newest).matrix,
            trees=trees,
        )

    def metrics(self, y: Floats, p: Floats) -> dict[str, tuple[Metric, Floats, Floats]]:
        """All horizons together, and ranking and error at each."""
        found = {"log_loss": (log_loss, y.ravel(), p.ravel())}
        for k, name in enumerate(self.outputs):
            for metric in (auc, brier):
                found[f"{metric.name}_{name}"] = (metric, y[:, k], p[:, k])
        return found


TASKS: Mapping[str, type[Task]] = {task.name: task for task in (LtvTask, ChurnTask)}
"""Tasks by name."""
