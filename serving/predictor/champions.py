"""Champions: the predictor that serves now, and its successor once it has proved itself."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from features.engine.snapshot import open_snapshot
from features.errors import ChecksumError, NoChampionError, TokuiError
from serving.log import log
from serving.predictor.account import read_account
from serving.predictor.admission import Champion
from serving.predictor.predictor import KEEP, Predictor
from serving.predictor.recommender import Uplift, load_uplift
from training.live import Live
from training.models.bundle import read_bundle

POLL_SECONDS = 1.0
RETRY_SECONDS = 10.0

Load = Callable[[Live], Predictor]
Seen = tuple[tuple[int, int, int] | None, ...]


def load_predictor(live: Live, keep: int = KEEP, copies: Path | None = None) -> Predictor:
    """The champions over the snapshot, read and checked; that of uplift, if there is one, with them.

    Args:
        live: Where they are.
        keep: Predictions to remember; see `Predictor`.
        copies: Where workers share a copy of the snapshot; see `open_snapshot`.

    Raises:
        NoChampionError: Lifetime value or churn has no champion, or there is no snapshot.
        ChecksumError: A file was altered, or a model answers its canary rows differently.
        FingerprintError: Models and snapshot were made by different definitions.
    """
    while True:
        numbers = live.champions()
        try:
            return _loaded(live, numbers, keep, copies)
        except ChecksumError:
            # What was pointed to may have been removed by promotions that came between.
            if live.champions() == numbers:
                raise


def _loaded(live: Live, numbers: Mapping[str, int], keep: int, copies: Path | None) -> Predictor:
    for task in ("ltv", "churn"):
        if task not in numbers:
            raise NoChampionError(
                f"no {task} model has been promoted; run `tokui train {task}`, then `tokui promote {task}`"
            )
    if not live.snapshot.exists():
        raise NoChampionError("there is no snapshot; run `tokui snapshot`")
    ltv, churn = (
        Champion(read_bundle(live.bundle(task, numbers[task])), numbers[task]) for task in ("ltv", "churn")
    )
    snapshot = open_snapshot(live.snapshot, copies)
    return Predictor(ltv, churn, snapshot, keep, load_uplift(live, snapshot))


@dataclass(frozen=True)
class State:
    """What a server can do now; replaced as a whole, never changed.

    Args:
        predictor: What answers; None while not ready.
        reason: Why there is none, or why the newest files are not the ones that answer.
    """

    predictor: Predictor | None
    reason: str | None

    @property
    def uplift(self) -> Uplift:
        """What recommends actions, if anything does."""
        return Uplift() if self.predictor is None else self.predictor.uplift

    @property
    def warning(self) -> str | None:
        """Why some of the newest files are not the ones that answer."""
        return "; ".join(filter(None, (self.reason, self.uplift.reason))) or None


class Champions:
    """Keeps the newest good predictor, watching the folder from a thread of its own.

    A new one is read, checked and warmed beside the old; then one assignment puts it in place, so
    no request sees half of it. If it cannot be used the old one stays and `State.reason` says why.

    Args:
        live: Where champions and snapshot are.
        poll_seconds: How often to look.
        load: How a predictor is made.
    """

    def __init__(self, live: Live, poll_seconds: float = POLL_SECONDS, load: Load = load_predictor) -> None:
        self._live, self._poll, self._load = live, poll_seconds, load
        self._tried: Seen | None = None
        self._again = 0.0
        self._stop = threading.Event()
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="tokui-champions", daemon=True)
        self.state = State(None, "models are being loaded")

    def start(self) -> None:
        """Begin watching; returns at once."""
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Return when the first look is over, whatever it found, or after so many seconds."""
        self._looked.wait(seconds)

    def stop(self) -> None:
        """Stop watching; returns when the thread has ended or is in the middle of a load."""
        self._stop.set()
        self._thread.join(timeout=5)

    def look(self) -> None:
        """Load what is there, if it is other than what was tried last."""
        seen = tuple(_stamp(path) for path in (self._live.pointer, self._live.snapshot))
        same = seen == self._tried
        if same and time.monotonic() < self._again:
            return
        # Noted before reading: whatever changes meanwhile is looked at again.
        self._tried = seen
        before = self.state.predictor
        try:
            if same and before is not None and self.state.reason is None:
                # Uplift alone could not be used: the others, and all they remember, stay.
                predictor = before.with_uplift(load_uplift(self._live, before.snapshot))
            else:
                predictor = self._load(self._live)
            if before is None:
                _warm(predictor)
        except (TokuiError, OSError, ValueError, KeyError) as error:
            self._keep(str(error) or repr(error))
            # Files that were still being copied, or a full table of open files, mend themselves.
            self._again = time.monotonic() + RETRY_SECONDS
            return
        self._serve(predictor, predictor.uplift.after(self.state.uplift))

    def _serve(self, predictor: Predictor, uplift: Uplift) -> None:
        self.state = State(predictor.with_uplift(uplift), None)
        self._again = math.inf if uplift.reason is None else time.monotonic() + RETRY_SECONDS
        serving = " and ".join(f"{task} {n}" for task, n in (predictor.models | uplift.models).items())
        if uplift.reason is None:
            log.info("serving %s", serving)
        else:
            log.warning("serving %s; the newest uplift model cannot be used: %s", serving, uplift.reason)

    def _keep(self, reason: str) -> None:
        self.state = State(self.state.predictor, reason)
        log.warning(
            "%s: %s", "not ready" if self.state.predictor is None else "kept the previous models", reason
        )

    def _watch(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                # A defect must not end the watching: the next promotion may mend it.
                log.exception("loading failed")
                self._keep("loading failed unexpectedly; see the server's log")
            self._looked.set()
            if self._stop.wait(self._poll):
                return


def _stamp(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_mtime_ns, status.st_ino, status.st_size
    return None


def _warm(predictor: Predictor) -> None:
    """Have the kernels compiled or read from their cache before the first request needs them."""
    bundle = predictor.ltv.bundle
    order = {"occurred_at": "2026-01-01", "amount": 1.0, "product_id": "a", "order_id": "a"}
    account = read_account(
        {"orders": [order], "customers": [{}]}, bundle.facts["timezone"], bundle.facts["currency"]
    )
    predictor.predict_rows(
        [None], account.features(bundle.features, bundle.bound), account.as_of_text, explain=True
    )
