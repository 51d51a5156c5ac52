"""One chapter on its own: run with given parameters, written as one self-contained HTML page."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat

from lib.errors import BuildError
from lib.report.build import kernel_environment, stage_executed
from lib.report.filters import cubes_of
from lib.report.parameters import chapter_parameters
from lib.report.project import Page, load_project
from lib.report.requires import fit_notebook
from lib.report.run import Job, run_chapters
from lib.study.codebook import nearest
from lib.study.load import load_study


def find_page(chapter: str) -> Page:
    """The page of that name, or the notebook of ``chapters/`` as a page of its own.

    Raises
    ------
    BuildError
        If there is neither; the nearest name is suggested.
    """
    project = load_project()
    name = Path(chapter).stem
    for page in project.pages:
        if page.name == name:
            return page
    notebooks = {path.stem: path for path in (project.root / "chapters").glob("*.ipynb")}
    if name not in notebooks:
        known = sorted({page.name for page in project.pages} | set(notebooks))
        raise BuildError(f"no chapter {chapter!r}{nearest(name, known)}")
    return Page(name=name, target=f"chapters/{name}.ipynb", notebook=notebooks[name])


def run_single(
    chapter: str,
    given: dict,
    *,
    study: str | Path | None,
    out: Path | None,
    progress: Callable[[str, int, int], None],
    debug: bool = False,
) -> Path:
    """Run a chapter and write it as one HTML page that needs no other file and no network.

    Parameters
    ----------
    chapter : str
        A page, or a notebook of ``chapters/``.
    given : dict
        Parameters that differ from the page's.
    study : path, optional
        The study folder.
    out : Path, optional
        The HTML file; by default the chapter's name in the working directory.
    progress : callable
        Called with name, cells done, cells in all.
    debug : bool
        Whether error messages may quote what a library said of the data.

    Returns
    -------
    Path
        The page.
    """
    from lib.report.render.embedded import render_single

    project = load_project()
    page = find_page(chapter)
    parameters = chapter_parameters(page.notebook, page.parameters | given)
    page = replace(page, parameters=parameters)
    loaded = load_study(study)
    target = (out or Path(f"{page.name}.html")).resolve()
    with tempfile.TemporaryDirectory(prefix="lwo-") as folder:
        executed = Path(folder) / "executed.ipynb"
        fitted = fit_notebook(page.notebook, loaded, Path(folder), needs=page.requires)
        job = Job(page.name, page.notebook, parameters, executed, fitted=fitted)
        results = project.root / "_build" / "executed"
        run_chapters(
            [job], workers=1, environment=kernel_environment(loaded, results), progress=progress, debug=debug
        )
        staged = stage_executed(page, executed, loaded, parameters, project.root)
        notebook = Path(folder) / f"{page.name}.ipynb"
        nbformat.write(staged.notebook, notebook)
        finished = Path(folder) / target.name
        render_single(notebook, project.root, finished, cubes=cubes_of(staged.marks, page.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(finished, target)
    return target
