"""Contract: a group's values are the sums of its accounts' scores, and every account is in one group."""

import copy
import dataclasses
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from features.errors import SettingsError
from serving import grouping
from serving.grouping import write_groups
from serving.scoring import write_scores

TEXT = pc.ConvertOptions(column_types={"as_of": pa.string()})


@pytest.fixture(scope="module")
def grouped(world):
    """The world's predictor over a snapshot in which each third account belongs to the one before it."""
    ids = world.predictor.snapshot.customer_ids(slice(None))
    groups = {name: [ids[k - 1], ids[k - 1]] for k, name in enumerate(ids) if k % 3 == 1}
    groups |= {name: [ids[k - 1], ids[k - 2]] for k, name in enumerate(ids) if k % 3 == 2}
    groups[ids[0]] = ["elsewhere", "elsewhere"]
    groups |= {ids[1]: [ids[0], "elsewhere"], ids[2]: [ids[1], "elsewhere"]}
    predictor = copy.copy(world.predictor)
    snapshot = predictor.snapshot
    predictor.snapshot = dataclasses.replace(snapshot, facts={**snapshot.facts, "groups": groups})
    return predictor


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_groups_add_up_what_their_accounts_score(grouped, tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(grouping, "CHUNK", 50)
    scores, path = tmp_path / "scores.parquet", tmp_path / f"groups{suffix}"
    write_scores(grouped, scores)
    count = write_groups(grouped, path)
    table = pq.read_table(path) if suffix == ".parquet" else pc.read_csv(path, convert_options=TEXT)
    rows = pq.read_table(scores).to_pylist()
    sums = defaultdict(lambda: [0, 0, 0.0, 0.0])
    for row in rows:
        own = sums[row["group_id"]]
        own[0] += 1
        if row["status"] == "ok":
            own[1] += 1
            own[2] += row["ltv"]
            own[3] += np.nan if row["lifetime_value"] is None else row["lifetime_value"]
    assert count == table.num_rows == len(sums)
    names = ("accounts", "with_orders", "ltv", "lifetime_value")
    for row in table.to_pylist():
        assert [row[name] for name in names] == pytest.approx(sums[row["group_id"]])
        assert (row["currency"], row["as_of"]) == ("JPY", grouped.snapshot.as_of)
    assert table["ltv"].to_pylist() == sorted(table["ltv"].to_pylist(), reverse=True)
    assert sum(table["accounts"].to_pylist()) == len(rows)
    assert "elsewhere" in table["group_id"].to_pylist()


def test_a_group_with_an_account_without_end_has_none(grouped, tmp_path, monkeypatch):
    endless = grouped.snapshot.position(grouped.snapshot.customer_ids(slice(3, 4))[0])
    numbers = type(grouped).numbers

    def without_end(self, rows):
        made = numbers(self, rows)
        return dataclasses.replace(made, lifetime=np.where(rows == endless, np.nan, made.lifetime))

    monkeypatch.setattr(type(grouped), "numbers", without_end)
    write_groups(grouped, tmp_path / "groups.parquet")
    rows = {row["group_id"]: row for row in pq.read_table(tmp_path / "groups.parquet").to_pylist()}
    ids = grouped.snapshot.customer_ids(slice(None))
    if grouped.ordered(slice(3, 4))[0]:
        assert rows[ids[3]]["lifetime_value"] is None
    assert rows[ids[6]]["lifetime_value"] is not None


def test_scores_name_parents_and_groups_and_only_where_there_are_some(grouped, world, tmp_path):
    write_scores(grouped, tmp_path / "scores.parquet")
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.column_names[:4] == ["customer_id", "parent_id", "group_id", "status"]
    rows = table.to_pylist()
    ids = [row["customer_id"] for row in rows]
    assert [(row["parent_id"], row["group_id"]) for row in rows[:6]] == [
        ("elsewhere", "elsewhere"), (ids[0], "elsewhere"), (ids[1], "elsewhere"),
        (None, ids[3]), (ids[3], ids[3]), (ids[4], ids[3]),
    ]  # fmt: skip
    write_scores(world.predictor, tmp_path / "bare.parquet")
    assert pq.read_table(tmp_path / "bare.parquet").column_names[:2] == ["customer_id", "status"]


def test_without_groups_the_mend_is_said(world, grouped, tmp_path):
    with pytest.raises(SettingsError, match=r"bind parent_id in \[tables.customers.columns\]"):
        write_groups(world.predictor, tmp_path / "groups.csv")
    with pytest.raises(SettingsError, match=r"neither \.parquet nor \.csv"):
        write_groups(grouped, tmp_path / "groups.xlsx")
