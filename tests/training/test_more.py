"""Contract: further columns of customers divide readouts into segments and tell what was drawn as a whole."""

import numpy as np
import pytest

from evaluation.experiments.enrolment import enrol
from evaluation.experiments.measures import segments
from features.binding.tables import bind
from features.errors import ExperimentError
from features.history import read_history
from features.settings import load_settings
from tests.training.trials import HORIZON, TOML

MORE = (
    '[tables.customers.more]\nsector = {expression = "upper(industry)", label = "Sector of trade"}\n'
    'site = "id"\nall_one = {expression = "\'x\'", kind = "text"}\n'
)


@pytest.fixture(scope="module")
def rebound(trials):
    """The trials' files, with further columns."""

    def bound(uplift=""):
        path = trials.folder / "more.toml"
        text = TOML.replace("[uplift]\n", f"[uplift]\n{uplift}").replace(
            "[tables.orders]\n", f"{MORE}[tables.orders]\n"
        )
        path.write_text(text, encoding="utf-8")
        return bind(load_settings(path))

    return bound


def first_experiment(tables):
    return tables.connection.execute("SELECT min(experiment_id) FROM assignments").fetchall()[0][0]


def test_labels_are_segments_as_the_column_says(rebound):
    with rebound() as tables:
        history = read_history(tables)
        enrolment = enrol(tables, history, "plain", days=HORIZON)
        made = segments(history, enrolment, np.arange(len(enrolment.trial), dtype=float))
        assert set(made) == {"industry", "Sector of trade", "site", "all one", "value"}
        assert [word.upper() for word in made["industry"]] == [
            word.upper() for word in made["Sector of trade"]
        ]


def test_a_further_column_can_be_the_cluster(rebound):
    with rebound('cluster = "site"\n') as tables:
        enrolment = enrol(tables, read_history(tables), "plain", days=HORIZON)
        # Every customer is its own site.
        assert len(np.unique(enrolment.trial.clusters)) == len(enrolment.trial)
    with rebound('cluster = "all_one"\n') as tables, pytest.raises(ExperimentError, match="more_all_one 'x'"):
        enrol(tables, read_history(tables), "plain", days=HORIZON)
