"""Contract: a key is kept as a digest, opens what it was made for, and nobody is let in by mistake."""

import json
import os
import stat
import threading

import pytest

from features.errors import SettingsError
from serving.api import keys as keys_module
from serving.api.keys import ALL_SCOPES, KeyFile, Keys, keys_of_text
from serving.service import run_server


@pytest.fixture
def file(tmp_path):
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(keys_module, "_LOOK_SECONDS", 0.0)


def test_a_key_is_kept_so_that_it_cannot_be_read(file):
    secret = file.add("crm", ["predict"])
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert secret not in file.path.read_text()
    assert len(secret) > 40
    assert [path.name for path in file.path.parent.iterdir()] == ["keys.json"]
    assert Keys(file=file).scopes(secret.encode()) == {"predict"}
    assert Keys(file=file).scopes(b"another") is None


def test_admin_opens_everything_and_keys_of_the_environment_do(file):
    secret = file.add("ops", ["admin"])
    keys = Keys.from_text("alpha, beta", file)
    assert keys.scopes(secret.encode()) == keys.scopes(b"alpha") == keys.scopes(b"beta") == ALL_SCOPES


@pytest.mark.parametrize("name", ["", "../x", "a b", "-a", "a" * 64, "\x1b[1m", "é"])
def test_a_name_is_a_name(file, name):
    with pytest.raises(SettingsError, match="no name for a key"):
        file.add(name, ["predict"])


def test_what_cannot_be_added_or_removed_is_said(file):
    file.add("crm", ["predict"])
    with pytest.raises(SettingsError, match="already"):
        file.add("crm", ["history"])
    with pytest.raises(SettingsError, match="'delete' is no scope"):
        file.add("b", ["predict", "delete"])
    with pytest.raises(SettingsError, match="needs a scope"):
        file.add("b", [])
    with pytest.raises(SettingsError, match="there is crm"):
        file.remove("b")
    assert [key.name for key in file.read()] == ["crm"]


def test_a_file_that_others_can_read_or_that_was_altered_is_refused(file):
    file.add("crm", ["predict"])
    file.path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        Keys(file=file)
    file.path.chmod(0o600)
    (key,) = json.loads(file.path.read_text())
    for broken in (
        b"",
        b"{}",
        b"\xff",
        b"[1]",
        *(
            json.dumps([key | change]).encode()
            for change in (
                {"digest": "zz"},
                {"digest": "ab"},
                {"scopes": ["root"]},
                {"scopes": []},
                {"more": 1},
            )
        ),
    ):
        file.path.write_bytes(broken)
        with pytest.raises(SettingsError, match="tokui keys"):
            Keys(file=file)


@pytest.mark.usefixtures("at_once")
def test_keys_are_read_again_and_once_there_were_some_nobody_else_comes_in(file, caplog):
    keys = Keys(file=file)
    assert keys.scopes(b"") == ALL_SCOPES
    secret = file.add("crm", ["history"])
    assert keys.scopes(b"") is None
    assert keys.scopes(secret.encode()) == {"history"}
    file.path.write_text("[")
    assert keys.scopes(secret.encode()) == {"history"}
    assert "kept the keys as they were" in caplog.text
    file.path.unlink()
    assert keys.scopes(secret.encode()) is None
    assert keys.scopes(b"") is None


def test_without_a_key_everyone_is_let_in_only_if_that_was_said(file):
    assert Keys(file=file, everyone=False).scopes(b"") is None


def test_two_who_add_at_once_both_have_their_key(file):
    threads = [threading.Thread(target=file.add, args=(f"k{k}", ["predict"])) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(file.read()) == 12


@pytest.mark.parametrize("text", [" , ", ",", " ", "\t"])
def test_keys_that_are_none_are_not_taken_for_no_keys(text):
    with pytest.raises(SettingsError, match="has no key in it"):
        keys_of_text(text)


@pytest.mark.parametrize("bad", ["sesame\udcff", "ses\x00ame", "ses ame", "sésame", "ses\name"])
def test_a_key_that_cannot_be_sent_is_said_and_not_shown(bad):
    with pytest.raises(SettingsError, match="key 2 of 2") as refused:
        keys_of_text(f"good,{bad}")
    assert "ame" not in str(refused.value).replace("name", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])  # noqa: S104 - what must not work
def test_strangers_are_not_served_without_a_word(tmp_path, host, monkeypatch):
    monkeypatch.delenv("TOKUI_API_KEYS", raising=False)
    with pytest.raises(SettingsError, match=r"tokui keys add.*--open"):
        run_server(tmp_path, host, 1)


@pytest.mark.parametrize("text", [" , ", "a\udcff"])
def test_a_server_does_not_start_with_keys_that_are_none(tmp_path, monkeypatch, text):
    monkeypatch.setitem(os.environ, "TOKUI_API_KEYS", text)
    with pytest.raises(SettingsError, match="TOKUI_API_KEYS"):
        run_server(tmp_path)


def test_a_host_is_an_address(tmp_path):
    with pytest.raises(SettingsError, match="no IP address"):
        run_server(tmp_path, "example.com")
