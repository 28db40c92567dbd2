"""Functions of our own inside DuckDB: the readers of `features.values`, for what plain SQL cannot read.

They see only what the fast SQL in front of them did not understand, and each text of a batch once.
"""

from collections.abc import Callable
from functools import partial

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from duckdb.func import ARROW, SPECIAL

from features.values.numbers import currency_of, read_number
from features.values.text import tidy
from features.values.times import read_time

TIDY, CURRENCY = "tokui_tidy", "tokui_currency"
NUMBERS = {".": "tokui_number_point", ",": "tokui_number_comma"}
TIMES = {None: "tokui_time", "ymd": "tokui_time_ymd", "dmy": "tokui_time_dmy", "mdy": "tokui_time_mdy"}

_Reader = Callable[[str], str | float | None]


def add_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the readers."""
    texts: dict[str, _Reader] = {TIDY: tidy, CURRENCY: currency_of}
    texts |= {name: partial(read_time, order=order) for order, name in TIMES.items()}
    for name, reader in texts.items():
        _add(connection, name, reader, "VARCHAR", pa.string())
    for decimal, name in NUMBERS.items():
        _add(connection, name, partial(read_number, decimal=decimal), "DOUBLE", pa.float64())


def _add(
    connection: duckdb.DuckDBPyConnection, name: str, reader: _Reader, type_: str, arrow: pa.DataType
) -> None:
    def read_batch(texts: pa.Array) -> pa.Array:
        coded = pc.dictionary_encode(texts)
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.combine_chunks()
        values = pa.array([reader(text) for text in coded.dictionary.to_pylist()], arrow)
        return values.take(coded.indices)

    connection.create_function(name, read_batch, ["VARCHAR"], type_, type=ARROW, null_handling=SPECIAL)
