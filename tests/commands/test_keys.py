"""Contract: keys are made, listed and removed from the terminal, and a key is shown once."""

import json

import pytest
from typer.testing import CliRunner

from features.errors import SettingsError
from tokui import app


@pytest.fixture
def run(tmp_path):
    (tmp_path / "tokui.toml").write_text(
        'currency = "JPY"\n[tables.customers]\nsource = "a.csv"\n[tables.orders]\nsource = "b.csv"\n'
    )

    def ask(*words):
        done = CliRunner().invoke(app, ["keys", *words, "--config", str(tmp_path / "tokui.toml")])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    return ask


def test_add_list_and_remove(run, tmp_path):
    made = json.loads(run("add", "crm", "--scope", "history", "--scope", "predict", "--json"))
    assert made["key"] in run("add", "ops", "--scope", "admin") + made["key"]
    listed = json.loads(run("list", "--json"))
    assert [(key["name"], key["scopes"]) for key in listed] == [
        ("crm", ["predict", "history"]),
        ("ops", ["admin"]),
    ]
    assert "crm" in run("list")
    assert made["key"] not in run("list") + (tmp_path / "keys.json").read_text()
    run("remove", "crm")
    assert [key["name"] for key in json.loads(run("list", "--json"))] == ["ops"]
    with pytest.raises(SettingsError, match="no key 'crm'"):
        run("remove", "crm")


def test_a_key_predicts_unless_more_was_asked_for(run):
    assert json.loads(run("add", "crm", "--json"))["scopes"] == ["predict"]
