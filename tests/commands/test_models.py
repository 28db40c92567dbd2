"""Commands of models: a copied or moved project works where it is and leaves the old place alone; a candidate
that cannot be fitted drops out by name, and the others go on."""

import html
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.commands.typed import Run, contents, typed
from tests.conftest import small_world
from tests.training import ledgers
from tests.training.ledgers import Line, mostly_once, regular, write_ledger
from training.models.buytilldie import BgNbd


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command line as typed in a folder."""
    return lambda folder, *words: typed(folder, words, monkeypatch, capsys)


def test_a_copied_and_then_moved_project_works_and_never_touches_the_old_one(tmp_path: Path, at: Run) -> None:
    first = tmp_path / "first"
    small_world(first, 250)
    assert at(first, "train", "ltv", "churn", "--json").status == 0
    assert at(first, "promote", "--json").status == 0
    before = contents(first)

    copy = tmp_path / "a copy"
    shutil.copytree(first, copy)
    assert at(copy, "models", "--json").told == at(first, "models", "--json").told
    [made] = at(copy, "train", "ltv", "--json").told
    assert made["version"] == 2
    assert at(copy, "promote", "ltv", "--json").status == 0
    assert at(copy, "snapshot", "--json").told["customers"] == 250
    assert at(copy, "score", "scores.csv", "--json").told["rows"] == 250
    assert contents(first) == before
    with closing(sqlite3.connect(copy / "mlruns" / "mlflow.db")) as connection:
        assert not [line for line in connection.iterdump() if str(first) in line]

    # The old place need not be there any more.
    shutil.rmtree(first)
    moved = tmp_path / "moved"
    copy.rename(moved)
    assert [v["version"] for v in at(moved, "models", "--json").told if v["task"] == "ltv"] == [2, 1]
    assert at(moved, "train", "ltv", "--json").told[0]["version"] == 3
    assert at(moved, "promote", "ltv", "--json").status == 0
    assert at(moved, "score", "again.csv", "--json").told["rows"] == 250
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moved"]


@pytest.mark.parametrize("history", [regular, mostly_once])
def test_where_customers_hardly_differ_all_candidates_are_judged(
    tmp_path: Path, at: Run, history: Callable[[], Iterable[Line]]
) -> None:
    # BG/NBD ends at r = 162,754 or at a in the thousands here, and is asked for what it says there.
    folder = write_ledger(tmp_path, history())
    for made in at(folder, "train", "ltv", "churn", "--json").told:
        assert made["refused"] == {}
        assert all(metric["value"] is not None for metric in made["metrics"].values())
    assert {made["task"] for made in at(folder, "promote", "--json").told} == {"ltv", "churn"}
    assert at(folder, "snapshot", "--json").status == 0
    rows = at(folder, "score", "scores.parquet", "--json").told["rows"]
    scores = pq.read_table(folder / "scores.parquet")
    numbers = [column for column in scores.columns if pa.types.is_floating(column.type)]
    assert scores.num_rows == rows
    assert len(numbers) > 3
    assert all(np.isfinite(column.to_numpy()).all() for column in numbers)


def test_a_candidate_that_says_no_number_is_out_and_named_everywhere(
    tmp_path: Path, at: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_ledger(tmp_path, regular())
    monkeypatch.setattr(
        BgNbd, "expected_purchases", lambda self, purchases, days: np.full(len(purchases.x), np.nan)
    )
    [made] = at(folder, "train", "ltv", "--json").told
    assert set(made["refused"]) == {"bgnbd"}
    assert made["kind"] in {"two_part", "tweedie", "last_period"}
    why = made["refused"]["bgnbd"]
    assert re.search(r"ended at r = [\d.e+]+, .* where \d+ of \d+ predictions are not finite numbers", why)
    [listed] = at(folder, "models", "--json").told
    assert listed["refused"] == made["refused"]
    kept = folder / "mlruns" / "artifacts" / made["run_id"] / "artifacts"
    assert why in html.unescape((kept / "card.html").read_text(encoding="utf-8"))
    japanese = (kept / "card.ja.html").read_text(encoding="utf-8")
    assert "除外した候補" in japanese
    assert "予測が有限の数にならない顧客がいるため" in japanese
    shown = at(folder, "train", "ltv")
    assert "bgnbd could not take part: BG/NBD and Gamma-Gamma ended at r =" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("history", "parts"),
    [
        (ledgers.few_customers, ("40 customers in all", "judged on 100 or more", "bind more customers")),
        (ledgers.few_rows, ("30 customers in all", "judged on 100 or more", "bind more customers")),
        (ledgers.one_day, ("all 200 order lines are of one day, 2023-01-01", "bind occurred_at to")),
        (
            ledgers.never_again,
            ("none of 400 customers has bought on a second day", "see that customer_id (customer)"),
        ),
        (ledgers.only_returns, ("only returns: all ", "have an amount below 0", 'bind amount = "-(amount)"')),
        (
            ledgers.alike,
            ("all 150 customers have the same outcome", "check the horizons and the bound amounts"),
        ),
    ],
)
def test_what_nothing_can_be_learnt_from_is_refused_with_what_to_do(
    tmp_path: Path, at: Run, history: Callable[[], Iterable[Line]], parts: tuple[str, ...]
) -> None:
    folder = write_ledger(tmp_path, history())
    warnings = at(folder, "check", "--json").told["warnings"]
    refused = [at(folder, "train", task).refusal for task in ("ltv", "churn")]
    # What can be told before a training is told by check, in the same words.
    for told in refused if history is ledgers.alike else [*refused, " ".join(warnings)]:
        assert all(part in told for part in parts), told
    assert at(folder, "models", "--json").told == []
    assert at(folder, "snapshot", "--json").told["customers"] > 0


@pytest.mark.parametrize(
    ("history", "products", "parts"),
    [
        (ledgers.one_giant, 7, ("customer 'GIANT' has 90% of all money", "where = \"(customer) <> 'GIANT'\"")),
        (ledgers.twenty_thousand_days, 7, ("20,000 days, from 1970-03-29 to", "1 order line in its first half", "newest 4 cutoffs")),
        (ledgers.ordinary, 1, ("order lines are of one product, 'P-0'", "see what product_id is bound to")),
    ],
)  # fmt: skip
def test_what_is_odd_is_learnt_from_and_told_with_a_count(
    tmp_path: Path, at: Run, history: Callable[[], Iterable[Line]], products: int, parts: tuple[str, ...]
) -> None:
    folder = write_ledger(tmp_path, history(), products=products)
    [told] = at(folder, "check", "--json").told["warnings"]
    assert all(part in told for part in parts)
    assert told in " ".join(at(folder, "check").out.split())
    for made in at(folder, "train", "ltv", "churn", "--json").told:
        assert [warned["message"] for warned in made["warnings"]] == [told]
        assert made["metrics"]
    assert at(folder, "promote", "--json").status == 0
    assert at(folder, "snapshot", "--json").status == 0
    rows = at(folder, "score", "scores.parquet", "--json").told["rows"]
    assert rows == len(np.unique(pq.read_table(folder / "scores.parquet")["customer_id"].to_numpy()))
