"""What all tests share: the shipped study, and the report built once for the whole run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(config, items):
    """Where workers share the run, one of them takes the built site and the browser, first; files stay together."""
    if config.getoption("dist", "no") != "loadgroup":
        return
    first, others = [], []
    for item in items:
        whole = "/browser/" in item.nodeid or "built" in item.fixturenames
        item.add_marker(pytest.mark.xdist_group("site" if whole else item.path.stem))
        (first if whole else others).append(item)
    items[:] = first + others


@pytest.fixture(scope="session")
def study():
    """The study the project ships."""
    from lib.study.load import load_study

    return load_study(ROOT / "data")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The report, built once by the embedded renderer into a folder of its own."""
    from lib.report.build import build

    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return build(out=tmp_path_factory.mktemp("site") / "_site", renderer="embedded")
    finally:
        os.chdir(before)
