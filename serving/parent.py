"""Parent: workers end with the process that started them, however that ends.

A worker whose parent was killed would serve on, hold the port, and be out of every operator's reach. A thread
looks who the parent is, which works wherever there are processes, and needs no handler of signals.
"""

import os
import signal
import threading
import time

from serving.log import log

PARENT = "TOKUI_PARENT"
"""Environment variable that workers read: the process that started them."""

LOOK_SECONDS = 0.25


def name_parent() -> None:
    """Let processes that are started from here know whom they end with."""
    os.environ[PARENT] = str(os.getpid())


def end_with_parent(grace_seconds: float) -> None:
    """End this process as SIGTERM does once its parent is gone; at once if it is gone already.

    Does nothing where nobody has named a parent.

    Args:
        grace_seconds: What it may take to answer what it has accepted; then it ends without.
    """
    parent = os.environ.get(PARENT, "")
    if parent.isdecimal() and int(parent) != os.getpid():
        threading.Thread(
            target=_watch, args=(int(parent), grace_seconds), name="tokui-parent", daemon=True
        ).start()


def _watch(parent: int, grace_seconds: float) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    log.warning("the process that started this worker is gone; it ends too")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_seconds)
    os._exit(1)
