"""Casts: SQL that reads any value as a canonical kind and says what could not be read."""

from dataclasses import dataclass

from features.binding.textfiles import quote
from features.schema import Kind

UNREADABLE = {Kind.TIME: "not a date", Kind.NUMBER: "not a number", Kind.FLAG: "not true or false"}
"""How reports call a value of the wrong kind."""

_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(12288)"
_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
            "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
_TYPED = (*_NUMERIC, "TIMESTAMP", "DATE", "BOOLEAN")
_NOTHING = "('', 'nan', 'NaN', 'None', 'NULL', 'null', '<NA>', 'NaT')"
_OFFSET = r":[0-9.]+\s*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_TRUE = "('true', 't', 'yes', 'y', '1', '1.0', 'on', 'はい', '有', 'あり', '○')"
_FALSE = "('false', 'f', 'no', 'n', '0', '0.0', 'off', 'いいえ', '無', 'なし', '×')"


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
class CastReading:
    """One value read as a canonical kind.

    Args:
        value: SQL of the value; NULL where there is none or it cannot be read.
        present: SQL of whether there was anything to read.
        text: SQL of what there was, as text.
    """

    value: str
    present: str
    text: str


def clean(value: str, type_: str) -> tuple[str, str]:
    """SQL and type of a value before it is read: text without blanks around it, and NULL for none.

    Whatever has no number, truth or time as its type becomes text. Compute it once, in a subquery of
    its own: DuckDB does not share work between the branches of a CASE.
    """
    if type_.startswith(_TYPED):
        return value, type_
    text = value if type_ == "VARCHAR" else f"CAST({value} AS VARCHAR)"
    # Trimming a given set of characters costs four times as much as finding that there are none.
    trimmed = f"CASE WHEN regexp_matches({text}, '^[\\s\u3000]|[\\s\u3000]$') THEN trim({text}, {_BLANKS}) ELSE {text} END"
    return f"nullif({trimmed}, '')", "VARCHAR"


def read(kind: Kind, value: str, type_: str, clock: Clock) -> CastReading:
    """Read a value as a canonical kind.

    Args:
        kind: What it shall be.
        value: SQL of the value as ``clean`` left it, a plain column name.
        type_: Its DuckDB type.
        clock: How times are read.
    """
    text = value if type_ == "VARCHAR" else f"CAST({value} AS VARCHAR)"
    if type_ in {"DOUBLE", "FLOAT"}:
        # pandas writes an absent number as NaN.
        present = f"coalesce(NOT isnan({value}), false)"
    elif type_ == "VARCHAR" and kind is not Kind.TEXT:
        present = f"coalesce({text} NOT IN {_NOTHING}, false)"
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
        return CastReading(number_of_text(text), present, text)
    return CastReading(_time(value, text, type_, clock), present, text)


def number_of_text(text: str) -> str:
    """SQL that reads a text as a number.

    Thousands may be set apart by commas and a currency sign may lead. NULL where it is no number.
    """
    # A backslash is what Python makes of CP932's yen sign.
    amount = r"[-+]?\s?[¥￥\\$€£]?\s?[-+]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]*)?"
    return (
        f"coalesce(CASE WHEN NOT isnan(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END, "
        f"CASE WHEN regexp_full_match(trim({text}), '{amount}') "
        rf"THEN TRY_CAST(regexp_replace({text}, '[¥￥\\$€£,\s]', '', 'g') AS DOUBLE) END)"
    )


def time_of_text(text: str) -> str:
    """SQL that reads a text as a naive time, year first, with dashes or slashes; NULL where it is none.

    A time with an offset from UTC is not naive: DuckDB would drop the offset.
    """
    return (
        f"CASE WHEN regexp_matches({text}, '^[0-9]{{4}}[-/]') AND NOT regexp_matches({text}, '{_OFFSET}') "
        f"THEN TRY_CAST({text} AS TIMESTAMP) END"
    )


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


def _time(value: str, text: str, type_: str, clock: Clock) -> str:
    if type_ == "DATE":
        return f"CAST({value} AS TIMESTAMP)"
    if type_.startswith("TIMESTAMP"):
        if "ZONE" in type_ or "TZ" in type_:
            return f"timezone({quote(clock.zone)}, CAST({value} AS TIMESTAMPTZ))"
        return _moved(f"CAST({value} AS TIMESTAMP)", clock)
    if clock.format is not None:
        digits = rf"regexp_replace({text}, '^([0-9]+)\.0+$', '\1')"
        parsed = f"try_strptime({digits}, {quote(clock.format)})"
        if "%z" in clock.format or "%Z" in clock.format:
            return f"timezone({quote(clock.zone)}, CAST({parsed} AS TIMESTAMPTZ))"
        hours = any(code in clock.format for code in ("%H", "%I", "%X", "%c", "%T", "%-H", "%-I"))
        return _moved(parsed, clock) if hours else parsed
    # A day without a time of day is no instant and stays the same day in every zone.
    return (
        f"CASE WHEN regexp_full_match({text}, '[0-9]{{8}}(\\.0+)?') THEN try_strptime(left({text}, 8), '%Y%m%d') "
        f"WHEN regexp_full_match({text}, '[0-9]{{5}}(\\.[0-9]+)?') THEN {_serial(text, clock)} "
        f"WHEN regexp_matches({text}, '{_OFFSET}') "
        f"THEN timezone({quote(clock.zone)}, TRY_CAST({_tidy_offset(text)} AS TIMESTAMPTZ)) "
        f"WHEN regexp_matches({text}, '^[0-9]{{4}}年') THEN coalesce("
        f"try_strptime({text}, '%Y年%m月%d日'), {_moved(_japanese(text), clock)}) "
        f"WHEN contains({text}, ':') THEN {_moved(time_of_text(text), clock)} "
        f"ELSE {time_of_text(text)} END"
    )


def _japanese(text: str) -> str:
    formats = "['%Y年%m月%d日 %H:%M:%S', '%Y年%m月%d日 %H:%M', '%Y年%m月%d日 %H時%M分']"
    return f"try_strptime({text}, {formats})"


def _tidy_offset(text: str) -> str:
    return rf"regexp_replace({text}, '\s*([+-][0-9]{{2}}):?([0-9]{{2}})$', '\1:\2')"


def _serial(text: str, clock: Clock) -> str:
    """An Excel serial date: days since 1899-12-30, read where it falls in 1970 to 2118."""
    days = f"TRY_CAST({text} AS DOUBLE)"
    moment = f"TIMESTAMP '1899-12-30' + to_seconds(CAST(round({days} * 86400) AS BIGINT))"
    return (
        f"CASE WHEN {days} BETWEEN 25569 AND 80000 THEN "
        f"CASE WHEN {days} = trunc({days}) THEN {moment} ELSE {_moved(moment, clock)} END END"
    )


def _moved(moment: str, clock: Clock) -> str:
    if clock.source == clock.zone:
        return moment
    return f"timezone({quote(clock.zone)}, timezone({quote(clock.source)}, {moment}))"
