"""Contract: a server answers to its own names and to addresses in numbers, and to nothing a stranger can register."""

import socket

import pytest

from serving.api.hosts import Hosts


@pytest.mark.parametrize("host", ["localhost", "LocalHost:3000", "127.0.0.1:3000", "[::1]:3000", "10.1.2.3", "api.example.com", "api.example.com.:443"])  # fmt: skip
def test_own_names_and_numbers_are_accepted(host):
    hosts = Hosts(["API.example.com"])
    assert hosts.accept(host.encode())
    assert hosts.accept(host.encode())
    assert hosts.accept(socket.gethostname().encode())


@pytest.mark.parametrize("host", [b"evil.example", b"evil.localhost", b"localhost.evil.example", b"", b"\xff", b"a b", b"localhost:x", b"localhost:3000:1", b"[::1", b"user@localhost", b"127.0.0.1.evil.example", b"/", b"localhost/x", b"[evil]"])  # fmt: skip
def test_others_are_not(host):
    assert not Hosts(["api.example.com"]).accept(host)


def test_any_name_where_that_was_said():
    assert Hosts(["*"]).accept(b"evil.example")


def test_what_is_remembered_is_bounded():
    hosts = Hosts()
    for k in range(1000):
        assert hosts.accept(f"10.0.{k // 256}.{k % 256}".encode())
    assert len(hosts._good) < 100
