"""Times as people write them: any order of day, month and year, eras, weekdays, halves of the day, zones."""

import datetime as dt
import re
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from features.values.text import tidy

Order = Literal["ymd", "dmy", "mdy"]
"""Which of day, month and year comes first in a date of numbers."""

DATE_ORDERS: tuple[Order, ...] = ("ymd", "dmy", "mdy")

_ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_ERAS |= dict(zip("MTSHR", _ERAS.values(), strict=True))
_LONGEST_ERA = 64
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
         "november", "december")  # fmt: skip
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH_WORD = "(?P<month>[A-Za-z]{3,9})"
_YEAR = "(?P<year>[0-9]{4}|'?[0-9]{2})"
_DAY = "(?P<day>[0-9]{1,2})"
_GAP = r"[\s.,/-]{0,3}"
_ERA = re.compile(
    r"(?P<era>明治|大正|昭和|平成|令和|[MTSHR])\.?\s?(?P<year>[0-9]{1,2}|元)\s?[年./-]\s?(?P<month>[0-9]{1,2})\s?[月./-]\s?(?P<day>[0-9]{1,2})日?"
)
_KANJI = re.compile(r"(?P<year>[0-9]{4})\s?年\s?(?P<month>[0-9]{1,2})\s?月\s?(?P<day>[0-9]{1,2})\s?日?")
_NUMERIC = re.compile(
    r"(?P<a>[0-9]{1,4})(?P<sep>[-/.]) ?(?P<b>[0-9]{1,2})(?P=sep) ?(?P<c>[0-9]{4}|[0-9]{1,2})(?![0-9])\.?"
)
_COMPACT = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?![0-9])")
_RUN = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})[T ]?(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?(?![0-9:])"
)
_NAMED = (
    re.compile(rf"{_DAY}(?:st|nd|rd|th)?{_GAP}{_MONTH_WORD}{_GAP}{_YEAR}(?![0-9])", re.IGNORECASE),
    re.compile(
        rf"{_MONTH_WORD}{_GAP}{_DAY}(?:st|nd|rd|th)?{_GAP}(?<![0-9]){_YEAR}(?![0-9])(?!:)", re.IGNORECASE
    ),
    re.compile(rf"(?P<year>[0-9]{{4}}){_GAP}{_MONTH_WORD}{_GAP}{_DAY}(?![0-9])", re.IGNORECASE),
)
_UNIX_DATE = re.compile(
    rf"{_MONTH_WORD} {_DAY} (?P<clock>[0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}})(?P<zone> [A-Z]{{3,4}})? (?P<year>[0-9]{{4}})"
)
_CLOCK = re.compile(
    r"(?P<half1>午前|午後|[AaPp]\.?[Mm]\.?)?\s?(?P<hour>[0-9]{1,2})(?:(?::|時\s?)(?:(?P<minute>[0-9]{1,2})(?:分|(?=:|\s|$|[^0-9]))"
    r"(?::?\s?(?P<second>[0-9]{1,2})(?:[.,:](?P<part>[0-9]{1,9}))?秒?)?)?|(?=\s?[AaPp]\.?[Mm]))"
    r"\s?(?P<half2>午前|午後|[AaPp]\.?[Mm]\.?)?"
)
_OFFSET = re.compile(
    r"(?:(?:UTC|GMT)\s?)?(?P<sign>[-+−])(?P<hours>[0-9]{1,2}):?(?P<minutes>[0-5][0-9])?(?:\s?\([^)]*\))?"
)
_ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "JST": 9, "KST": 9, "CET": 1, "CEST": 2, "WEST": 1, "EET": 2, "EEST": 3,
          "EST": -5, "EDT": -4, "MDT": -6, "PDT": -7, "PST": -8, "日本時間": 9, "日本標準時": 9}  # fmt: skip
"""Names that mean one offset; CST, IST, BST, MST and others mean several."""
_AFTER_DATE = re.compile(
    r"\s?[\(\[]?(?P<kanji>[月火水木金土日])(?:曜日?)?[\)\]]|\s?(?P<plain>[月火水木金土日])曜日?|\s?\(?(?P<word>mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\)?(?![a-z])\.?",
    re.IGNORECASE,
)
_BEFORE_DATE = re.compile(
    r"(?P<word>mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday|s|rs|r|nes)?\.?,?\s+", re.IGNORECASE
)
_EPOCHS = {10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
_DAY_ZERO = dt.datetime(1970, 1, 1)  # noqa: DTZ001  naive on purpose: written with its zone behind it


@lru_cache(maxsize=65_536)
def read_time(text: str, order: Order | None = None) -> str | None:
    """Read a text as a day or a moment.

    Args:
        text: As written.
        order: How dates of two or three short numbers go; None leaves those unread.

    Returns:
        ISO 8601: ``2024-06-13`` for a day, ``2024-06-13 09:05:00`` for a moment of the wall clock, and the
        same with an offset from UTC where the text says its zone. None where it is no time, could be two, or
        its weekday is another one's.

    Examples:
        >>> read_time("令和6年6月13日(木) 午後3時5分"), read_time("24/06/13", "ymd")
        ('2024-06-13 15:05:00', '2024-06-13')
        >>> read_time("13-Jun-24 9:05 AM JST"), read_time("06/13/2024", "dmy")
        ('2024-06-13 09:05:00+09:00', None)
    """
    plain = tidy(text)
    epoch = _epoch(plain)
    if epoch is not None:
        return epoch
    try:
        return _read(plain, order)
    except (ValueError, OverflowError):
        return None


def orders_of(text: str) -> tuple[Order, ...]:
    """The orders in which a text can be read as a date.

    Returns:
        None of them for no date, all of them where the text itself says the order.

    Examples:
        >>> orders_of("13/06/2024"), orders_of("05/06/2024"), orders_of("13 June 2024")
        (('dmy',), ('dmy', 'mdy'), ('ymd', 'dmy', 'mdy'))
    """
    return tuple(order for order in DATE_ORDERS if read_time(text, order) is not None)


def _epoch(plain: str) -> str | None:
    """Seconds, or thousandths and so on of them, since 1970, from 2001 to 2128."""
    whole, _, part = plain.partition(".")
    scale = _EPOCHS.get(len(whole))
    if scale is None or not whole.isdecimal() or (part and not part.isdecimal()):
        return None
    if scale == 1 and not 1_000_000_000 <= int(whole) < 5_000_000_000:
        return None
    moment = _DAY_ZERO + dt.timedelta(microseconds=int(whole) * 1_000_000 // scale)
    if part and scale == 1:
        moment += dt.timedelta(microseconds=int(part[:6].ljust(6, "0")))
    return f"{moment.isoformat(sep=' ')}+00:00"


def _read(plain: str, order: Order | None) -> str | None:
    weekday = None
    named = _BEFORE_DATE.match(plain)
    if named is not None:
        weekday, plain = _WEEKDAYS.index(named["word"].lower()), plain[named.end() :]
    unix = _UNIX_DATE.fullmatch(plain)
    if unix is not None:
        plain = f"{unix['day']} {unix['month']} {unix['year']} {unix['clock']}{unix['zone'] or ''}"
    run = _RUN.match(plain)
    if run is not None:
        day = dt.date(int(run["year"]), int(run["month"]), int(run["day"]))
        clock = dt.timedelta(
            hours=_hour(run["hour"]), minutes=_sixty(run["minute"]), seconds=_sixty(run["second"])
        )
        return _whole(day, clock, plain[run.end() :].strip())
    date = _date(plain, order)
    if date is None:
        return None
    day, rest = date
    again = _AFTER_DATE.match(rest)
    if again is not None:
        weekday, rest = _weekday(again), rest[again.end() :]
    if weekday is not None and weekday != day.weekday():
        return None
    rest = re.sub(r"^(?:T|,|\s)\s?", "", rest).strip()
    clocked = _CLOCK.match(rest)
    if clocked is None:
        return day.isoformat() if not rest else None
    return _whole(day, _clock(clocked), rest[clocked.end() :].strip())


def _date(plain: str, order: Order | None) -> tuple[dt.date, str] | None:
    """The day a text begins with, and what comes after it."""
    era = _ERA.match(plain)
    if era is not None:
        year = 1 if era["year"] == "元" else int(era["year"])
        if not 1 <= year <= _LONGEST_ERA:
            return None
        return _day(_ERAS[era["era"]] + year, era), plain[era.end() :]
    for pattern in (_KANJI, _COMPACT):
        match = pattern.match(plain)
        if match is not None:
            return _day(int(match["year"]), match), plain[match.end() :]
    numeric = _NUMERIC.match(plain)
    if numeric is not None:
        day = _ordered(numeric["a"], numeric["b"], numeric["c"], order)
        return None if day is None else (day, plain[numeric.end() :])
    for pattern in _NAMED:
        match = pattern.match(plain)
        if match is not None and (month := _month(match["month"])):
            return dt.date(_year(match["year"]), month, int(match["day"])), plain[match.end() :]
    return None


def _day(year: int, match: re.Match[str]) -> dt.date:
    return dt.date(year, int(match["month"]), int(match["day"]))


def _ordered(a: str, b: str, c: str, order: Order | None) -> dt.date | None:
    if len(a) == 4:
        return dt.date(int(a), int(b), int(c)) if len(c) < 3 else None
    if order is None or len(a) > 2:
        return None
    if order == "ymd":
        return dt.date(_year(a), int(b), int(c)) if len(a) == len(c) == 2 else None
    day, month = (a, b) if order == "dmy" else (b, a)
    return dt.date(_year(c), int(month), int(day)) if len(c) != 1 else None


def _year(text: str) -> int:
    """A year of two digits is one from 1970 to 2069."""
    year = int(text.lstrip("'"))
    return year if len(text) == 4 else year + (2000 if year < 70 else 1900)


def _month(word: str) -> int | None:
    lower = word.lower()
    if lower in _FULL:
        return _FULL.index(lower) + 1
    return _MONTHS.index(lower[:3]) + 1 if lower in {*_MONTHS, "sept"} else None


def _weekday(match: re.Match[str]) -> int:
    kanji = match["kanji"] or match["plain"]
    return "月火水木金土日".index(kanji) if kanji else _WEEKDAYS.index(match["word"].lower())


def _clock(match: re.Match[str]) -> dt.timedelta:
    hour = _hour(match["hour"])
    halves = [half.lower().replace(".", "") for half in (match["half1"], match["half2"]) if half]
    if len(halves) > 1 or (halves and hour > 12):
        raise ValueError("two halves of the day, or an hour beyond one")
    if halves:
        hour = hour % 12 + (12 if halves[0] in {"pm", "午後"} else 0)
    part = (match["part"] or "0")[:6].ljust(6, "0")
    return dt.timedelta(
        hours=hour, minutes=_sixty(match["minute"]), seconds=_sixty(match["second"]), microseconds=int(part)
    )


def _hour(text: str) -> int:
    hour = int(text)
    if hour > 24:
        raise ValueError(f"no day has an hour {hour}")
    return hour


def _sixty(text: str | None) -> int:
    number = int(text or 0)
    if number > 59:
        raise ValueError(f"no hour or minute has {number} parts")
    return number


def _whole(day: dt.date, clock: dt.timedelta, rest: str) -> str | None:
    """A moment with the zone that the rest of the text says."""
    if clock > dt.timedelta(days=1):
        return None
    moment = dt.datetime.combine(day, dt.time()) + clock
    if not rest:
        return moment.isoformat(sep=" ")
    offset = _offset(rest, moment)
    if offset is None:
        return None
    return moment.replace(tzinfo=dt.timezone(offset)).isoformat(sep=" ")


def _offset(rest: str, moment: dt.datetime) -> dt.timedelta | None:
    name = rest.strip("()[] ")
    if name.upper() in _ZONES:
        return dt.timedelta(hours=_ZONES[name.upper()])
    match = _OFFSET.fullmatch(rest) or _OFFSET.fullmatch(name)
    if match is not None:
        offset = dt.timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        if offset > dt.timedelta(hours=14):
            return None
        return offset if match["sign"] == "+" else -offset
    # 2024-06-13T09:00+09:00[Asia/Tokyo], as Java writes it, says its offset twice.
    both = re.fullmatch(r"(?P<offset>Z|[-+][0-9:]{4,6})\[(?P<zone>[A-Za-z_/+-]+)\]", rest)
    if both is not None:
        return _offset(both["offset"], moment)
    zone = zone_of(name)
    return None if zone is None else zone.utcoffset(moment)


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone a text names: an IANA name, or an abbreviation that means one offset only; None otherwise.

    Examples:
        >>> zone_of("Asia/Tokyo"), zone_of("UTC"), zone_of("CST")
        (zoneinfo.ZoneInfo(key='Asia/Tokyo'), zoneinfo.ZoneInfo(key='UTC'), None)
    """
    known = {
        "UTC": "UTC",
        "GMT": "UTC",
        "Z": "UTC",
        "JST": "Asia/Tokyo",
        "KST": "Asia/Seoul",
        "日本時間": "Asia/Tokyo",
    }
    if name.upper() in known:
        return ZoneInfo(known[name.upper()])
    try:
        return ZoneInfo(name) if re.fullmatch(r"[A-Za-z_]+/[A-Za-z_/+-]+", name) else None
    except (OSError, ValueError, KeyError):  # not among this machine's zones
        return None
