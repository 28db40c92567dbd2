"""Addresses: where MLflow's database says that artifacts lie, put right where the folder has moved.

MLflow keeps whole addresses: of a copied or moved project they lead to the old place. `Tracker` reads and
writes by the run's id under its own folder and never asks for them, but ``mlflow ui`` and whatever else
opens the database does.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

ARTIFACTS = "artifacts"
"""Folder beside the database, and within each run's folder."""

_KEPT = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Columns that hold addresses, as far as this MLflow's database has them."""

_OURS = """
SELECT DISTINCT artifact_location FROM experiments JOIN runs USING (experiment_id) JOIN tags USING (run_uuid)
WHERE tags.key = 'task' AND tags.value = experiments.name
"""
"""Experiments that `Tracker` made; whatever else somebody keeps in the database may lie where it likes."""

_PATIENCE_S = 30


def settle(folder: Path) -> int:
    """Let the database's addresses under a folder it has come from lead to where it is now.

    All of them change in one transaction or none, and nothing outside the database is touched.

    Args:
        folder: Holds ``mlflow.db`` and ``artifacts/``; absolute.

    Returns:
        How many addresses were changed; 0 where all were right, or the database cannot be written.
    """
    database = folder / "mlflow.db"
    if not database.exists():
        return 0
    try:
        with closing(sqlite3.connect(database, timeout=_PATIENCE_S, isolation_level=None)) as connection:
            if not _strange(connection, folder):
                return 0
            connection.execute("BEGIN IMMEDIATE")
            # Asked again: another process may have done it while this one waited.
            moves = [(old, folder) for old in _strange(connection, folder)]
            changed = sum(_move(connection, old, new) for old, new in moves)
            connection.execute("COMMIT")
    except sqlite3.Error:
        # Not to be written, or no database at all, which MLflow is about to say: nothing here depends on it.
        return 0
    return changed


def _strange(connection: sqlite3.Connection, folder: Path) -> list[Path]:
    """Other folders that our experiments say they are in."""
    places = (_path(address) for (address,) in connection.execute(_OURS))
    roots = {place.parent for place in places if place is not None and place.name == ARTIFACTS}
    return sorted(roots - {folder})


def _path(address: str) -> Path | None:
    """The local folder an address leads to; None if it is not on this machine."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return None if parts.scheme else Path(address)


def _move(connection: sqlite3.Connection, old: Path, new: Path) -> int:
    changed = 0
    for table, column in _KEPT:
        if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            continue
        for before, after in ((old.as_uri(), new.as_uri()), (str(old), str(new))):
            begins = f"substr({column}, 1, length(?)) = ?"
            changed += connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, length(?) + 1) "  # names of ours
                # The new place may lie within the old one.
                f"WHERE {begins} AND NOT {begins}",
                (after, before, *2 * (f"{before}/",), *2 * (f"{after}/",)),
            ).rowcount
    return changed
