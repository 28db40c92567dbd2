"""How often every interval covers and every test cries wolf, against what is promised.

    python -m benchmarks.coverage [--count N] [--workers 2] [--only NAME]

The last line is JSON: the rate of each case.
"""

import argparse
import importlib
import json
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from benchmarks.simulation import Case, rate

_MODULES = ("coverage_effects", "coverage_ranking", "coverage_looks", "coverage_uplift")


def cases(only: str | None = None) -> tuple[Case, ...]:
    """All promises, or those with something in their name, whatever its case."""
    found: list[Case] = []
    for name in _MODULES:
        found += importlib.import_module(f"benchmarks.{name}").CASES
    return tuple(case for case in found if only is None or only.lower() in case.name.lower())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and say with the exit status whether all promises hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, help="repetitions of each case; its own number if not given")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--only", help="part of the names of the cases to run")
    given = parser.parse_args(arguments)
    chosen = cases(given.only)
    if not chosen:
        parser.error(f"no case has {given.only!r} in its name")
    console = Console()
    table = Table()
    for heading in ("case", "rate", "±", "promise", "repetitions", "seconds", ""):
        table.add_column(heading, no_wrap=heading == "case")
    rates: dict[str, float] = {}
    missed = False
    with Progress(
        *Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn(), transient=True
    ) as bar:
        task = bar.add_task("", total=len(chosen))
        for case in chosen:
            bar.update(task, description=case.name)
            start = time.perf_counter()
            share, error = rate(case, given.count, workers=given.workers)
            seconds = time.perf_counter() - start
            holds = case.low <= share <= case.high
            missed |= not holds
            rates[case.name] = round(share, 5)
            said = "ok" if holds else "MISSED"
            # At once, too: the whole takes an hour, and what ends it early should leave what was found.
            bar.console.print(f"{case.name}: {share:.4f} ± {error:.4f}, {said}, {seconds:.0f} s")
            table.add_row(
                case.name,
                f"{share:.4f}",
                f"{error:.4f}",
                f"{case.low:g}–{case.high:g}",
                str(given.count or case.count),
                f"{seconds:.1f}",
                said,
            )
            bar.advance(task)
    console.print(table)
    print(json.dumps(rates, ensure_ascii=False))
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
