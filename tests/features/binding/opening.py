"""Files in tests: written as bytes, opened, and read as columns and rows."""

from pathlib import Path

import duckdb

from features.binding.sources import Source, explain, open_source
from features.errors import SourceError
from features.settings import TableSettings


def opened(
    folder: Path, name: str, content: bytes | str | None = None, **settings: object
) -> tuple[Source, list]:
    """A file as a source, and its rows."""
    if content is not None:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        source = open_source(
            connection,
            TableSettings(source=name, **settings),
            folder=folder,
            scratch=scratch,
            staging="staged",
        )
        try:
            return source, connection.execute(f"SELECT * FROM {source.relation}").fetchall()
        except duckdb.Error as error:
            raise SourceError(explain(error, source.name)) from error


def copies(folder: Path) -> list[str]:
    """Names of the readable copies that were made."""
    return [path.name for path in (folder / "scratch").rglob("*") if path.is_file()]
