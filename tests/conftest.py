"""A small simulated world that several rooms' tests share, trained once a test process."""

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from features.binding.tables import bind
from features.history import History, read_history
from features.settings import Settings, load_settings
from features.world.simulate import simulate_world
from tests.training.trials import Trials, opened
from training.value.tasks import TASKS
from training.value.train import Training, train_value

# What lands is what was tested: the same examples everywhere. To look for new ones, run pytest with
# --hypothesis-profile=default.
settings.register_profile("tokui", derandomize=True)
settings.load_profile("tokui")


def pytest_unconfigure() -> None:
    """Let go of what hypothesis hangs into the garbage collector.

    It lives until the interpreter is gone, and so does all that it reaches: DuckDB's binding then reports
    that as a leak, in a hundred lines after the result.
    """
    gc.callbacks.clear()


HORIZONS = """
[ltv]
horizon_days = 120

[churn]
horizons_days = [30, 60]
silence_days = 60

[training]
step_days = 30
max_cutoffs = 4
"""


@dataclass(frozen=True)
class World:
    """A bound history in a folder."""

    folder: Path
    settings: Settings
    history: History


def small_world(folder: Path, customers: int = 500, seed: int = 3) -> Settings:
    """A world of two years with short horizons, so that training takes a second or two."""
    simulate_world(folder, customers=customers, years=2, seed=seed)
    toml = folder / "tokui.toml"
    text = toml.read_text(encoding="utf-8")
    head, tables = text[: text.index("[ltv]")], text[text.index("[tables.customers]") :]
    toml.write_text(head + HORIZONS + tables, encoding="utf-8")
    return load_settings(toml)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A small world, bound and read."""
    folder = tmp_path_factory.mktemp("world")
    settings = small_world(folder)
    with bind(settings) as tables:
        return World(folder, settings, read_history(tables))


@pytest.fixture(scope="session")
def trained(world: World) -> dict[str, Training]:
    """Both tasks trained on it."""
    return {name: train_value(task(world.settings), world.history) for name, task in TASKS.items()}


@pytest.fixture(scope="session")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """A CSV world of many experiments, good and bad."""
    made = opened(tmp_path_factory.mktemp("trials"))
    yield made
    made.tables.close()
