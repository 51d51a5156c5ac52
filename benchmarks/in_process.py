"""A chapter's code run in this process, for campaigns that read what hundreds of runs would show."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import nbformat

from lib.report.marks import MARK
from lib.report.project import Page
from lib.report.requires import fit_notebook
from lib.study.load import Study

EVIDENCE_PAGES = (
    "rq1a", "rq1b", "rq1c", "rq1-voices", "rq2-frequency", "rq2-quality", "rq2-perspectives", "rq3-beliefs",
    "rq3-school-factors", "rq3-leaders",
)  # fmt: skip
"""Pages of the report that estimate something of a study, in reading order."""

CHEAP = {"filters": False, "missing": "listwise", "interval": "monte carlo", "draws": 2000}
"""Parameters that make a page quick; which of them it has is the page's matter."""

UNDRAWN = {"spec": None, "svg": None, "key": "", "table": ""}


def run_page(page: Page, study: Study, parameters: Mapping[str, object] | None = None) -> list[dict]:
    """Marks that a page would show for a study, in order.

    Parameters
    ----------
    page : Page
    study : Study
        What the chapter is given when it loads its study.
    parameters : mapping of str to object, optional
        On top of the page's own; names that the notebook does not have are passed over, so that one set of cheap
        settings serves all pages.

    Nothing is drawn: figures keep their words and rows. Errors of the chapter's code are raised as they are.
    """
    with tempfile.TemporaryDirectory(prefix="lwo-page-") as folder:
        notebook = nbformat.read(fit_notebook(page.notebook, study, Path(folder), needs=page.requires), 4)
    scope: dict = {"__name__": page.name}
    with ExitStack() as stack:
        marks = stack.enter_context(_shown())
        stack.enter_context(patch("lib.study.load.load_study", lambda: study))
        stack.enter_context(patch("lib.show.drawing.Scene"))
        stack.enter_context(patch("lib.show.plate.svg", return_value=""))
        for number, cell in enumerate(notebook.cells, start=1):
            if cell.cell_type != "code":
                continue
            exec(compile(cell.source, f"{page.name}, cell {number}", "exec"), scope)
            if "parameters" in cell.metadata.get("tags", ()):
                given = {**page.parameters, **(parameters or {})}
                scope |= {name: value for name, value in given.items() if name in scope}
    return marks


@contextmanager
def _shown() -> Iterator[list[dict]]:
    """The marks of all outputs displayed inside."""
    marks: list[dict] = []

    def display(*given: object, **_: object) -> None:
        marks.extend(one[MARK] | UNDRAWN for one in given if isinstance(one, dict) and MARK in one)

    with patch("IPython.display.display", display):
        yield marks
