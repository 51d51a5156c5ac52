"""What earlier pages found, for the chapters that draw conclusions from them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

from lib.disclosure.gate import Released, release
from lib.errors import BuildError
from lib.report.marks import MARK, published_rows, renumber
from lib.report.project import Page, load_project
from lib.study.load import Study, project_root

RESULTS_VARIABLE = "LWO_RESULTS"


def results(page: str, study: Study) -> Released:
    """Rows that a page published in this build, or in the last one.

    Parameters
    ----------
    page : str
        The page's name, such as ``rq1a``; it stands among the ``needs`` of the page that asks.
    study : Study
        The study of this build; the rows pass its gate again.

    Raises
    ------
    BuildError
        If the page has not run yet.
    """
    return release(_rows(load_project().page(page)), study)


def joined_results(page: str, study: Study) -> Released:
    """Rows of every page that a page needs, each once, passed through the gate together.

    Parameters and errors are those of ``results``; ``page`` is the page that asks. Where two pages show a row, that
    of the earlier one counts.
    """
    project = load_project()
    rows = pd.concat([_rows(project.page(need)) for need in project.page(page).needs])
    return release(rows.drop_duplicates("row_id", ignore_index=True), study)


def _rows(page: Page) -> pd.DataFrame:
    """Rows in the marks of an executed page."""
    folder = Path(os.environ.get(RESULTS_VARIABLE) or project_root() / "_build" / "executed")
    notebook = folder / f"{page.name}.ipynb"
    if not notebook.is_file():
        raise BuildError(f"page {page.name!r} has no results yet; run `lwo build --only {page.name}` first")
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    outputs = (output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))
    numbered = (renumber(data[MARK], page.exhibits) for data in outputs if MARK in data)
    rows = published_rows([mark for mark in numbered if mark is not None])
    return pd.DataFrame(rows.values())


def needed_results(page: str, study: Study) -> dict[str, Released]:
    """What every page that a page needs has published, by the page's name in the sidebar.

    Parameters and errors are those of ``results``; ``page`` is the page that asks.
    """
    import nbformat  # over a second to import, and most pages ask for rows alone

    from lib.report.stage import page_head, split_front_matter

    project = load_project()
    found = {}
    for need in map(project.page, project.page(page).needs):
        head, _ = split_front_matter(nbformat.read(need.notebook, 4), need.notebook)
        words = page_head(head, need, study.codebook)
        found[words.get("nav") or words["title"]] = release(_rows(need), study)
    return found
