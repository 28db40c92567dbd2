"""Flags: the words for yes and no, in lower case."""

TRUE_WORDS = frozenset(
    [
        "true",
        "t",
        "yes",
        "y",
        "1",
        "1.0",
        "on",
        "ja",
        "j",
        "oui",
        "vrai",
        "si",
        "sí",
        "sì",
        "verdadero",
        "vero",
        "wahr",
        "waar",
        "sim",
        "はい",
        "有",
        "あり",
        "有り",
        "○",
        "〇",
        "◯",
        "✓",
        "✔",
        "☑",
        "済",
        "済み",
        "是",
        "예",
        "네",
    ]
)
FALSE_WORDS = frozenset(
    [
        "false",
        "f",
        "no",
        "n",
        "0",
        "0.0",
        "off",
        "nein",
        "nee",
        "nej",
        "non",
        "faux",
        "falso",
        "falsch",
        "onwaar",
        "não",
        "いいえ",
        "無",
        "無し",
        "×",
        "✗",
        "✘",
        "☐",
        "未",
        "否",
        "아니오",
        "아니요",
    ]
)

_DIGITS = frozenset(("1", "1.0", "0", "0.0"))


def are_answers(values: frozenset[str]) -> bool:
    """Whether the different values of a column, in lower case, are those of yes and no and of nothing else.

    Examples:
        >>> are_answers(frozenset(("ja", "nein"))), are_answers(frozenset(("yes", "maybe"))), are_answers(frozenset(("1", "0")))
        (True, False, True)
    """
    return bool(values) and values <= TRUE_WORDS | FALSE_WORDS


def are_digits(values: frozenset[str]) -> bool:
    """Whether the different values are 1 and 0, which may be an answer or a number."""
    return bool(values) and values <= _DIGITS
