"""Contract: the terminal says of experiments what their pages say, and what is odd about them."""

import io
import re
from datetime import datetime

import pytest
from rich.console import Console

from commands.show import experiments as show
from commands.show.models import amount
from evaluation.estimate import Estimate
from evaluation.experiments.overview import Assigned
from evaluation.reports.readout.beforeafter import period_sides, render_before_after
from tests.evaluation import readouts
from tests.evaluation.reading import text_of


def told(shown):
    console = Console(width=200, file=io.StringIO())
    console.print(shown)
    return console.file.getvalue()


def rows(text):
    """Cells of every line of every table."""
    lines = [line for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


@pytest.mark.parametrize(("kind", "span"), [("week", 12), ("month", 3), ("year", 1)])
def test_before_and_after_shows_the_numbers_of_the_page_and_what_is_compared(kind, span):
    found = readouts.campaign(kind, 6 if kind == "year" else 3, 800 if kind == "year" else 120)
    assert found.count == span
    shown = told(show.before_after_shown(found, "JPY"))
    assert found.sentence[:40] in re.sub(r"\s+", " ", shown)
    page = text_of(render_before_after(found, "p", "JPY", "UTC"))
    cells = [cell for row in rows(shown) for cell in row if cell]
    assert len(cells) > 20
    assert all(cell in page for cell in cells)
    side = [row[1] for row in rows(shown) if len(row) == 5 and row[1]]
    assert len(side) == len(found.periods)
    assert side.count("before") == side.count("after") == span
    assert [each in {"before", "after"} for each in side] == [each != "none" for each in period_sides(found)]


def test_experiments_are_told_with_their_arms_and_oddities():
    day = datetime(2025, 4, 1)  # noqa: DTZ001 - the project's wall clock
    spring = Assigned(
        "spring [2025]", 1200, {"control": 600, "call": 600}, day, day.replace(day=9), ("2 customers odd",)
    )
    shown = told(show.experiments_shown([spring], "[uplift.costs] names 'fax'"))
    assert ["spring [2025]", "1,200", "control 600, call 600", "2025-04-01 to 2025-04-09"] in rows(shown)
    assert "spring [2025]: noted 2 customers odd" in shown
    assert "noted [uplift.costs] names 'fax'" in shown


def test_money_below_a_thousand_keeps_its_decimals():
    assert amount(Estimate(0.42, 0.11, 0.73)) == "+0.42 (+0.11 to +0.73)"
    assert amount(Estimate(12.3, -20.0, 1234.6)) == "+12 (-20 to +1,235)"
    assert amount(Estimate(31397.1, 17995.0, 44800.0), "") == "31,397 (17,995 to 44,800)"
