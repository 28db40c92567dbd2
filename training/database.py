"""MLflow's database: it appears whole, and runs of trainings that were killed do not stay RUNNING.

A training holds its project's lock, with other trainings, for as long as it has runs. While nobody holds it
every run that is RUNNING is one whose training is dead.
"""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import SourceError
from features.files import clear_dead, file_whole
from features.locks import claimed
from features.room import lacks_room
from training.addresses import ARTIFACTS, settle

if TYPE_CHECKING:
    from mlflow import MlflowClient

_NAME, _TRAINING = "mlflow.db", ".training"
_RUNNING = """
SELECT run_uuid FROM runs JOIN experiments USING (experiment_id) WHERE runs.status = 'RUNNING' AND artifact_location = ?
"""
_KILL = "UPDATE runs SET status = 'KILLED', end_time = ? WHERE run_uuid = ?"
_PATIENCE_S = 30


def address_of(database: Path) -> str:
    """The tracking and registry address of a database, as ``mlflow ui --backend-store-uri`` takes it."""
    return f"sqlite:///{database}"


def open_database(folder: Path) -> "MlflowClient":
    """MLflow's client for the database of a folder, which is made if it is not there.

    The caller sees to it that one process at a time does this.

    Args:
        folder: Holds ``mlflow.db`` and ``artifacts/``; absolute.

    Raises:
        SourceError: What is there is not a database of MLflow's, or there is no room for one.
    """
    _quiet()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    settle(folder)
    end_dead_runs(folder)
    database = folder / _NAME
    try:
        if not database.exists():
            # Made by some thirty migrations; half of them would be a database that nothing can use.
            with file_whole(database) as partial:
                MlflowClient(address_of(partial), address_of(partial)).search_experiments(max_results=1)
        client = MlflowClient(address_of(database), address_of(database))
        client.search_experiments(max_results=1)
    except (SQLAlchemyError, MlflowException) as error:
        if lacks_room(error):
            raise
        raise SourceError(
            f"{database} cannot be used as MLflow's database ({type(error).__name__}); move it away, or mend it with "
            "`mlflow db upgrade`"
        ) from error
    return client


def _quiet() -> None:
    """Have MLflow neither tell the world of itself nor the user of how it makes its database."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for name in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def training_alive(folder: Path) -> Iterator[None]:
    """Let it be known that a training has runs in a folder, until it ends in whatever way."""
    with (folder / _TRAINING).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def end_dead_runs(folder: Path) -> int:
    """Mark as KILLED what trainings that are dead left RUNNING, and remove what they had half written.

    Whatever cannot be written stays as it is.

    Args:
        folder: Holds ``mlflow.db`` and ``artifacts/``; absolute.

    Returns:
        How many runs there were.
    """
    with claimed(folder / _TRAINING) as nobody:
        if not nobody or not (folder / _NAME).exists():
            return 0
        try:
            with closing(sqlite3.connect(folder / _NAME, timeout=_PATIENCE_S)) as connection, connection:
                # Others may keep experiments of their own in the same database.
                dead = [run for (run,) in connection.execute(_RUNNING, [(folder / ARTIFACTS).as_uri()])]
                now = int(time.time() * 1000)
                connection.executemany(_KILL, [(now, run) for run in dead])
        except sqlite3.Error:
            return 0
        clear_dead(*(folder / ARTIFACTS / run for run in dead), deep=True)
        return len(dead)
