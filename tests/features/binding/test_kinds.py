"""Contract: a file is what its first bytes say, whatever its name; what cannot be read is named with the way out."""

import datetime as dt

import duckdb
import openpyxl
import pytest

from features.errors import SourceError
from tests.features.binding.opening import opened

TABLE = "id,n\nx,1\ny,2\n"


@pytest.mark.parametrize("name", ["orders.csv", "orders.xls", "orders.dat", "orders.xlsx"])
def test_a_workbook_by_any_name(tmp_path, name):
    book = openpyxl.Workbook()
    for row in (["id", "at"], ["x", dt.date(2024, 1, 5)]):
        book.active.append(row)
    book.save(tmp_path / "real.xlsx")
    source, rows = opened(tmp_path, name, (tmp_path / "real.xlsx").read_bytes())
    assert rows == [("x", dt.date(2024, 1, 5))]
    assert source.separator is None


@pytest.mark.parametrize("name", ["orders.xlsx", "orders.xls", "orders.csv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "utf-16-le", "cp932"])
def test_text_by_any_name_and_with_any_mark(tmp_path, name, encoding):
    text = TABLE.replace("id", "顧客").replace("x", "山田") if "-" in encoding else TABLE
    rows = opened(tmp_path, name, text.replace(",", "\t").encode(encoding), encoding=encoding)[1]
    assert [n for _, n in rows] == ["1", "2"]


def test_parquet_and_duckdb_by_another_name(tmp_path):
    with duckdb.connect(str(tmp_path / "orders.csv")) as file:
        file.execute("CREATE TABLE t AS SELECT 1 AS n")
        file.execute(f"COPY t TO '{tmp_path}/orders.xlsx' (FORMAT parquet)")
    assert opened(tmp_path, "orders.csv")[1] == [(1,)]
    assert opened(tmp_path, "orders.xlsx")[1] == [(1,)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.xls",
            "<html><body><table><tr><td>id</td></tr></table>",
            "web page or XML, though it is called .xls",
        ),
        ("a.xls", '\ufeff <?xml version="1.0"?><Workbook>', "save it as .xlsx"),
        ("a.csv", '[{"id": 1}]', "is JSON"),
        ("a.csv", b"\x1f\x8b\x08rest", "unpack it"),
        ("a.db", b"SQLite format 3\0rest", "SQLite"),
        ("a.csv", b"PK\x03\x04 no workbook", "not a whole Excel workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0 locked", "password"),
        ("a.xls", b"\x09\x08\0\0\0\0\0\0", "does not read"),
        ("a.png", b"\x89PNG\0", "does not read"),
        ("a.csv", b"id,n\nx\0\0,1\n", "zero byte at position 6"),
        ("a.csv", TABLE.encode("utf-16-le"), 'write encoding = "utf-16-le"'),
        ("a.csv", TABLE.encode("utf-16"), 'write encoding = "utf-16"'),
        ("a.csv", TABLE.encode("utf-32"), 'write encoding = "utf-32"'),
    ],
)
def test_other_files_are_refused_in_one_sentence(tmp_path, name, content, said):
    with pytest.raises(SourceError, match=said) as caught:
        opened(tmp_path, name, content)
    assert "\n" not in str(caught.value)


def test_an_encoding_against_the_mark_is_refused(tmp_path):
    with pytest.raises(SourceError, match='write encoding = "utf-8"'):
        opened(tmp_path, "a.csv", TABLE.encode("utf-8-sig"), encoding="latin-1")


def test_layout_settings_belong_to_files_with_a_layout(tmp_path):
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS n) TO '{tmp_path}/a.parquet'")
    with pytest.raises(SourceError, match="skip_rows and skip_footer are for text files"):
        opened(tmp_path, "a.parquet", skip_rows=1)
