"""tokui.toml: read once, checked, frozen."""

import itertools
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.catalogue.account import CLUSTERS
from features.catalogue.tables import LEDGERS, TABLES
from features.errors import SettingsError, SourceError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableSettings(_Frozen):
    """How one canonical table is bound to the user's own.

    Args:
        source: A file (CSV, TSV, text, Excel, Parquet, DuckDB) relative to tokui.toml, or a
            ``postgresql://`` address whose password may be written as ``${NAME}`` and is then read
            from the environment.
        table: Table inside a DuckDB file or PostgreSQL, or sheet of an Excel file.
        query: A query to run there, instead of ``table``.
        derive: For ``customers`` a bound table, such as ``orders``: one account from each customer's first row
            there. For ``orders`` any of ``invoices``, ``contracts`` and ``deals``, with or without a source
            of their own.
        same_money: ``keep`` where two tables that ``orders`` are made of look like the same money, and are not.
        columns: Canonical column to SQL expression over the source's columns.
        where: SQL condition a row must meet to take part.
        encoding: Of a text file.
        dates: strptime format of the dates, where they are text or numbers.
        timezone: Zone of the source's naive times, where it is not the project's.
    """

    source: str | None = None
    table: str | None = None
    query: str | None = None
    derive: str | tuple[str, ...] | None = None
    same_money: Literal["refuse", "keep"] = "refuse"
    columns: dict[str, str] = {}
    where: str | None = None
    encoding: str = "utf-8"
    dates: str | None = None
    timezone: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.source is None and self.derive is None:
            raise ValueError("give either source or derive")
        if self.table is not None and self.query is not None:
            raise ValueError("give either table or query, not both")
        return self

    @property
    def derived_from(self) -> tuple[str, ...]:
        """The tables it is derived from."""
        return (self.derive,) if isinstance(self.derive, str) else self.derive or ()


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


class Settings(_Frozen):
    """Everything tokui.toml says.

    Args:
        name: The project, as reports call it.
        currency: ISO 4217 code of all money.
        timezone: IANA name of the zone in which days begin and naive times are read.
        until: Last day that the data tell about.
        memory_gib: Memory DuckDB may use before it spills to disk.
        mlruns: Folder MLflow keeps everything in, relative to tokui.toml.
        tables: Bindings by canonical table.
        path: The file these settings were read from.
    """

    name: str = "tokui"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    timezone: str = "UTC"
    until: date | None = None
    memory_gib: Annotated[float, Field(gt=0, le=65536)] = 4.0
    mlruns: str = "mlruns"
    ltv: LtvSettings = LtvSettings()
    churn: ChurnSettings = ChurnSettings()
    uplift: UpliftSettings = UpliftSettings()
    training: TrainingSettings = TrainingSettings()
    tables: dict[str, TableSettings]
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
            if name not in TABLES:
                raise ValueError(f"{name!r} is not a canonical table; those are {', '.join(TABLES)}")
            known = {column.name for column in TABLES[name].columns}
            for column in table.columns:
                if column not in known:
                    raise ValueError(
                        f"{name}.{column} is not a canonical column; those are {', '.join(sorted(known))}"
                    )
        _check_needed(value)
        for name, table in value.items():
            _check_derived(name, table, value)
        return value

    @property
    def folder(self) -> Path:
        """The folder that relative sources are relative to."""
        return self.path.resolve().parent


def _check_needed(tables: Mapping[str, TableSettings]) -> None:
    if "orders" not in tables:
        able = [name for name in LEDGERS if name in tables]
        how = f'derive = "{able[0]}"' if able else 'source = "your file"'
        raise ValueError(f"tables.orders is missing, which tells all money; write [tables.orders] {how}")
    if "customers" not in tables:
        raise ValueError(
            'tables.customers is missing; write [tables.customers] derive = "orders" for one account from each '
            "customer's first order"
        )


def _check_derived(name: str, table: TableSettings, tables: Mapping[str, TableSettings]) -> None:
    origins = table.derived_from
    if table.same_money != "refuse" and not (name == "orders" and origins):
        raise ValueError(f"{name}.same_money is for orders that are derived; leave it out")
    if table.derive is None:
        return
    if name not in {"customers", "orders"}:
        raise ValueError(f"only customers and orders can be derived, not {name}")
    possible = LEDGERS if name == "orders" else tuple(known for known in TABLES if known != "customers")
    for origin in origins:
        if origin not in possible:
            raise ValueError(f"{name} cannot be derived from {origin!r}, only from {', '.join(possible)}")
        if origin not in tables:
            raise ValueError(
                f"{name} cannot be derived from {origin}, which is not bound; add [tables.{origin}]"
            )
    if not origins or len(set(origins)) < len(origins):
        raise ValueError(f"{name}.derive names {'a table twice' if origins else 'no table'}; name each once")
    if name == "customers" and (len(origins) > 1 or table.source is not None):
        raise ValueError("customers have either a source or one table that they are derived from")
    # What tells how a source is read says nothing without one, and must not be passed over in silence.
    own = {"derive", "source", "same_money", *(("columns",) if name == "customers" else ())}
    idle = sorted(table.model_fields_set - own) if table.source is None else []
    if idle:
        raise ValueError(
            f"{name}.{idle[0]} is for a source, and {name} only derive; write it in [tables.{origins[0]}]"
        )


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
