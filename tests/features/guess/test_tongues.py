"""Contract: exports in other languages and of old systems are bound whole, and their money is that of the books."""

import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from features.binding.tables import bind
from features.guess.settings import guess_settings
from features.settings import load_settings
from tests.exports.tongues_far import TONGUES

NOW = datetime(2026, 1, 1)  # noqa: DTZ001


@pytest.mark.parametrize("make", TONGUES, ids=lambda make: make.__name__)
def test_each_file_is_its_table_and_the_money_is_right_to_the_cent(tmp_path, make):
    export = make()
    guess = guess_settings(export.write(tmp_path), folder=tmp_path, currency=export.currency)
    homes = {Path(file["file"]).name: file["table"] for file in guess.files}
    right = [{table.file: table.table} for table in (*export.tables, *export.as_right)]
    assert all({file: home} in right for file, home in homes.items())
    bound = tomllib.loads(guess.text)["tables"]
    assert all("customer_id" in bound[table].get("columns", {}) for table in homes.values())
    (tmp_path / "tokui.toml").write_text(guess.text, encoding="utf-8")
    with bind(load_settings(tmp_path / "tokui.toml"), now=NOW) as tables:
        for name, money in export.totals.items():
            table, column = name.split(".")
            assert tables.report(table).totals[column] == pytest.approx(float(money), abs=0.005)
        assert not [
            note for note in tables.report("orders").warnings if "are counted; if they" in note.reason
        ]
