"""A command line as typed, in this process."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tokui


@dataclass(frozen=True)
class Done:
    """What a command left."""

    status: int | str | None
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a command that was refused."""
        assert (self.status, self.out) == (2, "")
        # What was left out of the tables is told by every command.
        said = self.err.strip().splitlines()
        [line] = [line for line in said if line.strip() and not line.startswith("note ")]
        return line

    @property
    def told(self) -> Any:
        """The document of a command that went well, in which nothing is NaN or endless."""

        def never(word: str) -> None:
            raise AssertionError(f"{word} in {self.out}")

        assert self.status == 0, self.err
        return json.loads(self.out, parse_constant=never)


Run = Callable[..., Done]


def typed(
    folder: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Done:
    """Type a command in a folder."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["tokui", *words])
    with pytest.raises(SystemExit) as left:
        tokui.main()
    said = capsys.readouterr()
    return Done(left.value.code, said.out, said.err)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path within."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
