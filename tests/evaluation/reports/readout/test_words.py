"""Changes, p values and sums read as findings do."""

from evaluation.effects.effect import Effect
from tests.evaluation.reading import words
from tests.evaluation.readouts import about


def test_a_relative_effect_that_is_not_known_is_a_dash():
    w = words()
    nan = float("nan")
    found = Effect(1.0, -1.0, about(2.0, 1.0), about(nan, nan), 0.01, 0.5, 40, 40, "Welch t")
    assert w.relative(found.relative) == ("–", "–")
    assert w.change("share", 0.0181) == "+1.8 pts"
    assert w.change("money", 0.2) == "¥0"


def test_totals_stand_over_their_intervals_and_have_a_sign():
    assert words().totals([about(2e6, 1e6), about(-5e4, 2e3)]) == [
        ("+¥2.00M", "¥1.00M to ¥3.00M"),
        ("−¥0.05M", "−¥0.05M to −¥0.05M"),
    ]
