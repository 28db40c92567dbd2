"""Requests that no honest client sends, of twenty kinds, for `benchmarks.soak`. Loopback only."""

import contextlib
import random
import socket
import time
from collections.abc import Callable

HEAD = b"POST /predict HTTP/1.1\r\nhost: localhost\r\n"
_SECONDS = 5.0


def _post(body: bytes, path: bytes = b"/predict", headers: bytes = b"") -> bytes:
    start = b"POST " + path + b" HTTP/1.1\r\nhost: localhost\r\n" + headers
    return start + b"content-length: %d\r\n\r\n" % len(body) + body


KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "noise": lambda dice: dice.randbytes(200) + b"\r\n\r\n",
    "tls": lambda dice: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + dice.randbytes(100),
    "long header": lambda _: HEAD + b"a: " + b"x" * 200_000,
    "many headers": lambda _: HEAD + b"a: b\r\n" * 20_000,
    "long address": lambda _: b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "no route": lambda dice: b"GET /%x HTTP/1.1\r\nhost: localhost\r\n\r\n" % dice.getrandbits(64),
    "odd method": lambda _: b"PROPFIND /predict HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "odd host": lambda dice: b"GET /readyz HTTP/1.1\r\nhost: %x.example\r\n\r\n" % dice.getrandbits(64),
    "upgrade": lambda _: b"GET /livez HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "pipeline": lambda _: b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n" * 2_000,
    "two lengths": lambda _: HEAD + b"content-length: 3\r\ncontent-length: 4\r\n\r\n{}",
    "length and chunks": lambda _: HEAD + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "huge length": lambda _: HEAD + b"content-length: 999999999999\r\n\r\n{",
    "endless chunk": lambda _: HEAD + b"transfer-encoding: chunked\r\n\r\n1;" + b"e" * 200_000,
    "no utf-8": lambda _: _post(b'{"customer_ids":["A\xff"]}'),
    "surrogate": lambda _: _post(b'{"customer_ids":["A"],"budget":"\\ud800"}', b"/recommend"),
    "nested": lambda _: _post(b"[" * 50_000, b"/predict_history"),
    "wrong key": lambda dice: _post(b"{}", headers=b"x-api-key: %x\r\n" % dice.getrandbits(64)),
    "many ids": lambda _: _post(b'{"customer_ids":[' + b"1," * 60_000 + b"1]}"),
    "many rows": lambda _: _post(b'{"orders":[' + b"{}," * 300_000 + b"{}]}", b"/predict_history"),
}
"""What is sent, by name."""

HEAVY = frozenset({"many rows", "nested", "long header", "many headers", "endless chunk"})
"""Kinds that cost the sender as well: they come a twentieth as often."""


def attack(port: int, count: int, seed: int = 0) -> dict[str, int]:
    """Send so many hostile requests, one connection each.

    Returns:
        Number of answers by status; ``none`` where the connection was just closed.
    """
    dice = random.Random(seed)
    said: dict[str, int] = {}
    for _ in range(count):
        kind = dice.choice(list(KINDS))
        if kind in HEAVY and dice.random() > 0.05:
            kind = "no utf-8"
        answer = b""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), _SECONDS) as client:
            with contextlib.suppress(OSError):
                client.sendall(KINDS[kind](dice))
                client.shutdown(socket.SHUT_WR) if dice.random() < 0.1 else None
            answer = client.recv(64)
        status = answer[9:12].decode("latin-1") or "none"
        said[status] = said.get(status, 0) + 1
    return said


def hold(port: int, count: int, first: bytes, every: float, seconds: float) -> float:
    """Hold many connections, sending a byte on each now and then.

    Returns:
        Seconds until the server had closed all of them, or ``seconds``.
    """
    begin = time.monotonic()
    clients = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            client = socket.create_connection(("127.0.0.1", port), _SECONDS)
            client.sendall(first)
            client.setblocking(False)
            clients.append(client)
    while clients and time.monotonic() < begin + seconds:
        time.sleep(every)
        left = []
        for client in clients:
            try:
                if client.recv(65536) == b"":
                    raise ConnectionError
            except BlockingIOError:
                pass
            except OSError:
                client.close()
                continue
            try:
                if first:
                    client.send(b"x")
                left.append(client)
            except OSError:
                client.close()
        clients = left
    for client in clients:
        client.close()
    return time.monotonic() - begin
