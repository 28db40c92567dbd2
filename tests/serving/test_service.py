"""Contract: under BentoML every answer is ours, a promotion loses no request, and nothing is left behind."""

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from features.errors import SettingsError
from features.files import clear_dead
from serving.service import run_server
from tests.places import ROOT
from tests.serving.conftest import ARMS, Server, free_port, make_bundle, promote_uplift
from tests.serving.test_parent import gone
from training.live import Live
from training.models.bundle import write_bundle
from training.value.tasks import TASKS


def test_the_life_of_a_server(world, uplifts, tmp_path):
    """One server for all that needs one, because it takes seconds to start."""
    shutil.copytree(world.live.folder, tmp_path / "live")
    before = {path.name for path in tmp_path.iterdir()}
    server = Server(tmp_path, workers=2, TMPDIR=str(tmp_path))
    try:
        server.wait()
        workers = server.workers()
        assert len(workers) == 2
        every_route_is_ours(server)
        the_protocol_is_ours(server)
        memory_of_large_bodies_goes_back(workers)
        workers_share_metrics_and_the_mapped_snapshot(server, workers)
        an_address_that_is_taken_is_said_plainly(server, tmp_path)
        a_first_uplift_champion_is_seen_at_once(world, uplifts, server)
        a_promotion_under_load_loses_no_request(world, server, tmp_path)
        # A client that keeps its connection must not keep the server.
        with httpx.Client(base_url=server.url) as client:
            client.get("/livez")
            what_was_asked_before_the_stop_is_answered(world, server)
    finally:
        if server.process.poll() is None:
            server.stop()
    assert server.process.returncode == 0
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    assert {path.name for path in tmp_path.iterdir()} - before == {"server.log", "next", "made-uplift-1"}


def test_a_server_outlives_a_spoilt_snapshot_and_its_workers_do_not_outlive_it(world, tmp_path):
    shutil.copytree(world.live.folder, tmp_path / "live")
    snapshot = tmp_path / "live" / "snapshot.tokui"
    name = world.predictor.snapshot.customer_ids(slice(0, 1))[0]
    server = Server(tmp_path)
    try:
        server.wait()
        [worker] = server.workers()
        with httpx.Client(base_url=server.url) as client:
            before = client.post("/predict", json={"customer_ids": [name]}).json()
            with snapshot.open("r+b") as file:
                file.write(b"\xff" * 300)
                file.truncate(400)
            until = time.monotonic() + 20
            while "snapshot" not in (client.get("/readyz").json().get("warning") or ""):
                assert time.monotonic() < until
                time.sleep(0.1)
            assert client.post("/predict", json={"customer_ids": [name]}).json() == before
        server.process.kill()
        server.process.wait()
        assert gone(worker)
        with socket.socket() as port:
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port.bind(("127.0.0.1", server.port))
        [left] = (tmp_path / "live").glob("tokui-*")
        assert clear_dead(tmp_path / "live") == [left]
    finally:
        if server.process.poll() is None:
            server.stop()
        server.log.close()


def what_was_asked_before_the_stop_is_answered(world, server):
    ask = {"customer_ids": world.predictor.snapshot.customer_ids(slice(0, 100)), "explain": True}
    said = []

    def work():
        with httpx.Client(base_url=server.url, timeout=30) as client:
            said.append(client.post("/predict", json=ask).status_code)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    server.stop()
    for thread in threads:
        thread.join()
    assert said == [200] * 20


def a_first_uplift_champion_is_seen_at_once(world, uplifts, server):
    name = world.predictor.snapshot.customer_ids(slice(0, 1))[0]
    ask = {"customer_ids": [name]}
    with httpx.Client(base_url=server.url) as client:
        assert client.post("/recommend", json=ask).status_code == 409
        promote_uplift(Live(Path(server.log.name).parent / "live"), 1, uplifts["s_learner"])
        promoted, row = time.monotonic(), 0
        while row < 20:
            assert time.monotonic() < promoted + 15
            answer = client.post("/recommend", json=ask)
            assert answer.status_code in {200, 409}
            assert client.post("/predict", json=ask).status_code == 200
            # Workers look by themselves; all of them have seen it when many answers in a row say so.
            row = row + 1 if answer.status_code == 200 else 0
            time.sleep(0.05)
    (one,) = answer.json()["recommendations"]
    own = uplifts["s_learner"].model.predict(world.predictor.snapshot.matrix(slice(0, 1)))[0]
    assert {each["arm"]: each["incremental_ltv"]["value"] for each in one["actions"]} == dict(
        zip(ARMS[1:], own.tolist(), strict=True)
    )


def a_promotion_under_load_loses_no_request(world, server, tmp_path):
    live = Live(Path(server.log.name).parent / "live")
    challenger = make_bundle(TASKS["ltv"](world.settings), world.history, "two_part", rounds=10)
    write_bundle(tmp_path / "next", challenger)
    name = next(
        each.customer_id
        for each in world.predictor.predict(world.predictor.snapshot.customer_ids(slice(0, 50))).predictions
        if each.status == "ok"
    )
    at = world.predictor.snapshot.position(name)
    row = world.predictor.snapshot.matrix(slice(at, at + 1))
    right = {1: world.bundles["ltv"].model.predict(row)[0], 2: challenger.model.predict(row)[0]}
    assert right[1] != right[2]
    seen, wrong, done = [], [], threading.Event()

    def work():
        with httpx.Client(base_url=server.url) as client:
            while not done.is_set():
                try:
                    response = client.post("/predict", json={"customer_ids": [name]})
                    answer = response.json()
                    version = answer["models"]["ltv"]
                    if answer["predictions"][0]["ltv"]["value"] != right[version]:
                        wrong.append(answer)
                    seen.append((time.monotonic(), version))
                except Exception as error:  # noqa: BLE001 - any failure at all is what is looked for
                    wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    live.publish("ltv", 2, tmp_path / "next")
    promoted = time.monotonic()
    while time.monotonic() < promoted + 20:
        time.sleep(0.2)
        late = [version for when, version in seen if when > time.monotonic() - 0.2]
        if late and set(late) == {2}:
            break
    shown = time.monotonic() - promoted
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert {version for _, version in seen} == {1, 2}
    assert shown < 15


def every_route_is_ours(server):
    assert httpx.get(f"{server.url}/readyz").json()["ready"] is True
    assert httpx.get(f"{server.url}/livez").json() == {"live": True}
    assert "tokui_requests_total" in httpx.get(f"{server.url}/metrics").text
    for path in ("/", "/docs.json", "/healthz", "/schema.json"):
        response = httpx.get(f"{server.url}{path}")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "no_route"


def memory_of_large_bodies_goes_back(workers):
    # Set before a worker starts or not at all, because the allocator reads it once.
    for worker in workers:
        environment = Path(f"/proc/{worker}/environ").read_bytes().split(b"\0")
        assert b"MALLOC_MMAP_THRESHOLD_=131072" in environment


def the_protocol_is_ours(server):
    for sent, status in (
        (b"GET / HTTP/1.1\r\na: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET /livez HTTP/1.1\r\nhost: evil.example\r\n\r\n", 421),
        (b"HEAD /livez HTTP/1.1\r\nhost: localhost\r\n\r\n", 200),
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(sent)
            assert client.recv(65536).startswith(b"HTTP/1.1 %d " % status)
    assert 'tokui_requests_total{route="other",status="431"} 2.0' in httpx.get(f"{server.url}/metrics").text


def workers_share_metrics_and_the_mapped_snapshot(server, workers):
    for _ in range(20):
        httpx.get(f"{server.url}/livez")
    counts = {
        re.search(r'tokui_requests_total\{route="/livez",status="200"\} (\S+)', text)[1]
        for text in [httpx.get(f"{server.url}/metrics").text for _ in range(6)]
    }
    assert len(counts) == 1
    for worker in workers:
        maps = Path(f"/proc/{worker}/maps").read_text()
        assert "lib_lightgbm" in maps
        assert "snapshot.tokui" in maps


def test_a_worker_has_neither_mlflow_nor_opens_a_pickle(advised_live):
    code = """
import json, os, pickle, sys
from pathlib import Path
from serving.service import application, service
from serving.predictor.champions import load_predictor
from training.live import Live
live = Live(Path(os.environ["TOKUI_LIVE"]))
load_predictor(live)  # numba keeps what it compiled beside a pickled index of its own
class Refuse:
    def __init__(self, *_args, **_options): raise AssertionError("a pickle was opened")
pickle.load = pickle.loads = pickle.Unpickler = Refuse
predictor = load_predictor(live)
ids = predictor.snapshot.customer_ids(slice(0, 20))
predictor.predict(ids, explain=True)
# Had loading not compiled all that a request needs, numba would open its index now.
for some in (ids[:1], ids[:2], ids):
    for limits in ({}, {"budget": 900.0}, {"capacity": {"upsell": 1}}, {"arms": ["upsell"]}):
        predictor.uplift.ready().recommend(some, **limits)
service.to_asgi()
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] in {"mlflow", "optuna"})))
"""
    environment = {"TOKUI_LIVE": str(advised_live.folder), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def an_address_that_is_taken_is_said_plainly(server, tmp_path):
    with pytest.raises(SettingsError, match="--port"):
        run_server(tmp_path, "127.0.0.1", server.port)


def test_a_server_needs_a_worker(tmp_path):
    with pytest.raises(SettingsError, match="workers is 0"):
        run_server(tmp_path, "127.0.0.1", free_port(), 0)
