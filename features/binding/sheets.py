"""Excel sheets: read by calamine, handed to DuckDB with a type per column."""

import datetime as dt
import io
from pathlib import Path

import duckdb
import pyarrow as pa
import python_calamine as calamine

from features.binding.layouts import HEAD_ROWS, check_header, unique_names
from features.errors import SourceError
from features.settings import Opening

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def sheet_names(path: Path) -> list[str]:
    """Names of the sheets of a workbook.

    Raises:
        SourceError: The file is no workbook, or only part of one.
    """
    return _open(path).sheet_names


def sheet_rows(path: Path, table: str | None) -> list[list[Cell]]:
    """All rows of one sheet from its top, blank ones too; an empty cell is an empty text.

    Args:
        path: The workbook.
        table: The sheet's name; may be left out where there is only one.

    Raises:
        SourceError: The workbook cannot be read, or has no such sheet.
    """
    book = _open(path)
    if table is None and len(book.sheet_names) > 1:
        raise SourceError(f'{path} has several sheets; choose one of {book.sheet_names} with table = "…"')
    name = book.sheet_names[0] if table is None else table
    if name not in book.sheet_names:
        raise SourceError(f"{path} has no sheet {name!r}; it has {book.sheet_names}")
    try:
        return book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except calamine.CalamineError as error:
        raise SourceError(f"sheet {name!r} of {path} cannot be read: {error}") from error


def cell_texts(row: list[Cell]) -> list[str]:
    """A row as texts on one line each."""
    return [" ".join((_text(cell) or "").split()) for cell in row]


def load_sheet(connection: duckdb.DuckDBPyConnection, path: Path, settings: Opening, into: str) -> None:
    """Copy one sheet into a table; its first row that is not blank is the header.

    A column holds numbers, dates, times or truths where all its cells do, otherwise text.

    Args:
        connection: Where to.
        path: The workbook.
        settings: Which sheet, and what stands above and below its rows.
        into: The table to create, as SQL.

    Raises:
        SourceError: The workbook cannot be read, has no such sheet, the sheet is empty or laid out otherwise.
    """
    rows = sheet_rows(path, settings.table)
    shown = f"{path}" if settings.table is None else f"sheet {settings.table!r} of {path}"
    above = settings.skip_rows
    while above < len(rows) and not _has_cells(rows[above]):
        above += 1
    if above >= len(rows):
        most = f" below skip_rows = {settings.skip_rows}" if settings.skip_rows else ""
        raise SourceError(f"{shown} is empty{most}: it has no header and no rows")
    check_header([cell_texts(row) for row in rows[above : above + HEAD_ROWS]], above, shown)
    header = rows[above]
    body = [row for row in rows[above + 1 :] if _has_cells(row)]
    body = body[: max(0, len(body) - settings.skip_footer)]
    used = [
        place
        for place, title in enumerate(header)
        if str(title).strip() or any(row[place] != "" for row in body)
    ]
    names = unique_names([_text(title) or "" for title in header])
    columns = {
        names[place]: _column([None if row[place] == "" else row[place] for row in body]) for place in used
    }
    sheet = pa.table(columns)
    connection.register("sheet_cells", sheet)
    try:
        connection.execute(f"CREATE TABLE {into} AS SELECT * FROM sheet_cells")
    finally:
        connection.unregister("sheet_cells")


def _has_cells(row: list[Cell]) -> bool:
    return any(cell != "" for cell in row)


def _open(path: Path) -> calamine.CalamineWorkbook:
    try:
        # By its content: a workbook may go by another name, such as orders.csv.
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
    except calamine.CalamineError as error:
        raise SourceError(
            f"{path} is not a whole Excel workbook, or asks for a password ({error}); save it again as .xlsx or "
            "export CSV"
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
