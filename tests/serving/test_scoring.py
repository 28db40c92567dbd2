"""Contract: the file holds every customer once, with the numbers the API gives."""

import dataclasses
import math

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from features.errors import SettingsError
from serving import scoring as batch
from serving.predictor.admission import Champion
from serving.predictor.recommender import Recommender, Uplift
from serving.scoring import write_scores
from tests.serving.conftest import ARMS


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_all_customers_as_the_api_says(world, tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(batch, "CHUNK", 50)
    path, told = tmp_path / f"scores{suffix}", []
    predictor = world.predictor
    assert write_scores(predictor, path, progress=told.append) == len(predictor.snapshot)
    assert told[-1] == "{0:,} of {0:,} customers".format(len(predictor.snapshot))
    table = pq.read_table(path) if suffix == ".parquet" else pc.read_csv(path)
    ids = predictor.snapshot.customer_ids(slice(None))
    assert table["customer_id"].to_pylist() == ids
    for row, one in zip(table.to_pylist(), predictor.predict(ids).predictions, strict=True):
        assert (row["status"], row["tier"] or None) == (one.status, one.tier)
        if one.ltv is None:
            assert row["ltv"] is None
            continue
        assert (row["ltv"], row["ltv_low"], row["ltv_high"]) == (one.ltv.value, one.ltv.low, one.ltv.high)
        assert math.isclose(row["lifetime_value"], one.lifetime_value)
        assert [row[f"churn_{each.days}d"] for each in one.churn] == [each.probability for each in one.churn]
        assert (row["currency"], row["ltv_version"], row["churn_version"]) == ("JPY", 1, 1)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("kind", ["x_learner", "constant"])
def test_recommendations_stand_beside_as_the_api_gives_them(
    world, uplifts, tmp_path, suffix, kind, monkeypatch
):
    monkeypatch.setattr(batch, "CHUNK", 50)
    bundle = dataclasses.replace(
        uplifts[kind], facts={**uplifts[kind].facts, "observational": kind == "constant"}
    )
    recommender = Recommender(Champion(bundle, 4), world.predictor.snapshot)
    path, bare = tmp_path / f"scores{suffix}", tmp_path / f"bare{suffix}"
    write_scores(world.predictor.with_uplift(Uplift(recommender)), path)
    write_scores(world.predictor, bare)
    read = pq.read_table if suffix == ".parquet" else pc.read_csv
    table, without = read(path), read(bare)
    assert table.select(without.column_names) == without
    added = ("value", "low", "high", "cost", "net")
    assert table.column_names[len(without.column_names) :] == [
        "recommended",
        *(f"uplift_{word}_{arm}" for arm in ARMS[1:] for word in added),
        "uplift_proven",
        "uplift_observational",
        "uplift_version",
    ]
    answer = recommender.recommend(table["customer_id"].to_pylist())
    for row, one in zip(table.to_pylist(), answer.recommendations, strict=True):
        assert (row["recommended"] or None) == one.chosen
        for action in one.actions:
            gain = action.incremental_ltv
            want = [gain.value, gain.low, gain.high, action.cost, action.net_value]
            assert [row[f"uplift_{word}_{action.arm}"] for word in added] == want
        facts = (row["uplift_proven"], row["uplift_observational"], row["uplift_version"])
        assert facts == (kind != "constant", kind == "constant", 4)


def test_an_uplift_model_that_cannot_be_used_is_told(world, tmp_path, caplog):
    write_scores(world.predictor.with_uplift(Uplift(None, "it is broken")), tmp_path / "scores.csv")
    assert "no recommendations in scores.csv: it is broken" in caplog.text
    assert "recommended" not in pc.read_csv(tmp_path / "scores.csv").column_names


def test_another_ending_is_refused(world, tmp_path):
    with pytest.raises(SettingsError, match="parquet"):
        write_scores(world.predictor, tmp_path / "scores.xlsx")
    assert not list(tmp_path.iterdir())
