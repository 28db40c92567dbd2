"""More: columns of the user's own beside the canonical ones, and the features that are made of them.

A further column is known at the date of its row, as the canonical ones of the row are. What customers carry is
taken as it was known last; of other tables numbers are added up and averaged, flags become shares, and of texts
the last is taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from features.aggregations.moments import Mean, Sum
from features.aggregations.recency import Last
from features.catalogue.account import CLUSTERS, TRAITS
from features.catalogue.declaration import Declaration
from features.catalogue.sets import PURCHASES
from features.catalogue.tables import DECLARED, TABLES
from features.engine.aggregation import Aggregation
from features.engine.streams import Stream
from features.engine.views import Calendar, FeatureSet, FeatureView
from features.engine.windows import days
from features.language import Wording
from features.schema import Column, Kind, Table

MORE = "more_"
"""What the names of further columns begin with in the bound tables, so that they are nobody else's."""

_WINDOWS = days(90, 365)
_DECLARED = {declared.table.name: declared for declared in DECLARED}

MoreColumns = Mapping[str, Sequence[Column]]
"""Further columns by canonical table."""


def more_column(name: str, kind: Kind, label: str | None = None) -> Column:
    """A further column.

    Args:
        name: As tokui.toml calls it.
        kind: A text, number or flag.
        label: What people call it, in whichever language; its name in words if not given.
    """
    called = label or name.replace("_", " ")
    return Column(MORE + name, kind, called, Wording(called, called))


def with_more(table: Table, columns: Sequence[Column]) -> Table:
    """A canonical table with further columns, before the last of its own."""
    *own, known_at = table.columns
    return replace(table, columns=(*own, *columns, known_at)) if columns else table


def customer_column(name: str) -> str:
    """The column of the bound customers that tokui.toml calls so, canonical or further."""
    return name if name in CLUSTERS else MORE + name


def features_with(more: MoreColumns) -> FeatureSet:
    """What every view of the catalogue tells, further columns, and the season."""
    added = [view for name, declared in _DECLARED.items() for view in _views(declared, more.get(name, ()))]
    if not added:
        return PURCHASES
    *views, season = PURCHASES.views
    return replace(PURCHASES, views=(*views, *added, season))


def _views(declared: Declaration, columns: Sequence[Column]) -> list[FeatureView]:
    if not columns:
        return []
    table = with_more(declared.table, columns)
    # A stream of its own: those of the catalogue stay what models were trained on.
    like = next(stream for stream in declared.streams if stream.time == table.time)
    stream = Stream(
        f"{table.name}.more",
        table,
        like.rows,
        time=table.time,
        numbers=tuple(column.name for column in columns if column.kind is not Kind.TEXT),
        texts=tuple(column.name for column in columns if column.kind is Kind.TEXT),
        undated_always=like.undated_always,
    )
    lasting: list[Aggregation] = []
    moving: list[Aggregation] = []
    for column in columns:
        if like.rows.describe or column.kind is Kind.TEXT:
            lasting.append(Last(column.name))
        elif column.kind is Kind.FLAG:
            moving.append(Mean(column.name))
        else:
            moving += [Sum(column.name), Mean(column.name)]
    views = [FeatureView(stream, tuple(moving), _WINDOWS)] if moving else []
    return [*views, FeatureView(stream, tuple(lasting))] if lasting else views


def more_of(features: FeatureSet) -> dict[str, tuple[Column, ...]]:
    """The further columns that a feature set was made with."""
    return {
        name: tuple(column for column in table.columns if column.name.startswith(MORE))
        for name, table in _extended(features).items()
    }


def tables_of(features: FeatureSet) -> dict[str, Table]:
    """The canonical tables, with the further columns of a feature set."""
    return TABLES | _extended(features)


def _extended(features: FeatureSet) -> dict[str, Table]:
    streams = [view.stream for view in features.views if not isinstance(view, Calendar)]
    return {stream.table: stream.schema for stream in streams if stream.name == f"{stream.table}.more"}


def traits_of(features: FeatureSet) -> dict[str, str]:
    """Features that reports break customers down by, by what they are called: canonical ones and further texts."""
    traits = dict(TRAITS)
    for view in features.views:
        if isinstance(view, Calendar) or view.stream.name != "customers.more":
            continue
        for name, column in view.text_columns.items():
            label = view.stream.column(column).meaning
            # The readouts' own words stay theirs.
            traits[column if label in {*traits, "value"} else label] = name
    return traits
