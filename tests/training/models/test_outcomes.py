"""Outcomes' contract: the form follows the data, and each form's mean is that of its closed form."""

import numpy as np
import pytest
from scipy.special import expit

from features.errors import TrainingDataError
from training.models.boosting import Trees, raw_score
from training.models.outcomes import expected, fit_outcome, form_of, held_out

NAMES = ("a", "b", "c")
TREES = Trees(rounds=40, learning_rate=0.1)


def columns(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(n, 3))


@pytest.mark.parametrize(
    ("outcome", "form"),
    [
        (np.tile([0.0, 1.0], 50), "binary"),
        (np.zeros(100), "binary"),
        (np.random.default_rng(0).normal(5, 1, 500), "mean"),
        (np.random.default_rng(0).lognormal(0, 2, 500), "two_part"),
        (np.where(np.arange(500) % 10 == 0, 0, np.random.default_rng(0).uniform(1, 2, 500)), "two_part"),
        # Mostly zero, but too few amounts to learn them by themselves.
        (np.where(np.arange(500) < 15, 3.5, 0), "mean"),
        (np.full(50, 7.0), "mean"),
    ],
)
def test_the_form_follows_the_data(outcome, form):
    assert form_of(outcome) == form


def test_what_does_not_vary_is_a_constant():
    _, x = columns(50)
    found = fit_outcome(x, np.full(50, 7.0), NAMES, (), TREES, "two_part")
    assert found.boosters == {}
    assert found.predict(x[:3]).tolist() == [7.0] * 3


def test_yes_or_no_is_a_chance_that_is_right_on_average_and_by_feature():
    rng, x = columns(4000)
    chance = expit(x[:, 0] - 0.5)
    y = (rng.random(4000) < chance).astype(float)
    found = fit_outcome(x, y, NAMES, (), TREES, "binary").predict(x)
    assert found.mean() == pytest.approx(y.mean(), abs=0.01)
    assert np.abs(found - chance).mean() < 0.05
    # Too few of one kind for a classifier.
    rare = np.where(np.arange(4000) < 19, 1.0, 0.0)
    assert fit_outcome(x, rare, NAMES, (), TREES, "binary").predict(x[:1])[0] == pytest.approx(19 / 4000)


def test_money_is_chance_times_amount_and_sums_to_the_amounts_paid():
    rng, x = columns(4000)
    money = (rng.random(4000) < expit(x[:, 1])) * np.exp(3 + 0.5 * x[:, 0] + 0.8 * rng.normal(size=4000))
    found = fit_outcome(x, money, NAMES, (), TREES, "two_part")
    truth = expit(x[:, 1]) * np.exp(3 + 0.5 * x[:, 0] + 0.32)
    assert found.predict(x).mean() == pytest.approx(truth.mean(), rel=0.06)
    assert np.corrcoef(found.predict(x), truth)[0, 1] > 0.9
    # Duan's smearing: what is said of those who paid sums to what they paid.
    paid = money > 0
    amounts = np.exp(raw_score(found.boosters["amount"], x[paid])) * found.numbers["smear"]
    assert amounts.sum() == pytest.approx(money.sum())


def test_losses_are_part_of_it():
    rng, x = columns(3000)
    y = rng.choice([-50.0, 0.0, 100.0], 3000, p=[0.2, 0.4, 0.4]) * (1 + 0.1 * rng.random(3000))
    found = fit_outcome(x, y, NAMES, (), TREES, "two_part")
    assert set(found.boosters) == {"event", "amount", "loss"}
    assert found.predict(x).mean() == pytest.approx(y.mean(), abs=2)
    few = np.where(np.arange(3000) < 150, -50.0, np.abs(y))
    # Too few losses to tell whose; they are everyone's alike.
    assert "loss" not in fit_outcome(x, few, NAMES, (), TREES, "two_part").boosters


def test_the_parts_make_the_whole():
    raw = {"event": np.array([0.0]), "amount": np.array([2.0])}
    numbers = {"form": "two_part", "paid": 0.9, "smear": 1.5, "lost": 0.1, "loss": -30.0}
    assert expected(numbers, raw, 1)[0] == pytest.approx(0.5 * np.exp(2) * 1.5 - 3)
    assert expected(numbers, {"amount": raw["amount"]}, 1)[0] == pytest.approx(0.9 * np.exp(2) * 1.5 - 3)
    assert expected(numbers, {**raw, "loss": np.array([0.0])}, 1)[0] == pytest.approx(
        0.5 * np.exp(2) * 1.5 - 15
    )


def test_nobody_is_told_of_by_a_model_that_has_seen_it():
    rng, x = columns(300)
    y = x[:, 0] + rng.normal(size=300)
    found = held_out(x, y, NAMES, (), TREES, "mean", folds=3, seed=1)
    fold = np.random.default_rng(1).permutation(300) % 3
    changed = y.copy()
    changed[fold == 1] += 100
    again = held_out(x, changed, NAMES, (), TREES, "mean", folds=3, seed=1)
    assert (again[fold == 1] == found[fold == 1]).all()
    assert (again[fold != 1] != found[fold != 1]).all()


def test_too_few_rows_are_refused():
    _, x = columns(19)
    with pytest.raises(TrainingDataError, match="19 rows to learn an outcome from and 20 are needed"):
        fit_outcome(x, np.arange(19.0), NAMES, (), TREES, "mean")
