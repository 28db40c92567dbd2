"""Text as people type it: without the characters nobody sees, in one width."""

import re
import unicodedata

_INVISIBLE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
"""Characters that show nothing and take no room: soft hyphens, joiners, marks of direction and of byte order."""

_CONTROL = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_UNSEEN = re.compile(f"[{_CONTROL}{_INVISIBLE}]")
_BLANKS = re.compile(r"\s+")

UNTIDY = (
    r"[\x00-\x1f\x7f-\xa0\xa8-\xbe\x{0132}-\x{0149}\x{017f}\x{01c4}-\x{01f3}\x{02b0}-\x{036f}\x{0374}-\x{037e}\x{0384}-\x{0387}"
    r"\x{03d0}-\x{03f9}\x{0587}-\x{06ff}\x{0900}-\x{11ff}\x{1680}-\x{180f}\x{1d00}-\x{20a8}\x{2100}-\x{218f}\x{2212}-\x{2aff}"
    r"\x{2c00}-\x{2dff}\x{2e80}-\x{3000}\x{3036}-\x{303f}\x{3099}-\x{309f}\x{30ff}-\x{33ff}\x{a640}-\x{abff}\x{f900}-\x{ffff}]"
    r"|^ | $|  "
)
"""Regular expression (RE2) of what ``tidy`` changes: a text without a match is tidy already."""

ABSENT = frozenset(
    ("", "nan", "none", "null", "<na>", "nat", "n/a", "#n/a", "na", "-", "--", "—", "―", "–", "ー", "－", "なし", "未入力")
)  # fmt: skip
"""What is written where there is nothing to write, in lower case."""


def tidy(text: str) -> str:
    """A text without invisible characters, in one width (NFKC), with single blanks and none around it.

    Examples:
        >>> tidy("\u200bＡ１２\u3000")
        'A12'
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return _BLANKS.sub(" ", seen).strip()


def normalise(name: str) -> str:
    """A name without case, width, blanks and signs: ``Invoice No.`` is ``invoiceno``."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).lower())
