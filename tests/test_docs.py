"""The documents' contract: every code block in them runs, in order, as a reader would run it.

A document is read top to bottom in a folder of its own. ``bash`` blocks run in a shell there; a line
that starts `tokui serve` goes on in the background until the document ends. ``python`` blocks share
one namespace, ``toml`` and ``json`` blocks are parsed, ``text`` blocks are output. Port 3000 is
replaced by a free one. A block that needs make, git or a second window is marked `<!-- by hand -->`.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.conftest import small_world
from tests.places import ROOT

SHARED = ROOT.parent / "shared" / "data"
BLOCK = re.compile(
    r"(?P<mark><!-- by hand -->\s*\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


class Reader:
    """Someone who does what a document says."""

    def __init__(self, folder):
        self.folder = folder
        self.port = _free_port()
        self.servers = []
        self.names = {"__name__": "document"}
        self.environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def do(self, language, code):
        code = code.replace("3000", str(self.port))
        if language == "bash":
            self._shell(code)
        elif language == "python":
            before = Path.cwd()
            os.chdir(self.folder)
            try:
                exec(compile(code, "document", "exec"), self.names)  # noqa: S102  # our own documents
            finally:
                os.chdir(before)
        elif language == "toml":
            tomllib.loads(code)
        elif language == "json":
            json.loads(code)
        else:
            assert language in {"text", "mermaid"}, f"a block of unknown language {language!r}"

    def _shell(self, code):
        lines = code.splitlines()
        served = [k for k, line in enumerate(lines) if re.match(r"(\w+=\S+ )?tokui serve", line)]
        begin = 0
        for k in served:
            self._run("\n".join(lines[begin:k]))
            self._serve(lines[k])
            begin = k + 1
        self._run("\n".join(lines[begin:]))

    def _run(self, code):
        if not code.strip():
            return
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"

    def _serve(self, line):
        self.close()
        words = line.split("#")[0]
        if "--port" not in words:
            words += f" --port {self.port}"
        log = (self.folder / "server.log").open("w")
        command = ["bash", "-c", f"exec env {words}"]
        self.servers.append(
            subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        )
        log.close()
        for _ in range(300):
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert self.servers[-1].poll() is None, (self.folder / "server.log").read_text()
            time.sleep(0.2)
        raise AssertionError(f"not ready: {(self.folder / 'server.log').read_text()}")

    def close(self):
        for server in self.servers:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
        self.servers.clear()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _prepare(document, folder):
    """What a reader of this document has before reading."""
    if document.name == "online-retail.md":
        if not (SHARED / "online_retail.parquet").exists():
            pytest.skip("needs the public file ../shared/data/online_retail.parquet")
        shutil.copy(SHARED / "online_retail.parquet", folder / "online_retail.parquet")
    elif document.name == "serving.md":
        small_world(folder, 300)
    elif document.name == "README.md":
        small_world(folder / "mine", 300)
        orders = folder / "mine" / "orders.parquet"
        duckdb.sql(
            f'COPY (SELECT customer_id AS "顧客ID", occurred_at AS "受注日", product_id AS "商品コード", '
            f"quantity AS \"数量\", amount AS \"金額\" FROM '{orders}') TO '{folder / 'orders.csv'}'"
        )
        shutil.rmtree(folder / "mine")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_runs(document, tmp_path):
    blocks = [
        (match["language"], match["code"])
        for match in BLOCK.finditer(document.read_text(encoding="utf-8"))
        if not match["mark"]
    ]
    if not blocks:
        return
    _prepare(document, tmp_path)
    reader = Reader(tmp_path)
    try:
        for language, code in blocks:
            reader.do(language, code)
    finally:
        reader.close()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target
