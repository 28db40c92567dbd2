"""What the benchmarks need that tokui does not: peers to compare with, and public data."""

import sys
from importlib.util import find_spec
from pathlib import Path


def without_missing(names: list[str], modules: dict[str, str]) -> list[str]:
    """The names whose module is installed; one line on standard error for each of the others.

    Args:
        names: What is to be compared.
        modules: The module that each of them needs; those not named here need none.
    """
    missing = [name for name in names if name in modules and find_spec(modules[name]) is None]
    for name in missing:
        print(f"{name} is not installed and left out; `make bench` installs it", file=sys.stderr)
    return [name for name in names if name not in missing]


def present(path: Path, what: str) -> Path:
    """A file of public data.

    Raises:
        SystemExit: It is not there, said in one line.
    """
    if not path.exists():
        raise SystemExit(f"{what} is not there: {path.name} is looked for in {path.parent}")
    return path
