"""Contract: no request, however broken, ends in 5xx, and every refusal has the one shape of an error."""

import asyncio
import json
import random

import pytest

GOOD = {
    "/predict": b'{"customer_ids":["A000000001","A000000002"],"explain":true}',
    "/recommend": b'{"customer_ids":["A000000001"],"budget":50000,"arms":["upsell"],"capacity":{"upsell":3}}',
    "/predict_history": b'{"as_of":"2026-01-01T00:00:00+09:00","customers":[{"created_at":"2024-03-01","employees":12,"industry":"trade"}],'
    b'"orders":[{"occurred_at":"2024-03-14T10:12:00","order_id":"S-1","product_id":"P","quantity":4,"amount":88000}]}',
}
VALUES = [
    b"null", b"true", b"[]", b"{}", b'""', b"-1", b"0", b"1e308", b"1e400", b"-0.0", b"NaN", b"Infinity", b'"NaN"',
    b'"\\ud800"', b'"\\udfff\\ud800"', b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\x00"', b'"\\u0000"',
    b'"\xe2\x80\xae"', b"9" * 20, b"9" * 6000, b"-" + b"9" * 30, b"-" + b"9" * 6000, b"1" * 400 + b".5", b'"' + b"9" * 6000 + b'"',
    b'"' + b"x" * 9000 + b'"', b"[" * 2000, b"[" * 90 + b"]" * 90, b'{"a":' * 2000, b'"0000-00-00"', b'"9999-12-31T23:59:59-23:59"',
    b'"0001-01-01T00:00:00+23:59"', b'"1700-01-01T00:00:00+09:00"', b'"2200-12-31T23:59:59-12:00"', b'"2026-02-30"',
    b'"24:00"', b'"1e999"', b'"\xe2\x91\xa0"', b'"\xef\xbc\x91\xef\xbc\x92"', b'"2026-01-01T00:00:00[Mars/Olympus]"',
    b'"1,2,3,4"', b'"99999999999999999999"', b'"R99.99.99"', b'"\xe4\xbb\xa4\xe5\x92\x8c99999\xe5\xb9\xb4"',
]  # fmt: skip
NAMES = [
    b"customer_ids",
    b"orders",
    b"as_of",
    b"budget",
    b"capacity",
    b"arms",
    b"\xff",
    b"\\ud800",
    b"x" * 3000,
    b"",
]
PATHS = list(GOOD)
METHODS = ["POST", "POST", "POST", "GET", "PUT", "HEAD", "OPTIONS", "BREW", "TRACE", ""]
HEADERS = [
    (b"content-type", b"\xff\xfe"), (b"content-length", b"-1"), (b"content-length", b"1e3"), (b"content-length", b"\xb2"),
    (b"content-length", b"9" * 5000), (b"content-length", b""), (b"authorization", b"Bearer \xff"), (b"authorization", b"Bearer"),
    (b"x-api-key", b"\x00"), (b"host", b"\xff"), (b"host", b""), (b"host", b"[::"), (b"host", b"a:b:c"), (b"host", b"[" * 300),
    (b"x-request-id", b"\xff" * 900), (b"x-request-id", b"a\r\nb"), (b"expect", b"\x01"), (b"", b""),
    (b"content-encoding", b"gzip"), (b"transfer-encoding", b"chunked, chunked"), (b"accept", b"*"), (b"cookie", b"a" * 5000),
]  # fmt: skip


def value_spots(body):
    """Where a value of a JSON text begins and ends, roughly."""
    marks = [k for k, byte in enumerate(body) if byte in b':[,{}]"']
    return marks or [0]


def spoilt(body, dice):
    body = bytearray(body)
    for _ in range(dice.randint(1, 3)):
        kind = dice.randrange(5)
        a, b = sorted(dice.choices(value_spots(body), k=2))
        if kind == 0:
            body[a + 1 : b] = dice.choice(VALUES)
        elif kind == 1:
            at = dice.randrange(len(body) + 1)
            body[at : at + dice.randrange(4)] = dice.randbytes(dice.randrange(5))
        elif kind == 2:
            body = bytearray(bytes(body).replace(dice.choice(NAMES) or b"a", dice.choice(NAMES)))
        elif kind == 3:
            del body[a:b]
        else:
            body = body[: dice.randrange(len(body) + 1)] if dice.random() < 0.3 else body + body[a:b]
    return bytes(body)


def replaced(body, dice):
    """A good body in which one whole value is another one."""
    document = json.loads(body)
    spots = []

    def walk(part, put):
        spots.append(put)
        if isinstance(part, dict | list):
            for key in part if isinstance(part, dict) else range(len(part)):
                walk(part[key], lambda new, part=part, key=key: part.__setitem__(key, new))

    for key in document:
        walk(document[key], lambda new, key=key: document.__setitem__(key, new))
    dice.choice(spots)("@@")
    return json.dumps(document).encode().replace(b'"@@"', dice.choice(VALUES), 1)


async def answer_of(app, method, path, headers, pieces):
    pieces = list(pieces)
    sent = []

    async def receive():
        if not pieces:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": headers,
        "query_string": b"",
        "scheme": "http",
    }
    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_sent_the_answer_is_no_5xx(advised, seed):
    dice = random.Random(seed)

    async def ask():
        for k in range(700):
            path = PATHS[k % 3]
            good = GOOD[path] if dice.random() < 0.9 else dice.choice(list(GOOD.values()))
            body = replaced(good, dice) if k % 2 else spoilt(good, dice)
            method = "POST" if k % 5 else dice.choice(METHODS)
            if k % 11 == 0:
                path = dice.choice(["/%ff", "/\ufffd", "/predict/", "//", "", "/metrics"])
            headers = [(b"host", b"tokui"), *dice.sample(HEADERS, dice.choice([0, 0, 0, 1, 2]))]
            cut = dice.randrange(len(body) + 1)
            pieces = [body] if dice.random() < 0.8 else [body[:cut], b"", body[cut:]]
            sent = await answer_of(advised.app, method, path, headers, pieces)
            start = sent[0]
            assert 200 <= start["status"] < 500, (method, path, headers, body[:300], sent)
            if start["status"] >= 400 and method != "HEAD":
                error = json.loads(b"".join(message["body"] for message in sent[1:]))["error"]
                assert error["code"]
                assert len(error["message"]) < 3_000

    asyncio.run(ask())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [b'{"customer_ids":["A\xff"]}', b'{"\xff":1}', b'"\xff"', b"\xff", b'{"orders":[{"\xc0":"\xaf"}]}'],
)
def test_what_is_not_utf8_is_the_senders_mistake(advised, path, body):
    response = advised("POST", path, content=body)
    assert response.status_code == 422
    assert response.json()["error"]["code"] in {"bad_body", "bad_field"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"customer_ids":["A"],"budget":"\\ud800"}',
        b'{"customer_ids":["A"],"budget":{"\\udfff":1}}',
        b'{"customer_ids":["A"],"budget":["\\ud800",NaN]}',
    ],
)
def test_half_a_surrogate_pair_is_answered_as_any_wrong_budget(advised, body):
    response = advised("POST", "/recommend", content=body)
    assert response.status_code == 422
    assert response.json()["error"]["field"] == "budget"
    assert 'status="0"' not in advised("GET", "/metrics").text


def test_what_is_said_again_of_a_request_is_short(advised):
    ask = {"customer_ids": ["A"], "arms": ["x" * 100_000]}
    assert len(advised("POST", "/recommend", json=ask).content) < 5_000
    rows = {"orders": [{"occurred_at": "2025-01-01", "y" * 100_000: 1}]}
    assert len(advised("POST", "/predict_history", json=rows).content) < 5_000


@pytest.mark.parametrize("amount", [1e308, -1e300, 10**30, "1e200", "-" + "9" * 40])
def test_an_amount_beyond_all_measure_is_refused_where_it_stands(advised, amount):
    row = {"occurred_at": "2025-01-01", "amount": amount}
    response = advised("POST", "/predict_history", json={"as_of": "2026-01-01", "orders": [row]})
    assert response.status_code == 422
    assert response.json()["error"]["field"] == "orders[0].amount"
