"""Two studies that nobody here designed are built end to end from their codebooks alone.

Chapters are executed in this process, which spares a kernel for each page; everything else is the build's own.
"""

from __future__ import annotations

import html
import re
import shutil

import IPython.display
import nbformat
import pytest
from nbformat.v4 import new_output

from lib.report.build import build
from lib.report.results import RESULTS_VARIABLE
from tests.conftest import ROOT

COPIED = ("_quarto.yml", "requirements.lock", "chapters", "benchmarks/results")
TITLED_BY_THE_REPORT = {
    "chapters/reading-the-original.html",
    "chapters/guide.html",
    "chapters/references.html",
}
SHIPPED = r"\b(Black|(?<!Grant-)White|Hispanic|Multiracial|School [1-4]|school_[1-4]|Mathematics|Southeast)\b"
BROKEN = r"\bnan\b|\bNaN\b|(?<=[a-z,(] )None\b|\(None\b"  # a sentence may begin with None


def execute(jobs, *, workers, environment, progress, debug=False):
    """Stand in for ``run_chapters``: the same cells, with what they display, one page after the other."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        assert RESULTS_VARIABLE in environment
        for job in in_order(jobs):
            notebook = nbformat.read(job.fitted or job.notebook, 4)
            run_cells(notebook, job.parameters, patch)
            nbformat.write(notebook, job.output)


def in_order(jobs):
    """Jobs, each behind those it needs."""
    done, waiting = [], list(jobs)
    while waiting:
        names = {job.name for job in waiting}
        ready = [job for job in waiting if not names & set(job.needs)]
        done, waiting = [*done, *ready], [job for job in waiting if job not in ready]
    return done


def run_cells(notebook, parameters, patch):
    """Run code cells in one namespace and keep what they show as their outputs."""
    names = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown = []
            patch.setattr(IPython.display, "display", lambda data, raw, shown=shown: shown.append(data))
            exec(cell.source, names)
            cell.outputs = [new_output("display_data", data=data) for data in shown]
            if "parameters" in cell.metadata.get("tags", ()):
                names |= parameters


@pytest.fixture(scope="module", params=["holzinger_swineford", "bfi"])
def site(request, tmp_path_factory):
    """A study's name, and its site: each page's address with what it holds."""
    folder = tmp_path_factory.mktemp(request.param)
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lib.report.build.run_chapters", execute)
        built = build(study=ROOT / "tests/studies" / request.param, out=folder / "site", renderer="embedded")
    pages = {
        str(path.relative_to(built.site)): path.read_text("utf-8") for path in built.site.rglob("*.html")
    }
    return request.param, pages


def words_of(page: str, *, without: str = "script|style|pre") -> str:
    """What a reader reads of a page's main part."""
    main = re.search(r"<main.*?</main>", page, re.S)[0]
    main = re.sub(rf"<({without})\b.*?</\1>", " ", main, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def test_every_page_is_built(site):
    _, pages = site
    written = {path.stem for path in (ROOT / "chapters").glob("*.ipynb")} - {
        "index",
        "rq1-relationships",
        "rq1-differences",
    }
    assert {f"chapters/{name}.html" for name in {*written, "rq1a", "rq1b", "rq1c"}} <= set(pages)


def test_the_pages_speak_of_this_study(site):
    name, pages = site
    labels = {
        "holzinger_swineford": ["Verbal ability", "Grant-White School"],
        "bfi": ["Conscientiousness", "Women"],
    }
    for label in labels[name]:
        assert all(label in pages[f"chapters/{page}.html"] for page in ("rq1a", "rq1c", "measurement")), label


def test_no_label_of_the_shipped_study_is_left(site):
    _, pages = site
    found = {
        (address, word)
        for address, page in pages.items()
        if address not in TITLED_BY_THE_REPORT
        for word in re.findall(SHIPPED, words_of(page))
    }
    assert found == set()


def test_what_is_not_covered_says_so_at_its_own_place(site):
    _, pages = site
    absent = {"rq1-voices": "fig-remarks", "rq2-frequency": "fig-exhibit-32", "rq3-beliefs": "fig-exhibit-40",
              "rq1c": "fig-exhibit-29", "rq1a": "fig-exhibit-19", "study": "tbl-exhibit-7"}  # fmt: skip
    for page, label in absent.items():
        place = re.search(rf'id="{label}".*?</(?:figure|div)>', pages[f"chapters/{page}.html"], re.S)
        assert place and "Not covered" in place[0], (page, label)
    assert "Not covered" in pages["chapters/findings.html"]


def test_no_sentence_holds_an_empty_value(site):
    _, pages = site
    found = {
        (address, text[max(0, hit.start() - 40) : hit.end() + 20])
        for address, page in pages.items()
        for text in [words_of(page, without="script|style|pre|svg|table|details")]
        for hit in re.finditer(BROKEN, text)
    }
    assert found == set()
