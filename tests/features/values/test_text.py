"""Contract: one text whatever nobody sees in it; what the fast expression lets pass is tidy already."""

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from features.values.text import UNTIDY, tidy


def test_what_nobody_sees_is_not_there():
    for text in (
        "A12",
        "Ａ１２",
        " A12\u3000",
        "\ufeffA12",
        "A\u200b12",
        "A\u00ad12",
        "\u202aA12\u202c",
        "A12\u00a0",
        "A12\x00",
    ):
        assert tidy(text) == "A12"
    assert tidy("山田\u3000商店") == tidy("山田  商店") == "山田 商店"
    assert tidy("ﾔﾏﾀﾞ") == tidy("ヤマダ") == tidy("ヤマタ\u3099") == "ヤマダ"
    assert tidy("𠮷野家") == "𠮷野家"


@given(text=st.text(max_size=12))
def test_tidying_twice_is_tidying_once(text):
    assert tidy(tidy(text)) == tidy(text)


def test_every_character_that_tidying_changes_is_noticed_by_the_expression():
    with duckdb.connect() as connection:
        characters = [chr(code) for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]
        texts = [f"a{character}b" for character in characters]
        noticed = connection.execute(
            "SELECT list(regexp_matches(t, $2) ORDER BY i) FROM (SELECT unnest($1) AS t, generate_subscripts($1, 1) AS i)",
            [texts, UNTIDY],
        ).fetchall()[0][0]
    missed = [text for text, seen in zip(texts, noticed, strict=True) if tidy(text) != text and not seen]
    assert missed == []
