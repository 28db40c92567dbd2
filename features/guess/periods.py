"""Periods: how many months the words for a rhythm of billing mean."""

import re
import unicodedata

_WORDS = {
    1: "month monthly permonth everymonth mo mth monatlich monat mensuel mensuelle parmois mensual mensile maandelijks permaand månadsvis 每月 月付 월간 매월 月 月次 毎月 月払い 月払 月額 月々 月間 月ごと",
    2: "bimonthly 隔月",
    3: "quarter quarterly perquarter everyquarter vierteljährlich quartalsweise quartal trimestriel trimestrielle trimestral trimestrale driemaandelijks perkwartaal kwartaal 每季度 季度 분기 四半期 四半期払い 季払い 3ヶ月払い",
    6: "halfyear halfyearly semiannual semiannually semiyearly biannual halbjährlich semestriel semestral semestrale halfjaarlijks 半年 半年払い 半期 半期払い",
    12: "year yearly annual annually perannum peryear everyyear yr jährlich jahr jaarlijks perjaar annuel annuelle paran anual annuale årligen årlig 每年 年付 연간 매년 年 年次 毎年 年払い 年払 年額 年間 年一括 年間一括",
    24: "biennial biennially",
    36: "triennial triennially",
}
_MONTHS = {word: months for months, words in _WORDS.items() for word in words.split()}
_COUNTED = re.compile(
    r"(?:every|each|p)?(\d{1,2}|one|two|three|six|twelve)(months?|m|mo|years?|y|yr|[ヶヵかカケ箇]?月(?:間)?|年(?:間)?)(?:払い|ごと|毎)?"
)
_NUMBERS = {"one": 1, "two": 2, "three": 3, "six": 6, "twelve": 12}


def months_of(text: str) -> int | None:
    """Months from one bill to the next, as a word or a number of months or years tells them; None for anything else.

    Examples:
        >>> [months_of(text) for text in ("Monthly", "annual", "Every 3 months", "P1Y", "年払い", "６ヶ月", "weekly")]
        [1, 12, 3, 12, 12, 6, None]
    """
    plain = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())
    if plain in _MONTHS:
        return _MONTHS[plain]
    counted = _COUNTED.fullmatch(plain)
    if counted is None:
        return None
    number = _NUMBERS.get(counted[1]) or int(counted[1])
    return number * (12 if counted[2].startswith(("y", "年")) else 1) or None
