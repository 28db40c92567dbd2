"""Contract: a connection costs little before a request is whole: bytes, headers, time, and places in the queue."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import uvicorn

from serving.api.door import Doorkeeper, Limits
from serving.api.guard import reply
from serving.api.protocol import guarded
from serving.api.requests import ClientGone, body_of

LIMITS = Limits(
    head_seconds=0.4,
    body_seconds=0.4,
    send_seconds=0.4,
    linger_seconds=0.3,
    connections=20,
    sweep_seconds=0.1,
)
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"


class Echo:
    """An app that answers what it was sent, its headers' number, or much."""

    def __init__(self):
        self.under_way, self.gone, self.slow = 0, 0, threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        self.under_way += 1
        try:
            body = await body_of(receive)
            if scope["path"] == "/slow":
                await asyncio.to_thread(self.slow.wait)
            if scope["path"] == "/much":
                body = b"x" * 8_000_000
            await reply(send, 200, body or str(len(scope["headers"])).encode())
        except ClientGone:
            self.gone += 1
        finally:
            self.under_way -= 1


class Served:
    def __init__(self, limits):
        self.app, self.refused = Echo(), []
        self.protocol = guarded(limits, self.refused.append)
        config = uvicorn.Config(
            self.app, http=self.protocol, lifespan="off", port=0, log_config=None, timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def connect(self, sent=b""):
        made = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        if sent:
            made.sendall(sent)
        return made

    @property
    def connections(self):
        return len(self.server.server_state.connections)

    def until(self, holds, seconds=10):
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.02)

    def stop(self):
        self.app.slow.set()
        self.server.should_exit = True
        self.thread.join(15)
        assert not self.thread.is_alive()


@pytest.fixture(scope="module")
def served():
    made = Served(LIMITS)
    yield made
    made.stop()


def everything(client):
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


def status(said):
    return int(said[9:12])


def refused(said, number, code):
    head, _, body = said.partition(b"\r\n\r\n")
    assert status(said) == number
    assert b"\r\nconnection: close" in head.lower()
    assert b"x-content-type-options: nosniff" in head
    assert json.loads(body)["error"]["code"] == code
    return True


HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"a: " + b"x" * 40_000 + b"\r\n\r\n",
        HEAD + b"a" * 40_000 + b": x\r\n\r\n",
        HEAD + b"a: b\r\n" * 100 + b"\r\n",
        HEAD + b"a:\r\n" * 200_000,
        HEAD + b"a: " + b"x" * 3_000_000,
        HEAD + b"".join(b"h%d: %s\r\n" % (k, b"y" * 900) for k in range(60)) + b"\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /?" + b"x" * 3_000_000,
        POST[:-2] + b"a: b\r\n" * 200 + b"\r\n0123456789",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"a: b\r\n" * 5_000,
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"e" * 1_500_000,
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\na: " + b"t" * 1_500_000,
    ],
    ids=lambda sent: f"{sent[:4].decode()}{len(sent)}",
)
def test_headers_without_end_are_a_431_at_once(served, sent):
    with served.connect() as client:
        with contextlib.suppress(OSError):
            client.sendall(sent)
        assert refused(everything(client), 431, "headers_too_large")
    assert served.refused[-1] == 431
    served.until(lambda: served.app.under_way == 0)


def test_headers_up_to_the_limit_are_taken_in_any_pieces(served):
    sent = HEAD + b"".join(b"h%d: %s\r\n" % (k, b"y" * 300) for k in range(99)) + b"connection: close\r\n\r\n"
    sent = sent.replace(b"h0: " + b"y" * 300 + b"\r\n", b"")
    for step in (len(sent), 977):
        with served.connect() as client:
            for k in range(0, len(sent), step):
                client.sendall(sent[k : k + step])
            said = everything(client)
        assert status(said) == 200
        assert said.endswith(b"\r\n\r\n100")


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\xff\x01 HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", POST[:-2] + b"transfer-encoding: chunked\r\n\r\n", POST[:-2] + b"content-length: 11\r\n\r\n"])  # fmt: skip
def test_what_is_no_http_is_a_400_in_our_shape(served, sent):
    with served.connect(sent) as client:
        assert refused(everything(client), 400, "bad_request")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", None),
        (b"GET / HT", "too_slow"),
        (HEAD + b"a: b\r\n", "too_slow"),
        (POST + b"01", "too_slow"),
        (POST, "too_slow"),
    ],
)
def test_a_request_that_does_not_come_is_not_waited_for(served, sent, code):
    with served.connect(sent) as client:
        said = everything(client)
    assert not said if code is None else refused(said, 408, code)
    served.until(lambda: served.app.under_way == 0)


def test_a_byte_now_and_then_buys_no_time(served):
    with served.connect(b"GET / HTTP/1.1\r\na: ") as client:
        client.settimeout(0.1)
        for _ in range(60):
            with contextlib.suppress(TimeoutError):
                said = client.recv(65536)
                break
            client.sendall(b"x")
    assert refused(said, 408, "too_slow")


def test_an_answer_that_is_not_taken_is_dropped(served):
    with served.connect(GET.replace(b"/ ", b"/much ")):
        served.until(lambda: served.connections == 1)
        served.until(lambda: served.connections == 0)


def test_idle_and_slow_clients_make_way_for_new_ones(served):
    slow = [served.connect(sent) for sent in (b"", b"GET / ", POST + b"0") for _ in range(14)]
    for _ in range(30):
        with served.connect(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")) as client:
            assert status(everything(client)) == 200
    assert served.connections <= LIMITS.connections + 1
    for client in slow:
        client.close()
    served.until(lambda: served.connections == 0)


def test_where_everybody_is_at_work_a_newcomer_is_told_to_come_again(served):
    served.app.slow.clear()
    busy = [served.connect(GET.replace(b"/ ", b"/slow ")) for _ in range(LIMITS.connections)]
    served.until(lambda: served.app.under_way == LIMITS.connections)
    with served.connect(GET) as client:
        said = everything(client)
    assert refused(said, 503, "busy")
    assert b"\r\nretry-after: 1\r\n" in said
    served.app.slow.set()
    for client in busy:
        assert status(client.recv(65536)) == 200
        client.close()
    served.until(lambda: served.connections == 0)


def test_of_many_requests_in_one_piece_the_first_are_answered_and_the_rest_is_not_kept(served):
    with served.connect() as client:
        with contextlib.suppress(OSError):
            client.sendall(GET * 20_000)
        said = everything(client)
    answers = said.count(b"HTTP/1.1 200 OK")
    assert 1 <= answers <= LIMITS.pipelined + 2
    assert said.count(b"HTTP/1.1") == answers
    assert said.count(b"connection: close") == 1


def test_a_few_requests_in_one_piece_are_answered_in_order(served):
    with served.connect(POST + b"0123456789" + POST + b"abcdefghij" + GET) as client:
        said = b""
        while said.count(b"HTTP/1.1 200 OK") < 3:
            said += client.recv(65536)
        assert said.index(b"0123456789") < said.index(b"abcdefghij")


def test_an_upgrade_is_not_made_and_the_request_is_answered(served):
    for sent in (GET, POST + b"0123456789"):
        upgrade = sent.replace(b"\r\n\r\n", b"\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 1)
        with served.connect(upgrade) as client:
            said = everything(client)
        assert said.count(b"HTTP/1.1 200 OK") == 1


def test_refusals_are_one_line_in_the_log(caplog):
    door = Doorkeeper(LIMITS, [].append)
    for status in (431, 408, 431):
        door.count(status)
    door._sweep(SimpleNamespace(time=lambda: 100.0, call_later=lambda *_: None))
    door.count(400)
    door._sweep(SimpleNamespace(time=lambda: 101.0, call_later=lambda *_: None))
    assert [line.getMessage() for line in caplog.records] == [
        "refused before there was a request: 1 × 408, 2 × 431"
    ]


def test_answers_that_nobody_takes_are_bounded_all_together():
    served = Served(replace(LIMITS, send_seconds=60.0, unsent_bytes=10_000_000))
    try:
        clients = [served.connect(GET.replace(b"/ ", b"/much ")) for _ in range(12)]
        served.until(lambda: 1 <= served.connections < 12)
        for client in clients:
            client.close()
    finally:
        served.stop()
