"""Contract: a worker ends with the process that started it, killed or not, even if that was before it looked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CHILD = """
import sys, time
from serving.parent import end_with_parent
end_with_parent(5.0)
print("up", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
from serving.parent import name_parent
name_parent()
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


def gone(pid, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_killed_parent_takes_its_children_with_it():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def test_a_parent_that_is_gone_already_is_noticed_and_no_parent_is_no_reason_to_end():
    environment = {**os.environ, "TOKUI_PARENT": str(2**22 + 1)}
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, check=False, timeout=30)
    assert done.returncode == -signal.SIGTERM
    short = CHILD.replace("60", "1.5")
    assert subprocess.run([sys.executable, "-c", short], check=False, timeout=30).returncode == 0
