"""Exchange rates, by which money of other currencies is converted while tables are bound."""

from features.language import Wording
from features.schema import Column, Kind, Table

FX = Table(
    "fx",
    "an exchange rate",
    (
        Column(
            "currency", Kind.TEXT, "ISO 4217 code of the other currency", Wording("currency", "通貨"),
            required=True,
        ),
        Column("date", Kind.TIME, "day from which the rate holds", Wording("day", "日付"), required=True),
        Column(
            "rate", Kind.NUMBER, "the project's currency for one unit of the other", Wording("rate", "為替レート"),
            required=True,
        ),
    ),
    time="date",
    group="account",
    file_words="fx rate exchange 為替",
)  # fmt: skip
"""It has no customers, so it is no canonical table and no features are made of it."""
