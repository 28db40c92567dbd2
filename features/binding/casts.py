"""Casts: SQL that reads any value as a canonical kind and says what could not be read.

Plain writings are read by DuckDB itself; the rest by the readers of `features.values`, through
`features.binding.functions`, which must be in the connection.
"""

from dataclasses import dataclass

from features.binding.functions import CURRENCY, NUMBERS, TIDY, TIMES
from features.binding.textfiles import quote
from features.schema import Kind
from features.values.flags import FALSE_WORDS, TRUE_WORDS
from features.values.numbers import Decimal
from features.values.text import ABSENT, UNTIDY
from features.values.times import Order

UNREADABLE = {Kind.TIME: "not a date", Kind.NUMBER: "not a number", Kind.FLAG: "not true or false"}
"""How reports call a value of the wrong kind."""

_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
            "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
_TYPED = (*_NUMERIC, "TIMESTAMP", "DATE", "BOOLEAN")
_ABSENT = "(" + ", ".join(quote(text) for text in sorted(ABSENT)) + ")"
_NO_ID = "(" + ", ".join(quote(text) for text in sorted(ABSENT - {"na"})) + ")"
_LONGEST_ABSENT = max(map(len, ABSENT))
_DAY = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_CLOCK = r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_ISO = rf"{_DAY}({_CLOCK}\s?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)?)?"
_OFFSET = r":[0-9.]+\s?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_NAIVE = rf"{_DAY}({_CLOCK})?"
_PLAIN = r"[-+]?[0-9]+([.][0-9]*)?([eE][-+]?[0-9]{1,3})?|[-+]?[.][0-9]+"
_GROUPED = r"[-+]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]*)?"
_TRUE = "(" + ", ".join(quote(word) for word in sorted(TRUE_WORDS)) + ")"
_FALSE = "(" + ", ".join(quote(word) for word in sorted(FALSE_WORDS)) + ")"


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are read.

    Args:
        zone: The project's zone, whose wall clock canonical times are in.
        source: Zone of the source's naive times.
        format: strptime format of dates that are text or numbers, if given.
    """

    zone: str
    source: str
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Conventions:
    """How the ambiguous texts of one column are meant.

    Args:
        decimal: The character before a number's fraction.
        order: Order of day, month and year; None where the texts themselves say it.
    """

    decimal: Decimal = "."
    order: Order | None = None


UNAMBIGUOUS = Conventions()


@dataclass(frozen=True, slots=True)
class CastReading:
    """One value read as a canonical kind.

    Args:
        value: SQL of the value; NULL where there is none or it cannot be read. It may use ``_c`` of ``canon``.
        present: SQL of whether there was anything to read.
        text: SQL of what there was, as text.
        canon: SQL to be computed before, in a subquery of its own: what was written, in a plain writing.
    """

    value: str
    present: str
    text: str
    canon: str | None = None


def clean(value: str, type_: str, kind: Kind = Kind.TEXT) -> tuple[str, str]:
    """SQL and type of a value before it is read: text in one width without blanks around it, NULL for none.

    Whatever has no number, truth or time as its type becomes text. Compute it once, in a subquery of
    its own: DuckDB does not share work between the branches of a CASE.

    Args:
        value: SQL of the value.
        type_: Its DuckDB type.
        kind: What it will be read as. What is written inside a number or a time is left to their readers.
    """
    if type_.startswith(_TYPED):
        return value, type_
    text = value if type_ == "VARCHAR" else f"CAST({value} AS VARCHAR)"
    # One look for what is not tidy costs a quarter of tidying, and counting bytes a quarter of that look.
    plain = ""
    if kind in {Kind.NUMBER, Kind.TIME}:
        plain = f"WHEN strlen({text}) = length({text}) AND {text} >= '!' AND NOT ends_with({text}, ' ') THEN {text} "
    tidied = f"CASE {plain}WHEN regexp_matches({text}, {quote(UNTIDY)}) THEN {TIDY}({text}) ELSE {text} END"
    return f"nullif({tidied}, '')", "VARCHAR"


def read(
    kind: Kind,
    value: str,
    type_: str,
    clock: Clock,
    conventions: Conventions = UNAMBIGUOUS,
    canon: str = "_c",
) -> CastReading:
    """Read a value as a canonical kind.

    Args:
        kind: What it shall be.
        value: SQL of the value as ``clean`` left it, a plain column name.
        type_: Its DuckDB type.
        clock: How times are read.
        conventions: How ambiguous texts are meant.
        canon: The name that the reading's ``canon`` will have.
    """
    text = value if type_ == "VARCHAR" else f"CAST({value} AS VARCHAR)"
    if type_ in {"DOUBLE", "FLOAT"}:
        # pandas writes an absent number as NaN.
        present = f"coalesce(NOT isnan({value}), false)"
    elif type_ == "VARCHAR" and kind is not Kind.TEXT:
        words = _NO_ID if kind is Kind.ID else _ABSENT
        present = (
            f"({value} IS NOT NULL AND (length({text}) > {_LONGEST_ABSENT} OR lower({text}) NOT IN {words}))"
        )
    else:
        present = f"{value} IS NOT NULL"
    if kind in {Kind.ID, Kind.TEXT}:
        name = text if kind is Kind.TEXT and not type_.startswith(_NUMERIC) else _name(value, text, type_)
        return CastReading(f"CASE WHEN {present} THEN {name} END", present, text)
    if kind is Kind.FLAG:
        return CastReading(value if type_ == "BOOLEAN" else _flag(text), present, text)
    if kind is Kind.NUMBER:
        if type_.startswith((*_NUMERIC, "BOOLEAN")):
            return CastReading(f"CASE WHEN {present} THEN CAST({value} AS DOUBLE) END", present, text)
        return CastReading(number_of_text(text, conventions.decimal), present, text)
    return _read_time(value, text, type_, present, clock, conventions, canon)


def _read_time(
    value: str, text: str, type_: str, present: str, clock: Clock, conventions: Conventions, canon: str
) -> CastReading:
    if type_ == "DATE":
        return CastReading(f"CAST({value} AS TIMESTAMP)", present, text)
    if type_.startswith("TIMESTAMP"):
        if "ZONE" in type_ or "TZ" in type_:
            return CastReading(f"timezone({quote(clock.zone)}, CAST({value} AS TIMESTAMPTZ))", present, text)
        return CastReading(_moved(f"CAST({value} AS TIMESTAMP)", clock), present, text)
    if clock.format is not None:
        return CastReading(_by_format(text, clock), present, text)
    return CastReading(_of_canon(canon, clock), present, text, canonical_time(text, conventions.order))


def number_of_text(text: str, decimal: Decimal = ".") -> str:
    """SQL that reads a text as a number, however it is grouped, signed and marked with a currency.

    NULL where it is no number.

    Args:
        text: SQL of the text.
        decimal: The character before the fraction.
    """
    if decimal == ",":
        plain = (
            f"CASE WHEN regexp_full_match({text}, '[-+]?[0-9]*,?[0-9]+') "
            f"THEN TRY_CAST(replace({text}, ',', '.') AS DOUBLE) END"
        )
    else:
        # DuckDB alone would read inf, nan and 1_000 as well.
        plain = (
            f"CASE WHEN regexp_full_match({text}, '{_PLAIN}') THEN TRY_CAST({text} AS DOUBLE) "
            f"WHEN regexp_full_match({text}, '{_GROUPED}') THEN TRY_CAST(replace({text}, ',', '') AS DOUBLE) END"
        )
    return f"coalesce({plain}, {NUMBERS[decimal]}({text}))"


def currency_of_text(text: str) -> str:
    """SQL of the currency that a number written as text carries, as `features.values.numbers` tells it; NULL for none."""
    return f"CASE WHEN NOT regexp_full_match({text}, '[-+]?[0-9.,]*') THEN {CURRENCY}({text}) END"


def time_of_text(text: str) -> str:
    """SQL that reads a text as a naive time, year first, with dashes or slashes; NULL where it is none.

    A time with an offset from UTC is not naive: DuckDB would drop the offset.
    """
    return f"CASE WHEN regexp_full_match({text}, '{_NAIVE}') THEN TRY_CAST({text} AS TIMESTAMP) END"


def canonical_time(text: str, order: Order | None) -> str:
    """SQL of a text's day or moment in ISO 8601, as `features.values.times.read_time` gives it; NULL for none."""
    iso = f"WHEN regexp_full_match({text}, '{_ISO}') THEN {text} "
    if order in {"dmy", "mdy"}:
        # The commonest other writing, put in order without leaving SQL.
        day = r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})"
        clock = rf"({_CLOCK})?$"
        ordered = r"'\3-\2-\1\4'" if order == "dmy" else r"'\3-\1-\2\4'"
        iso += f"WHEN regexp_matches({text}, '{day}{clock}') THEN regexp_replace({text}, '{day}{clock}', {ordered}) "
    serial = f"WHEN regexp_full_match({text}, '[0-9]{{5}}([.][0-9]+)?') THEN {_serial(text)} "
    compact = f"WHEN regexp_full_match({text}, '[0-9]{{8}}([.]0+)?') THEN strftime(try_strptime(left({text}, 8), '%Y%m%d'), '%Y-%m-%d') "
    return f"CASE {iso}{compact}{serial}WHEN length({text}) > 4 THEN {TIMES[order]}({_tidy_number(text)}) END"


def _tidy_number(text: str) -> str:
    """Without the ``.0`` that pandas and spreadsheets put behind whole numbers."""
    return rf"regexp_replace({text}, '^([0-9]+)\.0+$', '\1')"


def _name(value: str, text: str, type_: str) -> str:
    """An id as text: 12346.0, the mark of a spreadsheet or pandas, is 12346."""
    if type_ in {"DOUBLE", "FLOAT"}:
        whole = f"abs({value}) < 1e18 AND {value} = trunc({value})"
        return f"CASE WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE {text} END"
    if type_.startswith(_NUMERIC) and not type_.startswith("DECIMAL"):
        return text
    shorter = rf"regexp_replace({text}, '^([-+]?[0-9]+)\.0+$', '\1')"
    return f"CASE WHEN contains({text}, '.') THEN {shorter} ELSE {text} END"


def _flag(text: str) -> str:
    return f"CASE WHEN lower({text}) IN {_TRUE} THEN true WHEN lower({text}) IN {_FALSE} THEN false END"


def _by_format(text: str, clock: Clock) -> str:
    form = clock.format or ""
    parsed = f"try_strptime({_tidy_number(text)}, {quote(form)})"
    if "%z" in form or "%Z" in form:
        return f"timezone({quote(clock.zone)}, CAST({parsed} AS TIMESTAMPTZ))"
    hours = any(code in form for code in ("%H", "%I", "%X", "%c", "%T", "%-H", "%-I"))
    return _moved(parsed, clock) if hours else parsed


def _of_canon(canon: str, clock: Clock) -> str:
    """The time on the project's wall clock of a canonical writing."""
    # A day without a time of day is no instant and stays the same day in every zone.
    tidy_offset = rf"regexp_replace({canon}, '\s?([+-][0-9]{{2}}):?([0-9]{{2}})$', '\1:\2')"
    return (
        f"CASE WHEN NOT contains({canon}, ':') THEN TRY_CAST({canon} AS TIMESTAMP) "
        f"WHEN regexp_matches({canon}, '{_OFFSET}') "
        f"THEN timezone({quote(clock.zone)}, TRY_CAST({tidy_offset} AS TIMESTAMPTZ)) "
        f"ELSE {_moved(f'TRY_CAST({canon} AS TIMESTAMP)', clock)} END"
    )


def _serial(text: str) -> str:
    """An Excel serial date: days since 1899-12-30, read where it falls in 1970 to 2118."""
    days = f"TRY_CAST({text} AS DOUBLE)"
    moment = f"TIMESTAMP '1899-12-30' + to_seconds(CAST(round({days} * 86400) AS BIGINT))"
    return (
        f"CASE WHEN {days} BETWEEN 25569 AND 80000 THEN CASE WHEN {days} = trunc({days}) "
        f"THEN strftime({moment}, '%Y-%m-%d') ELSE strftime({moment}, '%Y-%m-%d %H:%M:%S') END END"
    )


def _moved(moment: str, clock: Clock) -> str:
    if clock.source == clock.zone:
        return moment
    return f"timezone({quote(clock.zone)}, timezone({quote(clock.source)}, {moment}))"
