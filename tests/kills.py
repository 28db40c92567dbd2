"""Killing a process at every step it takes: each file it opens to write, renames, removes or makes."""

import os
import signal
import sys

_STEPS = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.link", "shutil.rmtree"})


def _writes(event, arguments):
    if event == "open":
        flags = arguments[2] or 0
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in _STEPS


def killed_at(step, work, folder):
    """Do some work in a process of its own that is killed just before its step-th change of a folder.

    Returns:
        Whether it was killed; it ends well where it takes fewer steps.
    """
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
        return os.WIFSIGNALED(status)
    left = step

    def count(event, arguments):
        nonlocal left
        if _writes(event, arguments) and str(folder) in str(arguments[0]):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    try:
        sys.addaudithook(count)
        work()
    except BaseException:  # noqa: BLE001  whatever it was, the child must end here
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def kills(work, folder, most=400):
    """Kill some work at each of its steps in turn; yields the number of steps taken before each kill."""
    for step in range(most):
        if not killed_at(step, work, folder):
            assert step > 3
            return
        yield step
    raise AssertionError(f"still not done after {most} steps")
