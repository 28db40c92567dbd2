"""How much of a company's files `tokui init` binds without a hand's touch, and how long a first answer takes.

    python -m benchmarks.onboarding [--answers] [--only NAME] [--tokui FOLDER]

The exports of `tests.exports`, bound by the commands as a user runs them: files put to the right table, needed columns
bound to the right source, rows lost without a word, money that differs from the total made by hand. Exports that were
held out while the matcher was made are reported apart. With ``--answers`` the three companies go on to a served answer.
``--tokui`` measures the code of another folder. One JSON object last.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.first_answer import seconds_to_answer
from tests.exports.billing import BILLING
from tests.exports.companies import COMPANIES
from tests.exports.crm import CRM
from tests.exports.held_out import HELD_OUT
from tests.exports.shops import SHOPS
from tests.exports.tongues_far import TONGUES
from tests.exports.truth import Export, TableTruth

GROUPS = {"visible": (*CRM, *BILLING, *SHOPS, *TONGUES), "companies": COMPANIES, "held_out": HELD_OUT}


@dataclass
class Seen:
    """What was found, of one export or of many.

    Args:
        exports: How many.
        refused: Those of which `tokui init` wrote nothing.
        files: Files given.
        files_right: Files put to the right table, or to none where none fits.
        columns: Needed columns.
        columns_right: Needed columns bound to the right source.
        wrong_and_sure: Needed columns bound to a wrong source without a word to check them.
        rows_lost_silently: Rows of files that are neither bound nor counted.
        rows_left_out_wrongly: Rows that tell something and that a condition of init's own leaves out.
        totals: Totals made by hand.
        totals_right: Those that `tokui check` shows to the cent.
        totals_silently_off: Those that it shows otherwise, and goes on.
        ledgers_right: Exports whose orders come from where they should.
    """

    exports: int = 0
    refused: int = 0
    files: int = 0
    files_right: int = 0
    columns: int = 0
    columns_right: int = 0
    wrong_and_sure: int = 0
    rows_lost_silently: int = 0
    rows_left_out_wrongly: int = 0
    totals: int = 0
    totals_right: int = 0
    totals_silently_off: int = 0
    ledgers_right: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: "Seen") -> None:
        """Add what was found of another export."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def figures(self) -> dict[str, float]:
        """Counts, and shares of those that have a whole."""
        shares = {
            "files_right": self.files_right / max(self.files, 1),
            "columns_right": self.columns_right / max(self.columns, 1),
            "ledgers_right": self.ledgers_right / max(self.exports, 1),
            "totals_right": self.totals_right / max(self.totals, 1),
        }
        counts = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        return counts | {name: round(share, 4) for name, share in shares.items()}


class Tokui:
    """The command, of this code or of another folder's."""

    def __init__(self, code: Path | None) -> None:
        self.environment = dict(os.environ) | ({"PYTHONPATH": str(code)} if code else {})

    def run(self, folder: Path, *words: str) -> tuple[int, str, str]:
        """Run it in a folder; gives status, standard output and error."""
        done = subprocess.run(
            [sys.executable, "-m", "tokui", *words], cwd=folder, env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


def look(export: Export, tokui: Tokui, folder: Path) -> Seen:
    """Init and check of one export, held against its truth."""
    seen = Seen(exports=1, files=len(export.files), totals=len(export.totals))
    files = [path.name for path in export.write(folder)]
    status, told, error = tokui.run(folder, "init", *files, "--currency", export.currency, "--json")
    if status != 0:
        seen.refused = 1
        seen.columns = sum(len(table.columns) for table in export.tables)
        seen.notes.append(f"init: {' '.join(error.split())[-160:]}")
        return seen
    document = json.loads(told)
    bound: dict[str, Any] = tomllib.loads((folder / "tokui.toml").read_text(encoding="utf-8")).get(
        "tables", {}
    )
    homes = _homes(document, bound, files)
    tables = [
        next((other for other in export.as_right if (other.file, other.table) == (table.file, homes.get(table.file))), table)
        for table in export.tables
    ]  # fmt: skip
    renamed = {table.table: other.table for table, other in zip(export.tables, tables, strict=True)}
    expected = {table.file: table.table for table in tables}
    for file in files:
        right = homes.get(file) == expected.get(file)
        seen.files_right += right
        if not right:
            seen.notes.append(f"{file} is {homes.get(file)}, not {expected.get(file)}")
    headings = {name for table in tables for name in table.headings}
    for table in tables:
        seen.columns += len(table.columns)
        mine = bound.get(table.table, {}) if homes.get(table.file) == table.table else {}
        _columns(seen, table, mine.get("columns", {}), _unsure(document, table.file), headings)
    ledger = {renamed.get(name, name) for name in export.ledger}
    seen.ledgers_right = _ledger(bound) == ledger
    if not seen.ledgers_right:
        seen.notes.append(f"orders of {sorted(_ledger(bound))}, not of {sorted(ledger)}")
    if export.ledger:
        _money(seen, export, tables, tokui.run(folder, "check", "--json"), bound)
    return seen


def _homes(
    document: Mapping[str, Any], bound: Mapping[str, Any], files: Sequence[str]
) -> dict[str, str | None]:
    """The table of each file: as init tells it, or as the file it wrote says."""
    if "files" in document:
        return {Path(entry["file"]).name: entry["table"] for entry in document["files"]}
    return {
        file: next((name for name, table in bound.items() if table.get("source") == file), None)
        for file in files
    }


def _unsure(document: Mapping[str, Any], file: str) -> set[str]:
    """Columns of which init says that they be checked."""
    entries = [entry for entry in document.get("files", []) if Path(entry["file"]).name == file]
    return {
        column["column"]
        for entry in entries for column in entry.get("columns", [])
        if column.get("check") or column.get("confidence") != "high"
    }  # fmt: skip


def _columns(
    seen: Seen, table: TableTruth, columns: Mapping[str, str], unsure: set[str], headings: set[str]
) -> None:
    """Count what is bound to one of its right sources."""
    for column, sources in table.columns.items():
        expression = columns.get(column)
        wanted = [{source} if isinstance(source, str) else set(source) for source in sources]
        if expression is not None and _named(expression, headings) in wanted:
            seen.columns_right += 1
            continue
        seen.wrong_and_sure += expression is not None and column not in unsure
        seen.notes.append(f"{table.table}.{column} = {expression}, not {sources[0]}")


def _named(expression: str, headings: set[str]) -> set[str]:
    """The columns that an expression is made of."""
    if expression in headings:
        return {expression}
    bare = re.sub(r"'(?:[^']|'')*'", " ", expression)
    words = re.findall(r'"([^"]+)"|(\w+)', bare)
    return {quoted or word for quoted, word in words} & headings


def _ledger(bound: Mapping[str, Any]) -> set[str]:
    """The tables that orders are made of."""
    orders = bound.get("orders", {})
    derived = orders.get("derive", [])
    derived = [derived] if isinstance(derived, str) else derived
    return {*derived, *(["orders"] if {"source", "query"} & set(orders) else [])}


def _money(
    seen: Seen,
    export: Export,
    tables: Sequence[TableTruth],
    checked: tuple[int, str, str],
    bound: Mapping[str, Any],
) -> None:
    """Hold rows and totals that check tells against the truth."""
    status, told, error = checked
    try:
        reports = {report["table"]: report for report in json.loads(told)["tables"]}
    except ValueError:
        seen.notes.append(f"check: {' '.join(error.split())[-200:]}")
        return
    if status != 0:
        seen.notes.append(f"check asks before it goes on: {' '.join(error.split())[:160]}")
    for table in tables:
        report = reports.get(table.table)
        if report is None:
            continue
        unread = max(0, table.rows - report["rows_read"])
        if "where" in bound.get(table.table, {}):
            wrongly, unread = max(0, unread - table.left_out), 0
            seen.rows_left_out_wrongly += wrongly
            if wrongly:
                seen.notes.append(
                    f"{table.table}: {wrongly} rows too many left out where {bound[table.table]['where']}"
                )
        counted = sum(finding["count"] for finding in report["dropped"])
        lost = unread + report["rows_read"] - report["rows_kept"] - counted
        seen.rows_lost_silently += lost
        if lost:
            seen.notes.append(f"{table.table}: {lost} rows lost without a word")
    for name, money in export.totals.items():
        table_name, column = name.split(".")
        total = reports.get(table_name, {}).get("totals", {}).get(column)
        right = total is not None and abs(total - float(money)) < 0.005
        seen.totals_right += right
        seen.totals_silently_off += not right and total is not None and status == 0
        if not right:
            shown = "missing" if total is None else f"{total:,.2f}"
            seen.notes.append(f"{name} is {shown}, not {money:,}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", action="store_true", help="go on to served answers, some minutes")
    parser.add_argument("--only", help="part of the names of the exports to look at")
    parser.add_argument("--tokui", type=Path, help="the folder of other code to measure")
    given = parser.parse_args()
    tokui = Tokui(given.tokui and given.tokui.resolve())
    figures: dict[str, object] = {}
    for group, makers in GROUPS.items():
        whole = Seen()
        for make in makers:
            if given.only and given.only not in make.__name__:
                continue
            export = make()
            with tempfile.TemporaryDirectory() as folder:
                seen = look(export, tokui, Path(folder))
            whole.add(seen)
            print(
                f"{group:10} {export.name:22} files {seen.files_right}/{seen.files}  columns {seen.columns_right:2}/{seen.columns:2}  "
                f"totals {seen.totals_right}/{seen.totals}  lost {seen.rows_lost_silently}",
                flush=True,
            )
            # What is wrong with exports held out would tell how to pass them.
            for note in seen.notes if group != "held_out" else ():
                print(f"           {note}", flush=True)
        figures[group] = whole.figures()
    if given.answers:
        for make in COMPANIES:
            if not given.only or given.only in make.__name__:
                figures[f"{make.__name__}_answer"] = seconds_to_answer(make(), tokui.environment)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
