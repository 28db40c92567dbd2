"""From a company's files to a first answer over HTTP, by the commands a user runs."""

import csv
import io
import json
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.exports.truth import Export

PATIENCE = 900
"""Seconds a step may take."""


def seconds_to_answer(export: Export, environment: Mapping[str, str]) -> dict[str, object]:
    """Init, check, train, promote, snapshot, serve, ask.

    Args:
        export: A company.
        environment: Of the commands.

    Returns:
        Seconds of each step and in all, settings written by hand because check asked for them, and the step that
        failed with what it said, if one did.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [path.name for path in export.write(folder)]
        told: dict[str, object] = {"by_hand": 0}
        begin = time.perf_counter()
        steps = (
            ["init", *files, "--currency", export.currency], ["check"], ["train"], ["promote"], ["snapshot"],
        )  # fmt: skip
        for words in steps:
            start = time.perf_counter()
            done = _run(words, folder, environment)
            if words == ["check"] and done.returncode == 2:
                told["by_hand"] = _accept(folder)
                done = _run(words, folder, environment)
            if done.returncode != 0:
                return told | {"failed": words[0], "said": " ".join(done.stderr.split())[-300:]}
            told[words[0]] = round(time.perf_counter() - start, 1)
        start = time.perf_counter()
        told["answer"] = _ask(folder, environment, _someone(export))
        told["serve"] = round(time.perf_counter() - start, 1)
        return told | {"seconds": round(time.perf_counter() - begin, 1)}


def _run(
    words: list[str], folder: Path, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tokui", *words], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


def _accept(folder: Path) -> int:
    """Accept what is left out, as check asks a user to do; gives the number of tables."""
    toml = folder / "tokui.toml"
    text = toml.read_text(encoding="utf-8")
    tables = [
        name for name, table in tomllib.loads(text)["tables"].items() if {"source", "query"} & set(table)
    ]
    lines = [f'[tables.{name}.accept]\nshare = 0.9\nreason = "seen and right"\n' for name in tables]
    toml.write_text("\n".join([text, *lines]), encoding="utf-8")
    return len(tables)


def _someone(export: Export) -> str:
    """The account that its ledger names most often."""
    table = next(table for table in export.tables if table.table in export.ledger)
    key = export.customer_key[table.file]
    rows = csv.DictReader(io.StringIO(export.files[table.file].decode()))
    return Counter(row[key] for row in rows if row[key]).most_common(1)[0][0]


def _ask(folder: Path, environment: Mapping[str, str], someone: str) -> float:
    """Serve, and ask for one account until there is an answer; gives its lifetime value."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tokui", "serve", "--port", str(port)], cwd=folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    begin = time.perf_counter()
    try:
        body = json.dumps({"customer_ids": [someone]}).encode()
        while True:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body)
                with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                    return float(json.load(answer)["predictions"][0]["ltv"]["value"])
            except OSError:
                if time.perf_counter() - begin > PATIENCE:
                    raise
                time.sleep(0.2)
    finally:
        server.terminate()
        server.wait(60)
