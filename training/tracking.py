"""MLflow: runs, versions and aliases, all under one folder. Only this and `training.database` import it, lazily.

A training is one parent run; every candidate of its backtest is a child run. A version's artifacts are

    model/              the bundle that is served
    rehearsed/          the same candidate fitted before the judged cutoff, to compare challengers with
    backtest.parquet    what happened and what was predicted at the judged cutoff, customers hashed
    breakdown.json      metrics by segment and value decile
    card.html, card.ja.html, tokui.toml
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.estimate import Estimate
from features.binding.databases import redact
from features.errors import NoChampionError, SourceError
from features.files import file_whole, write_text
from features.locks import alone
from features.types import Floats
from training.addresses import ARTIFACTS
from training.database import address_of, open_database, training_alive
from training.models.bundle import Bundle, read_bundle, write_bundle

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER = "champion", "challenger"
REFUSED = "refused."
"""Tags of a version, by kind: why a candidate dropped out of its training."""


@dataclass(frozen=True)
class Version:
    """A registered model version.

    Args:
        task: The registered model's name.
        number: Its version.
        aliases: ``champion``, ``challenger``, both or none.
        run_id: The training run.
        created: Seconds since 1970, UTC.
        kind: The candidate that was chosen.
        judged_at: The judged cutoff, ISO date and time.
        metrics: Out of time, with intervals.
        tags: The version's tags.
    """

    task: str
    number: int
    aliases: tuple[str, ...]
    run_id: str
    created: float
    kind: str
    judged_at: str
    metrics: dict[str, Estimate]
    tags: dict[str, str]

    @property
    def refused(self) -> dict[str, str]:
        """Why other candidates dropped out of its training, by kind."""
        return {key.removeprefix(REFUSED): why for key, why in self.tags.items() if key.startswith(REFUSED)}


@dataclass(frozen=True, eq=False)
class Record:
    """The judged rows of a version, as kept.

    Args:
        customers: Hashed ids, [n].
        actual: What happened, [n, K].
        prediction: What the version said, [n, K].
        champion: What the champion of the day said of the same rows, [n, K], if there was one.
        champion_number: Its version.
        clusters: Codes of what was put in an arm as a whole, [n], where rows are not independent.
    """

    customers: list[str]
    actual: Floats
    prediction: Floats
    champion: Floats | None = None
    champion_number: int | None = None
    clusters: npt.NDArray[np.intp] | None = None

    def take(self, rows: Sequence[int]) -> "Record":
        """Some of the rows."""
        picked = np.asarray(rows, np.intp)
        return replace(
            self,
            customers=[self.customers[row] for row in rows],
            actual=self.actual[picked],
            prediction=self.prediction[picked],
            champion=None if self.champion is None else self.champion[picked],
            clusters=None if self.clusters is None else self.clusters[picked],
        )


def hashed(customer_ids: list[str], salt: str) -> list[str]:
    """Pseudonyms of customer ids for MLflow: SHA-256 with the project's name, 16 hex digits.

    They keep ids out of sight and join one version's rows to another's. Whoever may guess all ids
    can find them again; access to ``mlruns/`` is the protection.
    """
    return [
        hashlib.sha256(f"{salt}\0{customer_id}".encode()).hexdigest()[:16] for customer_id in customer_ids
    ]


def without_secrets(toml: str) -> str:
    """tokui.toml with passwords in addresses blotted out."""
    return "\n".join(redact(line) for line in toml.split("\n"))


class Tracker:
    """What MLflow keeps for one project.

    Args:
        folder: Holds ``mlflow.db`` and ``artifacts/``; made at the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @property
    def address(self) -> str:
        """The tracking and registry address, as ``mlflow ui --backend-store-uri`` takes it."""
        return address_of(self.folder / "mlflow.db")

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client.

        Raises:
            SourceError: What is there is not a database of MLflow's.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            return open_database(self.folder)

    def check_writable(self) -> None:
        """Ask before a training, not after it.

        Raises:
            SourceError: The folder or its database may be read only.
        """
        there = [path for path in (self.folder / "mlflow.db", self.folder) if path.exists()]
        for path in there or [next(parent for parent in self.folder.parents if parent.exists())]:
            if not os.access(path, os.W_OK):
                raise SourceError(
                    f"{path} cannot be written, and that is where a training keeps its models; "
                    "make it writable, or copy the project to a place of your own and train there"
                )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two first trainings at once would both make the database, and one would fail halfway."""
        with contextlib.ExitStack() as stack:
            # Models of a folder that cannot be written can be read all the same.
            with contextlib.suppress(OSError):
                stack.enter_context(alone(self.folder / ".lock"))
            yield

    @contextmanager
    def run(self, task: str, name: str, params: Mapping[str, Any], tags: Mapping[str, str]) -> Iterator[str]:
        """A run that ends as finished, or as failed where an error leaves the block.

        Yields:
            The run's id.
        """
        from mlflow.entities import Param

        experiment = self.client.get_experiment_by_name(task)
        where = (
            experiment.experiment_id
            if experiment
            else self.client.create_experiment(task, (self.folder / ARTIFACTS).as_uri())
        )
        with training_alive(self.folder):
            run_id: str = self.client.create_run(where, run_name=name, tags=dict(tags)).info.run_id
            try:
                self.client.log_batch(
                    run_id, params=[Param(key, str(value)) for key, value in params.items()]
                )
                yield run_id
            except BaseException:
                self._fail(run_id)
                raise
            self.client.set_terminated(run_id, "FINISHED")

    def _fail(self, run_id: str) -> None:
        """Note that a run failed, and remove what it kept unless a version is made of it."""
        # What made it fail, such as a full disk, may keep this from being noted; the next command does it then.
        with contextlib.suppress(Exception):
            self.client.set_terminated(run_id, "FAILED")
        with contextlib.suppress(Exception):
            if not self.client.search_model_versions(f"run_id = '{run_id}'"):
                shutil.rmtree(self.folder / ARTIFACTS / run_id, ignore_errors=True)

    def log_metrics(self, run_id: str, metrics: Mapping[str, Estimate]) -> None:
        """Metrics and the ends of their intervals, in one batch."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        flat: dict[str, float] = {}
        for name, estimate in metrics.items():
            flat |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        finite = {name: value for name, value in flat.items() if np.isfinite(value)}
        self.client.log_batch(run_id, [Metric(name, value, now, 0) for name, value in finite.items()])

    def log_bundle(self, run_id: str, bundle: Bundle, name: str) -> None:
        """Keep a bundle as artifacts."""
        write_bundle(self._kept(run_id) / name, bundle)

    def log_record(self, run_id: str, record: Record) -> None:
        """Keep the judged rows."""
        columns: dict[str, Any] = {"customer": record.customers}
        for k in range(record.actual.shape[1]):
            columns[f"actual_{k}"] = record.actual[:, k]
            columns[f"prediction_{k}"] = record.prediction[:, k]
            if record.champion is not None:
                columns[f"champion_{k}"] = record.champion[:, k]
        if record.clusters is not None:
            columns["cluster"] = record.clusters
        table = pa.table(columns)
        if record.champion_number is not None:
            table = table.replace_schema_metadata({"champion": str(record.champion_number)})
        self.log_table(run_id, table, "backtest.parquet")

    def log_table(self, run_id: str, table: pa.Table, name: str) -> None:
        """Keep a table as a Parquet artifact."""
        with file_whole(self._kept(run_id) / name) as partial:
            pq.write_table(table, partial)

    def log_texts(self, run_id: str, texts: Mapping[str, str]) -> None:
        """Keep texts as artifacts by file name."""
        for name, text in texts.items():
            write_text(self._kept(run_id) / name, text)

    def register(self, task: str, run_id: str, tags: Mapping[str, str]) -> int:
        """Make a run's model the newest version and the challenger; returns its number."""
        from mlflow.exceptions import MlflowException

        try:
            self.client.get_registered_model(task)
        except MlflowException:
            self.client.create_registered_model(task)
        made = self.client.create_model_version(task, f"runs:/{run_id}/model", run_id, dict(tags))
        self.client.set_registered_model_alias(task, CHALLENGER, made.version)
        return int(made.version)

    def versions(self, task: str) -> list[Version]:
        """All versions of a task, newest first."""
        from mlflow.exceptions import MlflowException

        if not (self.folder / "mlflow.db").exists():
            return []
        try:
            aliases = self.client.get_registered_model(task).aliases
        except MlflowException:
            return []
        registered = self.client.search_model_versions(f"name = '{task}'")
        return sorted((self._version(entry, aliases) for entry in registered), key=lambda v: -v.number)

    def _version(self, entry: Any, aliases: Mapping[str, Any]) -> Version:
        number = int(entry.version)
        tags = dict(entry.tags)
        metrics = {name: Estimate(*values) for name, values in json.loads(tags.get("metrics", "{}")).items()}
        return Version(
            task=entry.name,
            number=number,
            aliases=tuple(sorted(alias for alias, held in aliases.items() if int(held) == number)),
            run_id=entry.run_id,
            created=entry.creation_timestamp / 1000,
            kind=tags.get("kind", ""),
            judged_at=tags.get("judged_at", ""),
            metrics=metrics,
            tags=tags,
        )

    def holding(self, task: str, alias: str) -> Version | None:
        """The version that holds an alias; None if none does."""
        return next((version for version in self.versions(task) if alias in version.aliases), None)

    def champion(self, task: str) -> Version:
        """The champion.

        Raises:
            NoChampionError: Nothing has been promoted yet.
        """
        version = self.holding(task, CHAMPION)
        if version is None:
            raise NoChampionError(
                f"no {task} model is champion yet; run `tokui train {task}`, then `tokui promote {task}`"
            )
        return version

    def bundle(self, version: Version, name: str = "model") -> Bundle:
        """A version's ``model`` or ``rehearsed`` bundle.

        Raises:
            ChecksumError: It was altered.
        """
        return read_bundle(self.artifact(version, name))

    def artifact(self, version: Version, name: str) -> Path:
        """Where an artifact of a version lies."""
        return self._kept(version.run_id) / name

    def _kept(self, run_id: str) -> Path:
        """Where a run's artifacts lie."""
        # MLflow would say, and write, where the folder was on the day the run was made.
        return self.folder / ARTIFACTS / run_id / ARTIFACTS

    def record(self, version: Version) -> Record:
        """The judged rows of a version."""
        table = pq.read_table(self.artifact(version, "backtest.parquet"))

        def stacked(word: str) -> Floats:
            names = [name for name in table.column_names if name.startswith(f"{word}_")]
            return np.column_stack([table[name].to_numpy() for name in names])

        metadata = table.schema.metadata or {}
        held = metadata.get(b"champion")
        return Record(
            table["customer"].to_pylist(),
            stacked("actual"),
            stacked("prediction"),
            None if held is None else stacked("champion"),
            None if held is None else int(held),
            table["cluster"].to_numpy() if "cluster" in table.column_names else None,
        )

    def give(self, version: Version, alias: str, tags: Mapping[str, str]) -> None:
        """Give a version an alias, with tags that say why."""
        for key, value in tags.items():
            self.client.set_model_version_tag(version.task, str(version.number), key, value)
        self.client.set_registered_model_alias(version.task, alias, str(version.number))

    def take(self, task: str, alias: str) -> None:
        """Take an alias away from whatever holds it."""
        self.client.delete_registered_model_alias(task, alias)
