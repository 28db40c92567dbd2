"""Parquet files that appear whole or not at all."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.files import PARTIAL, sync
from features.world.arrays import Frame, Ids, Text

_ID_DIGITS = 9


def arrow(frame: Frame, flags: Iterable[str]) -> pa.Table:
    """A frame as an Arrow table: ids and texts as strings, times to the microsecond, NaN and NaT as null.

    Args:
        frame: The rows.
        flags: Columns whose numbers mean no and yes.
    """
    columns = {}
    for name, column in frame.items():
        if isinstance(column, Ids):
            number = pc.utf8_lpad(pa.array(column.numbers).cast(pa.string()), _ID_DIGITS, "0")
            columns[name] = pc.binary_join_element_wise(column.prefix, number, "")
        elif isinstance(column, Text):
            codes = pa.array(column.codes, pa.int64(), mask=column.codes < 0)
            columns[name] = pa.array(column.names, pa.string()).take(codes)
        elif column.dtype.kind == "M":
            columns[name] = pa.array(column.astype("datetime64[us]"), pa.timestamp("us"))
        else:
            values = pa.array(column.astype(np.float64), from_pandas=True)
            columns[name] = values.cast(pa.bool_()) if name in flags else values
    return pa.table(columns)


class TableFile:
    """One Parquet file, written row group by row group under a temporary name.

    Args:
        path: Where the file will be.
        flags: Columns whose numbers mean no and yes.
    """

    def __init__(self, path: Path, flags: Iterable[str]) -> None:
        self.path, self.rows = path, 0
        self._flags = frozenset(flags)
        self._partial = path.with_name(path.name + PARTIAL)
        self._writer: pq.ParquetWriter | None = None

    def append(self, frame: Frame) -> None:
        """Write the rows as one row group."""
        table = arrow(frame, self._flags)
        if self._writer is None:
            # Without Arrow's own schema the file reads alike in DuckDB, pandas and Spark.
            self._writer = pq.ParquetWriter(
                self._partial, table.schema, compression="zstd", store_schema=False
            )
        if table.num_rows:
            self._writer.write_table(table)
        self.rows += table.num_rows

    def close(self) -> None:
        """Finish the temporary file and force it to disk."""
        if self._writer is not None:
            self._writer.close()
            sync(self._partial)

    def publish(self) -> None:
        """Give the finished file its name."""
        self._partial.replace(self.path)

    def discard(self) -> None:
        """Remove the temporary file, if it is there."""
        if self._writer is not None:
            self._writer.close()
        self._partial.unlink(missing_ok=True)
