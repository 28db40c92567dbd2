"""State: the folder in which one run of the server keeps what its workers share, and which ends with it.

It lies in the project, so that a full ``/tmp`` is no concern of the server's; where the project may only be
read it lies among the system's temporary files. What a killed server leaves is cleared by the next command.

    metrics/        counts of requests, a file a worker
    copies/         the verified copy of the snapshot that workers map
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import SettingsError
from features.files import Scratch
from serving.api.metrics import FOLDER

COPIES = "TOKUI_COPIES"
"""Environment variable that workers read: where copies of the snapshot are."""


@contextmanager
def server_state(live: Path) -> Iterator[Path]:
    """Make the folder, and tell this process and its workers where it is.

    Args:
        live: The folder of champions and snapshot.

    Raises:
        SettingsError: There is no place that can be written.
    """
    with _scratch(live) as folder:
        (folder / "copies").mkdir()
        # BentoML keeps a model store and sockets; nothing of it belongs anywhere else.
        os.environ |= {
            FOLDER: str(folder / "metrics"),
            COPIES: str(folder / "copies"),
            "BENTOML_HOME": str(folder),
            "TMPDIR": str(folder),
        }
        tempfile.tempdir = None
        yield folder


def copies_folder() -> Path | None:
    """Where this worker shares copies of the snapshot with others, if it is one of several."""
    folder = os.environ.get(COPIES)
    return Path(folder) if folder else None


def _scratch(live: Path) -> Scratch:
    refused = ""
    for parent in (live, None):
        try:
            return Scratch(parent)
        except OSError as error:
            refused = error.strerror or str(error)
    raise SettingsError(
        f"neither {live} nor a folder for temporary files can be written ({refused}), and a server needs one of them; "
        "set TMPDIR to a folder that can"
    )
