"""What earlier pages found, for the chapters that draw conclusions from them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

from lib.disclosure.gate import Released, release
from lib.errors import BuildError
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
    rows = [row for mark in marks(json.loads(notebook.read_text("utf-8"))) for row in mark["rows"]]
    return release(pd.DataFrame(rows).drop_duplicates("row_id"), study)


def marks(notebook: dict) -> list[dict]:
    """All marks of an executed notebook, in order."""
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", ()))
    data = (output.get("data", {}).get("application/vnd.lwo+json") for output in outputs)
    return [mark for mark in data if mark]
