"""Chapters run as they are: by plain papermill, by nbconvert, and in a Jupyter server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import nbformat
import pytest

from lib.report.marks import MARK
from tests.conftest import ROOT

SCRIPTS = Path(sys.executable).parent
TOKEN = "reader"  # of a server that only this test and this machine reach


def marks_of(path: Path) -> list[dict]:
    outputs = [output for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", ())]
    return [output.data[MARK] for output in outputs if MARK in output.get("data", {})]


@pytest.mark.parametrize("place", ["the repository root", "chapters"])
def test_plain_papermill_runs_a_chapter_for_another_population(place, tmp_path):
    folder, chapter = (ROOT / "chapters", "") if place == "chapters" else (ROOT, "chapters/")
    out = tmp_path / "out.ipynb"
    words = [
        f"{chapter}rq1-relationships.ipynb",
        out,
        "-p",
        "population",
        "white",
        "-p",
        "missing",
        "listwise",
    ]
    subprocess.run(
        [SCRIPTS / "papermill", *words, "--no-progress-bar"], cwd=folder, check=True, capture_output=True
    )
    rows = [row for mark in marks_of(out) for row in mark["rows"]]
    assert {row["population"] for row in rows} == {"white"}


def test_nbconvert_executes_a_chapter(tmp_path):
    words = ["nbconvert", "--execute", "--to", "notebook", "--output-dir", tmp_path, "chapters/study.ipynb"]
    subprocess.run([SCRIPTS / "jupyter", *words], cwd=ROOT, check=True, capture_output=True)
    assert {mark["kind"] for mark in marks_of(tmp_path / "study.ipynb")} >= {
        "figure",
        "table",
        "prose",
        "diagram",
    }


@pytest.fixture
def server():
    """A Jupyter server of the repository, as JupyterLab uses it; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        SCRIPTS / "jupyter",
        "server",
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        f"--IdentityProvider.token={TOKEN}",
    ]
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": f"/tmp/lwo-jupyter-{port}"}
    running = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(240):
            try:
                call(f"127.0.0.1:{port}", "api/status")
                break
            except OSError:
                time.sleep(0.25)
        yield f"127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


def call(server: str, path: str, body: dict | None = None) -> dict:
    """One request to the server's interface."""
    request = urllib.request.Request(
        f"http://{server}/{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_a_chapter_runs_cell_by_cell_in_a_jupyter_server(server):
    import websocket

    chapter = call(server, "api/contents/chapters/study.ipynb")["content"]
    made = {
        "path": "chapters/study.ipynb",
        "name": "study",
        "type": "notebook",
        "kernel": {"name": "python3"},
    }
    kernel = call(server, "api/sessions", made)["kernel"]["id"]
    link = websocket.create_connection(
        f"ws://{server}/api/kernels/{kernel}/channels?token={TOKEN}", timeout=120
    )
    shown = [
        kind
        for cell in chapter["cells"]
        if cell["cell_type"] == "code"
        for kind in execute(link, cell["source"])
    ]
    link.close()
    assert shown.count("table") >= 6 and "figure" in shown and "diagram" in shown


def execute(link, code: str) -> list[str]:
    """Run one cell; the kinds of marked output it displayed. An error of the cell fails the test."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "test",
        "version": "5.3",
    }
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
    }
    link.send(
        json.dumps(
            {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        )
    )
    kinds = []
    while True:
        message = json.loads(link.recv())
        if message["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        assert message["msg_type"] != "error", message["content"].get("evalue")
        if message["msg_type"] == "display_data":
            kinds.append(message["content"]["data"][MARK]["kind"])
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return kinds
