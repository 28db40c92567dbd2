"""Whole salespeople put in an arm: errors, ratios and folds are theirs and not their accounts', from tables to the answer."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import binomtest, ttest_ind

from benchmarks.coverage_uplift import QUICK
from evaluation.effects.effect import Effect
from evaluation.estimate import Estimate
from evaluation.experiments.enrolment import enrol
from evaluation.experiments.records import Code, Readout
from features.engine.snapshot import open_snapshot
from features.errors import ExperimentError, SettingsError
from features.settings import load_settings
from serving.predictor.recommender import load_uplift
from serving.snapshots import take_snapshot
from tests.training.owners import (
    ACCOUNTS,
    ALONE,
    DAY_OF_TRIAL,
    HORIZON,
    OWNERS,
    TOML,
    Owners,
    account,
    accounts,
    arm_of,
    assignments,
    industry,
    money,
    opened,
    single,
    write,
)
from training.live import Live, live_folder
from training.models.bundle import write_bundle
from training.models.uplift import UPLIFT
from training.readout import read_experiment
from training.tracking import Tracker
from training.uplift.learning import LEARNERS
from training.uplift.rows import UpliftTrees
from training.uplift.train import UpliftTraining, train_uplift

OWNER = dict(accounts())


@pytest.fixture(scope="module")
def owners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owners]:
    found = opened(tmp_path_factory.mktemp("owners"))
    yield found
    found.tables.close()


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    """A registry with nothing in it."""
    return Tracker(tmp_path_factory.mktemp("none") / "mlruns")


@pytest.fixture(scope="module")
def read(owners: Owners, nowhere: Tracker) -> dict[tuple[str, bool], Readout]:
    """Experiments read with and without ``uplift.cluster``."""
    worlds = {True: owners, False: owners.clustered_by(None)}
    return {
        (name, together): read_experiment(world.tables, world.history, nowhere, name)
        for name in ("equal", "mixed", "large")
        for together, world in worlds.items()
    }


def rows_of(experiment: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Accounts, whether visited, and what each was put in an arm with: its salesperson, or itself."""
    rows = [(who, arm) for name, who, arm in assignments() if name == experiment]
    who = [each for each, _ in rows]
    return who, np.array([arm == "visit" for _, arm in rows]), np.array([OWNER[each] or each for each in who])


def effect(found: Readout, *, adjusted: bool) -> Effect:
    both = found.effect("visit", "margin")
    assert both.refused is None
    one = both.adjusted if adjusted else both.plain
    assert one is not None
    return one


def width(estimate: Estimate) -> float:
    return estimate.high - estimate.low


@pytest.mark.parametrize("experiment", ["equal", "mixed"])
def test_accounts_of_one_owner_are_one_cluster_and_accounts_of_nobody_are_by_themselves(
    owners: Owners, experiment: str
) -> None:
    enrolment = enrol(owners.tables, owners.history, experiment, days=HORIZON)
    clusters = enrolment.trial.clusters
    assert clusters is not None
    ids = owners.history.ids(enrolment.observations).tolist()
    assert sorted(ids) == sorted(rows_of(experiment)[0])
    together = np.array([OWNER[each] or each for each in ids])
    assert ((clusters[:, None] == clusters) == (together[:, None] == together)).all()
    apart = owners.clustered_by(None)
    assert enrol(apart.tables, apart.history, experiment, days=HORIZON).trial.clusters is None


def test_the_interval_is_welch_s_on_owners_where_all_have_as_many_accounts(
    read: dict[tuple[str, bool], Readout],
) -> None:
    who, _, _ = rows_of("equal")
    mean = money(who).reshape(OWNERS, ACCOUNTS).mean(axis=1)
    visited = np.array([arm_of(j) == "visit" for j in range(OWNERS)])
    found = effect(read["equal", True], adjusted=False)
    low, high = ttest_ind(mean[visited], mean[~visited], equal_var=False).confidence_interval()
    assert found.absolute.value == pytest.approx(mean[visited].mean() - mean[~visited].mean())
    assert (found.n_treated, found.n_control) == (40, 40)
    # What shape the owners' money has may move an end a little.
    assert (found.absolute.low, found.absolute.high) == pytest.approx((low, high), abs=0.05 * (high - low))


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize(("experiment", "units"), [("equal", 40), ("mixed", 52), ("large", 40)])
def test_the_interval_is_that_of_a_cluster_robust_regression(
    read: dict[tuple[str, bool], Readout], experiment: str, units: int, *, adjusted: bool
) -> None:
    who, visited, together = rows_of(experiment)
    columns = [visited.astype(float)]
    if adjusted:
        columns.append(money(who, DAY_OF_TRIAL - HORIZON))
    peer = sm.OLS(money(who), sm.add_constant(np.column_stack(columns))).fit(
        cov_type="cluster", cov_kwds={"groups": np.unique(together, return_inverse=True)[1]}
    )
    found = effect(read[experiment, True], adjusted=adjusted)
    low, high = peer.conf_int()[1]
    assert (found.n_treated, found.n_control) == (units, units)
    if not adjusted:
        assert found.absolute.value == pytest.approx(peer.params[1])
        # They differ in how they count degrees of freedom.
        assert found.standard_error == pytest.approx(peer.bse[1], rel=0.02)
        assert width(found.absolute) == pytest.approx(high - low, rel=0.1)
    else:
        # Ours also knows what is expected from features, and regresses across parts of the owners.
        assert abs(found.absolute.value - peer.params[1]) < 0.5 * peer.bse[1]
        assert width(found.absolute) == pytest.approx(high - low, rel=0.2)


@pytest.mark.parametrize("experiment", ["equal", "mixed"])
def test_whoever_forgets_the_clusters_believes_too_much(
    read: dict[tuple[str, bool], Readout], experiment: str
) -> None:
    together, apart = read[experiment, True], read[experiment, False]
    for adjusted in (False, True):
        whole, single_ = (effect(each, adjusted=adjusted) for each in (together, apart))
        assert width(whole.absolute) > 1.5 * width(single_.absolute)
        assert (single_.n_treated, single_.n_control) == (apart.sizes["visit"], apart.sizes["control"])
    assert together.effect("visit", "margin").p > apart.effect("visit", "margin").p
    # Sizes are of accounts all the same, and nothing else about the page is narrower.
    assert together.sizes == apart.sizes
    [before], [naive_before] = together.before, apart.before
    assert before.plain is not None
    assert naive_before.plain is not None
    pairs = [(before.plain.absolute, naive_before.plain.absolute)]
    [paid], [naive_paid] = together.returns, apart.returns
    pairs += [(paid.net, naive_paid.net), (paid.total, naive_paid.total)]
    assert [each.day for each in together.course] == [each.day for each in apart.course] != []
    last, naive_last = together.course[-1], apart.course[-1]
    pairs += [(last.effect, naive_last.effect), (last.together, naive_last.together)]
    for wide, narrow in pairs:
        assert width(wide) > 1.5 * width(narrow)
    trades, naive_trades = (
        {
            row.name: row.raw
            for each in found.segments
            if each.dimension == "industry"
            for row in each.segments.rows
        }
        for found in (together, apart)
    )
    assert set(trades) == set(naive_trades) == {"steel", "food", "paper"}
    assert all(width(trades[name]) > width(naive_trades[name]) for name in trades)


def test_the_sample_ratio_counts_owners(
    owners: Owners, nowhere: Tracker, read: dict[tuple[str, bool], Readout]
) -> None:
    for name, units in (("equal", 40), ("mixed", 40 + ALONE // 2)):
        ratio = read[name, True].ratio
        assert ratio is not None
        assert (ratio.counts, ratio.expected) == ((units, units), (units, units))
    # 240 accounts and 80 are no accident where accounts were drawn; 40 salespeople and 40 are as planned.
    together, apart = read["large", True].ratio, read["large", False].ratio
    assert together is not None
    assert apart is not None
    assert (together.counts, together.broken) == ((40, 40), False)
    assert (apart.counts, apart.broken) == ((240, 80), True)
    # As many accounts, but 30 units and 74.
    found = read_experiment(owners.tables, owners.history, nowhere, "packed")
    assert found.sizes == {"control": 90, "visit": 90}
    assert found.ratio is not None
    assert found.ratio.counts == (30, 74)
    assert found.ratio.p == pytest.approx(binomtest(30, 104).pvalue)
    assert (found.verdict.code, found.effects) == (Code.BLOCKED, ())
    with pytest.raises(ExperimentError, match="30 and 74 units where 52 and 52 were planned"):
        train_uplift(owners.tables, owners.history, "packed")
    naive = owners.clustered_by(None)
    ratio = read_experiment(naive.tables, naive.history, nowhere, "packed").ratio
    assert ratio is not None
    assert (ratio.counts, ratio.p) == ((90, 90), 1)


def refused(owners: Owners, nowhere: Tracker, experiment: str) -> str:
    """What both the readout and the training say."""
    with pytest.raises(ExperimentError) as reading:
        read_experiment(owners.tables, owners.history, nowhere, experiment)
    with pytest.raises(ExperimentError) as training:
        train_uplift(owners.tables, owners.history, experiment)
    assert str(reading.value) == str(training.value)
    return str(reading.value)


def test_an_owner_in_two_arms_is_refused_by_name(owners: Owners, nowhere: Tracker) -> None:
    message = refused(owners, nowhere, "torn")
    assert "experiment torn: 1 of 80 clusters" in message
    assert "rep 04" in message
    assert "mend the assignments or leave" in message


def test_accounts_enough_of_too_few_owners_are_refused_and_not_called_customers(
    owners: Owners, nowhere: Tracker
) -> None:
    with pytest.raises(
        ExperimentError, match="20 clusters are treated and 20 are control; each arm needs 30"
    ):
        train_uplift(owners.tables, owners.history, "twenty")
    with pytest.raises(ExperimentError) as caught:
        read_experiment(owners.tables, owners.history, nowhere, "twenty")
    message = str(caught.value)
    assert "experiment twenty: control 'control' has 20 " in message
    assert "30 are needed" in message
    # There are 120 of them.
    assert not re.search(r"\b20 (customers|accounts)", message)


def test_a_cluster_that_is_not_bound_is_refused(owners: Owners, nowhere: Tracker) -> None:
    message = refused(owners.clustered_by("region"), nowhere, "equal")
    assert "uplift.cluster is 'region', which customers does not bind" in message
    assert "bind it or leave it out" in message


def test_a_cluster_that_is_no_column_of_customers_is_refused_when_settings_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, TOML.replace('cluster = "owner"', 'cluster = "salesperson"'))
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    message = str(caught.value)
    assert "uplift.cluster" in message
    assert all(f"'{column}'" in message for column in ("industry", "country", "region", "owner"))


def few(outcome: object = QUICK.outcome, effect: object = QUICK.effect) -> UpliftTrees:
    """Fewer trees than usual, where none are asked for."""
    return UpliftTrees(outcome, effect)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(owners: Owners, tmp_path_factory: pytest.TempPathFactory) -> UpliftTraining:
    """Two learners, tuned a little, on the experiment with accounts of nobody."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.uplift.train.UpliftTrees", few)
        two = {kind: LEARNERS[kind] for kind in ("s_learner", "linear")}
        patch.setattr("training.uplift.train.LEARNERS", two)
        return train_uplift(
            owners.tables, owners.history, "mixed", trials=1, journals=tmp_path_factory.mktemp("tuning")
        )


def test_no_part_of_training_divides_an_owner(owners: Owners, trained: UpliftTraining) -> None:
    ids = owners.history.ids(trained.enrolment.observations).tolist()
    together = np.array([OWNER[each] or each for each in ids])
    splits = [np.asarray(repeat.fold) for repeat in trained.cross.repeats]
    assert len(splits) > 1
    for split in (*splits, trained.judged):
        assert len(np.unique(split)) > 1
        for each in np.unique(together):
            assert len(np.unique(split[together == each])) == 1
    # Each round is another one.
    assert (splits[0] != splits[1]).any()


def test_what_is_learnt_of_owners_is_the_readout_s_and_is_served(
    owners: Owners, trained: UpliftTraining, read: dict[tuple[str, bool], Readout]
) -> None:
    assert trained.effects["visit"] == effect(read["mixed", True], adjusted=True).absolute
    live = Live(live_folder(owners.history.settings))
    take_snapshot(owners.tables)
    write_bundle(owners.folder / "made", trained.bundle)
    live.publish(UPLIFT, 1, owners.folder / "made")
    found = load_uplift(live, open_snapshot(live.snapshot))
    assert found.reason is None
    assert found.recommender is not None
    answer = found.recommender.recommend([who for who, _ in accounts()])
    gains = np.array([each.actions[0].incremental_ltv.value for each in answer.recommendations])
    steel = np.array([industry(number) == "steel" for number in range(len(gains))])
    assert {each.status for each in answer.recommendations} == {"ok"}
    # Steel works gain 100 an order, three orders in the horizon, and nobody else gains.
    assert trained.proven
    assert gains[steel].mean() > 150
    assert abs(gains[~steel].mean()) < 75
    assert {account(0, 0), single(0)} <= {each.customer_id for each in answer.recommendations}
