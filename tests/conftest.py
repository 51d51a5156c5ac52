"""What all tests share: the shipped study, and the report built once for the whole run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).parents[1]
SITE_TESTS = ("test_site", "test_printed_values")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Where workers share the run, one of them takes the built site and the browser; other files stay together."""
    from xdist.scheduler import LoadScopeScheduling

    class BySite(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "site" if "/browser/" in file or Path(file).stem in SITE_TESTS else file

    return BySite(config, log)


@pytest.fixture(scope="session")
def study():
    """The study the project ships."""
    from lib.study.load import load_study

    return load_study(ROOT / "data")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The report, built once by the embedded renderer: by `make test` before its workers start, or here."""
    from lib.report.build import Built, build

    made = Path(os.environ.get("LWO_TESTED_SITE", ""))
    if (made / "index.html").is_file():
        return Built(made.resolve(), "embedded", (), ())
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return build(out=tmp_path_factory.mktemp("site") / "_site", renderer="embedded")
    finally:
        os.chdir(before)
