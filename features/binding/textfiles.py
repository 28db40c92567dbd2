"""Text files: made readable for DuckDB in one streaming pass, whatever their encoding and separators."""

import codecs
import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from features.errors import SourceError

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp932", "shift_jis", "euc_jp", "cp1252", "latin-1")
"""What ``encoding`` may say, by Python's names; other codecs of Python work as well."""

_CHUNK = 1 << 20
_SEPARATORS = ",\t;|"
_GUESSES = ("cp932", "euc_jp", "cp1252")


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file DuckDB can read: UTF-8, one kind of line end, one separator.

    Args:
        path: The file itself, or its readable copy.
        separator: The character between two values.
        columns: Names in the header, made unique, in order.
    """

    path: Path
    separator: str
    columns: tuple[str, ...]

    def sql(self) -> str:
        """The DuckDB table function that reads it, every value as the text it was written as."""
        # DuckDB 2.0: a wrong new_line silently yields no rows, and detection skips lines that do not
        # fit; so nothing is detected but the line end, and a row that does not fit is an error.
        names = ", ".join(f"{quote(name)}: 'VARCHAR'" for name in self.columns)
        return (
            f"read_csv({quote(str(self.path))}, auto_detect=false, header=true, delim={quote(self.separator)}, "
            f"quote='\"', escape='\"', columns={{{names}}}, max_line_size=16777216)"
        )


def quote(text: str) -> str:
    """Write a text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def open_text(path: Path, encoding: str, scratch: Path) -> TextFile:
    """Make a text file readable.

    The file is read once as it is. Only where DuckDB could not read it (another encoding, mixed line
    ends, values set apart by runs of blanks) is a copy written to ``scratch``, line by line.

    Args:
        path: The file.
        encoding: Its encoding, by a name Python knows.
        scratch: Folder for the copy.

    Raises:
        SourceError: It is empty, has no header, or is not in that encoding.
    """
    try:
        codec = codecs.lookup(encoding).name
    except LookupError as error:
        raise SourceError(
            f"encoding {encoding!r} of {path} is not known; use one of {', '.join(ENCODINGS)}"
        ) from error
    plain = _survey(path, codec)
    with path.open(encoding=_reader(codec)) as lines:
        head = list(itertools.islice((line for line in lines if line.strip()), 50))
    if not head:
        raise SourceError(f"{path} holds nothing but blank lines; it needs a header and rows")
    if "\0" in head[0]:
        raise SourceError(f'{path} is not {encoding} text; if it is UTF-16 text, say encoding = "utf-16"')
    separator = _separator(head)
    copy = scratch / f"{path.stem}-{len(list(scratch.iterdir()))}.csv"
    if separator is None:
        _copy_blanks(path, codec, copy)
        return TextFile(copy, ",", _unique(head[0].split()))
    columns = _unique(next(csv.reader(head, delimiter=separator)))
    if plain:
        return TextFile(path, separator, columns)
    with path.open(encoding=_reader(codec)) as lines, copy.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(iter(lambda: lines.read(_CHUNK), ""))
    return TextFile(copy, separator, columns)


def guess_encoding(path: Path) -> str:
    """Find an encoding in which a whole text file can be read, by a name from ``ENCODINGS``.

    Args:
        path: The file.

    Returns:
        The first of UTF-8, UTF-16 (with its byte order mark), CP932, EUC-JP and CP1252 that reads it,
        ``latin-1`` where none does.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # EUC-JP text is often valid CP932 as well, but then reads as half-width katakana, which hardly
    # anyone writes: the one with fewer of those wins.
    readable = [name for name in ("utf-8", *_GUESSES) if _reads(path, name)]
    if "cp932" in readable and "euc_jp" in readable and "utf-8" not in readable:
        return min(("cp932", "euc_jp"), key=lambda name: _half_width(path, name))
    return readable[0] if readable else "latin-1"


def _reader(codec: str) -> str:
    return "utf-8-sig" if codec == "utf-8" else codec


def _survey(path: Path, codec: str) -> bool:
    """Check that the whole file is in its encoding; say whether DuckDB can read it as it is."""
    decoder = codecs.getincrementaldecoder(codec)()
    offset = 0
    windows = unix = mac = 0
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _wrong_encoding(path, codec, offset + error.start) from error
            both = last + chunk
            pairs = both.count(b"\r\n")
            windows += pairs
            unix += chunk.count(b"\n") - pairs
            mac += both.count(b"\r", 0, len(both) - 1) - pairs
            last = chunk[-1:] if chunk.endswith(b"\r") else b""
            offset += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, codec, offset - 1) from error
    if offset == 0:
        raise SourceError(f"{path} is empty: it has no header and no rows")
    return codec in {"utf-8", "utf-8-sig"} and sum(n > 0 for n in (windows, unix, mac)) <= 1


def _wrong_encoding(path: Path, codec: str, offset: int) -> SourceError:
    guess = guess_encoding(path)
    mend = f'try encoding = "{guess}"' if guess != codec else "export the file again"
    with path.open("rb") as file:
        file.seek(max(offset, 0))
        byte = file.read(1).hex()
    return SourceError(
        f"{path} is not {codec} text: byte 0x{byte} at position {offset:,} does not fit; {mend}"
    )


def _reads(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _half_width(path: Path, encoding: str) -> int:
    with path.open(encoding=encoding, errors="replace") as file:
        return sum("\uff61" <= character <= "\uff9f" for character in file.read(_CHUNK))


def _separator(head: list[str]) -> str | None:
    """The commonest separator of the header; None where runs of blanks separate equally many words."""
    outside = "".join(head[0].split('"')[::2])
    best = max(_SEPARATORS, key=outside.count)
    if outside.count(best):
        return best
    words = {len(line.split()) for line in head}
    return None if len(words) == 1 and words != {1} else ","


def _copy_blanks(path: Path, codec: str, copy: Path) -> None:
    def rows() -> Iterator[list[str]]:
        with path.open(encoding=_reader(codec)) as lines:
            for line in lines:
                if words := line.split():
                    yield words

    with copy.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows())


def _unique(names: list[str]) -> tuple[str, ...]:
    taken: set[str] = set()
    for position, name in enumerate(names, start=1):
        base = name.strip().strip("\ufeff") or f"column_{position}"
        free = base
        for again in itertools.count(2):
            if free.lower() not in {known.lower() for known in taken}:
                break
            free = f"{base}_{again}"
        taken.add(free)
        names[position - 1] = free
    return tuple(names)
