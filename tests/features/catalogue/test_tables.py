"""Contract: every table, column and stream has words in both languages, and every synonym finds its column."""

import re

import pytest

from features.catalogue.tables import DECLARED, PEOPLE, STREAMS, TABLES
from features.engine.streams import Elapsed
from features.guess.synonyms import likeness, normalise
from features.language import LANGUAGES
from features.schema import Kind
from tests.places import ROOT

JAPANESE = re.compile(r"[぀-ヿ一-鿿]")


def in_both_languages(wording):
    assert all(wording[language].strip() == wording[language] != "" for language in LANGUAGES), wording
    assert wording.en.isascii(), wording
    assert JAPANESE.search(wording.ja), wording
    return True


def test_names_are_unique():
    assert len(TABLES) == len(DECLARED)
    assert len(STREAMS) == sum(len(declared.streams) for declared in DECLARED)
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert (names[0], names[-1]) == ("customer_id", "known_at")
        assert table.column(table.time).kind is Kind.TIME
        assert set(table.key) <= set(names)


def test_every_table_is_a_module_of_its_own():
    kept = {"declaration", "dictionary", "phrases", "sets", "tables", "fx", "__init__"}
    modules = {path.stem for path in (ROOT / "features" / "catalogue").glob("*.py")} - kept
    assert modules == {"account" if name == "customers" else name for name in TABLES}


@pytest.mark.parametrize("declared", DECLARED, ids=list(TABLES))
def test_columns_and_rows_have_words_in_both_languages(declared):
    assert all(in_both_languages(column.called) for column in declared.table.columns)
    assert all(column.meaning for column in declared.table.columns)
    assert declared.streams
    for stream in declared.streams:
        assert in_both_languages(stream.rows.one)
        assert in_both_languages(stream.rows.many)
        for number in stream.numbers:
            assert not isinstance(number, Elapsed) or in_both_languages(number.called)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_synonym_finds_its_column_and_no_other(table):
    for column in table.columns:
        for word in column.synonyms.split():
            assert word == normalise(word)
            finds = {other.name for other in table.columns if likeness(word, table, other) >= 3}
            assert finds == {column.name}, word
        assert likeness(column.name, table, column) == 4
    assert table.file_words
    assert all(word == normalise(word) for word in table.file_words.split())


def test_only_numbers_are_money_and_only_times_are_planned():
    for table in TABLES.values():
        for column in table.columns:
            assert not column.money or column.kind is Kind.NUMBER
            assert not column.planned or column.kind is Kind.TIME


def test_whoever_is_a_customer_is_asked_of_declared_streams():
    assert all(STREAMS[stream.name] is stream for stream in PEOPLE)
