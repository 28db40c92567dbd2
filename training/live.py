"""What servers read: champions and snapshot, in one folder, without MLflow.

    champions.json      task to version
    ltv-3/, churn-5.1/  bundles; where a name was taken, it has a count and the pointer says so
    snapshot.tokui      features of all customers

Every file appears whole, the pointer last, so a server that looks at any moment finds either the
old state or the new.
"""

import contextlib
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import ChecksumError, ModelError
from features.files import file_whole, folder_whole, sync
from features.locks import alone
from features.settings import Settings
from training.models.bundle import read_bundle

_PLACE = re.compile(r"\d+(\.\d+)?")


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
        return {task: int(place.partition(".")[0]) for task, place in self._places().items()}

    def bundle(self, task: str, number: int) -> Path:
        """Where a bundle lies, or would lie."""
        with contextlib.suppress(ChecksumError):
            place = self._places().get(task, "")
            if place.partition(".")[0] == str(number):
                return self.folder / f"{task}-{place}"
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
        with self.publishing(task, number, source):
            pass

    @contextmanager
    def publishing(self, task: str, number: int, source: Path) -> Iterator[None]:
        """Publish a bundle after what is done meanwhile; if that fails nothing has changed.

        One publishes at a time. The bundle gets a name that nothing has, then the pointer is replaced in one
        step, then what nobody is pointed to any more is removed: a kill at any moment leaves the old
        champion or the new one, and a copy too many at worst, which the next publication removes.

        Args:
            task: What it predicts.
            number: Its version.
            source: Its folder.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with alone(self.folder / ".lock"):
            try:
                before = self._places()
            except ChecksumError:
                # Promoting again is the mend for a broken pointer, so it must not stop here.
                before = {}
            place, fresh = self._copied(task, number, source)
            try:
                with file_whole(self.pointer) as partial:
                    document = {**before, task: place}
                    numbers = {name: int(p) if p.isdecimal() else p for name, p in document.items()}
                    partial.write_text(json.dumps(numbers), encoding="utf-8")
                    # Whatever a full disk refuses is refused now.
                    sync(partial)
                    yield
            except BaseException:
                if fresh:
                    shutil.rmtree(self.folder / f"{task}-{place}", ignore_errors=True)
                raise
            self._remove_but(task, {place, before.get(task, place)})

    def _places(self) -> dict[str, str]:
        """What follows the task in the folder's name, by task: the version, and where that name was taken a count."""
        try:
            document = json.loads(self.pointer.read_text(encoding="utf-8"))
            places = {str(task): str(place) for task, place in document.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError, TypeError) as error:
            raise ChecksumError(
                f"{self.pointer} is not a list of champions: {error}; promote again"
            ) from error
        strange = [place for place in places.values() if not _PLACE.fullmatch(place)]
        if strange:
            raise ChecksumError(
                f"{self.pointer} is not a list of champions: {strange[0]!r} is no version; promote again"
            )
        return places

    def _copied(self, task: str, number: int, source: Path) -> tuple[str, bool]:
        """Where a bundle lies now, and whether it was put there."""
        wanted = _contents(source)
        for count in itertools.count():
            place = f"{number}.{count}" if count else str(number)
            folder = self.folder / f"{task}-{place}"
            if not folder.exists():
                with folder_whole(folder) as partial:
                    for name, content in wanted.items():
                        (partial / name).write_bytes(content)
                return place, True
            if _contents(folder) == wanted:
                return place, False
        raise AssertionError

    def _remove_but(self, task: str, places: set[str]) -> None:
        for path in self.folder.glob(f"{task}-*"):
            place = path.name.removeprefix(f"{task}-")
            if _PLACE.fullmatch(place) and place not in places:
                shutil.rmtree(path, ignore_errors=True)


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}
