"""Contract: text files are read in their own encoding, and a broken one is refused without its content."""

from datetime import datetime

import pytest

from features.binding.tables import bind
from features.errors import SourceError, TableError
from features.settings import TableSettings
from tests.features.binding.binds import (
    NOW,
    failed,
    lines,
    make,
    rows_of,
    write,
)


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"", SourceError, "is empty"),
        (b"customer_id,occurred_at,amount\n", TableError, "has no rows"),
        (
            b'customer_id,occurred_at,amount\na,2024-01-05,5\nb,"2024',
            SourceError,
            "line 3: a quote that is not closed",
        ),
        (
            b"customer_id,occurred_at,amount\na,2024-01-05,5\nb,2024",
            SourceError,
            "line 3: 2 values where the header has 3",
        ),
        (
            "customer_id,occurred_at,amount\n山田,2024-01-05,5\n".encode("cp932"),
            SourceError,
            'encoding = "cp932"',
        ),
    ],
)
def test_broken_text_files(tmp_path, content, kind, said):
    (tmp_path / "orders.csv").write_bytes(content)
    with pytest.raises(kind, match=said):
        bind(make(tmp_path), now=NOW)


def test_a_broken_line_is_not_repeated_in_the_message(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5", "Taro Yamada,secret"))
    assert "Yamada" not in failed(make(tmp_path), SourceError)


def test_japanese_csv_in_cp932(tmp_path):
    text = lines(
        '0001,2024/01/05,"1,200",東京',
        "0002,2024/01/06,￥340,大阪",
        "0003,2024/01/07,\\340,大阪",
        header="顧客ID,受注日,金額,都道府県",
    )
    write(tmp_path, text, encoding="cp932")
    orders = TableSettings(
        source="orders.csv",
        encoding="cp932",
        columns={"customer_id": "顧客ID", "occurred_at": "受注日", "amount": "金額"},
    )
    customers = TableSettings(derive="orders", columns={"region": "都道府県"})
    with bind(make(tmp_path, orders=orders, customers=customers), now=NOW) as tables:
        assert rows_of(tables) == [
            ("0001", datetime(2024, 1, 5), 1200.0), ("0002", datetime(2024, 1, 6), 340.0),  # noqa: DTZ001
            ("0003", datetime(2024, 1, 7), 340.0),  # noqa: DTZ001  cp932 has the yen sign where ASCII has a backslash
        ]  # fmt: skip
        assert rows_of(tables, "customers", "region") == [("東京",), ("大阪",), ("大阪",)]
