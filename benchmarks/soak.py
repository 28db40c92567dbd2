"""A bad day, measured: hostile requests, held connections, swaps and restarts beside a good load. Loopback only.

    python -m benchmarks.soak [--hostile 2000] [--swaps 5] [--restarts 2] [--good 4000] [--held 300] [--workers 2]
    python -m benchmarks.soak --hostile 100000 --swaps 50 --restarts 5 --good 100000 --held 1000     the full size

A line a part and one JSON object last: ``figures``, and ``within``, whether each is within its bound. With
`schemathesis` installed (`pip install --group bench`) the OpenAPI document is tried with all its checks.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np

from benchmarks.hostile import attack, hold
from benchmarks.serving import build, running
from features.engine.snapshot import open_snapshot
from training.live import Live

CLIENTS = 4


def workers_of(parent: int) -> list[int]:
    """Processes right below one."""
    below = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                below.append(int(entry.name))
    return below


def private_mb(process: int) -> float:
    """Memory that a process shares with no other."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


class Good:
    """A good load: known customers, one after the other on a few connections.

    Args:
        port: Where the server is.
        ids: Customers.
    """

    def __init__(self, port: int, ids: list[str]) -> None:
        self.port, self.bodies = port, [json.dumps({"customer_ids": [name]}) for name in ids]

    def during(self, work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
        """Latency and failures while something else goes on, and what that gave."""
        done: list[Any] = []
        thread = threading.Thread(target=lambda: done.append(work()))
        thread.start()
        took, failed = asyncio.run(self._ask_while(thread.is_alive))
        thread.join()
        figures = {
            "requests": len(took),
            "failed": failed,
            "p99_ms": round(float(np.percentile(took, 99)) * 1e3, 2),
        }
        return figures, done[0]

    async def _ask_while(self, wanted: Callable[[], bool]) -> tuple[list[float], int]:
        took: list[float] = []
        failed = 0

        async def client(k: int) -> None:
            nonlocal failed
            wires = None
            while wanted():
                k += 1
                begin = time.perf_counter()
                try:
                    wires = wires or await asyncio.open_connection("127.0.0.1", self.port)
                    head = await asyncio.wait_for(self._one(*wires, self.bodies[k % len(self.bodies)]), 20)
                except (TimeoutError, OSError, EOFError):
                    head = b""
                took.append(time.perf_counter() - begin)
                failed += b" 200 " not in head[:16]
                if wires and (not head or b"connection: close" in head):
                    wires[1].close()
                    wires = None
            if wires:
                wires[1].close()

        await asyncio.gather(*(client(k * 97) for k in range(CLIENTS)))
        return took, failed

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: str) -> bytes:
        writer.write(
            f"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        return head


def metrics_of(port: int) -> str:
    """What /metrics says."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def hostile_part(good: Good, workers: list[int], count: int) -> dict[str, Any]:
    """Hostile requests from a process of their own beside the good load."""

    def beside(number: int) -> dict[str, int]:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(attack, (good.port, number, number))

    alone, _ = good.during(lambda: time.sleep(5))
    good.during(lambda: beside(max(200, count // 10)))
    before = {process: private_mb(process) for process in workers}
    together, said = good.during(lambda: beside(count))
    growth = {process: private_mb(process) - before[process] for process in workers}
    return {
        "answers": said,
        "alone": alone,
        "together": together,
        "p99_ratio": round(together["p99_ms"] / alone["p99_ms"], 2),
        "growth_mb": round(max(growth.values()), 1),
        "metrics_bytes": len(metrics_of(good.port)),
    }


def held_part(good: Good, count: int) -> dict[str, Any]:
    """Idle connections, slow headers and slow bodies beside the good load."""
    made: dict[str, Any] = {}
    for name, first, every, most in (
        ("idle", b"", 0.5, 30.0),
        ("slow_headers", b"GET / HTTP/1.1\r\na: ", 0.5, 30.0),
        (
            "slow_bodies",
            b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n",
            0.5,
            60.0,
        ),
    ):
        figures, seconds = good.during(lambda f=first, e=every, m=most: hold(good.port, count, f, e, m))  # type: ignore[misc]
        made[name] = {**figures, "closed_after_s": round(seconds, 1), "within": seconds < most}
    return made


def swaps_part(good: Good, live: Live, parent: int, swaps: int, restarts: int, least: int) -> dict[str, Any]:
    """Promotions, new snapshots and restarted workers beside the good load."""
    folder = live.folder.parent
    number = max(live.champions().values())

    def work() -> int:
        for k in range(swaps):
            live.publish("ltv", number + k + 1, folder / "ltv")
            fresh = live.snapshot.with_suffix(".next")
            shutil.copyfile(live.snapshot, fresh)
            fresh.replace(live.snapshot)
            time.sleep(1.5)
        for _ in range(restarts):
            os.kill(workers_of(parent)[0], signal.SIGTERM)
            time.sleep(15)
        return swaps + restarts

    figures, _ = good.during(work)
    while figures["requests"] < least:
        more, _ = good.during(lambda: time.sleep(5))
        figures = {name: figures[name] + more[name] for name in figures} | {"p99_ms": figures["p99_ms"]}
    return figures


def schema_part(port: int, examples: int) -> dict[str, Any] | None:
    """Schemathesis against the OpenAPI document, with all checks; None where it is not installed."""
    program = shutil.which(
        "schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if program is None:
        return None
    done = subprocess.run(
        [program, "run", f"http://127.0.0.1:{port}/openapi.json", "--checks", "all",
         "--max-examples", str(examples), "--seed", "1", "--no-color"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line.strip() for line in done.stdout.splitlines() if "generated" in line]
    return {"failed": done.returncode, "said": said[-1] if said else done.stdout[-500:]}


def verdicts(figures: dict[str, Any]) -> dict[str, bool]:
    """Whether each figure is within its bound."""
    hostile, held, swaps = figures["hostile"], figures["held"], figures["swaps"]
    made = {
        "growth": hostile["growth_mb"] <= 10,
        "p99": hostile["p99_ratio"] <= 3,
        "no_5xx": not [status for status in hostile["answers"] if status.startswith("5")],
        "good_answered": not hostile["together"]["failed"],
        "metrics": hostile["metrics_bytes"] <= 50_000,
        "held_closed": all(part["within"] for part in held.values()),
        "held_served": not any(part["failed"] for part in held.values()),
        "swaps": not swaps["failed"],
    }
    if figures["schema"] is not None:
        made["schema"] = not figures["schema"]["failed"]
    return made


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, size in (
        ("customers", 2000), ("hostile", 2000), ("swaps", 5), ("restarts", 2), ("good", 4000), ("held", 300),
        ("workers", 2), ("examples", 50),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=size)
    options = parser.parse_args()
    figures: dict[str, Any] = {}

    def part(name: str, made: Any) -> None:
        figures[name] = made
        print(name, json.dumps(made), flush=True)

    with tempfile.TemporaryDirectory(prefix="tokui-soak-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        live = build(folder, options.customers)
        ids = open_snapshot(live.snapshot).customer_ids(slice(0, 500))
        with running("tokui", folder, options.workers) as (process, port):
            good = Good(port, ids)
            workers = workers_of(process)
            part("private_mb", [round(private_mb(worker), 1) for worker in workers])
            part("hostile", hostile_part(good, workers, options.hostile))
            part("held", held_part(good, options.held))
            part("swaps", swaps_part(good, live, process, options.swaps, options.restarts, options.good))
            part("schema", schema_part(port, options.examples))
    print(json.dumps({"benchmark": "soak", **vars(options), "figures": figures, "within": verdicts(figures)}))


if __name__ == "__main__":
    main()
