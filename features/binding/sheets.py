"""Excel sheets: read by calamine, handed to DuckDB with a type per column."""

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow as pa
import python_calamine as calamine

from features.errors import SourceError

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def sheet_names(path: Path) -> list[str]:
    """Names of the sheets of a workbook.

    Raises:
        SourceError: The file is no workbook, or only part of one.
    """
    return _open(path).sheet_names


def load_sheet(connection: duckdb.DuckDBPyConnection, path: Path, sheet: str | None, into: str) -> None:
    """Copy one sheet into a table; its first row is the header.

    A column holds numbers, dates, times or truths where all its cells do, otherwise text.

    Args:
        connection: Where to.
        path: The workbook.
        sheet: Its name; may be left out where there is only one.
        into: The table to create, as SQL.

    Raises:
        SourceError: The workbook cannot be read, has no such sheet, or the sheet is empty.
    """
    book = _open(path)
    if sheet is None and len(book.sheet_names) > 1:
        raise SourceError(f'{path} has several sheets; choose one of {book.sheet_names} with table = "…"')
    name = book.sheet_names[0] if sheet is None else sheet
    if name not in book.sheet_names:
        raise SourceError(f"{path} has no sheet {name!r}; it has {book.sheet_names}")
    try:
        rows: list[list[Cell]] = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
    except calamine.CalamineError as error:
        raise SourceError(f"sheet {name!r} of {path} cannot be read: {error}") from error
    if not rows:
        raise SourceError(f"sheet {name!r} of {path} is empty: it has no header and no rows")
    header, *body = rows
    body = [row for row in body if any(cell != "" for cell in row)]
    columns = {}
    for position, title in enumerate(header):
        cells = [None if row[position] == "" else row[position] for row in body]
        label = str(title).strip()
        if label or any(cell is not None for cell in cells):
            label = label or f"column_{position + 1}"
            columns[label if label not in columns else f"{label}_{position + 1}"] = _column(cells)
    sheet_rows = pa.table(columns)
    connection.register("sheet_rows", sheet_rows)
    try:
        connection.execute(f"CREATE TABLE {into} AS SELECT * FROM sheet_rows")
    finally:
        connection.unregister("sheet_rows")


def _open(path: Path) -> calamine.CalamineWorkbook:
    try:
        return calamine.CalamineWorkbook.from_path(path)
    except calamine.CalamineError as error:
        raise SourceError(
            f"{path} is not a whole Excel workbook ({error}); save it again as .xlsx or export CSV"
        ) from error


def _column(cells: list[Cell | None]) -> pa.Array:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {bool}:
        return pa.array(cells, pa.bool_() if kinds else pa.string())
    if kinds <= {int, float}:
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())  # type: ignore[arg-type]
    if kinds == {dt.date}:
        return pa.array(cells, pa.date32())
    if kinds <= {dt.date, dt.datetime}:
        return pa.array([_moment(cell) for cell in cells], pa.timestamp("us"))
    return pa.array([_text(cell) for cell in cells], pa.string())


def _moment(cell: Cell | None) -> dt.datetime | None:
    if isinstance(cell, dt.datetime) or cell is None:
        return cell
    if isinstance(cell, dt.date):
        return dt.datetime.combine(cell, dt.time())
    return None


def _text(cell: Cell | None) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat(sep=" ") if isinstance(cell, dt.datetime) else str(cell)
