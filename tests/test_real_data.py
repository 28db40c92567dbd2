"""The whole path on real files: init, check, train, promote, snapshot, serve, predict, by command alone.

docs/online-retail.md walks Online Retail the same way and test_docs.py walks with it; here the walk is
done on CDNOW, and what it gives is looked at for both.
"""

import json
import shutil

import httpx
import pytest

from tests.places import SHARED
from tests.test_docs import Reader
from tests.test_tokui import tokui

pytestmark = pytest.mark.skipif(
    not (SHARED / "cdnow_master.txt").exists(), reason="needs the real files in ../shared/data"
)


def said(*words, cwd):
    done = tokui(*words, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_cdnow_from_the_raw_file_to_an_answer(tmp_path):
    shutil.copy(SHARED / "cdnow_master.txt", tmp_path)
    said("init", "cdnow_master.txt", "--currency", "USD", cwd=tmp_path)
    orders = next(t for t in said("check", cwd=tmp_path)["tables"] if t["table"] == "orders")
    assert (orders["rows_kept"], orders["customers"]) == (69_659, 23_570)
    assert (orders["first"][:10], orders["last"][:10]) == ("1997-01-01", "1998-06-30")
    trained = said("train", cwd=tmp_path)
    ltv = next(each for each in trained if each["task"] == "ltv")
    assert ltv["metrics"]["normalised_gini"]["low"] > 0.5
    churn = next(each for each in trained if each["task"] == "churn")
    assert churn["metrics"]["auc_churn_30d"]["low"] > 0.7
    said("promote", cwd=tmp_path)
    assert said("snapshot", cwd=tmp_path)["customers"] == 23_570
    assert said("score", "scores.parquet", cwd=tmp_path)["rows"] == 23_570
    reader = Reader(tmp_path)
    try:
        reader.do("bash", "tokui serve --port 3000")
        address = f"http://127.0.0.1:{reader.port}/predict"
        # Customer 00001 bought once, on the first day, and never again.
        answer = httpx.post(address, json={"customer_ids": ["00001", "00003"], "explain": True}, timeout=30)
        once, often = answer.json()["predictions"]
        assert once["ltv"]["value"] < often["ltv"]["value"]
        assert once["churn"][0]["probability"] > often["churn"][0]["probability"]
        assert [c["probability"] for c in once["churn"]] == sorted(c["probability"] for c in once["churn"])
        assert once["ltv"]["low"] <= once["ltv"]["value"] <= once["ltv"]["high"]
        assert once["drivers"]["churn"]
        missing = httpx.post(address, json={"customer_ids": ["1"]}, timeout=30)
        assert missing.status_code == 404
    finally:
        reader.close()
