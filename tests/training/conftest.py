"""The CSV world of experiments, bound once a test process."""

from collections.abc import Iterator

import pytest

from tests.training.trials import Trials, opened


@pytest.fixture(scope="session")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """Many experiments, good and bad."""
    found = opened(tmp_path_factory.mktemp("trials"))
    yield found
    found.tables.close()
