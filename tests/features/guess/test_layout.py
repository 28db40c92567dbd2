"""Contract: init finds how a file is laid out, writes it down to be checked, and takes plain files for plain."""

import tomllib

import pytest

from features.binding.tables import bind
from features.guess.layout import Layout, layout_lines, layout_of_text
from features.guess.settings import guess_settings
from features.settings import TableSettings, load_settings

TABLE = "customer,order,item,amount\nA,1,x,10\nB,2,y,20\nC,3,z,30\nD,4,w,40\nE,5,v,50\n"
GROUPS = "customer,order,item,amount\nA,1,x,1.5\n,,y,2\n,2,z,3\nB,3,x,4\n,,y,5\nC,4,x,6\n"


def look(folder, text, encoding="utf-8"):
    (folder / "a.csv").write_bytes(text.encode(encoding))
    return layout_of_text(folder / "a.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932", "utf-16-le", "utf-32"])
@pytest.mark.parametrize(
    ("above", "skip"), [("", 0), ("売上一覧\n\n", 2), ("\n\n", 0), ("売上,,,\n期間,2024-01,,\n,,,\n", 3)]
)
@pytest.mark.parametrize(
    ("below", "footer"), [("", 0), ("合計,,,150\n", 1), ("\n\n※ 税込\n出力日 2024-01-01\n\n", 2)]
)
def test_titles_and_footers(tmp_path, encoding, above, skip, below, footer):
    # Without anything Japanese in it, the text may be of any encoding.
    text = above + TABLE.replace("customer", "顧客") + below
    assert look(tmp_path, text, encoding) == Layout(encoding=encoding, skip_rows=skip, skip_footer=footer)


@pytest.mark.parametrize("hint", ["sep=;\n", "sep=;\nReport\n\n"])
def test_the_hint_of_excel(tmp_path, hint):
    lines = hint.count("\n")
    assert look(tmp_path, hint + TABLE.replace(",", ";")).skip_rows == (lines if lines > 1 else 0)


def test_groups(tmp_path):
    assert look(tmp_path, GROUPS).fill_down == ("customer", "order")
    assert look(tmp_path, GROUPS + "\nTotal,,,21.5\n") == Layout(
        skip_footer=1, fill_down=("customer", "order")
    )


@pytest.mark.parametrize(
    "text",
    [
        "id,customer,paid_at\n1,A,2024-01-01\n2,B,\n3,C,\n4,D,2024-01-02\n5,E,\n",
        "parent_id,customer,region\nP,A,x\n,B,y\nP,C,z\nP,D,x\n,E,y\nP,F,y\n",
        "discount,customer,amount\n0.5,A,1\n,B,2\n,C,3\n1.5,D,4\n,E,5\n",
        "customer,note,memo\nA,x,\n,y,\n,z,\nB,x,\n,y,\n",
        "a,b\n1,2\n,3\n,4\n5,6\n",
        TABLE,
    ],
)
def test_columns_that_are_merely_often_empty_are_not_filled(tmp_path, text):
    assert look(tmp_path, text) == Layout()


def test_backslashes(tmp_path):
    assert look(tmp_path, 'name,n\n"a \\"quoted\\" name",1\n"b",2\n').escape == "\\"
    assert look(tmp_path, 'name,n\n"C:\\dir\\",1\n"b",2\n').escape == '"'
    # The second byte of 表 in CP932 is a backslash.
    assert look(tmp_path, '名,n\n"表",1\n"ソ",2\n', "cp932").escape == '"'


def test_what_is_found_is_written_and_can_be_read():
    settings = TableSettings(source="a", skip_rows=2, skip_footer=1, fill_down=("顧客", 'a "b"'), escape="\\")
    lines = layout_lines(settings)
    assert TableSettings(source="a", **tomllib.loads("\n".join(lines))) == settings
    assert sum("check this" in line for line in lines) == 3
    assert layout_lines(TableSettings(source="a")) == []


def test_init_and_check_of_a_report_in_groups(tmp_path):
    days = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(300)]
    lines = [
        f"{'' if i % 3 else f'C{i // 3:03d}'},{'' if i % 3 else day},P{i % 7},{i + 1}"
        for i, day in enumerate(days)
    ]
    report = "\n".join(
        ["受注明細一覧", "出力日,2024-12-31", "", "顧客コード,受注日,商品コード,金額", *lines, "合計,,,45150"]
    )
    (tmp_path / "orders.csv").write_bytes(report.encode("cp932"))
    (tmp_path / "tokui.toml").write_text(
        guess_settings([tmp_path / "orders.csv"], folder=tmp_path).text, encoding="utf-8"
    )
    settings = load_settings(tmp_path / "tokui.toml")
    orders = settings.tables["orders"]
    assert (orders.skip_rows, orders.skip_footer, orders.fill_down) == (3, 1, ("顧客コード", "受注日"))
    with bind(settings, only=["orders"]) as tables:
        kept = tables.report("orders")
        total = tables.connection.execute(
            "SELECT sum(amount), count(DISTINCT customer_id) FROM orders"
        ).fetchall()
    assert (kept.rows_kept, total) == (300, [(45150.0, 100)])
    assert {finding.column for finding in kept.warnings if "filled from the row above" in finding.reason} == {
        "顧客コード", "受注日",
    }  # fmt: skip
