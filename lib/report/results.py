"""What earlier pages found, for the chapters that draw conclusions from them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

from lib.disclosure.gate import Released, release
from lib.errors import BuildError
from lib.report.marks import MARK, published_rows, renumber
from lib.report.project import load_project
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
    folder = Path(os.environ.get(RESULTS_VARIABLE) or project_root() / "_build" / "executed")
    notebook = folder / f"{page}.ipynb"
    if not notebook.is_file():
        raise BuildError(f"page {page!r} has no results yet; run `lwo build --only {page}` first")
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    outputs = (output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))
    exhibits = load_project().page(page).exhibits
    numbered = (renumber(data[MARK], exhibits) for data in outputs if MARK in data)
    rows = published_rows([mark for mark in numbered if mark is not None])
    return release(pd.DataFrame(rows.values()), study)
