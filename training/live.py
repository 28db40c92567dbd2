"""What servers read: champions and snapshot, in one folder, without MLflow.

    champions.json      task to version
    ltv-3/, churn-5/    bundles
    snapshot.tokui      features of all customers

Every file appears whole, the pointer last, so a server that looks at any moment finds either the
old state or the new.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import ChecksumError, ModelError
from features.files import folder_whole, write_text
from features.settings import Settings
from training.models.bundle import read_bundle


def live_folder(settings: Settings) -> Path:
    """Where a project's servers read."""
    return settings.folder / "live"


class Live:
    """The folder servers read.

    Args:
        folder: Made at the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def pointer(self) -> Path:
        """Names the champions; replaced at every promotion."""
        return self.folder / "champions.json"

    @property
    def snapshot(self) -> Path:
        """The snapshot file; replaced by every `tokui snapshot`."""
        return self.folder / "snapshot.tokui"

    def champions(self) -> dict[str, int]:
        """Version by task; empty before the first promotion.

        Raises:
            ChecksumError: The pointer is not what was written.
        """
        try:
            document = json.loads(self.pointer.read_text(encoding="utf-8"))
            return {str(task): int(number) for task, number in document.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError, TypeError) as error:
            raise ChecksumError(
                f"{self.pointer} is not a list of champions: {error}; promote again"
            ) from error

    def bundle(self, task: str, number: int) -> Path:
        """Where a bundle lies."""
        return self.folder / f"{task}-{number}"

    def holds(self, task: str, number: int) -> bool:
        """Whether a version is here, whole, and pointed to."""
        try:
            if self.champions().get(task) != number:
                return False
            read_bundle(self.bundle(task, number))
        except ModelError:
            return False
        return True

    def publish(self, task: str, number: int, source: Path) -> None:
        """Copy a bundle here, then point to it."""
        with folder_whole(self.bundle(task, number)) as partial:
            for file in source.iterdir():
                shutil.copy2(file, partial / file.name)
        with self._alone():
            try:
                before = self.champions()
            except ChecksumError:
                # Promoting again is the mend for a broken pointer, so it must not stop here.
                before = {}
            write_text(self.pointer, json.dumps({**before, task: number}))
        keep = {number, before.get(task, number)}
        for path in self.folder.glob(f"{task}-*"):
            tail = path.name.removeprefix(f"{task}-")
            if tail.isdigit() and int(tail) not in keep:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two promotions at once must not lose each other's line in the pointer."""
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
