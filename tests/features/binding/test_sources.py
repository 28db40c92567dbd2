"""Contract: whatever a user names opens as the values written in it, or one sentence says why not."""

import datetime as dt
import os
import shutil
import subprocess
from pathlib import Path

import duckdb
import openpyxl
import pytest

from features.binding.sources import Source, open_source
from features.errors import SourceError
from features.settings import TableSettings

ROWS = [("00001", "山田商店", "1200"), ("00002", "佐藤, 工業", "3400")]


def text_of(separator: str = ",") -> str:
    lines = ["顧客ID,名前,金額", *(f'{a},"{b}",{c}' for a, b, c in ROWS)]
    return "\n".join(lines).replace(",", separator).replace(f"佐藤{separator} ", "佐藤, ") + "\n"


@pytest.fixture
def opened(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with duckdb.connect(str(scratch / "t.duckdb")) as connection:

        def read(**settings: str) -> tuple[Source, list]:
            source = open_source(
                connection, TableSettings(**settings), folder=tmp_path, scratch=scratch, staging="staged"
            )
            # Python would want pytz for times with a zone.
            shown = ", ".join(
                f'CAST("{name}" AS VARCHAR)' if "ZONE" in kind else f'"{name}"'
                for name, kind in source.columns.items()
            )
            return source, connection.execute(f"SELECT {shown} FROM {source.relation}").fetchall()

        yield read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "shift_jis", "euc_jp"])
def test_japanese_csv_reads_alike_in_every_encoding(tmp_path, opened, encoding):
    (tmp_path / "a.csv").write_bytes(text_of().encode(encoding))
    source, rows = opened(source="a.csv", encoding=encoding)
    assert list(source.columns) == ["顧客ID", "名前", "金額"]
    assert rows == ROWS


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_encodings(tmp_path, opened, encoding):
    (tmp_path / "a.csv").write_bytes("id,name\n1,Müller\n".encode(encoding))
    assert opened(source="a.csv", encoding=encoding)[1] == [("1", "Müller")]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_separator_is_found_in_the_header(tmp_path, opened, separator):
    (tmp_path / "a.txt").write_text(text_of(separator), encoding="utf-8")
    assert opened(source="a.txt")[1] == ROWS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(tmp_path, opened, end):
    (tmp_path / "a.csv").write_bytes(end.join(["id,n", "1,2", "3,4"]).encode())
    assert opened(source="a.csv")[1] == [("1", "2"), ("3", "4")]


def test_mixed_line_ends_are_read(tmp_path, opened):
    (tmp_path / "a.csv").write_bytes(b"id,n\r\n1,2\n3,4\r\n")
    assert opened(source="a.csv")[1] == [("1", "2"), ("3", "4")]


def test_text_set_apart_by_runs_of_blanks(tmp_path, opened):
    (tmp_path / "a.txt").write_bytes(b" id  date n \r\n 00001 19970101  1\r\n 00002   19970112  2\r\n")
    source, rows = opened(source="a.txt")
    assert list(source.columns) == ["id", "date", "n"]
    assert rows == [("00001", "19970101", "1"), ("00002", "19970112", "2")]


def test_repeated_and_missing_header_names_become_unique(tmp_path, opened):
    (tmp_path / "a.csv").write_text("id,ID,,id\n1,2,3,4\n", encoding="utf-8")
    assert list(opened(source="a.csv")[0].columns) == ["id", "ID_2", "column_3", "id_3"]


def test_wrong_encoding_names_the_byte_and_the_mend(tmp_path, opened):
    (tmp_path / "a.csv").write_bytes("顧客\n山田\n".encode("cp932"))
    with pytest.raises(SourceError, match=r'byte 0x8c at position 0 .*encoding = "cp932"'):
        opened(source="a.csv")


def test_wrong_encoding_far_into_a_large_file(tmp_path, opened):
    head = b"id,n\n" + b"1,2\n" * 400_000
    (tmp_path / "a.csv").write_bytes(head + b"\xff,3\n")
    with pytest.raises(SourceError, match=f"byte 0xff at position {len(head):,}"):
        opened(source="a.csv")


def test_unknown_encoding_lists_the_known(tmp_path, opened):
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    with pytest.raises(SourceError, match="cp932"):
        opened(source="a.csv", encoding="klingon")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "blank lines"),
        ("a.parquet", b"PAR1 half a file", "whole Parquet"),
        ("a.xlsx", b"PK half a file", "whole Excel"),
        ("a.duckdb", b"half a file", "valid DuckDB"),
        ("a.pdf", b"%PDF", "does not read"),
    ],
)
def test_unreadable_files_say_so_in_one_line(tmp_path, opened, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        opened(source=name)
    assert "\n" not in str(caught.value)


def test_absent_file_and_folder(tmp_path, opened):
    with pytest.raises(SourceError, match="is not there"):
        opened(source="none.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(SourceError, match="is a folder"):
        opened(source="d.csv")


def workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "受注"
    sheet.append(["顧客", "日付", "金額", "備考"])
    sheet.append(["00001", dt.datetime(2024, 1, 5), 1200.5, None])  # noqa: DTZ001
    sheet.append([None, None, None, None])
    sheet.append([12346, dt.datetime(2024, 1, 6, 10, 30), 7, 3])  # noqa: DTZ001
    book.create_sheet("other").append(["a"])
    book.save(path)


def test_excel_sheet_keeps_numbers_dates_and_text(tmp_path, opened):
    workbook(tmp_path / "a.xlsx")
    source, rows = opened(source="a.xlsx", table="受注")
    assert source.columns == {"顧客": "VARCHAR", "日付": "TIMESTAMP", "金額": "DOUBLE", "備考": "DOUBLE"}
    assert rows == [
        ("00001", dt.datetime(2024, 1, 5), 1200.5, None),  # noqa: DTZ001
        ("12346", dt.datetime(2024, 1, 6, 10, 30), 7.0, 3.0),  # noqa: DTZ001
    ]


def test_excel_needs_the_sheet_where_there_are_several(tmp_path, opened):
    workbook(tmp_path / "a.xlsx")
    with pytest.raises(SourceError, match="受注"):
        opened(source="a.xlsx")
    with pytest.raises(SourceError, match="no sheet 'none'"):
        opened(source="a.xlsx", table="none")


def test_duckdb_table_query_and_the_only_table(tmp_path, opened):
    with duckdb.connect(str(tmp_path / "a.duckdb")) as file:
        file.execute("CREATE TABLE lines AS SELECT 1 AS id, 2.5 AS amount")
    assert opened(source="a.duckdb")[1] == opened(source="a.duckdb", table="lines")[1]
    assert opened(source="a.duckdb", query="SELECT id + 1 AS n FROM lines")[1] == [(2,)]
    with pytest.raises(SourceError, match="no table 'none'; it has lines"):
        opened(source="a.duckdb", table="none")
    with pytest.raises(SourceError, match="nowhere"):
        opened(source="a.duckdb", query="SELECT * FROM nowhere")


def test_query_on_a_file_is_refused(tmp_path, opened):
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    with pytest.raises(SourceError, match="query with a source works on"):
        opened(source="a.csv", query="SELECT 1")


def test_variable_in_a_path(tmp_path, opened, monkeypatch):
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    monkeypatch.setenv("TOKUI_FILE", "a")
    source, rows = opened(source="${TOKUI_FILE}.csv")
    assert (source.name, rows) == ("${TOKUI_FILE}.csv", [("1",)])


def test_missing_variable_is_named(opened):
    with pytest.raises(SourceError, match="TOKUI_ABSENT"):
        opened(source="postgresql://me:${TOKUI_ABSENT}@localhost/x", table="t")


@pytest.mark.parametrize("password", ["geheim", "ge heim", "g@h/e:im"])
def test_password_is_never_told(opened, monkeypatch, password):
    monkeypatch.setenv("TOKUI_PW", password)
    for address in ("postgresql://me:${TOKUI_PW}@127.0.0.1:1/x", f"postgresql://me:{password}@127.0.0.1:1/x"):
        with pytest.raises(SourceError) as caught:
            opened(source=address, table="t")
        assert password not in str(caught.value)
        assert caught.value.__cause__ is None
        assert "heim" not in str(caught.value)


def server_program(name: str) -> str | None:
    places = [shutil.which(name), *sorted(str(p) for p in Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))]
    return next((place for place in places if place), None)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    initdb, pg_ctl = server_program("initdb"), server_program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("no PostgreSQL server programs (initdb, pg_ctl) on this machine")
    home = Path("/tmp") / f"tokui-pg-{os.getpid()}"  # noqa: S108  a socket's path must be short
    home.mkdir()
    account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if account:
        made = subprocess.run(["chown", "postgres", str(home)], check=False, capture_output=True)
        if made.returncode or shutil.which("runuser") is None:
            shutil.rmtree(home)
            pytest.skip("PostgreSQL does not run as root, and there is no account postgres")
    (secret := tmp_path_factory.mktemp("pg") / "pw").write_text("p@ss w:rd")
    (home / "pw").write_text(secret.read_text())
    (home / "pw").chmod(0o644)
    port = str(20000 + os.getpid() % 20000)
    data = str(home / "data")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home}"
    try:
        subprocess.run(
            [*account, initdb, "-D", data, "-U", "tokui", "-A", "scram-sha-256", "--pwfile", str(home / "pw")],
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        subprocess.run(
            [*account, pg_ctl, "-D", data, "-o", options, "-l", str(home / "log"), "-w", "start"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        try:
            from adbc_driver_postgresql import dbapi

            address = f"127.0.0.1:{port}/postgres"
            with (
                dbapi.connect(f"postgresql://tokui:p%40ss%20w%3Ard@{address}") as admin,
                admin.cursor() as cursor,
            ):
                cursor.execute(
                    'CREATE TABLE lines (id text, amount numeric(10,2), at timestamptz, n integer, "Odd Name" text)'
                )
                cursor.execute(
                    "INSERT INTO lines SELECT lpad(i::text, 5, '0'), i * 1.25, '2024-01-05T00:00:00Z', i, 'x' "
                    "FROM generate_series(1, 200000) AS i"
                )
                admin.commit()
            yield address
        finally:
            subprocess.run(
                [*account, pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"],
                check=False, capture_output=True, cwd="/",
            )  # fmt: skip
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_postgres_table_and_query_stream_in(opened, server, monkeypatch):
    monkeypatch.setenv("TOKUI_PW", "p@ss w:rd")
    address = f"postgresql://tokui:${{TOKUI_PW}}@{server}"
    source, rows = opened(source=address, table="public.lines")
    assert len(rows) == 200_000
    assert rows[0][:2] == ("00001", "1.25")
    assert source.text == {"amount"}
    assert "w:rd" not in source.name


def test_postgres_query_and_its_errors(opened, server, monkeypatch):
    monkeypatch.setenv("TOKUI_PW", "p@ss w:rd")
    address = f"postgresql://tokui:${{TOKUI_PW}}@{server}"
    assert opened(source=address, query="SELECT sum(n) AS n FROM lines")[1] == [(20_000_100_000,)]
    with pytest.raises(SourceError, match="nowhere"):
        opened(source=address, table="nowhere")
    with pytest.raises(SourceError, match="read-only"):
        opened(source=address, query="DELETE FROM lines RETURNING id")
    with pytest.raises(SourceError, match="give table or query"):
        opened(source=address)
    with pytest.raises(SourceError, match="password authentication failed"):
        opened(source=f"postgresql://tokui:wrong@{server}", table="lines")
