"""tokui.toml: read once, checked, frozen."""

import itertools
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.catalogue.account import CLUSTERS
from features.catalogue.tables import BINDABLE, LEDGERS
from features.errors import SettingsError, SourceError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Acceptance(_Frozen):
    """A loss of rows or values that the user knows of and has accepted.

    Args:
        share: Most of the table that may be lost, from 0 to 1.
        reason: Why that is right; repeated wherever the loss is.
    """

    share: Annotated[float, Field(gt=0, le=1)]
    reason: Annotated[str, Field(min_length=3, max_length=300)]


class Opening(_Frozen):
    """How a file of the user's is opened, and where its rows are in it.

    Args:
        table: Table inside a DuckDB file or PostgreSQL, or sheet of an Excel file.
        encoding: Of a text file.
        skip_rows: Lines of a text file, or rows of a sheet, above the header. Blank ones right above the
            header, and a first line such as ``sep=;``, need not be counted.
        skip_footer: Lines or rows at the end that are no data; blank ones do not count.
        fill_down: Columns written on the first row of a group only: an empty value is that of the row above.
        escape: What stands before a quote inside quotes of a text file: another quote, or a backslash.
    """

    table: str | None = None
    encoding: str = "utf-8"
    skip_rows: Annotated[int, Field(ge=0)] = 0
    skip_footer: Annotated[int, Field(ge=0)] = 0
    fill_down: tuple[str, ...] = ()
    escape: Literal['"', "\\"] = '"'


class FileSettings(Opening):
    """One of the user's own files, by a name that queries call it by.

    Args:
        source: See `TableSettings`.
    """

    source: str


class TableSettings(Opening):
    """How one canonical table is bound to the user's own.

    Args:
        source: A file (CSV, TSV, text, Excel, Parquet, DuckDB) relative to tokui.toml, or a
            ``postgresql://`` address whose password may be written as ``${NAME}`` and is then read
            from the environment.
        query: A query to run there, instead of ``table``; without a source, over the files of ``files``.
        derive: For ``customers`` a table, such as ``orders``: one account from each customer's first row of it.
            For ``orders`` any of ``invoices``, ``contracts`` and ``deals``, with or without a source of their own.
        same_money: ``keep`` where several parts of ``orders`` look like the same money, and are not.
        columns: Canonical column to SQL expression over the source's columns.
        where: SQL condition a row must meet to take part.
        dates: strptime format of the dates, where they are text or numbers and can be read in two ways.
        decimal: Character before the fraction of numbers written as text, where it cannot be told from them.
        timezone: Zone of the source's naive times, where it is not the project's.
        strays: ``keep`` for lone rows dated far before or after all others; otherwise they are left out.
        accept: A loss beyond ``max_loss`` that is right.
    """

    source: str | None = None
    query: str | None = None
    derive: str | tuple[str, ...] | None = None
    same_money: Literal["refuse", "keep"] = "refuse"
    columns: dict[str, str] = {}
    where: str | None = None
    dates: str | None = None
    decimal: Literal[".", ","] | None = None
    timezone: str | None = None
    strays: Literal["leave out", "keep"] = "leave out"
    accept: Acceptance | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.source is None and self.derive is None and self.query is None:
            raise ValueError("give source, query or derive")
        if self.table is not None and self.query is not None:
            raise ValueError("give either table or query, not both")
        return self

    @property
    def derived_from(self) -> tuple[str, ...]:
        """The tables it is derived from."""
        return (self.derive,) if isinstance(self.derive, str) else self.derive or ()


class IdSettings(_Frozen):
    """Which writings of a customer's id are one customer. What is made one is in lower case, or without zeros, throughout.

    Args:
        ignore_case: Upper and lower case.
        ignore_leading_zeros: 0012 and 12.
    """

    ignore_case: bool = False
    ignore_leading_zeros: bool = False


class LtvSettings(_Frozen):
    """What lifetime value means here.

    Args:
        horizon_days: Days the value is predicted for.
        discount_rate: Yearly rate at which later money counts less.
        margin_rate: Margin as a share of amount, where orders carry no margin column.
        interval: Nominal coverage of the prediction intervals.
    """

    horizon_days: Annotated[int, Field(ge=7, le=3650)] = 365
    discount_rate: Annotated[float, Field(ge=0, lt=1)] = 0.1
    margin_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    interval: Annotated[float, Field(gt=0.5, lt=1)] = 0.9


class ChurnSettings(_Frozen):
    """What leaving means here.

    Args:
        horizons_days: Days by which the account may have left, increasing.
        silence_days: Where there are no contracts: days without any order after a horizon
            before the account counts as gone.
    """

    horizons_days: tuple[int, ...] = (30, 60, 90)
    silence_days: Annotated[int, Field(ge=1, le=3650)] = 180

    @field_validator("horizons_days")
    @classmethod
    def _increasing(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[0] < 1 or any(a >= b for a, b in itertools.pairwise(value)):
            raise ValueError("horizons must be positive and increasing, for example [30, 60, 90]")
        return value


class UpliftSettings(_Frozen):
    """What the effect of a recommendation means here.

    Args:
        horizon_days: Days of margin after the assignment that an arm is judged by; those of ``ltv``
            if not given.
        control: The arm that was left alone.
        observational: Arms were chosen by somebody, not drawn: propensities are then estimated,
            and everything concluded is marked as observational.
        cluster: Column of customers whose accounts were put in an arm together, such as ``owner``.
        costs: What one treatment costs, by arm, in the project's currency; 0 for arms not named.
    """

    horizon_days: Annotated[int, Field(ge=7, le=3650)] | None = None
    control: str = "control"
    observational: bool = False
    cluster: str | None = None
    costs: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}

    @field_validator("cluster", mode="before")
    @classmethod
    def _column(cls, value: object) -> object:
        if value is not None and value not in CLUSTERS:
            *most, last = (repr(column) for column in CLUSTERS)
            raise ValueError(f"Input should be {', '.join(most)} or {last}")
        return value


class TrainingSettings(_Frozen):
    """How the past is cut into training sets.

    Args:
        step_days: Days between two cutoffs.
        max_cutoffs: The newest so many cutoffs are used.
        min_history_days: History a first cutoff needs behind it.
        seed: Of everything random.
    """

    step_days: Annotated[int, Field(ge=1, le=366)] = 30
    max_cutoffs: Annotated[int, Field(ge=2, le=200)] = 12
    min_history_days: Annotated[int, Field(ge=1)] = 90
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7


def _check_derived(name: str, table: TableSettings, tables: dict[str, TableSettings]) -> None:
    if not table.derived_from:
        return
    if name == "customers":
        if table.source is not None or table.query is not None:
            raise ValueError("customers: give either a source or derive")
        if len(table.derived_from) != 1:
            raise ValueError("customers can be derived from one table only")
    elif name != "orders":
        raise ValueError(f"only customers and orders can be derived, not {name}")
    allowed = [other for other in tables if other not in {name, "fx"}] if name == "customers" else LEDGERS
    for other in table.derived_from:
        if other not in allowed:
            raise ValueError(f"{name} cannot be derived from {other!r}, only from {', '.join(allowed)}")
        if other not in tables:
            raise ValueError(f"{name} is derived from {other}, and [tables.{other}] is not there")


class Settings(_Frozen):
    """Everything tokui.toml says.

    Args:
        name: The project, as reports call it.
        currency: ISO 4217 code of all money.
        timezone: IANA name of the zone in which days begin and naive times are read.
        until: Last day that the tables tell of; what is dated later is left out. Default: as far as they go.
        max_loss: Share of a table's rows, money or values that may be lost before tokui.toml must accept it.
        memory_gib: Memory DuckDB may use before it spills to disk.
        mlruns: Folder MLflow keeps everything in, relative to tokui.toml.
        files: The user's files that queries are over, by the name they have there.
        tables: Bindings by canonical table.
        path: The file these settings were read from.
    """

    name: str = "tokui"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    timezone: str = "UTC"
    until: date | None = None
    max_loss: Annotated[float, Field(ge=0, le=1)] = 0.01
    memory_gib: Annotated[float, Field(gt=0, le=65536)] = 4.0
    mlruns: str = "mlruns"
    ids: IdSettings = IdSettings()
    ltv: LtvSettings = LtvSettings()
    churn: ChurnSettings = ChurnSettings()
    uplift: UpliftSettings = UpliftSettings()
    training: TrainingSettings = TrainingSettings()
    files: dict[Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")], FileSettings] = {}
    tables: dict[str, TableSettings] = Field(default={}, validate_default=True)
    path: Path = Field(default=Path("tokui.toml"), exclude=True)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        # What only this machine calls a zone, such as localtime, DuckDB and other machines do not know.
        if value == "localtime" or value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA zone such as Asia/Tokyo")
        return value

    @field_validator("tables")
    @classmethod
    def _canonical(cls, value: dict[str, TableSettings]) -> dict[str, TableSettings]:
        for name, table in value.items():
            if name not in BINDABLE:
                raise ValueError(f"{name!r} is not a canonical table; those are {', '.join(BINDABLE)}")
            _check_derived(name, table, value)
            known = {column.name for column in BINDABLE[name].columns}
            for column in table.columns:
                if column not in known:
                    raise ValueError(
                        f"{name}.{column} is not a canonical column; those are {', '.join(sorted(known))}"
                    )
        if "orders" not in value or "customers" not in value:
            raise ValueError(
                "tables.customers and tables.orders are both needed; where there are no order lines, say "
                'derive = "invoices", "contracts" or "deals" in [tables.orders]'
            )
        return value

    @property
    def folder(self) -> Path:
        """The folder that relative sources are relative to."""
        return self.path.resolve().parent


def load_settings(path: Path) -> Settings:
    """Read and check a tokui.toml.

    Args:
        path: The file.

    Raises:
        SourceError: The file cannot be read.
        SettingsError: It is not TOML, or says something that cannot be.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SourceError(f"{path} is not there; `tokui init FILE…` writes one from your files") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    document.pop("path", None)
    try:
        return Settings(**document, path=path)
    except ValidationError as error:
        message = _what_is_wrong(path, error)
    # Raised out here: pydantic's error holds the frames it came through, and nothing could ever free them.
    raise SettingsError(message)


def _what_is_wrong(path: Path, error: ValidationError) -> str:
    first = error.errors(include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}{more}"
