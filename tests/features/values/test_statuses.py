"""Contract: words for what is no sale are told from words for what is one."""

import re

import duckdb
import pytest

from features.values import statuses

NONE = [
    "cancelled", "Canceled", "CANCELLED", "wc-cancelled", "wc-failed", "wc-refunded", "void", "Voided", "refunded", "returned", "declined",
    "expired", "draft", "test", "trash", "deleted", "chargeback", "charge back", "uncollectible", "incomplete_expired", "キャンセル",
    "キャンセル済み", "注文キャンセル", "注文取消し", "取消", "返品", "返品済み", "受注取消", "削除済", "下書き", "無効", "見積書", "赤伝",
]  # fmt: skip
SALES = [
    "complete", "completed", "paid", "Paid", "shipped", "open", "pending", "processing", "active", "invoiced", "発送済み", "入金済み", "対応中", "新規受付",
    "キャンセル不可", "キャンセル待ち", "not cancelled", "取消なし", "tested", "closed", "partially refunded", "有効", "返品不可", "見積済", "",
]  # fmt: skip


def says(text, *, lasting=False):
    return re.fullmatch(statuses.no_sale(lasting=lasting), text.strip().lower()) is not None


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_sale(text):
    assert says(text)


@pytest.mark.parametrize("text", SALES)
def test_what_is_a_sale_or_may_become_one(text):
    assert not says(text)


@pytest.mark.parametrize("text", ["cancelled", "キャンセル", "expired", "churned", "past_due"])
def test_a_term_that_was_cancelled_was_a_term(text):
    assert not says(text, lasting=True)


@pytest.mark.parametrize("text", ["deleted", "test", "draft", "incomplete_expired", "削除済み", "テスト"])
def test_what_never_began_is_no_term(text):
    assert says(text, lasting=True)


@pytest.mark.parametrize(
    "text",
    ["合計", "【1月計】", "総合計", "Grand Total", "subtotal", "Total:", "【期計】", "(小計)", "3月計"],
)
def test_rows_that_add_up_others(text):
    assert re.fullmatch(statuses.SUBTOTAL, text.lower())


@pytest.mark.parametrize(
    "text", ["Total Solutions Inc", "合計画株式会社", "計測機器", "Sum Foods", "Totalgas"]
)
def test_names_that_only_begin_so(text):
    assert not re.fullmatch(statuses.SUBTOTAL, text.lower())


@pytest.mark.parametrize("lasting", [False, True])
def test_duckdb_reads_the_words_as_python_does(lasting):
    pattern = statuses.no_sale(lasting=lasting)
    rows = duckdb.execute(
        "SELECT unnest($1) AS text, regexp_full_match(lower(text), $2)", [[*NONE, *SALES], pattern]
    ).fetchall()
    assert all(seen == says(text, lasting=lasting) for text, seen in rows)


@pytest.mark.parametrize(
    "heading",
    ["Status", "Financial Status", "対応状況(名称)", "取引区分", "order_status", "state", "Transaction Type"],
)
def test_headings_of_statuses(heading):
    assert statuses.speaks_of_status(heading)


@pytest.mark.parametrize("heading", ["Billing State", "Region", "customer_type", "Amount", "都道府県"])
def test_headings_of_other_things(heading):
    assert not statuses.speaks_of_status(heading)
