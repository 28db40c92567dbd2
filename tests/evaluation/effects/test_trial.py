"""A trial's contract: arrays that fit together, two arms or more, and propensities that are chances of each."""

import numpy as np
import pytest

from evaluation.effects.trial import CONTROL, Trial
from features.errors import ExperimentError


def made(**changes):
    fields = {
        "name": "t",
        "arms": ("control", "a", "b"),
        "arm": np.array([0, 1, 1, 2]),
        "propensity": np.tile([0.5, 0.25, 0.25], (4, 1)),
        "assigned_at": np.arange(4),
    }
    return Trial(**(fields | changes))


def test_units_are_counted_by_arm_control_first():
    found = made()
    assert len(found) == 4
    assert found.sizes == {"control": 1, "a": 2, "b": 1}
    assert found.arms[CONTROL] == "control"
    assert found.randomised
    assert made(arm=np.zeros(4, int)).sizes == {"control": 4, "a": 0, "b": 0}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"arms": ("control",), "propensity": np.full((4, 1), 0.5)}, "4 customers in 1 arms; two arms"),
        (
            {"arm": np.zeros(0, int), "propensity": np.zeros((0, 3)), "assigned_at": np.zeros(0, int)},
            "0 customers",
        ),
        (
            {"propensity": np.full((4, 2), 0.5)},
            r"propensities \(4, 2\) .* do not go with 4 customers in 3 arms",
        ),
        ({"assigned_at": np.arange(3)}, r"times \(3,\) do not go with 4 customers"),
        (
            {"propensity": np.tile([1.0, 0.25, 0.25], (4, 1))},
            r"4 of 4 .* outside \(0, 1\), for example \[1.0, ",
        ),
        ({"propensity": np.tile([0.5, 0.5, 0.0], (4, 1))}, "so leave them out of assignments"),
        ({"propensity": np.tile([0.5, 0.5, np.nan], (4, 1))}, "4 of 4 customers"),
    ],
)
def test_what_cannot_be_is_refused(changes, match):
    with pytest.raises(ExperimentError, match=match):
        made(**changes)
