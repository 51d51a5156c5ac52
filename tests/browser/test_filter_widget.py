"""The filter as a widget in a live JupyterLab: the kernel sees what a reader chooses, and sets it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from tests.browser.test_filters import small_cube

SCRIPTS = Path(sys.executable).parent
CELLS = (
    'import json\nfrom lib.show.cube import Cube\nfrom lib.show.filter_widget import SubgroupFilter\n'
    'chosen = SubgroupFilter(Cube(json.load(open("cube.json"))))\nseen = []\n'
    'chosen.observe(lambda change: seen.append(change["new"]), "value")\nchosen',
    'print("KERNEL", chosen.value, seen)',
    'chosen.value = {"race": "b"}',
)  # fmt: skip


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a folder with one notebook; yields the notebook's address."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed; `make test` installs the lock")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "filter.ipynb")
    (tmp_path / "cube.json").write_text(json.dumps(small_cube("Group")))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "w"),
    }
    command = [
        SCRIPTS / "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=reader",
        f"--ServerApp.root_dir={tmp_path}", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=",
    ]  # fmt: skip
    quiet = subprocess.DEVNULL
    running = subprocess.Popen(command, cwd=tmp_path, env=os.environ | settings, stdout=quiet, stderr=quiet)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(480):
            try:
                urllib.request.urlopen(f"{address}/api/status?token=reader", timeout=5)
                break
            except OSError:
                time.sleep(0.25)
        yield f"{address}/lab/tree/filter.ipynb?token=reader&reset"
    finally:
        running.terminate()
        running.wait(30)


def test_kernel_and_reader_share_the_value(browser, lab):
    from playwright.sync_api import expect

    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(240_000)
    page.goto(lab)
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cells.first.wait_for()
    # the panel also says idle before it has a kernel, and a cell run then asks which kernel to take
    page.wait_for_function(
        "document.querySelector('.jp-KernelName')?.innerText.startsWith('Python 3')"
        " && document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"
    )

    def run(place: int) -> None:
        for _ in range(12):  # a cell that is run before the kernel listens is silently left alone
            cells.nth(place).locator(".cm-content").click()
            page.keyboard.press("Shift+Enter")
            with contextlib.suppress(AssertionError):
                expect(cells.nth(place).locator(".jp-InputPrompt")).not_to_have_text("[ ]:", timeout=5_000)
                return

    run(0)
    choice = page.locator(".lwo-filter select[name=race]")
    choice.wait_for()
    choice.select_option("a")
    page.wait_for_function("document.querySelector('.lwo-filter .board').innerText.includes('0.40')")
    drawn = page.locator(".lwo-filter figure svg.chart > .view")
    drawn.wait_for()
    assert "0.40 [0.30, 0.50]" in drawn.text_content()
    run(1)
    printed = cells.nth(1).locator(".jp-OutputArea-output")
    printed.wait_for()
    assert "KERNEL {'race': 'a'} [{'race': 'a'}]" in printed.inner_text()
    run(2)
    page.wait_for_function("document.querySelector('.lwo-filter select[name=race]').value === 'b'")
    assert "0.60" in page.locator(".lwo-filter .board").inner_text()
    page.context.close()
