"""The command line's contract: one verb a step, JSON for machines, and one line and status 2 for what a user can mend."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv

import httpx
import pyarrow.parquet as pq
import pytest

from tests.conftest import small_world
from tests.places import ROOT
from tests.serving.conftest import free_port

VERBS = (
    "init",
    "check",
    "simulate",
    "features",
    "train",
    "models",
    "promote",
    "snapshot",
    "serve",
    "score",
    "demo",
)


def tokui(*words, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "tokui", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which every step has been taken, by command."""
    folder = tmp_path_factory.mktemp("project")
    small_world(folder, 300)
    said = {}
    for verb in ("train", "promote", "snapshot"):
        done = tokui(verb, "--json", cwd=folder)
        assert done.returncode == 0, done.stderr
        said[verb] = json.loads(done.stdout)
    return folder, said


def test_help_lists_every_verb_at_once():
    done = tokui("--help")
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in VERBS)
    heavy = "import sys, tokui; print(*(m for m in ('numba', 'mlflow', 'bentoml', 'duckdb', 'pandas') if m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_from_files_to_scores(project):
    folder, said = project
    assert {each["task"] for each in said["train"]} == {"ltv", "churn"}
    assert {each["aliases"][0] for each in said["train"]} == {"challenger"}
    assert {each["task"]: each["version"] for each in said["promote"]} == {"ltv": 1, "churn": 1}
    listed = json.loads(tokui("models", "--json", cwd=folder).stdout)
    assert [(each["task"], each["version"], each["aliases"]) for each in listed] == [
        ("ltv", 1, ["champion"]), ("churn", 1, ["champion"]),
    ]  # fmt: skip
    for metric in listed[0]["metrics"].values():
        assert metric["low"] <= metric["value"] <= metric["high"]
    for name in ("scores.parquet", "scores.csv"):
        done = tokui("score", name, "--json", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["rows"] == said["snapshot"]["customers"]
    assert pq.read_table(folder / "scores.parquet").num_rows == said["snapshot"]["customers"]


def test_check_reports_every_table(project):
    folder, _ = project
    report = json.loads(tokui("check", "--json", cwd=folder).stdout)
    assert [table["table"] for table in report["tables"]][:2] == ["customers", "orders"]
    assert all(table["rows_kept"] <= table["rows_read"] for table in report["tables"])
    shown = tokui("check", cwd=folder)
    assert "cancellations or returns" in shown.stdout


def test_check_reports_experiments_and_costs_of_arms_that_are_nowhere(project):
    folder, _ = project
    text = (folder / "tokui.toml").read_text(encoding="utf-8")
    text = text.replace("[tables.customers]", "[uplift.costs]\nfax = 3\n[tables.customers]")
    (folder / "costs.toml").write_text(text, encoding="utf-8")
    report = json.loads(tokui("check", "--config", "costs.toml", "--json", cwd=folder).stdout)
    (folder / "costs.toml").unlink()
    [said] = report["warnings"]
    assert "names 'fax', which no experiment has" in said
    assert report["experiments"] == json.loads(tokui("experiment", "list", "--json", cwd=folder).stdout)
    assert report["experiments"][0]["experiment"].startswith("recommendations-")
    assert next(iter(report["experiments"][0]["arms"])) == "control"
    assert "control " in tokui("check", cwd=folder).stdout


def test_before_and_after_says_which_periods_it_compared(project):
    folder, _ = project
    done = tokui("experiment", "before-after", "2025-03-01", "--span", "2", "--json", cwd=folder)
    periods = json.loads(done.stdout)["periods"]
    compared = [(each["start"][:7], each["side"]) for each in periods if each["compared"]]
    assert compared == [
        ("2025-01", "before"),
        ("2025-02", "before"),
        ("2025-03", "after"),
        ("2025-04", "after"),
    ]
    assert len(periods) > len(compared)


def test_features_writes_one_row_a_customer_and_cutoff(project):
    folder, _ = project
    done = tokui("features", "set.parquet", "--step-days", "120", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    table = pq.read_table(folder / "set.parquet")
    assert table.num_rows == said["rows"]
    assert len(set(table["cutoff"].to_pylist())) == len(said["cutoffs"])
    assert {"customer_id", "cutoff", "orders_amount_sum_90d", "outcome_ltv", "outcome_churn_30d"} <= set(
        table.column_names
    )
    newest = max(table["cutoff"].to_pylist())
    ends = [
        ltv
        for ltv, c in zip(table["outcome_ltv"].to_pylist(), table["cutoff"].to_pylist(), strict=True)
        if c == newest
    ]
    assert all(ltv is None or ltv != ltv for ltv in ends)  # nobody knows yet


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", "--config", "nowhere.toml"), "nowhere.toml is not there"),
        (("train", "renewal"), "'renewal' is not a task"),
        (("snapshot", "--as-of", "tomorrow"), "'tomorrow' is not a date"),
        (("snapshot", "--as-of", "1960-01-01"), "give a later --as-of"),
        (("init", "tokui.toml"), "is there already"),
        (("features", "--first", "2031-01-01"), "no cutoff lies between"),
        (("score", "scores.xlsx"), "scores.xlsx"),
        (("promote", "ltv", "--version", "77"), "no ltv version 77"),
        (("promote",), "no ltv challenger"),
        (("simulate", "."), "empty or absent folder"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_status_2(project, words, says):
    folder, _ = project
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*")}
    done = tokui(*words, cwd=folder)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*")} == before  # nothing half-written


def test_machines_get_the_error_as_json(project):
    folder, _ = project
    done = tokui("check", "--config", "nowhere.toml", "--json", cwd=folder)
    assert done.returncode == 2
    assert json.loads(done.stderr) == {"error": json.loads(done.stderr)["error"], "kind": "SourceError"}
    assert "nowhere.toml" in json.loads(done.stderr)["error"]


def test_debug_shows_the_traceback(project):
    folder, _ = project
    done = tokui("check", "--config", "nowhere.toml", "--debug", cwd=folder)
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_training_before_anything_else_says_what_comes_first(tmp_path):
    small_world(tmp_path / "w", 60)
    done = tokui("score", cwd=tmp_path / "w")
    assert done.returncode == 2
    assert "tokui train" in done.stderr


ROOMS = ("commands", "evaluation", "features", "serving", "training")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The programs of a wheel in an environment of its own, which finds its dependencies in ours."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    source = folder / "source"
    wanted = ("*.py", "*.toml", "*.html", "README.md", "LICENSE", "pyproject.toml")
    for path in (path for pattern in wanted for path in ROOT.glob(pattern)):
        (source / path.name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, source / path.name)
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([*pip, "wheel", *offline, "-w", folder, source], check=True)
    environment = folder / "environment"
    venv.create(environment)
    [packages] = environment.glob("lib/*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    [wheel] = folder.glob("*.whl")
    python = environment / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", *offline, wheel], check=True)
    return environment / "bin"


def test_folders_of_the_user_s_called_as_ours_are_break_no_command_and_no_worker(
    project, installed, tmp_path
):
    folder, _ = project
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text(
            "raise SystemExit('this is the user\\'s')", encoding="utf-8"
        )
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    options = {"cwd": tmp_path, "env": bare, "capture_output": True, "text": True}
    for program in ([installed / "tokui"], [installed / "python", "-m", "tokui"]):
        for words in (["simulate", "world", "--customers", "20"], ["check", "-c", "world/tokui.toml"]):
            done = subprocess.run([*program, *words], check=False, **options)
            assert done.returncode == 0, done.stderr
    port = free_port()
    words = ["serve", "--config", folder / "tokui.toml", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [installed / "tokui", *words],
            cwd=tmp_path,
            env=bare,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until, answer = time.monotonic() + 120, None
        while answer is None and time.monotonic() < until and server.poll() is None:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz")
            except httpx.TransportError:
                time.sleep(0.2)
        assert answer is not None, (tmp_path / "log").read_text()
        assert answer.status_code == 200, answer.text
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
