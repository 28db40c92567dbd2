"""Running commands in tests: a process of its own in a project's folder, and the document it prints."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def tokui(folder: Path, *words: str) -> Any:
    """Run a command that ends well, and read its JSON."""
    command = [sys.executable, "-m", "tokui", *words, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
