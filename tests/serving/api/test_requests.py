"""Contract: bodies are read in small steps and refused early, and the event loop waits for none of them."""

import asyncio
import json
import sys
import threading

import msgspec
import pytest

from serving.api import requests
from serving.api.requests import MOST_ASKED_BYTES, QUICK_BYTES, rows_of
from serving.predictor.account import FieldError
from tests.serving.api.test_fuzz import answer_of

LARGE = {
    "ids": b'{"customer_ids":[' + b"1," * 60_000 + b"1]}",
    "not json": b'{"customer_ids":["' + b"x" * 100_000,
    "budget": b'{"customer_ids":["A"],"budget":"' + b"9" * 100_000 + b'"}',
    "nested": b'{"customer_ids":["A"],"budget":' + b"[" * 100_000,
    "rows": b'{"orders":[' + b"{}," * 400_000 + b"{}]}",
    "row": b'{"orders":[{"amount":[' + b"1," * 400_000 + b"1]}]}",
    "tables": b"{" + b",".join(b'"t%d":[]' % k for k in range(200_000)) + b"}",
    "as_of": b'{"orders":[],"as_of":[' + b"1," * 400_000 + b"1]}",
}


@pytest.mark.parametrize("what", LARGE)
@pytest.mark.parametrize("path", ["/predict", "/recommend", "/predict_history"])
def test_a_large_body_is_refused_and_not_decoded_where_it_arrives(advised, monkeypatch, path, what):
    here, large = threading.get_ident(), []

    def watched(frame, event, arg):
        # msgspec's decoders and json's are called from these modules only.
        if event == "c_call" and getattr(arg, "__name__", "") in {"decode", "raw_decode", "scan_once"}:
            large.append(max((len(v) for v in frame.f_locals.values() if isinstance(v, bytes)), default=0))

    async def ask():
        sys.setprofile(watched)
        try:
            return await answer_of(advised.app, "POST", path, [], [LARGE[what]])
        finally:
            sys.setprofile(None)

    sent = asyncio.run(ask())
    assert sent[0]["status"] in {413, 422}
    assert max(large, default=0) <= QUICK_BYTES
    assert here == threading.get_ident()


def test_what_only_names_customers_is_never_megabytes(advised):
    body = json.dumps({"customer_ids": ["x" * 300] * 1000}).encode()
    assert len(body) > MOST_ASKED_BYTES
    for path in ("/predict", "/recommend"):
        response = advised("POST", path, content=body)
        assert response.status_code == 413
        assert f"{MOST_ASKED_BYTES:,}" in response.json()["error"]["message"]
        assert response.headers["connection"] == "close"


def test_rows_are_decoded_as_a_whole_body_would_be():
    document = {
        "as_of": None,
        "explain": True,
        "orders": [{"a": "é\u2028{[", "b": [1.5, None]}, {}, 3],
        "customers": {},
    }
    assert rows_of(json.dumps(document, indent=1).encode()) == document
    assert rows_of(json.dumps(document, ensure_ascii=False).encode()) == document


@pytest.mark.parametrize(
    "body", [b"[]", b'{"orders":[1,]}', b'{"orders":[{]}', b'{"orders":["\xff"]}', b'{"orders":[]} x', b""]
)
def test_what_is_no_json_is_refused_in_pieces_too(body):
    with pytest.raises((msgspec.MsgspecError, UnicodeError)):
        rows_of(body)


def test_a_row_and_a_table_have_a_size(monkeypatch):
    with pytest.raises(FieldError) as refused:
        rows_of(b'{"orders":[{},{"a":"' + b"x" * 70_000 + b'"}]}')
    assert refused.value.field == "orders[1]"
    with pytest.raises(FieldError, match="20,000 rows"):
        rows_of(b'{"orders":[' + b"0," * 20_000 + b"0]}")
    # Braces inside texts are no rows.
    assert len(rows_of(b'{"orders":[{"a":"' + b"{" * 60_000 + b'"}]}')["orders"]) == 1
    monkeypatch.setattr(requests, "MOST_ROWS_MARKED", 10)
    with pytest.raises(FieldError, match="20,000 rows"):
        rows_of(b'{"orders":[' + b"{}," * 10 + b"{}]}")
    with pytest.raises(FieldError, match="is not a table"):
        rows_of(b'{"nothing":[]}')
