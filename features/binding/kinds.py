"""Kinds of files, told from what is in them: exports often go by another name than their own."""

import re
from pathlib import Path
from typing import Literal

from features.binding.encodings import looks_wide
from features.errors import SourceError

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".tab", ".dat"})
SHEET_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls"})
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
DUCKDB_SUFFIXES = frozenset({".duckdb", ".db", ".ddb"})

FileKind = Literal["text", "sheet", "parquet", "duckdb"]

_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|meta|table|\?xml|!--)", re.IGNORECASE)
_RECORDS = re.compile(rb'(\xef\xbb\xbf)?\s*(\[\s*)?\{\s*"')
_REFUSED = (
    (b"%PDF", "a PDF", "export CSV or Excel instead"),
    (b"\x1f\x8b", "compressed (gzip)", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"SQLite format 3\0", "a SQLite database", "export its tables as CSV"),
)


def file_kind(path: Path) -> FileKind:
    """What a file is by its first bytes, whatever its name says.

    Args:
        path: A file that is there.

    Raises:
        SourceError: It is empty, cannot be opened, or is of a kind that tokui does not read.
    """
    if not path.is_file():
        kind = "is a folder, not a file" if path.is_dir() else "is not there"
        raise SourceError(f"{path} {kind}; a source is relative to the folder of tokui.toml")
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from error
    if not start:
        raise SourceError(f"{path} is empty: it has no header and no rows")
    suffix = path.suffix.lower()
    if start.startswith(b"PAR1") or suffix in PARQUET_SUFFIXES:
        return "parquet"
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or (
        suffix in SHEET_SUFFIXES and start.startswith(b"PK")
    ):
        return "sheet"
    for mark, what, mend in _REFUSED:
        if start.startswith(mark):
            raise SourceError(f"{path} is {what}, which tokui does not read; {mend}")
    if start[8:12] == b"DUCK" or suffix in DUCKDB_SUFFIXES:
        return "duckdb"
    _refuse_other_text(path, start, suffix)
    return "text"


def _refuse_other_text(path: Path, start: bytes, suffix: str) -> None:
    """Refuse what is no table of values and separators, though it may be text."""
    if _PAGE.match(start):
        called = f", though it is called {suffix}" if suffix in SHEET_SUFFIXES | TEXT_SUFFIXES else ""
        raise SourceError(f"{path} is a web page or XML{called}; open it in Excel and save it as .xlsx")
    if _RECORDS.match(start):
        raise SourceError(f"{path} is JSON, which tokui does not read; export CSV or Parquet instead")
    known = suffix in TEXT_SUFFIXES | SHEET_SUFFIXES
    if not known or (b"\0" in start and suffix in SHEET_SUFFIXES and not looks_wide(start)):
        raise SourceError(
            f"{path} is of a kind tokui does not read; it reads .csv .tsv .txt .xlsx .parquet .duckdb "
            "and postgresql:// addresses"
        )
