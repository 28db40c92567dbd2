"""Contract: what a job learns from is written, a row a customer, with what was known and what came of it."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.types import DAY
from tests.training.trials import CUSTOMERS, HORIZON, arm_of, name, orders
from training.jobs import JOBS


@pytest.fixture(params=list(JOBS))
def job(request):
    return JOBS[request.param]


def test_what_it_learns_from_can_be_written(job, trials, tmp_path):
    path = tmp_path / "set.parquet"
    end = trials.history.end
    cutoffs = [end - 200 * DAY, end - DAY]
    rows = job.export(trials.tables, path, cutoffs=cutoffs, experiment="plain")
    table = pq.read_table(path)
    assert table.num_rows == rows
    assert table.column_names[:2] == ["customer_id", "cutoff"]
    known = trials.history.features.names
    assert tuple(table.column_names[2 : 2 + len(known)]) == known
    assert len(set(table["customer_id"].to_pylist())) == CUSTOMERS


def test_an_experiment_is_written_with_arms_propensities_and_what_the_orders_say(trials, tmp_path):
    path = tmp_path / "plain.parquet"
    assert JOBS["uplift"].export(trials.tables, path, experiment="plain") == CUSTOMERS
    table = pq.read_table(path)
    assert table.column_names[-3:] == ["arm", "propensity", "outcome_margin"]
    assert table["customer_id"].to_pylist() == [name(k) for k in range(CUSTOMERS)]
    assert {at.isoformat() for at in table["cutoff"].to_pylist()} == {"2024-08-28T00:00:00"}
    assert table["arm"].to_pylist() == [("control", "treated")[arm_of(k)] for k in range(CUSTOMERS)]
    assert set(table["propensity"].to_pylist()) == {0.5}
    money = np.zeros(CUSTOMERS)
    before = np.zeros(CUSTOMERS)
    for who, day, _, amount in orders():
        if 240 <= day < 240 + HORIZON:
            money[int(who[4:])] += amount
        before[int(who[4:])] += 150 <= day < 240
    assert table["outcome_margin"].to_numpy() == pytest.approx(money)
    assert (table["orders_count_90d"].to_numpy() == before).all()
    assert set(table["customers_industry_last_ever"].to_pylist()) == {"steel", "food", "paper"}
