"""Contract: a sheet's rows are found among titles, footers and merged cells, with the types its cells have."""

from pathlib import Path

import openpyxl
import pytest

from features.errors import SourceError
from features.guess.layout import layout_of_sheet
from tests.features.binding.opening import opened

HEADER = ["顧客", "受注番号", "品名", "金額"]
ROWS = [
    ["山田", "A1", "釘", 100],
    [None, None, "板", 50.5],
    ["佐藤", "A2", "釘", 7],
    [None, "A3", "板", 8],
    [None, None, "紙", 9],
]
FILLED = [
    ("山田", "A1", "釘", 100.0),
    ("山田", "A1", "板", 50.5),
    ("佐藤", "A2", "釘", 7.0),
    ("佐藤", "A3", "板", 8.0),
    ("佐藤", "A3", "紙", 9.0),
]


def book(path: Path, *rows: list) -> None:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)


def refusal(folder, **settings):
    with pytest.raises(SourceError) as caught:
        opened(folder, "a.xlsx", **settings)
    return str(caught.value)


@pytest.mark.parametrize("above", [[["売上一覧"], []], [[], ["売上一覧"], ["期間", "2024-01"], []], [[]], []])
def test_titles_footers_and_groups(tmp_path, above):
    book(tmp_path / "a.xlsx", *above, HEADER, *ROWS, [], ["合計", None, None, 174.5], ["作成: 田中"])
    title = len(above) if len(above) > 1 else 0
    if title:
        assert f"write skip_rows = {title}" in refusal(tmp_path)
    source, rows = opened(tmp_path, "a.xlsx", skip_rows=title, skip_footer=2, fill_down=["顧客", "受注番号"])
    assert rows == FILLED
    assert source.columns["金額"] == "DOUBLE"
    looked = layout_of_sheet(tmp_path / "a.xlsx", None)
    assert (looked.skip_rows, looked.skip_footer, looked.fill_down) == (title, 2, ("顧客", "受注番号"))
    settings = looked.settings("a.xlsx").model_dump(exclude={"source"})
    assert opened(tmp_path, "a.xlsx", **settings)[1] == FILLED


def test_headings_on_two_lines_and_twice(tmp_path):
    book(tmp_path / "a.xlsx", ["金額\n(税込)", "id", "ID", None, 2024], [1, "x", "y", "z", 5])
    assert list(opened(tmp_path, "a.xlsx")[0].columns) == ["金額 (税込)", "id", "ID_2", "column_4", "2024"]


def test_a_header_of_two_rows_is_refused(tmp_path):
    book(
        tmp_path / "a.xlsx",
        ["顧客", None, "売上", None],
        ["コード", "名前", "数量", "金額"],
        ["x", "y", 1, 2],
        ["z", "w", 3, 4],
    )
    assert "skip_rows = 1" in refusal(tmp_path)
    assert opened(tmp_path, "a.xlsx", skip_rows=1)[1] == [("x", "y", 1.0, 2.0), ("z", "w", 3.0, 4.0)]


def test_a_sheet_with_a_header_only_and_an_empty_one(tmp_path):
    book(tmp_path / "a.xlsx", HEADER)
    assert opened(tmp_path, "a.xlsx") == (opened(tmp_path, "a.xlsx")[0], [])
    assert "is empty below skip_rows = 1" in refusal(tmp_path, skip_rows=1)
    book(tmp_path / "a.xlsx")
    assert "is empty: it has no header" in refusal(tmp_path)


def test_a_column_without_heading_or_values_is_none(tmp_path):
    book(tmp_path / "a.xlsx", ["a", None, "b", None], [1, None, 2, "x"])
    assert list(opened(tmp_path, "a.xlsx")[0].columns) == ["a", "b", "column_4"]
