"""What comes after the horizon: the champion's prediction there, read by how it did before."""

import numpy as np
import pytest

from evaluation.effects.returns import calibration
from evaluation.effects.winsor import winsorise
from evaluation.experiments.enrolment import enrol, horizon_days
from features.binding.tables import bind
from features.engine.compute import compute
from features.engine.observations import Observations
from features.types import DAY
from training.jobs import JOBS
from training.live import Live
from training.promotion import promote_version
from training.readout import read_experiment
from training.tracking import CHAMPION, Tracker


def test_with_a_champion_for_ltv_what_comes_after_is_read_too(world, trained, tmp_path, monkeypatch):
    monkeypatch.setattr("training.value.register.render_card", lambda card, lang="en": lang)
    tracker, made = Tracker(tmp_path / "mlruns"), trained["ltv"]
    JOBS["ltv"].register(tracker, made)
    promote_version(world.settings, tracker, Live(tmp_path / "live"), "ltv")
    days = horizon_days(world.settings)
    with bind(world.settings) as tables:
        name = "recommendations-2024"
        found = read_experiment(tables, world.history, tracker, name)
        enrolment = enrol(tables, world.history, name, days=days)
    now = enrolment.observations
    matrix = compute(
        world.history.features,
        world.history.store.streams,
        Observations(now.customers, now.cutoffs + days * DAY),
    )
    said = np.where(matrix.column("orders_count_ever") > 0, made.rehearsed.model.predict(matrix), 0)
    after = winsorise(said * 1.1 ** (-days / 365.25)).value
    backtest = made.backtest
    line = calibration(backtest.winner.prediction[:, 0], winsorise(backtest.actual[:, 0]).value)
    margin = winsorise(world.history.money(now, days)).value
    for k, arm in enumerate(enrolment.trial.arms[1:], 1):
        mine, control = enrolment.trial.arm == k, enrolment.trial.arm == 0
        total = margin + line.slope * after
        effect = found.effect(arm, "ltv")
        assert effect.plain.absolute.value == pytest.approx(
            total[mine].mean() - total[control].mean(), rel=1e-6
        )
    assert found.sizes == enrolment.trial.sizes
    clicked = found.effect("upsell", "clicked")
    assert 0 <= clicked.plain.control <= 1
    assert all(0 <= each.p <= 1 for each in found.effects)
    assert found.lasting
    assert all(each.beyond for each in found.lasting)
    # One that cannot be read is not passed over in silence.
    path = tracker.artifact(tracker.holding("ltv", CHAMPION), "rehearsed") / "model.json"
    path.write_bytes(path.read_bytes().replace(b"7", b"8", 1))
    with bind(world.settings) as tables:
        without = read_experiment(tables, world.history, tracker, name)
    assert not without.lasting
    assert [each.example for each in without.warnings if each.code == "no_long_term"] == ["1"]
