"""The snapshot's contract: the engine's numbers for every customer, found by id, and refused if altered."""

import duckdb
import numpy as np
import pytest

from features.catalogue.sets import PURCHASES
from features.catalogue.tables import PEOPLE
from features.engine import snapshot as module
from features.engine.compute import compute
from features.engine.observations import Observations
from features.engine.snapshot import open_snapshot, write_snapshot
from features.engine.store import bound_columns, load_store
from features.errors import ChecksumError, DefinitionError
from tests.features.worlds import DAY, EPOCH, customers_table, random_orders

AS_OF = int(EPOCH.astype(np.int64)) + 300 * DAY


@pytest.fixture(scope="module")
def connection():
    rng = np.random.default_rng(5)
    made = duckdb.connect()
    for name, table in (("customers", customers_table(90, rng)), ("orders", random_orders(rng, 90, 4000))):
        made.register("incoming", table)
        made.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    made.execute("UPDATE orders SET customer_id = '顧客' || customer_id WHERE customer_id = '7'")
    yield made
    made.close()


@pytest.fixture
def features(connection):
    return PURCHASES.bound_to(bound_columns(connection))


def written(path, connection, features):
    count = write_snapshot(
        path, connection, features, PEOPLE, AS_OF, "2024-10-27T00:00:00+00:00", {"currency": "JPY"}
    )
    return open_snapshot(path), count


def spelled(matrix):
    return [
        [None if np.isnan(c) else matrix.categories[name][int(c)] for c in matrix.column(name)]
        if name in matrix.categories
        else matrix.column(name).tobytes()
        for name in matrix.names
    ]


def test_it_holds_the_engines_numbers_for_every_customer_known_by_then(tmp_path, connection, features):
    snapshot, count = written(tmp_path / "s", connection, features)
    store = load_store(connection, features.streams, PEOPLE)
    observations = Observations.grid(store.first_seen, [AS_OF])
    assert count == len(snapshot) == len(observations)
    want = compute(features, store.streams, observations)
    ids = [store.ids[int(c)].as_py() for c in observations.customers]
    rows = np.array([snapshot.position(customer_id) for customer_id in ids])
    assert sorted(rows) == list(range(count))
    assert spelled(snapshot.matrix(rows)) == spelled(want)
    assert snapshot.customer_ids(slice(0, count)) == sorted(ids, key=str.encode)
    assert "顧客7" in ids
    assert (snapshot.fingerprint, snapshot.facts) == (features.fingerprint, {"currency": "JPY"})


def test_customers_taken_in_parts_are_the_same_snapshot(tmp_path, connection, features, monkeypatch):
    whole, _ = written(tmp_path / "whole", connection, features)
    monkeypatch.setattr("features.engine.store.PART_ROWS", 1500)
    parts, _ = written(tmp_path / "parts", connection, features)
    every = np.arange(len(whole))
    assert (parts.ids == whole.ids).all()
    assert spelled(parts.matrix(every)) == spelled(whole.matrix(every))


@pytest.mark.parametrize("stranger", ["", "nobody", "777", "07", "顧客", "x" * 500, "顧客7 "])
def test_strangers_are_not_there(tmp_path, connection, features, stranger):
    snapshot, _ = written(tmp_path / "s", connection, features)
    assert snapshot.position(stranger) == -1


def test_an_altered_or_shortened_file_is_refused(tmp_path, connection, features):
    path = tmp_path / "s"
    written(path, connection, features)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for at in [*range(48), *rng.integers(48, len(whole), 100)]:
        changed = bytearray(whole)
        changed[at] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(changed)
        with pytest.raises(ChecksumError, match="tokui snapshot"):
            open_snapshot(path)
    for size in (0, 7, 100, len(whole) - 8):
        path.write_bytes(whole[:size])
        with pytest.raises(ChecksumError, match="tokui snapshot"):
            open_snapshot(path)


def test_nothing_is_half_written(tmp_path, connection, features, monkeypatch):
    path = tmp_path / "s"
    written(path, connection, features)
    before = path.read_bytes()

    def broken(*_args, **_options):
        raise OSError("no space left")

    monkeypatch.setattr(module.json, "dumps", broken)
    with pytest.raises(OSError, match="no space"):
        written(path, connection, features)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["s"]


def test_a_moment_before_anyone_is_refused(tmp_path, connection, features):
    with pytest.raises(DefinitionError, match="--as-of"):
        write_snapshot(tmp_path / "s", connection, features, PEOPLE, 0, "1970-01-01", {})


def test_what_is_written_over_it_never_reaches_who_has_opened_it(tmp_path, connection, features):
    snapshot, count = written(tmp_path / "s", connection, features)
    before, ids = snapshot.rows.tobytes(), snapshot.ids.tobytes()
    with (tmp_path / "s").open("r+b") as file:
        file.seek(200)
        file.write(b"\xff" * 5000)
        file.truncate(6000)
    assert (snapshot.rows.tobytes(), snapshot.ids.tobytes()) == (before, ids)
    assert snapshot.position(snapshot.customer_ids(slice(0, 1))[0]) == 0
    assert count == len(snapshot)
