"""The one door for the tasks: whatever is predicted is trained, registered, compared and exported alike."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from evaluation.estimate import Comparison
from features.binding.tables import Tables
from features.errors import SettingsError
from features.history import History
from features.oddities import oddities
from features.settings import Settings
from features.types import Floats, Progress
from training.export import write_experiment_set, write_training_set
from training.models.uplift import UPLIFT
from training.registration import Registration, register
from training.tracking import Record, Tracker, Version
from training.uplift.register import not_of_one_experiment, uplift_registration
from training.uplift.train import METRIC, UpliftTraining, compare_uplift, train_uplift
from training.value.backtest import compare
from training.value.register import not_comparable, value_registration
from training.value.tasks import TASKS, Task
from training.value.train import Training, train_value

Made = TypeVar("Made")
"""What a job's training made."""


class Job(ABC, Generic[Made]):
    """One thing that models are made for."""

    optional: ClassVar[bool]
    """Whether a project may do without: it is trained where it is named, and served where there is a champion."""
    needs_experiment: ClassVar[bool]
    """Whether it is learnt from an experiment, and not from the whole history."""
    contest: ClassVar[str]
    """How its candidates compete, in plain words."""

    @property
    @abstractmethod
    def name(self) -> str:
        """In the registry, in what servers read, and at the command line."""

    @property
    @abstractmethod
    def metric(self) -> str:
        """What its versions are compared by."""

    @abstractmethod
    def train(
        self,
        tables: Tables,
        history: History,
        *,
        experiment: str | None = None,
        trials: int = 0,
        journals: Path | None = None,
        threads: int = 1,
        progress: Progress = lambda _: None,
    ) -> Made:
        """Train.

        Args:
            tables: The bound tables.
            history: Of the same tables.
            experiment: What to learn from, where that is an experiment; the only one if not given.
            trials: Tuning trials; 0 trains with the usual trees.
            journals: Where tuning keeps its trials, so that it can go on after a kill.
            threads: Worker threads.
            progress: Told each step in plain words.

        Raises:
            TrainingDataError: The history cannot support it.
            ExperimentError: The experiment cannot.
        """

    @abstractmethod
    def registration(self, tracker: Tracker, made: Made) -> Registration:
        """What a training puts on record."""

    def register(self, tracker: Tracker, made: Made) -> Version:
        """Put a training on record and make it the challenger."""
        return register(tracker, self.registration(tracker, made))

    @abstractmethod
    def apart(
        self, challenger: Version, champion: Version, mine: Record, theirs: Record, customers: int
    ) -> str | None:
        """Why two versions were not judged alike; None if they were.

        Args:
            challenger: One of them.
            champion: The other.
            mine: The challenger's record of the customers both were judged on.
            theirs: The champion's of the same customers.
            customers: All that the challenger was judged on.
        """

    @abstractmethod
    def compare(self, settings: Settings, mine: Record, other: Floats) -> Comparison:
        """Is a version worse than other predictions [n, K] of the same rows?"""

    @abstractmethod
    def export(
        self,
        tables: Tables,
        path: Path,
        *,
        cutoffs: Sequence[int] = (),
        experiment: str | None = None,
        threads: int = 1,
        progress: Progress = lambda _: None,
    ) -> int:
        """Write what it learns from as Parquet; returns the number of rows.

        Args:
            tables: The bound tables.
            path: Where to.
            cutoffs: Microseconds, where it learns from the whole history.
            experiment: Where it learns from one.
            threads: Worker threads.
            progress: Told how far it is.
        """


@dataclass(frozen=True)
class ValueJob(Job[Training]):
    """Lifetime value or churn: learnt from cutoffs of the whole history.

    Args:
        task: What is predicted.
    """

    task: type[Task]

    optional: ClassVar[bool] = False
    needs_experiment: ClassVar[bool] = False
    contest: ClassVar[str] = "candidates compete on a year none of them has seen"

    @property
    def name(self) -> str:
        """The task's."""
        return self.task.name

    @property
    def metric(self) -> str:
        """The task's."""
        return self.task.metric.name

    def train(
        self,
        tables: Tables,
        history: History,
        *,
        experiment: str | None = None,  # noqa: ARG002  # of another job
        trials: int = 0,
        journals: Path | None = None,
        threads: int = 1,
        progress: Progress = lambda _: None,
    ) -> Training:
        """See `train_value`."""
        return train_value(
            self.task(tables.settings), history, strange=oddities(tables),
            trials=trials, journals=journals, threads=threads, progress=progress,
        )  # fmt: skip

    def registration(self, tracker: Tracker, made: Training) -> Registration:
        """See `value_registration`."""
        return value_registration(tracker, made)

    def apart(
        self,
        challenger: Version,
        champion: Version,
        mine: Record,
        theirs: Record,
        customers: int,  # noqa: ARG002  # of another job
    ) -> str | None:
        """See `not_comparable`."""
        return not_comparable(challenger, champion, mine, theirs)

    def compare(self, settings: Settings, mine: Record, other: Floats) -> Comparison:
        """By the task's metric on what happened."""
        return compare(self.task(settings), mine.actual, mine.prediction, other)

    def export(
        self,
        tables: Tables,
        path: Path,
        *,
        cutoffs: Sequence[int] = (),
        experiment: str | None = None,  # noqa: ARG002  # of another job
        threads: int = 1,
        progress: Progress = lambda _: None,
    ) -> int:
        """See `write_training_set`: one file has the outcomes of all such tasks."""
        return write_training_set(tables, cutoffs, path, threads=threads, progress=progress)


@dataclass(frozen=True)
class UpliftJob(Job[UpliftTraining]):
    """Uplift: learnt from one experiment, and judged on doubly robust scores."""

    optional: ClassVar[bool] = True
    needs_experiment: ClassVar[bool] = True
    contest: ClassVar[str] = "six learners, on customers they have not seen"

    @property
    def name(self) -> str:
        """Of the task."""
        return UPLIFT

    @property
    def metric(self) -> str:
        """What decides between learners, too."""
        return METRIC

    def train(
        self,
        tables: Tables,
        history: History,
        *,
        experiment: str | None = None,
        trials: int = 0,
        journals: Path | None = None,
        threads: int = 1,
        progress: Progress = lambda _: None,
    ) -> UpliftTraining:
        """See `train_uplift`."""
        return train_uplift(
            tables, history, experiment, trials=trials, journals=journals, threads=threads, progress=progress
        )

    def registration(self, tracker: Tracker, made: UpliftTraining) -> Registration:
        """See `uplift_registration`."""
        return uplift_registration(tracker, made)

    def apart(
        self, challenger: Version, champion: Version, mine: Record, theirs: Record, customers: int
    ) -> str | None:
        """See `not_of_one_experiment`."""
        return not_of_one_experiment(challenger, champion, mine, theirs, customers)

    def compare(self, settings: Settings, mine: Record, other: Floats) -> Comparison:  # noqa: ARG002
        """By how they rank doubly robust scores."""
        return compare_uplift(mine.actual, mine.prediction, other, mine.clusters)

    def export(
        self,
        tables: Tables,
        path: Path,
        *,
        cutoffs: Sequence[int] = (),  # noqa: ARG002  # of another job
        experiment: str | None = None,
        threads: int = 1,
        progress: Progress = lambda _: None,
    ) -> int:
        """See `write_experiment_set`."""
        return write_experiment_set(tables, experiment, path, threads=threads, progress=progress)


_ALL: tuple[Job[Any], ...] = (*map(ValueJob, TASKS.values()), UpliftJob())

JOBS: Mapping[str, Job[Any]] = {job.name: job for job in _ALL}
"""Everything that can be trained and promoted, by name."""

USUAL = tuple(job.name for job in JOBS.values() if not job.optional)
"""What every project trains and serves."""


def job_of(name: str) -> Job[Any]:
    """A job by its name.

    Raises:
        SettingsError: There is no such job.
    """
    if name not in JOBS:
        raise SettingsError(f"{name!r} is not a task; those are {', '.join(JOBS)}")
    return JOBS[name]
