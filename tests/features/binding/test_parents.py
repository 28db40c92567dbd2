"""Contract: every account's group is the top of its chain of parents, and a circle has no top."""

from datetime import datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.binding.parents import Belonging, belongings
from features.binding.tables import bind
from features.errors import TableError
from features.settings import IdSettings, TableSettings
from tests.features.binding.binds import NOW, failed, findings, lines, make, rows_of, write


def told(rows, as_of=None):
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE customers (customer_id VARCHAR, parent_id VARCHAR, known_at TIMESTAMP)"
        )
        connection.executemany("INSERT INTO customers VALUES ($1, $2, $3)", rows)
        return belongings(connection, as_of)


def climbed(parents, account):
    """The head of an account's group, one step at a time."""
    seen = {account}
    while parents.get(account) not in (None, account):
        account = parents[account]
        if account in seen:
            return None
        seen.add(account)
    return account


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 14)), min_size=1, max_size=13))
def test_groups_are_what_climbing_finds_and_circles_are_refused(numbers):
    parents = {f"c{who}": None if above is None else f"c{above}" for who, above in numbers.items()}
    rows = [(who, above, None) for who, above in parents.items()]
    if any(climbed(parents, who) is None for who in parents):
        with pytest.raises(TableError, match="in a circle, c"):
            told(rows)
        return
    assert told(rows) == {
        who: Belonging(above, climbed(parents, who))
        for who, above in parents.items()
        if above not in (None, who)
    }


def test_a_chain_of_any_length_is_climbed():
    rows = [(f"c{n:05d}", f"c{n + 1:05d}", None) for n in range(3000)]
    assert {own.group for own in told(rows).values()} == {"c03000"}


def test_the_newest_row_tells_as_of_each_moment():
    early, late = datetime(2024, 3, 1), datetime(2024, 6, 1)  # noqa: DTZ001
    rows = [("a", "x", None), ("a", "y", early), ("a", None, late)]
    assert told(rows) == {}
    assert told(rows, late) == {"a": Belonging("y", "y")}
    assert told(rows, early) == {"a": Belonging("x", "x")}


def project(folder, customers, **given):
    write(folder, lines("a,2024-01-05,5", "B,2024-01-06,5", "c,2024-01-07,5"))
    write(folder, "customer_id,Mother\n" + customers, "customers.csv")
    return make(
        folder, customers=TableSettings(source="customers.csv", columns={"parent_id": "Mother"}), **given
    )


def test_the_chain_of_a_circle_is_named_with_the_line_to_write(tmp_path):
    said = failed(project(tmp_path, "a,B\nB,c\nc,a\n"))
    assert "customers.parent_id: 3 accounts belong to one another in a circle, B → c → a → B" in said or (
        "in a circle, a → B → c → a" in said
    )
    assert "parent_id = \"CASE WHEN id <> '" in said


def test_strange_parents_and_accounts_that_name_themselves_are_counted(tmp_path):
    with bind(project(tmp_path, "a,P9\nB,B\nc,a\n"), now=NOW) as tables:
        counted = findings(tables, "customers")
        assert counted["parent_id", "name themselves, taken as having no parent"] == 1
        assert (
            counted["parent_id", "parents are not in customers, groups are called by them all the same"] == 1
        )
        assert belongings(tables.connection) == {"a": Belonging("P9", "P9"), "c": Belonging("a", "P9")}


def test_parents_are_written_as_ids_are(tmp_path):
    settings = project(tmp_path, "a,b\nB,\nc,\n", ids=IdSettings(ignore_case=True))
    with bind(settings, now=NOW) as tables:
        assert rows_of(tables, "customers", "customer_id, parent_id") == [
            ("a", "b"),
            ("b", None),
            ("c", None),
        ]
        assert belongings(tables.connection) == {"a": Belonging("b", "b")}


def test_without_parents_there_are_no_groups(tmp_path):
    write(tmp_path, lines("a,2024-01-05,5"))
    with bind(make(tmp_path), now=NOW) as tables:
        assert belongings(tables.connection) is None
