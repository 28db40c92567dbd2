"""Contract: a request leaves a line without its customer, and no number of requests fills a disk."""

import json

import pytest

from serving.log import AccessLog, Seldom


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_says_when_what_and_how_long(tmp_path):
    access = AccessLog(tmp_path / "logs" / "access-1.jsonl")
    access.write("abc-1", "POST", "/predict", 200, 0.0012345, 321)
    access.close()
    (line,) = lines(tmp_path / "logs" / "access-1.jsonl")
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "id": "abc-1",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "ms": 1.234,
        "bytes": 321,
    }


def test_files_are_put_aside_and_the_oldest_is_removed(tmp_path):
    path = tmp_path / "access-1.jsonl"
    path.write_bytes(b"")
    for _ in range(2):
        # One that starts anew goes on where the last one stopped.
        access = AccessLog(path, most_bytes=1_000, files=3)
        for k in range(100):
            access.write(f"id-{k}", "GET", "other", 404, 0.0, 0)
        access.close()
    names = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    assert names.keys() == {"access-1.jsonl", "access-1.1.jsonl", "access-1.2.jsonl"}
    assert max(names.values()) < 1_200
    newest = [
        line["id"]
        for name in ("access-1.2", "access-1.1", "access-1")
        for line in lines(tmp_path / f"{name}.jsonl")
    ]
    assert newest == [f"id-{k}" for k in range(100)][-len(newest) :]


def test_a_full_disk_loses_lines_and_says_how_many(tmp_path, monkeypatch, caplog):
    access = AccessLog(tmp_path / "a.jsonl")
    file, clock = access._file, [0.0]
    monkeypatch.setattr("serving.log.time.monotonic", lambda: clock[0])

    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

    access._file = Full()
    for _ in range(5):
        access.write("a", "GET", "/livez", 200, 0.0, 0)
    assert caplog.text.count("No space left") == 1
    access._file, clock[0] = file, 60.0
    access.write("b", "GET", "/livez", 200, 0.0, 0)
    access.close()
    (line,) = lines(tmp_path / "a.jsonl")
    assert (line["id"], line["lost"]) == ("b", 5)


def test_a_warning_is_said_now_and_then(monkeypatch, caplog):
    clock = [100.0]
    monkeypatch.setattr("serving.log.time.monotonic", lambda: clock[0])
    seldom = Seldom("%d times, the last %s")
    for k in range(50):
        seldom.note(str(k))
    clock[0] += 11
    seldom.note("z")
    assert [record.getMessage() for record in caplog.records] == [
        "1 times, the last 0",
        "50 times, the last z",
    ]


def test_a_folder_that_cannot_be_made_is_an_error_at_the_start(tmp_path):
    (tmp_path / "logs").write_text("")
    with pytest.raises(OSError, match="logs"):
        AccessLog(tmp_path / "logs" / "access-1.jsonl")
