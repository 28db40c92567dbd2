"""Contract: parents in the tables are groups in the scores, by command."""

import pyarrow.parquet as pq
import pytest

from tests.commands.running import tokui
from tests.conftest import small_world


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups")
    small_world(folder, 250)
    toml = folder / "tokui.toml"
    text = toml.read_text(encoding="utf-8")
    parent = "'G' || right(customer_id, 1)"
    toml.write_text(
        text.replace("[tables.customers.columns]\n", f'[tables.customers.columns]\nparent_id = "{parent}"\n'),
        encoding="utf-8",
    )
    for verb in ("train", "promote", "snapshot"):
        tokui(folder, verb)
    return folder


def test_scores_by_group(project):
    said = tokui(project, "score", "scores.parquet", "--groups", "groups.parquet")
    scores, groups = (pq.read_table(project / f"{name}.parquet").to_pylist() for name in ("scores", "groups"))
    assert said == {
        "path": "scores.parquet",
        "rows": len(scores),
        "groups_path": "groups.parquet",
        "groups": len(groups),
    }
    assert 1 < len(groups) < len(scores)
    assert sum(group["ltv"] for group in groups) == pytest.approx(sum(row["ltv"] or 0.0 for row in scores))
    assert {row["group_id"] for row in scores} == {group["group_id"] for group in groups}
