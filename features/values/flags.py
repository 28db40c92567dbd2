"""Flags: the words for yes and no, in lower case."""

_YES = "true t yes y 1 1.0 on ja j oui vrai si sí sì verdadero vero wahr waar sim はい 有 あり 有り ○ 〇 ◯ ✓ ✔ ☑ 済 済み 是 예 네"
_NO = "false f no n 0 0.0 off nein nee nej non faux falso falsch onwaar não いいえ 無 無し × ✗ ✘ ☐ 未 否 아니오 아니요"

TRUE_WORDS = frozenset(_YES.split())
FALSE_WORDS = frozenset(_NO.split())

_DIGITS = frozenset(("1", "1.0", "0", "0.0"))


def are_answers(values: frozenset[str]) -> bool:
    """Whether the different values of a column, in lower case, are yes and no and nothing else.

    One of them alone is something else as well: ``NO`` is Norway, ``T`` a size.

    Examples:
        >>> [are_answers(frozenset(words)) for words in (("ja", "nein"), ("yes", "maybe"), ("no",), ("true",))]
        [True, False, False, True]
    """
    if not values or not values <= TRUE_WORDS | FALSE_WORDS:
        return False
    return bool(values & TRUE_WORDS and values & FALSE_WORDS) or values <= {"true", "false"}


def are_digits(values: frozenset[str]) -> bool:
    """Whether the different values are 1 and 0, which may be an answer or a number."""
    return bool(values) and values <= _DIGITS
