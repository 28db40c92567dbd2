"""The backtest's contract: what a candidate learns from ended before the judged cutoff, the best by
the task's metric is chosen, and a history that cannot carry it is refused with its reason."""

import dataclasses

import numpy as np
import pytest

from features.binding.tables import bind
from features.catalogue.orders import ORDERS_PLACED
from features.catalogue.tables import PEOPLE
from features.engine.observations import Observations, wall_clock
from features.engine.store import load_store
from features.errors import TrainingDataError
from features.guess.horizons import fit_horizons
from features.history import Panel, read_history
from features.settings import load_settings
from features.types import DAY
from tests.conftest import small_world
from training.models.boosting import Trees
from training.value.backtest import check_intervals, halves, run_backtest
from training.value.tasks import TASKS, ChurnTask, LtvTask
from training.value.train import train_value

QUICK = Trees(rounds=10)


@pytest.mark.parametrize("name", list(TASKS))
def test_no_candidate_learns_from_anything_at_or_after_the_judged_cutoff(world, tmp_path, name):
    # The same world with everything from the judged cutoff on removed, as if read on that day.
    task = TASKS[name](world.settings)
    judged, cutoffs = world.history.cutoffs(task.span_days, task.shortest_days)
    with bind(world.settings) as tables:
        moment = f"TIMESTAMP '{wall_clock(judged)}'"
        for table, column in (
            ("orders", "occurred_at"),
            ("costs", "occurred_at"),
            ("customers", "created_at"),
        ):
            tables.connection.execute(f"DELETE FROM {table} WHERE greatest({column}, known_at) >= {moment}")
        # What happened before but was only known later is known to labels that end in time.
        with bind(world.settings) as whole:
            for table in ("orders", "costs"):
                rows = whole.connection.sql(
                    f"SELECT * FROM {table} WHERE occurred_at < {moment} AND known_at >= {moment}"
                ).to_arrow_table()
                tables.connection.register("late", rows)
                tables.connection.execute(f"INSERT INTO {table} SELECT * FROM late")
        past = dataclasses.replace(read_history(tables), start=world.history.start, end=judged)
    known = [c for c in cutoffs if c <= judged]
    for kind in task.kinds:
        now = task.fit(kind, world.history, world.history.panel(cutoffs), judged, QUICK).to_parts()
        then = task.fit(kind, past, past.panel(known), judged, QUICK).to_parts()
        assert now.boosters == then.boosters
        assert now.document["parameters"] == then.document["parameters"]


def test_the_judged_cutoff_is_the_newest_with_a_whole_outcome(world):
    task = LtvTask(world.settings)
    judged, cutoffs = world.history.cutoffs(task.span_days, task.shortest_days)
    assert judged + task.span_days * DAY <= world.history.end < judged + (task.span_days + 1) * DAY
    assert {(c - judged) % (30 * DAY) for c in cutoffs} == {0}
    assert min(cutoffs) >= world.history.start + 90 * DAY
    assert max(cutoffs) + task.shortest_days * DAY <= world.history.end


def test_only_customers_that_had_ordered_are_judged(world):
    task = ChurnTask(world.settings)
    judged, _ = world.history.cutoffs(task.span_days, task.shortest_days)
    panel = world.history.panel([judged])
    placed = world.history.store.streams[ORDERS_PLACED.name]
    first = np.full(len(placed.offsets) - 1, np.iinfo(np.int64).max)
    some = np.diff(placed.offsets) > 0
    first[some] = placed.times[placed.offsets[:-1][some]]
    assert set(panel.observations.customers.tolist()) == set(np.flatnonzero(first < judged).tolist())


@pytest.mark.parametrize("name", list(TASKS))
def test_the_best_by_the_tasks_metric_is_chosen(trained, name):
    backtest = trained[name].backtest
    metric = trained[name].task.metric
    value = {
        kind: metric.loss(metric(backtest.actual.ravel(), each.prediction.ravel()))
        for kind, each in backtest.candidates.items()
    }
    assert backtest.chosen == min(value, key=value.get)
    assert set(backtest.comparisons) == set(backtest.candidates) - {backtest.chosen}
    for comparison in backtest.comparisons.values():
        assert comparison.p_worse > 0.4  # the best is not worse than anything it was compared with


def test_horizons_of_churn_never_contradict_each_other(trained):
    for each in trained["churn"].backtest.candidates.values():
        assert (np.diff(each.prediction, axis=1) >= 0).all()


def test_interval_coverage_is_measured_on_the_other_half(trained):
    made = trained["ltv"]
    again = check_intervals(made.task, made.backtest)
    y = made.backtest.actual[:, 0]
    assert again.covered.value == np.mean((again.low <= y) & (y <= again.high))
    one = halves(made.backtest.panel.observations.customers)
    assert 0.4 < one.mean() < 0.6
    # Halving is by customer alone: the same customers fall on the same side in any panel.
    both = np.tile(made.backtest.panel.observations.customers, 2)
    assert (halves(both).reshape(2, -1) == one).all()


def test_money_is_margin_less_costs_in_the_horizon(world):
    observations = world.history.panel([world.history.start + 300 * DAY]).observations
    got = world.history.money(observations, 120)
    begin = wall_clock(world.history.start + 300 * DAY)
    with bind(world.settings) as tables:
        want = dict(
            tables.connection.execute(
                f"""WITH money AS (
                    SELECT customer_id, occurred_at AS t, margin AS m FROM orders
                    UNION ALL SELECT customer_id, occurred_at, -amount FROM costs)
                SELECT customer_id, sum(m * pow(1.1, -epoch(t - TIMESTAMP '{begin}') / 86400 / 365.25)) FROM money
                WHERE t >= TIMESTAMP '{begin}' AND t < TIMESTAMP '{begin}' + INTERVAL 120 DAY GROUP BY 1"""
            ).fetchall()
        )
    ids = world.history.ids(observations)
    np.testing.assert_allclose(got, [want.get(each, 0.0) for each in ids], rtol=1e-9, atol=1e-6)


def _refused(history, panel=None, task=LtvTask, **changes):
    settings = history.settings.model_copy(update=changes)
    history = dataclasses.replace(history, settings=settings)
    made = task(settings)
    judged, cutoffs = history.cutoffs(made.span_days, made.shortest_days)
    panel = panel(history.panel(cutoffs), judged) if panel else history.panel(cutoffs)
    with pytest.raises(TrainingDataError) as caught:
        run_backtest(made, history, panel, judged, {})
    return str(caught.value)


def test_too_few_customers_are_refused(world):
    few = _refused(world.history, lambda panel, _: panel.where(panel.observations.customers < 40))
    assert "100 are needed" in few


def test_one_outcome_is_refused(world):
    def everyone_left(panel, judged):
        return panel

    silent = dataclasses.replace(
        world.history,
        happened={**world.history.happened, ORDERS_PLACED.name: _nothing(world.history)},
    )
    said = _refused(silent, everyone_left, ChurnTask)
    assert "the same outcome" in said
    assert "check the horizons" in said


def _nothing(history):
    events = history.happened[ORDERS_PLACED.name]
    return dataclasses.replace(events, offsets=np.zeros_like(events.offsets), times=events.times[:0])


def _judged(world, task, panel=lambda panel: panel):
    judged, cutoffs = world.history.cutoffs(task.span_days, task.shortest_days)
    return run_backtest(task, world.history, panel(world.history.panel(cutoffs)), judged, {})


def test_where_features_say_nothing_the_boosted_candidate_drops_out_by_name(world):
    def blank(panel):
        values = np.full_like(panel.matrix.values, np.nan)
        values[:, ::2] = 1.0
        return Panel(panel.observations, dataclasses.replace(panel.matrix, values=values, categories={}))

    backtest = _judged(world, ChurnTask(world.settings), blank)
    assert "empty or constant" in backtest.refused["hazard"]
    assert backtest.chosen == "base_rate"


def quick(fit):
    """LTV with what a candidate does put in its place, by kind: an error, or a change of its predictions."""

    class Odd(LtvTask):
        def fit(self, kind, history, panel, until, trees):
            does = fit.get((kind, until == history.end), fit.get(kind))
            if isinstance(does, Exception):
                raise does
            model = super().fit("last_period", history, panel, until, trees)
            if does is None:
                return model
            told = model.predict
            # Only what a candidate says matters here, not how.
            object.__setattr__(model, "predict", lambda matrix: does(told(matrix)))
            return model

    return Odd


def lost(prediction):
    prediction[::7] = np.nan
    return prediction


@pytest.mark.parametrize("kind", LtvTask.kinds)
@pytest.mark.parametrize(
    ("does", "why"),
    [
        (TrainingDataError("too few of them"), "too few of them"),
        (FloatingPointError("overflow encountered"), "overflow encountered"),
        (lost, "predictions are not finite numbers"),
        (lambda prediction: np.full_like(prediction, np.inf), "predictions are not finite numbers"),
    ],
)
def test_whichever_candidate_drops_out_the_others_go_on(world, kind, does, why):
    backtest = _judged(world, quick({kind: does})(world.settings))
    assert set(backtest.candidates) == set(LtvTask.kinds) - {kind}
    assert set(backtest.refused) == {kind}
    assert why in backtest.refused[kind]


def test_where_all_drop_out_one_error_names_each_with_its_reason(world):
    one, other = TrainingDataError("too few of them"), TrainingDataError("nobody came back")
    task = quick({"two_part": one, "tweedie": one, "bgnbd": other, "last_period": lost})(world.settings)
    with pytest.raises(TrainingDataError) as caught:
        _judged(world, task)
    said = str(caught.value)
    assert "no ltv candidate can be fitted" in said
    assert "two_part, tweedie: too few of them" in said
    assert "bgnbd: nobody came back" in said
    assert "last_period: " in said
    assert "not finite" in said


def test_a_defect_is_no_reason_to_drop_out(world):
    with pytest.raises(KeyError):
        _judged(world, quick({"bgnbd": KeyError("a slip of ours")})(world.settings))


def test_the_best_that_cannot_be_fitted_on_everything_leaves_it_to_the_next(world):
    noise = np.random.default_rng(3)
    worse = {
        "bgnbd": lambda p: p * noise.lognormal(0, 1, p.shape),
        "last_period": lambda p: -p,
        "tweedie": lambda p: -p,
    }
    fails = {("two_part", True): TrainingDataError("no finite likelihood")}
    made = train_value(quick(worse | fails)(world.settings), world.history)
    assert made.backtest.chosen == "bgnbd"
    assert made.backtest.refused == {"two_part": "on everything, no finite likelihood"}
    assert set(made.backtest.comparisons) == {"tweedie", "last_period"}
    gone = {(kind, True): lost for kind in LtvTask.kinds}
    with pytest.raises(TrainingDataError, match="no ltv candidate can be fitted"):
        train_value(quick(worse | gone)(world.settings), world.history)


def test_a_history_too_short_says_what_is_needed(world):
    ltv = world.settings.ltv.model_copy(update={"horizon_days": 3000})
    history = dataclasses.replace(world.history, settings=world.settings.model_copy(update={"ltv": ltv}))
    with pytest.raises(TrainingDataError, match=r"covers [\d,]+ days and at least 3,840 are needed"):
        history.cutoffs(3000, 750)


@pytest.mark.parametrize(("step", "most"), [(30, 50), (1, 600)])
def test_the_number_of_cutoffs_does_not_grow_with_the_history(world, step, most):
    def history(days):
        training = world.settings.training.model_copy(update={"step_days": step})
        settings = world.settings.model_copy(update={"training": training})
        return dataclasses.replace(world.history, settings=settings, start=world.history.end - days * DAY)

    task = LtvTask(world.settings)
    judged, cutoffs = history(20_000).cutoffs(task.span_days, task.shortest_days)
    assert len(cutoffs) < most
    # All that a fit or tuning's rehearsal may learn from is there: the newest before each length of outcome.
    shorter = history(2_000).cutoffs(task.span_days, task.shortest_days)
    assert shorter == (judged, cutoffs)
    rehearsed = judged - task.span_days * DAY
    for until in (judged, rehearsed, world.history.end):
        for days in task.label_days:
            usable = [cutoff for cutoff in cutoffs if cutoff + days * DAY <= until]
            assert len(usable) >= world.settings.training.max_cutoffs


def test_a_short_history_is_told_the_horizons_it_supports(world):
    def short(days):
        history = dataclasses.replace(world.history, start=world.history.end - days * DAY)
        with pytest.raises(TrainingDataError) as caught:
            history.cutoffs(365, 365)
        return str(caught.value)

    said = short(373)
    assert "covers 373 days and at least 820 are needed" in said
    fit = fit_horizons(373)
    assert f"[ltv] horizon_days = {fit.ltv}; [churn] horizons_days = {list(fit.churn)}" in said
    assert "too short even for the shortest horizons" in short(20)
    assert short(1).startswith("the history covers 1 day and")


def test_a_history_without_purchases_is_refused(tmp_path):
    settings = small_world(tmp_path / "world", 60)
    with bind(settings) as tables:
        tables.connection.execute("UPDATE orders SET amount = -1")
        with pytest.raises(TrainingDataError, match="only returns"):
            read_history(tables)
    assert load_settings(settings.path) == settings


def test_the_store_of_labels_ignores_when_rows_were_known(world):
    with bind(world.settings) as tables:
        happened = load_store(
            tables.connection, {ORDERS_PLACED.name: (ORDERS_PLACED, ())}, PEOPLE, known=False
        )
        known = load_store(tables.connection, {ORDERS_PLACED.name: (ORDERS_PLACED, ())}, PEOPLE)
    late = known.streams[ORDERS_PLACED.name].times > happened.streams[ORDERS_PLACED.name].times
    assert late.any()
    assert len(Observations.grid(happened.first_seen, [world.history.end])) == len(happened.ids)
