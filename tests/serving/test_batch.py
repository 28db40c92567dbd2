"""Contract: the file holds every customer once, with the numbers the API gives."""

import math

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from features.errors import SettingsError
from serving import batch
from serving.batch import score


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_all_customers_as_the_api_says(world, tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(batch, "CHUNK", 50)
    path, told = tmp_path / f"scores{suffix}", []
    predictor = world.predictor
    assert score(predictor, path, progress=told.append) == len(predictor.snapshot)
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


def test_another_ending_is_refused(world, tmp_path):
    with pytest.raises(SettingsError, match="parquet"):
        score(world.predictor, tmp_path / "scores.xlsx")
    assert not list(tmp_path.iterdir())
