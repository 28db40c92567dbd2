"""Commands of experiments: what cannot be answered is one line and status 2, and leaves nothing behind."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest

from tests.commands.typed import Run, contents, typed
from tests.training.trials import TOML, write

COSTS = "[uplift.costs]\ntreated = 20"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CSV world of experiments, and its tokui.toml with a misspelt arm beside it."""
    found = tmp_path_factory.mktemp("commands")
    write(found)
    (found / "misspelt.toml").write_text(TOML.replace(COSTS, "[uplift.costs]\ntraeted = 20"))
    return found


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command line as typed in that folder, in this process."""

    return lambda *words: typed(folder, words, monkeypatch, capsys)


def test_a_broken_sample_ratio_teaches_nothing_and_registers_nothing(folder: Path, run: Run) -> None:
    before = contents(folder)
    said = run("train", "uplift", "--experiment", "skewed").refusal
    assert "experiment skewed: nothing can be learnt from it" in said
    p = binomtest(192, 480).pvalue
    assert (
        f"sample ratio is broken: 192 and 288 units where 240 and 240 were planned (p = {p:.1g}, below"
        in said
    )
    assert "until it is known who is missing or counted twice" in said
    assert said.endswith("See `tokui experiment report`")
    models = run("models", "--json")
    assert (models.status, json.loads(models.out)) == (0, [])
    # Not even an empty registry.
    assert contents(folder) == before
    told = run("train", "uplift", "--experiment", "skewed", "--json")
    assert (told.status, told.out) == (2, "")
    assert json.loads(told.err)["kind"] == "ExperimentError"
    assert "192 and 288 units" in json.loads(told.err)["error"]


@pytest.mark.parametrize(
    "words",
    [("experiment", "readout", "plain"), ("experiment", "report", "plain"), ("train", "uplift", "--experiment", "plain")],
)  # fmt: skip
def test_a_cost_of_an_arm_that_is_nowhere_is_refused_whatever_is_asked(
    folder: Path, run: Run, words: tuple[str, ...]
) -> None:
    before = contents(folder)
    said = run(*words, "--config", "misspelt.toml").refusal
    assert "[uplift.costs] names 'traeted', which no experiment has" in said
    assert "control" in said
    assert "treated, written just so" in said
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("experiment", "parts"),
    [
        ("outside", ("2 of 102 propensities lie outside (0, 1)", "for example 1;")),
        ("no_control", ("no control arm 'control'", "ask, bid", "uplift.control in tokui.toml")),
        ("few", ("control 'control' has 25 customers and 30 are needed", "wait for more")),
    ],
)
def test_assignments_that_cannot_be_read_are_refused(
    folder: Path, run: Run, experiment: str, parts: tuple[str, ...]
) -> None:
    before = contents(folder)
    said = run("experiment", "readout", experiment).refusal
    assert all(part in said for part in (f"experiment {experiment}", *parts))
    assert contents(folder) == before


def test_a_page_is_not_written_where_its_numbers_go(folder: Path, run: Run) -> None:
    mine = folder / "mine.json"
    mine.write_text("of somebody else")
    before = contents(folder)
    for name in ("mine.json", "new.json"):
        said = run("experiment", "report", "plain", "--output", name).refusal
        assert f"--output {name} is where the JSON goes; give the name of an HTML file" in said
    assert contents(folder) == before
    mine.unlink()


def test_a_page_is_not_written_where_its_numbers_go_in_capitals_either(folder: Path, run: Run) -> None:
    before = contents(folder)
    done = run("experiment", "report", "plain", "--output", "new.JSON")
    after = contents(folder)
    for name in after.keys() - before.keys():
        (folder / name).unlink()
    # Where a file's name has no case, one of the two would be written over the other.
    assert sorted({name.lower() for name in after}) == sorted(name.lower() for name in after)
    assert done.status == 2
    assert after == before


def test_a_report_is_a_page_and_the_numbers_of_the_readout_beside_it(folder: Path, run: Run) -> None:
    told = run("experiment", "report", "plain", "--output", "page.html", "--json")
    assert told.status == 0
    assert json.loads(told.out) == {"html": "page.html", "json": "page.json", "verdict": "gain"}
    assert (folder / "page.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    beside, read = (
        json.loads((folder / "page.json").read_text(encoding="utf-8")),
        run("experiment", "readout", "plain", "--json"),
    )
    assert read.status == 0
    assert {**beside, "made": None} == {**json.loads(read.out), "made": None}
    for name in ("page.html", "page.json"):
        (folder / name).unlink()


def test_a_broken_sample_ratio_is_read_without_a_verdict(folder: Path, run: Run) -> None:
    shown = run("experiment", "readout", "skewed")
    assert shown.status == 0
    assert "192 and 288 units where 240 and 240 were planned" in shown.out
    found = json.loads(run("experiment", "readout", "skewed", "--json").out)
    assert found["verdict"] == {"code": "blocked", "gains": [], "losses": []}
    assert (found["effects"], found["returns"]) == ([], [])


def test_features_of_an_experiment_are_written_and_a_grid_is_not_asked_for(folder: Path, run: Run) -> None:
    done = run("features", "plain.parquet", "--experiment", "plain", "--json")
    told = json.loads(done.out)
    assert (told["rows"], told["cutoffs"], told["experiment"]) == (480, [], "plain")
    table = pq.read_table(folder / "plain.parquet")
    assert (table.num_rows, table.column_names[-3:]) == (480, ["arm", "propensity", "outcome_margin"])
    before = contents(folder)
    said = run("features", "other.parquet", "--experiment", "plain", "--step-days", "30").refusal
    assert "--first, --last and --step-days are of a grid of cutoffs" in said
    assert "no experiment 'plian'" in run("features", "other.parquet", "--experiment", "plian").refusal
    assert contents(folder) == before
