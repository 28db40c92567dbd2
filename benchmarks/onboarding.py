"""How much of a company's files `tokui init` binds without a hand's touch, and how long a first answer takes.

    python -m benchmarks.onboarding [--answers]

Small exports with vendors' headings and three businesses, as `tests.features.guess` writes them: the share of
files put to the right table and of needed columns bound right, rows lost without a word, money that differs from
the total made by hand. Exports that were written after the matcher are reported apart. With ``--answers`` each
business goes from init to a served answer by command. One JSON object last.
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path

from features.binding.tables import bind
from features.guess.settings import guess_settings
from features.settings import load_settings
from tests.features.guess import businesses
from tests.features.guess.exports import EXPORTS, HELD_OUT, Export, write_export

BUSINESSES: dict[str, tuple[Callable[..., tuple[list[Path], float]], dict[str, str]]] = {
    "saas": (businesses.saas, {"accounts.csv": "customers", "subscriptions.csv": "contracts", "feature_usage.csv": "usage",
                               "support_tickets.csv": "tickets"}),
    "pipeline": (businesses.pipeline, {"accounts.csv": "customers", "sales_pipeline.csv": "deals"}),
    "reseller": (businesses.reseller, {"DimReseller.csv": "customers", "FactResellerSales.csv": "orders"}),
}  # fmt: skip


def exports(given: dict[str, Export]) -> dict[str, float]:
    """Shares over single exports."""
    tables = columns = needed = 0
    for name, export in given.items():
        with tempfile.TemporaryDirectory() as folder:
            path, currency, table, expected = write_export(Path(folder), export)
            bound = tomllib.loads(guess_settings([path], folder=Path(folder), currency=currency).text).get(
                "tables", {}
            )
        right = bound.get(table, {}).get("columns", {})
        hits = sum(right.get(column) == source for column, source in expected.items())
        tables, columns, needed = (
            tables + (table in bound and bool(right)),
            columns + hits,
            needed + len(expected),
        )
        print(f"{name:26} {table:10} {'right' if right else 'WRONG':6} {hits} of {len(expected)} columns")
    return {"files": len(given), "tables_right": tables / len(given), "columns_right": columns / needed}


def business(name: str, *, answers: bool) -> dict[str, float]:
    """One business: tables, rows and money, and the seconds to a first answer."""
    make, expected = BUSINESSES[name]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        files, money = make(folder, 150)
        begin = time.perf_counter()
        guess = guess_settings(files, folder=folder, currency="USD")
        (folder / "tokui.toml").write_text(guess.text, encoding="utf-8")
        with bind(load_settings(folder / "tokui.toml")) as tables:
            lost = sum(
                report.rows_read - report.rows_kept - sum(finding.count for finding in report.dropped)
                for report in tables.reports
            )
            off = abs(tables.report("orders").totals["amount"] - money)
        seen = {
            "tables_right": sum(file["table"] == expected[file["file"]] for file in guess.files)
            / len(expected),
            "rows_lost_silently": lost,
            "money_off": round(off, 2),
            "seconds_to_bind": time.perf_counter() - begin,
        }
        if answers:
            seen["seconds_to_answer"] = time.perf_counter() - begin + _answer(folder)
    print(f"{name:26} {seen}")
    return seen


def _answer(folder: Path) -> float:
    """Seconds from check to the first answer over HTTP, by command."""
    begin = time.perf_counter()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for words in (["check"], ["train"], ["promote"], ["snapshot"], ["score", "scores.csv"]):
        subprocess.run([sys.executable, "-m", "tokui", *words], cwd=folder, check=True, capture_output=True)
    someone = (folder / "scores.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0].strip('"')
    server = subprocess.Popen(
        [sys.executable, "-m", "tokui", "serve", "--port", str(port)], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        body = json.dumps({"customer_ids": [someone]}).encode()
        while True:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body)
                with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                    json.load(answer)
                return time.perf_counter() - begin
            except OSError:
                if time.perf_counter() - begin > 600:
                    raise
                time.sleep(0.2)
    finally:
        server.terminate()
        server.wait(30)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", action="store_true", help="go on to a served answer, some minutes")
    given = parser.parse_args()
    figures: dict[str, object] = {"exports": exports(EXPORTS), "held_out": exports(HELD_OUT)}
    figures |= {name: business(name, answers=given.answers) for name in BUSINESSES}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
