"""Encodings: in which one a text file can be read, and whether it really is in the one it is said to be."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from features.errors import SourceError

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp932", "shift_jis", "euc_jp", "cp1252", "latin-1")
"""What ``encoding`` may say, by Python's names; other codecs of Python work as well."""

CHUNK_BYTES = 1 << 20
_GUESSES = ("cp932", "euc_jp", "cp1252")
# The mark of UTF-32 begins with that of UTF-16 and comes first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextSurvey:
    """What one pass over a text file's bytes tells.

    Args:
        codec: Python's own name of the encoding.
        plain: Whether it is UTF-8 with one kind of line end.
    """

    codec: str
    plain: bool

    @property
    def reader(self) -> str:
        """The codec that reads the file and swallows a byte order mark."""
        return "utf-8-sig" if self.codec == "utf-8" else self.codec


def survey_text(path: Path, encoding: str) -> TextSurvey:
    """Check that a whole file is text in its encoding.

    Args:
        path: The file.
        encoding: Its encoding, by a name Python knows.

    Raises:
        SourceError: It is not, or there is no such encoding, or the file is empty.
    """
    try:
        codec = codecs.lookup(encoding).name
    except LookupError as error:
        raise SourceError(
            f"encoding {encoding!r} of {path} is not known; use one of {', '.join(ENCODINGS)}"
        ) from error
    _check_mark(path, codec)
    wide = codec.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(codec)()
    offset = windows = unix = mac = 0
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _wrong_encoding(path, codec, offset + error.start) from error
            if not wide and b"\0" in chunk:
                raise _holds_nul(path, codec, offset + chunk.index(b"\0"))
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
    one_end = sum(count > 0 for count in (windows, unix, mac)) <= 1
    return TextSurvey(codec, codec in {"utf-8", "utf-8-sig"} and one_end)


def guess_encoding(path: Path) -> str:
    """Find an encoding in which a whole text file can be read, by a name Python knows.

    Args:
        path: The file.

    Returns:
        What its byte order mark says; else the first of UTF-8, UTF-16, CP932, EUC-JP and CP1252 that
        reads it, ``latin-1`` where none does.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    marked = _marked(start)
    if marked is not None:
        return marked
    if b"\0" in start:
        return _unmarked_wide(start) or "latin-1"
    # EUC-JP text is often valid CP932 as well, but then reads as half-width katakana, which hardly
    # anyone writes: the one with fewer of those wins.
    readable = [name for name in ("utf-8", *_GUESSES) if _reads(path, name)]
    if "cp932" in readable and "euc_jp" in readable and "utf-8" not in readable:
        return min(("cp932", "euc_jp"), key=lambda name: _half_width(path, name))
    return readable[0] if readable else "latin-1"


def looks_wide(start: bytes) -> bool:
    """Whether a file that begins like this may be UTF-16 or UTF-32 text."""
    return _marked(start) in {"utf-16", "utf-32"} or _unmarked_wide(start) is not None


def _marked(start: bytes) -> str | None:
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def _unmarked_wide(start: bytes) -> str | None:
    """UTF-16 without a mark: in a header and numbers every other byte is often zero."""
    for name, zeros, others in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):
        # The other byte is zero in a few characters only, such as 一.
        if zeros.count(0) >= 0.3 * len(zeros) and others.count(0) <= 0.1 * zeros.count(0):
            return name
    return None


def _check_mark(path: Path, codec: str) -> None:
    """Refuse an encoding that contradicts the file's byte order mark."""
    with path.open("rb") as file:
        marked = _marked(file.read(4))
    if marked is not None and not codec.startswith(marked):
        raise SourceError(f'{path} begins with the mark of {marked} text; write encoding = "{marked}"')


def _holds_nul(path: Path, codec: str, position: int) -> SourceError:
    with path.open("rb") as file:
        wide = _unmarked_wide(file.read(4096))
    if wide is not None:
        return SourceError(f'{path} is not {codec} text; write encoding = "{wide}"')
    return SourceError(
        f"{path} holds a zero byte at position {position:,}, which no text does; export the file again"
    )


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
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _half_width(path: Path, encoding: str) -> int:
    with path.open(encoding=encoding, errors="replace") as file:
        return sum("\uff61" <= character <= "\uff9f" for character in file.read(CHUNK_BYTES))
