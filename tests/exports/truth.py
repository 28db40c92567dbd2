"""An export: its files as the vendor writes them, and what they should become."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random

Row = Sequence[object]

Source = str | tuple[str, ...]
"""A column of the file, or the columns that an expression must be made of and no others."""


@dataclass(frozen=True)
class TableTruth:
    """What one file should become.

    Args:
        table: Canonical table.
        file: The file its rows are in.
        headings: The file's headings, as the vendor documents them.
        rows: Rows of the file, titles, footers and blank lines not among them.
        left_out: Rows that tell no sale and belong left out: cancelled, void, deleted, subtotals.
        columns: Needed canonical columns, each with the sources that are right for it.
    """

    table: str
    file: str
    headings: tuple[str, ...]
    rows: int
    columns: Mapping[str, tuple[Source, ...]]
    left_out: int = 0


@dataclass(frozen=True)
class Export:
    """Files of one product, or of one company, and their truth.

    Args:
        name: Short name.
        note: Where the headings are documented, and what is odd about the values.
        files: Contents by file name.
        tables: What should become of them.
        ledger: Tables that orders are made of; ``orders`` where there are order lines, none where no file tells money.
        totals: Sums of money columns made by hand while the rows were written, by ``table.column``.
        currency: ISO 4217 code of the money.
        customer_key: The columns that name the account, by file.
        unused: Files that fit no canonical table.
        as_right: What a file may become instead and be as right, such as an invoice's lines order lines.
    """

    name: str
    note: str
    files: Mapping[str, bytes]
    tables: tuple[TableTruth, ...]
    ledger: tuple[str, ...]
    totals: Mapping[str, Decimal]
    currency: str
    customer_key: Mapping[str, str]
    unused: tuple[str, ...] = ()
    as_right: tuple[TableTruth, ...] = ()

    def write(self, folder: Path) -> list[Path]:
        """Write the files into a folder that is there.

        Returns:
            Their paths, in the order of `files`.
        """
        paths = [folder / name for name in self.files]
        for path in paths:
            path.write_bytes(self.files[path.name])
        return paths


@dataclass
class Sheet:
    """Rows that are written one after the other, and the money among them.

    Args:
        headings: Of the columns.
        rows: Values, as many as there are headings.
        left_out: Rows so far that tell no sale.
        money: Sum so far of the rows that do.
    """

    headings: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    left_out: int = 0
    money: Decimal = Decimal(0)

    def add(self, *values: object, money: Decimal | int = 0, sale: bool = True) -> None:
        """Add a row; its money counts if it is a sale."""
        if len(values) != len(self.headings):
            raise ValueError(f"{len(values)} values under {len(self.headings)} headings")
        self.rows.append(values)
        if sale:
            self.money += money
        else:
            self.left_out += 1

    def record(self, values: Mapping[str, object], *, money: Decimal | int = 0, sale: bool = True) -> None:
        """Add a row by its headings; what is not given is empty."""
        strange = set(values) - set(self.headings)
        if strange:
            raise ValueError(f"no such heading: {sorted(strange)}")
        self.add(*(values.get(heading, "") for heading in self.headings), money=money, sale=sale)

    def csv(
        self,
        encoding: str = "utf-8",
        *,
        above: Iterable[str] = (),
        below: Iterable[str] = (),
        quoted: bool = False,
        ends: str = "\r\n",
        separator: str = ",",
    ) -> bytes:
        """The file's bytes, with lines above its header and below its rows."""
        text = io.StringIO()
        out = csv.writer(
            text,
            delimiter=separator,
            quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
            lineterminator=ends,
        )
        out.writerow(self.headings)
        out.writerows(self.rows)
        lines = [
            "".join(line + ends for line in above),
            text.getvalue(),
            "".join(line + ends for line in below),
        ]
        return "".join(lines).encode(encoding)

    def becomes(self, table: str, file: str, columns: Mapping[str, Source | list[Source]]) -> TableTruth:
        """The truth of this sheet in a file; a column with several right sources has them in a list."""
        sources = {
            name: tuple(source) if isinstance(source, list) else (source,) for name, source in columns.items()
        }
        return TableTruth(table, file, self.headings, len(self.rows), sources, self.left_out)


def cents(amount: float | Decimal, places: str = "0.01") -> Decimal:
    """An amount rounded as a till rounds it."""
    return Decimal(str(amount)).quantize(Decimal(places), ROUND_HALF_UP)


def chance_of(name: str) -> Random:
    """Random numbers that are the same everywhere, and others for each name."""
    return Random(f"exports: {name}")


def days_later(day: date, days: float) -> date:
    """A day some days later."""
    return day + timedelta(days=int(days))


def at_work(chance: Random, day: date) -> datetime:
    """A time of the working day."""
    hour, minute, second = chance.randrange(9, 18), chance.randrange(60), chance.randrange(60)
    return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001


def comma(amount: Decimal | int) -> str:
    """Money as most of Europe writes it: points between thousands, a comma before cents."""
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def yen(amount: int) -> str:
    """Money as Japanese products write it, with a triangle for what is given back."""
    return f"{amount:,}" if amount >= 0 else f"△{-amount:,}"


FIRMS = (
    "Alder Logistics", "Birchwood Dental", "Cobalt Robotics", "Dunmore & Sons", "Eastgate Foods", "Fjord Shipping",
    "Granite Works", "Harbour Café", "Ivory Labs", "Juniper Media", "Keystone Paper", "Larkspur Hotels",
    "Millbrook Tools", "Northfield Energy", "Oakline Furniture", "Pinecrest Clinic", "Quarry Lane Brewing",
    "Redwood Insurance", "Silverton Glass", "Tamarack Bikes", "Umber Textiles", "Vesper Optics", "Willow Legal",
    "Yarrow Farms",
)  # fmt: skip

KAISHA = (
    "株式会社青葉製作所", "有限会社石田商店", "株式会社上野電機", "江藤工業株式会社", "株式会社小川食品", "柏木物流株式会社",
    "株式会社北斗システム", "久保田建設株式会社", "株式会社小林印刷", "桜井薬品株式会社", "株式会社白川精機", "鈴村紙業株式会社",
    "株式会社瀬戸ガラス", "高峰観光株式会社", "株式会社千歳包装", "土屋繊維株式会社",
)  # fmt: skip
