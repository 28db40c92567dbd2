"""Contract: a query reads the files it names and nothing else, and its values are read like a file's own."""

import pytest

from features.binding.tables import bind
from features.errors import SourceError
from features.settings import FileSettings, Settings, TableSettings
from tests.features.binding.binds import DERIVED, NOW, failed, findings, rows_of, write


def make(folder, query, **files):
    named = {name: FileSettings(source=source) for name, source in files.items()}
    tables = {"customers": DERIVED, "orders": TableSettings(query=query)}
    return Settings(currency="JPY", path=folder / "tokui.toml", files=named, tables=tables)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "head_id;kunde\n001;A-1\n002;B-2\n", "heads.csv")
    write(tmp_path, "head_id;tag;betrag\n001;13.06.2024;1.234,50\n002;14.06.2024;7,5\n", "lines.csv")
    return tmp_path


JOIN = (
    "SELECT kunde AS customer_id, tag AS occurred_at, betrag AS amount FROM lines JOIN heads USING (head_id)"
)


def test_files_are_joined_and_read_as_they_were_written(folder):
    with bind(make(folder, JOIN, lines="lines.csv", heads="heads.csv"), now=NOW) as tables:
        assert sorted(rows_of(tables, columns="customer_id, day(occurred_at), amount")) == [
            ("A-1", 13, 1234.5),
            ("B-2", 14, 7.5),
        ]
        assert tables.report("orders").source == "query over lines.csv, heads.csv"


def test_a_query_may_use_names_of_its_own(folder):
    query = f"WITH joined AS ({JOIN}) SELECT * FROM joined"
    with bind(make(folder, query, lines="lines.csv", heads="heads.csv"), now=NOW) as tables:
        assert tables.report("orders").rows_kept == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * FROM line", "reads 'line', which is not among the files .*did you mean lines"),
        ("SELECT * FROM secret", r"name it as \[files.secret\]"),
        ("SELECT * FROM read_csv('heads.csv')", "by a function such as read_csv"),
        ("SELECT * FROM 'heads.csv'", "not among the files"),
        ("SELECT * FROM lines; SELECT 1", "more than one statement|not one SELECT"),
        ("DROP TABLE lines", "not one SELECT"),
        ("SELECT nothing FROM lines", "nothing"),
        ("SELEC 1", "not one SELECT"),
    ],
)
def test_what_is_no_query_over_the_files_is_refused(folder, query, said):
    with pytest.raises(SourceError, match=said):
        bind(make(folder, query, lines="lines.csv", heads="heads.csv"), now=NOW)


def test_a_file_that_is_not_there_is_named(folder):
    assert "none.csv is not there" in failed(
        make(folder, "SELECT * FROM lines", lines="none.csv"), SourceError
    )


def test_the_layout_of_a_file_holds_in_a_query_and_what_was_filled_is_counted(folder):
    text = "Lines\n\nhead_id;tag;betrag\n001;13.06.2024;1.234,50\n;14.06.2024;7,5\nGesamt;;1.242,00\n"
    write(folder, text, "lines.csv", encoding="utf-16")
    settings = make(folder, JOIN, lines="lines.csv", heads="heads.csv")
    assert 'encoding = "utf-16"' in failed(settings, SourceError)
    lines = FileSettings(
        source="lines.csv", encoding="utf-16", skip_rows=1, skip_footer=1, fill_down=("head_id",)
    )
    settings = settings.model_copy(update={"files": settings.files | {"lines": lines}})
    with bind(settings, now=NOW) as tables:
        assert sorted(rows_of(tables, columns="customer_id, amount")) == [("A-1", 7.5), ("A-1", 1234.5)]
        assert findings(tables)["head_id", "empty, filled from the row above"] == 1


def test_a_line_that_does_not_fit_is_named_with_its_file(folder):
    write(folder, "head_id;kunde\n001;A-1\n002\n003;B\n", "heads.csv")
    said = failed(make(folder, JOIN, lines="lines.csv", heads="heads.csv"), SourceError)
    assert "line 3 of heads.csv: 1 value where the header has 2" in said


def test_a_query_reads_its_files_by_their_own_names_only(tmp_path):
    write(tmp_path, "customer_id,occurred_at,amount\na,2024-01-05,5\n", "a.csv")
    for schema in ("main", "memory.main", "information_schema"):
        with pytest.raises(SourceError, match="without a schema before 'a'"):
            bind(make(tmp_path, f"SELECT * FROM {schema}.a", a="a.csv"), now=NOW)
